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

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

const cartService = "kind: Service\nmetadata: {namespace: shop, name: cart}\nspec: {ports: [{port: 80}]}"

func TestFilters(t *testing.T) {
	cases := map[string]struct {
		reason string
		rule   string
		want   string // what is said to be unsupported; empty when the rule is served
	}{
		"header modifiers": {
			reason: "both may be used together, each name once",
			rule: `{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Host, value: "a.example:80"}], add: [{name: b, value: c}], remove: [d]}},
				{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: a, value: b  c}]}}]}`,
		},
		"a filter twice": {
			reason: "specifying the same filter multiple times is not supported",
			rule:   `{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}, {type: RequestHeaderModifier, requestHeaderModifier: {remove: [b]}}]}`,
			want:   `filters[1].type: RequestHeaderModifier is there twice`,
		},
		"a filter without its part": {
			reason: "old schemas let it through", rule: `{filters: [{type: ResponseHeaderModifier}]}`,
			want: `filters[0].type: ResponseHeaderModifier needs the field of that name`,
		},
		"one name in two actions": {
			reason: "filters specifying multiple actions for any one header name are invalid; the schema sees neither case nor type",
			rule:   `{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: X-A, value: b}], add: [{name: x-a, value: b}]}}]}`,
			want:   `filters[0].requestHeaderModifier.add[0].name: x-a is there twice`,
		},
		"framing": {
			reason: "where a message ends is not a route's to say",
			rule:   `{filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {remove: [content-length]}}]}`,
			want:   `filters[0].responseHeaderModifier.remove[0]: content-length frames the message`,
		},
		"another Host": {
			reason: "a request has one", rule: `{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {add: [{name: Host, value: a}]}}]}`,
			want: `filters[0].requestHeaderModifier.add[0].name: a request has one Host`,
		},
		"a Host that is none": {
			reason: "it would be read in two ways", rule: `{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: Host, value: a/b}]}}]}`,
			want: `filters[0].requestHeaderModifier.set[0].value: "a/b" is not a host`,
		},
		"a line break": {
			reason: "the schema of the standard channel lets any value through",
			rule:   `{filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: a, value: "b\r\nc: d"}]}}]}`,
			want:   `filters[0].responseHeaderModifier.set[0].value: "b\r\nc: d" holds a character`,
		},
		"a redirect": {
			reason: "all that it can say",
			rule:   `{filters: [{type: RequestRedirect, requestRedirect: {scheme: https, hostname: a.example, port: 8443, statusCode: 303, path: {type: ReplaceFullPath, replaceFullPath: /a%2Fb}}}]}`,
		},
		"a scheme of the future": {
			reason: "values may be added to the enum", rule: `{filters: [{type: RequestRedirect, requestRedirect: {scheme: h3}}]}`,
			want: `filters[0].requestRedirect.scheme: "h3" is not supported`,
		},
		"a status of the future": {
			reason: "values may be added to the enum", rule: `{filters: [{type: RequestRedirect, requestRedirect: {statusCode: 309}}]}`,
			want: `filters[0].requestRedirect.statusCode: 309 is not supported`,
		},
		"a modifier of the future": {
			reason: "additional types may be added", rule: `{filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceRegex}}}]}`,
			want: `filters[0].urlRewrite.path.type: "ReplaceRegex" is not supported`,
		},
		"a modifier without its part": {
			reason: "old schemas let it through", rule: `{filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replacePrefixMatch: /a}}}]}`,
			want: `filters[0].urlRewrite.path.type: ReplaceFullPath needs the field`,
		},
		"a prefix in the place of a prefix": {
			reason: "the default match is a prefix as well", rule: `{filters: [{type: URLRewrite, urlRewrite: {hostname: a.example, path: {type: ReplacePrefixMatch, replacePrefixMatch: ""}}}]}`,
		},
		"a prefix in the place of an exact path": {
			reason: "it is only compatible with a PathPrefix match",
			rule:   `{matches: [{path: {type: Exact, value: /a}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]}`,
			want:   `filters[0].urlRewrite.path.replacePrefixMatch: the matches of the rule must be one PathPrefix`,
		},
		"a prefix in the place of two": {
			reason: "which of them is meant is not known",
			rule:   `{matches: [{path: {value: /a}}, {path: {value: /b}}], filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]}`,
			want:   `filters[0].requestRedirect.path.replacePrefixMatch: the matches of the rule must be one PathPrefix`,
		},
		"a path with a query": {
			reason: "a path has none", rule: `{filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: "/a?b"}}}]}`,
			want: `filters[0].urlRewrite.path.replaceFullPath: "/a?b" holds what has to be percent-encoded`,
		},
		"a path of dots": {
			reason: "what would be refused of a client is not sent either", rule: `{filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /a/%2e.}}}]}`,
			want: `filters[0].urlRewrite.path.replaceFullPath: "/a/%2e." has segments of dots`,
		},
		"a redirect and a rewrite": {
			reason: "they may not be combined", rule: `{filters: [{type: URLRewrite, urlRewrite: {}}, {type: RequestRedirect, requestRedirect: {}}]}`,
			want: `filters[1].type: URLRewrite and RequestRedirect may not be combined`,
		},
		"cors": {
			reason: "all that it can say",
			rule:   `{filters: [{type: CORS, cors: {allowOrigins: ["https://a.example:8443", "http://*.a", "https://*"], allowMethods: ["*"], allowHeaders: [a, b], exposeHeaders: ["*"], allowCredentials: true, maxAge: 5}}]}`,
		},
		"cors of no origin": {
			reason: "old schemas let any text through", rule: `{filters: [{type: CORS, cors: {allowOrigins: ["https://a", "b.example"]}}]}`,
			want: `filters[0].cors.allowOrigins[1]: "b.example" is no origin`,
		},
		"cors of all and one": {
			reason: "the wildcard stands alone", rule: `{filters: [{type: CORS, cors: {allowHeaders: [a, "*"]}}]}`,
			want: `filters[0].cors.allowHeaders[1]: "*" is no header name`,
		},
		"mirrors": {
			reason: "several, by percent and by fraction",
			rule: `{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}, percent: 100}}, {type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}, fraction: {numerator: 1}}},
				{type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}}}]}`,
		},
		"a percentage and a fraction": {
			reason: "only one may be given", rule: `{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}, percent: 1, fraction: {numerator: 1}}}]}`,
			want: `filters[0].requestMirror.fraction: only one of percent and fraction`,
		},
		"more than all": {
			reason: "101 percent is no share", rule: `{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}, percent: 101}}]}`,
			want: `filters[0].requestMirror.percent: 101 is not between 0 and 100`,
		},
		"a fraction of nothing": {
			reason: "nobody divides by 0", rule: `{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: cart, port: 80}, fraction: {numerator: 0, denominator: 0}}}]}`,
			want: `filters[0].requestMirror.fraction: 0 of 0 is no share`,
		},
		"filters of a backend": {
			reason: "those of backends are served like those of rules",
			rule:   `{backendRefs: [{name: cart, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [a]}}]}]}`,
		},
		"a bad filter of a backend": {
			reason: "the message leads to the backend", rule: `{backendRefs: [{name: cart, port: 80}, {name: cart, port: 80, filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: ["a b"]}}]}]}`,
			want: `backendRefs[1].filters[0].requestHeaderModifier.remove[0]: "a b" is not a header name`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, plainGateway, routeWith("{parentRefs: [{name: web}], rules: ["+c.rule+"]}"), cartService)
			route := topology.Build(world.Input).Routes[0]
			rule := route.Rules[0]
			if (c.want == "") != (rule.Unsupported == "") || !strings.HasPrefix(rule.Unsupported, c.want) {
				t.Errorf("%s: unsupported is %q, want %q", c.reason, rule.Unsupported, c.want)
			}
			if c.want != "" && len(rule.Filters) > 0 {
				t.Errorf("%s: an unsupported rule has no filters", c.reason)
			}
			accepted := route.Parents[0].Accepted
			if accepted.True() != (c.want == "") || c.want != "" && accepted.Reason != "UnsupportedValue" {
				t.Errorf("%s: %s", c.reason, short(accepted))
			}
		})
	}
}

// A mirror that does not resolve is said in ResolvedRefs, and its rule is served without it.
func TestReferencesOfFilters(t *testing.T) {
	mirror := func(ref string) string { return "{type: RequestMirror, requestMirror: {backendRef: {" + ref + "}}}" }
	cases := map[string]struct {
		reason, rule, grant string
		want, message       string
	}{
		"resolved": {
			reason: "all references are", rule: `{filters: [` + mirror("name: cart, port: 80") + `]}`,
			want: "ResolvedRefs=True/ResolvedRefs",
		},
		"missing": {
			reason: "the Message should be used to provide more detail", rule: `{filters: [` + mirror("name: cart, port: 80") + `, ` + mirror("name: gone, port: 80") + `]}`,
			want: "ResolvedRefs=False/BackendNotFound", message: "rules[0].filters[1].requestMirror.backendRef: Service shop/gone does not exist",
		},
		"of a backend": {
			reason: "the message leads to the backend", rule: `{backendRefs: [{name: cart, port: 80, filters: [` + mirror("name: cart, port: 81") + `]}]}`,
			want: "ResolvedRefs=False/BackendNotFound", message: "rules[0].backendRefs[0].filters[0].requestMirror.backendRef: Service shop/cart has no port 81",
		},
		"custom filters": {
			reason: "no kind is known, and the Message of the Condition must explain which is not; several may be there",
			rule:   `{filters: [{type: ExtensionRef, extensionRef: {group: example.com, kind: Thing, name: a}}, {type: ExtensionRef, extensionRef: {group: "", kind: ConfigMap, name: b}}]}`,
			want:   "ResolvedRefs=False/InvalidKind", message: `rules[0].filters[0].extensionRef: example.com/Thing "a" is not supported as a filter; no kind is; rules[0].filters[1].extensionRef: ConfigMap "b"`,
		},
		"a custom filter of a backend": {
			reason: "the message leads to the backend",
			rule:   `{backendRefs: [{name: cart, port: 80, filters: [{type: ExtensionRef, extensionRef: {group: example.com, kind: Thing, name: a}}]}]}`,
			want:   "ResolvedRefs=False/InvalidKind", message: "rules[0].backendRefs[0].filters[0].extensionRef: example.com/Thing",
		},
		"not granted": {
			reason: "a mirror of another namespace needs a grant", rule: `{filters: [` + mirror("namespace: vault, name: cart, port: 80") + `]}`,
			want: "ResolvedRefs=False/RefNotPermitted", message: "rules[0].filters[0].requestMirror.backendRef: no ReferenceGrant",
		},
		"granted": {
			reason: "with one it is as good as its own", rule: `{filters: [` + mirror("namespace: vault, name: cart, port: 80") + `]}`,
			grant: "kind: ReferenceGrant\nmetadata: {namespace: vault, name: g}\nspec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: \"\", kind: Service}]}",
			want:  "ResolvedRefs=True/ResolvedRefs",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, plainGateway, routeWith("{parentRefs: [{name: web}], rules: ["+c.rule+"]}"), cartService,
				strings.Replace(cartService, "namespace: shop", "namespace: vault", 1), c.grant)
			route := topology.Build(world.Input).Routes[0]
			parent := route.Parents[0]
			if short(parent.ResolvedRefs) != c.want || !strings.HasPrefix(parent.ResolvedRefs.Message, c.message) {
				t.Errorf("%s: %s %q", c.reason, short(parent.ResolvedRefs), parent.ResolvedRefs.Message)
			}
			if !parent.Accepted.True() || route.Rules[0].Unsupported != "" {
				t.Errorf("%s: the rule is not served: %s %q", c.reason, short(parent.Accepted), route.Rules[0].Unsupported)
			}
		})
	}
}
