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
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/datagram"
	"github.com/rauta-dev/rauta/proxy/forward"
	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/route"
	"github.com/rauta-dev/rauta/proxy/stream"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// stage records in which order things are done.
type stage struct {
	steps []string
	table *forward.Table
	// streams is the table of streams.
	streams *stream.Table
	failed  map[uint16]error
	// datagrams are the ports of UDP.
	datagrams []datagram.Port
	unbound   map[uint16]error
}

func (s *stage) Swap(table *forward.Table) { s.steps, s.table = append(s.steps, "swap"), table }

type streams struct{ *stage }

func (s streams) Swap(table *stream.Table) {
	s.steps, s.streams = append(s.steps, "swap streams"), table
}

func (s *stage) Open([]config.Port) map[uint16]error {
	s.steps = append(s.steps, "open")
	return s.failed
}

type datagrams struct{ *stage }

func (d datagrams) Apply(ports []datagram.Port) map[uint16]error {
	d.steps, d.datagrams = append(d.steps, "datagrams"), ports
	return d.unbound
}

func (s *stage) Serve()          { s.steps = append(s.steps, "serve") }
func (s *stage) Retain([]uint16) { s.steps = append(s.steps, "retain") }

type noTransport struct{}

func (noTransport) RoundTrip(
	context.Context, *message.Request, func(int, *message.Fields) error,
) (*message.Response, error) {
	return nil, errors.New("nothing is sent in these tests")
}

func (noTransport) Close() {}

func newEngine() (*Engine, *stage, *upstream.Pool) {
	pool := upstream.NewPool(upstream.Options{Connect: func(upstream.Target) upstream.Transport { return noTransport{} }})
	s := &stage{}
	return New(Options{Forwarder: s, Streams: streams{s}, Sockets: s, Datagrams: datagrams{s}, Pool: pool, Tune: func(config.Limits) {}}), s, pool
}

// snapshot has one route with weights 2:1 between the backends a and b.
func snapshot() *config.Snapshot {
	return &config.Snapshot{
		Listeners: []*config.Listener{{Name: "l", Port: 80, Protocol: config.ProtocolHTTP}},
		Routes: []*config.Route{{
			Name:        "r",
			Attachments: []config.Attachment{{Listener: "l"}},
			Rules: []config.Rule{{
				Matches:  []config.Match{{PathType: config.PathPrefix, Path: "/"}},
				Backends: []config.WeightedBackend{{Backend: "a", Weight: 2}, {Backend: "b", Weight: 1}},
			}},
		}},
		Backends: []*config.Backend{
			{Name: "a", Protocol: config.BackendHTTP1, Endpoints: "ea"},
			{Name: "b", Protocol: config.BackendHTTP1, Endpoints: "eb"},
		},
		Endpoints: []*config.Endpoints{endpoints("ea", 1), endpoints("eb", 2)},
	}
}

func endpoints(name string, ports ...uint32) *config.Endpoints {
	e := &config.Endpoints{Name: name}
	for _, port := range ports {
		e.Endpoints = append(e.Endpoints, config.Endpoint{Address: "10.0.0.1", Port: port, State: config.EndpointReady})
	}
	return e
}

// choice is the backend that the next request goes to.
func choice(t *testing.T, table *forward.Table) string {
	t.Helper()
	rule, found := table.Routes.Lookup(80, &route.Request{Host: "h", Path: "/"})
	if !found {
		t.Fatal("no rule takes the request")
	}
	return table.Backends[rule.Shares[rule.Split.Next()].Backend].Name
}

func TestOrderOfApply(t *testing.T) {
	e, s, _ := newEngine()
	if e.Ready() {
		t.Error("ready without a table")
	}
	e.Apply(snapshot())
	if diff := cmp.Diff([]string{"open", "swap", "swap streams", "serve", "retain", "datagrams"}, s.steps); diff != "" {
		t.Errorf("no request may meet a table that does not know its port (-want +got):\n%s", diff)
	}
	if !e.Ready() {
		t.Error("not ready with a table")
	}
}

func TestEndpointsKeepTheMatchTable(t *testing.T) {
	e, s, pool := newEngine()
	first := snapshot()
	e.Apply(first)
	before := s.table
	second := *first
	second.Endpoints = []*config.Endpoints{endpoints("ea", 1, 3), first.Endpoints[1]}
	e.Apply(&second)
	if before.Routes != s.table.Routes {
		t.Error("a change of endpoints built the match table anew")
	}
	if before == s.table || pool.Len() != 3 {
		t.Errorf("the new endpoint is not in the table: %d endpoints", pool.Len())
	}
	e.Apply(first)
	if pool.Len() != 2 {
		t.Errorf("the endpoint that went is still kept: %d endpoints", pool.Len())
	}
}

// A table for every request: if each split began anew, b would never get one.
func TestSplitsGoOnInTheNextTable(t *testing.T) {
	e, s, _ := newEngine()
	counts := map[string]int{}
	for range 30 {
		e.Apply(snapshot()) // New pointers: nothing is taken over as equal.
		counts[choice(t, s.table)]++
	}
	if diff := cmp.Diff(map[string]int{"a": 20, "b": 10}, counts); diff != "" {
		t.Errorf("weights 2:1 (-want +got):\n%s", diff)
	}
	other := snapshot()
	other.Routes[0].Rules[0].Backends[1].Weight = 2
	e.Apply(other)
	counts = map[string]int{}
	for range 10 {
		counts[choice(t, s.table)]++
	}
	if diff := cmp.Diff(map[string]int{"a": 5, "b": 5}, counts); diff != "" {
		t.Errorf("new weights count from their first request (-want +got):\n%s", diff)
	}
}

// The same for the endpoints of a backend: the first one must not get the first request of every table.
// Thousands of rules have one backend, and nothing to divide.
func TestRulesWithOneBackendKeepNoSplit(t *testing.T) {
	e, stage, _ := newEngine()
	s := snapshot()
	e.Apply(s)
	if len(e.splits) != 1 {
		t.Fatalf("%d splits are kept of a rule with two backends", len(e.splits))
	}
	next := *s
	alone := *s.Routes[0]
	alone.Rules = []config.Rule{{Matches: alone.Rules[0].Matches, Backends: alone.Rules[0].Backends[:1]}}
	next.Routes = []*config.Route{&alone}
	e.Apply(&next)
	if len(e.splits) != 0 {
		t.Errorf("%d splits are kept of a rule with one backend", len(e.splits))
	}
	for range 3 {
		if got := choice(t, stage.table); got != "a" {
			t.Errorf("the request goes to %q, want the only backend", got)
		}
	}
	e.Apply(s)
	seen := map[string]int{}
	for range 6 {
		seen[choice(t, stage.table)]++
	}
	if seen["a"] != 4 || seen["b"] != 2 {
		t.Errorf("of 6 requests went %v, want 4 to a and 2 to b", seen)
	}
}

func TestTurnsGoOnInTheNextTable(t *testing.T) {
	e, s, _ := newEngine()
	counts := map[uint16]int{}
	for range 30 {
		next := snapshot()
		next.Endpoints[0] = endpoints("ea", 1, 3, 4)
		e.Apply(next)
		attempts := s.table.Backends[0].Attempts()
		counts[attempts.Next().Address.Port()]++
	}
	if diff := cmp.Diff(map[uint16]int{1: 10, 3: 10, 4: 10}, counts); diff != "" {
		t.Errorf("first attempts (-want +got):\n%s", diff)
	}
}

func TestListenErrorsNameEveryListenerOfThePort(t *testing.T) {
	e, s, _ := newEngine()
	s.failed = map[uint16]error{80: errors.New("in use")}
	both := snapshot()
	both.Listeners = append(both.Listeners,
		&config.Listener{Name: "m", Port: 80, Protocol: config.ProtocolHTTP, Hostname: "x.org"},
		&config.Listener{Name: "n", Port: 81, Protocol: config.ProtocolHTTP})
	want := []config.Error{
		{Resource: "l", Code: config.CodeListenFailed, Message: "in use"},
		{Resource: "m", Code: config.CodeListenFailed, Message: "in use"},
	}
	if diff := cmp.Diff(want, e.Apply(both)); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	s.failed = nil
	if errs := e.Apply(both); len(errs) > 0 {
		t.Errorf("once the port is bound nothing is left to report: %v", errs)
	}
}
