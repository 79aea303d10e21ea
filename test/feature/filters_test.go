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
	"encoding/json"
	"net/http"
	"net/http/httptest"
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
