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

package topology_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

func TestStreamListeners(t *testing.T) {
	const (
		fine        = "Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=True/ResolvedRefs"
		incomplete  = "Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=False/InvalidCertificateRef"
		protocol    = "Accepted=False/ProtocolConflict Conflicted=True/ProtocolConflict ResolvedRefs=True/ResolvedRefs"
		hostname    = "Accepted=False/HostnameConflict Conflicted=True/HostnameConflict ResolvedRefs=True/ResolvedRefs"
		certificate = ", tls: {certificateRefs: [{name: tls}]}}"
		passthrough = ", tls: {mode: Passthrough}}"
		http        = " kinds=[HTTPRoute GRPCRoute] attached=0"
		tls         = " kinds=[TLSRoute] attached=0"
		tcp         = " kinds=[TCPRoute] attached=0"
		udp         = " kinds=[UDPRoute] attached=0"
	)
	chain, key := topologytest.KeyPair(t, "a.test")
	cases := map[string]struct {
		reason    string
		listeners []string
		want      []string
		ports     []int32
		message   string // part of the Gateway's Accepted message
	}{
		"one of each": {
			reason: "all protocols are served, TLS with and without passing through",
			listeners: []string{
				`{name: tcp, port: 9000, protocol: TCP}`, `{name: udp, port: 53, protocol: UDP}`,
				`{name: pass, port: 443, protocol: TLS` + passthrough, `{name: end, port: 8443, protocol: TLS` + certificate,
			},
			want:  []string{"tcp: " + fine + tcp, "udp: " + fine + udp, "pass: " + fine + tls, "end: " + fine + tls},
			ports: []int32{53, 443, 8443, 9000},
		},
		"TLS that ends without a certificate": {
			reason:    "there is nothing to answer a handshake with; passing through needs none",
			listeners: []string{`{name: end, port: 443, protocol: TLS}`, `{name: pass, port: 444, protocol: TLS` + passthrough},
			want:      []string{"end: " + incomplete + tls, "pass: " + fine + tls},
			ports:     []int32{444},
		},
		"passing through with certificates": {
			reason:    "\"The certificateRefs field is ignored in this mode\"",
			listeners: []string{`{name: pass, port: 443, protocol: TLS, tls: {mode: Passthrough, certificateRefs: [{name: absent}]}}`},
			want:      []string{"pass: " + fine + tls},
			ports:     []int32{443},
		},
		"TCP and UDP of one number": {
			reason:    "they are ports of different kinds",
			listeners: []string{`{name: tcp, port: 53, protocol: TCP}`, `{name: udp, port: 53, protocol: UDP}`, `{name: http, port: 80, protocol: HTTP}`, `{name: u80, port: 80, protocol: UDP}`},
			want:      []string{"tcp: " + fine + tcp, "udp: " + fine + udp, "http: " + fine + http, "u80: " + fine + udp},
			ports:     []int32{53, 80},
		},
		"two of TCP, two of UDP": {
			reason:    "there is no hostname that would tell them from each other",
			listeners: []string{`{name: a, port: 1, protocol: TCP}`, `{name: b, port: 1, protocol: TCP}`, `{name: c, port: 2, protocol: UDP}`, `{name: d, port: 2, protocol: UDP}`},
			want:      []string{"a: " + protocol + tcp, "b: " + protocol + tcp, "c: " + protocol + udp, "d: " + protocol + udp},
			message:   `listener "a": port 1 is also used by listeners "b": use different ports`,
		},
		"TCP beside others": {
			reason:    "\"all the Listeners that share a port with the TCP Listener are not distinct and so MUST NOT be accepted\"",
			listeners: []string{`{name: tcp, port: 80, protocol: TCP}`, `{name: http, port: 80, protocol: HTTP, hostname: a.test}`, `{name: pass, port: 80, protocol: TLS, hostname: b.test` + passthrough},
			want:      []string{"tcp: " + protocol + tcp, "http: " + protocol + http, "pass: " + protocol + tls},
			message:   `listener "http": port 80 is also used with another protocol by listeners "tcp", "pass"`,
		},
		"HTTP and TLS": {
			reason:    "what is in clear text begins with no ClientHello, whatever the hostnames",
			listeners: []string{`{name: http, port: 80, protocol: HTTP, hostname: a.test}`, `{name: pass, port: 80, protocol: TLS, hostname: b.test` + passthrough},
			want:      []string{"http: " + protocol + http, "pass: " + protocol + tls},
		},
		"HTTPS, TLS that ends and TLS that does not": {
			reason: "the server name tells them from each other",
			listeners: []string{
				`{name: https, port: 443, protocol: HTTPS, hostname: a.test` + certificate,
				`{name: end, port: 443, protocol: TLS, hostname: "*.test"` + certificate,
				`{name: pass, port: 443, protocol: TLS` + passthrough,
			},
			want:  []string{"https: " + fine + http, "end: " + fine + tls, "pass: " + fine + tls},
			ports: []int32{443},
		},
		"HTTPS and TLS of one hostname": {
			reason:    "\"a traffic flow MUST be able to be assigned to exactly one listener\"",
			listeners: []string{`{name: https, port: 443, protocol: HTTPS, hostname: a.test` + certificate, `{name: pass, port: 443, protocol: TLS, hostname: a.test` + passthrough},
			want:      []string{"https: " + hostname + http, "pass: " + hostname + tls},
			message:   `hostname "a.test" are also those of listeners "pass"`,
		},
		"two modes of one hostname": {
			reason:    "\"Listeners that _only_ differ on TLS config will still conflict in all cases\"",
			listeners: []string{`{name: end, port: 443, protocol: TLS, hostname: a.test` + certificate, `{name: pass, port: 443, protocol: TLS, hostname: a.test` + passthrough},
			want:      []string{"end: " + hostname + tls, "pass: " + hostname + tls},
		},
		"kinds of another protocol": {
			reason:    "conformance: a TLS listener lists TLSRoute of TCPRoute and TLSRoute, and says what is wrong",
			listeners: []string{`{name: pass, port: 443, protocol: TLS, allowedRoutes: {kinds: [{kind: TCPRoute}, {kind: TLSRoute}]}` + passthrough},
			want:      []string{"pass: Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=False/InvalidRouteKinds" + tls},
			ports:     []int32{443},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			built := topology.Build(topologytest.Parse(t, gatewayWith(c.listeners...), topologytest.Secret("shop", "tls", chain, key)).Input)
			if diff := cmp.Diff(c.want, listenerLines(built)); diff != "" {
				t.Errorf("%s: listeners (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(c.ports, built.Ports()); diff != "" {
				t.Errorf("%s: ports (-want +got):\n%s", c.reason, diff)
			}
			if !strings.Contains(built.Accepted.Message, c.message) {
				t.Errorf("%s: message %q lacks %q", c.reason, built.Accepted.Message, c.message)
			}
		})
	}
}
