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
	"strings"
	"testing"

	"github.com/rauta-dev/rauta/proxy/testca"
)

func TestTLSOptions(t *testing.T) {
	pair := testca.New(t).Issue(t, "spiffe://a")
	tests := map[string]struct {
		reason   string
		protocol Protocol
		options  TLSOptions
		fault    string
	}{
		"nothing":       {"it is the proxy's choice", ProtocolHTTPS, TLSOptions{}, ""},
		"one version":   {"the least may be the greatest", ProtocolHTTPS, TLSOptions{Min: TLS13, Max: TLS13}, ""},
		"HTTP/1.1":      {"for clients that get on badly with HTTP/2", ProtocolHTTPS, TLSOptions{Protocols: []string{"http/1.1"}}, ""},
		"in its order":  {"the first that the client has too is used", ProtocolHTTPS, TLSOptions{Protocols: []string{"http/1.1", "h2"}}, ""},
		"for streams":   {"TLS ends there too", ProtocolTLS, TLSOptions{Min: TLS13}, ""},
		"the future":    {"who asks for more must not get less", ProtocolHTTPS, TLSOptions{Min: TLS13 + 1}, "tls_options.min_version: 3 is not known"},
		"its end":       {"likewise", ProtocolHTTPS, TLSOptions{Max: -1}, "tls_options.max_version: -1 is not known"},
		"no version":    {"nobody could be served", ProtocolHTTPS, TLSOptions{Min: TLS13, Max: TLS12}, "tls_options.max_version: is below min_version"},
		"unknown":       {"there is no codec for it", ProtocolHTTPS, TLSOptions{Protocols: []string{"http/1.1", "h3"}}, "tls_options.alpn_protocols[1]: \"h3\" is not known"},
		"twice":         {"a mistake", ProtocolHTTPS, TLSOptions{Protocols: []string{"http/1.1", "http/1.1"}}, "tls_options.alpn_protocols[1]:"},
		"HTTP/2 alone":  {"clients without ALPN would speak HTTP/1.1 all the same", ProtocolHTTPS, TLSOptions{Protocols: []string{"h2"}}, "tls_options.alpn_protocols: http/1.1 has to be there"},
		"ALPN of what?": {"what streams carry is nobody's concern", ProtocolTLS, TLSOptions{Protocols: []string{"http/1.1"}}, "tls_options.alpn_protocols: only a listener of the protocol HTTPS"},
		"clear text":    {"without TLS there is nothing to agree to", ProtocolHTTP, TLSOptions{}, "tls_options: only a listener where TLS ends has any"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := &Listener{Name: "listener/a", Port: 443, Protocol: test.protocol, TLS: &test.options}
			if test.protocol != ProtocolHTTP {
				l.Certificates = []string{"certificate/a"}
			}
			plan, faults := Compile(&Snapshot{
				Listeners: []*Listener{l}, Certificates: []*Certificate{{Name: "certificate/a", Chain: pair.Certificate, Key: pair.Key}},
			})
			if test.fault == "" {
				if len(faults) > 0 || len(plan.Listeners) != 1 || !plan.Ports()[0].Identities[0].TLS.Equal(&test.options) {
					t.Errorf("%s: got %v, %+v", test.reason, faults, plan.Listeners)
				}
				return
			}
			if len(faults) != 1 || faults[0].Resource != l.Name || !strings.HasPrefix(faults[0].Message, test.fault) || len(plan.Listeners) > 0 {
				t.Errorf("%s: got %v", test.reason, faults)
			}
		})
	}
}

// A listener whose options change has to be served in another way, and one whose options stay as it is.
func TestTLSOptionsAreCompared(t *testing.T) {
	base := &TLSOptions{Min: TLS12, Max: TLS13, Protocols: []string{"h2", "http/1.1"}}
	for name, c := range map[string]struct {
		other *TLSOptions
		equal bool
	}{
		"the same":           {&TLSOptions{Min: TLS12, Max: TLS13, Protocols: []string{"h2", "http/1.1"}}, true},
		"none":               {nil, false},
		"another least":      {&TLSOptions{Min: TLS13, Max: TLS13, Protocols: []string{"h2", "http/1.1"}}, false},
		"another greatest":   {&TLSOptions{Min: TLS12, Max: TLS12, Protocols: []string{"h2", "http/1.1"}}, false},
		"another preference": {&TLSOptions{Min: TLS12, Max: TLS13, Protocols: []string{"http/1.1", "h2"}}, false},
	} {
		if base.Equal(c.other) != c.equal || c.other.Equal(base) != c.equal || (Identity{TLS: base}).Equal(Identity{TLS: c.other}) != c.equal {
			t.Errorf("%s: equal should be %v", name, c.equal)
		}
	}
}
