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

// gatewayWith is a Gateway shop/web with the given listeners, in YAML's flow style, one a line.
func gatewayWith(listeners ...string) string {
	return "kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec:\n  gatewayClassName: rauta\n  listeners:\n  - " +
		strings.Join(listeners, "\n  - ")
}

func TestListeners(t *testing.T) {
	const (
		fine    = "Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=True/ResolvedRefs"
		foreign = "Accepted=False/UnsupportedProtocol Conflicted=False/NoConflicts ResolvedRefs=True/ResolvedRefs"
	)
	cases := map[string]struct {
		reason    string
		listeners []string
		gateway   string
		want      []string
		ports     []int32
		message   string // part of the Gateway's Accepted message
	}{
		"one HTTP listener": {
			reason:    "the plainest Gateway is accepted whole",
			listeners: []string{`{name: http, port: 80, protocol: HTTP}`},
			gateway:   "Accepted=True/Accepted",
			want:      []string{"http: " + fine + " kinds=[HTTPRoute GRPCRoute] attached=0"},
			ports:     []int32{80},
		},
		"several hostnames on one port": {
			reason: "listeners of one port are distinct when their hostnames differ, and share the port",
			listeners: []string{
				`{name: any, port: 80, protocol: HTTP}`,
				`{name: wild, port: 80, protocol: HTTP, hostname: "*.example.com"}`,
				`{name: exact, port: 80, protocol: HTTP, hostname: a.example.com}`,
				`{name: other, port: 8080, protocol: HTTP}`,
			},
			gateway: "Accepted=True/Accepted",
			want: []string{
				"any: " + fine + " kinds=[HTTPRoute GRPCRoute] attached=0",
				"wild: " + fine + " kinds=[HTTPRoute GRPCRoute] attached=0",
				"exact: " + fine + " kinds=[HTTPRoute GRPCRoute] attached=0",
				"other: " + fine + " kinds=[HTTPRoute GRPCRoute] attached=0",
			},
			ports: []int32{80, 8080},
		},
		"no listener of a supported protocol": {
			reason:    "conformance: a Gateway without an accepted listener is not accepted, with reason ListenersNotValid",
			listeners: []string{`{name: invalid, port: 1111, protocol: INVALID}`},
			gateway:   "Accepted=False/ListenersNotValid",
			want:      []string{"invalid: " + foreign + " kinds=[] attached=0"},
			message:   `listener "invalid": protocol "INVALID" is not supported`,
		},
		"supported and unsupported protocols": {
			reason: "conformance: one valid listener is enough for Accepted=True, and the reason tells of the others",
			listeners: []string{
				`{name: http, port: 80, protocol: HTTP}`,
				`{name: sctp, port: 443, protocol: example.com/sctp}`,
				`{name: other, port: 80, protocol: example.com/other}`,
			},
			gateway: "Accepted=True/ListenersNotValid",
			want: []string{
				"http: " + fine + " kinds=[HTTPRoute GRPCRoute] attached=0",
				"sctp: " + foreign + " kinds=[] attached=0",
				"other: " + foreign + " kinds=[] attached=0",
			},
			ports:   []int32{80},
			message: "1 of 3 listeners are valid",
		},
		"same port and hostname twice": {
			reason: "the specification forbids picking a winner: both are refused, the third is not affected",
			listeners: []string{
				`{name: a, port: 80, protocol: HTTP, hostname: x.test}`,
				`{name: b, port: 80, protocol: HTTP, hostname: x.test}`,
				`{name: c, port: 80, protocol: HTTP, hostname: y.test}`,
			},
			gateway: "Accepted=True/ListenersNotValid",
			want: []string{
				"a: Accepted=False/HostnameConflict Conflicted=True/HostnameConflict ResolvedRefs=True/ResolvedRefs kinds=[HTTPRoute GRPCRoute] attached=0",
				"b: Accepted=False/HostnameConflict Conflicted=True/HostnameConflict ResolvedRefs=True/ResolvedRefs kinds=[HTTPRoute GRPCRoute] attached=0",
				"c: " + fine + " kinds=[HTTPRoute GRPCRoute] attached=0",
			},
			ports:   []int32{80},
			message: `listener "a": port 80 and hostname "x.test" are also those of listeners "b": make them differ`,
		},
		"HTTP and HTTPS on one port": {
			reason: "clear text and TLS cannot share a port, whatever the hostnames",
			listeners: []string{
				`{name: http, port: 80, protocol: HTTP, hostname: x.test}`,
				`{name: https, port: 80, protocol: HTTPS, hostname: y.test}`,
			},
			gateway: "Accepted=False/ListenersNotValid",
			want: []string{
				"http: Accepted=False/ProtocolConflict Conflicted=True/ProtocolConflict ResolvedRefs=True/ResolvedRefs kinds=[HTTPRoute GRPCRoute] attached=0",
				"https: Accepted=False/ProtocolConflict Conflicted=True/ProtocolConflict ResolvedRefs=False/InvalidCertificateRef kinds=[HTTPRoute GRPCRoute] attached=0",
			},
			message: "port 80 is also used with another protocol",
		},
		"only invalid route kinds": {
			reason:    "conformance: kinds that are not supported must not appear, and ResolvedRefs says so",
			listeners: []string{`{name: http, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: InvalidRoute}]}}`},
			gateway:   "Accepted=True/Accepted",
			want:      []string{"http: Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=False/InvalidRouteKinds kinds=[] attached=0"},
			ports:     []int32{80},
		},
		"valid and invalid route kinds": {
			reason:    "conformance: of valid and invalid kinds the valid ones are listed, each once",
			listeners: []string{`{name: http, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: InvalidRoute}, {kind: HTTPRoute}, {group: gateway.networking.k8s.io, kind: HTTPRoute}]}}`},
			gateway:   "Accepted=True/Accepted",
			want:      []string{"http: Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=False/InvalidRouteKinds kinds=[HTTPRoute] attached=0"},
			ports:     []int32{80},
		},
		"HTTPRoute of another group": {
			reason:    "a kind is what it is only in its group",
			listeners: []string{`{name: http, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{group: example.com, kind: HTTPRoute}]}}`},
			gateway:   "Accepted=True/Accepted",
			want:      []string{"http: Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=False/InvalidRouteKinds kinds=[] attached=0"},
			ports:     []int32{80},
		},
		"a selector that cannot be read": {
			reason:    "the API server does not validate label selectors here, and a bad one must neither match everything nor crash",
			listeners: []string{`{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchExpressions: [{key: a, operator: Near, values: [b]}]}}}}`},
			gateway:   "Accepted=False/ListenersNotValid",
			want:      []string{"http: Accepted=False/UnsupportedValue Conflicted=False/NoConflicts ResolvedRefs=True/ResolvedRefs kinds=[HTTPRoute GRPCRoute] attached=0"},
			message:   "allowedRoutes.namespaces.selector",
		},
		"a selector that is missing": {
			reason:    "from: Selector without a selector is a mistake to be told of, not a listener that nobody can use",
			listeners: []string{`{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector}}}`},
			gateway:   "Accepted=False/ListenersNotValid",
			want:      []string{"http: Accepted=False/UnsupportedValue Conflicted=False/NoConflicts ResolvedRefs=True/ResolvedRefs kinds=[HTTPRoute GRPCRoute] attached=0"},
			message:   "required when from is Selector",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			built := topology.Build(topologytest.Parse(t, gatewayWith(c.listeners...)).Input)
			if diff := cmp.Diff(c.want, listenerLines(built)); diff != "" {
				t.Errorf("%s: listeners (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(c.gateway, short(built.Accepted)); diff != "" {
				t.Errorf("%s: Gateway (-want +got):\n%s", c.reason, diff)
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

func TestOverlappingTLSConfig(t *testing.T) {
	listener := func(name, hostname string) string {
		return "{name: " + name + ", port: 443, protocol: HTTPS, hostname: \"" + hostname + "\", tls: {certificateRefs: [{name: tls}]}}"
	}
	cases := map[string]struct {
		reason    string
		listeners []string
		want      []string // names of those that overlap
	}{
		"as in the specification": {
			reason:    "A and C overlap, B does not",
			listeners: []string{listener("a", "foo.example.com"), listener("b", "foo.example.org"), listener("c", "*.example.com")}, want: []string{"a", "c"},
		},
		"any host":        {reason: "a listener without a hostname overlaps with all", listeners: []string{listener("a", ""), listener("b", "x.test")}, want: []string{"a", "b"}},
		"different ports": {reason: "a connection has one port", listeners: []string{listener("a", ""), strings.Replace(listener("b", "x.test"), "443", "8443", 1)}},
		"clear text":      {reason: "without TLS there is no configuration to overlap", listeners: []string{`{name: a, port: 80, protocol: HTTP}`, `{name: b, port: 80, protocol: HTTP, hostname: x.test}`}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			built := topology.Build(topologytest.Parse(t, gatewayWith(c.listeners...)).Input)
			var got []string
			for i := range built.Listeners {
				if overlapping := built.Listeners[i].OverlappingTLSConfig; overlapping != nil {
					got = append(got, string(built.Listeners[i].Name))
					if short(*overlapping) != "OverlappingTLSConfig=True/OverlappingHostnames" {
						t.Errorf("%s: %s", c.reason, short(*overlapping))
					}
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestGatewayAddresses(t *testing.T) {
	cases := map[string]struct {
		reason    string
		addresses string
		want      string
	}{
		"none":             {reason: "the usual case", addresses: "[]", want: "Accepted=True/Accepted"},
		"an IP address":    {reason: "whether it can be had shows in the Service, not here", addresses: `[{type: IPAddress, value: 192.0.2.1}]`, want: "Accepted=True/Accepted"},
		"no type":          {reason: "the type defaults to IPAddress", addresses: `[{value: 192.0.2.1}]`, want: "Accepted=True/Accepted"},
		"a hostname":       {reason: "a name cannot be asked for", addresses: `[{type: Hostname, value: a.test}]`, want: "Accepted=False/UnsupportedAddress"},
		"another's type":   {reason: "conformance: an address type that is not supported is refused by that reason", addresses: `[{type: IPAddress, value: 192.0.2.1}, {type: test/fake, value: x}]`, want: "Accepted=False/UnsupportedAddress"},
		"an empty address": {reason: "a request for any address of a type is one that is always met", addresses: `[{type: IPAddress}]`, want: "Accepted=True/Accepted"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, gatewayWith(`{name: http, port: 80, protocol: HTTP}`)+"\n  addresses: "+c.addresses)
			if diff := cmp.Diff(c.want, short(topology.Build(world.Input).Accepted)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestGatewayResolvedRefs(t *testing.T) {
	world := topologytest.Parse(t, gatewayWith(
		`{name: good, port: 80, protocol: HTTP}`,
		`{name: bad, port: 81, protocol: HTTP, allowedRoutes: {kinds: [{kind: TCPRoute}]}}`,
	))
	got := topology.Build(world.Input).ResolvedRefs
	if short(got) != "ResolvedRefs=False/ListenersNotResolved" || !strings.Contains(got.Message, `listener "bad": allowedRoutes.kinds[0]`) {
		t.Errorf("the Gateway sums up its listeners and names the one at fault; got %+v", got)
	}
}
