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
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/internal/translate"
)

const (
	benchRoutes    = 5000
	benchServices  = 500
	benchEndpoints = 4
)

// town is a Gateway with benchRoutes routes of two rules each, to benchServices Services. Each route has paths of its own.
func town(b *testing.B) *topologytest.World {
	b.Helper()
	world := topologytest.Parse(b, gateway, cart, cartSlice, `
kind: HTTPRoute
metadata: {namespace: shop, name: r, creationTimestamp: "2026-01-02T03:04:05Z"}
spec:
  parentRefs: [{name: web}]
  hostnames: [a.test]
  rules:
  - matches: [{path: {type: Exact, value: /a}, method: GET, headers: [{name: X, value: v}]}]
    backendRefs: [{name: cart, port: 80}]
  - matches: [{path: {type: PathPrefix, value: /b}}]
    backendRefs: [{name: cart, port: 80, weight: 9}, {name: cart, port: 80}]
`)
	pattern, service := world.HTTPRoutes[0], world.Services[types.NamespacedName{Namespace: "shop", Name: "cart"}]
	slice := world.Slices[types.NamespacedName{Namespace: "shop", Name: "cart"}][0]
	for i := range benchServices {
		s := service.DeepCopy()
		s.Name = fmt.Sprintf("cart-%d", i)
		key := types.NamespacedName{Namespace: "shop", Name: s.Name}
		world.Services[key] = s
		es := slice.DeepCopy()
		es.Endpoints = nil
		for j := range benchEndpoints {
			es.Endpoints = append(es.Endpoints, discoveryv1.Endpoint{Addresses: []string{fmt.Sprintf("10.%d.%d.%d", i/256, i%256, j)}})
		}
		world.Slices[key] = []*discoveryv1.EndpointSlice{es}
	}
	world.HTTPRoutes = nil
	for i := range benchRoutes {
		route := pattern.DeepCopy()
		route.Name = fmt.Sprintf("route-%04d", i)
		route.UID, route.Generation = types.UID(route.Name), 1
		for r := range route.Spec.Rules {
			*route.Spec.Rules[r].Matches[0].Path.Value += route.Name
			for j := range route.Spec.Rules[r].BackendRefs {
				name := fmt.Sprintf("cart-%d", (i+j)%benchServices)
				route.Spec.Rules[r].BackendRefs[j].Name = gatewayv1.ObjectName(name)
			}
		}
		world.HTTPRoutes = append(world.HTTPRoutes, route)
	}
	return world
}

func BenchmarkBuild(b *testing.B) {
	world := town(b)
	b.ReportAllocs()
	for b.Loop() {
		topology.Build(world.Input)
	}
}

// BenchmarkBuildShadowed is the same where all routes want the same requests, and all but one have to be told.
func BenchmarkBuildShadowed(b *testing.B) {
	world := town(b)
	for _, route := range world.HTTPRoutes {
		route.Spec.Rules[0].Matches, route.Spec.Rules[1].Matches = world.HTTPRoutes[0].Spec.Rules[0].Matches, world.HTTPRoutes[0].Spec.Rules[1].Matches
	}
	b.ReportAllocs()
	for b.Loop() {
		topology.Build(world.Input)
	}
}

func BenchmarkBuildAndTranslate(b *testing.B) {
	world := town(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := translate.Resources(topology.Build(world.Input), world.Slices); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOneRouteChanged is what a change of one route costs: the topology, and the rendering of that route.
func BenchmarkOneRouteChanged(b *testing.B) {
	world := town(b)
	memo := &translate.Memo{}
	changed := world.HTTPRoutes[benchRoutes/2]
	b.ReportAllocs()
	for b.Loop() {
		changed.Generation++
		if _, err := memo.Resources(topology.Build(world.Input), world.Slices); err != nil {
			b.Fatal(err)
		}
	}
}
