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
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// certificate adds a certificate of the authority for DNS names.
func (b *table) certificate(t testing.TB, ca *testca.CA, name string, hosts ...string) *table {
	t.Helper()
	pair := ca.Issue(t, "spiffe://test/"+name, func(c *x509.Certificate) { c.DNSNames = hosts })
	return b.add(&adminv1.Resource{Name: name, Spec: &adminv1.Resource_Certificate{Certificate: &adminv1.Certificate{
		Chain: pair.Certificate, Key: pair.Key,
	}}})
}

func (b *table) secured(name string, port uint32, hostname string, certificates ...string) *table {
	return b.add(&adminv1.Resource{Name: name, Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{
		Port: port, Protocol: adminv1.Protocol_PROTOCOL_HTTPS, Hostname: hostname, Certificates: certificates,
	}}})
}

func roots(ca *testca.CA) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.PEM)
	return pool
}

// fetch asks for a path over a connection of its own, verifying the name. It gives the body and the serial number of the
// certificate.
func fetch(at, host, path string, trusted *x509.CertPool) (body, serial string, err error) {
	conn, err := tls.Dial("tcp", at, &tls.Config{ServerName: host, RootCAs: trusted})
	if err != nil {
		return "", "", err
	}
	defer func() { _ = conn.Close() }()
	body, err = ask(conn, bufio.NewReader(conn), host, path)
	return body, conn.ConnectionState().PeerCertificates[0].SerialNumber.String(), err
}

func ask(conn net.Conn, answers *bufio.Reader, host, path string) (string, error) {
	if _, err := fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host); err != nil {
		return "", err
	}
	response, err := http.ReadResponse(answers, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if response.StatusCode != 200 {
		return "", errors.New(response.Status)
	}
	return string(body), err
}

// Gateway API, Listener.hostname: "The Listener hostname is used to match the SNI"; the certificate that a client sees
// is that of the listener that its requests go to.
func TestCertificateBySNI(t *testing.T) {
	ca := testca.New(t)
	b := new(table).
		certificate(t, ca, "exact", "www.example.com").certificate(t, ca, "wild", "*.example.com").
		certificate(t, ca, "any", "other.test", "example.com").
		secured("l/exact", 443, "www.example.com", "exact").secured("l/wild", 443, "*.example.com", "wild").
		secured("l/any", 443, "", "any").secured("l/alone", 8443, "www.example.com", "exact")
	for _, name := range []string{"exact", "wild", "any"} {
		b.backend(name, echo(t, name)).route(name, "l/"+name, "/", name+"=1")
	}
	p := start(t, b.resources)
	tests := []struct{ host, want, reason string }{
		{"www.example.com", "exact", "the listener with just this hostname comes first"},
		{"WWW.Example.com", "exact", "hosts are compared without regard to case"},
		{"api.example.com", "wild", "a wildcard takes what has one label more"},
		{"example.com", "any", "a wildcard does not take what it is the rest of"},
		{"other.test", "any", "a listener without a hostname takes the rest"},
	}
	for _, test := range tests {
		body, _, err := fetch(address(t, p, 443), test.host, "/", roots(ca))
		if err != nil || body != test.want {
			t.Errorf("%s: got %q, %v, want %q: %s", test.host, body, err, test.want, test.reason)
		}
	}
	// RFC 6066 section 3: unrecognized_name.
	_, _, err := fetch(address(t, p, 8443), "other.test", "/", roots(ca))
	if err == nil || !strings.Contains(err.Error(), "unrecognized name") {
		t.Errorf("a name that no listener has: got %v, want an alert that says so", err)
	}
	// A connection may not be used to reach a listener whose certificate it has not been shown: the route table goes by
	// the authority, and the neighbour on the other port by its own handshake.
	conn, err := net.Dial("tcp", address(t, p, 443))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := ask(conn, bufio.NewReader(conn), "www.example.com", "/"); err == nil {
		t.Error("a request without TLS was answered on a port with TLS")
	}
}

// What is old is refused, and what is current is taken, in both versions.
func TestTLSVersions(t *testing.T) {
	ca := testca.New(t)
	p := start(t, new(table).certificate(t, ca, "c", "a.test").secured("l", 443, "", "c").
		backend("b", echo(t, "b")).route("r", "l", "/", "b=1").resources)
	for version, works := range map[uint16]bool{
		tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true,
	} {
		conn, err := tls.Dial("tcp", address(t, p, 443), &tls.Config{
			ServerName: "a.test", RootCAs: roots(ca), MinVersion: tls.VersionTLS10, MaxVersion: version,
			NextProtos: []string{"http/1.1"},
		})
		if works != (err == nil) {
			t.Errorf("%s: got %v", tls.VersionName(version), err)
		}
		if err != nil {
			continue
		}
		if state := conn.ConnectionState(); state.Version != version || state.NegotiatedProtocol != "http/1.1" {
			t.Errorf("got %s, %q", tls.VersionName(state.Version), state.NegotiatedProtocol)
		}
		_ = conn.Close()
	}
}

// Tickets outlive a table, and are of no use with another listener.
func TestSessionTickets(t *testing.T) {
	ca := testca.New(t)
	b := new(table).certificate(t, ca, "c", "a.test", "b.test").
		secured("l/a", 443, "a.test", "c").secured("l/b", 443, "b.test", "c").
		backend("b", echo(t, "b")).route("ra", "l/a", "/", "b=1").route("rb", "l/b", "/", "b=1")
	p := start(t, b.resources)
	cache := oneSession{}
	resumed := func(host string) bool {
		t.Helper()
		conn, err := tls.Dial("tcp", address(t, p, 443), &tls.Config{
			ServerName: host, RootCAs: roots(ca), ClientSessionCache: &cache,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if _, err := ask(conn, bufio.NewReader(conn), host, "/"); err != nil { // Reading is what takes the ticket in.
			t.Fatal(err)
		}
		return conn.ConnectionState().DidResume
	}
	if resumed("a.test") || !resumed("a.test") {
		t.Error("the second connection should resume the session of the first")
	}
	more := new(table).backend("other", echo(t, "other"))
	if _, err := p.table.Load(append(b.resources, more.resources...)); err != nil {
		t.Fatal(err)
	}
	if !resumed("a.test") {
		t.Error("a new table should not cost a client its session")
	}
	if resumed("b.test") {
		t.Error("a session went on under another listener")
	}
}

// oneSession gives its last session whatever the server.
type oneSession struct{ last *tls.ClientSessionState }

func (o *oneSession) Get(string) (*tls.ClientSessionState, bool) { return o.last, o.last != nil }

func (o *oneSession) Put(_ string, session *tls.ClientSessionState) { o.last = session }

// A certificate that is replaced serves the next handshake; connections that are there, and clients under way, do not
// notice.
func TestCertificatesReplacedUnderLoad(t *testing.T) {
	ca := testca.New(t)
	with := func() *table {
		return new(table).certificate(t, ca, "c", "a.test").secured("l", 443, "", "c")
	}
	serving := new(table).backend("b", echo(t, "b")).route("r", "l", "/", "b=1").resources
	p := start(t, append(with().resources, serving...))
	at, trusted := address(t, p, 443), roots(ca)

	kept, err := tls.Dial("tcp", at, &tls.Config{ServerName: "a.test", RootCAs: trusted})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = kept.Close() }()
	answers := bufio.NewReader(kept)

	var clients sync.WaitGroup
	var served atomic.Int64
	done := make(chan struct{})
	for range 4 {
		clients.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if body, _, err := fetch(at, "a.test", "/", trusted); err != nil || body != "b" {
					t.Errorf("got %q, %v", body, err)
					return
				}
				served.Add(1)
			}
		})
	}
	seen := make(map[string]bool)
	for range 20 {
		if quarantined, err := p.table.Load(append(with().resources, serving...)); err != nil || len(quarantined) > 0 {
			t.Fatal(quarantined, err)
		}
		_, serial, err := fetch(at, "a.test", "/", trusted)
		if err != nil {
			t.Fatal(err)
		}
		seen[serial] = true
		if _, err := ask(kept, answers, "a.test", "/"); err != nil {
			t.Fatalf("the connection that was there: %v", err)
		}
	}
	close(done)
	clients.Wait()
	if len(seen) != 20 || served.Load() == 0 {
		t.Errorf("%d certificates were seen of 20, %d requests served", len(seen), served.Load())
	}
}

// A listener without a usable certificate is quarantined alone.
func TestBrokenCertificate(t *testing.T) {
	ca := testca.New(t)
	other := testca.New(t).Issue(t, "spiffe://test/other")
	b := new(table).certificate(t, ca, "good", "a.test").
		secured("l/broken", 443, "b.test", "mismatched").secured("l/good", 443, "a.test", "mismatched", "good").
		backend("b", echo(t, "b")).route("r", "l/good", "/", "b=1")
	good := b.resources[0].GetCertificate()
	b.add(&adminv1.Resource{Name: "mismatched", Spec: &adminv1.Resource_Certificate{Certificate: &adminv1.Certificate{
		Chain: good.GetChain(), Key: other.Key,
	}}})
	p := start(t, nil)
	quarantined, err := p.table.Load(b.resources)
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, e := range quarantined {
		named = append(named, e.Resource)
		if strings.Contains(e.Message, "PRIVATE") {
			t.Errorf("key material in %q", e.Message)
		}
	}
	if got := strings.Join(named, " "); got != "l/broken mismatched" {
		t.Errorf("quarantined: %s, %v", got, quarantined)
	}
	if body, _, err := fetch(address(t, p, 443), "a.test", "/", roots(ca)); err != nil || body != "b" {
		t.Errorf("the listener beside it: got %q, %v", body, err)
	}
}
