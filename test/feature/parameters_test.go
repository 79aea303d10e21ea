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
	"strings"
	"testing"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// What parameters ask of the proxies reaches the running ones, and what they take back too.
func TestParameters(t *testing.T) {
	h := newHouse(t, listener("http", 80, ""))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, r.Header.Get("X-Forwarded-For"))
	}))
	t.Cleanup(server.Close)
	h.service(namespace, "a", server)
	h.attach(route("a", nil, rule(prefix("/"), to("a", 1))))
	posted := func(r *http.Request) {
		r.Method, r.Body, r.ContentLength = http.MethodPost, io.NopCloser(strings.NewReader("0123456789")), 10
		r.Header.Set("X-Forwarded-For", "192.0.2.7")
	}

	h.settle()
	if got := h.get(80, "a.test", "/", posted); got != (answer{200, "127.0.0.1"}) {
		t.Errorf("by default content has no limit, and nobody is believed: got %v", got)
	}
	h.parameters = &v1alpha1.GatewayParametersSpec{Limits: &v1alpha1.Limits{MaxBodyBytes: new(int64(9))}}
	h.settle()
	if got := h.get(80, "a.test", "/", posted); got.status != http.StatusRequestEntityTooLarge {
		t.Errorf("content above the limit: got %v", got)
	}
	h.parameters = &v1alpha1.GatewayParametersSpec{TrustedHops: new(int32(1))}
	h.settle()
	if got := h.get(80, "a.test", "/", posted); got != (answer{200, "192.0.2.7, 127.0.0.1"}) {
		t.Errorf("without a limit, and with a trusted hop: got %v", got)
	}
}
