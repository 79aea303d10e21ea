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

package config

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var addresses1 = []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:80")}

// world is a snapshot in which everything serves.
func world() *Snapshot {
	return &Snapshot{
		Listeners: []*Listener{{Name: "l", Port: 80, Protocol: ProtocolHTTP}},
		Routes: []*Route{{
			Name:        "r",
			Attachments: []Attachment{{Listener: "l", Hostnames: []string{"a.example.com"}}},
			Rules:       []Rule{rule("/one", "b"), rule("/two", "b")},
		}},
		Backends: []*Backend{{Name: "b", Protocol: BackendHTTP1, Endpoints: "e"}},
		Endpoints: []*Endpoints{{Name: "e", Endpoints: []Endpoint{
			{Address: "10.0.0.1", Port: 80, State: EndpointReady},
		}}},
	}
}

func rule(path, backend string) Rule {
	return Rule{
		Matches:  []Match{{PathType: PathPrefix, Path: path}},
		Backends: []WeightedBackend{{Backend: backend, Weight: 1}},
	}
}

// outcome is what of a plan the cases look at.
type outcome struct {
	Listeners []string
	// Rules as "matches:shares", "broken" in front of one that is.
	Rules []string
	// Attached are "listener hostname,hostname".
	Attached []string
	Backends []string
}

func outcomeOf(plan *Plan) outcome {
	var o outcome
	for _, l := range plan.Listeners {
		o.Listeners = append(o.Listeners, l.Name)
	}
	for _, r := range plan.Routes {
		for _, a := range r.Attachments {
			o.Attached = append(o.Attached, a.Listener+" "+strings.Join(a.Hostnames, ","))
		}
		for _, rule := range r.Rules {
			o.Rules = append(o.Rules, ruleText(plan, rule))
		}
	}
	for _, b := range plan.Backends {
		o.Backends = append(o.Backends, b.Name)
	}
	return o
}

func ruleText(plan *Plan, rule PlannedRule) string {
	var text []string
	if rule.Broken {
		text = append(text, "broken")
	}
	for _, m := range rule.Matches {
		text = append(text, m.Path)
	}
	for _, s := range rule.Shares {
		name := "500"
		if s.Backend != NoBackend {
			name = plan.Backends[s.Backend].Name
		}
		text = append(text, name)
	}
	return strings.Join(text, " ")
}

func TestCompile(t *testing.T) {
	good := outcome{
		Listeners: []string{"l"}, Attached: []string{"l a.example.com"},
		Rules: []string{"/one b", "/two b"}, Backends: []string{"b"},
	}
	tests := map[string]struct {
		reason string
		change func(*Snapshot)
		want   func(*outcome)
		errors []Error
	}{
		"good": {
			reason: "a world without faults has no errors",
			change: func(*Snapshot) {},
		},
		"listener of unknown protocol": {
			reason: "it is not opened, and its routes have nothing to say of their own",
			change: func(s *Snapshot) { s.Listeners[0].Protocol = 9 },
			want:   func(o *outcome) { o.Listeners, o.Attached = nil, nil },
			errors: []Error{{"l", CodeUnsupported, "protocol: 9 is not known"}},
		},
		"listener without port": {
			reason: "0 would bind any port",
			change: func(s *Snapshot) { s.Listeners[0].Port = 0 },
			want:   func(o *outcome) { o.Listeners, o.Attached = nil, nil },
			errors: []Error{{"l", CodeInvalid, "port: 0 is not between 1 and 65535"}},
		},
		"listener's hostname": {
			reason: "what is no hostname takes no request",
			change: func(s *Snapshot) { s.Listeners[0].Hostname = "a.*.example.com" },
			want:   func(o *outcome) { o.Listeners, o.Attached = nil, nil },
			errors: []Error{{"l", CodeInvalid, `hostname: "a.*.example.com" is not a hostname`}},
		},
		"listeners in conflict": {
			reason: "the first by name serves, whatever the order in which they came",
			change: func(s *Snapshot) {
				s.Listeners = append(s.Listeners, &Listener{Name: "k", Port: 80, Protocol: ProtocolHTTP})
			},
			want:   func(o *outcome) { o.Listeners, o.Attached = []string{"k"}, nil },
			errors: []Error{{"l", CodeInvalid, `port and hostname: 80 and "" are those of k`}},
		},
		"listeners that differ by hostname": {
			reason: "they share a port",
			change: func(s *Snapshot) {
				s.Listeners = append(s.Listeners, &Listener{Name: "m", Port: 80, Protocol: ProtocolHTTP, Hostname: "x.org"})
			},
			want: func(o *outcome) { o.Listeners = []string{"l", "m"} },
		},
		"attachment to nothing": {
			reason: "the other attachments serve",
			change: func(s *Snapshot) {
				s.Routes[0].Attachments = append(s.Routes[0].Attachments, Attachment{Listener: "not-there"})
			},
			errors: []Error{{"r", CodeMissingReference, `attachments[1].listener: "not-there" is not in the table`}},
		},
		"one hostname of two": {
			reason: "the other one serves",
			change: func(s *Snapshot) {
				s.Routes[0].Attachments[0].Hostnames = []string{"-", "B.example.com"}
			},
			want:   func(o *outcome) { o.Attached = []string{"l b.example.com"} },
			errors: []Error{{"r", CodeInvalid, `attachments[0].hostnames[0]: "-" is not a hostname`}},
		},
		"the only hostname": {
			reason: "no hostname left must not become any hostname",
			change: func(s *Snapshot) { s.Routes[0].Attachments[0].Hostnames = []string{"a b"} },
			want:   func(o *outcome) { o.Attached = nil },
			errors: []Error{{"r", CodeInvalid, `attachments[0].hostnames[0]: "a b" is not a hostname`}},
		},
		"match of unknown type": {
			reason: "what it takes is not known, so it takes nothing; its rule is not served as if it were absent",
			change: func(s *Snapshot) {
				m := &s.Routes[0].Rules[0].Matches
				*m = append(*m, Match{PathType: 7, Path: "/.*"})
			},
			want:   func(o *outcome) { o.Rules[0] = "broken /one b" },
			errors: []Error{{"r", CodeUnsupported, "rules[0].matches[1].path.type: 7 is not known"}},
		},
		"header match of unknown type": {
			reason: "without its header the match would take the requests of others",
			change: func(s *Snapshot) {
				s.Routes[0].Rules[0].Matches[0].Headers = []ValueMatch{{Name: "x", Type: 99, Value: "a.*"}}
			},
			want:   func(o *outcome) { o.Rules[0] = "broken b" },
			errors: []Error{{"r", CodeUnsupported, "rules[0].matches[0].headers[0].type: 99 is not known"}},
		},
		"second header of a name": {
			reason: "subsequent entries with an equivalent header name MUST be ignored",
			change: func(s *Snapshot) {
				s.Routes[0].Rules[0].Matches[0].Headers = []ValueMatch{
					{Name: "X", Type: ValueExact, Value: "1"}, {Name: "x", Type: 99, Value: "2"},
				}
			},
		},
		"path": {
			reason: "a prefix must be absolute",
			change: func(s *Snapshot) { s.Routes[0].Rules[1].Matches[0].Path = "two" },
			want:   func(o *outcome) { o.Rules[1] = "broken b" },
			errors: []Error{{"r", CodeInvalid, `rules[1].matches[0].path.value: "two" does not begin with /`}},
		},
		"two elements for one": {
			reason: "no path could have it as its last",
			change: func(s *Snapshot) {
				s.Routes[0].Rules[1].Matches[0].PathType, s.Routes[0].Rules[1].Matches[0].Path = PathLastElement, "a/b"
			},
			want:   func(o *outcome) { o.Rules[1] = "broken b" },
			errors: []Error{{"r", CodeInvalid, `rules[1].matches[0].path.value: "a/b" is not one element of a path`}},
		},
		"expression for one": {
			reason: "it is one of RE2's",
			change: func(s *Snapshot) {
				s.Routes[0].Rules[1].Matches[0].PathType, s.Routes[0].Rules[1].Matches[0].Path = PathLastExpression, "a("
			},
			want:   func(o *outcome) { o.Rules[1] = "broken b" },
			errors: []Error{{"r", CodeInvalid, `rules[1].matches[0].path.value: "a(" is not a regular expression: missing closing )`}},
		},
		"path with empty elements": {
			reason: "must not contain consecutive slashes",
			change: func(s *Snapshot) { s.Routes[0].Rules[1].Matches[0].Path = "/a//b" },
			want:   func(o *outcome) { o.Rules[1] = "broken b" },
			errors: []Error{{"r", CodeInvalid, `rules[1].matches[0].path.value: "/a//b" contains //`}},
		},
		"method": {
			reason: "what is no token is no method",
			change: func(s *Snapshot) { s.Routes[0].Rules[1].Matches[0].Method = "GET /" },
			want:   func(o *outcome) { o.Rules[1] = "broken b" },
			errors: []Error{{"r", CodeInvalid, `rules[1].matches[0].method: "GET /" is not a method`}},
		},
		"rule without matches": {
			reason: "the operator always sends one; nothing is not everything",
			change: func(s *Snapshot) { s.Routes[0].Rules[0].Matches = nil },
			want:   func(o *outcome) { o.Rules[0] = "b" },
			errors: []Error{{"r", CodeInvalid, "rules[0].matches: at least one is needed"}},
		},
		"rule with what is not known": {
			reason: "a filter of a newer operator must not be passed over",
			change: func(s *Snapshot) { s.Routes[0].Rules[0].Unsupported = "Rule: field 9" },
			want:   func(o *outcome) { o.Rules[0] = "broken /one b" },
			errors: []Error{{"r", CodeUnsupported, "rules[0]: Rule: field 9"}},
		},
		"route with what is not known": {
			reason: "it may concern every rule",
			change: func(s *Snapshot) { s.Routes[0].Unsupported = "Route: field 9" },
			want:   func(o *outcome) { o.Rules = []string{"broken /one b", "broken /two b"} },
			errors: []Error{{"r", CodeUnsupported, "Route: field 9"}},
		},
		"weight": {
			reason: "a weight beyond the API's bound is not guessed at",
			change: func(s *Snapshot) { s.Routes[0].Rules[0].Backends[0].Weight = 1_000_001 },
			want:   func(o *outcome) { o.Rules[0] = "broken /one" },
			errors: []Error{{"r", CodeInvalid, "rules[0].backends[0].weight: 1000001 is more than 1000000"}},
		},
		"weight 0": {
			reason: "a backend of weight 0 gets no share",
			change: func(s *Snapshot) { s.Routes[0].Rules[0].Backends[0].Weight = 0 },
			want:   func(o *outcome) { o.Rules[0] = "/one" },
		},
		"reference that was not resolved": {
			reason: "its share answers 500, and the operator said why where it belongs",
			change: func(s *Snapshot) { s.Routes[0].Rules[0].Backends[0].Backend = "" },
			want:   func(o *outcome) { o.Rules[0] = "/one 500" },
		},
		"backend that is not in the table": {
			reason: "its share answers 500",
			change: func(s *Snapshot) { s.Routes[0].Rules[0].Backends[0].Backend = "not-there" },
			want:   func(o *outcome) { o.Rules[0] = "/one 500" },
			errors: []Error{{"r", CodeMissingReference, `rules[0].backends[0].backend: "not-there" is not in the table`}},
		},
		"backend of unknown protocol": {
			reason: "the backend is to blame, not the routes",
			change: func(s *Snapshot) { s.Backends[0].Protocol = 3 },
			want:   func(o *outcome) { o.Backends, o.Rules = nil, []string{"/one 500", "/two 500"} },
			errors: []Error{{"b", CodeUnsupported, "protocol: 3 is not known"}},
		},
		"backend without endpoints": {
			reason: "endpoints that are not in the table are not the same as none",
			change: func(s *Snapshot) { s.Endpoints = nil },
			want:   func(o *outcome) { o.Backends, o.Rules = nil, []string{"/one 500", "/two 500"} },
			errors: []Error{{"b", CodeMissingReference, `endpoints: "e" is not in the table`}},
		},
		"one endpoint": {
			reason: "a bad address is left out, the others serve",
			change: func(s *Snapshot) {
				s.Endpoints[0].Endpoints = append(s.Endpoints[0].Endpoints,
					Endpoint{Address: "name", Port: 80, State: EndpointReady},
					Endpoint{Address: "10.0.0.2", Port: 70000, State: EndpointReady},
					Endpoint{Address: "10.0.0.3", Port: 80, State: 5})
			},
			errors: []Error{
				{"e", CodeInvalid, `endpoints[1].address: "name" is not an IP address`},
				{"e", CodeInvalid, "endpoints[2].port: 70000 is not between 1 and 65535"},
				{"e", CodeUnsupported, "endpoints[3].state: 5 is not known"},
			},
		},
		"unknown kind": {
			reason: "it is held and reported, and serves nothing",
			change: func(s *Snapshot) { s.Unknown = []*Unknown{{Name: "u", Reason: "spec: unknown"}} },
			errors: []Error{{"u", CodeUnsupported, "spec: unknown"}},
		},
		"overlong name": {
			reason: "the bound of the API is one of the operator's faults to hear of",
			change: func(s *Snapshot) {
				s.Endpoints = append(s.Endpoints, &Endpoints{Name: strings.Repeat("n", 1025)})
			},
			errors: []Error{{strings.Repeat("n", 1025), CodeInvalid, "name: has 1025 bytes, at most 1024 are allowed"}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			snapshot := world()
			test.change(snapshot)
			want := outcomeOf(must(t, world()))
			if diff := cmp.Diff(good, want); diff != "" {
				t.Fatalf("the world itself (-want +got):\n%s", diff)
			}
			if test.want != nil {
				test.want(&want)
			}
			plan, errors := Compile(snapshot)
			if diff := cmp.Diff(want, outcomeOf(plan)); diff != "" {
				t.Errorf("%s: plan (-want +got):\n%s", test.reason, diff)
			}
			if diff := cmp.Diff(test.errors, errors); diff != "" {
				t.Errorf("%s: errors (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func must(t *testing.T, snapshot *Snapshot) *Plan {
	t.Helper()
	plan, errors := Compile(snapshot)
	if len(errors) > 0 {
		t.Fatalf("errors in a good world: %v", errors)
	}
	return plan
}

func TestEndpointsAreDistinctAndSorted(t *testing.T) {
	snapshot := world()
	snapshot.Endpoints[0].Endpoints = []Endpoint{
		{Address: "10.0.0.2", Port: 80, State: EndpointReady},
		{Address: "::ffff:10.0.0.1", Port: 80, State: EndpointReady},
		{Address: "10.0.0.2", Port: 80, State: EndpointReady},
		{Address: "fd00::1", Port: 80, State: EndpointDraining},
	}
	want := PlannedBackend{
		Name: "b", Endpoints: "e", Protocol: BackendHTTP1,
		Ready:    []netip.AddrPort{addresses1[0], netip.MustParseAddrPort("10.0.0.2:80")},
		Draining: []netip.AddrPort{netip.MustParseAddrPort("[fd00::1]:80")},
	}
	got := must(t, snapshot).Backends[0]
	if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.AddrPort{})); diff != "" {
		t.Errorf("backend (-want +got):\n%s", diff)
	}
}
