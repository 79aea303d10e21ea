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
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/translate"
)

func TestWeightsAreExact(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	h.service(namespace, "blue", backend(t, "blue"))
	h.service(namespace, "green", backend(t, "green"))
	h.service(namespace, "none", backend(t, "none"))
	h.attach(route("split", nil, rule(prefix("/"), to("blue", 9), to("green", 1), to("none", 0))))
	h.settle()
	if diff := cmp.Diff(map[string]int{"200 blue": 90, "200 green": 10}, h.tally(100)); diff != "" {
		t.Errorf("100 requests at weights 9, 1 and 0 (-want +got):\n%s", diff)
	}
}

// "When a HTTPBackendRef refers to a Service that has no ready endpoints" 503, and where a backendRef is invalid, "500
// ... for requests that would have otherwise been routed to an invalid backend" (HTTPRouteRule.backendRefs).
func TestSharesOfBackendsThatCannotBeUsed(t *testing.T) {
	cases := map[string]struct {
		reason string
		other  gatewayv1.HTTPBackendRef
		want   map[string]int
	}{
		"Missing":     {reason: "a Service that does not exist is invalid", other: to("absent", 1), want: map[string]int{"200 good": 10, "500": 10}},
		"NoEndpoints": {reason: "a Service without endpoints is valid and away", other: to("empty", 1), want: map[string]int{"200 good": 10, "503": 10}},
		"NotPermitted": {
			reason: "a Service of another namespace needs a grant",
			other:  inNamespace(to("private", 1), "vault"), want: map[string]int{"200 good": 10, "500": 10},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, listener("http", 80, ""))
			h.service(namespace, "good", backend(t, "good"))
			h.service(namespace, "empty")
			h.service("vault", "private", backend(t, "private"))
			h.attach(route("split", nil, rule(prefix("/"), to("good", 1), tc.other)))
			h.settle()
			if diff := cmp.Diff(tc.want, h.tally(20)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

func TestGrantOpensAndCloses(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	h.service("vault", "private", backend(t, "private"))
	h.attach(route("cross", nil, rule(prefix("/"), inNamespace(to("private", 1), "vault"))))
	grant := &gatewayv1.ReferenceGrant{}
	grant.Namespace, grant.Name = "vault", "let-shop-in"
	grant.Spec.From = []gatewayv1.ReferenceGrantFrom{{Group: gatewayv1.GroupName, Kind: "HTTPRoute", Namespace: namespace}}
	grant.Spec.To = []gatewayv1.ReferenceGrantTo{{Kind: "Service"}}

	h.input.Grants = []*gatewayv1.ReferenceGrant{grant}
	h.settle()
	if got := h.get(80, "a.test", "/"); got != (answer{200, "private"}) {
		t.Errorf("with the grant: got %v", got)
	}
	h.input.Grants = nil
	h.settle()
	if got := h.get(80, "a.test", "/"); got.status != http.StatusInternalServerError {
		t.Errorf("a revoked grant must stop the traffic: got %v", got)
	}
}

func TestEndpointsDrain(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	old, young := backend(t, "old"), backend(t, "young")
	h.service(namespace, "a", old)
	h.attach(route("a", nil, rule(prefix("/"), to("a", 1))))
	h.settle()

	terminating := discoveryv1.EndpointConditions{Ready: new(false), Serving: new(true), Terminating: new(true)}
	h.endpoints("a", sliceOf(t, "a-0", old, terminating), sliceOf(t, "a-1", young, discoveryv1.EndpointConditions{Ready: new(true)}))
	if diff := cmp.Diff(map[string]int{"200 young": 10}, h.tally(10)); diff != "" {
		t.Errorf("a terminating endpoint gets nothing new while another is ready (-want +got):\n%s", diff)
	}
	h.endpoints("a", sliceOf(t, "a-0", old, terminating))
	if diff := cmp.Diff(map[string]int{"200 old": 10}, h.tally(10)); diff != "" {
		t.Errorf("the last endpoint serves although it is terminating (-want +got):\n%s", diff)
	}
}

// TestChangesUnderLoad swaps tables, endpoints and listeners while requests run: not one may fail.
func TestChangesUnderLoad(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	first, second := backend(t, "same"), backend(t, "same")
	h.service(namespace, "a", first)
	h.attach(route("a", nil, rule(prefix("/"), to("a", 1))))
	h.settle()

	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	counts := make([]int, 4)
	for i := range counts {
		clients.Go(func() {
			for ctx.Err() == nil {
				got, err := h.try(t.Context(), 80, "a.test", "/")
				if err != nil || got != (answer{200, "same"}) {
					t.Errorf("a request failed while the table changed: %v %v", got, err)
					return
				}
				counts[i]++
			}
		})
	}
	ready := discoveryv1.EndpointConditions{Ready: new(true)}
	for round := range 30 {
		h.attach(route("extra-"+strconv.Itoa(round), []gatewayv1.Hostname{"b.test"}, rule(prefix("/"+strconv.Itoa(round)), to("a", 1))))
		h.input.Gateway.Spec.Listeners = append(h.input.Gateway.Spec.Listeners[:1:1], listener("more", int32(9000+round), ""))
		h.settle()
		h.endpoints("a", sliceOf(t, "a-0", first, ready), sliceOf(t, "a-1", second, ready))
		h.endpoints("a", sliceOf(t, "a-1", second, ready))
		h.endpoints("a", sliceOf(t, "a-0", first, ready))
	}
	stop()
	clients.Wait()
	for i, count := range counts {
		if count == 0 {
			t.Errorf("client %d was not served once", i)
		}
	}
}

// endpoints takes the short way, as the operator does for an EndpointSlice.
func (h *house) endpoints(service string, slices ...*discoveryv1.EndpointSlice) {
	h.t.Helper()
	name := types.NamespacedName{Namespace: namespace, Name: service}
	h.slices[name] = slices
	h.pusher.SetEndpoints(push.Key{Namespace: namespace, Name: gatewayName}, translate.EndpointsOf(h.input.Services[name], 80, corev1.ProtocolTCP, slices))
	h.acknowledged()
}

// tally counts the answers to a number of requests, by status and, for a 200, the body.
func (h *house) tally(requests int) map[string]int {
	h.t.Helper()
	counts := map[string]int{}
	for range requests {
		got := h.get(80, "a.test", "/")
		name := strconv.Itoa(got.status)
		if got.status == http.StatusOK {
			name += " " + got.body
		}
		counts[name]++
	}
	return counts
}

func inNamespace(ref gatewayv1.HTTPBackendRef, namespace string) gatewayv1.HTTPBackendRef {
	ref.Namespace = new(gatewayv1.Namespace(namespace))
	return ref
}
