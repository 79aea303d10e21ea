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
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// mirror answers every request with what it received, as JSON.
func mirror(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Gone", "1")
		_ = json.NewEncoder(w).Encode(received{r.Host, r.RequestURI, r.Header})
	}))
	t.Cleanup(server.Close)
	return server
}

type received struct {
	Host, Target string
	Header       http.Header
}

// ask sends a request, and gives the response with what the backend received; nothing when it did not answer.
func (h *house) ask(port uint16, method, host, path string, headers ...string) (*http.Response, received) {
	h.t.Helper()
	address, bound := h.proxy.ListenerAddr(port)
	if !bound {
		h.t.Fatalf("nothing listens on port %d", port)
	}
	request, err := http.NewRequestWithContext(h.t.Context(), method, "http://"+address+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	request.Host = host
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	response, err := h.client.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var got received
	if response.StatusCode == http.StatusOK {
		_ = json.NewDecoder(response.Body).Decode(&got) // Not every answer is a backend's.
	}
	return response, got
}

func TestHeaderModifiers(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	h.service(namespace, "a", mirror(t))
	header := func(name, value string) gatewayv1.HTTPHeader {
		return gatewayv1.HTTPHeader{Name: gatewayv1.HTTPHeaderName(name), Value: value}
	}
	modified := rule(prefix("/"), to("a", 1))
	modified.Filters = []gatewayv1.HTTPRouteFilter{
		{Type: gatewayv1.HTTPRouteFilterRequestHeaderModifier, RequestHeaderModifier: &gatewayv1.HTTPHeaderFilter{
			Set: []gatewayv1.HTTPHeader{header("X-Set", "rule")}, Add: []gatewayv1.HTTPHeader{header("X-Add", "rule")}, Remove: []string{"x-gone"},
		}},
		{Type: gatewayv1.HTTPRouteFilterResponseHeaderModifier, ResponseHeaderModifier: &gatewayv1.HTTPHeaderFilter{
			Set: []gatewayv1.HTTPHeader{header("X-Set", "rule")}, Remove: []string{"X-GONE"},
		}},
	}
	modified.BackendRefs[0].Filters = []gatewayv1.HTTPRouteFilter{
		{Type: gatewayv1.HTTPRouteFilterRequestHeaderModifier, RequestHeaderModifier: &gatewayv1.HTTPHeaderFilter{
			Add: []gatewayv1.HTTPHeader{header("X-Add", "backend")},
		}},
	}
	h.attach(route("a", nil, modified))
	h.settle()
	response, got := h.ask(80, http.MethodGet, "a.test", "/", "X-Set", "client", "X-Add", "client", "X-Gone", "client")
	want := map[string][]string{"X-Set": {"rule"}, "X-Add": {"client", "rule", "backend"}, "X-Gone": nil}
	for name, values := range want {
		if diff := cmp.Diff(values, got.Header[name]); diff != "" {
			t.Errorf("%s of the request (-want +got):\n%s", name, diff)
		}
	}
	if response.Header.Get("X-Set") != "rule" || response.Header.Get("X-Gone") != "" {
		t.Errorf("the response has %v", response.Header)
	}
}

func TestRedirectAndRewrite(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""), listener("other", 8080, ""))
	h.service(namespace, "a", mirror(t))
	redirect := rule(prefix("/old"))
	redirect.Filters = []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterRequestRedirect, RequestRedirect: &gatewayv1.HTTPRequestRedirectFilter{
		Path:       &gatewayv1.HTTPPathModifier{Type: gatewayv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: new("/new")},
		StatusCode: new(308),
	}}}
	secure := rule(prefix("/secure"))
	secure.Filters = []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterRequestRedirect, RequestRedirect: &gatewayv1.HTTPRequestRedirectFilter{Scheme: new("https")}}}
	rewrite := rule(prefix("/api/v1"), to("a", 1))
	rewrite.Filters = []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterURLRewrite, URLRewrite: &gatewayv1.HTTPURLRewriteFilter{
		Hostname: new(gatewayv1.PreciseHostname("inner.test")),
		Path:     &gatewayv1.HTTPPathModifier{Type: gatewayv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: new("")},
	}}}
	h.attach(route("a", nil, redirect, secure, rewrite))
	h.settle()

	for _, c := range []struct {
		reason string
		port   uint16
		path   string
		status int
		want   string
	}{
		{"the well-known port is not written", 80, "/old/x?y", 308, "http://a.test/new/x?y"},
		{"the listener's port is kept", 8080, "/old", 308, "http://a.test:8080/new"},
		{"and dropped with the scheme", 8080, "/secure/%2f", 302, "https://a.test/secure/%2f"},
	} {
		response, _ := h.ask(c.port, http.MethodGet, "a.test", c.path)
		if got := response.Header.Get("Location"); got != c.want || response.StatusCode != c.status {
			t.Errorf("%s: %d to %q, want %d to %q", c.reason, response.StatusCode, got, c.status, c.want)
		}
	}
	if _, got := h.ask(80, http.MethodGet, "a.test", "/api/v1/x?y"); got.Host != "inner.test" || got.Target != "/x?y" {
		t.Errorf("the backend got %s%s", got.Host, got.Target)
	}
}

// TestRedirectPorts has each row of what HTTPRequestRedirectFilter.port says of the port in the Location, on listeners of both
// protocols. Nobody's own port counts: neither the one in the client's Host nor that at which the proxy really listens.
func TestRedirectPorts(t *testing.T) {
	cases := map[string]struct {
		reason   string
		scheme   string // of the redirect
		port     int32  // of the redirect
		protocol string // of the listener
		listener int32
		want     string
	}{
		"http":                   {reason: "the port is the listener's, which HTTP does not write", protocol: "http", listener: 80, want: "http://a.test/"},
		"http, other port":       {reason: "if redirect scheme is empty, the redirect port MUST be the Gateway Listener port", protocol: "http", listener: 8080, want: "http://a.test:8080/"},
		"http, yet another":      {reason: "whatever it is", protocol: "http", listener: 444, want: "http://a.test:444/"},
		"https":                  {reason: "the port is the listener's, which HTTPS does not write", protocol: "https", listener: 443, want: "https://a.test/"},
		"https, other port":      {reason: "the Gateway Listener port", protocol: "https", listener: 8443, want: "https://a.test:8443/"},
		"to https":               {reason: "if redirect scheme is not-empty, the redirect port MUST be the well-known port", scheme: "https", protocol: "http", listener: 80, want: "https://a.test/"},
		"to https, other port":   {reason: "whatever the listener's is", scheme: "https", protocol: "http", listener: 8080, want: "https://a.test/"},
		"to http":                {reason: "the same the other way round", scheme: "http", protocol: "https", listener: 443, want: "http://a.test/"},
		"to http, other port":    {reason: "whatever the listener's is", scheme: "http", protocol: "https", listener: 8443, want: "http://a.test/"},
		"http to http":           {reason: "also where the scheme stays", scheme: "http", protocol: "http", listener: 8080, want: "http://a.test/"},
		"https to https":         {reason: "also where the scheme stays", scheme: "https", protocol: "https", listener: 8443, want: "https://a.test/"},
		"given":                  {reason: "a port that is specified is used", port: 9000, protocol: "http", listener: 80, want: "http://a.test:9000/"},
		"given, well-known":      {reason: "and not added where it is HTTP's own", port: 80, protocol: "http", listener: 8080, want: "http://a.test/"},
		"given, the other's":     {reason: "the other protocol's is added", port: 443, protocol: "http", listener: 80, want: "http://a.test:443/"},
		"given to https":         {reason: "nor where it is HTTPS's", scheme: "https", port: 443, protocol: "http", listener: 8080, want: "https://a.test/"},
		"given to https, other":  {reason: "any other is added", scheme: "https", port: 8443, protocol: "http", listener: 80, want: "https://a.test:8443/"},
		"given to https, http's": {reason: "also HTTP's own", scheme: "https", port: 80, protocol: "http", listener: 80, want: "https://a.test:80/"},
		"given over TLS":         {reason: "the listener's protocol is the scheme where none is given", port: 443, protocol: "https", listener: 8443, want: "https://a.test/"},
		"given over TLS, other":  {reason: "any other is added", port: 8080, protocol: "https", listener: 443, want: "https://a.test:8080/"},
	}
	h := newHouse(t, listener("http-80", 80, ""), listener("http-8080", 8080, ""), listener("http-444", 444, ""), secured("https-443", "", "tls"), secured("https-8443", "", "tls"))
	h.input.Gateway.Spec.Listeners[4].Port = 8443
	trusted := h.secret(namespace, "tls", "a.test")
	var rules []gatewayv1.HTTPRouteRule
	for name, c := range cases {
		redirect := gatewayv1.HTTPRequestRedirectFilter{Path: fullPath("/")}
		if c.scheme != "" {
			redirect.Scheme = &c.scheme
		}
		if c.port != 0 {
			redirect.Port = new(c.port)
		}
		r := rule(exact("/" + slug(name)))
		r.Filters = redirecting(redirect)
		rules = append(rules, r)
	}
	h.attach(route("r", nil, rules...))
	h.settle()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "a.test"}}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport, CheckRedirect: h.client.CheckRedirect}
	for name, c := range cases {
		address, _ := h.proxy.ListenerAddr(uint16(c.listener))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.protocol+"://"+address+"/"+slug(name), nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = "a.test:9999"
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Header.Get("Location"); response.StatusCode != http.StatusFound || got != c.want {
			t.Errorf("%s: %s: %d to %q, want %q", name, c.reason, response.StatusCode, got, c.want)
		}
	}
}

func TestTimeouts(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(slow.Close)
	h.service(namespace, "slow", slow)
	request, backendRequest := rule(prefix("/request"), to("slow", 1)), rule(prefix("/backend"), to("slow", 1))
	request.Timeouts = &gatewayv1.HTTPRouteTimeouts{Request: new(gatewayv1.Duration("50ms"))}
	backendRequest.Timeouts = &gatewayv1.HTTPRouteTimeouts{Request: new(gatewayv1.Duration("1h")), BackendRequest: new(gatewayv1.Duration("50ms"))}
	h.attach(route("a", nil, request, backendRequest))
	h.settle()
	for _, path := range []string{"/request", "/backend"} {
		if got := h.get(80, "a.test", path); got.status != http.StatusGatewayTimeout {
			t.Errorf("%s: got %v", path, got)
		}
	}
}

func TestMirror(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	copies := make(chan string, 10)
	recorder := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { copies <- r.Host + r.RequestURI }))
	t.Cleanup(recorder.Close)
	h.service(namespace, "a", backend(t, "a"))
	h.service("vault", "mirror", recorder)
	mirrored := rule(prefix("/"), to("a", 1))
	ref := inNamespace(to("mirror", 1), "vault").BackendObjectReference
	mirrored.Filters = []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterRequestMirror, RequestMirror: &gatewayv1.HTTPRequestMirrorFilter{BackendRef: ref}}}
	h.attach(route("a", nil, mirrored))
	h.settle()
	if got := h.get(80, "a.test", "/before"); got != (answer{200, "a"}) {
		t.Errorf("a mirror that is not granted must cost the rule nothing: got %v", got)
	}
	grant := &gatewayv1.ReferenceGrant{}
	grant.Namespace = "vault"
	grant.Spec.From = []gatewayv1.ReferenceGrantFrom{{Group: gatewayv1.GroupName, Kind: "HTTPRoute", Namespace: namespace}}
	grant.Spec.To = []gatewayv1.ReferenceGrantTo{{Kind: "Service"}}
	h.input.Grants = []*gatewayv1.ReferenceGrant{grant}
	h.settle()
	if got := h.get(80, "a.test", "/after?x"); got != (answer{200, "a"}) {
		t.Errorf("got %v", got)
	}
	if got := <-copies; got != "a.test/after?x" {
		t.Errorf("the mirror got %s", got)
	}
}

func TestCORS(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	h.service(namespace, "a", backend(t, "a"))
	shared := rule(prefix("/"), to("a", 1))
	shared.Filters = []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterCORS, CORS: &gatewayv1.HTTPCORSFilter{
		AllowOrigins: []gatewayv1.CORSOrigin{"https://*.good.test"}, AllowMethods: []gatewayv1.HTTPMethodWithWildcard{"PUT"},
	}}}
	h.attach(route("a", nil, shared))
	h.settle()
	for origin, want := range map[string]string{"https://a.good.test": "https://a.good.test", "https://bad.test": ""} {
		preflight, _ := h.ask(80, http.MethodOptions, "a.test", "/", "Origin", origin, "Access-Control-Request-Method", "PUT")
		if got := preflight.Header.Get("Access-Control-Allow-Origin"); got != want || preflight.StatusCode != http.StatusNoContent {
			t.Errorf("preflight of %s: %d allows %q", origin, preflight.StatusCode, got)
		}
		response, _ := h.ask(80, http.MethodPut, "a.test", "/", "Origin", origin)
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != want || response.StatusCode != http.StatusOK {
			t.Errorf("request of %s: %d allows %q", origin, response.StatusCode, got)
		}
	}
}

func TestRetry(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	var asked atomic.Int32
	flaky := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(flaky.Close)
	h.service(namespace, "flaky", flaky)
	retried := rule(prefix("/"), to("flaky", 1))
	retried.Retry = &gatewayv1.HTTPRouteRetry{
		Codes: []gatewayv1.HTTPRouteRetryStatusCode{503}, Attempts: new(2), Backoff: new(gatewayv1.Duration("1ms")),
	}
	h.attach(route("a", nil, retried))
	h.settle()
	if got := h.get(80, "a.test", "/"); got.status != http.StatusOK || asked.Load() != 3 {
		t.Errorf("got %v after %d attempts", got, asked.Load())
	}
	asked.Store(0)
	if got := h.get(80, "a.test", "/", func(r *http.Request) { r.Method = http.MethodPost }); got.status != http.StatusServiceUnavailable || asked.Load() != 1 {
		t.Errorf("POST is not repeated: got %v after %d attempts", got, asked.Load())
	}
}

// What is not known is never skipped: its requests get an error, and do not fall to a broader rule or route.
func TestFiltersThatAreNotKnown(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	h.service(namespace, "a", backend(t, "a"))
	extension := gatewayv1.HTTPRouteFilter{Type: gatewayv1.HTTPRouteFilterExtensionRef, ExtensionRef: &gatewayv1.LocalObjectReference{Group: "example.com", Kind: "Thing", Name: "x"}}
	custom, share, later := rule(prefix("/custom"), to("a", 1)), rule(prefix("/share"), to("a", 1), to("a", 1)), rule(prefix("/later"), to("a", 1))
	custom.Filters = []gatewayv1.HTTPRouteFilter{extension}
	share.BackendRefs[1].Filters = []gatewayv1.HTTPRouteFilter{extension}
	later.Filters = []gatewayv1.HTTPRouteFilter{{Type: "Later"}}
	h.attach(route("a", nil, custom, share, later), route("b", nil, rule(prefix("/"), to("a", 1))))
	h.settle()
	for path, want := range map[string]int{"/custom/x": 500, "/later": 500, "/": 200} {
		if got := h.get(80, "a.test", path); got.status != want {
			t.Errorf("%s: got %v, want %d", path, got, want)
		}
	}
	counts := map[int]int{}
	for range 10 {
		counts[h.get(80, "a.test", "/share").status]++
	}
	if counts[200] != 5 || counts[500] != 5 {
		t.Errorf("the share of the backend with the filter answers 500: %v", counts)
	}
}

// Percent-encoded paths and dot segments cannot pass a rule that others cannot, before and after a rewrite.
func TestPathsThatTryToPass(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	h.service(namespace, "a", mirror(t))
	forbidden := rule(prefix("/admin"))
	rewrite := rule(prefix("/public"), to("a", 1))
	rewrite.Filters = []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterURLRewrite, URLRewrite: &gatewayv1.HTTPURLRewriteFilter{
		Path: &gatewayv1.HTTPPathModifier{Type: gatewayv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: new("/inner/public")},
	}}}
	h.attach(route("a", nil, forbidden, rewrite))
	h.settle()
	for path, want := range map[string]string{
		"/admin": "500", "/%61dmin/x": "500", "/%61%64%6d%69%6e": "500", "/admin%2Fx": "404", "/admin/../public": "400",
		"/public/../admin": "400", "/public/%2e%2e/admin": "400", "/public/.%2E/admin": "400", "/public/..%2Fadmin": "400", "/public%2f../admin": "400",
		"/%70ublic/x%2f..y": "/inner/public/x%2f..y", "/public//admin": "/inner/public//admin", "/publicadmin": "404",
	} {
		response, got := h.ask(80, http.MethodGet, "a.test", path)
		if response.StatusCode != http.StatusOK {
			got.Target = strconv.Itoa(response.StatusCode)
		}
		if got.Target != want {
			t.Errorf("%s: got %s, want %s", path, got.Target, want)
		}
	}
}
