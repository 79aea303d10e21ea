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

package translate_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// ruleOf renders a route with one rule, and gives that.
func ruleOf(t *testing.T, rule string, more ...string) *adminv1.Rule {
	t.Helper()
	world := append([]string{gateway, cart, "kind: HTTPRoute\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web}], rules: [" + rule + ", {}]}"}, more...)
	for _, resource := range resources(t, topologytest.Parse(t, world...)) {
		if resource.GetRoute() != nil {
			return resource.GetRoute().GetRules()[0]
		}
	}
	t.Fatal("no route")
	return nil
}

// The backend of a mirror is in the table, whether or not a backendRef leads there too.
func TestBackendsOfMirrors(t *testing.T) {
	world := topologytest.Parse(t, gateway, cart, "kind: HTTPRoute\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web}], rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}}}], "+
		"backendRefs: [{name: cart, port: 9090, filters: [{type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}}}]}]}]}")
	var names []string
	for _, resource := range resources(t, world) {
		names = append(names, resource.GetName())
	}
	want := []string{
		"backend/service/shop/cart/80", "backend/service/shop/cart/9090", "endpoints/service/shop/cart/80", "endpoints/service/shop/cart/9090",
		"listener/http", "route/httproute/shop/r",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFilters(t *testing.T) {
	cases := map[string]struct {
		reason, rule, want string
	}{
		"header modifiers": {
			reason: "in the order of the rule; a rule without backends has its filters all the same",
			rule: `{filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {add: [{name: b, value: c}]}},
				{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Host, value: d}], remove: [e, f]}}]}`,
			want: `filters: [{responseHeaders: {add: [{name: b, value: c}]}}, {requestHeaders: {set: [{name: Host, value: d}], remove: [e, f]}}]`,
		},
		"redirects": {
			reason: "what is left out is empty, but for the status, whose default is 302",
			rule:   `{filters: [{type: RequestRedirect, requestRedirect: {}}]}`,
			want:   `filters: [{redirect: {status: 302}}]`,
		},
		"a whole redirect": {
			reason: "all of it arrives",
			rule:   `{filters: [{type: RequestRedirect, requestRedirect: {scheme: https, hostname: a, port: 8443, statusCode: 308, path: {type: ReplacePrefixMatch, replacePrefixMatch: ""}}}]}`,
			want:   `filters: [{redirect: {scheme: https, hostname: a, port: 8443, status: 308, path: {prefix: ""}}}]`,
		},
		"a rewrite": {
			reason: "all of it arrives",
			rule:   `{filters: [{type: URLRewrite, urlRewrite: {hostname: a, path: {type: ReplaceFullPath, replaceFullPath: /b}}}]}`,
			want:   `filters: [{rewrite: {hostname: a, path: {full: /b}}}]`,
		},
		"mirrors": {
			reason: "one that does not resolve is dropped, and nothing else with it; without a share all requests are mirrored",
			rule: `{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: gone, port: 80}}}, {type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}}},
				{type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}, percent: 0}}, {type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}, fraction: {numerator: 1, denominator: 3}}}]}`,
			want: `filters: [{mirror: {backend: backend/service/shop/cart/80}}, {mirror: {backend: backend/service/shop/cart/80, denominator: 100}},
				{mirror: {backend: backend/service/shop/cart/80, numerator: 1, denominator: 3}}]`,
		},
		"cors": {
			reason: "all of it arrives",
			rule:   `{filters: [{type: CORS, cors: {allowOrigins: ["https://a"], allowMethods: [GET], allowHeaders: [b], exposeHeaders: [c], allowCredentials: true, maxAge: 7}}]}`,
			want:   `filters: [{cors: {allowOrigins: ["https://a"], allowMethods: [GET], allowHeaders: [b], exposeHeaders: [c], allowCredentials: true, maxAge: 7}}]`,
		},
		"cors by default": {
			reason: "a preflight is good for 5 seconds",
			rule:   `{filters: [{type: CORS, cors: {}}]}`,
			want:   `filters: [{cors: {maxAge: 5}}]`,
		},
		"retry": {
			reason: "all of it arrives",
			rule:   `{retry: {codes: [503, 500], attempts: 3, backoff: 1s}}`,
			want:   `retry: {codes: [503, 500], attempts: 3, backoff: 1s}`,
		},
		"retry by default": {
			reason: "two retries, soon",
			rule:   `{retry: {}}`,
			want:   `retry: {attempts: 2, backoff: 0.025s}`,
		},
		"timeouts": {
			reason: "0s is none, and says so",
			rule:   `{timeouts: {request: 1m30s, backendRequest: 0s}}`,
			want:   `timeouts: {request: 90s}`,
		},
		"no timeouts at all": {
			reason: "the rule has timeouts of its own, which are none",
			rule:   `{timeouts: {backendRequest: 0s}}`,
			want:   `timeouts: {}`,
		},
		"of a backend": {
			reason: "they stay with their backend; one that is not resolved needs none",
			rule: `{backendRefs: [{name: cart, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}]},
				{name: gone, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [b]}}]}]}`,
			want: `backends: [{backend: backend/service/shop/cart/80, weight: 1, filters: [{requestHeaders: {remove: [a]}}]}, {weight: 1}]`,
		},
		"a custom filter": {
			reason: "it is not skipped: the rule keeps its matches and answers 500",
			rule:   `{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}, {type: ExtensionRef, extensionRef: {group: a, kind: B, name: c}}], timeouts: {request: 1s}, backendRefs: [{name: cart, port: 80}]}`,
			want:   ``,
		},
		"a custom filter of a backend": {
			reason: "its share answers 500, that of its neighbour does not",
			rule:   `{backendRefs: [{name: cart, port: 80, weight: 3, filters: [{type: ExtensionRef, extensionRef: {group: a, kind: B, name: c}}]}, {name: cart, port: 9090}]}`,
			want:   `backends: [{weight: 3}, {backend: backend/service/shop/cart/9090, weight: 1}]`,
		},
		"of a backend of a rule with a bad one": {
			reason: "a rule that is not supported brings nothing but its matches",
			rule:   `{filters: [{type: Later}], backendRefs: [{name: cart, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}]}]}`,
			want:   ``,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := "resources: [{route: {rules: [{matches: [{path: {type: PATH_MATCH_TYPE_PREFIX, value: /}}], " + c.want + "}]}}]"
			want := table(t, text)[0].GetRoute().GetRules()[0]
			if diff := cmp.Diff(want, ruleOf(t, c.rule), protocmp.Transform()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
