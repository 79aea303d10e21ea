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
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

const plainGateway = "kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {gatewayClassName: rauta, listeners: [{name: http, port: 80, protocol: HTTP}]}"

func TestUnsupportedRules(t *testing.T) {
	cases := map[string]struct {
		reason string
		rule   string // of two rules the second; the first is plain
		want   string // what is said to be unsupported; empty when the rule is served
		left   int    // matches that can still be expressed
	}{
		"nothing at all":                 {reason: "an empty rule takes everything", rule: `{}`, left: 1},
		"a name":                         {reason: "names are supported", rule: `{name: n}`, left: 1},
		"exact and prefix paths":         {reason: "both path types of the core are supported", rule: `{matches: [{path: {type: Exact, value: /a}}, {path: {type: PathPrefix, value: /b}}]}`, left: 2},
		"exact header, query and method": {reason: "the exact matches are supported", rule: `{matches: [{method: PATCH, headers: [{name: a, value: b}], queryParams: [{type: Exact, name: a, value: b}]}]}`, left: 1},
		"expressions":                    {reason: "RE2 in paths, headers and query parameters", rule: `{matches: [{path: {type: RegularExpression, value: "/[a-z]+/\\d{3}"}, headers: [{type: RegularExpression, name: a, value: "b|c"}], queryParams: [{type: RegularExpression, name: q, value: "(?i)d.*"}]}]}`, left: 1},
		"a path that is no expression":   {reason: "one match that cannot be expressed drops the rule; the others still keep requests from falling through", rule: `{matches: [{path: {value: /a}}, {path: {type: RegularExpression, value: "/b("}}, {path: {value: /c}}]}`, want: `matches[1].path.value: "/b(" is not a regular expression (RE2): missing closing )`, left: 2},
		"only a path that is none":       {reason: "a rule may have nothing left to take requests with", rule: `{matches: [{path: {type: RegularExpression, value: "/b[a"}}]}`, want: `matches[0].path.value`, left: 0},
		"a header that is no expression": {reason: "the match is named by its place", rule: `{matches: [{headers: [{name: x, value: y}, {type: RegularExpression, name: a, value: "*"}]}]}`, want: `matches[0].headers[1].value: "*" is not a regular expression`},
		"a query that is no expression":  {reason: "look-ahead is Perl's, not RE2's", rule: `{matches: [{queryParams: [{type: RegularExpression, name: a, value: "(?=b)"}]}]}`, want: `matches[0].queryParams[0].value: "(?=b)" is not a regular expression`},
		"an expression that explodes":    {reason: "what a request costs is bounded", rule: `{matches: [{path: {type: RegularExpression, value: "/((a{100}){100}){3}"}}]}`, want: `matches[0].path.value: "/((a{100}){100}){3}"`},
		"a header type of the future":    {reason: "values may be added to the enum", rule: `{matches: [{headers: [{type: Glob, name: a, value: b}]}]}`, want: `matches[0].headers[0].type: "Glob" is not supported; supported are Exact and RegularExpression`},
		"a method of the future":         {reason: "values may be added to the enum, and unknown ones must be said to be unsupported", rule: `{matches: [{method: QUERY}]}`, want: `matches[0].method: "QUERY" is not supported`},
		"a path type of the future":      {reason: "values may be added to the enum", rule: `{matches: [{path: {type: Glob, value: /a}}]}`, want: `matches[0].path.type: "Glob" is not supported`},
		"a path without a slash":         {reason: "paths must begin with a slash; old schemas did not see to it", rule: `{matches: [{path: {value: a}}]}`, want: `matches[0].path.value: "a" must begin with`},
		"a path with two slashes":        {reason: "consecutive slashes are invalid", rule: `{matches: [{path: {value: /a//b}}]}`, want: `matches[0].path.value`},
		"a filter":                       {reason: "a rule must not be served as if its filter were absent", rule: `{filters: [{type: Later}]}`, want: `filters[0].type: "Later" is not supported`, left: 1},
		"a filter of a backend":          {reason: "nor as if a filter of one of its backends were", rule: `{backendRefs: [{name: cart, port: 80}, {name: cart, port: 80, filters: [{type: Later}]}]}`, want: `backendRefs[1].filters[0].type: "Later" is not supported`, left: 1},
		"a custom filter without a name": {reason: "old schemas let it through", rule: `{filters: [{type: ExtensionRef}]}`, want: `filters[0].type: ExtensionRef needs the field`, left: 1},
		"external authentication":        {reason: "a filter of the experimental channel that is not there yet must not be skipped", rule: `{filters: [{type: ExternalAuth, externalAuth: {protocol: HTTP, backendRef: {name: cart, port: 80}}}]}`, want: `filters[0].type: "ExternalAuth" is not supported`, left: 1},
		"timeouts":                       {reason: "both may be given, and 0s is none", rule: `{timeouts: {request: 1m30s, backendRequest: 0s}}`, left: 1},
		"a timeout that is none":         {reason: "old schemas let any text through", rule: `{timeouts: {request: soon}}`, want: `timeouts.request: "soon" is not a duration`, left: 1},
		"a negative timeout":             {reason: "time does not run backwards", rule: `{timeouts: {backendRequest: -1s}}`, want: `timeouts.backendRequest: "-1s" is not a duration`, left: 1},
		"a longer backend timeout":       {reason: "it must be no more than that of the request", rule: `{timeouts: {request: 1s, backendRequest: 2s}}`, want: "timeouts.backendRequest: 2s is longer than request", left: 1},
		"a backend timeout of none":      {reason: "0s is no time to be longer than", rule: `{timeouts: {request: 0s, backendRequest: 2s}}`, left: 1},
		"retry":                          {reason: "all that it can say", rule: `{retry: {attempts: 2, codes: [400, 599], backoff: 100ms}}`, left: 1},
		"retry of a success":             {reason: "only errors can be retried", rule: `{retry: {codes: [503, 200]}}`, want: "retry.codes[1]: 200 is not between 400 and 599", left: 1},
		"retry without attempts":         {reason: "old schemas let it through", rule: `{retry: {attempts: 0}}`, want: "retry.attempts: 0 is not between 1 and 1000", left: 1},
		"retry at no time":               {reason: "old schemas let any text through", rule: `{retry: {backoff: soon}}`, want: `retry.backoff: "soon" is not a duration`, left: 1},
		"session persistence":            {reason: "sessions that do not stick are not to be promised", rule: `{sessionPersistence: {type: Cookie}}`, want: "sessionPersistence: not supported", left: 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, plainGateway, routeWith("{parentRefs: [{name: web}], rules: [{matches: [{path: {value: /first}}]}, "+c.rule+"]}"),
				"kind: Service\nmetadata: {namespace: shop, name: cart}\nspec: {ports: [{port: 80}]}")
			route := topology.Build(world.Input).Routes[0]
			rule := route.Rules[1]
			if (c.want == "") != (rule.Unsupported == "") || !strings.HasPrefix(rule.Unsupported, c.want) {
				t.Errorf("%s: unsupported is %q, want %q", c.reason, rule.Unsupported, c.want)
			}
			if len(rule.Matches) != c.left {
				t.Errorf("%s: %d matches can be expressed, want %d", c.reason, len(rule.Matches), c.left)
			}
			want := attachedHere
			if c.want != "" {
				want += " PartiallyInvalid=True/UnsupportedValue"
			}
			if diff := cmp.Diff(want, shorts(route.Parents[0].Decisions())); diff != "" {
				t.Errorf("%s: decisions (-want +got):\n%s", c.reason, diff)
			}
			if c.want == "" {
				return
			}
			message := route.Parents[0].PartiallyInvalid.Message
			if !strings.HasPrefix(message, "Dropped Rule") || !strings.Contains(message, "rules[1]."+c.want) {
				t.Errorf("the message MUST start with \"Dropped Rule\" and say which; it is %q", message)
			}
		})
	}
}

func TestMessagesStayBounded(t *testing.T) {
	rules := strings.Repeat("{backendRefs: [{name: "+strings.Repeat("ä", 120)+", port: 80}]}, ", 16)
	world := topologytest.Parse(t, plainGateway, routeWith("{parentRefs: [{name: web}], rules: ["+rules+"]}"))
	message := topology.Build(world.Input).Routes[0].Parents[0].ResolvedRefs.Message
	if len(message) > topology.MessageBytes {
		t.Errorf("a route with many problems has a message of %d bytes", len(message))
	}
	if !strings.HasSuffix(message, "...") || strings.ContainsRune(message, '�') {
		t.Errorf("a message is cut between characters and shows that it is cut: %q", message)
	}
}

func TestBoundCutsBetweenCharacters(t *testing.T) {
	for offset := range 4 {
		message := strings.Repeat("x", offset) + strings.Repeat("語", topology.MessageBytes)
		got := topology.Bound(message)
		if len(got) > topology.MessageBytes || !utf8.ValidString(got) || !strings.HasSuffix(got, "語...") {
			t.Errorf("a message of three-byte characters, beginning at %d, is cut to %d bytes ending in %q", offset, len(got), got[len(got)-8:])
		}
	}
	if exact := strings.Repeat("x", topology.MessageBytes); topology.Bound(exact) != exact {
		t.Error("a message that fits is not cut")
	}
}
