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

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// BenchmarkUpdateSet is one ListenerSet that changes, with its 16 routes, among 1,000 with 16,000, beside deciding everything again.
func BenchmarkUpdateSet(b *testing.B) {
	const sets, each, at = 1000, 16, 500
	for name, protocol := range map[string]gatewayv1.ProtocolType{"HTTP": gatewayv1.HTTPProtocolType, "HTTPS": gatewayv1.HTTPSProtocolType} {
		created := change(setOf(sets, protocol, "host"))
		for i := range each {
			created.Routes = append(created.Routes, routeOf(sets*each+i, sets))
		}
		// How a ListenerSet is changed, forth and back.
		for what, both := range map[string][2]topology.Change{
			"Changed": {change(setOf(at, protocol, "other")), change(setOf(at, protocol, "host"))},
			"Created": {created, {GoneListenerSets: []types.NamespacedName{{Namespace: "shop", Name: created.ListenerSets[0].Name}}}},
			// Another one loses its host, and gets it back.
			"Contended": {change(setOf(at, protocol, fmt.Sprintf("host-%d", at+1))), change(setOf(at, protocol, "host"))},
		} {
			b.Run(name+"/"+what, func(b *testing.B) {
				world := manySets(b, sets, each, protocol)
				built, turn := topology.Build(world.Input), 0
				b.ReportAllocs()
				for b.Loop() {
					if _, ok := built.Update(both[turn%2]); !ok {
						b.Fatal("not updated")
					}
					turn++
				}
			})
		}
		b.Run(name+"/full", func(b *testing.B) {
			world := manySets(b, sets, each, protocol)
			b.ReportAllocs()
			for b.Loop() {
				topology.Build(world.Input)
			}
		})
	}
}

func change(set *gatewayv1.ListenerSet) topology.Change {
	return topology.Change{ListenerSets: []*gatewayv1.ListenerSet{set}}
}

// manySets is a world with that many ListenerSets of one listener each, and so many routes on each of them.
func manySets(b *testing.B, sets, each int, protocol gatewayv1.ProtocolType) *topologytest.World {
	b.Helper()
	chain, key := topologytest.KeyPair(b, "*.test")
	world := topologytest.Parse(b, square, topologytest.Secret("shop", "own", chain, key))
	world.ListenerSets = nil
	for i := range sets {
		world.ListenerSets = append(world.ListenerSets, setOf(i, protocol, "host"))
	}
	for i := range sets * each {
		world.HTTPRoutes = append(world.HTTPRoutes, routeOf(i, i%sets))
	}
	return world
}

func setOf(number int, protocol gatewayv1.ProtocolType, host string) *gatewayv1.ListenerSet {
	set := &gatewayv1.ListenerSet{}
	set.Namespace, set.Name = "shop", fmt.Sprintf("set-%05d", number)
	set.Spec.ParentRef.Name = "web"
	set.Spec.Listeners = []gatewayv1.ListenerEntry{{
		Name: "l", Port: 443, Protocol: protocol, Hostname: new(gatewayv1.Hostname(fmt.Sprintf("%s-%d.test", host, number))),
		TLS: &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{{Name: "own"}}},
	}}
	if host != "host" && host != "other" {
		set.Spec.Listeners[0].Hostname = new(gatewayv1.Hostname(host + ".test"))
	}
	return set
}

func routeOf(number, set int) *gatewayv1.HTTPRoute {
	route := oneOf(number, fmt.Sprint("/", number), "a")
	route.Spec.Hostnames = nil
	route.Spec.ParentRefs = []gatewayv1.ParentReference{{Kind: new(topology.ListenerSetKind), Name: gatewayv1.ObjectName(fmt.Sprintf("set-%05d", set))}}
	return route
}
