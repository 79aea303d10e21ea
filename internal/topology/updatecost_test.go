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
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// many is a world with that many routes to one Service.
func many(b *testing.B, routes int, more ...string) *topologytest.World {
	b.Helper()
	world := topologytest.Parse(b, append([]string{square}, more...)...)
	for i := range routes {
		world.HTTPRoutes = append(world.HTTPRoutes, oneOf(i, fmt.Sprint("/", i), "a"))
	}
	return world
}

func oneOf(number int, path, service string) *gatewayv1.HTTPRoute {
	route, port := &gatewayv1.HTTPRoute{}, gatewayv1.PortNumber(80)
	route.Namespace, route.Name = "shop", fmt.Sprintf("route-%05d", number)
	route.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "web"}}
	route.Spec.Hostnames = []gatewayv1.Hostname{"b.test"}
	route.Spec.Rules = []gatewayv1.HTTPRouteRule{{
		Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Value: &path}}},
		BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: gatewayv1.BackendRef{
			BackendObjectReference: gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(service), Port: &port},
		}}},
	}}
	return route
}

// BenchmarkUpdate is one change among many routes, beside deciding everything again.
func BenchmarkUpdate(b *testing.B) {
	const calls = `
kind: GRPCRoute
metadata: {namespace: shop, name: calls}
spec: {parentRefs: [{name: web}], hostnames: [calls.test], rules: [{backendRefs: [{name: a, port: 80}]}]}
`
	// Each gives what is changed, forth and back.
	for name, changes := range map[string]func(b *testing.B, routes int) (*topologytest.World, [2]topology.Change){
		"Route": func(b *testing.B, routes int) (*topologytest.World, [2]topology.Change) {
			world := many(b, routes)
			change := topology.Change{Routes: []topology.RouteObject{world.HTTPRoutes[routes/2]}}
			return world, [2]topology.Change{change, change}
		},
		"TwoKinds": func(b *testing.B, routes int) (*topologytest.World, [2]topology.Change) {
			world := many(b, routes, calls)
			change := topology.Change{Routes: []topology.RouteObject{world.HTTPRoutes[routes/2]}}
			return world, [2]topology.Change{change, change}
		},
		"OtherKind": func(b *testing.B, routes int) (*topologytest.World, [2]topology.Change) {
			world := many(b, routes, calls)
			change := topology.Change{Routes: []topology.RouteObject{world.GRPCRoutes[0]}}
			return world, [2]topology.Change{change, change}
		},
		"Policies": func(b *testing.B, routes int) (*topologytest.World, [2]topology.Change) {
			world := many(b, routes, policed)
			return world, forthAndBack(oneOf(routes, "/new", "a"))
		},
		"Service": func(b *testing.B, routes int) (*topologytest.World, [2]topology.Change) {
			world := many(b, routes)
			key := types.NamespacedName{Namespace: "shop", Name: "new"}
			world.Services[key] = &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "new"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}}}
			changes := forthAndBack(oneOf(routes, "/new", "new"))
			changes[0].Services = []types.NamespacedName{key}
			return world, changes
		},
		"FirstShadow": func(b *testing.B, routes int) (*topologytest.World, [2]topology.Change) {
			return many(b, routes), forthAndBack(oneOf(routes, "/7", "a"))
		},
		"Shadow": func(b *testing.B, routes int) (*topologytest.World, [2]topology.Change) {
			world := many(b, routes)
			world.HTTPRoutes = append(world.HTTPRoutes, oneOf(routes+1, "/7", "a"))
			return world, forthAndBack(oneOf(routes, "/7", "a"))
		},
		"Stream": func(b *testing.B, routes int) (*topologytest.World, [2]topology.Change) {
			world := many(b, 0)
			for i := range routes {
				route, port := &gatewayv1.TLSRoute{}, gatewayv1.PortNumber(80)
				route.Namespace, route.Name = "shop", fmt.Sprintf("route-%05d", i)
				route.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "web"}}
				route.Spec.Hostnames = []gatewayv1.Hostname{gatewayv1.Hostname(fmt.Sprintf("h%d.example.com", i))}
				route.Spec.Rules = []gatewayv1.TLSRouteRule{{BackendRefs: []gatewayv1.BackendRef{{
					BackendObjectReference: gatewayv1.BackendObjectReference{Name: "a", Port: &port},
				}}}}
				world.TLSRoutes = append(world.TLSRoutes, route)
			}
			change := topology.Change{Routes: []topology.RouteObject{world.TLSRoutes[routes/2]}}
			return world, [2]topology.Change{change, change}
		},
	} {
		for _, routes := range []int{1000, 5000} {
			b.Run(fmt.Sprint(name, "/", routes), func(b *testing.B) {
				world, changes := changes(b, routes)
				built := topology.Build(world.Input)
				at := 0
				b.ReportAllocs()
				for b.Loop() {
					if _, ok := built.Update(changes[at%2]); !ok {
						b.Fatal("not updated")
					}
					at++
				}
			})
			b.Run(fmt.Sprint(name, "/", routes, "/full"), func(b *testing.B) {
				world, _ := changes(b, routes)
				b.ReportAllocs()
				for b.Loop() {
					topology.Build(world.Input)
				}
			})
		}
	}
}

// forthAndBack has a route come and go.
func forthAndBack(route topology.RouteObject) [2]topology.Change {
	return [2]topology.Change{{Routes: []topology.RouteObject{route}}, {Gone: []topology.RouteID{topology.IDOf(route)}}}
}
