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

package proxy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/admin"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/forward"
)

const patience = time.Minute

// table builds the resources of a test.
type table struct{ resources admin.Resources }

func (b *table) add(resource *adminv1.Resource) *table {
	b.resources = append(b.resources, resource)
	return b
}

func (b *table) listener(name string, port uint32, hostname string) *table {
	return b.add(&adminv1.Resource{Name: name, Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{
		Port: port, Protocol: adminv1.Protocol_PROTOCOL_HTTP, Hostname: hostname,
	}}})
}

// backend adds a backend with its endpoints, given as host:port.
func (b *table) backend(name string, ready ...string) *table {
	endpoints := &adminv1.Endpoints{}
	for _, address := range ready {
		at := netip.MustParseAddrPort(address)
		endpoints.Endpoints = append(endpoints.Endpoints, &adminv1.Endpoint{
			Address: at.Addr().String(), Port: uint32(at.Port()), State: adminv1.EndpointState_ENDPOINT_STATE_READY,
		})
	}
	b.add(&adminv1.Resource{Name: "endpoints/" + name, Spec: &adminv1.Resource_Endpoints{Endpoints: endpoints}})
	return b.add(&adminv1.Resource{Name: "backend/" + name, Spec: &adminv1.Resource_Backend{Backend: &adminv1.Backend{
		Protocol: adminv1.BackendProtocol_BACKEND_PROTOCOL_HTTP1, Endpoints: "endpoints/" + name,
	}}})
}

// route adds a route of one listener and one rule with a prefix; weights are "name=weight" of backends.
func (b *table) route(name, listener, prefix string, weights ...string) *table {
	rule := &adminv1.Rule{Matches: []*adminv1.Match{{Path: &adminv1.PathMatch{
		Type: adminv1.PathMatchType_PATH_MATCH_TYPE_PREFIX, Value: prefix,
	}}}}
	rule.Backends = weighted(weights)
	return b.add(&adminv1.Resource{Name: "route/" + name, Spec: &adminv1.Resource_Route{Route: &adminv1.Route{
		Attachments: []*adminv1.Route_Attachment{{Listener: listener}},
		Rules:       []*adminv1.Rule{rule},
		Origin:      &adminv1.Origin{Kind: "HTTPRoute", Namespace: "ns", Name: name},
	}}})
}

func weighted(weights []string) []*adminv1.WeightedBackend {
	var all []*adminv1.WeightedBackend
	for _, weight := range weights {
		backend, number, _ := strings.Cut(weight, "=")
		weighted := &adminv1.WeightedBackend{Weight: 1}
		if backend != "" {
			weighted.Backend = "backend/" + backend
		}
		if number != "" {
			_, _ = fmt.Sscan(number, &weighted.Weight)
		}
		all = append(all, weighted)
	}
	return all
}

// start runs a proxy by itself, on ports of its own.
func start(t testing.TB, resources admin.Resources, change ...func(*Config)) *Proxy {
	t.Helper()
	p, _ := startWithStop(t, resources, change...)
	return p
}

// startWithStop also gives what SIGTERM does.
func startWithStop(t testing.TB, resources admin.Resources, change ...func(*Config)) (*Proxy, context.CancelFunc) {
	t.Helper()
	settings := bootstrap.Default()
	settings.Health.Address = "127.0.0.1:0"
	config := Config{
		Bootstrap: settings, Resources: resources,
		BindAddress:         func(uint16) string { return "127.0.0.1:0" },
		ListenRetryInterval: 5 * time.Millisecond,
		ProbePause:          time.Hour, // Endpoints that count their connections would count probes.
	}
	for _, apply := range change {
		apply(&config)
	}
	ctx, stop := context.WithCancel(context.Background())
	p, err := Start(ctx, config)
	if err != nil {
		stop()
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		p.Close()
		stop()
	})
	return p, stop
}

func address(t testing.TB, p *Proxy, port uint16) string {
	t.Helper()
	at, open := p.ListenerAddr(port)
	if !open {
		t.Fatalf("port %d is not open", port)
	}
	return at
}

// echo is a backend that answers with its name.
func echo(t testing.TB, name string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
}

// serve is a backend; it gives its address.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// client follows no redirects, and undoes no compression.
func client(t testing.TB) *http.Client {
	t.Helper()
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
}

// get gives status and body of a request.
func get(t testing.TB, c *http.Client, at, host, path string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+at+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = host
	response, err := c.Do(request)
	if err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("GET %s: read: %v", path, err)
	}
	return response.StatusCode, string(body)
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never came true: %s", what)
}

// Addresses that refuse connections: nothing listens on these ports, and tests bind other addresses.
const (
	refusing     = "127.77.0.1:1"
	refusingMore = "127.77.0.1:2"
)

func TestStatuses(t *testing.T) {
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	cut := serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	resources := new(table).
		listener("listener/http", 80, "").
		backend("good", echo(t, "good")).
		backend("empty").
		backend("refusing", refusing).
		backend("silent", silent).
		backend("cut", cut).
		route("good", "listener/http", "/good", "good").
		route("none", "listener/http", "/none").
		route("zero", "listener/http", "/zero", "good=0").
		route("unresolved", "listener/http", "/unresolved", "").
		route("missing", "listener/http", "/missing", "not-there").
		route("empty", "listener/http", "/empty", "empty").
		route("refusing", "listener/http", "/refusing", "refusing").
		route("silent", "listener/http", "/silent", "silent").
		route("cut", "listener/http", "/cut", "cut").resources
	p := start(t, resources)
	impatient := start(t, resources, func(c *Config) {
		c.Bootstrap.Limits.ResponseTimeout = bootstrap.Duration(50 * time.Millisecond)
	})
	tests := map[string]struct {
		reason string
		path   string
		status int
		body   string
	}{
		"forwarded":       {"a rule with a backend is forwarded", "/good/x?y=z", 200, "good"},
		"no rule":         {"a HTTP 404 status code MUST be returned when no rule matches", "/nothing", 404, "Not Found\n"},
		"no backend":      {"a rule without backends answers 500", "/none", 500, "Internal Server Error\n"},
		"all weights 0":   {"so does one whose weights are all 0", "/zero", 500, "Internal Server Error\n"},
		"unresolved":      {"an invalid backendRef MUST answer 500", "/unresolved", 500, "Internal Server Error\n"},
		"not in table":    {"so does a backend that the table lacks", "/missing", 500, "Internal Server Error\n"},
		"no endpoint":     {"a Service without ready endpoints SHOULD answer 503", "/empty", 503, "Service Unavailable\n"},
		"refused":         {"an endpoint that cannot be reached is a bad gateway", "/refusing", 502, "Bad Gateway\n"},
		"too slow":        {"an endpoint that does not answer in time is a timeout", "/silent", 504, "Gateway Timeout\n"},
		"broken off":      {"an endpoint that breaks off before its response is a bad gateway", "/cut", 502, "Bad Gateway\n"},
		"dots":            {"a path that can be read in two ways is refused", "/good/../none", 400, "Bad Request\n"},
		"escaped dots":    {"also when the dots are escaped", "/good/%2e%2E/none", 400, "Bad Request\n"},
		"dots in element": {"dots in an element are a name", "/good/..x/.hidden", 200, "good"},
	}
	c := client(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			asked := p
			if test.status == http.StatusGatewayTimeout { // The others have the time that the machine takes.
				asked = impatient
			}
			status, body := get(t, c, address(t, asked, 80), "h", test.path)
			if status != test.status || body != test.body {
				t.Errorf("%s: got %d %q, want %d %q", test.reason, status, body, test.status, test.body)
			}
		})
	}
	total := uint64(0)
	for _, count := range p.Requests() {
		total += count
	}
	if total != uint64(len(tests)-1) {
		t.Errorf("counted %d requests, want %d: each once\n%v", total, len(tests)-1, p.Requests())
	}
	if count := impatient.Requests()[forward.Outcome{Status: 504, Reason: forward.ReasonTimeout}]; count != 1 || len(impatient.Requests()) != 1 {
		t.Errorf("counted %d timeouts, want 1: %v", count, impatient.Requests())
	}
}

func TestWeightsAreExact(t *testing.T) {
	p := start(t, new(table).listener("listener/http", 80, "").
		backend("nine", echo(t, "nine")).backend("one", echo(t, "one")).
		route("split", "listener/http", "/", "nine=9", "one=1").
		route("half", "listener/http", "/half", "nine=5", "=5").resources)
	c := client(t)
	counts := map[string]int{}
	for range 100 {
		_, body := get(t, c, address(t, p, 80), "h", "/")
		counts[body]++
	}
	if counts["nine"] != 90 || counts["one"] != 10 {
		t.Errorf("weights 9:1 over 100 requests: %v", counts)
	}
	failed := 0
	for range 100 {
		if status, _ := get(t, c, address(t, p, 80), "h", "/half"); status == 500 {
			failed++
		}
	}
	if failed != 50 {
		// HTTPRouteRule.backendRefs: "if two backends are specified with equal weights, and one is invalid, 50 percent
		// of traffic must receive a 500."
		t.Errorf("%d of 100 answered 500, want 50", failed)
	}
}

// A connection that cannot be made sends the request to the next endpoint, also one with content.
func TestNextEndpointWhenNothingWasSent(t *testing.T) {
	received := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	p := start(t, new(table).listener("listener/http", 80, "").
		backend("b", refusing, refusingMore, received).route("r", "listener/http", "/", "b").resources)
	c := client(t)
	for range 6 {
		response, err := c.Post("http://"+address(t, p, 80)+"/", "text/plain", strings.NewReader("content"))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != 200 || string(body) != "content" {
			t.Errorf("got %d %q, %v", response.StatusCode, body, err)
		}
	}
}
