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

package translate_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"k8s.io/apimachinery/pkg/types"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/internal/translate"
)

func TestEndpoints(t *testing.T) {
	slice := func(body string) string {
		return "kind: EndpointSlice\nmetadata: {namespace: shop, name: s, labels: {kubernetes.io/service-name: cart}}\n" + body
	}
	cases := map[string]struct {
		reason string
		slices []string
		want   string // endpoints, as YAML
	}{
		"none": {reason: "a Service without endpoints has an empty list, which answers 503", want: `[]`},
		"conditions": {
			reason: "ready ones take requests, unknown means ready, terminating ones that still serve drain, the others are left out",
			slices: []string{slice(`
addressType: IPv4
ports: [{name: web, port: 8080}]
endpoints:
- {addresses: [10.0.0.1], conditions: {ready: true, serving: true, terminating: false}}
- {addresses: [10.0.0.2], conditions: {}}
- {addresses: [10.0.0.3], conditions: {ready: false, serving: true, terminating: true}}
- {addresses: [10.0.0.4], conditions: {ready: false, serving: false, terminating: true}}
- {addresses: [10.0.0.5], conditions: {ready: false}}
- {addresses: [10.0.0.6], conditions: {ready: false, serving: true}}
- {addresses: []}
`)},
			want: `[{address: 10.0.0.1, port: 8080, state: ENDPOINT_STATE_READY}, {address: 10.0.0.2, port: 8080, state: ENDPOINT_STATE_READY}, {address: 10.0.0.3, port: 8080, state: ENDPOINT_STATE_DRAINING}]`,
		},
		"ports": {
			reason: "the port is found by name and protocol, with the slice's own number; slices without it have nothing to give",
			slices: []string{
				slice("addressType: IPv4\nports: [{name: metrics, port: 9090}, {name: web, port: 53, protocol: UDP}, {name: web, port: 8080, protocol: TCP}]\nendpoints: [{addresses: [10.0.0.1]}]"),
				slice("addressType: IPv4\nports: [{name: web, port: 8081}]\nendpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}]"),
				slice("addressType: IPv4\nports: [{name: metrics, port: 9090}]\nendpoints: [{addresses: [10.0.0.3]}]"),
				slice("addressType: IPv4\nports: [{name: web}]\nendpoints: [{addresses: [10.0.0.4]}]"),
				slice("addressType: IPv4\nports: [{port: 8080}]\nendpoints: [{addresses: [10.0.0.5]}]"),
			},
			want: `[{address: 10.0.0.1, port: 8080, state: ENDPOINT_STATE_READY}, {address: 10.0.0.1, port: 8081, state: ENDPOINT_STATE_READY}, {address: 10.0.0.2, port: 8081, state: ENDPOINT_STATE_READY}]`,
		},
		"duplicates": {
			reason: "one address in two slices is one endpoint, ready if it is so in either",
			slices: []string{
				slice("addressType: IPv4\nports: [{name: web, port: 8080}]\nendpoints: [{addresses: [10.0.0.1], conditions: {ready: false, serving: true, terminating: true}}, {addresses: [10.0.0.2]}]"),
				slice("addressType: IPv4\nports: [{name: web, port: 8080}]\nendpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2], conditions: {ready: false, serving: true, terminating: true}}]"),
			},
			want: `[{address: 10.0.0.1, port: 8080, state: ENDPOINT_STATE_READY}, {address: 10.0.0.2, port: 8080, state: ENDPOINT_STATE_READY}]`,
		},
		"families": {
			reason: "both families count, an address is written in one way, and names are not addresses",
			slices: []string{
				slice("addressType: IPv6\nports: [{name: web, port: 8080}]\nendpoints: [{addresses: [\"2001:DB8:0::1\"]}, {addresses: [\"2001:db8::1\"]}, {addresses: [\"::ffff:10.0.0.1\"]}]"),
				slice("addressType: IPv4\nports: [{name: web, port: 8080}]\nendpoints: [{addresses: [10.0.0.1]}]"),
				slice("addressType: FQDN\nports: [{name: web, port: 8080}]\nendpoints: [{addresses: [a.test]}]"),
			},
			want: `[{address: 10.0.0.1, port: 8080, state: ENDPOINT_STATE_READY}, {address: "2001:db8::1", port: 8080, state: ENDPOINT_STATE_READY}]`,
		},
	}
	key := types.NamespacedName{Namespace: "shop", Name: "cart"}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, append([]string{gateway, cart}, c.slices...)...)
			got := translate.EndpointsOf(world.Services[key], 80, corev1.ProtocolTCP, world.Slices[key])
			want := table(t, "resources: [{name: endpoints/service/shop/cart/80, endpoints: {endpoints: "+c.want+"}}]")[0]
			if diff := cmp.Diff(want, got, protocmp.Transform(), protocmp.IgnoreFields(&adminv1.Resource{}, "hash")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestShortWayIsTheLongWay(t *testing.T) {
	world := topologytest.Parse(t, gateway, cart, cartSlice, "kind: HTTPRoute\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: cart, port: 80}]}]}")
	key := types.NamespacedName{Namespace: "shop", Name: "cart"}
	long, err := translate.Resources(topology.Build(world.Input), world.Slices)
	if err != nil {
		t.Fatal(err)
	}
	short := translate.EndpointsOf(world.Services[key], 80, corev1.ProtocolTCP, world.Slices[key])
	for _, resource := range long {
		if resource.GetName() != short.GetName() {
			continue
		}
		if diff := cmp.Diff(resource, short, protocmp.Transform()); diff != "" {
			t.Errorf("both ways must give the same resource with the same hash, or every endpoint change is pushed twice (-long +short):\n%s", diff)
		}
		return
	}
	t.Errorf("no resource %s in the table", short.GetName())
}

func TestEndpointsOfAPortThatIsGone(t *testing.T) {
	world := topologytest.Parse(t, gateway, cart, cartSlice)
	key := types.NamespacedName{Namespace: "shop", Name: "cart"}
	got := translate.EndpointsOf(world.Services[key], 81, corev1.ProtocolTCP, world.Slices[key])
	if got.GetName() != "endpoints/service/shop/cart/81" || len(got.GetEndpoints().GetEndpoints()) != 0 || got.GetHash() == "" {
		t.Errorf("a port that the Service does not have has no endpoints; got %v", got)
	}
}
