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

// setGateway takes ListenerSets as said in "allowed", and has listeners of its own.
func setGateway(allowed string) string {
	return fmt.Sprintf(`kind: Gateway
metadata: {namespace: shop, name: web}
spec: {%slisteners: [{name: http, port: 80, protocol: HTTP, hostname: own.test}]}`, allowed)
}

func listenerSet(namespace, name, created, listeners string) string {
	return fmt.Sprintf(`kind: ListenerSet
metadata: {namespace: %s, name: %s, creationTimestamp: "2026-01-0%sT00:00:00Z"}
spec: {parentRef: {name: web, namespace: shop}, listeners: [%s]}`, namespace, name, created, listeners)
}

func setLines(t *topology.Topology) []string {
	var lines []string
	for i := range t.ListenerSets {
		set := &t.ListenerSets[i]
		lines = append(lines, fmt.Sprintf("%s: %s", set.Key(), short(set.Accepted)))
		for j := range set.Listeners {
			l := &set.Listeners[j]
			lines = append(lines, fmt.Sprintf("- %s: %s/%s %s/%s attached=%d", l.Name, l.Accepted.Status, l.Accepted.Reason, l.Conflicted.Status, l.Conflicted.Reason, l.AttachedRoutes))
		}
	}
	return lines
}

const (
	allowAll  = "allowedListeners: {namespaces: {from: All}}, "
	fineEntry = "True/Accepted False/NoConflicts attached=0"
)

func TestListenerSets(t *testing.T) {
	cases := map[string]struct {
		reason  string
		allowed string
		sets    []string
		want    []string
	}{
		"default": {
			reason: "the default value is to allow no ListenerSets",
			sets:   []string{listenerSet("shop", "a", "1", "{name: http, port: 80, protocol: HTTP, hostname: a.test}")},
			want:   []string{"shop/a: Accepted=False/NotAllowed"},
		},
		"none": {
			reason: "None is none", allowed: "allowedListeners: {namespaces: {from: None}}, ",
			sets: []string{listenerSet("shop", "a", "1", "{name: http, port: 80, protocol: HTTP, hostname: a.test}")},
			want: []string{"shop/a: Accepted=False/NotAllowed"},
		},
		"same": {
			reason: "Same is the namespace of the Gateway", allowed: "allowedListeners: {namespaces: {from: Same}}, ",
			sets: []string{
				listenerSet("shop", "a", "1", "{name: http, port: 80, protocol: HTTP, hostname: a.test}"),
				listenerSet("bank", "b", "2", "{name: http, port: 80, protocol: HTTP, hostname: b.test}"),
			},
			want: []string{"shop/a: Accepted=True/Accepted", "- http: " + fineEntry, "bank/b: Accepted=False/NotAllowed"},
		},
		"selector": {
			reason: "a selector looks at the namespace of the set; a namespace that nobody knows has no labels", allowed: "allowedListeners: {namespaces: {from: Selector, selector: {matchLabels: {team: money}}}}, ",
			sets: []string{
				"kind: Namespace\nmetadata: {name: bank, labels: {team: money}}",
				listenerSet("bank", "b", "1", "{name: http, port: 80, protocol: HTTP, hostname: b.test}"),
				listenerSet("shop", "a", "2", "{name: http, port: 80, protocol: HTTP, hostname: a.test}"),
			},
			want: []string{"bank/b: Accepted=True/Accepted", "- http: " + fineEntry, "shop/a: Accepted=False/NotAllowed"},
		},
		"selector missing": {
			reason: "a selector that is missing selects nothing", allowed: "allowedListeners: {namespaces: {from: Selector}}, ",
			sets: []string{listenerSet("shop", "a", "1", "{name: http, port: 80, protocol: HTTP, hostname: a.test}")},
			want: []string{"shop/a: Accepted=False/NotAllowed"},
		},
		"precedence": {
			reason: "the Gateway first, then the older set, then the first by name; nobody else loses anything", allowed: allowAll,
			sets: []string{
				listenerSet("shop", "younger", "2", "{name: x, port: 80, protocol: HTTP, hostname: x.test}, {name: z, port: 80, protocol: HTTP, hostname: z.test}"),
				listenerSet("shop", "older", "1", "{name: own, port: 80, protocol: HTTP, hostname: own.test}, {name: x, port: 80, protocol: HTTP, hostname: x.test}"),
				listenerSet("bank", "younger", "2", "{name: z, port: 80, protocol: HTTP, hostname: z.test}"),
			},
			want: []string{
				"shop/older: Accepted=True/ListenersNotValid", "- own: False/HostnameConflict True/HostnameConflict attached=0", "- x: " + fineEntry,
				"bank/younger: Accepted=True/Accepted", "- z: " + fineEntry,
				"shop/younger: Accepted=False/ListenersNotValid", "- x: False/HostnameConflict True/HostnameConflict attached=0", "- z: False/HostnameConflict True/HostnameConflict attached=0",
			},
		},
		"a loser takes nobody with it": {
			reason: "TCP loses against the Gateway's HTTP; it stands in the way of no other, of its own set or a younger one", allowed: allowAll,
			sets: []string{
				listenerSet("shop", "a", "1", "{name: tcp, port: 80, protocol: TCP}, {name: http, port: 80, protocol: HTTP, hostname: a.test}"),
				listenerSet("shop", "b", "2", "{name: http, port: 80, protocol: HTTP, hostname: b.test}"),
			},
			want: []string{
				"shop/a: Accepted=True/ListenersNotValid", "- tcp: False/ProtocolConflict True/ProtocolConflict attached=0", "- http: " + fineEntry,
				"shop/b: Accepted=True/Accepted", "- http: " + fineEntry,
			},
		},
		"protocols": {
			reason: "TLS and cleartext do not share a port", allowed: allowAll,
			sets: []string{listenerSet("shop", "a", "1", "{name: https, port: 80, protocol: HTTPS, hostname: a.test}")},
			want: []string{"shop/a: Accepted=False/ListenersNotValid", "- https: False/ProtocolConflict True/ProtocolConflict attached=0"},
		},
		"within a set": {
			reason: "listeners of one set have no precedence over each other", allowed: allowAll,
			sets: []string{listenerSet("shop", "a", "1", "{name: a, port: 81, protocol: HTTP}, {name: b, port: 81, protocol: HTTP}, {name: c, port: 82, protocol: HTTP}")},
			want: []string{
				"shop/a: Accepted=True/ListenersNotValid", "- a: False/HostnameConflict True/HostnameConflict attached=0",
				"- b: False/HostnameConflict True/HostnameConflict attached=0", "- c: " + fineEntry,
			},
		},
		"a broken listener keeps what it has": {
			reason: "hosts of a listener without a usable certificate do not go to whoever asks next", allowed: allowAll,
			sets: []string{
				listenerSet("shop", "a", "1", "{name: s, port: 443, protocol: HTTPS, hostname: a.test}"),
				listenerSet("bank", "b", "2", "{name: s, port: 443, protocol: HTTPS, hostname: a.test}"),
			},
			want: []string{
				"shop/a: Accepted=False/ListenersNotValid", "- s: " + fineEntry,
				"bank/b: Accepted=False/ListenersNotValid", "- s: False/HostnameConflict True/HostnameConflict attached=0",
			},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, append(c.sets, setGateway(c.allowed))...)
			built := topology.Build(world.Input)
			if diff := cmp.Diff(c.want, setLines(built)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if got := shorts([]topology.Decision{built.Accepted, built.Own[0].Conflicted}); len(built.Own) != 1 || got != "Accepted=True/Accepted Conflicted=False/NoConflicts" {
				t.Errorf("no ListenerSet does anything to the Gateway's own listeners; got %d, %s", len(built.Own), got)
			}
		})
	}
}

func TestListenersBeyondTheBound(t *testing.T) {
	sets := []string{setGateway(allowAll)}
	for i := range topology.MaxListeners/64 + 1 {
		var entries []string
		for j := range 64 {
			entries = append(entries, fmt.Sprintf("{name: l%d, port: 80, protocol: HTTP, hostname: l%d.s%d.test}", j, j, i))
		}
		sets = append(sets, listenerSet("shop", fmt.Sprintf("s%04d", i), "1", strings.Join(entries, ", ")))
	}
	built := topology.Build(topologytest.Parse(t, sets...).Input)
	served := 0
	for i := range built.Listeners {
		if built.Listeners[i].Served() {
			served++
		}
	}
	last := built.ListenerSets[len(built.ListenerSets)-1]
	if got := short(last.Listeners[0].Accepted); served != topology.MaxListeners || got != "Accepted=False/TooManyListeners" {
		t.Errorf("%d listeners are served, and the last set has %s; want %d and TooManyListeners", served, got, topology.MaxListeners)
	}
}

func TestRoutesOfListenerSets(t *testing.T) {
	route := func(name, parents string) string {
		return fmt.Sprintf("kind: HTTPRoute\nmetadata: {namespace: shop, name: %s}\nspec: {parentRefs: [%s], rules: [{matches: [{path: {value: /%s}}]}]}", name, parents, name)
	}
	const kind = "{kind: ListenerSet, name: extra"
	world := topologytest.Parse(t, setGateway(allowAll),
		listenerSet("shop", "extra", "1", "{name: http, port: 80, protocol: HTTP, hostname: a.test}, {name: other, port: 81, protocol: HTTP}"),
		listenerSet("bank", "extra", "2", "{name: http, port: 82, protocol: HTTP}"),
		"kind: ListenerSet\nmetadata: {namespace: shop, name: elsewhere}\nspec: {parentRef: {name: another}, listeners: [{name: http, port: 80, protocol: HTTP}]}",
		route("both", "{name: web}, "+kind+"}"),
		route("gateway", "{name: web}"),
		route("section", kind+", sectionName: http}"),
		route("port", kind+", port: 81}"),
		route("no-section", kind+", sectionName: none}"),
		route("through-the-gateway", "{name: web, sectionName: other}"),
		route("not-allowed", "{kind: ListenerSet, namespace: bank, name: extra}"),
		route("of-another-gateway", "{kind: ListenerSet, name: elsewhere}"),
		"kind: GRPCRoute\nmetadata: {namespace: shop, name: rpc}\nspec: {parentRefs: [{kind: ListenerSet, name: extra, sectionName: other}], hostnames: [rpc.test], rules: [{}]}",
	)
	built := topology.Build(world.Input)
	const accepted, refused = "Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs on ", "Accepted=False/%s ResolvedRefs=True/ResolvedRefs on []"
	want := []string{
		"shop/both[0]: " + accepted + "[http]", "shop/both[1]: " + accepted + "[shop/extra/http shop/extra/other]",
		"shop/both serves http []", "shop/both serves shop/extra/http []", "shop/both serves shop/extra/other []",
		"shop/gateway[0]: " + accepted + "[http]", "shop/gateway serves http []",
		"shop/no-section[0]: " + fmt.Sprintf(refused, "NoMatchingParent"),
		"shop/not-allowed[0]: " + fmt.Sprintf(refused, "NotAllowedByListeners"),
		"shop/port[0]: " + accepted + "[shop/extra/other]", "shop/port serves shop/extra/other []",
		"shop/rpc[0]: Accepted=False/HostnameConflict ResolvedRefs=True/ResolvedRefs on []",
		"shop/section[0]: " + accepted + "[shop/extra/http]", "shop/section serves shop/extra/http []",
		"shop/through-the-gateway[0]: " + fmt.Sprintf(refused, "NoMatchingParent"),
	}
	if diff := cmp.Diff(want, routeLines(built)); diff != "" {
		t.Errorf("routes are attached where their parentRefs say, and nowhere else (-want +got):\n%s", diff)
	}
	names := map[string]bool{}
	for i := range built.Listeners {
		names[topology.ListenerName(built.Listeners[i].ListenerKey)] = true
	}
	if !names["listener/http"] || !names["listener/listenerset/shop/extra/http"] || len(names) != len(built.Listeners) {
		t.Errorf("listeners of the same name are different resources; got %v", names)
	}
}

// "ReferenceGrants applied to a Gateway are not inherited by child ListenerSets" and "ReferenceGrants applied to a ListenerSet do
// not grant permission to the parent Gateway's listeners".
func TestGrantsOfListenerSets(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.test")
	const grant = "kind: ReferenceGrant\nmetadata: {namespace: vault, name: g}\nspec: {from: [{group: gateway.networking.k8s.io, kind: %s, namespace: shop}], to: [{group: '', kind: Secret}]}"
	cases := map[string]struct{ reason, kind, gateway, set string }{
		"for Gateways":     {reason: "the set is not the Gateway", kind: "Gateway", gateway: "ResolvedRefs=True/ResolvedRefs", set: "ResolvedRefs=False/RefNotPermitted"},
		"for ListenerSets": {reason: "the Gateway is not the set", kind: "ListenerSet", gateway: "ResolvedRefs=False/RefNotPermitted", set: "ResolvedRefs=True/ResolvedRefs"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			built := topology.Build(topologytest.Parse(t,
				"kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {"+allowAll+"listeners: [{name: s, port: 443, protocol: HTTPS, hostname: own.test, tls: {certificateRefs: [{name: tls, namespace: vault}]}}]}",
				listenerSet("shop", "extra", "1", "{name: s, port: 443, protocol: HTTPS, hostname: a.test, tls: {certificateRefs: [{name: tls, namespace: vault}]}}"),
				topologytest.Secret("vault", "tls", chain, key), fmt.Sprintf(grant, c.kind)).Input)
			if diff := cmp.Diff([]string{c.gateway, c.set}, []string{short(built.Own[0].ResolvedRefs), short(built.ListenerSets[0].Listeners[0].ResolvedRefs)}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

// What the author of a ListenerSet is told names nothing of the Gateway's or of others' sets.
func TestListenerSetsAreDiscreet(t *testing.T) {
	built := topology.Build(topologytest.Parse(t,
		`kind: Gateway
metadata: {namespace: shop, name: web}
spec:
  allowedListeners: {namespaces: {from: All}}
  tls: {frontend: {default: {validation: {caCertificateRefs: [{group: '', kind: ConfigMap, name: confidential}]}}}}
  listeners: [{name: confidential, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: confidential}]}}]`,
		listenerSet("bank", "confidential", "1", "{name: s, port: 443, protocol: HTTPS, hostname: a.test, tls: {certificateRefs: [{name: mine}]}}"),
		listenerSet("shop", "extra", "2", "{name: t, port: 443, protocol: HTTPS, hostname: b.test, tls: {certificateRefs: [{name: mine}]}}, {name: u, port: 443, protocol: HTTPS, hostname: a.test}, {name: v, port: 443, protocol: HTTP}"),
	).Input)
	last := &built.ListenerSets[1]
	decisions := []topology.Decision{last.Accepted}
	for i := range last.Listeners {
		decisions = append(decisions, last.Listeners[i].Decisions()...)
	}
	if last.Listeners[0].OverlappingTLSConfig == nil {
		t.Error("a listener that overlaps says so")
	}
	for _, decision := range decisions {
		if strings.Contains(decision.Message, "confidential") {
			t.Errorf("%s tells too much: %s", short(decision), decision.Message)
		}
	}
}
