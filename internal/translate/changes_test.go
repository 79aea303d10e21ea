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
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/internal/translate"
)

// TestChangesLeadToTheTable changes routes at random: what the changes make of the table before has to be the table that is made
// at once.
func TestChangesLeadToTheTable(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	world := topologytest.Parse(t, gateway, cart, cartSlice)
	two := world.Services[types.NamespacedName{Namespace: "shop", Name: "cart"}].DeepCopy()
	two.Name = "two"
	world.Services[types.NamespacedName{Namespace: "shop", Name: "two"}] = two
	routes := map[topology.RouteID]*gatewayv1.HTTPRoute{}
	built := topology.Build(world.Input)
	memo := &translate.Memo{}
	table := map[string]string{}
	asked := parametersOf(t, "{backends: {balancing: LeastRequest, maxConnections: 7}, proxyProtocol: {send: [{name: cart}, {name: two}]}}")
	note(t, table)(memo.Resources(built, world.Slices, asked))
	for step := range 500 {
		route := changingRoute(random)
		id := topology.IDOf(route)
		var changed []topology.RouteObject
		var gone []topology.RouteID
		if random.IntN(3) == 0 {
			delete(routes, id)
			gone = append(gone, id)
		} else {
			route.UID, route.Generation = types.UID(route.Name), int64(step+1)
			routes[id], changed = route, append(changed, route)
		}
		difference, ok := built.Update(changed, gone)
		if !ok {
			t.Fatalf("%v: routes that have nothing in common are updated", id)
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
			in.HTTPRoutes = append(in.HTTPRoutes, route)
		}
		want := map[string]string{}
		note(t, want)(translate.Resources(topology.Build(in), world.Slices, asked))
		if diff := cmp.Diff(want, table); diff != "" {
			t.Fatalf("step %d (-at once +by changes):\n%s", step, diff)
		}
	}
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

func changingRoute(random *rand.Rand) *gatewayv1.HTTPRoute {
	route := &gatewayv1.HTTPRoute{}
	number := random.IntN(6)
	route.Namespace, route.Name = "shop", fmt.Sprint("route-", number)
	route.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: gatewayv1.ObjectName([]string{"web", "web", "other"}[random.IntN(3)])}}
	path, port := fmt.Sprint("/", number), gatewayv1.PortNumber(80+random.IntN(2))
	name := gatewayv1.ObjectName([]string{"cart", "two", "gone"}[random.IntN(3)])
	route.Spec.Rules = []gatewayv1.HTTPRouteRule{{
		Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Value: &path}}},
		BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{
			BackendObjectReference: gatewayv1.BackendObjectReference{Name: name, Port: &port},
		}}},
	}}
	return route
}
