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
	"context"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/test/fixture"
)

// grpcCase is rules of a GRPCRoute with a hostname of its own, and what becomes of calls for it.
type grpcCase struct {
	reason string
	rules  []gatewayv1.GRPCRouteRule
	asks   []grpcAsk
}

type grpcAsk struct {
	method string // /pkg.In/Call when empty
	fields []string
	want   seen
}

// eitherCall has a match lead to a, and all else to b.
func eitherCall(match gatewayv1.GRPCRouteMatch) []gatewayv1.GRPCRouteRule {
	return []gatewayv1.GRPCRouteRule{call(&match, "a"), call(nil, "b")}
}

func calledBy(name string, matchType gatewayv1.GRPCHeaderMatchType, value string) gatewayv1.GRPCRouteMatch {
	return gatewayv1.GRPCRouteMatch{Headers: []gatewayv1.GRPCHeaderMatch{{Type: &matchType, Name: gatewayv1.GRPCHeaderName(name), Value: value}}}
}

func changedCall(change func(*gatewayv1.GRPCRouteRule)) []gatewayv1.GRPCRouteRule {
	r := call(nil, "b")
	change(&r)
	return []gatewayv1.GRPCRouteRule{r}
}

var grpcCases = map[string]grpcCase{
	"method, exact": {
		reason: "both names, with their case", rules: eitherCall(*method(gatewayv1.GRPCMethodMatchExact, "pkg.In", "Call")),
		asks: []grpcAsk{
			{want: seen{"status": "OK", "backend": "a"}}, {method: "/pkg.In/Calls", want: seen{"backend": "b"}}, {method: "/pkg.in/Call", want: seen{"backend": "b"}},
		},
	},
	"service, exact": {
		reason: "whatever its method", rules: eitherCall(*method(gatewayv1.GRPCMethodMatchExact, "pkg.In", "")),
		asks: []grpcAsk{{want: seen{"backend": "a"}}, {method: "/pkg.In/Other", want: seen{"backend": "a"}}, {method: "/pkg.Inn/Call", want: seen{"backend": "b"}}},
	},
	"method alone, exact": {
		reason: "of whatever service", rules: eitherCall(*method(gatewayv1.GRPCMethodMatchExact, "", "Call")),
		asks: []grpcAsk{{want: seen{"backend": "a"}}, {method: "/x/Call", want: seen{"backend": "a"}}, {method: "/Call/x", want: seen{"backend": "b"}}},
	},
	"method, expression": {
		reason: "either name as a whole", rules: eitherCall(*method(gatewayv1.GRPCMethodMatchRegularExpression, "pkg[.]I.", "C|Call")),
		asks: []grpcAsk{
			{want: seen{"backend": "a"}}, {method: "/pkg.In/C", want: seen{"backend": "a"}}, {method: "/pkg.In/Calls", want: seen{"backend": "b"}},
			{method: "/a.pkg.In/C", want: seen{"backend": "b"}},
		},
	},
	"header, exact": {
		reason: "repeated metadata is one list", rules: eitherCall(calledBy("X-Kind", gatewayv1.GRPCHeaderMatchExact, "x, y")),
		asks: []grpcAsk{
			{fields: []string{"x-kind", "x", "x-kind", "y"}, want: seen{"backend": "a"}}, {fields: []string{"x-kind", "x"}, want: seen{"backend": "b"}}, {want: seen{"backend": "b"}},
		},
	},
	"header, expression": {
		reason: "as a whole", rules: eitherCall(calledBy("x-kind", gatewayv1.GRPCHeaderMatchRegularExpression, "x|y+")),
		asks: []grpcAsk{{fields: []string{"x-kind", "yy"}, want: seen{"backend": "a"}}, {fields: []string{"x-kind", "xx"}, want: seen{"backend": "b"}}},
	},
	"name and reference in full": {
		reason: "group, kind and namespace, with a grant", rules: changedCall(func(r *gatewayv1.GRPCRouteRule) {
			r.Name = new(gatewayv1.SectionName("named"))
			ref := &r.BackendRefs[0]
			ref.Group, ref.Kind, ref.Namespace = new(gatewayv1.Group("")), new(gatewayv1.Kind("Service")), new(gatewayv1.Namespace("vault"))
			ref.Weight = new(int32(1))
		}),
		asks: []grpcAsk{{want: seen{"status": "OK", "backend": "vault/b"}}},
	},
	"session persistence": {
		reason: "what is not supported is not left out", rules: append(changedCall(func(r *gatewayv1.GRPCRouteRule) {
			r.SessionPersistence = &gatewayv1.SessionPersistence{SessionName: new("s")}
		}), besideCall),
		asks: []grpcAsk{{want: seen{"status": "Unavailable", "backend": ""}}},
	},
}

// besideCall is a rule that can be served, without which a route would not be accepted.
var besideCall = call(method(gatewayv1.GRPCMethodMatchExact, "beside", "Call"), "b")

var mirroredCalls = gatewayv1.GRPCRouteFilter{
	Type: gatewayv1.GRPCRouteFilterRequestMirror, RequestMirror: &gatewayv1.HTTPRequestMirrorFilter{BackendRef: to("copies", 1).BackendObjectReference},
}

// grpcFilterCases are filters that a rule has or a backendRef, of which both are tried.
var grpcFilterCases = map[string]struct {
	reason  string
	filters []gatewayv1.GRPCRouteFilter
	asks    []grpcAsk
}{
	"request headers": {
		reason:  "of the call",
		filters: []gatewayv1.GRPCRouteFilter{{Type: gatewayv1.GRPCRouteFilterRequestHeaderModifier, RequestHeaderModifier: modifier}},
		asks: []grpcAsk{{fields: []string{"x-set", "1", "x-add", "client", "x-gone", "client"}, want: seen{
			"status": "OK", "request x-set": "filter", "request x-add": "client,filter", "request x-gone": "", "response x-set": "backend",
		}}},
	},
	"response headers": {
		reason:  "of its answer",
		filters: []gatewayv1.GRPCRouteFilter{{Type: gatewayv1.GRPCRouteFilterResponseHeaderModifier, ResponseHeaderModifier: modifier}},
		asks: []grpcAsk{{fields: []string{"x-set", "client"}, want: seen{
			"status": "OK", "request x-set": "client", "response x-set": "filter", "response x-add": "backend,filter", "response x-gone": "",
		}}},
	},
	"mirrors": {
		reason: "the client gets the backend's answer, the mirrors the call", filters: []gatewayv1.GRPCRouteFilter{mirroredCalls, mirroredCalls},
		asks: []grpcAsk{{method: "/pkg.In/Mirrored", want: seen{"status": "OK", "backend": "b", "copies": "2"}}},
	},
	"extension": {
		reason:  "a filter that is not known MUST NOT be skipped",
		filters: []gatewayv1.GRPCRouteFilter{{Type: gatewayv1.GRPCRouteFilterExtensionRef, ExtensionRef: &gatewayv1.LocalObjectReference{Group: "example.com", Kind: "Thing", Name: "x"}}},
		asks:    []grpcAsk{{want: seen{"status": "Unavailable", "backend": ""}}},
	},
}

func allGRPCCases() map[string]grpcCase {
	all := maps.Clone(grpcCases)
	for name, c := range grpcFilterCases {
		all[name+", on the rule"] = grpcCase{reason: c.reason, asks: c.asks, rules: append(changedCall(func(r *gatewayv1.GRPCRouteRule) { r.Filters = c.filters }), besideCall)}
		all[name+", on the backendRef"] = grpcCase{reason: c.reason, asks: c.asks, rules: append(changedCall(func(r *gatewayv1.GRPCRouteRule) {
			r.BackendRefs[0].Filters = c.filters
		}), besideCall)}
	}
	return all
}

// rpcWitness answers every call, and tells in its answer what it received; those of copies are counted as well.
func (h *house) rpcWitness(space, name string, counted *copies) {
	h.t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		got, _ := metadata.FromIncomingContext(stream.Context())
		target, _ := grpc.MethodFromServerStream(stream)
		host := strings.Join(got[":authority"], ",")
		if counted != nil {
			counted.add(host + target)
		}
		answer := metadata.Pairs("x-backend", name, "x-set", "backend", "x-add", "backend", "x-gone", "backend", "saw-host", host, "saw-target", target)
		for _, field := range []string{"x-set", "x-add", "x-gone"} {
			answer.Append("saw-"+field, strings.Join(got[field], ","))
		}
		if err := stream.RecvMsg(&healthv1.HealthCheckRequest{}); err != nil {
			return err
		}
		if err := stream.SendHeader(answer); err != nil {
			return err
		}
		return stream.SendMsg(&healthv1.HealthCheckResponse{})
	}))
	go func() { _ = server.Serve(socket) }()
	h.t.Cleanup(server.Stop)
	h.listening(space, strings.TrimPrefix(name, space+"/"), socket.Addr().(*net.TCPAddr).Port)
}

// TestGRPCVocabulary tries all that a rule of a GRPCRoute can say; TestVocabularyIsWhole sees to it that it is all.
func TestGRPCVocabulary(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	h.witnesses() // For the grant.
	got := &copies{got: map[string]int{}}
	for _, name := range []string{"a", "b"} {
		h.rpcWitness(namespace, name, nil)
	}
	h.rpcWitness("vault", "vault/b", nil)
	h.rpcWitness(namespace, "copies", got)
	cases := allGRPCCases()
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		h.grpcRoute([]gatewayv1.Hostname{gatewayv1.Hostname(hostOf(name))}, cases[name].rules...)
		h.input.GRPCRoutes[len(h.input.GRPCRoutes)-1].Name = hostOf(name)
	}
	h.settle()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for _, ask := range c.asks {
				saw := h.call(hostOf(name), &ask)
				if copies, mirrored := ask.want["copies"]; mirrored {
					want, _ := strconv.Atoi(copies)
					fixture.Eventually(t, "the mirrors have all copies", func() bool { return got.count(saw["host"]+saw["target"]) == want })
					saw["copies"] = copies
				}
				if diff := cmp.Diff(ask.want, saw.of(ask.want)); diff != "" {
					t.Errorf("%s: %s %v (-want +got):\n%s", c.reason, ask.method, ask.fields, diff)
				}
			}
		})
	}
}

// call makes a call to the host of a case.
func (h *house) call(host string, ask *grpcAsk) seen {
	h.t.Helper()
	address, bound := h.proxy.ListenerAddr(80)
	if !bound {
		h.t.Fatal("nothing listens")
	}
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(host))
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(h.t.Context(), time.Minute)
	defer cancel()
	method := ask.method
	if method == "" {
		method = "/pkg.In/Call"
	}
	var header metadata.MD
	err = conn.Invoke(metadata.AppendToOutgoingContext(ctx, ask.fields...), method, &healthv1.HealthCheckRequest{}, &healthv1.HealthCheckResponse{}, grpc.Header(&header))
	saw := seen{"status": status.Code(err).String()}
	value := func(name string) string { return strings.Join(header[name], ",") }
	for key, name := range map[string]string{"backend": "x-backend", "host": "saw-host", "target": "saw-target"} {
		saw[key] = value(name)
	}
	for _, name := range []string{"x-set", "x-add", "x-gone"} {
		saw["request "+name], saw["response "+name] = value("saw-"+name), value(name)
	}
	return saw
}
