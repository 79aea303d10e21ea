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
	"github.com/rauta-dev/rauta/proxy/testca"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// TestStepsServeWhatOneTableServes changes routes, endpoints and backends at random. An engine that goes from one table to the next
// serves what one serves that has got the last one alone, and keeps the endpoints of nothing else.
func TestStepsServeWhatOneTableServes(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	walking, stage, pool := newEngine()
	current := large(6)
	current.Listeners = append(current.Listeners, &config.Listener{Name: "tcp", Port: 81, Protocol: config.ProtocolTCP})
	authorities := testca.New(t).PEM
	walking.Apply(current)
	for range 600 {
		next := *current
		for range random.IntN(3) {
			changeRoute(random, &next)
		}
		if random.IntN(2) == 0 {
			next.Endpoints = in(random, 5, next.Endpoints, endpoints(fmt.Sprintf("endpoints/%05d", random.IntN(6)), uint32(1+random.IntN(9)), uint32(1+random.IntN(9))), func(e *config.Endpoints) string { return e.Name })
		}
		if random.IntN(2) == 0 {
			next.Backends = in(random, 3, next.Backends, changedBackend(random, authorities), func(b *config.Backend) string { return b.Name })
		}
		if random.IntN(4) == 0 {
			next.StreamRoutes = in(random, 3, next.StreamRoutes, changedStream(random), func(r *config.StreamRoute) string { return r.Name })
		}
		got := walking.Apply(&next)
		fresh, freshStage, freshPool := newEngine()
		if diff := cmp.Diff(fresh.Apply(&next), got); diff != "" {
			t.Fatalf("errors (-at once +by steps):\n%s", diff)
		}
		if diff := cmp.Diff(served(fresh), served(walking)); diff != "" {
			t.Fatalf("served (-at once +by steps):\n%s", diff)
		}
		if diff := cmp.Diff(relayed(freshStage), relayed(stage)); diff != "" {
			t.Fatalf("relayed (-at once +by steps):\n%s", diff)
		}
		if diff := cmp.Diff(pooled(freshPool), pooled(pool)); diff != "" {
			t.Fatalf("endpoints (-at once +by steps):\n%s", diff)
		}
		if diff := cmp.Diff(splitKeys(fresh), splitKeys(walking)); diff != "" {
			t.Fatalf("splits that are kept (-at once +by steps):\n%s", diff)
		}
		if diff := cmp.Diff(len(fresh.secured), len(walking.secured)); diff != "" {
			t.Fatalf("ways of TLS that are kept (-at once +by steps):\n%s", diff)
		}
		current = &next
	}
	if len(walking.table.Backends) > 2*6 {
		t.Errorf("there are %d places for never more than 6 backends", len(walking.table.Backends))
	}
}

// in puts an item into a list in the place of the one of its name, or one time in so many takes that out.
func in[T any](random *rand.Rand, one int, all []T, item T, name func(T) string) []T {
	all = slices.DeleteFunc(slices.Clone(all), func(other T) bool { return name(other) == name(item) })
	if random.IntN(one) > 0 {
		all = append(all, item)
	}
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(name(a), name(b)) })
	return all
}

func changedBackend(random *rand.Rand, authorities []byte) *config.Backend {
	number := random.IntN(6)
	b := &config.Backend{
		Name: fmt.Sprintf("backend/%05d", number), Protocol: config.BackendHTTP1, Endpoints: fmt.Sprintf("endpoints/%05d", (number+random.IntN(2))%6),
		MaxConnections: uint32(random.IntN(2)), Unsupported: []string{"", "", "something"}[random.IntN(3)],
	}
	if random.IntN(3) == 0 {
		b.TLS = &config.BackendTLS{Hostname: []string{"a.test", "b.test"}[random.IntN(2)], Authorities: authorities}
	}
	if random.IntN(3) == 0 {
		b.Protocol = config.BackendTCP
	}
	return b
}

func changedStream(random *rand.Rand) *config.StreamRoute {
	return &config.StreamRoute{
		Name: fmt.Sprint("stream/", random.IntN(2)), Attachments: []config.Attachment{{Listener: "tcp"}},
		Backends: []config.WeightedBackend{{Backend: fmt.Sprintf("backend/%05d", random.IntN(6)), Weight: 1}, {Backend: fmt.Sprintf("backend/%05d", random.IntN(6)), Weight: 1}},
	}
}

func changeRoute(random *rand.Rand, s *config.Snapshot) {
	name := fmt.Sprintf("route/%05d", random.IntN(8))
	s.Routes = slices.DeleteFunc(slices.Clone(s.Routes), func(r *config.Route) bool { return r.Name == name })
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
					name = said(e.table.Backends[share.Backend])
				}
				line += " " + name
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// said is a backend with its endpoints, and how they are spoken to.
func said(b *upstream.Backend) string {
	text := b.Name
	attempts, endpoints := b.Attempts(), []string{}
	for endpoint := attempts.Next(); endpoint != nil; endpoint = attempts.Next() {
		server := ""
		if endpoint.TLS != nil {
			server = endpoint.TLS.ServerName
		}
		endpoints = append(endpoints, fmt.Sprint(endpoint.Address, endpoint.Protocol, server, endpoint.MaxConnections))
	}
	slices.Sort(endpoints)
	return text + fmt.Sprint(endpoints)
}

// relayed are the backends that streams go to.
func relayed(s *stage) []string {
	var backends []string
	for range 2 {
		backend, reason := s.streams.Choose("tcp", "")
		text := fmt.Sprint(reason)
		if backend != nil {
			text += said(backend)
		}
		backends = append(backends, text)
	}
	slices.Sort(backends)
	return backends
}

func pooled(pool *upstream.Pool) []string {
	var addresses []string
	pool.Retain(func(target upstream.Target) bool {
		addresses = append(addresses, fmt.Sprint(target.Address, target.Protocol, target.TLS != nil, target.MaxConnections))
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
