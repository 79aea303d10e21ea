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

// routeWith is an HTTPRoute shop/cart with the given spec, in YAML's flow style.
func routeWith(spec string) string {
	return "kind: HTTPRoute\nmetadata: {namespace: shop, name: cart}\nspec: " + spec
}

const (
	attachedHere = "Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs"
)

func TestAttachment(t *testing.T) {
	cases := map[string]struct {
		reason     string
		listeners  []string
		namespaces string
		routes     string
		want       []string
		attached   []int32
		message    string // part of the first parent's Accepted message
	}{
		"whole Gateway": {
			reason:    "a parentRef without a section means every listener, and one that takes it is enough",
			listeners: []string{`{name: a, port: 80, protocol: HTTP}`, `{name: b, port: 81, protocol: HTTP}`},
			routes:    routeWith(`{parentRefs: [{name: web}], rules: [{}]}`),
			want:      []string{"shop/cart[0]: " + attachedHere + " on [a b]", "shop/cart serves a []", "shop/cart serves b []"},
			attached:  []int32{1, 1},
		},
		"one section": {
			reason:    "a sectionName means that listener alone",
			listeners: []string{`{name: a, port: 80, protocol: HTTP}`, `{name: b, port: 81, protocol: HTTP}`},
			routes:    routeWith(`{parentRefs: [{name: web, sectionName: b}], rules: [{}]}`),
			want:      []string{"shop/cart[0]: " + attachedHere + " on [b]", "shop/cart serves b []"},
			attached:  []int32{0, 1},
		},
		"a port": {
			reason:    "a port means all listeners of that port",
			listeners: []string{`{name: a, port: 80, protocol: HTTP, hostname: a.test}`, `{name: b, port: 80, protocol: HTTP, hostname: b.test}`, `{name: c, port: 81, protocol: HTTP}`},
			routes:    routeWith(`{parentRefs: [{name: web, port: 80}], rules: [{}]}`),
			want:      []string{"shop/cart[0]: " + attachedHere + " on [a b]", "shop/cart serves a []", "shop/cart serves b []"},
			attached:  []int32{1, 1, 0},
		},
		"a section on another port": {
			reason:    "when both are given, both must match",
			listeners: []string{`{name: a, port: 80, protocol: HTTP}`, `{name: b, port: 81, protocol: HTTP}`},
			routes:    routeWith(`{parentRefs: [{name: web, sectionName: b, port: 80}], rules: [{}]}`),
			want:      []string{"shop/cart[0]: Accepted=False/NoMatchingParent ResolvedRefs=True/ResolvedRefs on []"},
			attached:  []int32{0, 0},
			message:   `Gateway shop/web has no listener "b" on port 80`,
		},
		"a section that is not there": {
			reason:    "conformance: no listener of that name is NoMatchingParent",
			listeners: []string{`{name: a, port: 80, protocol: HTTP}`},
			routes:    routeWith(`{parentRefs: [{name: web, sectionName: b}], rules: [{}]}`),
			want:      []string{"shop/cart[0]: Accepted=False/NoMatchingParent ResolvedRefs=True/ResolvedRefs on []"},
			attached:  []int32{0},
			message:   `Gateway shop/web has no listener "b"`,
		},
		"two sections": {
			reason:    "each parentRef is decided for itself, and the route is served once per listener",
			listeners: []string{`{name: a, port: 80, protocol: HTTP}`, `{name: b, port: 81, protocol: HTTP, hostname: b.test}`},
			routes:    routeWith(`{parentRefs: [{name: web, sectionName: b}, {name: web, sectionName: a}], hostnames: [a.test], rules: [{}]}`),
			want: []string{
				"shop/cart[0]: Accepted=False/NoMatchingListenerHostname ResolvedRefs=True/ResolvedRefs on []",
				"shop/cart[1]: " + attachedHere + " on [a]",
				"shop/cart serves a [a.test]",
			},
			attached: []int32{1, 0},
		},
		"other parents": {
			reason:    "parentRefs to other Gateways, namespaces and kinds are somebody else's",
			listeners: []string{`{name: a, port: 80, protocol: HTTP}`},
			routes:    routeWith(`{parentRefs: [{name: other}, {name: web, namespace: elsewhere}, {name: web, group: "", kind: Service}], rules: [{}]}`),
			attached:  []int32{0},
		},
		"another namespace, by default": {
			reason:    "without allowedRoutes only routes of the Gateway's namespace may attach",
			listeners: []string{`{name: a, port: 80, protocol: HTTP}`},
			routes:    "kind: HTTPRoute\nmetadata: {namespace: guest, name: r}\nspec: {parentRefs: [{name: web, namespace: shop}], rules: [{}]}",
			want:      []string{"guest/r[0]: Accepted=False/NotAllowedByListeners ResolvedRefs=True/ResolvedRefs on []"},
			attached:  []int32{0},
			message:   `listener "a": its allowedRoutes.namespaces.from is Same`,
		},
		"another namespace, all allowed": {
			reason:    "from: All lets every namespace in",
			listeners: []string{`{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}`},
			routes:    "kind: HTTPRoute\nmetadata: {namespace: guest, name: r}\nspec: {parentRefs: [{name: web, namespace: shop}], rules: [{}]}",
			want:      []string{"guest/r[0]: " + attachedHere + " on [a]", "guest/r serves a []"},
			attached:  []int32{1},
		},
		"selected namespaces": {
			reason:     "a selector lets in the namespaces with its labels, and no others, known or not",
			listeners:  []string{`{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: blue}}}}}`},
			namespaces: "kind: Namespace\nmetadata: {name: blue, labels: {team: blue}}\n---\nkind: Namespace\nmetadata: {name: red, labels: {team: red}}",
			routes: "kind: HTTPRoute\nmetadata: {namespace: red, name: r}\nspec: {parentRefs: [{name: web, namespace: shop}], rules: [{}]}" +
				"\n---\nkind: HTTPRoute\nmetadata: {namespace: blue, name: r}\nspec: {parentRefs: [{name: web, namespace: shop}], rules: [{}]}" +
				"\n---\nkind: HTTPRoute\nmetadata: {namespace: unknown, name: r}\nspec: {parentRefs: [{name: web, namespace: shop}], rules: [{}]}",
			want: []string{
				"blue/r[0]: " + attachedHere + " on [a]", "blue/r serves a []",
				"red/r[0]: Accepted=False/NotAllowedByListeners ResolvedRefs=True/ResolvedRefs on []",
				"unknown/r[0]: Accepted=False/NotAllowedByListeners ResolvedRefs=True/ResolvedRefs on []",
			},
			attached: []int32{1},
		},
		"kinds without HTTPRoute": {
			reason:    "conformance: a listener that lists other kinds only does not allow the route",
			listeners: []string{`{name: a, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: TLSRoute}]}}`},
			routes:    routeWith(`{parentRefs: [{name: web}], rules: [{}]}`),
			want:      []string{"shop/cart[0]: Accepted=False/NotAllowedByListeners ResolvedRefs=True/ResolvedRefs on []"},
			attached:  []int32{0},
		},
		"a listener of another protocol": {
			reason:    "a listener that cannot carry the route does not attach it, and the message says why",
			listeners: []string{`{name: a, port: 443, protocol: TLS}`},
			routes:    routeWith(`{parentRefs: [{name: web}], rules: [{}]}`),
			want:      []string{"shop/cart[0]: Accepted=False/NotAllowedByListeners ResolvedRefs=True/ResolvedRefs on []"},
			attached:  []int32{0},
			message:   `its protocol TLS serves no HTTPRoutes`,
		},
		"a conflicted listener": {
			reason:    "the specification counts attachment whatever the listener's state, but the route is served by the sound listener alone",
			listeners: []string{`{name: a, port: 80, protocol: HTTP}`, `{name: b, port: 80, protocol: HTTP}`, `{name: c, port: 81, protocol: HTTP}`},
			routes:    routeWith(`{parentRefs: [{name: web}], rules: [{}]}`),
			want:      []string{"shop/cart[0]: " + attachedHere + " on [a b c]", "shop/cart serves c []"},
			attached:  []int32{1, 1, 1},
		},
		"hostnames that do not fit": {
			reason:    "conformance: no intersection is NoMatchingListenerHostname, and the route is not counted",
			listeners: []string{`{name: a, port: 80, protocol: HTTP, hostname: foo.example.com}`},
			routes:    routeWith(`{parentRefs: [{name: web}], hostnames: [not-accepted.test.com], rules: [{}]}`),
			want:      []string{"shop/cart[0]: Accepted=False/NoMatchingListenerHostname ResolvedRefs=True/ResolvedRefs on []"},
			attached:  []int32{0},
		},
		"refused listeners before hostnames": {
			reason:    "the listener whose hostname fits does not allow the route, so that the hostname is not to blame",
			listeners: []string{`{name: a, port: 80, protocol: HTTP, hostname: a.test, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}`},
			routes:    routeWith(`{parentRefs: [{name: web}], hostnames: [a.test], rules: [{}]}`),
			want:      []string{"shop/cart[0]: Accepted=False/NotAllowedByListeners ResolvedRefs=True/ResolvedRefs on []"},
			attached:  []int32{0},
		},
		"hostnames per listener": {
			reason: "each listener gets those of the route's hostnames that intersect with its own, as the route has them",
			listeners: []string{
				`{name: exact, port: 80, protocol: HTTP, hostname: very.specific.com}`,
				`{name: wild, port: 80, protocol: HTTP, hostname: "*.wildcard.io"}`,
				`{name: any, port: 80, protocol: HTTP}`,
			},
			routes: routeWith(`{parentRefs: [{name: web}], hostnames: [non.matching.com, "*.specific.com", foo.wildcard.io, wildcard.io], rules: [{}]}`),
			want: []string{
				"shop/cart[0]: " + attachedHere + " on [exact wild any]",
				"shop/cart serves exact [*.specific.com]",
				"shop/cart serves wild [foo.wildcard.io]",
				"shop/cart serves any [non.matching.com *.specific.com foo.wildcard.io wildcard.io]",
			},
			attached: []int32{1, 1, 1},
		},
		"unresolved references": {
			reason:    "a route whose references do not resolve is attached and counted all the same",
			listeners: []string{`{name: a, port: 80, protocol: HTTP}`},
			routes:    routeWith(`{parentRefs: [{name: web}], rules: [{backendRefs: [{name: nowhere, port: 80}]}]}`),
			want:      []string{"shop/cart[0]: Accepted=True/Accepted ResolvedRefs=False/BackendNotFound on [a]", "shop/cart serves a []"},
			attached:  []int32{1},
		},
		"no listener and no supported rule": {
			reason:    "where a route may attach is decided before what of it can be served",
			listeners: []string{`{name: a, port: 80, protocol: HTTP}`},
			routes:    routeWith(`{parentRefs: [{name: web, sectionName: b}], rules: [{sessionPersistence: {type: Cookie}}]}`),
			want:      []string{"shop/cart[0]: Accepted=False/NoMatchingParent ResolvedRefs=True/ResolvedRefs on []"},
			attached:  []int32{0},
		},
		"no rule is supported": {
			reason:    "a route of which nothing can be served is not accepted and not counted",
			listeners: []string{`{name: a, port: 80, protocol: HTTP}`},
			routes:    routeWith(`{parentRefs: [{name: web}], rules: [{sessionPersistence: {type: Cookie}}]}`),
			want:      []string{"shop/cart[0]: Accepted=False/UnsupportedValue ResolvedRefs=True/ResolvedRefs on []"},
			attached:  []int32{0},
			message:   "rules[0].sessionPersistence: not supported",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			built := topology.Build(topologytest.Parse(t, gatewayWith(c.listeners...), c.namespaces, c.routes).Input)
			if diff := cmp.Diff(c.want, routeLines(built)); diff != "" {
				t.Errorf("%s: routes (-want +got):\n%s", c.reason, diff)
			}
			var attached []int32
			for i := range built.Listeners {
				attached = append(attached, built.Listeners[i].AttachedRoutes)
			}
			if diff := cmp.Diff(c.attached, attached); diff != "" {
				t.Errorf("%s: attached routes (-want +got):\n%s", c.reason, diff)
			}
			if c.message != "" && !strings.Contains(built.Routes[0].Parents[0].Accepted.Message, c.message) {
				t.Errorf("%s: message %q lacks %q", c.reason, built.Routes[0].Parents[0].Accepted.Message, c.message)
			}
		})
	}
}
