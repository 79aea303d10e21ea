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
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/stream"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// terminate adds a listener of TLS that ends here.
func (b *table) terminate(name string, port uint32, hostname string, certificates ...string) *table {
	return b.add(&adminv1.Resource{Name: name, Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{
		Port: port, Protocol: adminv1.Protocol_PROTOCOL_TLS, Hostname: hostname, Certificates: certificates,
	}}})
}

// greetingSecured is an endpoint that ends TLS itself: it says its name and the protocol that was agreed to, and repeats lines.
func greetingSecured(t testing.TB, ca *testca.CA, name, host string) string {
	t.Helper()
	pair := ca.Issue(t, "spiffe://test/"+name, func(c *x509.Certificate) { c.DNSNames = []string{host} }).TLS(t)
	config := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"x/1", "x/2"}}
	return accepting(t, func(conn *net.TCPConn) {
		secured := tls.Server(conn, config)
		if secured.Handshake() != nil {
			return
		}
		say(secured, name+" "+secured.ConnectionState().NegotiatedProtocol+"\n")
		_, _ = io.Copy(secured, secured)
		_ = secured.CloseWrite()
	})
}

// town443 is a port that TLS ends on, for requests and for streams, and passes through, by the host that is asked for.
func town443(t testing.TB, ca *testca.CA) *table {
	t.Helper()
	return new(table).certificate(t, ca, "c", "web.test", "end.test", "x.end.test").
		secured("listener/https", 443, "web.test", "c").
		terminate("listener/end", 443, "*.end.test", "c").
		passthrough("listener/pass", 443, "pass.test").
		passthrough("listener/wild", 443, "*.pass.test").
		backend("web", echo(t, "web")).route("web", "listener/https", "/", "web=1").
		streamBackend("plain", greeting(t, "plain\n")).streamRoute("end", []string{"x.end.test"}, "listener/end", "plain").
		streamBackend("p", greetingSecured(t, ca, "pass", "pass.test")).streamRoute("pass", []string{"pass.test"}, "listener/pass", "p").
		streamBackend("w", greetingSecured(t, ca, "wild", "a.b.pass.test")).streamRoute("wild", []string{"*.pass.test"}, "listener/wild", "w")
}

// over gives a connection over TLS that asks for a host.
func over(t testing.TB, at string, ca *testca.CA, host string, protocols ...string) (*tls.Conn, error) {
	t.Helper()
	conn := tls.Client(connectTo(t, at), &tls.Config{ServerName: host, RootCAs: roots(ca), NextProtos: protocols})
	return conn, conn.Handshake()
}

func TestOnePortForAllKindsOfTLS(t *testing.T) {
	ca := testca.New(t)
	p := start(t, town443(t, ca).resources)
	at := address(t, p, 443)
	tests := map[string]struct {
		host, says, agreed, reason string
		offers                     []string
	}{
		"ends":          {"x.end.test", "plain", "", "what is inside is relayed, whatever the client offers", []string{"x/2"}},
		"passes":        {"pass.test", "pass x/2", "x/2", "the endpoint ends TLS, and agrees to the protocol", []string{"x/2"}},
		"passes, upper": {"PASS.test", "pass ", "", "hosts are compared without regard to case", nil},
		"by wildcard":   {"a.b.pass.test", "wild ", "", "of any number of labels", nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			conn, err := over(t, at, ca, test.host, test.offers...)
			if err != nil {
				t.Fatal(err)
			}
			if got := conn.ConnectionState().NegotiatedProtocol; got != test.agreed {
				t.Errorf("agreed to %q, want %q: %s", got, test.agreed, test.reason)
			}
			heard := bufio.NewReader(conn)
			if line, err := heard.ReadString('\n'); err != nil || strings.TrimSuffix(line, "\n") != test.says {
				t.Errorf("got %q, %v, want %q: %s", line, err, test.says, test.reason)
			}
			content := strings.Repeat("0123456789abcdef", 1<<16)
			go func() {
				say(conn, content)
				_ = conn.CloseWrite()
			}()
			if got, err := io.ReadAll(heard); err != nil || string(got) != content {
				t.Errorf("of %d bytes %d came back, %v", len(content), len(got), err)
			}
		})
	}
	if body, _, err := fetch(at, "web.test", "/", roots(ca)); err != nil || body != "web" {
		t.Errorf("requests beside them: %q, %v", body, err)
	}
	counted(t, p, stream.ReasonOK, uint64(len(tests)))
}

func TestTLSThatGoesNowhere(t *testing.T) {
	ca := testca.New(t)
	p := start(t, town443(t, ca).resources)
	at := address(t, p, 443)
	for host, reason := range map[string]string{
		"nobody.test": "no listener has the name", "end.test": "a wildcard takes a label at least", "": "nobody is asked for",
	} {
		conn := tls.Client(connectTo(t, at), &tls.Config{ServerName: host, InsecureSkipVerify: true})
		// RFC 6066 section 3: unrecognized_name.
		if err := conn.Handshake(); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("%q: got %v: %s", host, err, reason)
		}
	}
	conn, err := over(t, at, ca, "y.end.test")
	if err == nil {
		t.Fatal("the certificate is for others")
	}
	_ = conn.Close()
	plain := connectTo(t, at)
	say(plain, "GET / HTTP/1.1\r\n\r\n")
	if got, err := io.ReadAll(plain); len(got) > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("who speaks no TLS is answered %q, %v", got, err)
	}
}

// A listener that TLS passes through without a route for the name.
func TestPassthroughWithoutRoute(t *testing.T) {
	p := start(t, new(table).passthrough("listener/pass", 443, "").resources)
	conn := tls.Client(connectTo(t, address(t, p, 443)), &tls.Config{ServerName: "a.test", InsecureSkipVerify: true})
	if err := conn.Handshake(); err == nil {
		t.Error("somebody has answered")
	}
	counted(t, p, stream.ReasonNoRoute, 1)
}

// Clients that say half of a hello, or nothing, are given the time of a head, and hold nobody else up.
func TestFloodOfHalfHellos(t *testing.T) {
	ca := testca.New(t)
	p := start(t, town443(t, ca).resources, func(c *Config) { c.Bootstrap.Limits.HeaderTimeout = bootstrap.Duration(patience) })
	at := address(t, p, 443)
	var half []net.Conn
	for i := range 200 {
		conn := connectTo(t, at)
		say(conn, []string{"", "\x16", "\x16\x03\x01\x40\x00\x01\x00\x3f\xfc", "\x16\x03\x01\x00\x01\x01"}[i%4])
		half = append(half, conn)
	}
	conn, err := over(t, at, ca, "pass.test")
	if err != nil {
		t.Fatal(err)
	}
	hear(t, conn, 5)
	if body, _, err := fetch(at, "web.test", "/", roots(ca)); err != nil || body != "web" {
		t.Errorf("requests beside them: %q, %v", body, err)
	}
	for _, conn := range half {
		_ = conn.Close()
	}
	_ = conn.CloseWrite()
	_, _ = io.Copy(io.Discard, conn)
	_ = conn.NetConn().Close()
	counted(t, p, stream.ReasonOK, 1)
}

// A hello that does not end is given up.
func TestHellosAreBounded(t *testing.T) {
	p := start(t, town443(t, testca.New(t)).resources, func(c *Config) { c.Bootstrap.Limits.HeaderTimeout = bootstrap.Duration(50 * time.Millisecond) })
	conn := connectTo(t, address(t, p, 443))
	say(conn, "\x16\x03\x01\x40\x00\x01")
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("half a hello stays")
	}
}

// Tables that change other listeners and routes of the port leave what is relayed alone.
func TestTLSStreamsStayWhileTablesChange(t *testing.T) {
	ca := testca.New(t)
	p := start(t, town443(t, ca).resources)
	at := address(t, p, 443)
	var conns []*tls.Conn
	for _, host := range []string{"pass.test", "x.end.test"} {
		conn, err := over(t, at, ca, host)
		if err != nil {
			t.Fatal(err)
		}
		hear(t, conn, 5)
		conns = append(conns, conn)
	}
	if quarantined := load(t, p, new(table).passthrough("listener/wild", 443, "*.pass.test")); len(quarantined) > 0 {
		t.Fatal(quarantined)
	}
	rests := []string{"\n", "\n"} // Of the first lines.
	for i, conn := range conns {
		say(conn, "still")
		if got := hear(t, conn, len(rests[i])+5); got != rests[i]+"still" {
			t.Errorf("got %q", got)
		}
	}
}

// Each handshake that fails is counted, whether TLS was to pass through or to end.
func TestFailedHandshakesAreCounted(t *testing.T) {
	ca := testca.New(t)
	p := start(t, new(table).certificate(t, ca, "c", "a.test").secured("l/a", 443, "a.test", "c").
		passthrough("l/b", 443, "b.test").secured("l/c", 8443, "a.test", "c").resources)
	want := uint64(0)
	for _, port := range []uint16{443, 8443} {
		for name, sent := range map[string]string{"HTTP": "GET / HTTP/1.1\r\n\r\n", "cut": "\x16\x03\x01\x02\x00\x01"} {
			conn := connectTo(t, address(t, p, port))
			say(conn, sent)
			_ = conn.CloseWrite()
			_, _ = io.Copy(io.Discard, conn)
			want++
			eventually(t, name+" is counted", func() bool { return p.Unsecured() == want })
		}
		if _, _, err := fetch(address(t, p, port), "other.test", "/", roots(ca)); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
			t.Errorf("port %d: got %v", port, err)
		}
		want++
		eventually(t, "a name that nobody has is counted", func() bool { return p.Unsecured() == want })
	}
}

// Where TLS ends for nobody, a name that no listener has is not answered in TLS.
func TestUnknownNameWhereAllPassesThrough(t *testing.T) {
	ca := testca.New(t)
	b := new(table).passthrough("listener/pass", 443, "pass.test").
		streamBackend("p", greetingSecured(t, ca, "pass", "pass.test")).streamRoute("pass", []string{"pass.test"}, "listener/pass", "p")
	p := start(t, b.resources)
	at := address(t, p, 443)
	if _, err := over(t, at, ca, "other.test"); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a name that no listener has: %v, want a reset", err)
	}
	if _, err := over(t, at, ca, "pass.test"); err != nil {
		t.Errorf("the listener's own name: %v", err)
	}
}
