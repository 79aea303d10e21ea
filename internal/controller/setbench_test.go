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
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

const (
	benchSets      = 1000
	benchSetRoutes = 16000
)

// newSetBench is an operator with ListenerSets of one listener each, and the routes on them, of one Gateway.
func newSetBench(b *testing.B) *bench {
	b.Helper()
	m := bareBench(b)
	if err := addListenerSetIndexes(b.Context(), m.objects); err != nil {
		b.Fatal(err)
	}
	m.changes.loader.sets.read(true)
	m.fill(0)
	gateway := httpGateway("shop", "web")
	gateway.Spec.AllowedListeners = &gatewayv1.AllowedListeners{Namespaces: &gatewayv1.ListenerNamespaces{From: new(gatewayv1.NamespacesFromAll)}}
	m.objects.put(gateway)
	for i := range benchSets {
		m.objects.put(benchSet(i, 1))
		service, slice := backendService("shop", fmt.Sprint("backend-", i))
		m.objects.put(service)
		m.objects.put(slice)
	}
	for i := range benchSetRoutes {
		set := i % benchSets
		route := routeTo("shop", fmt.Sprint("route-", i), fmt.Sprint("set-", set), fmt.Sprint("backend-", set))
		route.Spec.ParentRefs[0].Kind = new(topology.ListenerSetKind)
		route.UID, route.Generation = types.UID(fmt.Sprint(i)), 1
		route.Spec.Rules[0].Matches = []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: new(gatewayv1.PathMatchPathPrefix), Value: new(fmt.Sprint("/route-", i))}}}
		m.objects.put(route)
		m.routes = append(m.routes, route)
	}
	m.decideAll()
	return m
}

// benchSet is the ListenerSet of a number, which is another in each generation.
func benchSet(number int, generation int64) *gatewayv1.ListenerSet {
	set := listenerSetOf("shop", fmt.Sprint("set-", number), "web")
	set.UID, set.Generation = types.UID(fmt.Sprint("set-", number)), generation
	set.Spec.Listeners = []gatewayv1.ListenerEntry{{
		Name: "l", Port: 80, Protocol: gatewayv1.HTTPProtocolType, Hostname: new(gatewayv1.Hostname(fmt.Sprintf("host-%d.gen-%d.test", number, generation))),
	}}
	return set
}

// BenchmarkSet is a ListenerSet that changes, or comes and goes with its 16 routes, among 1,000 with 16,000; and what of that is pushed. What
// decides everything again is beside them.
func BenchmarkSet(b *testing.B) {
	b.Run("Changed", func(b *testing.B) {
		m := newSetBench(b)
		for i := 0; b.Loop(); i++ {
			set := benchSet(i%benchSets, int64(i+2))
			m.take(set, func() { m.objects.put(set); m.setChanged(set); m.tell() })
		}
		m.report()
	})
	b.Run("ChangedPushOnly", func(b *testing.B) {
		m := newSetBench(b)
		for i := 0; b.Loop(); i++ {
			set := benchSet(i%benchSets, int64(i+2))
			m.take(set, func() { m.objects.put(set); m.setChanged(set) })
			m.tell()
		}
		m.report()
	})
	b.Run("GoneAndCome", func(b *testing.B) {
		m := newSetBench(b)
		for i := 0; b.Loop(); i++ {
			set := benchSet(i%benchSets, int64(i+2))
			m.take(set, func() {
				m.objects.remove(set)
				m.setChanged(set)
				m.tell()
				m.objects.put(set)
				m.setChanged(set)
				m.tell()
			})
		}
		m.report()
	})
	b.Run("Whole", func(b *testing.B) {
		m := newSetBench(b)
		for i := 0; b.Loop(); i++ {
			set := benchSet(i%benchSets, int64(i+2))
			m.take(set, func() { m.objects.put(set); m.decideAll() })
		}
		m.report()
	})
}

func (m *bench) setChanged(set *gatewayv1.ListenerSet) {
	m.b.Helper()
	m.carryOn(m.changes.byListenerSet(m.b.Context(), set))
}
