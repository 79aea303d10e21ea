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
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/stream"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// streamSnapshot has a route of TCP with weights 2:1 between the backends a and b, and one of TLS by server name.
func streamSnapshot() *config.Snapshot {
	return &config.Snapshot{
		Listeners: []*config.Listener{
			{Name: "tcp", Port: 5432, Protocol: config.ProtocolTCP},
			{Name: "tls", Port: 443, Protocol: config.ProtocolTLS, Passthrough: true},
		},
		StreamRoutes: []*config.StreamRoute{
			{Name: "s", Attachments: []config.Attachment{{Listener: "tcp"}},
				Backends: []config.WeightedBackend{{Backend: "a", Weight: 2}, {Backend: "b", Weight: 1}}},
			{Name: "t", Attachments: []config.Attachment{{Listener: "tls", Hostnames: []string{"*.a.test"}}}, Backends: []config.WeightedBackend{{Backend: "a", Weight: 1}}},
			{Name: "u", Attachments: []config.Attachment{{Listener: "tls", Hostnames: []string{"x.a.test", "*.a.test"}}}, Backends: []config.WeightedBackend{{Backend: "b", Weight: 1}}},
			{Name: "v", Attachments: []config.Attachment{{Listener: "tls", Hostnames: []string{"none.test"}}}},
			{Name: "w", Attachments: []config.Attachment{{Listener: "tls", Hostnames: []string{"unresolved.test"}}}, Backends: []config.WeightedBackend{{Weight: 1}}},
		},
		Backends: []*config.Backend{
			{Name: "a", Protocol: config.BackendTCP, Endpoints: "ea", ProxyProtocol: 2},
			{Name: "b", Protocol: config.BackendTCP, Endpoints: "eb"},
		},
		Endpoints: []*config.Endpoints{endpoints("ea", 1), endpoints("eb", 2)},
	}
}

func TestStreamsByServerName(t *testing.T) {
	e, s, _ := newEngine()
	if errs := e.Apply(streamSnapshot()); len(errs) > 0 {
		t.Fatal(errs)
	}
	tests := []struct {
		listener, name, backend string
		without                 stream.Reason
		reason                  string
	}{
		{"tls", "x.a.test", "b", stream.ReasonOK, "the exact hostname comes first"},
		{"tls", "y.z.a.test", "a", stream.ReasonOK, "a wildcard takes any number of labels, and of two routes with one the first by name serves"},
		{"tls", "a.test", "", stream.ReasonNoRoute, "but at least one"},
		{"tls", "", "", stream.ReasonNoRoute, "who asks for nobody gets what is for anybody"},
		{"tls", "none.test", "", stream.ReasonNoBackend, "a route without backends takes its streams all the same"},
		{"tls", "unresolved.test", "", stream.ReasonNoBackend, "and so does a share of a backend that is not resolved"},
		{"tcp", "", "a", stream.ReasonOK, "without TLS nobody is asked for"},
		{"gone", "", "", stream.ReasonNoRoute, "a listener without routes relays nothing"},
	}
	for _, test := range tests {
		backend, reason := s.streams.Choose(test.listener, test.name)
		name := ""
		if backend != nil {
			name = backend.Name
		}
		if name != test.backend || reason != test.without {
			t.Errorf("%s %q: got %q, %s, want %q, %s: %s", test.listener, test.name, name, reason, test.backend, test.without, test.reason)
		}
	}
	if backend := s.streams.Backends[0]; backend.ProxyProtocol != 2 {
		t.Errorf("the version of the header is %d", backend.ProxyProtocol)
	}
}

// A table for every stream: weights stay exact.
func TestStreamSplitsGoOnInTheNextTable(t *testing.T) {
	e, s, pool := newEngine()
	counts := map[string]int{}
	for i := range 30 {
		next := streamSnapshot()
		next.Endpoints[0] = endpoints("ea", 1, uint32(i+10)) // Endpoints that come and go.
		e.Apply(next)
		backend, _ := s.streams.Choose("tcp", "")
		counts[backend.Name]++
		if attempts := backend.Attempts(); attempts.Next().Protocol != upstream.TCP {
			t.Fatal("an endpoint of another protocol")
		}
	}
	if diff := cmp.Diff(map[string]int{"a": 20, "b": 10}, counts); diff != "" {
		t.Errorf("weights 2:1 (-want +got):\n%s", diff)
	}
	if pool.Len() != 3 {
		t.Errorf("%d endpoints are kept, of which 3 are wanted", pool.Len())
	}
}

func TestEndpointsKeepTheStreamTable(t *testing.T) {
	e, s, _ := newEngine()
	first := streamSnapshot()
	e.Apply(first)
	before := s.streams
	second := *first
	second.Endpoints = []*config.Endpoints{endpoints("ea", 1, 3), first.Endpoints[1]}
	e.Apply(&second)
	if before.Routes != s.streams.Routes {
		t.Error("a change of endpoints built the table of streams anew")
	}
	if before == s.streams {
		t.Error("the new endpoints are not in the table")
	}
}

// An endpoint takes as many streams as it may, also when it is no longer in the table.
func TestPlacesOfAnEndpoint(t *testing.T) {
	e, s, _ := newEngine()
	limited := streamSnapshot()
	limited.Backends[0].MaxConnections = 2
	e.Apply(limited)
	attempts := s.streams.Backends[0].Attempts()
	endpoint := attempts.Next()
	places := 0
	for places < 5 && endpoint.Begin() {
		places++
	}
	if places != 2 {
		t.Errorf("it has %d places, not two", places)
	}
	e.Apply(&config.Snapshot{})
	endpoint.Done()
	if !endpoint.Begin() {
		t.Error("a place that was given back is there again")
	}
}
