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

package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/route"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// TestStepsServeWhatOneTableServes changes routes, endpoints and backends at random. An engine that goes from one table to the next
// serves what one serves that has got the last one alone, and keeps the endpoints of nothing else.
func TestStepsServeWhatOneTableServes(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	walking, _, pool := newEngine()
	current := large(6)
	walking.Apply(current)
	for range 300 {
		next := *current
		next.Routes, next.Endpoints, next.Backends = slices.Clone(current.Routes), slices.Clone(current.Endpoints), slices.Clone(current.Backends)
		for range random.IntN(3) {
			changeRoute(random, &next)
		}
		if at := random.IntN(6); random.IntN(2) == 0 {
			next.Endpoints[at] = endpoints(next.Endpoints[at].Name, uint32(1+random.IntN(9)), uint32(1+random.IntN(9)))
		}
		if at := random.IntN(6); random.IntN(10) == 0 {
			backend := *next.Backends[at]
			backend.Unsupported = []string{"", "something"}[random.IntN(2)]
			next.Backends[at] = &backend
		}
		got := walking.Apply(&next)
		fresh, _, freshPool := newEngine()
		if diff := cmp.Diff(fresh.Apply(&next), got); diff != "" {
			t.Fatalf("errors (-at once +by steps):\n%s", diff)
		}
		if diff := cmp.Diff(served(fresh), served(walking)); diff != "" {
			t.Fatalf("served (-at once +by steps):\n%s", diff)
		}
		if diff := cmp.Diff(pooled(freshPool), pooled(pool)); diff != "" {
			t.Fatalf("endpoints (-at once +by steps):\n%s", diff)
		}
		if diff := cmp.Diff(splitKeys(fresh), splitKeys(walking)); diff != "" {
			t.Fatalf("splits that are kept (-at once +by steps):\n%s", diff)
		}
		current = &next
	}
}

func changeRoute(random *rand.Rand, s *config.Snapshot) {
	name := fmt.Sprintf("route/%05d", random.IntN(8))
	s.Routes = slices.DeleteFunc(s.Routes, func(r *config.Route) bool { return r.Name == name })
	if random.IntN(3) > 0 {
		r := &config.Route{
			Name:        name,
			Attachments: []config.Attachment{{Listener: "l", Hostnames: []string{fmt.Sprintf("h%05d.example.com", random.IntN(3))}}},
		}
		for range 1 + random.IntN(2) {
			r.Rules = append(r.Rules, config.Rule{
				Matches: []config.Match{{PathType: config.PathPrefix, Path: fmt.Sprint("/", random.IntN(4))}},
				Backends: []config.WeightedBackend{
					{Backend: fmt.Sprintf("backend/%05d", random.IntN(7)), Weight: uint32(random.IntN(3))},
					{Backend: fmt.Sprintf("backend/%05d", random.IntN(7)), Weight: 1},
				},
			})
		}
		s.Routes = append(s.Routes, r)
	}
	slices.SortFunc(s.Routes, func(a, b *config.Route) int { return strings.Compare(a.Name, b.Name) })
}

// served says where requests for all hosts and paths of the test go.
func served(e *Engine) []string {
	var lines []string
	for host := range 8 {
		for _, path := range []string{"/0", "/1", "/2", "/3", "/4/x", fmt.Sprintf("/api/%05d", host)} {
			rule, found := e.table.Routes.Lookup(80, &route.Request{Host: fmt.Sprintf("h%05d.example.com", host), Path: path})
			if !found {
				continue
			}
			line := fmt.Sprint(host, path, " ", rule.Route, rule.Index, rule.Broken)
			for _, share := range rule.Shares {
				name := "500"
				if share.Backend >= 0 {
					name = e.table.Backends[share.Backend].Name
				}
				line += " " + name
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func pooled(pool *upstream.Pool) []string {
	var addresses []string
	pool.Retain(func(target upstream.Target) bool {
		addresses = append(addresses, target.Address.String())
		return true
	})
	slices.Sort(addresses)
	return addresses
}

func splitKeys(e *Engine) []string {
	var keys []string
	for key := range e.splits {
		keys = append(keys, fmt.Sprint(key.route, key.index))
	}
	slices.Sort(keys)
	return keys
}
