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
	"math/rand/v2"
	"testing"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// TestSumSet compares the set with a map, for sums that often want the same place.
func TestSumSet(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 50 {
		set, want := newSumSet(0), map[uint32]bool{}
		for range 2000 {
			sum := uint32(random.IntN(40))<<16 + uint32(random.IntN(70))
			if sum == 1 {
				sum = 2 // In the set 0 and 1 are one.
			}
			if random.IntN(3) == 0 {
				set.remove(sum)
				delete(want, sum)
				continue
			}
			if set.add(sum) == want[sum] {
				t.Fatalf("%x was there: %t", sum, want[sum])
			}
			want[sum] = true
		}
		if set.count != len(want) {
			t.Fatalf("%d sums, want %d", set.count, len(want))
		}
		for sum := range want {
			if _, found := set.find(sum); !found {
				t.Fatalf("%x is lost", sum)
			}
		}
	}
}

// Places whose sums are one by chance are told apart.
func TestPlacesOfOneSum(t *testing.T) {
	route := func(paths ...string) Route {
		r := Route{Attachments: []Attachment{{Listener: ListenerKey{Name: "http"}}}}
		for _, path := range paths {
			r.Rules = append(r.Rules, Rule{Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Value: &path}}}})
		}
		return r
	}
	s := &shadows{routes: []Route{route("/a"), route("/b"), route("/c", "/b", "/a")}, first: map[uint32]int32{}}
	for _, c := range []struct{ route, rule, winner int32 }{{0, 0, 0}, {1, 0, 1}, {2, 0, 2}, {2, 1, 1}, {2, 2, 0}} {
		if got := s.claim(7, place{route: c.route, rule: c.rule, next: -1}); got.route != c.winner {
			t.Errorf("rule %d of route %d loses to route %d, want %d", c.rule, c.route, got.route, c.winner)
		}
	}
}
