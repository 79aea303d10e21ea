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

package feature

import (
	"net/http"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

func header(name, value string) gatewayv1.HTTPHeader {
	return gatewayv1.HTTPHeader{Name: gatewayv1.HTTPHeaderName(name), Value: value}
}

// modifier sets, adds to and removes one header each.
var modifier = &gatewayv1.HTTPHeaderFilter{
	Set: []gatewayv1.HTTPHeader{header("X-Set", "filter")}, Add: []gatewayv1.HTTPHeader{header("X-Add", "filter")}, Remove: []string{"x-gone"},
}

func redirecting(redirect gatewayv1.HTTPRequestRedirectFilter) []gatewayv1.HTTPRouteFilter {
	return []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterRequestRedirect, RequestRedirect: &redirect}}
}

func rewriting(rewrite gatewayv1.HTTPURLRewriteFilter) []gatewayv1.HTTPRouteFilter {
	return []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterURLRewrite, URLRewrite: &rewrite}}
}

func mirroring(change func(*gatewayv1.HTTPRequestMirrorFilter)) []gatewayv1.HTTPRouteFilter {
	mirror := &gatewayv1.HTTPRequestMirrorFilter{BackendRef: to("copies", 1).BackendObjectReference}
	change(mirror)
	return []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterRequestMirror, RequestMirror: mirror}}
}

func fullPath(path string) *gatewayv1.HTTPPathModifier {
	return &gatewayv1.HTTPPathModifier{Type: gatewayv1.FullPathHTTPPathModifier, ReplaceFullPath: &path}
}

func prefixPath(path string) *gatewayv1.HTTPPathModifier {
	return &gatewayv1.HTTPPathModifier{Type: gatewayv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: &path}
}

// redirected asks for a path and wants to be sent elsewhere.
func redirected(status, location string) []httpAsk {
	return []httpAsk{{target: "/in/x/y?q", want: seen{"status": status, "response Location": location, "backend": ""}}}
}

// rewritten asks for a path, of which the backend gets something else.
func rewritten(host, target string) []httpAsk {
	return []httpAsk{{target: "/in/x/y?q", want: seen{"status": "200", "host": host, "target": target}}}
}

// httpFilterCases are tried on rules and on backendRefs, for the prefix /in/x.
var httpFilterCases = map[string]filterCase{
	"request headers": {
		reason:  "set replaces, add appends, remove removes, whatever the case of names",
		filters: []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterRequestHeaderModifier, RequestHeaderModifier: modifier}},
		asks: []httpAsk{
			{target: "/in/x", fields: []string{"X-Set", "1", "X-Set", "2", "X-Add", "client", "X-Gone", "client"}, want: seen{
				"status": "200", "request X-Set": "filter", "request X-Add": "client,filter", "request X-Gone": "",
				"response X-Set": "backend", "response X-Add": "backend", "response X-Gone": "backend",
			}},
			{target: "/in/x", want: seen{"request X-Set": "filter", "request X-Add": "filter", "request X-Gone": ""}},
		},
	},
	"response headers": {
		reason:  "of what the backend answers",
		filters: []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterResponseHeaderModifier, ResponseHeaderModifier: modifier}},
		asks: []httpAsk{{target: "/in/x", fields: []string{"X-Set", "client", "X-Gone", "client"}, want: seen{
			"status": "200", "response X-Set": "filter", "response X-Add": "backend,filter", "response X-Gone": "",
			"request X-Set": "client", "request X-Gone": "client",
		}}},
	},
	"redirect with nothing": {
		reason: "302 is the default, and all of the target is kept", filters: redirecting(gatewayv1.HTTPRequestRedirectFilter{}),
		asks: []httpAsk{{target: "/in/x/y?q", want: seen{"status": "302", "backend": ""}}},
	},
	"redirect to all": {
		reason: "scheme, hostname, port, path and status", filters: redirecting(gatewayv1.HTTPRequestRedirectFilter{
			Scheme: new("https"), Hostname: new(gatewayv1.PreciseHostname("other.test")), Port: new(gatewayv1.PortNumber(8443)), Path: fullPath("/one"), StatusCode: new(301),
		}), asks: redirected("301", "https://other.test:8443/one?q"),
	},
	"redirect to a prefix": {
		reason: "what follows the prefix stays", filters: redirecting(gatewayv1.HTTPRequestRedirectFilter{
			Hostname: new(gatewayv1.PreciseHostname("other.test")), Path: prefixPath("/out"), StatusCode: new(302),
		}), asks: redirected("302", "http://other.test/out/y?q"),
	},
	"redirect 303": {reason: "every status", filters: redirecting(gatewayv1.HTTPRequestRedirectFilter{Hostname: new(gatewayv1.PreciseHostname("o.test")), StatusCode: new(303)}), asks: redirected("303", "http://o.test/in/x/y?q")},
	"redirect 307": {reason: "every status", filters: redirecting(gatewayv1.HTTPRequestRedirectFilter{Hostname: new(gatewayv1.PreciseHostname("o.test")), StatusCode: new(307)}), asks: redirected("307", "http://o.test/in/x/y?q")},
	"redirect 308": {reason: "every status", filters: redirecting(gatewayv1.HTTPRequestRedirectFilter{Hostname: new(gatewayv1.PreciseHostname("o.test")), StatusCode: new(308)}), asks: redirected("308", "http://o.test/in/x/y?q")},
	"rewrite of the host": {
		reason: "the path stays", filters: rewriting(gatewayv1.HTTPURLRewriteFilter{Hostname: new(gatewayv1.PreciseHostname("inner.test"))}), asks: rewritten("inner.test", "/in/x/y?q"),
	},
	"rewrite of the path": {
		reason: "the query stays", filters: rewriting(gatewayv1.HTTPURLRewriteFilter{Hostname: new(gatewayv1.PreciseHostname("inner.test")), Path: fullPath("/one")}), asks: rewritten("inner.test", "/one?q"),
	},
	"rewrite of the prefix": {
		reason: "what follows it stays", filters: rewriting(gatewayv1.HTTPURLRewriteFilter{Hostname: new(gatewayv1.PreciseHostname("inner.test")), Path: prefixPath("/out")}), asks: rewritten("inner.test", "/out/y?q"),
	},
	"mirror": {
		reason: "the client gets the backend's answer, the mirror the request", filters: mirroring(func(*gatewayv1.HTTPRequestMirrorFilter) {}),
		asks: []httpAsk{{target: "/in/x?mirror", want: seen{"status": "200", "backend": "a", "copies": "1"}}},
	},
	"mirror of a percentage": {
		reason: "100 of 100", filters: mirroring(func(m *gatewayv1.HTTPRequestMirrorFilter) { m.Percent = new(int32(100)) }),
		asks: []httpAsk{{target: "/in/x?percent", want: seen{"status": "200", "backend": "a", "copies": "1"}}},
	},
	"mirror of a fraction": {
		reason: "7 of 7", filters: mirroring(func(m *gatewayv1.HTTPRequestMirrorFilter) {
			m.Fraction = &gatewayv1.Fraction{Numerator: 7, Denominator: new(int32(7))}
		}), asks: []httpAsk{{target: "/in/x?fraction", want: seen{"status": "200", "backend": "a", "copies": "1"}}},
	},
	"mirror of nothing": {
		reason: "0 of 100", filters: mirroring(func(m *gatewayv1.HTTPRequestMirrorFilter) { m.Percent = new(int32(0)) }),
		asks: []httpAsk{{target: "/in/x?none", want: seen{"status": "200", "backend": "a", "copies": "0"}}},
	},
	"two mirrors": {
		reason:  "this filter can be used multiple times within the same rule",
		filters: append(mirroring(func(*gatewayv1.HTTPRequestMirrorFilter) {}), mirroring(func(*gatewayv1.HTTPRequestMirrorFilter) {})...),
		asks:    []httpAsk{{target: "/in/x?two", want: seen{"status": "200", "backend": "a", "copies": "2"}}},
	},
	"CORS": {
		reason: "preflights are answered, responses marked",
		filters: []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterCORS, CORS: &gatewayv1.HTTPCORSFilter{
			AllowOrigins: []gatewayv1.CORSOrigin{"https://o.test"}, AllowCredentials: new(true), AllowMethods: []gatewayv1.HTTPMethodWithWildcard{"GET", "PUT"},
			AllowHeaders: []gatewayv1.HTTPHeaderName{"X-In"}, ExposeHeaders: []gatewayv1.HTTPHeaderName{"X-Out"}, MaxAge: 60,
		}}},
		asks: []httpAsk{
			{target: "/in/x", method: http.MethodOptions, fields: []string{"Origin", "https://o.test", "Access-Control-Request-Method", "PUT"}, want: seen{
				"status": "204", "backend": "", "response Access-Control-Allow-Origin": "https://o.test", "response Access-Control-Allow-Methods": "GET, PUT",
				"response Access-Control-Allow-Headers": "X-In", "response Access-Control-Max-Age": "60", "response Access-Control-Allow-Credentials": "true",
			}},
			{target: "/in/x", fields: []string{"Origin", "https://o.test"}, want: seen{
				"status": "200", "backend": "a", "response Access-Control-Allow-Origin": "https://o.test", "response Access-Control-Expose-Headers": "X-Out",
			}},
			{target: "/in/x", fields: []string{"Origin", "https://p.test"}, want: seen{"status": "200", "response Access-Control-Allow-Origin": ""}},
		},
	},
	"extension": {
		reason:  "a filter that is not known MUST NOT be skipped",
		filters: []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterExtensionRef, ExtensionRef: &gatewayv1.LocalObjectReference{Group: "example.com", Kind: "Thing", Name: "x"}}},
		asks:    []httpAsk{{target: "/in/x", want: seen{"status": "500", "backend": ""}}},
	},
	"external authorization": {
		reason: "nor one that is not supported", filters: []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterExternalAuth, ExternalAuth: &gatewayv1.HTTPExternalAuthFilter{
			ExternalAuthProtocol: gatewayv1.HTTPRouteExternalAuthHTTPProtocol, BackendRef: to("b", 1).BackendObjectReference,
		}}}, asks: []httpAsk{{target: "/in/x", want: seen{"status": "500", "backend": ""}}},
	},
	"all that go together": {
		reason: "in their order, those of headers seeing what the others leave", filters: append(append(rewriting(gatewayv1.HTTPURLRewriteFilter{Path: prefixPath("/out")}),
			gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterRequestHeaderModifier, RequestHeaderModifier: modifier},
			gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterResponseHeaderModifier, ResponseHeaderModifier: modifier},
			gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterCORS, CORS: &gatewayv1.HTTPCORSFilter{AllowOrigins: []gatewayv1.CORSOrigin{"*"}}}),
			mirroring(func(*gatewayv1.HTTPRequestMirrorFilter) {})...),
		asks: []httpAsk{{target: "/in/x/y?all", fields: []string{"Origin", "https://o.test"}, want: seen{
			"status": "200", "target": "/out/y?all", "request X-Set": "filter", "response X-Set": "filter", "response Access-Control-Allow-Origin": "*", "copies": "1",
		}}},
	},
}
