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
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// streamHouse has a listener of each kind that streams come through: TCP and UDP of one number, and one port of TLS that passes
// through, ends for streams, and ends for requests, by the server name.
func streamHouse(t *testing.T) *house {
	t.Helper()
	ends := secured("end", "*.end.test", "end")
	ends.Protocol = gatewayv1.TLSProtocolType
	return newHouse(t,
		streamListener("tcp", 53, gatewayv1.TCPProtocolType, ""), streamListener("other", 54, gatewayv1.TCPProtocolType, ""),
		streamListener("udp", 53, gatewayv1.UDPProtocolType, ""), streamListener("spare", 55, gatewayv1.UDPProtocolType, ""),
		passing("pass", 443, "*.pass.test"), ends, secured("https", "web.test", "web"))
}

func TestStreams(t *testing.T) {
	h := streamHouse(t)
	ended, web := h.secret(namespace, "end", "a.end.test"), h.secret(namespace, "web", "web.test")
	secret, passed := securedLines(t, "secret", "a.pass.test")
	h.streamService("plain", plainLines(t, "plain"), datagrams(t, "datagrams"))
	h.streamService("secret", secret, 0)
	h.service(namespace, "web", backend(t, "web"))
	h.attach(route("web", nil, rule(prefix("/"), to("web", 1))))
	h.input.TCPRoutes = []*gatewayv1.TCPRoute{tcpRoute("t", "tcp", "plain")}
	h.input.UDPRoutes = []*gatewayv1.UDPRoute{udpRoute("u", "udp", "plain")}
	h.input.TLSRoutes = []*gatewayv1.TLSRoute{tlsRoute("p", "a.pass.test", "secret"), tlsRoute("e", "a.end.test", "plain")}
	h.settle()
	if refused := h.refused(); len(refused) > 0 {
		t.Fatalf("the proxy refuses %v", refused)
	}
	if got := h.tcp(53).ask("x"); got != "plain x" {
		t.Errorf("TCP: %q", got)
	}
	if got := h.udp(53).ask("x"); !strings.HasPrefix(got, "datagrams ") || !strings.HasSuffix(got, " x") {
		t.Errorf("UDP: %q", got)
	}
	if got := h.tcp(443).over(passed, "a.pass.test").ask("x"); got != "secret x" {
		t.Errorf("TLS that passes: %q", got)
	}
	if got := h.tcp(443).over(ended, "a.end.test").ask("x"); got != "plain x" {
		t.Errorf("TLS that ends: %q", got)
	}
	if got, err := h.over(web, "web.test", "/"); err != nil || got.body != "web" {
		t.Errorf("HTTPS on the same port: %+v, %v", got, err)
	}
}

// "When a TLSRoute is attached to a listener in Terminate mode, a BackendTLSPolicy can be used to enable re-encryption of the
// traffic to the backends."
func TestStreamsAreEncryptedAnew(t *testing.T) {
	h := streamHouse(t)
	ended := h.secret(namespace, "end", "a.end.test")
	server, authorities := securedBackend(t, "a.backend.test")
	h.service(namespace, "secret", server)
	h.secureBy("secret", "a.backend.test", authorities)
	toWeb := tlsRoute("e", "a.end.test", "secret")
	toWeb.Spec.Rules[0].BackendRefs[0].Port = new(gatewayv1.PortNumber(80))
	h.input.TLSRoutes = []*gatewayv1.TLSRoute{toWeb}
	h.settle()
	client := h.tcp(443).over(ended, "a.end.test")
	if got := client.ask("GET / HTTP/1.1\r\nHost: a.backend.test\r\nConnection: close\r\n\r"); !strings.HasPrefix(got, "HTTP/1.1 200 OK") {
		t.Errorf("a backend over TLS answers %q", got)
	}
}

// "Connection rejections must respect weight": a backend that does not exist is no reason for another to get its share.
func TestStreamsOfNoBackendAreReset(t *testing.T) {
	h := streamHouse(t)
	h.streamService("plain", plainLines(t, "plain"), 0)
	h.input.TCPRoutes = []*gatewayv1.TCPRoute{tcpRoute("t", "tcp", "plain", "gone")}
	h.settle()
	address, _ := h.proxy.ListenerAddr(53)
	answered, reset := 0, 0
	for range 20 {
		err := relayed(t.Context(), address)
		switch {
		case err == nil:
			answered++
		case errors.Is(err, os.ErrDeadlineExceeded):
			t.Fatal("a connection that nobody takes is neither relayed nor closed")
		default:
			reset++
		}
	}
	if answered != 10 || reset != 10 {
		t.Errorf("%d connections were answered and %d reset; the weights are equal", answered, reset)
	}
}

// relayed reports whether a line is answered. A reset may come as early as with the connection itself.
func relayed(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{Timeout: streamPatience}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(streamPatience))
	_, _ = io.WriteString(conn, "x\n")
	_, err = conn.Read(make([]byte, 100))
	return err
}

// Of two routes of one listener the older gets all, and the other everything as soon as it is alone.
func TestTheOlderStreamRouteIsUsed(t *testing.T) {
	h := streamHouse(t)
	h.streamService("a", plainLines(t, "a"), 0)
	h.streamService("b", plainLines(t, "b"), 0)
	older, younger := tcpRoute("z-older", "tcp", "a"), tcpRoute("a-younger", "tcp", "b")
	older.CreationTimestamp.Time, younger.CreationTimestamp.Time = time.Unix(1, 0), time.Unix(2, 0)
	h.input.TCPRoutes = []*gatewayv1.TCPRoute{older, younger}
	h.settle()
	for range 5 {
		if got := h.tcp(53).ask("x"); got != "a x" {
			t.Fatalf("the older route's backend is a; got %q", got)
		}
	}
	h.input.TCPRoutes = []*gatewayv1.TCPRoute{younger}
	h.settle()
	if got := h.tcp(53).ask("x"); got != "b x" {
		t.Errorf("once the older route is gone: %q", got)
	}
}
