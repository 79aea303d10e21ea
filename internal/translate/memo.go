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

package translate

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
)

// Memo keeps the routes that it rendered for one Gateway, so that a change of one route costs the rendering of one. What
// it gives is what the plain rendering would give; resources that did not change are the very same values, so nobody may
// change them. The zero Memo is ready; it is not for concurrent use. A nil Memo remembers nothing.
//
// A rendered route depends on its spec, which UID and generation name (its creation time belongs to the UID), on where
// it is attached, and on which of its references resolved, and to what. All of that is compared; nothing else enters.
type Memo struct {
	routes map[routeKey]*remembered
	round  uint64
}

// routeKey names a route.
type routeKey struct {
	kind            gatewayv1.Kind
	namespace, name string
}

// remembered is a route's resource with what it was rendered from.
type remembered struct {
	uid         types.UID
	generation  int64
	attachments []topology.Attachment
	backends    []topology.BackendRef
	resources   []*adminv1.Resource
	round       uint64
}

// Len is how many routes are remembered: those of the last call that have an identity.
func (m *Memo) Len() int { return len(m.routes) }

// route gives the route's resources with their hashes, rendered or remembered.
func (m *Memo) route(route *topology.Route) ([]*adminv1.Resource, error) {
	object := route.Object
	// Without an identity nothing can be recognised.
	if m == nil || object.GetUID() == "" || object.GetGeneration() == 0 {
		return allSealed(routeResources(route))
	}
	key := routeKey{kind: topology.KindOf(object), namespace: object.GetNamespace(), name: object.GetName()}
	if known := m.routes[key]; known != nil && known.matches(route) {
		known.round = m.round
		return known.resources, nil
	}
	resources, err := allSealed(routeResources(route))
	if err != nil {
		return nil, err
	}
	if m.routes == nil {
		m.routes = map[routeKey]*remembered{}
	}
	m.routes[key] = &remembered{
		uid: object.GetUID(), generation: object.GetGeneration(),
		attachments: route.Attachments, backends: backendRefs(route),
		resources: resources, round: m.round,
	}
	return resources, nil
}

func (r *remembered) matches(route *topology.Route) bool {
	return r.uid == route.Object.GetUID() && r.generation == route.Object.GetGeneration() &&
		slices.EqualFunc(r.attachments, route.Attachments, sameAttachment) && sameBackends(r.backends, route)
}

func sameAttachment(a, b topology.Attachment) bool {
	return a.Listener == b.Listener && a.Passthrough == b.Passthrough && slices.Equal(a.Hostnames, b.Hostnames)
}

// backendRefs are the route's references, in order; empty ones for those that did not resolve.
func backendRefs(route *topology.Route) []topology.BackendRef {
	var refs []topology.BackendRef
	for rule := range route.EachRule {
		for j := range rule.Backends {
			refs = append(refs, resolvedRef(&rule.Backends[j]))
		}
		for mirror := range rule.Mirrors {
			refs = append(refs, resolvedRef(mirror))
		}
	}
	return refs
}

func resolvedRef(backend *topology.Backend) topology.BackendRef {
	if !backend.Reachable() {
		return topology.BackendRef{}
	}
	return backend.BackendRef
}

// sameBackends is backendRefs compared without making the list.
func sameBackends(known []topology.BackendRef, route *topology.Route) bool {
	at := 0
	for rule := range route.EachRule {
		for j := range rule.Backends {
			if at == len(known) || known[at] != resolvedRef(&rule.Backends[j]) {
				return false
			}
			at++
		}
		for mirror := range rule.Mirrors {
			if at == len(known) || known[at] != resolvedRef(mirror) {
				return false
			}
			at++
		}
	}
	return at == len(known)
}

// begin opens a round, and forget closes it: what was not asked for in between is forgotten.
func (m *Memo) begin() {
	if m != nil {
		m.round++
	}
}

func (m *Memo) forget() {
	if m == nil {
		return
	}
	for key, known := range m.routes {
		if known.round != m.round {
			delete(m.routes, key)
		}
	}
}
