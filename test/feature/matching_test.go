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
	"testing"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// TestMatching holds one world of routes in which each request has one right answer.
func TestMatching(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""), listener("example", 80, "*.example.com"), listener("other", 8080, ""))
	for _, name := range []string{"any", "api", "api-v2", "wild", "exact-host", "post", "header", "query", "only-other"} {
		h.service(namespace, name, backend(t, name))
	}
	withHeader := prefix("/api")
	withHeader[0].Headers = []gatewayv1.HTTPHeaderMatch{{Name: "X-Kind", Value: "special"}}
	withQuery := prefix("/api")
	withQuery[0].QueryParams = []gatewayv1.HTTPQueryParamMatch{{Name: "debug", Value: "1"}}
	withMethod := prefix("/api")
	withMethod[0].Method = new(gatewayv1.HTTPMethodPost)
	h.attach(
		route("any", nil, rule(prefix("/"), to("any", 1))),
		route("api", []gatewayv1.Hostname{"a.test"},
			rule(prefix("/api"), to("api", 1)), rule(prefix("/api/v2"), to("api-v2", 1)),
			rule(withMethod, to("post", 1)), rule(withHeader, to("header", 1)), rule(withQuery, to("query", 1))),
		route("wild", []gatewayv1.Hostname{"*.example.com"}, rule(prefix("/"), to("wild", 1))),
		route("exact", []gatewayv1.Hostname{"www.example.com"}, rule(exact("/only"), to("exact-host", 1))),
	)
	other := route("other", nil, rule(exact("/there"), to("only-other", 1)))
	other.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: gatewayName, SectionName: new(gatewayv1.SectionName("other"))}}
	h.attach(other)
	h.settle()

	cases := map[string]struct {
		reason string
		port   uint16
		host   string
		path   string
		change func(*http.Request)
		want   answer
	}{
		"CatchAll":     {reason: "a route without hostnames takes every host", host: "nobody.test", path: "/x", want: answer{200, "any"}},
		"Prefix":       {reason: "the prefix of the host's route wins over the other host's", host: "a.test", path: "/api/v1", want: answer{200, "api"}},
		"LongerPrefix": {reason: "the longest prefix wins, wherever it stands", host: "a.test", path: "/api/v2/x", want: answer{200, "api-v2"}},
		"ElementWise":  {reason: "/api is not a prefix of /apis: elements are compared whole", host: "a.test", path: "/apis", want: answer{200, "any"}},
		"HostWithPort": {reason: "the port of the authority is no part of the host", host: "a.test:80", path: "/api", want: answer{200, "api"}},
		"HostCase":     {reason: "hosts are compared without regard to case", host: "A.TEST", path: "/api", want: answer{200, "api"}},
		"Method":       {reason: "a method is more than none", host: "a.test", path: "/api", change: func(r *http.Request) { r.Method = http.MethodPost }, want: answer{200, "post"}},
		"Header":       {reason: "a header match is more than none", host: "a.test", path: "/api", change: func(r *http.Request) { r.Header.Set("x-kind", "special") }, want: answer{200, "header"}},
		"Query":        {reason: "a query match is more than none", host: "a.test", path: "/api?debug=1", want: answer{200, "query"}},
		"HeaderBeforeQuery": {
			reason: "headers are counted before query parameters", host: "a.test", path: "/api?debug=1",
			change: func(r *http.Request) { r.Header.Set("x-kind", "special") }, want: answer{200, "header"},
		},
		"Wildcard":        {reason: "a wildcard takes any depth of names", host: "a.b.example.com", path: "/", want: answer{200, "wild"}},
		"ExactHost":       {reason: "an exact host wins over a wildcard", host: "www.example.com", path: "/only", want: answer{200, "exact-host"}},
		"FallThrough":     {reason: "where no rule of the exact host matches, the wildcard's do", host: "www.example.com", path: "/else", want: answer{200, "wild"}},
		"WildcardNotApex": {reason: "*.example.com does not take example.com", host: "example.com", path: "/", want: answer{200, "any"}},
		"OwnListener":     {reason: "a route attached to one listener is on its port", port: 8080, host: "nobody.test", path: "/there", want: answer{200, "only-other"}},
		"OtherListener":   {reason: "a route attached to one listener is not on another's port", host: "nobody.test", path: "/there", want: answer{200, "any"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			port := tc.port
			if port == 0 {
				port = 80
			}
			var changes []func(*http.Request)
			if tc.change != nil {
				changes = append(changes, tc.change)
			}
			if got := h.get(port, tc.host, tc.path, changes...); got != tc.want {
				t.Errorf("%s: got %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
}

func TestNothingMatches(t *testing.T) {
	h := newHouse(t, listener("http", 80, "a.test"))
	h.service(namespace, "a", backend(t, "a"))
	h.attach(route("a", nil, rule(exact("/here"), to("a", 1))))
	h.settle()
	if got := h.get(80, "a.test", "/here"); got != (answer{200, "a"}) {
		t.Errorf("the route does not serve: %v", got)
	}
	for name, host := range map[string]string{"NoRule": "a.test", "NoListener": "b.test"} {
		if got := h.get(80, host, "/elsewhere"); got.status != http.StatusNotFound {
			t.Errorf("%s: got %v, want 404", name, got)
		}
	}
}
