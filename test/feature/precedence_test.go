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
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// contender is a route that would take a request; its backend has its name.
type contender struct {
	namespace, name string
	hostnames       []gatewayv1.Hostname
	age             time.Duration
	matches         []gatewayv1.HTTPRouteMatch
}

func (c contender) route() *gatewayv1.HTTPRoute {
	r := route(c.name, c.hostnames, rule(c.matches, inNamespace(to("answers-"+c.name, 1), namespace)))
	if c.namespace != "" {
		r.Namespace = c.namespace
	}
	r.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: gatewayName, Namespace: new(gatewayv1.Namespace(namespace))}}
	r.CreationTimestamp = metav1.NewTime(time.Unix(1_700_000_000, 0).Add(-c.age))
	return r
}

// TestPrecedence has two routes contend for a request, whichever of them is read first: HTTPRouteSpec.hostnames and
// HTTPRouteRule.matches say who gets it, to the last tie.
func TestPrecedence(t *testing.T) {
	with := func(match gatewayv1.HTTPRouteMatch, change func(*gatewayv1.HTTPRouteMatch)) []gatewayv1.HTTPRouteMatch {
		change(&match)
		return []gatewayv1.HTTPRouteMatch{match}
	}
	headers := func(names ...gatewayv1.HTTPHeaderName) func(*gatewayv1.HTTPRouteMatch) {
		return func(m *gatewayv1.HTTPRouteMatch) {
			for _, name := range names {
				m.Headers = append(m.Headers, gatewayv1.HTTPHeaderMatch{Name: name, Value: "1"})
			}
		}
	}
	parameters := func(names ...gatewayv1.HTTPHeaderName) func(*gatewayv1.HTTPRouteMatch) {
		return func(m *gatewayv1.HTTPRouteMatch) {
			for _, name := range names {
				m.QueryParams = append(m.QueryParams, gatewayv1.HTTPQueryParamMatch{Name: name, Value: "1"})
			}
		}
	}
	a, ab := path(gatewayv1.PathMatchPathPrefix, "/a"), path(gatewayv1.PathMatchPathPrefix, "/a/b")
	const old = time.Hour
	cases := map[string]struct {
		reason        string
		wins, against contender
	}{
		"exact hostname": {
			reason:  "characters in a matching non-wildcard hostname come first, whatever the paths",
			wins:    contender{hostnames: []gatewayv1.Hostname{"w.sub.a.test"}, matches: prefix("/")},
			against: contender{hostnames: []gatewayv1.Hostname{"*.sub.a.test"}, matches: exact("/a/b"), age: old},
		},
		"longer wildcard": {
			reason:  "then characters in a matching hostname",
			wins:    contender{hostnames: []gatewayv1.Hostname{"*.sub.a.test"}, matches: prefix("/")},
			against: contender{hostnames: []gatewayv1.Hostname{"*.a.test"}, matches: exact("/a/b"), age: old},
		},
		"a hostname of its own": {
			reason:  "a route without hostnames has none, whatever its listener's is",
			wins:    contender{hostnames: []gatewayv1.Hostname{"*.a.test"}, matches: prefix("/")},
			against: contender{matches: exact("/a/b"), age: old},
		},
		"exact path": {
			reason:  "an exact path comes before all that a prefix may have besides",
			wins:    contender{matches: exact("/a/b")},
			against: contender{matches: with(ab, func(m *gatewayv1.HTTPRouteMatch) { m.Method = new(gatewayv1.HTTPMethodGet); headers("x", "y")(m) }), age: old},
		},
		"longer prefix": {
			reason:  "the prefix with the largest number of characters",
			wins:    contender{matches: []gatewayv1.HTTPRouteMatch{ab}},
			against: contender{matches: with(a, func(m *gatewayv1.HTTPRouteMatch) { m.Method = new(gatewayv1.HTTPMethodGet); headers("x", "y")(m) }), age: old},
		},
		"method": {
			reason:  "a method, however many headers there are",
			wins:    contender{matches: with(a, func(m *gatewayv1.HTTPRouteMatch) { m.Method = new(gatewayv1.HTTPMethodGet) })},
			against: contender{matches: with(a, headers("x", "y")), age: old},
		},
		"more headers": {
			reason:  "the largest number of headers, however many parameters there are",
			wins:    contender{matches: with(a, headers("x", "y"))},
			against: contender{matches: with(a, func(m *gatewayv1.HTTPRouteMatch) { headers("x")(m); parameters("x", "y")(m) }), age: old},
		},
		"headers that count once": {
			reason:  "of entries with an equivalent name the first alone is considered, and counted",
			wins:    contender{matches: with(a, headers("x", "y"))},
			against: contender{matches: with(a, headers("x", "X", "x")), age: old},
		},
		"more parameters": {
			reason:  "the largest number of query parameters, however old the other is",
			wins:    contender{matches: with(a, parameters("x", "y"))},
			against: contender{matches: with(a, parameters("x")), age: old},
		},
		"older": {
			reason: "the oldest route, whatever the names", wins: contender{namespace: "zoo", name: "z", matches: prefix("/a"), age: time.Second}, against: contender{matches: prefix("/a")},
		},
		"name": {
			reason: "the first by name", wins: contender{name: "b", matches: prefix("/a")}, against: contender{name: "c", matches: prefix("/a")},
		},
		"namespace": {
			reason:  `by "{namespace}/{name}", in which "-" is before "/"`,
			wins:    contender{namespace: namespace + "-a", name: "z", matches: prefix("/a")},
			against: contender{name: "b", matches: prefix("/a")},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for i, contender := range []*contender{&c.wins, &c.against} {
				if contender.name == "" {
					contender.name = []string{"y", "b"}[i]
				}
			}
			for _, order := range []string{"in order", "in reverse"} {
				h := newHouse(t, listener("any", 80, "*.a.test"))
				routes := []*gatewayv1.HTTPRoute{c.wins.route(), c.against.route()}
				for _, route := range routes {
					h.service(namespace, "answers-"+route.Name, backend(t, route.Name))
				}
				h.input.Grants = append(h.input.Grants, granting(c.wins.namespace))
				if order == "in reverse" {
					slices.Reverse(routes)
				}
				h.attach(routes...)
				h.settle()
				got := h.get(80, "w.sub.a.test", "/a/b?x=1&y=1", func(r *http.Request) { r.Header.Set("x", "1"); r.Header.Set("y", "1") })
				if got != (answer{200, c.wins.name}) {
					t.Errorf("%s, read %s: got %v", c.reason, order, got)
				}
			}
		})
	}
}

// granting lets the HTTPRoutes of a namespace refer to the Gateway's Services.
func granting(from string) *gatewayv1.ReferenceGrant {
	grant := &gatewayv1.ReferenceGrant{}
	grant.Namespace, grant.Name = namespace, "let-in"
	grant.Spec.From = []gatewayv1.ReferenceGrantFrom{{Group: gatewayv1.GroupName, Kind: "HTTPRoute", Namespace: gatewayv1.Namespace(from)}}
	grant.Spec.To = []gatewayv1.ReferenceGrantTo{{Kind: "Service"}}
	return grant
}

// TestPrecedenceWithinARoute: "matching precedence MUST be granted to the FIRST matching rule (in list order) with a match meeting
// the above criteria", though another rule may have a match that stands earlier in its list.
func TestPrecedenceWithinARoute(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	for _, name := range []string{"first", "second", "longer"} {
		h.service(namespace, name, backend(t, name))
	}
	a := path(gatewayv1.PathMatchPathPrefix, "/a")
	h.attach(route("r", nil,
		rule([]gatewayv1.HTTPRouteMatch{path(gatewayv1.PathMatchPathPrefix, "/x"), path(gatewayv1.PathMatchPathPrefix, "/y"), a}, to("first", 1)),
		rule([]gatewayv1.HTTPRouteMatch{a}, to("second", 1)),
		rule([]gatewayv1.HTTPRouteMatch{path(gatewayv1.PathMatchPathPrefix, "/a/b/c")}, to("longer", 1))))
	h.settle()
	for path, want := range map[string]string{"/a": "first", "/a/b": "first", "/a/b/c/d": "longer"} {
		if got := h.get(80, "h.test", path); got != (answer{200, want}) {
			t.Errorf("%s: got %v, want %s", path, got, want)
		}
	}
}
