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
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/internal/translate"
)

// TestChangesLeadToTheTable changes routes and Services at random: what the changes make of the table before has to be the table that
// is made at once.
func TestChangesLeadToTheTable(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	chain, key := topologytest.KeyPair(t, "a.end.test")
	world := topologytest.Parse(t, strings.Replace(streamGateway, "listeners:", "listeners:\n  - {name: http, port: 80, protocol: HTTP}", 1), cart, cartSlice, dns,
		topologytest.Secret("shop", "tls", chain, key))
	two := world.Services[types.NamespacedName{Namespace: "shop", Name: "cart"}].DeepCopy()
	two.Name = "two"
	world.Services[types.NamespacedName{Namespace: "shop", Name: "two"}] = two
	routes := map[topology.RouteID]topology.RouteObject{}
	built := topology.Build(world.Input)
	memo := &translate.Memo{}
	table := map[string]string{}
	asked := parametersOf(t, "{backends: {balancing: LeastRequest, maxConnections: 7}, proxyProtocol: {send: [{name: cart}, {name: two}]}}")
	note(t, table)(memo.Resources(built, world.Slices, asked))
	for step := range 1000 {
		var change topology.Change
		switch random.IntN(5) {
		case 0:
			for id := range routes {
				delete(routes, id)
				change.Gone = append(change.Gone, id)
				break
			}
		case 1:
			// All that the routes name may be another, and they are decided again.
			change.Services = []types.NamespacedName{changeService(random, world)}
			for _, route := range routes {
				change.Routes = append(change.Routes, route)
			}
		default:
			route := changingRoute(random)
			route.SetUID(types.UID(route.GetName()))
			route.SetGeneration(int64(step + 1))
			routes[topology.IDOf(route)], change.Routes = route, append(change.Routes, route)
		}
		difference, ok := built.Update(change)
		if !ok {
			t.Fatalf("%v: routes that have nothing in common are updated", change)
		}
		upserts, removals, err := memo.Changes(built, difference, world.Slices, asked)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range removals {
			delete(table, name)
		}
		note(t, table)(upserts, nil)
		in := world.Input
		for _, route := range routes {
			in.AddRoute(route)
		}
		want := map[string]string{}
		note(t, want)(translate.Resources(topology.Build(in), world.Slices, asked))
		if diff := cmp.Diff(want, table); diff != "" {
			t.Fatalf("step %d (-at once +by changes):\n%s", step, diff)
		}
	}
}

// changeService has a Service come or go, or gives it other ports.
func changeService(random *rand.Rand, world *topologytest.World) types.NamespacedName {
	key := types.NamespacedName{Namespace: "shop", Name: []string{"cart", "two", "dns"}[random.IntN(3)]}
	if random.IntN(4) == 0 {
		delete(world.Services, key)
		return key
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}}
	service.Spec.Ports = []corev1.ServicePort{
		{Name: []string{"web", "metrics"}[random.IntN(2)], Port: 80}, {Name: "dns-tcp", Port: 53}, {Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP},
	}
	world.Services[key] = service
	return key
}

// note gives a function that adds resources to a table.
func note(t *testing.T, table map[string]string) func([]*adminv1.Resource, error) {
	return func(resources []*adminv1.Resource, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		for _, resource := range resources {
			table[resource.GetName()] = resource.GetHash()
		}
	}
}

func changingRoute(random *rand.Rand) topology.RouteObject {
	number := random.IntN(6)
	meta := metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprint("route-", number)}
	parents := gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: gatewayv1.ObjectName([]string{"web", "web", "other"}[random.IntN(3)])}}}
	path, port := fmt.Sprint("/", number), gatewayv1.PortNumber([]int{80, 53, 81}[random.IntN(3)])
	backend := gatewayv1.BackendRef{BackendObjectReference: gatewayv1.BackendObjectReference{
		Name: gatewayv1.ObjectName([]string{"cart", "two", "dns", "gone"}[random.IntN(4)]), Port: &port,
	}}
	switch random.IntN(5) {
	case 0:
		return &gatewayv1.TCPRoute{ObjectMeta: meta, Spec: gatewayv1.TCPRouteSpec{CommonRouteSpec: parents, Rules: []gatewayv1.TCPRouteRule{{BackendRefs: []gatewayv1.BackendRef{backend}}}}}
	case 1:
		return &gatewayv1.UDPRoute{ObjectMeta: meta, Spec: gatewayv1.UDPRouteSpec{CommonRouteSpec: parents, Rules: []gatewayv1.UDPRouteRule{{BackendRefs: []gatewayv1.BackendRef{backend}}}}}
	case 2:
		// On a listener that ends TLS, one that passes it through, or both.
		hostnames := []gatewayv1.Hostname{gatewayv1.Hostname(fmt.Sprintf("h%d.end.test", number)), gatewayv1.Hostname(fmt.Sprintf("h%d.pass.test", number))}
		from := random.IntN(2)
		return &gatewayv1.TLSRoute{ObjectMeta: meta, Spec: gatewayv1.TLSRouteSpec{
			CommonRouteSpec: parents, Hostnames: hostnames[from : from+1+random.IntN(2-from)], Rules: []gatewayv1.TLSRouteRule{{BackendRefs: []gatewayv1.BackendRef{backend}}},
		}}
	}
	return &gatewayv1.HTTPRoute{ObjectMeta: meta, Spec: gatewayv1.HTTPRouteSpec{CommonRouteSpec: parents, Rules: []gatewayv1.HTTPRouteRule{{
		Matches:     []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Value: &path}}},
		BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: backend}},
	}}}}
}
