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
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/proxyprotocol"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// trusting has all listeners so far believe peers of a network.
func (b *table) trusting(network string) *table {
	for _, resource := range b.resources {
		if l := resource.GetListener(); l != nil {
			l.ProxyProtocol = &adminv1.AcceptProxyProtocol{TrustedPeers: []string{network}}
		}
	}
	return b
}

// telling has all backends so far begin their streams with a header.
func (b *table) telling(version adminv1.ProxyProtocol) *table {
	for _, resource := range b.resources {
		if backend := resource.GetBackend(); backend != nil {
			backend.ProxyProtocol = version
		}
	}
	return b
}

var forSomebody = proxyprotocol.Header{
	Source: netip.MustParseAddrPort("192.0.2.1:40000"), Destination: netip.MustParseAddrPort("192.0.2.2:443"),
}

// Whom a trusted peer connects for is who the request comes from, with TLS and without, and whatever the version.
func TestRequestsOfSomebodyElse(t *testing.T) {
	ca := testca.New(t)
	at := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, r.Header.Get("X-Forwarded-For")) })
	p := start(t, new(table).certificate(t, ca, "c", "a.test").listener("l/http", 80, "").secured("l/https", 443, "", "c").
		trusting("127.0.0.0/8").backend("b", at).route("r", "l/http", "/", "b").route("s", "l/https", "/", "b").resources)
	tests := map[string]struct{ header, want, reason string }{
		"version 1": {string(proxyprotocol.Append(nil, 1, forSomebody)), "192.0.2.1", "text"},
		"version 2": {string(proxyprotocol.Append(nil, 2, forSomebody)), "192.0.2.1", "binary"},
		"unknown":   {"PROXY UNKNOWN\r\n", "127.0.0.1", "the peer speaks for itself"},
	}
	for name, test := range tests {
		for port, scheme := range map[uint16]string{80: "http", 443: "https"} {
			t.Run(name+" "+scheme, func(t *testing.T) {
				conn := net.Conn(connectTo(t, address(t, p, port)))
				say(conn, test.header)
				if scheme == "https" {
					conn = tls.Client(conn, &tls.Config{ServerName: "a.test", RootCAs: roots(ca)})
				}
				answers := bufio.NewReader(conn)
				for range 2 {
					if got, err := ask(conn, answers, "a.test", "/"); err != nil || got != test.want {
						t.Errorf("got %q, %v, want %q: %s", got, err, test.want, test.reason)
					}
				}
			})
		}
	}
}

// Anybody else's header is content like any other: a request that is none, or bytes that are passed on.
func TestHeadersOfStrangersAreNotBelieved(t *testing.T) {
	sent := string(proxyprotocol.Append(nil, 1, forSomebody))
	p := start(t, toTCP(greeting(t, "x")).listener("l/http", 80, "").trusting("10.0.0.0/8").resources)
	_, reader := raw(t, address(t, p, 80), "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if answer, _ := response(t, reader, "GET"); answer.StatusCode != 404 {
		t.Errorf("without one: got %d, want 404", answer.StatusCode)
	}
	_, reader = raw(t, address(t, p, 80), sent+"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if answer, err := io.ReadAll(reader); err != nil || strings.Contains(string(answer), " 404 ") {
		t.Errorf("the request behind it was read: got %q, %v", answer, err)
	}
	conn := connectTo(t, address(t, p, 5432))
	say(conn, sent)
	if got := hear(t, conn, 1+len(sent)); got != "x"+sent {
		t.Errorf("got %q", got)
	}
}

// A trusted peer that does not say for whom it connects is not served.
func TestPeersThatDoNotSayForWhom(t *testing.T) {
	p := start(t, toTCP(greeting(t, "x")).listener("l/http", 80, "").trusting("127.0.0.0/8").resources)
	tests := []struct{ sent, reason string }{
		{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "nothing of the protocol"},
		{"PROXY TCP4 192.0.2.1 192.0.2.2 40000\r\n", "not all of it"},
		{"PROXY UNKNOWN " + strings.Repeat("x", 200), "it never ends"},
	}
	for i, test := range tests {
		for _, port := range []uint16{80, 5432} {
			conn := connectTo(t, address(t, p, port))
			say(conn, test.sent)
			if got, err := io.ReadAll(conn); len(got) > 0 || !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("port %d: got %q, %v: %s", port, got, err, test.reason)
			}
		}
		if count := p.Unannounced(); count != uint64(2*(i+1)) {
			t.Errorf("%d are counted: %s", count, test.reason)
		}
	}
}

// One that says nothing at all does not stay.
func TestPeersThatSayNothing(t *testing.T) {
	p := start(t, toTCP(greeting(t, "x")).trusting("127.0.0.0/8").resources, func(c *Config) {
		c.Bootstrap.Limits.HeaderTimeout = bootstrap.Duration(20 * time.Millisecond)
	})
	if !brokenOff(t, address(t, p, 5432), "PROXY ") {
		t.Error("it is not told")
	}
}

// Endpoints are told whom a stream is for: who the trusted peer has named, or else who has connected.
func TestEndpointsAreToldForWhom(t *testing.T) {
	got := make(chan proxyprotocol.Header, 1)
	at := accepting(t, func(conn *net.TCPConn) {
		h, err := proxyprotocol.Read(conn)
		if err != nil {
			t.Error(err)
		}
		got <- h
		_, _ = io.Copy(conn, conn)
	})
	for version, name := range adminv1.ProxyProtocol_name {
		if version == 0 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			for named, trusted := range map[bool]string{true: "127.0.0.0/8", false: "10.0.0.0/8"} {
				p := start(t, toTCP(at).trusting(trusted).telling(adminv1.ProxyProtocol(version)).resources)
				conn := connectTo(t, address(t, p, 5432))
				want := proxyprotocol.Header{
					Source: netip.MustParseAddrPort(conn.LocalAddr().String()), Destination: netip.MustParseAddrPort(conn.RemoteAddr().String()),
				}
				if named {
					want = forSomebody
					say(conn, string(proxyprotocol.Append(nil, 2, want)))
				}
				say(conn, "hello")
				if echoed := hear(t, conn, 5); echoed != "hello" {
					t.Errorf("got %q", echoed)
				}
				if header := <-got; header != want {
					t.Errorf("named %t: the endpoint is told %v, want %v", named, header, want)
				}
			}
		})
	}
}

// The header comes before TLS, to endpoints as from peers.
func TestHeaderBeforeTLSToTheEndpoint(t *testing.T) {
	ca := testca.New(t)
	pair := ca.Issue(t, "spiffe://b", func(c *x509.Certificate) { c.DNSNames = []string{"b.test"} })
	shown, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	at := accepting(t, func(conn *net.TCPConn) {
		h, err := proxyprotocol.Read(conn)
		if err != nil {
			t.Error(err)
		}
		secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{shown}})
		_, _ = fmt.Fprint(secured, h.Source)
		_, _ = io.Copy(secured, secured)
		_ = secured.CloseWrite()
	})
	b := toTCP(at).telling(adminv1.ProxyProtocol_PROXY_PROTOCOL_V1)
	b.resources[2].GetBackend().Tls = &adminv1.BackendTls{Hostname: "b.test", Authorities: ca.PEM}
	p := start(t, b.resources)
	conn := connectTo(t, address(t, p, 5432))
	say(conn, "hello")
	_ = conn.CloseWrite()
	heard, err := io.ReadAll(conn)
	if want := conn.LocalAddr().String() + "hello"; err != nil || string(heard) != want {
		t.Errorf("got %q, %v, want %q", heard, err, want)
	}
}
