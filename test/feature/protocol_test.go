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
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// secondBackend answers every request with the protocol that it came in, and speaks HTTP/2 in clear text alone.
func secondBackend(t *testing.T) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}))
	server.Config.Protocols = &http.Protocols{}
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// speaking sets the appProtocol of a Service's port.
func (h *house) speaking(service, appProtocol string) {
	h.input.Services[types.NamespacedName{Namespace: namespace, Name: service}].Spec.Ports = []corev1.ServicePort{
		{Name: "http", Port: 80, AppProtocol: &appProtocol},
	}
}

func TestAppProtocols(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	h.service(namespace, "second", secondBackend(t))
	h.speaking("second", "kubernetes.io/h2c")
	h.service(namespace, "chat", backend(t, "chat"))
	h.speaking("chat", "kubernetes.io/ws")
	h.service(namespace, "sealed", backend(t, "sealed"))
	h.speaking("sealed", "kubernetes.io/wss")
	h.attach(route("a", nil, rule(prefix("/second"), to("second", 1)), rule(prefix("/chat"), to("chat", 1)), rule(prefix("/sealed"), to("sealed", 1))))
	h.settle()
	for path, want := range map[string]answer{
		"/second": {200, "HTTP/2.0"},
		"/chat":   {200, "chat"},
	} {
		if got := h.get(80, "a.test", path); got != want {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	if got := h.get(80, "a.test", "/sealed"); got.status != http.StatusInternalServerError {
		t.Errorf("what wants TLS must not get clear text: got %v", got)
	}
}

func TestExpressions(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	for _, name := range []string{"path", "header", "query", "rest"} {
		h.service(namespace, name, backend(t, name))
	}
	header, query := prefix("/v"), prefix("/v")
	header[0].Headers = []gatewayv1.HTTPHeaderMatch{{Type: new(gatewayv1.HeaderMatchRegularExpression), Name: "X-Kind", Value: "a|b+"}}
	query[0].QueryParams = []gatewayv1.HTTPQueryParamMatch{{Type: new(gatewayv1.QueryParamMatchRegularExpression), Name: "id", Value: "[0-9]+"}}
	h.attach(route("a", nil,
		rule([]gatewayv1.HTTPRouteMatch{path(gatewayv1.PathMatchRegularExpression, "/[a-z]{2}/item")}, to("path", 1)),
		rule(header, to("header", 1)), rule(query, to("query", 1)), rule(prefix("/"), to("rest", 1))))
	h.settle()
	kind := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("x-kind", value) }
	}
	cases := map[string]struct {
		reason string
		path   string
		change func(*http.Request)
		want   string
	}{
		"Path":       {reason: "an expression takes the whole path", path: "/fi/item", want: "path"},
		"PathPart":   {reason: "and not a part of one", path: "/fi/items", want: "rest"},
		"Header":     {reason: "of alternatives any", path: "/v", change: kind("bbb"), want: "header"},
		"HeaderPart": {reason: "alternatives do not come apart at the ends", path: "/v", change: kind("ax"), want: "rest"},
		"Query":      {reason: "of a query parameter", path: "/v?id=42", want: "query"},
		"QueryPart":  {reason: "the whole value", path: "/v?id=42x", want: "rest"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			changes := []func(*http.Request){}
			if c.change != nil {
				changes = append(changes, c.change)
			}
			if got := h.get(80, "a.test", c.path, changes...); got != (answer{200, c.want}) {
				t.Errorf("%s: got %v, want %s", c.reason, got, c.want)
			}
		})
	}
}
