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
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/testca"
)

// streams is a snapshot in which everything serves: one route of TLS, one of TCP, one of UDP.
func streams(t *testing.T) *Snapshot {
	t.Helper()
	pair := testca.New(t).Issue(t, "spiffe://a")
	return &Snapshot{
		Certificates: []*Certificate{{Name: "c", Chain: pair.Certificate, Key: pair.Key}},
		Listeners: []*Listener{
			{Name: "https", Port: 443, Protocol: ProtocolHTTPS, Hostname: "a.test", Certificates: []string{"c"}},
			{Name: "passthrough", Port: 443, Protocol: ProtocolTLS, Hostname: "*.A.test", Passthrough: true},
			{Name: "terminate", Port: 443, Protocol: ProtocolTLS, Hostname: "b.test", Certificates: []string{"c"}},
			{Name: "tcp", Port: 53, Protocol: ProtocolTCP, Hostname: "ignored_"},
			{Name: "udp", Port: 53, Protocol: ProtocolUDP},
		},
		StreamRoutes: []*StreamRoute{
			{Name: "tls", Attachments: []Attachment{{Listener: "passthrough", Hostnames: []string{"X.a.test"}}, {Listener: "terminate"}}, Backends: toBackend("tcp", 2)},
			{Name: "tcp", Attachments: []Attachment{{Listener: "tcp", Hostnames: []string{"ignored.test"}}}, Backends: toBackend("tcp", 1)},
			{Name: "udp", Attachments: []Attachment{{Listener: "udp"}}, Backends: toBackend("udp", 1)},
		},
		Backends: []*Backend{
			{Name: "http", Protocol: BackendHTTP1, Endpoints: "e"},
			{Name: "tcp", Protocol: BackendTCP, Endpoints: "e", ProxyProtocol: 2},
			{Name: "udp", Protocol: BackendUDP, Endpoints: "e"},
		},
		Endpoints: []*Endpoints{{Name: "e", Endpoints: []Endpoint{{Address: "10.0.0.1", Port: 80, State: EndpointReady}}}},
	}
}

func toBackend(name string, weight uint32) []WeightedBackend {
	return []WeightedBackend{{Backend: name, Weight: weight}}
}

// streamText is what of a plan the cases look at: "listeners; route attachments -> shares; ...".
func streamText(plan *Plan) string {
	var names []string
	for _, l := range plan.Listeners {
		names = append(names, l.Name)
	}
	text := []string{strings.Join(names, " ")}
	for _, r := range plan.StreamRoutes {
		route := r.Name
		for _, a := range r.Attachments {
			route += fmt.Sprintf(" %s%v", a.Listener, a.Hostnames)
		}
		route += " ->"
		for _, s := range r.Shares {
			name := "none"
			if s.Backend != NoBackend {
				name = plan.Backends[s.Backend].Name
			}
			route += fmt.Sprintf(" %s=%d", name, s.Weight)
		}
		text = append(text, route)
	}
	return strings.Join(text, "; ")
}

func TestStreams(t *testing.T) {
	const listeners, tcp, tls, udp = "https passthrough tcp terminate udp", "; tcp tcp[] -> tcp=1", "; tls passthrough[x.a.test] terminate[] -> tcp=2", "; udp udp[] -> udp=1"
	tests := map[string]struct {
		reason string
		change func(*Snapshot)
		want   string
		errors []Error
	}{
		"good": {"HTTPS and TLS share a port, and so do TCP and UDP", func(*Snapshot) {}, listeners + tcp + tls + udp, nil},
		"older": {"the oldest route comes first, whatever its name", func(s *Snapshot) {
			s.StreamRoutes[0].Origin.Created, s.StreamRoutes[1].Origin.Created, s.StreamRoutes[2].Origin.Created = time.Unix(1, 0), time.Unix(2, 0), time.Unix(3, 0)
		}, listeners + tls + tcp + udp, nil},
		"server name twice": {"connections could not be told apart", func(s *Snapshot) { s.Listeners[2].Hostname = "*.a.test" },
			"https passthrough tcp udp" + tcp + "; tls passthrough[x.a.test] -> tcp=2" + udp,
			[]Error{{"terminate", CodeInvalid, `port and hostname: 443 and "*.a.test" are those of passthrough`}}},
		"protocols that do not go together": {"what comes without TLS says for nobody whom it is for", func(s *Snapshot) { s.Listeners[3].Port = 443 },
			"https passthrough terminate udp; tcp -> tcp=1" + tls + udp, []Error{{"tcp", CodeInvalid, "protocol: https has another one on port 443"}}},
		"passthrough of HTTPS": {"requests cannot be seen without ending TLS", func(s *Snapshot) { s.Listeners[0].Passthrough = true },
			"passthrough tcp terminate udp" + tcp + tls + udp, []Error{{"https", CodeInvalid, "passthrough: only a listener of the protocol TLS has it"}}},
		"certificates of passthrough": {"the endpoint shows its own", func(s *Snapshot) { s.Listeners[1].Certificates = []string{"c"} },
			"https tcp terminate udp" + tcp + "; tls terminate[] -> tcp=2" + udp, []Error{{"passthrough", CodeInvalid, "certificates: only a listener where TLS ends has any"}}},
		"no certificate": {"TLS cannot end without", func(s *Snapshot) { s.Listeners[2].Certificates = nil },
			"https passthrough tcp udp" + tcp + "; tls passthrough[x.a.test] -> tcp=2" + udp, []Error{{"terminate", CodeInvalid, errNoCertificate.Error()}}},
		"listener for requests": {"a stream has none", func(s *Snapshot) { s.StreamRoutes[1].Attachments[0].Listener = "https" },
			listeners + "; tcp -> tcp=1" + tls + udp, []Error{{"tcp", CodeInvalid, `attachments[0].listener: "https" is one for requests`}}},
		"request on streams": {"nobody reads requests there", func(s *Snapshot) {
			s.Routes = []*Route{{Name: "r", Attachments: []Attachment{{Listener: "tcp"}}, Rules: []Rule{rule("/", "http")}}}
		}, listeners + tcp + tls + udp, []Error{{"r", CodeInvalid, `attachments[0].listener: "tcp" is none for requests`}}},
		"both TCP and UDP": {"a backend is of one of them", func(s *Snapshot) {
			s.StreamRoutes[1].Attachments = append(s.StreamRoutes[1].Attachments, Attachment{Listener: "udp"})
		}, listeners + tcp + tls + udp, []Error{{"tcp", CodeInvalid, `attachments[1].listener: "udp" and the first are not both for datagrams`}}},
		"backend for requests": {"its share relays nothing, and is not given to others", func(s *Snapshot) {
			s.StreamRoutes[1].Backends = append(toBackend("tcp", 1), toBackend("http", 3)...)
		}, listeners + "; tcp tcp[] -> tcp=1 none=3" + tls + udp, []Error{{"tcp", CodeInvalid, `backends[1].backend: "http" is of another protocol`}}},
		"requests to a backend of streams": {"HTTP is not spoken to it", func(s *Snapshot) {
			s.Routes = []*Route{{Name: "r", Attachments: []Attachment{{Listener: "https"}}, Rules: []Rule{rule("/", "tcp")}}}
		}, listeners + tcp + tls + udp, []Error{{"r", CodeInvalid, `rules[0].backends[0].backend: "tcp" is for stream routes`}}},
		"backend that is not there": {"likewise", func(s *Snapshot) { s.StreamRoutes[1].Backends[0].Backend = "gone" },
			listeners + "; tcp tcp[] -> none=1" + tls + udp, []Error{{"tcp", CodeMissingReference, `backends[0].backend: "gone" is not in the table`}}},
		"backend not resolved": {"the operator has said so", func(s *Snapshot) { s.StreamRoutes[1].Backends[0].Backend = "" }, listeners + "; tcp tcp[] -> none=1" + tls + udp, nil},
		"weight 0":             {"it has no share", func(s *Snapshot) { s.StreamRoutes[1].Backends[0].Weight = 0 }, listeners + "; tcp tcp[] ->" + tls + udp, nil},
		"weight": {"one that is out of bounds says nothing of the others", func(s *Snapshot) {
			s.StreamRoutes[1].Backends = append(toBackend("tcp", 1), toBackend("tcp", maxWeight+1)...)
		}, listeners + "; tcp tcp[] ->" + tls + udp, []Error{{"tcp", CodeInvalid, "backends[1].weight: 1000001 is more than 1000000"}}},
		"filters":     {"there are no requests for them", func(s *Snapshot) { s.StreamRoutes[1].Backends[0].Filters = []Filter{{}} }, listeners + "; tcp tcp[] ->" + tls + udp, []Error{{"tcp", CodeInvalid, "backends[0].filters: a stream route has none"}}},
		"newer route": {"what is not known may restrict it", func(s *Snapshot) { s.StreamRoutes[1].Unsupported = "x" }, listeners + "; tcp tcp[] ->" + tls + udp, []Error{{"tcp", CodeUnsupported, "x"}}},
		"version of the header": {"an endpoint would take it for content", func(s *Snapshot) { s.Backends[1].ProxyProtocol = 3 },
			listeners + "; tcp tcp[] -> none=1; tls passthrough[x.a.test] terminate[] -> none=2" + udp, []Error{{"tcp", CodeUnsupported, "proxy_protocol: 3 is not known"}}},
		"header of datagrams": {"they have no beginning", func(s *Snapshot) { s.Backends[2].ProxyProtocol = 2 },
			listeners + tcp + tls + "; udp udp[] -> none=1", []Error{{"udp", CodeInvalid, "proxy_protocol: datagrams have none"}}},
		"TLS of datagrams": {"DTLS is something else", func(s *Snapshot) { s.Backends[2].TLS = &BackendTLS{Hostname: "a.test", SystemAuthorities: true} },
			listeners + tcp + tls + "; udp udp[] -> none=1", []Error{{"udp", CodeInvalid, "tls: datagrams have none"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := streams(t)
			test.change(s)
			plan, errs := Compile(s)
			if got := streamText(plan); got != test.want {
				t.Errorf("%s:\ngot  %s\nwant %s", test.reason, got, test.want)
			}
			if diff := cmp.Diff(test.errors, errs); diff != "" {
				t.Errorf("%s: errors (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestTrustedPeers(t *testing.T) {
	trusting := func(peers ...string) *AcceptProxyProtocol { return &AcceptProxyProtocol{TrustedPeers: peers} }
	tests := map[string]struct {
		reason   string
		accepted *AcceptProxyProtocol
		protocol Protocol
		want     string
		fault    string
	}{
		"none":      {"nobody may", nil, ProtocolTCP, "[]", ""},
		"networks":  {"sorted and cut, each once, so that equal is equal", trusting("10.1.2.3/8", "fd00::/8", "10.0.0.0/8"), ProtocolTCP, "[10.0.0.0/8 fd00::/8]", ""},
		"HTTP too":  {"whatever comes over TCP", trusting("10.0.0.0/8"), ProtocolHTTP, "[10.0.0.0/8]", ""},
		"empty":     {"everybody and nobody would both be guesses", trusting(), ProtocolTCP, "", "proxy_protocol.trusted_peers: at least one is needed"},
		"address":   {"how many bits count is not guessed", trusting("10.0.0.0/8", "10.0.0.1"), ProtocolTCP, "", `proxy_protocol.trusted_peers[1]: "10.0.0.1" is not a network in CIDR notation`},
		"mapped":    {"no peer has such an address", trusting("::ffff:10.0.0.0/104"), ProtocolTCP, "", `proxy_protocol.trusted_peers[0]: "::ffff:10.0.0.0/104" is not a network in CIDR notation`},
		"datagrams": {"they have no beginning", trusting("10.0.0.0/8"), ProtocolUDP, "", "proxy_protocol: datagrams have none"},
		"too many":  {"they are looked through for each connection", trusting(strings.Split(strings.Repeat("10.0.0.0/8 ", maxTrustedPeers)+"10.0.0.0/8", " ")...), ProtocolTCP, "", "proxy_protocol.trusted_peers: there are 257, at most 256 are allowed"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan, errs := Compile(&Snapshot{Listeners: []*Listener{{Name: "l", Port: 1, Protocol: test.protocol, ProxyProtocol: test.accepted}}})
			if test.fault != "" {
				if len(errs) != 1 || errs[0].Message != test.fault || len(plan.Ports()) > 0 {
					t.Errorf("%s: got %v, %v", test.reason, errs, plan.Ports())
				}
				return
			}
			if len(errs) > 0 || fmt.Sprint(plan.Ports()[0].Trusted) != test.want {
				t.Errorf("%s: got %v, %v", test.reason, errs, plan.Ports())
			}
		})
	}
	// A header is read before anything tells one listener of a port from another.
	_, errs := Compile(&Snapshot{Listeners: []*Listener{
		{Name: "a", Port: 80, Protocol: ProtocolHTTP, Hostname: "a.test", ProxyProtocol: trusting("10.0.0.0/8")},
		{Name: "b", Port: 80, Protocol: ProtocolHTTP, Hostname: "b.test"},
	}})
	if len(errs) != 1 || errs[0].Message != "proxy_protocol: a has other trusted peers on port 80" {
		t.Errorf("got %v", errs)
	}
}

func TestPortsOfStreams(t *testing.T) {
	plan, errs := Compile(streams(t))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var got []string
	for _, port := range plan.Ports() {
		text := fmt.Sprintf("%d %q", port.Number, port.Stream)
		for _, i := range port.Identities {
			text += fmt.Sprintf(" %s %q passes=%t stream=%t", i.Listener, i.Hostname, i.Passes(), i.Stream)
		}
		got = append(got, text)
	}
	want := []string{`53 "tcp"`, `443 "" https "a.test" passes=false stream=false passthrough "*.a.test" passes=true stream=true terminate "b.test" passes=false stream=true`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ports of TCP (-want +got):\n%s", diff)
	}
}
