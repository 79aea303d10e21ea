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
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

func TestShadowedRules(t *testing.T) {
	const front = `
kind: Gateway
metadata: {namespace: shop, name: web}
spec:
  gatewayClassName: rauta
  listeners:
  - {name: one, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
  - {name: two, port: 81, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
`
	route := func(name string, day int, spec string) string {
		return fmt.Sprintf("kind: HTTPRoute\nmetadata: {namespace: shop, name: %s, creationTimestamp: \"2026-01-%02dT00:00:00Z\"}\nspec: {%s}", name, day, spec)
	}
	const (
		here = "parentRefs: [{name: web}], "
		one  = "parentRefs: [{name: web, sectionName: one}], "
		a    = `hostnames: [a.test], `
		path = "{path: {type: PathPrefix, value: %s}}"
	)
	rules := func(matches ...string) string {
		text := "rules: ["
		for _, match := range matches {
			text += "{matches: [" + match + "]}, "
		}
		return text + "]"
	}
	x, y := fmt.Sprintf(path, "/x"), fmt.Sprintf(path, "/y")
	cases := map[string]struct {
		reason string
		world  []string
		want   []string
	}{
		"an older route": {
			reason: "the younger one is told who has its requests, whatever its name",
			world:  []string{route("a", 2, one+a+rules(x)), route("b", 1, one+a+rules(x))},
			want:   []string{"shop/a[0]: Shadowed rules[0]: all its requests go to rules[0] of HTTPRoute shop/b, which matches the same and is older, or first by name"},
		},
		"of one age": {
			reason: "names decide then: \"shop-x/z\" is before \"shop/a\"",
			world: []string{route("a", 1, one+a+rules(x)),
				"kind: HTTPRoute\nmetadata: {namespace: shop-x, name: z, creationTimestamp: \"2026-01-01T00:00:00Z\"}\nspec: {parentRefs: [{name: web, namespace: shop}], " + a + rules(x) + "}"},
			want: []string{"shop/a[0]: Shadowed rules[0]: all its requests go to rules[0] of HTTPRoute shop-x/z, which matches the same and is older, or first by name"},
		},
		"within a route": {
			reason: "the first rule that matches is used, and the others never",
			world:  []string{route("a", 1, one+rules(x, y, x))},
			want:   []string{"shop/a[0]: Shadowed rules[2]: all its requests go to rules[0] of this route, which matches the same and is before"},
		},
		"of a rule that cannot be served": {
			reason: "it keeps its requests, and answers them with 500",
			world:  []string{route("a", 1, "parentRefs: [{name: web, sectionName: one}], rules: [{matches: ["+x+"], sessionPersistence: {}}, {}]"), route("b", 2, one+rules(x))},
			want:   []string{"shop/b[0]: Shadowed rules[0]: all its requests go to rules[0] of HTTPRoute shop/a, which matches the same and is older, or first by name"},
		},
		"another way to write it": {
			reason: "defaults, a trailing slash, the case of header names, the order and repetitions of headers and parameters make no difference",
			world: []string{
				route("a", 1, one+rules("{path: {value: /x/}, headers: [{name: A, value: v}, {name: B, value: w}], queryParams: [{name: p, value: v}, {name: q, value: v}]}", "{}")),
				route("b", 2, one+rules("{path: {type: PathPrefix, value: /x}, headers: [{type: Exact, name: b, value: w}, {name: a, value: v}, {name: a, value: x}], queryParams: [{name: q, value: v}, {name: p, value: v}, {name: q, value: w}]}", "{path: {value: /}}")),
			},
			want: []string{"shop/b[0]: Shadowed rules[0]: all its requests go to rules[0] of HTTPRoute shop/a, which matches the same and is older, or first by name; " +
				"rules[1]: all its requests go to rules[1] of HTTPRoute shop/a, which matches the same and is older, or first by name"},
		},
		"something else": {
			reason: "what is more or less precise, or differs in a detail, takes nothing away",
			world: []string{route("a", 1, one+a+rules(x)), route("b", 2, one+rules(x)), route("c", 2, one+a+rules(
				"{path: {type: Exact, value: /x}}", "{path: {type: RegularExpression, value: /x}}", "{path: {value: /X}}", "{path: {value: /x}, method: GET}",
				"{path: {value: /x}, headers: [{name: a, value: v}]}", "{path: {value: /x}, headers: [{name: a, value: V}]}", "{path: {value: /x}, headers: [{name: a, value: v, type: RegularExpression}]}",
				"{path: {value: /x}, headers: [{name: a, value: v}, {name: b, value: v}]}", "{path: {value: /x}, queryParams: [{name: a, value: v}]}", "{path: {value: /x}, queryParams: [{name: A, value: v}]}"))},
		},
		"another listener": {
			reason: "each listener has its own requests",
			world:  []string{route("a", 1, one+rules(x)), route("b", 2, "parentRefs: [{name: web, sectionName: two}], "+rules(x))},
		},
		"per parent": {
			reason: "what is lost on one listener concerns the parentRef that leads there",
			world:  []string{route("a", 1, one+rules(x)), route("b", 2, "parentRefs: [{name: web, sectionName: one}, {name: web, sectionName: two}], "+rules(x))},
			want:   []string{"shop/b[0]: Shadowed rules[0]: all its requests go to rules[0] of HTTPRoute shop/a, which matches the same and is older, or first by name"},
		},
		"partially": {
			reason: "a route that loses one match, one host and one listener is told of the first, and how much else there is",
			world: []string{route("a", 1, one+a+rules(x)), route("c", 2, here+rules(y)),
				route("d", 3, here+"hostnames: [a.test, b.test], "+rules(y+", "+x)), route("e", 4, here+rules(y+", "+x, x+", "+y))},
			want: []string{
				`shop/d[0]: PartiallyShadowed rules[0].matches[1]: requests for host "a.test" on listener "one" go to rules[0] of HTTPRoute shop/a, which matches the same and is older, or first by name`,
				`shop/e[0]: Shadowed rules[0].matches[0]: requests for any host on listener "one" go to rules[0] of HTTPRoute shop/c, which matches the same and is older, or first by name, and 1 more of its matches, hosts and listeners are taken; ` +
					`rules[1]: all its requests go to rules[0] of this route, which matches the same and is before, and to others`,
			},
		},
		"twice in a rule": {
			reason: "its requests are the rule's all the same",
			world:  []string{route("a", 1, one+"hostnames: [a.test, a.test], "+rules(x+", "+x))},
		},
		"by a route that is not served": {
			reason: "a refused route takes nobody's requests",
			world:  []string{route("a", 1, "parentRefs: [{name: web, sectionName: gone}], "+rules(x)), route("b", 2, one+rules(x))},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, append(c.world, front)...)
			if diff := cmp.Diff(c.want, shadowLines(topology.Build(world.Input))); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			seed := uint64(time.Now().UnixNano())
			random := rand.New(rand.NewPCG(seed, 0))
			for range 5 {
				if diff := cmp.Diff(c.want, shadowLines(topology.Build(world.Shuffle(random).Input))); diff != "" {
					t.Fatalf("seed %d: the order of the objects decides (-want +got):\n%s", seed, diff)
				}
			}
		})
	}
}

func TestShadowedIsAccepted(t *testing.T) {
	built := topology.Build(topologytest.Parse(t,
		"kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {listeners: [{name: http, port: 80, protocol: HTTP}]}",
		"kind: HTTPRoute\nmetadata: {namespace: shop, name: a}\nspec: {parentRefs: [{name: web}], rules: [{}, {}]}").Input)
	want := "Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs rauta.dev/Shadowed=True/Shadowed"
	if got := shorts(built.Routes[0].Parents[0].Decisions()); got != want {
		t.Errorf("a route that is shadowed is valid, and accepted: %s, want %s", got, want)
	}
}

// shadowLines gives a line for each parent of a route that is told of shadows.
func shadowLines(built *topology.Topology) []string {
	var lines []string
	for i := range built.Routes {
		for j := range built.Routes[i].Parents {
			if shadowed := built.Routes[i].Parents[j].Shadowed; shadowed != nil {
				object := built.Routes[i].Object
				lines = append(lines, fmt.Sprintf("%s/%s[%d]: %s %s", object.GetNamespace(), object.GetName(), j, shadowed.Reason, shadowed.Message))
			}
		}
	}
	return lines
}
