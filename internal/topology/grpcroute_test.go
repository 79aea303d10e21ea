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
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

const rpcService = "kind: Service\nmetadata: {namespace: shop, name: rpc}\nspec: {ports: [{port: 80}, {port: 81, appProtocol: kubernetes.io/h2c}, {port: 82, appProtocol: http}]}"

func grpcRoute(spec string) string {
	return "kind: GRPCRoute\nmetadata: {namespace: shop, name: rpc}\nspec: " + spec
}

// paths writes the matches of a rule as the paths and headers that they take.
func paths(rule *topology.Rule) string {
	var words []string
	for _, match := range rule.Matches {
		word := "any"
		if match.Path != nil {
			word = fmt.Sprintf("%s %s", *match.Path.Type, *match.Path.Value)
		}
		for _, header := range match.Headers {
			matchType := gatewayv1.HeaderMatchExact
			if header.Type != nil {
				matchType = *header.Type
			}
			word += fmt.Sprintf(" [%s %s %s]", header.Name, matchType, header.Value)
		}
		words = append(words, word)
	}
	return strings.Join(words, ", ")
}

func TestGRPCRules(t *testing.T) {
	cases := map[string]struct {
		reason      string
		rule        string
		want        string // what the rule takes
		unsupported string
	}{
		"no match":               {reason: "\"If no matches are specified, the implementation MUST match every gRPC request.\"", rule: `{}`, want: "any"},
		"service and method":     {reason: "a gRPC request is one for /service/method", rule: `{matches: [{method: {service: a.B, method: Get}}]}`, want: "Exact /a.B/Get"},
		"a service":              {reason: "every method of it", rule: `{matches: [{method: {type: Exact, service: a.B}}]}`, want: "PathPrefix /a.B"},
		"a method":               {reason: "of every service", rule: `{matches: [{method: {method: Get}}]}`, want: "rauta.dev/Method Get"},
		"neither":                {reason: "what is left empty takes any; old schemas let it through", rule: `{matches: [{method: {service: ""}}]}`, want: "any"},
		"expressions":            {reason: "each for its own element, whatever it holds", rule: `{matches: [{method: {type: RegularExpression, service: "a|b", method: "Get.*"}}]}`, want: "RegularExpression /(?:a|b)/(?:Get.*)"},
		"a service's expression": {reason: "the method is any", rule: `{matches: [{method: {type: RegularExpression, service: "a.+"}}]}`, want: "RegularExpression /(?:a.+)/[^/]+"},
		"a method's expression":  {reason: "it counts less than any service, which an expression for the path would not", rule: `{matches: [{method: {type: RegularExpression, method: "Get.*"}}]}`, want: "rauta.dev/MethodExpression Get.*"},
		"headers":                {reason: "headers are HTTP's", rule: `{matches: [{headers: [{name: x, value: v}, {type: RegularExpression, name: z, value: "1|2"}]}, {method: {service: a}}]}`, want: "any [x Exact v] [z RegularExpression 1|2], PathPrefix /a"},
		"a bad expression":       {reason: "the match is named; the others keep their requests", rule: `{matches: [{method: {service: a}}, {method: {type: RegularExpression, service: "a("}}]}`, want: "PathPrefix /a", unsupported: `matches[1].method.service: "a(" is not a regular expression`},
		"only a bad expression":  {reason: "a rule that can be told to take nothing must not take everything", rule: `{matches: [{method: {type: RegularExpression, method: "["}}]}`, unsupported: `matches[0].method.method: "[" is not a regular expression`},
		"a type of the future":   {reason: "values may be added to the enum", rule: `{matches: [{method: {type: Glob, service: a}}]}`, unsupported: `matches[0].method.type: "Glob" is not supported`},
		"a bad header":           {reason: "what is HTTP's is checked as HTTP's", rule: `{matches: [{headers: [{type: RegularExpression, name: a, value: "("}]}]}`, unsupported: `matches[0].headers[0].value: "("`},
		"a filter of the future": {reason: "a rule must not be served as if its filter were absent", rule: `{filters: [{type: Later}]}`, want: "any", unsupported: "filters[0].type"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, plainGateway, rpcService, grpcRoute("{parentRefs: [{name: web}], rules: [{}, "+c.rule+"]}"))
			route := topology.Build(world.Input).Routes[0]
			if diff := cmp.Diff(c.want, paths(&route.Rules[1])); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if got := route.Rules[1].Unsupported; !strings.HasPrefix(got, c.unsupported) || (c.unsupported == "") != (got == "") {
				t.Errorf("%s: unsupported is %q, want %q", c.reason, got, c.unsupported)
			}
		})
	}
}

func TestGRPCBackends(t *testing.T) {
	grant := "kind: ReferenceGrant\nmetadata: {namespace: bank, name: g}\nspec: {from: [{group: gateway.networking.k8s.io, kind: %s, namespace: shop}], to: [{group: \"\", kind: Service}]}"
	cases := map[string]struct {
		reason, ref, grant, problem string
	}{
		"nothing said":   {reason: "gRPC needs HTTP/2, so that is what an unnamed protocol is", ref: `{name: rpc, port: 80}`},
		"h2c":            {reason: "the standard protocol of KEP-3726", ref: `{name: rpc, port: 81}`},
		"http":           {reason: "HTTP/1.1 cannot carry gRPC", ref: `{name: rpc, port: 82}`, problem: "UnsupportedProtocol"},
		"for HTTPRoutes": {reason: "a grant for HTTPRoutes is none for GRPCRoutes", ref: `{namespace: bank, name: rpc, port: 80}`, grant: fmt.Sprintf(grant, "HTTPRoute"), problem: "RefNotPermitted"},
		"for GRPCRoutes": {reason: "a grant for GRPCRoutes is", ref: `{namespace: bank, name: rpc, port: 80}`, grant: fmt.Sprintf(grant, "GRPCRoute")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, plainGateway, rpcService, strings.Replace(rpcService, "namespace: shop", "namespace: bank", 1),
				grpcRoute("{parentRefs: [{name: web}], rules: [{backendRefs: ["+c.ref+"]}]}"), c.grant)
			backend := topology.Build(world.Input).Routes[0].Rules[0].Backends[0]
			if c.problem == "" && (backend.Problem != nil || backend.Protocol != topology.H2C) {
				t.Errorf("%s: got problem %+v, protocol %d", c.reason, backend.Problem, backend.Protocol)
			}
			if c.problem != "" && (backend.Problem == nil || backend.Problem.Reason != c.problem) {
				t.Errorf("%s: got problem %+v", c.reason, backend.Problem)
			}
		})
	}
}

// Of an HTTPRoute and a GRPCRoute that want the same hostnames on a listener one is accepted.
func TestRivalRoutes(t *testing.T) {
	const (
		accepted = "Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs on [%s]"
		rejected = "Accepted=False/HostnameConflict ResolvedRefs=True/ResolvedRefs on []"
	)
	on := func(listeners string) string { return fmt.Sprintf(accepted, listeners) }
	route := func(kind, name, age, hostnames string) string {
		return fmt.Sprintf("kind: %s\nmetadata: {namespace: shop, name: %s, creationTimestamp: \"2026-01-0%sT00:00:00Z\"}\nspec: {parentRefs: [{name: web}], hostnames: [%s], rules: [{}]}", kind, name, age, hostnames)
	}
	cases := map[string]struct {
		reason    string
		listeners string
		routes    []string
		want      []string
	}{
		"the older one": {
			reason: "\"The oldest Route based on creation timestamp.\"", routes: []string{route("HTTPRoute", "a", "2", "x.test"), route("GRPCRoute", "b", "1", "x.test")},
			want: []string{"shop/a[0]: " + rejected, "shop/b[0]: " + on("any")},
		},
		"the first by name": {
			reason: "\"The Route appearing first in alphabetical order by {namespace}/{name}.\"", routes: []string{route("GRPCRoute", "b", "1", "x.test"), route("HTTPRoute", "a", "1", "x.test")},
			want: []string{"shop/a[0]: " + on("any"), "shop/b[0]: " + rejected},
		},
		"wildcards": {
			reason: "hostnames need not be equal to have one in common", routes: []string{route("GRPCRoute", "a", "1", `"*.test"`), route("HTTPRoute", "b", "2", "y.example, x.test")},
			want: []string{"shop/a[0]: " + on("any"), "shop/b[0]: " + rejected},
		},
		"no hostnames": {
			reason: "a route without hostnames has all of its listener's", routes: []string{route("GRPCRoute", "a", "1", ""), route("HTTPRoute", "b", "2", "x.test")},
			want: []string{"shop/a[0]: " + on("any"), "shop/b[0]: " + rejected},
		},
		"other hostnames": {
			reason: "routes that have nothing in common live side by side", routes: []string{route("GRPCRoute", "a", "1", "x.test"), route("HTTPRoute", "b", "2", "y.test"), route("GRPCRoute", "c", "3", "x.test")},
			want: []string{"shop/a[0]: " + on("any"), "shop/b[0]: " + on("any"), "shop/c[0]: " + strings.Replace(on("any"), " on", " rauta.dev/Shadowed=True/Shadowed on", 1)},
		},
		"rejected ones take nothing": {
			reason: "a route that was rejected keeps nobody out", routes: []string{route("GRPCRoute", "a", "1", "x.test"), route("HTTPRoute", "b", "2", "x.test, y.test"), route("GRPCRoute", "c", "3", "y.test")},
			want: []string{"shop/a[0]: " + on("any"), "shop/b[0]: " + rejected, "shop/c[0]: " + on("any")},
		},
		"on one of two listeners": {
			reason: "the conflict is on a listener; where there is none the route is served", listeners: `{name: any, port: 80, protocol: HTTP, hostname: x.test}, {name: other, port: 81, protocol: HTTP}`,
			routes: []string{
				strings.Replace(route("GRPCRoute", "a", "1", "x.test"), "{name: web}", "{name: web, sectionName: any}", 1), route("HTTPRoute", "b", "2", "x.test")},
			want: []string{"shop/a[0]: " + on("any"), "shop/b[0]: " + on("other")},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			listeners := c.listeners
			if listeners == "" {
				listeners = "{name: any, port: 80, protocol: HTTP}"
			}
			world := topologytest.Parse(t, append(c.routes, "kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {gatewayClassName: rauta, listeners: ["+listeners+"]}")...)
			var got []string
			for _, line := range routeLines(topology.Build(world.Input)) {
				if strings.Contains(line, "]: ") {
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestRivalIsNamed(t *testing.T) {
	world := topologytest.Parse(t, plainGateway,
		"kind: HTTPRoute\nmetadata: {namespace: shop, name: web}\nspec: {parentRefs: [{name: web}], rules: [{}]}", grpcRoute("{parentRefs: [{name: web}], rules: [{}]}"))
	for _, route := range topology.Build(world.Input).Routes {
		if message := route.Parents[0].Accepted.Message; topology.KindOf(route.Object) == topology.HTTPRouteKind && !strings.Contains(message, `listener "http": GRPCRoute shop/rpc`) {
			t.Errorf("the message must name who has the hostnames; it is %q", message)
		}
	}
}

func TestGRPCRouteOnListenersOfOtherKinds(t *testing.T) {
	world := topologytest.Parse(t, gatewayWith(`{name: http, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: HTTPRoute}]}}`), grpcRoute("{parentRefs: [{name: web}], rules: [{}]}"))
	accepted := topology.Build(world.Input).Routes[0].Parents[0].Accepted
	if short(accepted) != "Accepted=False/NotAllowedByListeners" || !strings.Contains(accepted.Message, "do not list GRPCRoute") {
		t.Errorf("a listener for HTTPRoutes alone lets no GRPCRoute in; got %+v", accepted)
	}
}
