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

package upstream

import (
	"context"
	"net/netip"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/message"
)

// still is a transport that does nothing but count how often it was closed.
type still struct{ closed int }

func (s *still) RoundTrip(
	context.Context, *message.Request, func(int, *message.Fields) error,
) (*message.Response, error) {
	return &message.Response{Status: 200}, nil
}

func (s *still) Close() { s.closed++ }

func ports(list ...uint16) []netip.AddrPort {
	addresses := make([]netip.AddrPort, len(list))
	for i, port := range list {
		addresses[i] = netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), port)
	}
	return addresses
}

func newPool() *Pool { return NewPool(Options{Connect: func(Target) Transport { return &still{} }}) }

func TestSplitIsExactInEveryWindow(t *testing.T) {
	tests := map[string]struct {
		reason  string
		weights []int
		window  int
		want    []int
	}{
		"9:1":      {"the weights of the demo", []int{9, 1}, 10, []int{9, 1}},
		"90:10":    {"a common divisor makes the window no longer", []int{90, 10}, 10, []int{9, 1}},
		"5:3:2":    {"several backends", []int{5, 3, 2}, 10, []int{5, 3, 2}},
		"1:1:1":    {"equal weights", []int{1, 1, 1}, 3, []int{1, 1, 1}},
		"largest":  {"the largest weights of the API", []int{1_000_000, 1_000_000}, 2, []int{1, 1}},
		"only one": {"one backend takes all", []int{7}, 3, []int{3}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			split := NewSplit(test.weights)
			for window := range 10 {
				got := make([]int, len(test.weights))
				for range test.window {
					got[split.Next()]++
				}
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Fatalf("%s: window %d (-want +got):\n%s", test.reason, window, diff)
				}
			}
		})
	}
}

func TestSplitSpreadsEvenly(t *testing.T) {
	split := NewSplit([]int{5, 1, 1})
	var got []int
	for range 7 {
		got = append(got, split.Next())
	}
	// Not five in a row: a light backend must not wait for a burst to the heavy one.
	if diff := cmp.Diff([]int{0, 0, 1, 0, 2, 0, 0}, got); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestSplitIsExactFromManyGoroutines(t *testing.T) {
	split := NewSplit([]int{3, 2})
	var mu sync.Mutex
	got := make([]int, 2)
	var workers sync.WaitGroup
	for range 10 {
		workers.Go(func() {
			for range 100 {
				chosen := split.Next()
				mu.Lock()
				got[chosen]++
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	if diff := cmp.Diff([]int{600, 400}, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestSplitWithoutShares(t *testing.T) {
	if got := NewSplit(nil).Next(); got != -1 {
		t.Errorf("got %d, want -1", got)
	}
}

// order gives the ports of one request's attempts.
func order(b *Backend) []uint16 {
	var tried []uint16
	attempts := b.Attempts()
	for endpoint := attempts.Next(); endpoint != nil; endpoint = attempts.Next() {
		tried = append(tried, endpoint.Address.Port())
	}
	return tried
}

func TestAttempts(t *testing.T) {
	pool := newPool()
	tests := map[string]struct {
		reason          string
		ready, draining []uint16
		want            [][]uint16
	}{
		"in turn": {
			reason: "each request begins with the next endpoint, and tries each once",
			ready:  []uint16{1, 2, 3},
			want:   [][]uint16{{1, 2, 3}, {2, 3, 1}, {3, 1, 2}, {1, 2, 3}},
		},
		"draining beside ready": {
			reason: "draining endpoints get no new requests as long as one is ready",
			ready:  []uint16{1}, draining: []uint16{2},
			want: [][]uint16{{1}, {1}},
		},
		"only draining": {
			reason:   "they still serve, and nobody else does",
			draining: []uint16{2, 3},
			want:     [][]uint16{{2, 3}, {3, 2}},
		},
		"none": {
			reason: "a backend without endpoints has nothing to try",
			want:   [][]uint16{nil},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := NewBackend("b", pool.Endpoints(ports(test.ready...), Target{}), pool.Endpoints(ports(test.draining...), Target{}), nil)
			for i, want := range test.want {
				if diff := cmp.Diff(want, order(b)); diff != "" {
					t.Errorf("%s: request %d (-want +got):\n%s", test.reason, i, diff)
				}
			}
		})
	}
}

// Tables may come faster than requests: if each began with the first endpoint, that one would get them all.
func TestTurnGoesOnInTheNextTable(t *testing.T) {
	pool := newPool()
	counts := map[uint16]int{}
	var before *Backend
	for range 30 {
		before = NewBackend("b", pool.Endpoints(ports(1, 2, 3), Target{}), nil, before)
		counts[order(before)[0]]++
	}
	if diff := cmp.Diff(map[uint16]int{1: 10, 2: 10, 3: 10}, counts); diff != "" {
		t.Errorf("first attempts (-want +got):\n%s", diff)
	}
}

func TestPoolKeepsAndRetires(t *testing.T) {
	pool := newPool()
	before := pool.Endpoints(ports(1, 2), Target{})
	pool.Retain(func(to Target) bool { return to.Address.Port() == 1 })
	after := pool.Endpoints(ports(1, 2), Target{})
	if before[0] != after[0] {
		t.Error("an endpoint that stays keeps its connections")
	}
	if before[1] == after[1] {
		t.Error("an endpoint that went and came back is a new one")
	}
	kept, gone := before[0].transport.(*still), before[1].transport.(*still)
	if kept.closed != 0 || gone.closed != 1 {
		t.Errorf("closed %d and %d times, want 0 and 1", kept.closed, gone.closed)
	}
	before[0].Done()
	before[1].Done()
	if kept.closed != 0 || gone.closed != 2 {
		t.Errorf("after requests closed %d and %d times: a retired endpoint keeps no connection", kept.closed, gone.closed)
	}
}

// answered answers everything.
type answered struct{}

func (answered) RoundTrip(
	context.Context, *message.Request, func(int, *message.Fields) error,
) (*message.Response, error) {
	return &message.Response{Status: 200}, nil
}

func (answered) Close() {}

func TestLeastRequest(t *testing.T) {
	pool := NewPool(Options{Connect: func(Target) Transport { return answered{} }})
	endpoints := pool.Endpoints(ports(1, 2), Target{})
	b := NewBackend("b", endpoints, nil, nil)
	b.LeastRequest = true
	if _, err := endpoints[0].RoundTrip(context.Background(), nil, nil); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		attempts := b.Attempts()
		if attempts.Next() != endpoints[1] {
			t.Fatal("the endpoint with a request under way was taken, though the other had none")
		}
		if attempts.Next() != endpoints[0] || attempts.Next() != nil {
			t.Fatal("each endpoint is tried once, the busier one too")
		}
	}
	endpoints[0].Done()
	taken := make(map[*Endpoint]int)
	for range 1000 {
		attempts := b.Attempts()
		taken[attempts.Next()]++
	}
	if taken[endpoints[0]] < 300 || taken[endpoints[1]] < 300 {
		t.Errorf("endpoints that are equally busy share by chance: got %d and %d", taken[endpoints[0]], taken[endpoints[1]])
	}
	single := NewBackend("b", endpoints[:1], nil, nil)
	single.LeastRequest = true
	attempts := single.Attempts()
	if attempts.Next() != endpoints[0] || attempts.Next() != nil {
		t.Error("an endpoint alone is not compared")
	}
}

// The burst is there at once; beyond it, so many requests earn one retry.
func TestBudget(t *testing.T) {
	b := NewBudget()
	for b.Spend() {
	}
	// As much as a burst and more, so that what time brings meanwhile does not matter.
	for range 3 * retryBurst * retryShare {
		b.Earn()
	}
	spent := 0
	for range retryBurst {
		if b.Spend() {
			spent++
		}
	}
	if spent != retryBurst || b.held > retryShare {
		t.Errorf("of a full budget %d of %d were spent, and %v are left", spent, retryBurst, b.held)
	}
	b.held = 0
	for range retryShare - 1 {
		b.Earn()
	}
	if b.held >= 1 {
		t.Errorf("%d requests earned a retry", retryShare-1)
	}
	if b.Earn(); b.held < 0.99 {
		t.Errorf("%d requests earned %v", retryShare, b.held)
	}
}

// A budget goes on from table to table, like the turn: changes must not refill it.
func TestBudgetOutlivesTables(t *testing.T) {
	first := NewBackend("b", nil, nil, nil)
	for first.Retries.Spend() {
	}
	if second := NewBackend("b", nil, nil, first); second.Retries != first.Retries {
		t.Error("a new table has a new budget")
	}
}
