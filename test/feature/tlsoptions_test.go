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
	"testing"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// What a listener's options ask for holds for its handshakes, from the next one on, and for those of no other listener of the port.
func TestTLSOptions(t *testing.T) {
	narrowed := secured("narrowed", "a.test", "tls")
	h := newHouse(t, narrowed, secured("free", "b.test", "tls"))
	trusted := h.secret(namespace, "tls", "a.test", "b.test")
	agreed := func(host string, version uint16, protocols ...string) (tls.ConnectionState, bool) {
		t.Helper()
		address, _ := h.proxy.ListenerAddr(443)
		config := &tls.Config{ServerName: host, RootCAs: trusted, MinVersion: tls.VersionTLS12, MaxVersion: version, NextProtos: protocols}
		connection, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", address)
		if err != nil {
			return tls.ConnectionState{}, false
		}
		defer connection.Close()
		return connection.(*tls.Conn).ConnectionState(), true
	}
	cases := []struct {
		reason  string
		options map[gatewayv1.AnnotationKey]gatewayv1.AnnotationValue
		// old and new are whether clients up to TLS 1.2 and 1.3 are served, greatest is what the latter get, and protocol what ALPN gives them.
		old, newer bool
		greatest   uint16
		protocol   string
	}{
		{"nothing asked for is the proxy's choice", nil, true, true, tls.VersionTLS13, "h2"},
		{"old clients are refused", map[gatewayv1.AnnotationKey]gatewayv1.AnnotationValue{topology.OptionMinVersion: "1.3"}, false, true, tls.VersionTLS13, "h2"},
		{"new clients fall back", map[gatewayv1.AnnotationKey]gatewayv1.AnnotationValue{topology.OptionMaxVersion: "1.2"}, true, true, tls.VersionTLS12, "h2"},
		{"clients of HTTP/2 fall back", map[gatewayv1.AnnotationKey]gatewayv1.AnnotationValue{topology.OptionALPN: "http/1.1"}, true, true, tls.VersionTLS13, "http/1.1"},
		{"the listener's preference decides", map[gatewayv1.AnnotationKey]gatewayv1.AnnotationValue{topology.OptionALPN: "http/1.1,h2"}, true, true, tls.VersionTLS13, "http/1.1"},
	}
	for _, c := range cases {
		h.input.Gateway.Spec.Listeners[0].TLS.Options = c.options
		h.settle()
		if _, served := agreed("a.test", tls.VersionTLS12, "h2", "http/1.1"); served != c.old {
			t.Errorf("%s: an old client was served: %t", c.reason, served)
		}
		state, served := agreed("a.test", tls.VersionTLS13, "h2", "http/1.1")
		if served != c.newer || state.Version != c.greatest || state.NegotiatedProtocol != c.protocol {
			t.Errorf("%s: a new client was served: %t, with version %x and %q", c.reason, served, state.Version, state.NegotiatedProtocol)
		}
		if state, served := agreed("b.test", tls.VersionTLS12, "h2", "http/1.1"); !served || state.NegotiatedProtocol != "h2" {
			t.Errorf("%s: the neighbour agrees to %+v", c.reason, state)
		}
	}
}
