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
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// streamRoute is a route of a kind in namespace shop.
func streamRoute(kind, name, created, spec string) string {
	return fmt.Sprintf("kind: %s\nmetadata: {namespace: shop, name: %s, creationTimestamp: \"2026-01-01T00:00:0%sZ\"}\nspec: %s", kind, name, created, spec)
}

const streamServices = `
kind: Service
metadata: {namespace: shop, name: dns}
spec: {ports: [{name: tcp, port: 53}, {name: udp, port: 53, protocol: UDP}, {name: sctp, port: 54, protocol: SCTP}, {name: named, port: 55, appProtocol: example.com/any}]}
---
kind: Service
metadata: {namespace: vault, name: dns}
spec: {ports: [{name: tcp, port: 53}, {name: udp, port: 53, protocol: UDP}]}
`

const streamGateway = `
kind: Gateway
metadata: {namespace: shop, name: web}
spec:
  gatewayClassName: rauta
  listeners:
  - {name: http, port: 80, protocol: HTTP}
  - {name: one, port: 9001, protocol: TCP}
  - {name: two, port: 9002, protocol: TCP}
  - {name: udp, port: 53, protocol: UDP}
  - {name: pass, port: 443, protocol: TLS, hostname: "*.pass.test", tls: {mode: Passthrough}}
  - {name: end, port: 443, protocol: TLS, hostname: "*.end.test", tls: {certificateRefs: [{name: tls}]}}
`

// streamWorld has that Gateway with its certificate, and the Services.
func streamWorld(t *testing.T, documents ...string) topology.Input {
	t.Helper()
	chain, key := topologytest.KeyPair(t, "a.end.test")
	return topologytest.Parse(t, append(documents, streamGateway, streamServices, topologytest.Secret("shop", "tls", chain, key))...).Input
}

func TestStreamRoutes(t *testing.T) {
	const (
		unresolved = "Accepted=True/Accepted ResolvedRefs=False/"
		refused    = "Accepted=False/%s ResolvedRefs=True/ResolvedRefs on []"
		fine       = "rules: [{backendRefs: [{name: dns, port: 53}]}]}"
	)
	cases := map[string]struct {
		reason  string
		routes  []string
		want    []string
		message string // part of the first parent's Accepted or ResolvedRefs message
	}{
		"TCP on all listeners": {
			reason: "a parentRef without a section means every listener that serves the kind",
			routes: []string{streamRoute("TCPRoute", "r", "1", "{parentRefs: [{name: web}], "+fine)},
			want:   []string{"shop/r[0]: " + attachedHere + " on [one two]", "shop/r serves one []", "shop/r serves two []"},
		},
		"TCP by port": {
			reason: "a port means the listeners of that number, as far as they serve the kind",
			routes: []string{streamRoute("TCPRoute", "r", "1", "{parentRefs: [{name: web, port: 9002}], "+fine)},
			want:   []string{"shop/r[0]: " + attachedHere + " on [two]", "shop/r serves two []"},
		},
		"TCP on a listener for HTTP": {
			reason:  "conformance: NotAllowedByListeners",
			routes:  []string{streamRoute("TCPRoute", "r", "1", "{parentRefs: [{name: web, sectionName: http}], "+fine)},
			want:    []string{"shop/r[0]: " + fmt.Sprintf(refused, "NotAllowedByListeners")},
			message: `listener "http": its protocol HTTP serves no TCPRoutes`,
		},
		"UDP on a listener for TLS": {
			reason: "conformance: NotAllowedByListeners",
			routes: []string{streamRoute("UDPRoute", "r", "1", "{parentRefs: [{name: web, sectionName: pass}], "+fine)},
			want:   []string{"shop/r[0]: " + fmt.Sprintf(refused, "NotAllowedByListeners")},
		},
		"TLS by hostnames": {
			reason: "of the hostnames those count that intersect with a listener's, and no other listener is attached",
			routes: []string{streamRoute("TLSRoute", "r", "1", `{parentRefs: [{name: web}], hostnames: [a.pass.test, "*.pass.test", pass.test, other.test], `+fine)},
			want:   []string{"shop/r[0]: " + attachedHere + " on [pass]", "shop/r serves pass [a.pass.test *.pass.test]"},
		},
		"TLS without a common hostname": {
			reason: "conformance: NoMatchingListenerHostname",
			routes: []string{streamRoute("TLSRoute", "r", "1", `{parentRefs: [{name: web}], hostnames: [other.test], `+fine)},
			want:   []string{"shop/r[0]: " + fmt.Sprintf(refused, "NoMatchingListenerHostname")},
		},
		"a Service that does not exist": {
			reason: "conformance: BackendNotFound, and the route stays attached, as its share of the connections is refused",
			routes: []string{streamRoute("UDPRoute", "r", "1", "{parentRefs: [{name: web}], rules: [{backendRefs: [{name: gone, port: 53}]}]}")},
			want:   []string{"shop/r[0]: " + unresolved + "BackendNotFound on [udp]", "shop/r serves udp []"},
		},
		"another kind": {
			reason: "conformance: InvalidKind",
			routes: []string{streamRoute("TLSRoute", "r", "1", "{parentRefs: [{name: web}], hostnames: [a.pass.test], rules: [{backendRefs: [{kind: Other, name: dns, port: 53}]}]}")},
			want:   []string{"shop/r[0]: " + unresolved + "InvalidKind on [pass]", "shop/r serves pass [a.pass.test]"},
		},
		"a port of another protocol": {
			reason:  "datagrams do not come out of a connection",
			routes:  []string{streamRoute("UDPRoute", "r", "1", "{parentRefs: [{name: web}], rules: [{backendRefs: [{name: dns, port: 55}]}]}")},
			want:    []string{"shop/r[0]: " + unresolved + "UnsupportedProtocol on [udp]", "shop/r serves udp []"},
			message: "rules[0].backendRefs[0]: port 55 of Service shop/dns is of protocol TCP; UDPRoutes need UDP",
		},
		"SCTP": {
			reason: "it is neither",
			routes: []string{streamRoute("TCPRoute", "r", "1", "{parentRefs: [{name: web, sectionName: one}], rules: [{backendRefs: [{name: dns, port: 54}]}]}")},
			want:   []string{"shop/r[0]: " + unresolved + "UnsupportedProtocol on [one]", "shop/r serves one []"},
		},
		"any appProtocol": {
			reason: "whatever it is, it is relayed byte by byte",
			routes: []string{streamRoute("TCPRoute", "r", "1", "{parentRefs: [{name: web, sectionName: one}], rules: [{backendRefs: [{name: dns, port: 55}]}]}")},
			want:   []string{"shop/r[0]: " + attachedHere + " on [one]", "shop/r serves one []"},
		},
		"a grant for another kind of route": {
			reason: "grants are for kinds: TCPRoutes may, UDPRoutes may not",
			routes: []string{
				"kind: ReferenceGrant\nmetadata: {namespace: vault, name: g}\nspec: {from: [{group: gateway.networking.k8s.io, kind: TCPRoute, namespace: shop}], to: [{group: '', kind: Service}]}",
				streamRoute("TCPRoute", "r", "1", "{parentRefs: [{name: web, sectionName: one}], rules: [{backendRefs: [{name: dns, namespace: vault, port: 53}]}]}"),
				streamRoute("UDPRoute", "s", "1", "{parentRefs: [{name: web}], rules: [{backendRefs: [{name: dns, namespace: vault, port: 53}]}]}"),
			},
			want: []string{
				"shop/r[0]: " + attachedHere + " on [one]", "shop/r serves one []",
				"shop/s[0]: " + unresolved + "RefNotPermitted on [udp]", "shop/s serves udp []",
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			built := topology.Build(streamWorld(t, c.routes...))
			if diff := cmp.Diff(c.want, routeLines(built)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			parent := &built.Routes[0].Parents[0]
			if message := parent.Accepted.Message + parent.ResolvedRefs.Message; !strings.Contains(message, c.message) {
				t.Errorf("%s: message %q lacks %q", c.reason, message, c.message)
			}
		})
	}
}

// Several routes on one listener are all attached, and those that get nothing are told so.
func TestShadowedStreamRoutes(t *testing.T) {
	const backends = "rules: [{backendRefs: [{name: dns, port: 53}]}]}"
	cases := map[string]struct {
		reason   string
		routes   []string
		shadowed []string // part of the condition's reason and message; empty where it is not set
		attached map[string]int32
	}{
		"the older is used": {
			reason:   "whatever the names",
			routes:   []string{streamRoute("TCPRoute", "a", "2", "{parentRefs: [{name: web, sectionName: one}], "+backends), streamRoute("TCPRoute", "b", "1", "{parentRefs: [{name: web, sectionName: one}], "+backends)},
			shadowed: []string{`Shadowed all that comes on listener "one" goes to TCPRoute shop/b, which is older`, ""}, attached: map[string]int32{"one": 2},
		},
		"of one age the first by name": {
			reason:   "there has to be one",
			routes:   []string{streamRoute("UDPRoute", "b", "1", "{parentRefs: [{name: web}], "+backends), streamRoute("UDPRoute", "a", "1", "{parentRefs: [{name: web}], "+backends)},
			shadowed: []string{"", `Shadowed all that comes on listener "udp" goes to UDPRoute shop/a`}, attached: map[string]int32{"udp": 2},
		},
		"on one of two listeners": {
			reason:   "a route that is used somewhere is told where it is not",
			routes:   []string{streamRoute("TCPRoute", "a", "2", "{parentRefs: [{name: web}], "+backends), streamRoute("TCPRoute", "b", "1", "{parentRefs: [{name: web, sectionName: two}], "+backends)},
			shadowed: []string{`PartiallyShadowed all that comes on listener "two" goes to TCPRoute shop/b`, ""}, attached: map[string]int32{"one": 1, "two": 2},
		},
		"by hostname": {
			reason: "TLSRoutes share a listener as far as their hostnames differ",
			routes: []string{
				streamRoute("TLSRoute", "a", "2", "{parentRefs: [{name: web}], hostnames: [x.pass.test], "+backends),
				streamRoute("TLSRoute", "b", "1", "{parentRefs: [{name: web}], hostnames: [x.pass.test, y.pass.test], "+backends),
				streamRoute("TLSRoute", "c", "3", "{parentRefs: [{name: web}], hostnames: [y.pass.test, '*.pass.test'], "+backends),
			},
			shadowed: []string{`Shadowed what comes for host "x.pass.test" on listener "pass" goes to TLSRoute shop/b`, "", `PartiallyShadowed what comes for host "y.pass.test" on listener "pass" goes to TLSRoute shop/b`}, attached: map[string]int32{"pass": 3},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			built := topology.Build(streamWorld(t, c.routes...))
			for i := range built.Routes {
				parent := &built.Routes[i].Parents[0]
				var shadowed string
				if parent.Shadowed != nil {
					shadowed = parent.Shadowed.Reason + " " + parent.Shadowed.Message
				}
				if !parent.Accepted.True() || !strings.HasPrefix(shadowed, c.shadowed[i]) || (shadowed == "") != (c.shadowed[i] == "") {
					t.Errorf("%s: %s has %+v, shadowed: %s", c.reason, built.Routes[i].Object.GetName(), parent.Accepted, shadowed)
				}
			}
			counts := map[string]int32{}
			for i := range built.Listeners {
				if count := built.Listeners[i].AttachedRoutes; count > 0 {
					counts[string(built.Listeners[i].Name)] = count
				}
			}
			if diff := cmp.Diff(c.attached, counts); diff != "" {
				t.Errorf("%s: all are counted (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// "When a TLSRoute is attached to a listener in Terminate mode, a BackendTLSPolicy can be used to enable re-encryption of the
// traffic to the backends." What is passed through is encrypted already.
func TestPoliciesOfStreamRoutes(t *testing.T) {
	const policy = "kind: BackendTLSPolicy\nmetadata: {namespace: shop, name: p}\nspec: {targetRefs: [{group: '', kind: Service, name: dns}], validation: {hostname: dns.test, %s}}"
	const good, bad = "wellKnownCACertificates: System", "caCertificateRefs: [{group: '', kind: ConfigMap, name: gone}]"
	const backends = "rules: [{backendRefs: [{name: dns, port: 53}]}]}"
	cases := map[string]struct {
		reason    string
		policy    string
		route     string
		want      []string // the backends that are sent to, with whether it is over TLS
		ancestors int
	}{
		"TLS that ends":                 {reason: "is encrypted anew", policy: good, route: streamRoute("TLSRoute", "r", "1", "{parentRefs: [{name: web}], hostnames: [a.end.test], "+backends), want: []string{"backend/service/shop/dns/53/tcp true"}, ancestors: 1},
		"TLS that passes":               {reason: "is left alone, and the policy has nothing to say of it", policy: good, route: streamRoute("TLSRoute", "r", "1", "{parentRefs: [{name: web}], hostnames: [a.pass.test], "+backends), want: []string{"backend/service/shop/dns/53/passthrough false"}},
		"both":                          {reason: "each in its way", policy: good, route: streamRoute("TLSRoute", "r", "1", "{parentRefs: [{name: web}], hostnames: [a.pass.test, a.end.test], "+backends), want: []string{"backend/service/shop/dns/53/tcp true", "backend/service/shop/dns/53/passthrough false"}, ancestors: 1},
		"a bad policy, TLS that ends":   {reason: "nothing may be sent", policy: bad, route: streamRoute("TLSRoute", "r", "1", "{parentRefs: [{name: web}], hostnames: [a.end.test], "+backends), ancestors: 1},
		"a bad policy, TLS that passes": {reason: "it does not matter", policy: bad, route: streamRoute("TLSRoute", "r", "1", "{parentRefs: [{name: web}], hostnames: [a.pass.test], "+backends), want: []string{"backend/service/shop/dns/53/passthrough false"}},
		"a bad policy, both":            {reason: "what ends here is withheld, what passes goes on", policy: bad, route: streamRoute("TLSRoute", "r", "1", "{parentRefs: [{name: web}], hostnames: [a.pass.test, a.end.test], "+backends), want: []string{"backend/service/shop/dns/53/passthrough false"}, ancestors: 1},
		"TCP":                           {reason: "a Service with a policy is spoken to over TLS alone", policy: good, route: streamRoute("TCPRoute", "r", "1", "{parentRefs: [{name: web}], "+backends), want: []string{"backend/service/shop/dns/53/tcp true"}, ancestors: 1},
		"UDP":                           {reason: "there is no TLS over datagrams here", policy: good, route: streamRoute("UDPRoute", "r", "1", "{parentRefs: [{name: web}], "+backends), want: []string{"backend/service/shop/dns/53/udp false"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			built := topology.Build(streamWorld(t, fmt.Sprintf(policy, c.policy), c.route))
			var got []string
			for _, ref := range built.Backends() {
				got = append(got, fmt.Sprintf("%s %t", topology.BackendName(ref), built.BackendTLS(ref) != nil))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if len(built.BackendTLSPolicies) != c.ancestors {
				t.Errorf("%s: %d policies concern the Gateway, want %d", c.reason, len(built.BackendTLSPolicies), c.ancestors)
			}
		})
	}
}
