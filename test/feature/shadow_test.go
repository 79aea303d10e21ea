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
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Whom a shadowed route names is who answers.
func TestShadowedRouteNamesWhoAnswers(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	h.service(namespace, "first", backend(t, "first"))
	h.service(namespace, "second", backend(t, "second"))
	older, younger := route("z", nil, rule(prefix("/x/"), to("first", 1))), route("a", nil, rule(prefix("/x"), to("second", 1)))
	older.CreationTimestamp, younger.CreationTimestamp = metav1.NewTime(time.Unix(1, 0)), metav1.NewTime(time.Unix(2, 0))
	h.attach(older, younger)

	shadowed := h.settle().Routes[0].Parents[0].Shadowed
	if got := h.get(80, "a.test", "/x/y"); got.body != "first" || shadowed == nil || !strings.Contains(shadowed.Message, "HTTPRoute shop/z") {
		t.Errorf("%q answers, and the other route is told %v", got.body, shadowed)
	}
	younger.Spec.Rules[0].Matches = exact("/x/y")
	shadowed = h.settle().Routes[0].Parents[0].Shadowed
	if got := h.get(80, "a.test", "/x/y"); got.body != "second" || shadowed != nil {
		t.Errorf("%q answers for a match of its own, and the route is told %v", got.body, shadowed)
	}
}

// TestShadowsAreWhatClientsSee asks a real proxy for all that random rules match: those that are reported get nothing, or not all, and the
// others get all of it.
func TestShadowsAreWhatClientsSee(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	h := newHouse(t, listener("http", 80, ""))
	reported := 0
	for range 12 {
		h.input.HTTPRoutes = nil
		for i := range 6 {
			h.attach(tellingRoute(random, fmt.Sprint("route-", i)))
		}
		built := h.settle()
		for i := range built.Routes {
			route, message := &built.Routes[i], ""
			if shadowed := route.Parents[0].Shadowed; shadowed != nil {
				message = shadowed.Message
				reported++
			}
			for j := range route.Rules {
				own, all := h.answeredByItself(t, route.Object.(*gatewayv1.HTTPRoute), j)
				whole := strings.Contains(message, fmt.Sprintf("rules[%d]: all its requests go to ", j))
				part := strings.Contains(message, fmt.Sprintf("rules[%d].matches[", j))
				if whole != (own == 0) || part != (own > 0 && own < all) {
					t.Fatalf("rules[%d] of %s answers %d of its %d requests, and is told %q", j, route.Object.GetName(), own, all, message)
				}
			}
		}
	}
	if reported == 0 {
		t.Error("no rule was shadowed: the routes are too different to show anything")
	}
}

// tellingRoute is a route whose rules answer with who they are.
func tellingRoute(random *rand.Rand, name string) *gatewayv1.HTTPRoute {
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	telling := route(name, nil)
	telling.CreationTimestamp = metav1.NewTime(time.Unix(int64(1+random.IntN(2)), 0))
	for range random.IntN(3) {
		telling.Spec.Hostnames = append(telling.Spec.Hostnames, gatewayv1.Hostname(pick("a.test", "b.test", "*.test")))
	}
	for i := range 1 + random.IntN(3) {
		var matches []gatewayv1.HTTPRouteMatch
		for range 1 + random.IntN(2) {
			match := path(gatewayv1.PathMatchType(pick("Exact", "PathPrefix")), pick("/x", "/y"))
			if random.IntN(3) == 0 {
				match.Method = new(gatewayv1.HTTPMethodPost)
			}
			if random.IntN(3) == 0 {
				match.Headers = []gatewayv1.HTTPHeaderMatch{{Name: gatewayv1.HTTPHeaderName(pick("A", "a")), Value: pick("1", "2")}}
			}
			matches = append(matches, match)
		}
		to := gatewayv1.PreciseHostname(fmt.Sprintf("%s-%d.test", name, i))
		telling.Spec.Rules = append(telling.Spec.Rules, gatewayv1.HTTPRouteRule{Matches: matches, Filters: []gatewayv1.HTTPRouteFilter{{
			Type: gatewayv1.HTTPRouteFilterRequestRedirect, RequestRedirect: &gatewayv1.HTTPRequestRedirectFilter{Hostname: &to},
		}}})
	}
	return telling
}

// answeredByItself asks for what each match of a rule takes and no more precise one does, for each hostname, and counts the answers that
// are the rule's.
func (h *house) answeredByItself(t *testing.T, route *gatewayv1.HTTPRoute, rule int) (own, all int) {
	t.Helper()
	hosts := []string{"elsewhere.example"}
	if len(route.Spec.Hostnames) > 0 {
		hosts = nil
	}
	for _, hostname := range route.Spec.Hostnames {
		hosts = append(hosts, strings.Replace(string(hostname), "*", "other", 1))
	}
	for _, match := range route.Spec.Rules[rule].Matches {
		target := *match.Path.Value
		if *match.Path.Type == gatewayv1.PathMatchPathPrefix {
			target += "/below"
		}
		for _, host := range hosts {
			method, fields := http.MethodGet, []string(nil)
			if match.Method != nil {
				method = string(*match.Method)
			}
			for _, header := range match.Headers {
				fields = append(fields, string(header.Name), header.Value)
			}
			response, _ := h.ask(80, method, host, target, fields...)
			all++
			if response.Header.Get("Location") == fmt.Sprintf("http://%s-%d.test%s", route.Name, rule, target) {
				own++
			}
		}
	}
	return own, all
}
