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
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"google.golang.org/grpc/credentials"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/pki"
	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/translate"
	"github.com/rauta-dev/rauta/proxy"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/test/fixture"
)

const (
	namespace   = "shop"
	gatewayName = "web"
)

var key = push.Key{Namespace: namespace, Name: gatewayName}

// house is a Gateway with its objects, the operator's rooms without an API server, and one real proxy.
type house struct {
	t      *testing.T
	input  topology.Input
	slices translate.EndpointSource
	// parameters of the Gateway, merged; may be nil.
	parameters *v1alpha1.GatewayParametersSpec
	pusher     *push.Pusher
	proxy      *proxy.Proxy
	client     *http.Client
}

// newHouse has a Gateway with the given listeners and nothing attached.
func newHouse(t *testing.T, listeners ...gatewayv1.Listener) *house {
	t.Helper()
	h := &house{
		t: t, slices: translate.EndpointSource{},
		client: &http.Client{
			Timeout:       10 * time.Second,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		input: topology.Input{
			ControllerName: "rauta.dev/gateway-controller",
			GatewayClass:   &gatewayv1.GatewayClass{},
			Gateway:        &gatewayv1.Gateway{},
			Namespaces:     map[string]*corev1.Namespace{},
			Services:       map[types.NamespacedName]*corev1.Service{},
			Secrets:        map[types.NamespacedName]*topology.TLSSecret{},
			ConfigMaps:     map[types.NamespacedName]*corev1.ConfigMap{},
		},
	}
	h.input.GatewayClass.Name = "rauta"
	h.input.Gateway.Namespace, h.input.Gateway.Name = namespace, gatewayName
	h.input.Gateway.Spec = gatewayv1.GatewaySpec{GatewayClassName: "rauta", Listeners: listeners}
	t.Cleanup(h.client.CloseIdleConnections)
	authority := fixture.Authority(t)
	h.startProxy(authority)
	h.startOperator(fixture.Operator(authority))
	return h
}

func (h *house) startProxy(authority *pki.Authority) {
	h.t.Helper()
	certificate, privateKey, bundle := fixture.ProxyFiles(h.t, authority, namespace, gatewayName, time.Now())
	directory := h.t.TempDir()
	file := func(name string, content []byte) string {
		path := filepath.Join(directory, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			h.t.Fatal(err)
		}
		return path
	}
	b := bootstrap.Default()
	b.Health.Address = "127.0.0.1:0"
	b.Admin = &bootstrap.Admin{
		Address: "127.0.0.1:0", Identity: pki.ProxyIdentity(namespace, gatewayName), Operator: pki.OperatorIdentity,
		Certificate: file("tls.crt", certificate), Key: file("tls.key", privateKey), CA: file("ca.crt", bundle),
	}
	var err error
	h.proxy, err = proxy.Start(h.t.Context(), proxy.Config{
		Bootstrap: b, BindAddress: func(uint16) string { return "127.0.0.1:0" },
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(h.proxy.Close)
}

func (h *house) startOperator(operator *pki.Operator) {
	h.pusher = push.New(push.Options{
		Credentials: func(key push.Key) credentials.TransportCredentials {
			return fixture.Credentials(operator, key.Namespace, key.Name)
		},
	})
	h.t.Cleanup(h.pusher.Close)
	h.pusher.SetReplicas(key, []push.Replica{{ID: "replica", Address: h.proxy.AdminAddr(), Ready: true}})
}

// settle brings the objects to the proxy, and waits until it has acknowledged them.
func (h *house) settle() *topology.Topology {
	h.t.Helper()
	decided := topology.Build(h.input)
	resources, err := translate.Resources(decided, h.slices, translate.WithParameters(h.parameters))
	if err != nil {
		h.t.Fatal(err)
	}
	h.pusher.Set(key, resources)
	h.acknowledged()
	return decided
}

func (h *house) acknowledged() {
	h.t.Helper()
	fixture.Eventually(h.t, "the proxy acknowledges the table", func() bool { return h.pusher.State(key).Programmed() })
}

// attach adds a route to the Gateway.
func (h *house) attach(routes ...*gatewayv1.HTTPRoute) {
	for _, route := range routes {
		if len(route.Spec.ParentRefs) == 0 {
			route.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: gatewayName, Namespace: new(gatewayv1.Namespace(namespace))}}
		}
		h.input.HTTPRoutes = append(h.input.HTTPRoutes, route)
	}
}

// service adds a Service of port 80 with one endpoint for each of the servers.
func (h *house) service(namespace, name string, servers ...*httptest.Server) {
	h.t.Helper()
	key := types.NamespacedName{Namespace: namespace, Name: name}
	service := &corev1.Service{}
	service.Namespace, service.Name = namespace, name
	service.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80}}
	h.input.Services[key] = service
	h.slices[key] = nil
	for i, server := range servers {
		h.slices[key] = append(h.slices[key], sliceOf(h.t, fmt.Sprintf("%s-%d", name, i), server, discoveryv1.EndpointConditions{Ready: new(true)}))
	}
}

// sliceOf is an EndpointSlice with the server as its only endpoint.
func sliceOf(t *testing.T, name string, server *httptest.Server, conditions discoveryv1.EndpointConditions) *discoveryv1.EndpointSlice {
	t.Helper()
	host, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	slice := &discoveryv1.EndpointSlice{
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: new("http"), Port: new(int32(number))}},
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{host}, Conditions: conditions}},
	}
	slice.Name = name
	return slice
}

// backend answers every request with its name.
func backend(t *testing.T, name string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, name)
	}))
	t.Cleanup(server.Close)
	return server
}

// answer is what came back for a request.
type answer struct {
	status int
	body   string
}

// get sends a request to a listener's port. Changes are applied to it before.
func (h *house) get(port uint16, host, path string, changes ...func(*http.Request)) answer {
	h.t.Helper()
	got, err := h.try(h.t.Context(), port, host, path, changes...)
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

func (h *house) try(ctx context.Context, port uint16, host, path string, changes ...func(*http.Request)) (answer, error) {
	address, bound := h.proxy.ListenerAddr(port)
	if !bound {
		return answer{}, fmt.Errorf("nothing listens on port %d", port)
	}
	return send(ctx, h.client, "http://"+address+path, host, changes...)
}

func send(ctx context.Context, client *http.Client, url, host string, changes ...func(*http.Request)) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{}, err
	}
	request.Host = host
	for _, change := range changes {
		change(request)
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, body: string(body)}, err
}

func listener(name string, port int32, hostname string) gatewayv1.Listener {
	l := gatewayv1.Listener{
		Name: gatewayv1.SectionName(name), Port: port, Protocol: gatewayv1.HTTPProtocolType,
		AllowedRoutes: &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: new(gatewayv1.NamespacesFromAll)}},
	}
	if hostname != "" {
		l.Hostname = new(gatewayv1.Hostname(hostname))
	}
	return l
}

// route is an HTTPRoute of the Gateway's namespace with the given hostnames and rules.
func route(name string, hostnames []gatewayv1.Hostname, rules ...gatewayv1.HTTPRouteRule) *gatewayv1.HTTPRoute {
	r := &gatewayv1.HTTPRoute{}
	r.Namespace, r.Name = namespace, name
	r.Spec.Hostnames, r.Spec.Rules = hostnames, rules
	return r
}

// rule sends what the matches take to the backends.
func rule(matches []gatewayv1.HTTPRouteMatch, backends ...gatewayv1.HTTPBackendRef) gatewayv1.HTTPRouteRule {
	return gatewayv1.HTTPRouteRule{Matches: matches, BackendRefs: backends}
}

func to(service string, weight int32) gatewayv1.HTTPBackendRef {
	ref := gatewayv1.HTTPBackendRef{}
	ref.Name, ref.Port, ref.Weight = gatewayv1.ObjectName(service), new(gatewayv1.PortNumber(80)), new(weight)
	return ref
}

func path(matchType gatewayv1.PathMatchType, value string) gatewayv1.HTTPRouteMatch {
	return gatewayv1.HTTPRouteMatch{Path: &gatewayv1.HTTPPathMatch{Type: &matchType, Value: &value}}
}

func prefix(value string) []gatewayv1.HTTPRouteMatch {
	return []gatewayv1.HTTPRouteMatch{path(gatewayv1.PathMatchPathPrefix, value)}
}

func exact(value string) []gatewayv1.HTTPRouteMatch {
	return []gatewayv1.HTTPRouteMatch{path(gatewayv1.PathMatchExact, value)}
}
