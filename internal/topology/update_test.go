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

package topology_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// square is a Gateway with listeners of its own and of ListenerSets, for routes that come and go.
const square = `
kind: GatewayClass
metadata: {name: rauta}
spec: {controllerName: rauta.dev/gateway-controller}
---
kind: Gateway
metadata: {namespace: shop, name: web}
spec:
  gatewayClassName: rauta
  allowedListeners: {namespaces: {from: Same}}
  listeners:
  - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
  - {name: wild, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: blue}}}}}
  - {name: lost, port: 81, protocol: HTTPS, tls: {certificateRefs: [{name: gone}]}}
---
kind: ListenerSet
metadata: {namespace: shop, name: extra}
spec: {parentRef: {name: web}, listeners: [{name: one, port: 82, protocol: HTTP}, {name: two, port: 83, protocol: HTTP, hostname: a.example.com}]}
---
kind: ListenerSet
metadata: {namespace: bank, name: refused}
spec: {parentRef: {name: web, namespace: shop}, listeners: [{name: one, port: 84, protocol: HTTP}]}
---
kind: Namespace
metadata: {name: blue, labels: {team: blue}}
---
kind: Service
metadata: {namespace: shop, name: a}
spec: {ports: [{name: http, port: 80}]}
---
kind: Service
metadata: {namespace: shop, name: b}
spec: {ports: [{name: http, port: 80}, {name: more, port: 81, appProtocol: kubernetes.io/h2c}]}
---
kind: Service
metadata: {namespace: blue, name: a}
spec: {ports: [{name: http, port: 80}]}
`

// randomRoute is one of a few whose names, hosts and paths often meet.
func randomRoute(random *rand.Rand) *gatewayv1.HTTPRoute {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	route := &gatewayv1.HTTPRoute{}
	route.Namespace, route.Name = pick("shop", "shop", "blue", "bank"), fmt.Sprint("route-", random.IntN(12))
	route.CreationTimestamp.Time = time.Unix(int64(random.IntN(3)), 0)
	group, set := gatewayv1.Group(gatewayv1.GroupName), gatewayv1.Kind("ListenerSet")
	shop, bank := gatewayv1.Namespace("shop"), gatewayv1.Namespace("bank")
	wild, one := gatewayv1.SectionName("wild"), gatewayv1.SectionName("one")
	parents := []gatewayv1.ParentReference{
		{Name: "web", Namespace: &shop},
		{Name: "web", Namespace: &shop, SectionName: &wild},
		{Name: "extra", Namespace: &shop, Group: &group, Kind: &set},
		{Name: "extra", Namespace: &shop, Group: &group, Kind: &set, SectionName: &one},
		{Name: "refused", Namespace: &bank, Group: &group, Kind: &set},
		{Name: "other", Namespace: &shop},
	}
	random.Shuffle(len(parents), func(i, j int) { parents[i], parents[j] = parents[j], parents[i] })
	route.Spec.ParentRefs = parents[:1+random.IntN(2)]
	for range random.IntN(3) {
		route.Spec.Hostnames = append(route.Spec.Hostnames, gatewayv1.Hostname(pick("a.example.com", "*.example.com", "b.test")))
	}
	for range 1 + random.IntN(2) {
		path, prefix, port := fmt.Sprint("/", random.IntN(30)), gatewayv1.PathMatchPathPrefix, gatewayv1.PortNumber(80+random.IntN(3))
		route.Spec.Rules = append(route.Spec.Rules, gatewayv1.HTTPRouteRule{
			Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: &prefix, Value: &path}}},
			BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{BackendObjectReference: gatewayv1.BackendObjectReference{
				Name: gatewayv1.ObjectName(pick("a", "b", "gone")), Port: &port,
			}}}},
		})
	}
	return route
}

// TestUpdateGivesWhatBuildGives changes routes at random. What was updated again and again has to be what is built at once.
func TestUpdateGivesWhatBuildGives(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	world := topologytest.Parse(t, square)
	routes := map[topology.RouteID]*gatewayv1.HTTPRoute{}
	input := func() topology.Input {
		in := world.Input
		in.HTTPRoutes = nil
		for _, route := range routes {
			in.HTTPRoutes = append(in.HTTPRoutes, route)
		}
		return in
	}
	updated, updates := topology.Build(input()), 0
	for range 3000 {
		backends, counts := updated.Backends(), attachedCounts(updated)
		var changed []topology.RouteObject
		var gone []topology.RouteID
		for range 1 + random.IntN(2) {
			route := randomRoute(random)
			id := topology.IDOf(route)
			if slices.Contains(gone, id) || slices.ContainsFunc(changed, func(o topology.RouteObject) bool { return topology.IDOf(o) == id }) {
				continue
			}
			if random.IntN(3) == 0 {
				delete(routes, id)
				gone = append(gone, id)
				continue
			}
			routes[id] = route
			changed = append(changed, route)
		}
		built := topology.Build(input())
		difference, ok := updated.Update(changed, gone)
		if !ok {
			updated = built
			continue
		}
		updates++
		sameTopology(t, built, updated)
		added, dropped := listDifference(backends, built.Backends())
		if diff := cmp.Diff([][]topology.BackendRef{added, dropped}, [][]topology.BackendRef{difference.Added, difference.Dropped}); diff != "" {
			t.Errorf("what is sent to now, and what is not any more (-want +got):\n%s", diff)
		}
		counted := map[types.NamespacedName]bool{}
		for key, count := range attachedCounts(built) {
			if counts[key] != count {
				counted[key.Set] = true
			}
		}
		if diff := cmp.Diff(counted, difference.Counted); diff != "" {
			t.Errorf("whose listeners have another number of routes (-want +got):\n%s", diff)
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	if updates < 100 {
		t.Errorf("only %d changes were updates: this shows nothing", updates)
	}
}

func attachedCounts(t *topology.Topology) map[topology.ListenerKey]int32 {
	counts := map[topology.ListenerKey]int32{}
	for i := range t.Listeners {
		counts[t.Listeners[i].ListenerKey] = t.Listeners[i].AttachedRoutes
	}
	return counts
}

func sameTopology(t *testing.T, want, got *topology.Topology) {
	t.Helper()
	if len(want.Routes)+len(got.Routes) > 0 && !reflect.DeepEqual(want.Routes, got.Routes) {
		t.Errorf("routes differ (-built +updated):\n%s", cmp.Diff(routeLines(want), routeLines(got)))
	}
	if !reflect.DeepEqual(want.Listeners, got.Listeners) || !reflect.DeepEqual(want.Own, got.Own) || !reflect.DeepEqual(want.ListenerSets, got.ListenerSets) {
		t.Errorf("listeners differ (-built +updated):\n%s", cmp.Diff(listenerLines(want), listenerLines(got)))
	}
	if diff := cmp.Diff(want.Backends(), got.Backends()); diff != "" {
		t.Errorf("backends differ (-built +updated):\n%s", diff)
	}
}

func listDifference(before, after []topology.BackendRef) (added, dropped []topology.BackendRef) {
	for _, ref := range after {
		if !slices.Contains(before, ref) {
			added = append(added, ref)
		}
	}
	for _, ref := range before {
		if !slices.Contains(after, ref) {
			dropped = append(dropped, ref)
		}
	}
	return added, dropped
}

// TestUpdateLeavesToBuild holds what a change of routes may decide about others.
func TestUpdateLeavesToBuild(t *testing.T) {
	const route = `
kind: HTTPRoute
metadata: {namespace: shop, name: %s}
spec: {parentRefs: [{name: web}], hostnames: [%s], rules: [{matches: [{path: {value: %s}}], backendRefs: [{name: a, port: 80}]}]}
`
	one := fmt.Sprintf(route, "one", "b.test", "/one")
	policy := `
kind: BackendTLSPolicy
metadata: {namespace: shop, name: p}
spec: {targetRefs: [{group: "", kind: Service, name: a}], validation: {hostname: a, wellKnownCACertificates: System}}
`
	calls := `
kind: GRPCRoute
metadata: {namespace: shop, name: calls}
spec: {parentRefs: [{name: web}], hostnames: [%s], rules: [{backendRefs: [{name: a, port: 80}]}]}
`
	for name, c := range map[string]struct {
		reason  string
		before  []string
		changed string
		updates bool
	}{
		"Another":        {"routes that have nothing in common do not meet", []string{one}, fmt.Sprintf(route, "two", "b.test", "/two"), true},
		"Itself":         {"a route does not take its own place from itself", []string{one}, one, true},
		"First":          {"a Gateway without routes gets one", nil, one, true},
		"Shadowed":       {"the requests of one may become the other's", []string{one}, fmt.Sprintf(route, "two", "b.test", "/one"), false},
		"WasShadowed":    {"the requests of the one that goes become the other's", []string{one, fmt.Sprintf(route, "two", "b.test", "/one")}, fmt.Sprintf(route, "one", "b.test", "/moved"), false},
		"Policies":       {"whether a policy concerns the Gateway depends on what routes use", []string{one, policy}, fmt.Sprintf(route, "two", "b.test", "/two"), false},
		"SecondKind":     {"a hostname belongs to routes of one kind", []string{one}, fmt.Sprintf(calls, "c.test"), false},
		"KindsTogether":  {"and goes to the other kind when they go", []string{one, fmt.Sprintf(calls, "b.test")}, fmt.Sprintf(route, "one", "d.test", "/one"), false},
		"TwiceTheSame":   {"two rules of one route contend too", []string{one}, fmt.Sprintf(twice, "two"), false},
		"FromAnotherSet": {"the same place on another listener is another", []string{one}, fmt.Sprintf(inSet, "two"), true},
	} {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, append([]string{square}, c.before...)...)
			built := topology.Build(world.Input)
			change := topologytest.Parse(t, square, c.changed)
			if _, ok := built.Update(change.Routes(), nil); ok != c.updates {
				t.Errorf("%s: updated is %t", c.reason, ok)
			}
		})
	}
}

const twice = `
kind: HTTPRoute
metadata: {namespace: shop, name: %s}
spec: {parentRefs: [{name: web}], rules: [{matches: [{path: {value: /x}}]}, {matches: [{path: {value: /x}}]}]}
`

const inSet = `
kind: HTTPRoute
metadata: {namespace: shop, name: %s}
spec: {parentRefs: [{name: extra, kind: ListenerSet}], hostnames: [b.test], rules: [{matches: [{path: {value: /one}}]}]}
`

// BenchmarkUpdate is one changed route among many; its cost must not depend on their number.
func BenchmarkUpdate(b *testing.B) {
	for _, routes := range []int{100, 5000} {
		b.Run(fmt.Sprint(routes), func(b *testing.B) {
			world := topologytest.Parse(b, square)
			port := gatewayv1.PortNumber(80)
			for i := range routes {
				path := fmt.Sprint("/", i)
				route := &gatewayv1.HTTPRoute{}
				route.Namespace, route.Name = "shop", fmt.Sprintf("route-%05d", i)
				route.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "web"}}
				route.Spec.Rules = []gatewayv1.HTTPRouteRule{{
					Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Value: &path}}},
					BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{
						BackendObjectReference: gatewayv1.BackendObjectReference{Name: "a", Port: &port},
					}}},
				}}
				world.HTTPRoutes = append(world.HTTPRoutes, route)
			}
			world.Services[types.NamespacedName{Namespace: "shop", Name: "a"}] = &corev1.Service{Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
			built := topology.Build(world.Input)
			changed := []topology.RouteObject{world.HTTPRoutes[routes/2]}
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := built.Update(changed, nil); !ok {
					b.Fatal("not updated")
				}
			}
		})
	}
}
