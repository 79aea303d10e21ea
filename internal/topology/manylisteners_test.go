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

package topology

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// TestConflictsOfMany compares what a listener of many is found to conflict with with what comparing it with each of them gives.
func TestConflictsOfMany(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	seen := map[gatewayv1.ListenerConditionReason]int{}
	for range 2000 {
		var before []*Listener
		taken := portClaims{}
		for range random.IntN(4) {
			l := someListener(random)
			before = append(before, l)
			taken.add(l)
		}
		l := someListener(random)
		var want gatewayv1.ListenerConditionReason
		for _, other := range before {
			if found := conflict(other, l); want == "" || found == gatewayv1.ListenerReasonProtocolConflict {
				want = found
			}
		}
		if got := taken.conflict(l); got != want {
			t.Fatalf("seed %d: %+v conflicts with those before it by %q, want %q", seed, l, got, want)
		}
		seen[want]++
	}
	if len(seen) != 3 {
		t.Errorf("not all conflicts were seen: %v", seen)
	}
}

// TestHostsThatAreShared compares which listeners share hosts with each of many with what comparing each two of them gives.
func TestHostsThatAreShared(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		listeners := make([]Listener, random.IntN(12))
		for i := range listeners {
			listeners[i] = *someListener(random)
		}
		hosts := tlsHostsOf(listeners)
		for i := range listeners {
			l := &listeners[i]
			if l.Protocol != gatewayv1.HTTPSProtocolType || l.lost() {
				continue
			}
			var want []int
			for j := range listeners {
				other := &listeners[j]
				if !other.lost() && other.Protocol == l.Protocol && other.Port == l.Port && overlap([]string{l.Hostname}, []string{other.Hostname}) {
					want = append(want, j)
				}
			}
			if got := hosts[l.Port].sharing(l.Hostname); !slices.Equal(got, want) {
				t.Fatalf("seed %d: listener %d shares hosts with %v, want %v: %+v", seed, i, got, want, listeners)
			}
		}
	}
}

func someListener(random *rand.Rand) *Listener {
	protocols := []gatewayv1.ProtocolType{
		gatewayv1.HTTPProtocolType, gatewayv1.HTTPSProtocolType, gatewayv1.HTTPSProtocolType, gatewayv1.TLSProtocolType, gatewayv1.TCPProtocolType,
		gatewayv1.UDPProtocolType, "example.com/unknown",
	}
	hostnames := []string{"", "a.test", "b.a.test", "c.b.a.test", "*.a.test", "*.b.a.test", "*.test", "ba.test", "other"}
	l := &Listener{
		Port: int32(random.IntN(2)), Protocol: protocols[random.IntN(len(protocols))], Hostname: hostnames[random.IntN(len(hostnames))],
		surplus: random.IntN(10) == 0,
	}
	l.Set.Name = []string{"", "set"}[random.IntN(2)]
	return l
}

// A listener is found among those of its owner, whatever others are called.
func TestServes(t *testing.T) {
	input := manySets(gatewayv1.HTTPProtocolType, 5)
	input.ListenerSets[1].Spec.Listeners[0].Hostname = input.ListenerSets[0].Spec.Listeners[0].Hostname
	input.ListenerSets[3].Spec.Listeners[0].Protocol = "example.com/unknown"
	built, served := Build(input), 0
	for i := range built.Listeners {
		l := &built.Listeners[i]
		if got := built.Serves(l.ListenerKey); got != l.Served() {
			t.Errorf("listener %s is served: %t, want %t", l.ListenerKey, got, l.Served())
		}
		if l.Served() {
			served++
		}
	}
	if served != 4 {
		t.Errorf("%d listeners are served, want the Gateway's and three of five", served)
	}
	for _, key := range []ListenerKey{{Name: "l"}, {Set: built.ListenerSets[0].Key(), Name: "http"}, {Set: types.NamespacedName{Name: "none"}, Name: "l"}} {
		if built.Serves(key) {
			t.Errorf("listener %s is served, and is not there", key)
		}
	}
}

// BenchmarkManyListeners is to decide about a Gateway with ListenerSets of one listener each, beside one with a fourth of them.
func BenchmarkManyListeners(b *testing.B) {
	for _, protocol := range []gatewayv1.ProtocolType{gatewayv1.HTTPProtocolType, gatewayv1.HTTPSProtocolType} {
		for _, sets := range []int{250, 1000} {
			b.Run(fmt.Sprint(protocol, "/", sets), func(b *testing.B) {
				input := manySets(protocol, sets)
				b.ReportAllocs()
				for b.Loop() {
					Build(input)
				}
			})
		}
	}
}

func manySets(protocol gatewayv1.ProtocolType, sets int) Input {
	gateway := &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}}
	gateway.Spec.Listeners = []gatewayv1.Listener{{Name: "http", Port: 8080, Protocol: gatewayv1.HTTPProtocolType}}
	gateway.Spec.AllowedListeners = &gatewayv1.AllowedListeners{Namespaces: &gatewayv1.ListenerNamespaces{From: new(gatewayv1.NamespacesFromAll)}}
	input := Input{Gateway: gateway}
	for i := range sets {
		set := &gatewayv1.ListenerSet{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("set-%04d", i)}}
		set.Spec.ParentRef.Name = "web"
		set.Spec.Listeners = []gatewayv1.ListenerEntry{{
			Name: "l", Port: 443, Protocol: protocol, Hostname: new(gatewayv1.Hostname(fmt.Sprintf("set-%d.example.com", i))),
		}}
		input.ListenerSets = append(input.ListenerSets, set)
	}
	return input
}

// TestListenersInExcess has a ListenerSet go that had kept others out by its number of listeners, and come back.
func TestListenersInExcess(t *testing.T) {
	input := manySets(gatewayv1.HTTPProtocolType, MaxListeners+2)
	built := Build(input)
	late := func() []bool {
		var served []bool
		for i := MaxListeners - 2; i < MaxListeners+2; i++ {
			served = append(served, built.Serves(ListenerKey{Set: types.NamespacedName{Namespace: "shop", Name: fmt.Sprintf("set-%04d", i)}, Name: "l"}))
		}
		return served
	}
	// The Gateway has one of its own.
	if want := []bool{true, false, false, false}; !slices.Equal(late(), want) {
		t.Fatalf("the last ones are served: %v, want %v", late(), want)
	}
	first := input.ListenerSets[0]
	if _, ok := built.Update(Change{GoneListenerSets: []types.NamespacedName{{Namespace: first.Namespace, Name: first.Name}}}); !ok {
		t.Fatal("not updated")
	}
	if want := []bool{true, true, false, false}; !slices.Equal(late(), want) {
		t.Errorf("with one less the last ones are served: %v, want %v", late(), want)
	}
	difference, ok := built.Update(Change{ListenerSets: []*gatewayv1.ListenerSet{first}})
	if want := []bool{true, false, false, false}; !ok || !slices.Equal(late(), want) {
		t.Errorf("with all the last ones are served: %v, want %v", late(), want)
	}
	if len(difference.ListenerSets) != 2 || len(difference.Closed) != 1 || len(difference.Opened) != 1 {
		t.Errorf("the one that came and the one that gave way are told: %+v", difference)
	}
}
