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
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// decodedRoute is a route as it comes from the API server.
func decodedRoute[T any](t *testing.T, name string) *T {
	t.Helper()
	route := new(T)
	err := json.Unmarshal(fmt.Appendf(nil, `{
		"metadata": {"namespace": "shop", "name": %q, "managedFields": [{"manager": "kubectl"}],
			"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}},
		"spec": {"parentRefs": [{"group": "gateway.networking.k8s.io", "kind": "ListenerSet", "namespace": "edge", "name": "extra"}], "rules": [{}]},
		"status": {"parents": [{
			"parentRef": {"group": "gateway.networking.k8s.io", "kind": "ListenerSet", "namespace": "edge", "name": "extra"}, "controllerName": "rauta.dev/gateway-controller",
			"conditions": [{"type": "Accepted", "status": "True", "reason": "Accepted", "message": "the route is attached", "lastTransitionTime": null}]
		}]}}`, name), route)
	if err != nil {
		t.Fatal(err)
	}
	return route
}

// What is kept is what came, but for what nobody reads.
func TestCompactKeepsWhatCame(t *testing.T) {
	c := &compact{words: map[string]string{}}
	for name, object := range map[string]runtime.Object{
		"HTTPRoute":   decodedRoute[gatewayv1.HTTPRoute](t, "cart"),
		"GRPCRoute":   decodedRoute[gatewayv1.GRPCRoute](t, "cart"),
		"TLSRoute":    decodedRoute[gatewayv1.TLSRoute](t, "cart"),
		"TCPRoute":    decodedRoute[gatewayv1.TCPRoute](t, "cart"),
		"UDPRoute":    decodedRoute[gatewayv1.UDPRoute](t, "cart"),
		"Bare":        &gatewayv1.HTTPRoute{},
		"ListenerSet": listenerSetOf("shop", "extra", "web"),
		"Service":     &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "cart", ManagedFields: []metav1.ManagedFieldsEntry{{}}}},
	} {
		t.Run(name, func(t *testing.T) {
			want := object.DeepCopyObject()
			want.(metav1.Object).SetManagedFields(nil)
			want.(metav1.Object).SetAnnotations(nil)
			for range 2 {
				kept, err := c.transform(object)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, kept); diff != "" {
					t.Errorf("what is kept (-came +kept):\n%s", diff)
				}
				object = kept.(runtime.Object)
			}
		})
	}
	own := &corev1.Service{ObjectMeta: metav1.ObjectMeta{
		Name: "web-rauta", Labels: map[string]string{"app.kubernetes.io/managed-by": "rauta"},
		Annotations: map[string]string{"a": "b"}, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "rauta"}},
	}}
	if kept, err := c.transform(own.DeepCopy()); err != nil || !cmp.Equal(kept, any(own)) {
		t.Errorf("of what is ours all is kept, and not %v, %v", kept, err)
	}
	kept, err := c.transform("a tombstone")
	if err != nil || kept != "a tombstone" {
		t.Errorf("of what is no object %v is kept, %v", kept, err)
	}
}

// Of an endpoint its addresses, its state and whose they are is read.
func TestPlacesOfEndpointsAreNotKept(t *testing.T) {
	endpoint := discoveryv1.Endpoint{
		Addresses: []string{"10.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)}, TargetRef: &corev1.ObjectReference{UID: "one"},
	}
	want := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{Name: "cart-1", Labels: map[string]string{discoveryv1.LabelServiceName: "cart"}},
		Endpoints:  []discoveryv1.Endpoint{endpoint, {Addresses: []string{"10.0.0.2"}}}, Ports: []discoveryv1.EndpointPort{{Name: new("http")}},
	}
	came := want.DeepCopy()
	placed := &came.Endpoints[0]
	placed.Hostname, placed.NodeName, placed.Zone, placed.Hints = new("a"), new("node"), new("zone"), &discoveryv1.EndpointHints{}
	placed.DeprecatedTopology, placed.TargetRef.Kind, placed.TargetRef.Name = map[string]string{"a": "b"}, "Pod", "cart-1"
	kept, err := (&compact{words: map[string]string{}}).transform(came)
	if diff := cmp.Diff(any(want), kept); err != nil || diff != "" {
		t.Errorf("%v (-want +kept):\n%s", err, diff)
	}
}

// Lists have no room for what is not there, and routes share what they all say.
func TestCompactKeepsLess(t *testing.T) {
	c := &compact{words: map[string]string{}}
	var kept [2]*gatewayv1.HTTPRoute
	for i := range kept {
		route := decodedRoute[gatewayv1.HTTPRoute](t, fmt.Sprint("route-", i))
		route.Spec.Rules = append(make([]gatewayv1.HTTPRouteRule, 0, 4), route.Spec.Rules...)
		object, err := c.transform(route)
		if err != nil {
			t.Fatal(err)
		}
		kept[i] = object.(*gatewayv1.HTTPRoute)
		if room := cap(kept[i].Spec.Rules); room != 1 {
			t.Errorf("there is room for %d rules, of which there is one", room)
		}
	}
	said := func(route *gatewayv1.HTTPRoute) []string {
		ref, parent := route.Spec.ParentRefs[0], topology.StatusOf(route).Parents[0]
		condition := parent.Conditions[0]
		return []string{
			route.Namespace, string(*ref.Group), string(*ref.Kind), string(*ref.Namespace), string(ref.Name), string(*parent.ParentRef.Group),
			string(parent.ControllerName), condition.Type, condition.Reason, condition.Message,
		}
	}
	first, second := said(kept[0]), said(kept[1])
	for i := range first {
		if unsafe.StringData(first[i]) != unsafe.StringData(second[i]) {
			t.Errorf("%q is there twice", first[i])
		}
	}
}

// What tenants write does not make what is remembered grow without a bound.
func TestCompactIsBounded(t *testing.T) {
	c := &compact{words: map[string]string{}}
	for i := range 2 * maxWords {
		c.word(fmt.Sprint(i))
		if len(c.words) > maxWords {
			t.Fatalf("%d words are remembered, want %d at most", len(c.words), maxWords)
		}
	}
	// The names of those who went do not keep those who came from sharing theirs.
	first, second := c.word(strings.Clone("tenant")), c.word(strings.Clone("tenant"))
	if unsafe.StringData(first) != unsafe.StringData(second) {
		t.Error("after many words, none is shared any more")
	}
	c.words = map[string]string{}
	long := strings.Repeat("x", maxWordBytes+1)
	if got := c.word(long); got != long || len(c.words) != 0 {
		t.Errorf("a message of %d bytes is remembered", len(long))
	}
}
