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
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/proxy/proxyprotocol"
)

// told accepts connections that begin with a header, and tells a test for whom each is.
type told struct {
	net.Listener
	clients chan netip.AddrPort
}

func (l *told) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		header, err := proxyprotocol.Read(conn)
		if err == nil {
			l.clients <- header.Source
			return conn, nil
		}
		_ = conn.Close()
	}
}

func listenTold(t *testing.T) *told {
	t.Helper()
	accepting, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &told{Listener: accepting, clients: make(chan netip.AddrPort, 16)}
}

// toldLines is plainLines behind a header.
func toldLines(t *testing.T, name string) (port int32, clients <-chan netip.AddrPort) {
	t.Helper()
	l := listenTold(t)
	return lines(t, name, l), l.clients
}

func (s *session) local() netip.AddrPort { return netip.MustParseAddrPort(s.conn.LocalAddr().String()) }

var somebody = netip.MustParseAddrPort("192.0.2.1:40000")

// forSomebody begins a connection as a load balancer does.
func (s *session) forSomebody(version int) *session {
	s.t.Helper()
	header := proxyprotocol.Header{Source: somebody, Destination: netip.MustParseAddrPort("192.0.2.2:443")}
	if _, err := s.conn.Write(proxyprotocol.Append(nil, version, header)); err != nil {
		s.t.Fatal(err)
	}
	return s
}

// request asks over the session, and gives the content of the answer.
func (s *session) request() string {
	s.t.Helper()
	if _, err := io.WriteString(s.conn, "GET / HTTP/1.1\r\nHost: web.test\r\n\r\n"); err != nil {
		s.t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(s.conn), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(content)
}

// announcedHouse is streamHouse whose requests are answered with X-Forwarded-For, and whose parameters have everybody believed.
func announcedHouse(t *testing.T) *house {
	t.Helper()
	h := streamHouse(t)
	h.input.Gateway.Spec.Listeners = append(h.input.Gateway.Spec.Listeners, listener("http", 80, ""))
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Forwarded-For"))
	}))
	t.Cleanup(web.Close)
	h.service(namespace, "web", web)
	h.attach(route("web", nil, rule(prefix("/"), to("web", 1))))
	h.parameters = &v1alpha1.GatewayParametersSpec{ProxyProtocol: &v1alpha1.ProxyProtocol{
		Accept: &v1alpha1.ProxyProtocolAccept{TrustedPeers: []v1alpha1.CIDR{"127.0.0.0/8"}},
	}}
	return h
}

// A load balancer in front says for whom it connects, to listeners of every kind, and the endpoints are told so.
func TestTheHeaderOfALoadBalancer(t *testing.T) {
	h := announcedHouse(t)
	ended, web := h.secret(namespace, "end", "a.end.test"), h.secret(namespace, "web", "web.test")
	port, clients := toldLines(t, "told")
	h.streamService("told", port, datagrams(t, "datagrams"))
	h.input.TCPRoutes = []*gatewayv1.TCPRoute{tcpRoute("t", "tcp", "told")}
	h.input.UDPRoutes = []*gatewayv1.UDPRoute{udpRoute("u", "udp", "told")}
	h.input.TLSRoutes = []*gatewayv1.TLSRoute{tlsRoute("e", "a.end.test", "told")}
	h.parameters.ProxyProtocol.Send = []v1alpha1.ProxyProtocolSend{{Name: "told"}, {Name: "web"}}
	h.settle()
	if refused := h.refused(); len(refused) > 0 {
		t.Fatalf("the proxy refuses %v", refused)
	}
	for _, version := range []int{1, 2} {
		if got := h.tcp(80).forSomebody(version).request(); got != "192.0.2.1" {
			t.Errorf("version %d, HTTP: the backend is told %q", version, got)
		}
		if got := h.tcp(443).forSomebody(version).over(web, "web.test").request(); got != "192.0.2.1" {
			t.Errorf("version %d, HTTPS: the backend is told %q", version, got)
		}
		if got := h.tcp(53).forSomebody(version).ask("x"); got != "told x" {
			t.Errorf("version %d, TCP: %q", version, got)
		}
		if client := <-clients; client != somebody {
			t.Errorf("version %d, TCP: the endpoint is told %v", version, client)
		}
		if got := h.tcp(443).forSomebody(version).over(ended, "a.end.test").ask("x"); got != "told x" {
			t.Errorf("version %d, TLS that ends: %q", version, got)
		}
		if client := <-clients; client != somebody {
			t.Errorf("version %d, TLS that ends: the endpoint is told %v", version, client)
		}
	}
	if got := h.udp(53).ask("x"); got == "" {
		t.Error("datagrams are not served beside it")
	}
}

// TLS that passes through keeps its bytes as they are, behind the header.
func TestTheHeaderBeforeTLSThatPasses(t *testing.T) {
	h := announcedHouse(t)
	h.secret(namespace, "end", "a.end.test")
	h.secret(namespace, "web", "web.test")
	chain, key := topologytest.KeyPair(t, "a.pass.test")
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(chain)
	behind := listenTold(t)
	h.streamService("told", lines(t, "told", tls.NewListener(behind, &tls.Config{Certificates: []tls.Certificate{pair}})), 0)
	h.input.TLSRoutes = []*gatewayv1.TLSRoute{tlsRoute("p", "a.pass.test", "told")}
	for version, asked := range map[int]v1alpha1.ProxyProtocolVersion{1: v1alpha1.ProxyProtocolV1, 2: v1alpha1.ProxyProtocolV2} {
		h.parameters.ProxyProtocol.Send = []v1alpha1.ProxyProtocolSend{{Name: "told", Version: &asked}}
		h.settle()
		if got := h.tcp(443).forSomebody(version).over(trusted, "a.pass.test").ask("x"); got != "told x" {
			t.Errorf("%s: %q", asked, got)
		}
		if got := <-behind.clients; got != somebody {
			t.Errorf("%s: the endpoint is told %v", asked, got)
		}
	}
}

// Who is not trusted, or connects to another port, is taken for what it is, and its bytes for content.
func TestHeadersOfOthers(t *testing.T) {
	h := announcedHouse(t)
	h.parameters.ProxyProtocol.Accept.Ports = []int32{53}
	port, clients := toldLines(t, "told")
	h.streamService("told", port, 0)
	h.streamService("plain", plainLines(t, "plain"), 0)
	h.input.TCPRoutes = []*gatewayv1.TCPRoute{tcpRoute("t", "tcp", "told"), tcpRoute("o", "other", "plain")}
	h.parameters.ProxyProtocol.Send = []v1alpha1.ProxyProtocolSend{{Name: "told"}}
	h.settle()
	if got := h.tcp(80).request(); got != "127.0.0.1" {
		t.Errorf("a port that is not named: the backend is told %q", got)
	}
	if got := h.tcp(54).forSomebody(1).ask("x"); got[:12] != "plain PROXY " {
		t.Errorf("a port that is not named: what looks like a header is content, and not %q", got)
	}
	h.parameters.ProxyProtocol.Accept.TrustedPeers = []v1alpha1.CIDR{"10.0.0.0/8"}
	h.settle()
	client := h.tcp(53)
	if got := client.ask("x"); got != "told x" {
		t.Errorf("a peer that is not trusted: %q", got)
	}
	if told := <-clients; told != client.local() {
		t.Errorf("a peer that is not trusted is %v, and the endpoint is told %v", client.local(), told)
	}
}

// Parameters hold from the next connection on: those that there are go on as they began.
func TestTheHeaderChangesWithoutACut(t *testing.T) {
	h := announcedHouse(t)
	h.streamService("plain", plainLines(t, "plain"), 0)
	h.input.TCPRoutes = []*gatewayv1.TCPRoute{tcpRoute("t", "tcp", "plain")}
	h.settle()
	stream, requests := h.tcp(53).forSomebody(2), h.tcp(80).forSomebody(2)
	if got := stream.ask("x"); got != "plain x" {
		t.Fatal(got)
	}
	if got := requests.request(); got != "192.0.2.1" {
		t.Fatal(got)
	}
	for _, parameters := range []*v1alpha1.GatewayParametersSpec{
		{ProxyProtocol: &v1alpha1.ProxyProtocol{Accept: &v1alpha1.ProxyProtocolAccept{TrustedPeers: []v1alpha1.CIDR{"10.0.0.0/8"}}}},
		{ProxyProtocol: &v1alpha1.ProxyProtocol{Send: []v1alpha1.ProxyProtocolSend{{Name: "plain"}}}},
		nil,
	} {
		h.parameters = parameters
		h.settle()
		if got := stream.ask("y"); got != "plain y" {
			t.Errorf("a connection of TCP gets %q", got)
		}
		if got := requests.request(); got != "192.0.2.1" {
			t.Errorf("a connection of HTTP is of %q", got)
		}
		if got := h.tcp(80).request(); got != "127.0.0.1" {
			t.Errorf("a new connection is of %q", got)
		}
	}
}
