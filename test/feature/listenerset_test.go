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

package feature

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// The listeners of a ListenerSet serve what is attached to them alone, although they share port and name with the Gateway's.
func TestListenerSetsAreServed(t *testing.T) {
	h := newHouse(t, listener("http", 80, "own.test"))
	h.input.Gateway.Spec.AllowedListeners = &gatewayv1.AllowedListeners{
		Namespaces: &gatewayv1.ListenerNamespaces{From: new(gatewayv1.NamespacesFromSame)},
	}
	h.input.ListenerSets = []*gatewayv1.ListenerSet{{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "extra"},
		Spec: gatewayv1.ListenerSetSpec{
			ParentRef: gatewayv1.ParentGatewayReference{Name: gatewayName},
			Listeners: []gatewayv1.ListenerEntry{
				gatewayv1.ListenerEntry(listener("http", 80, "extra.test")), gatewayv1.ListenerEntry(listener("stolen", 80, "own.test")),
			},
		},
	}}
	h.service(namespace, "gateway", backend(t, "gateway"))
	h.service(namespace, "set", backend(t, "set"))
	own, ofSet := route("own", nil, rule(prefix("/"), to("gateway", 1))), route("extra", nil, rule(prefix("/"), to("set", 1)))
	ofSet.Spec.ParentRefs = []gatewayv1.ParentReference{{Kind: new(gatewayv1.Kind("ListenerSet")), Name: "extra"}}
	h.attach(own, ofSet)

	check := func(when string, want map[string]string) {
		t.Helper()
		h.settle()
		for host, backend := range want {
			got := h.get(80, host, "/")
			if got.status != map[bool]int{true: 200, false: 404}[backend != ""] || backend != "" && got.body != backend {
				t.Errorf("%s: %s is answered %d %q, want it from %q", when, host, got.status, got.body, backend)
			}
		}
	}
	check("attached", map[string]string{"own.test": "gateway", "extra.test": "set", "other.test": ""})
	h.input.Gateway.Spec.AllowedListeners = nil
	check("not allowed any more", map[string]string{"own.test": "gateway", "extra.test": ""})
}
