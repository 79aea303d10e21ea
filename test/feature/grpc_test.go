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
	"crypto/tls"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// rpcBackend is a gRPC server whose health service knows the service of its own name alone, as a backend of the house.
func (h *house) rpcBackend(name string) {
	h.t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	server, healths := grpc.NewServer(), health.NewServer()
	healthv1.RegisterHealthServer(server, healths)
	healths.SetServingStatus(name, healthv1.HealthCheckResponse_SERVING)
	go func() { _ = server.Serve(socket) }()
	h.t.Cleanup(server.Stop)
	h.listening(namespace, name, socket.Addr().(*net.TCPAddr).Port)
}

// listening adds a Service with one endpoint at a port of this machine.
func (h *house) listening(space, name string, port int) {
	h.t.Helper()
	h.service(space, name)
	slice := &discoveryv1.EndpointSlice{
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(port))}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"127.0.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: new(true)}}},
	}
	slice.Name = name
	h.slices[types.NamespacedName{Namespace: space, Name: name}] = []*discoveryv1.EndpointSlice{slice}
}

// grpcRoute attaches a GRPCRoute to the Gateway.
func (h *house) grpcRoute(hostnames []gatewayv1.Hostname, rules ...gatewayv1.GRPCRouteRule) {
	r := &gatewayv1.GRPCRoute{}
	r.Namespace, r.Name = namespace, "rpc"
	r.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: gatewayName}}
	r.Spec.Hostnames, r.Spec.Rules = hostnames, rules
	h.input.GRPCRoutes = append(h.input.GRPCRoutes, r)
}

func call(match *gatewayv1.GRPCRouteMatch, backends ...string) gatewayv1.GRPCRouteRule {
	var rule gatewayv1.GRPCRouteRule
	if match != nil {
		rule.Matches = []gatewayv1.GRPCRouteMatch{*match}
	}
	for _, name := range backends {
		ref := gatewayv1.GRPCBackendRef{}
		ref.Name, ref.Port = gatewayv1.ObjectName(name), new(gatewayv1.PortNumber(80))
		rule.BackendRefs = append(rule.BackendRefs, ref)
	}
	return rule
}

func method(matchType gatewayv1.GRPCMethodMatchType, service, method string) *gatewayv1.GRPCRouteMatch {
	return &gatewayv1.GRPCRouteMatch{Method: &gatewayv1.GRPCMethodMatch{Type: &matchType, Service: &service, Method: &method}}
}

// dial is a client of the house's port; credentials are none for clear text.
func (h *house) dial(port uint16, authority string, secured credentials.TransportCredentials) healthv1.HealthClient {
	h.t.Helper()
	address, bound := h.proxy.ListenerAddr(port)
	if !bound {
		h.t.Fatalf("nothing listens on port %d", port)
	}
	if secured == nil {
		secured = insecure.NewCredentials()
	}
	conn, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(secured), grpc.WithAuthority(authority))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	return healthv1.NewHealthClient(conn)
}

func TestGRPCRoutes(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""), secured("https", "", "tls"))
	h.rpcBackend("check")
	h.rpcBackend("special")
	withHeader := method(gatewayv1.GRPCMethodMatchExact, "grpc.health.v1.Health", "Check")
	withHeader.Headers = []gatewayv1.GRPCHeaderMatch{{Name: "X-Kind", Value: "special"}}
	h.grpcRoute([]gatewayv1.Hostname{"rpc.test"},
		call(method(gatewayv1.GRPCMethodMatchExact, "grpc.health.v1.Health", "Check"), "check"),
		call(withHeader, "special"),
		call(method(gatewayv1.GRPCMethodMatchRegularExpression, "grpc[.].*", "W.*"), "check"),
		call(method(gatewayv1.GRPCMethodMatchExact, "", "Check"), "absent"),
		call(method(gatewayv1.GRPCMethodMatchExact, "", "List"), "absent"))
	h.attach(route("web", []gatewayv1.Hostname{"web.test"}, rule(prefix("/"), to("absent", 1))))
	trusted := h.secret(namespace, "tls", "rpc.test")
	h.settle()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	for name, client := range map[string]healthv1.HealthClient{
		"in clear text": h.dial(80, "rpc.test", nil),
		"over TLS":      h.dial(443, "rpc.test", credentials.NewTLS(&tls.Config{RootCAs: trusted, ServerName: "rpc.test"})),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := client.Check(ctx, &healthv1.HealthCheckRequest{Service: "check"}); err != nil {
				t.Errorf("the method's backend: %v", err)
			}
			special := metadata.AppendToOutgoingContext(ctx, "x-kind", "special")
			if _, err := client.Check(special, &healthv1.HealthCheckRequest{Service: "special"}); err != nil {
				t.Errorf("a header match is more than none: %v", err)
			}
			if _, err := client.Check(ctx, &healthv1.HealthCheckRequest{Service: "special"}); status.Code(err) != codes.NotFound {
				t.Errorf("a backend's own status reaches the client; got %v", err)
			}
			watch, err := client.Watch(ctx, &healthv1.HealthCheckRequest{Service: "check"})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := watch.Recv(); err != nil {
				t.Errorf("a stream by expression: %v", err)
			}
			if _, err := client.List(ctx, &healthv1.HealthListRequest{}); status.Code(err) != codes.Unavailable {
				t.Errorf("a backend that cannot be used MUST be UNAVAILABLE; got %v", err)
			}
		})
	}
	stranger := h.dial(80, "stranger.test", nil)
	_, err := stranger.Check(ctx, &healthv1.HealthCheckRequest{})
	if status.Code(err) != codes.Unimplemented || status.Convert(err).Message() != "Not Found" {
		t.Errorf("what no route takes is UNIMPLEMENTED; got %v", err)
	}
	if got := h.get(80, "web.test", "/"); got.status != 500 {
		t.Errorf("requests that are no gRPC get the status of HTTP; got %v", got)
	}
}

// "Characters in a matching service. Characters in a matching method. Header matches." (GRPCRouteRule.matches) The rules stand in the
// opposite order, which decides ties alone.
func TestGRPCPrecedence(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	for _, name := range []string{"expression", "method", "service", "both"} {
		h.rpcBackend(name)
	}
	rules := []gatewayv1.GRPCRouteRule{
		call(method(gatewayv1.GRPCMethodMatchRegularExpression, "", ".*"), "expression"),
		call(method(gatewayv1.GRPCMethodMatchExact, "", "Check"), "method"),
		call(method(gatewayv1.GRPCMethodMatchExact, "grpc.health.v1.Health", ""), "service"),
		call(method(gatewayv1.GRPCMethodMatchExact, "grpc.health.v1.Health", "Check"), "both"),
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i, to := range []string{"expression", "method", "service", "both"} {
		h.input.GRPCRoutes = nil
		h.grpcRoute([]gatewayv1.Hostname{"rpc.test"}, rules[:i+1]...)
		h.settle()
		if _, err := h.dial(80, "rpc.test", nil).Check(ctx, &healthv1.HealthCheckRequest{Service: to}); err != nil {
			t.Errorf("of the first %d rules the last counts most: not to %s: %v", i+1, to, err)
		}
	}
}
