/*
Copyright 2026 The RAUTA Authors.

Licensed under the Apache License, Version 2.0 (the "License");
you may not use this file except in compliance with the License.
You may obtain a copy of the License at

    http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software
distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
See the License for the specific language governing permissions and
limitations under the License.
*/

package controller

import (
	"sync"

	discoveryv1 "k8s.io/api/discovery/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// compact keeps routes and ListenerSets, of which there may be very many, in less. Decoding JSON leaves room for four in each list, of
// which most have one, and a string of its own for each word of a status, of which most say the same.
type compact struct {
	mu sync.Mutex
	// words that were seen, up to maxWords of at most maxWordBytes.
	words map[string]string
}

const maxWords, maxWordBytes = 4096, 128

// transform is for a cache, before an object is in it.
func (c *compact) transform(object any) (any, error) {
	withoutNotes(object)
	switch object := object.(type) {
	case *gatewayv1.HTTPRoute:
		return c.route(object.DeepCopy()), nil
	case *gatewayv1.GRPCRoute:
		return c.route(object.DeepCopy()), nil
	case *gatewayv1.TLSRoute:
		return c.route(object.DeepCopy()), nil
	case *gatewayv1.TCPRoute:
		return c.route(object.DeepCopy()), nil
	case *gatewayv1.UDPRoute:
		return c.route(object.DeepCopy()), nil
	case *discoveryv1.EndpointSlice:
		withoutPlaces(object)
	case *gatewayv1.ListenerSet:
		return object.DeepCopy(), nil
	}
	return object, nil
}

// route shares the words of a route.
func (c *compact) route(route topology.RouteObject) topology.RouteObject {
	c.mu.Lock()
	defer c.mu.Unlock()
	route.SetNamespace(c.word(route.GetNamespace()))
	refs := topology.ParentRefsOf(route)
	for i := range refs {
		c.parent(&refs[i])
	}
	parents := topology.StatusOf(route).Parents
	for i := range parents {
		parent := &parents[i]
		c.parent(&parent.ParentRef)
		parent.ControllerName = gatewayv1.GatewayController(c.word(string(parent.ControllerName)))
		for j := range parent.Conditions {
			condition := &parent.Conditions[j]
			condition.Type, condition.Reason, condition.Message = c.word(condition.Type), c.word(condition.Reason), c.word(condition.Message)
		}
	}
	return route
}

func (c *compact) parent(ref *gatewayv1.ParentReference) {
	ref.Name = gatewayv1.ObjectName(c.word(string(ref.Name)))
	if ref.Group != nil {
		*ref.Group = gatewayv1.Group(c.word(string(*ref.Group)))
	}
	if ref.Kind != nil {
		*ref.Kind = gatewayv1.Kind(c.word(string(*ref.Kind)))
	}
	if ref.Namespace != nil {
		*ref.Namespace = gatewayv1.Namespace(c.word(string(*ref.Namespace)))
	}
}

// word is a string that is equal, and the same one as before where that is remembered. Of many words most are of what is gone: where there is
// no more room they are collected anew.
func (c *compact) word(text string) string {
	if known, is := c.words[text]; is {
		return known
	}
	if len(text) > maxWordBytes {
		return text
	}
	if len(c.words) == maxWords {
		clear(c.words)
	}
	c.words[text] = text
	return text
}
