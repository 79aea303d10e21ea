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

// either has a match lead to a, and all else to b.
func either(match gatewayv1.HTTPRouteMatch) []gatewayv1.HTTPRouteRule {
	return []gatewayv1.HTTPRouteRule{rule([]gatewayv1.HTTPRouteMatch{match}, to("a", 1)), rule(nil, to("b", 1))}
}

// changed is a rule for everything to a backend, after a change.
func changed(backend string, change func(*gatewayv1.HTTPRouteRule)) []gatewayv1.HTTPRouteRule {
	r := rule(nil, to(backend, 1))
	change(&r)
	return []gatewayv1.HTTPRouteRule{r}
}

func byMethod(method gatewayv1.HTTPMethod) httpCase {
	other := http.MethodGet
	if method == gatewayv1.HTTPMethodGet {
		other = http.MethodPut
	}
	return httpCase{
		reason: "methods are compared exactly", rules: either(gatewayv1.HTTPRouteMatch{Method: &method}),
		asks: []httpAsk{{method: string(method), want: seen{"status": "200", "backend": "a"}}, {method: other, want: seen{"backend": "b"}}},
	}
}

func byHeader(matchType gatewayv1.HeaderMatchType, value string) gatewayv1.HTTPRouteMatch {
	return gatewayv1.HTTPRouteMatch{Headers: []gatewayv1.HTTPHeaderMatch{{Type: &matchType, Name: "X-Kind", Value: value}}}
}

func byQuery(matchType gatewayv1.QueryParamMatchType, value string) gatewayv1.HTTPRouteMatch {
	return gatewayv1.HTTPRouteMatch{QueryParams: []gatewayv1.HTTPQueryParamMatch{{Type: &matchType, Name: "kind", Value: value}}}
}

var httpCases = map[string]httpCase{
	"path, exact": {
		reason: "the path alone, in any spelling", rules: either(path(gatewayv1.PathMatchExact, "/in")),
		asks: []httpAsk{
			{target: "/in?query", want: seen{"backend": "a"}}, {target: "/%69n", want: seen{"backend": "a"}},
			{target: "/in/", want: seen{"backend": "b"}}, {target: "/IN", want: seen{"backend": "b"}},
		},
	},
	"path, prefix": {
		reason: "whole elements, with or without a trailing slash", rules: either(path(gatewayv1.PathMatchPathPrefix, "/in/")),
		asks: []httpAsk{
			{target: "/in", want: seen{"backend": "a"}}, {target: "/in/side", want: seen{"backend": "a"}},
			{target: "/inside", want: seen{"backend": "b"}}, {target: "/in%2Fside", want: seen{"backend": "b"}},
		},
	},
	"path, expression": {
		reason: "the whole path", rules: either(path(gatewayv1.PathMatchRegularExpression, "/v[0-9]+")),
		asks: []httpAsk{{target: "/v12", want: seen{"backend": "a"}}, {target: "/v12x", want: seen{"backend": "b"}}, {target: "/x/v1", want: seen{"backend": "b"}}},
	},
	"header, exact": {
		reason: "a repeated header is one list, of which no part is the value", rules: either(byHeader(gatewayv1.HeaderMatchExact, "x, y")),
		asks: []httpAsk{
			{fields: []string{"x-kind", "x, y"}, want: seen{"backend": "a"}}, {fields: []string{"X-Kind", "x", "X-KIND", "y"}, want: seen{"backend": "a"}},
			{fields: []string{"X-Kind", "y", "X-Kind", "x"}, want: seen{"backend": "b"}}, {fields: []string{"X-Kind", "x"}, want: seen{"backend": "b"}},
			{want: seen{"backend": "b"}},
		},
	},
	"header, expression": {
		reason: "of a repeated header, too, the whole list", rules: either(byHeader(gatewayv1.HeaderMatchRegularExpression, "x(, y)*")),
		asks: []httpAsk{
			{fields: []string{"X-Kind", "x", "X-Kind", "y"}, want: seen{"backend": "a"}}, {fields: []string{"X-Kind", "x", "X-Kind", "z"}, want: seen{"backend": "b"}},
			{want: seen{"backend": "b"}},
		},
	},
	"query, exact": {
		reason: "the first of a repeated parameter, decoded", rules: either(byQuery(gatewayv1.QueryParamMatchExact, "x y")),
		asks: []httpAsk{
			{target: "/?kind=x+y", want: seen{"backend": "a"}}, {target: "/?a&k%69nd=%78%20y&kind=z", want: seen{"backend": "a"}},
			{target: "/?kind=z&kind=x+y", want: seen{"backend": "b"}}, {target: "/?Kind=x+y", want: seen{"backend": "b"}}, {want: seen{"backend": "b"}},
		},
	},
	"query, expression": {
		reason: "likewise", rules: either(byQuery(gatewayv1.QueryParamMatchRegularExpression, "x|y+")),
		asks: []httpAsk{
			{target: "/?kind=yy&kind=z", want: seen{"backend": "a"}}, {target: "/?kind=z&kind=x", want: seen{"backend": "b"}}, {target: "/?kind=xx", want: seen{"backend": "b"}},
		},
	},
	"method GET": byMethod(gatewayv1.HTTPMethodGet), "method HEAD": byMethod(gatewayv1.HTTPMethodHead), "method POST": byMethod(gatewayv1.HTTPMethodPost),
	"method PUT": byMethod(gatewayv1.HTTPMethodPut), "method DELETE": byMethod(gatewayv1.HTTPMethodDelete), "method OPTIONS": byMethod(gatewayv1.HTTPMethodOptions),
	"method TRACE": byMethod(gatewayv1.HTTPMethodTrace), "method PATCH": byMethod(gatewayv1.HTTPMethodPatch),
	"method CONNECT": {
		reason: "a gateway makes no tunnels, and no other request is a CONNECT", rules: either(gatewayv1.HTTPRouteMatch{Method: new(gatewayv1.HTTPMethodConnect)}),
		asks: []httpAsk{{method: http.MethodConnect, want: seen{"status": "501", "backend": ""}}, {want: seen{"backend": "b"}}},
	},
	"name": {
		reason: "a rule's name changes nothing", rules: changed("a", func(r *gatewayv1.HTTPRouteRule) { r.Name = new(gatewayv1.SectionName("named")) }),
		asks: []httpAsk{{want: seen{"backend": "a"}}},
	},
	"reference in full": {
		reason: "group, kind and namespace, with a grant", rules: changed("b", func(r *gatewayv1.HTTPRouteRule) {
			r.BackendRefs[0].Group, r.BackendRefs[0].Kind = new(gatewayv1.Group("")), new(gatewayv1.Kind("Service"))
			r.BackendRefs[0].Namespace = new(gatewayv1.Namespace("vault"))
		}),
		asks: []httpAsk{{want: seen{"backend": "vault/b"}}},
	},
	"timeout of the request": {
		reason: "nobody waits longer", rules: changed("silent", func(r *gatewayv1.HTTPRouteRule) {
			r.Timeouts = &gatewayv1.HTTPRouteTimeouts{Request: new(gatewayv1.Duration("50ms"))}
		}),
		asks: []httpAsk{{want: seen{"status": "504"}}},
	},
	"timeout of the backend": {
		reason: "the backend's time is shorter", rules: changed("silent", func(r *gatewayv1.HTTPRouteRule) {
			r.Timeouts = &gatewayv1.HTTPRouteTimeouts{Request: new(gatewayv1.Duration("1h")), BackendRequest: new(gatewayv1.Duration("50ms"))}
		}),
		asks: []httpAsk{{want: seen{"status": "504"}}},
	},
	"retry": {
		reason: "the second attempt is answered", rules: changed("flaky", func(r *gatewayv1.HTTPRouteRule) {
			r.Retry = &gatewayv1.HTTPRouteRetry{Codes: []gatewayv1.HTTPRouteRetryStatusCode{503}, Attempts: new(1), Backoff: new(gatewayv1.Duration("1ms"))}
		}),
		asks: []httpAsk{{want: seen{"status": "200", "backend": "flaky"}}},
	},
	"no retry": {
		reason: "without one the first answer counts", rules: changed("flaky", func(*gatewayv1.HTTPRouteRule) {}),
		asks: []httpAsk{{want: seen{"status": "503", "backend": "flaky"}}, {want: seen{"status": "200"}}},
	},
	"session persistence": {
		reason: "what is not supported is not left out: it answers 500", rules: append(changed("a", func(r *gatewayv1.HTTPRouteRule) {
			r.SessionPersistence = &gatewayv1.SessionPersistence{SessionName: new("s")}
		}), beside),
		asks: []httpAsk{{want: seen{"status": "500", "backend": ""}}},
	},
}
