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
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/forward"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// over has the endpoints of the backend that was added last spoken to over TLS.
func (b *table) over(wanted *adminv1.BackendTls) *table {
	b.resources[len(b.resources)-1].GetBackend().Tls = wanted
	return b
}

// trusting is TLS to endpoints with certificates of an authority for one host.
func trusting(ca *testca.CA, host string) *adminv1.BackendTls {
	return &adminv1.BackendTls{Hostname: host, Authorities: ca.PEM}
}

// issuedFor has a certificate be for DNS names.
func issuedFor(hosts ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = hosts }
}

// serveOver is a backend over TLS that knows both versions of HTTP.
func serveOver(t testing.TB, with *tls.Config, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.EnableHTTP2 = true
	server.TLS = with
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// overTLS is an endpoint that a test writes byte for byte, over TLS.
func overTLS(t testing.TB, pair testca.Pair, talk func(n int, conn *tls.Conn, reader *bufio.Reader)) string {
	with := &tls.Config{Certificates: []tls.Certificate{pair.TLS(t)}}
	return endpoint(t, func(n int, conn net.Conn, _ *bufio.Reader) {
		secured := tls.Server(conn, with)
		defer func() { _ = secured.Close() }()
		talk(n, secured, bufio.NewReader(secured))
	})
}

// counts are how many requests ended for a reason.
func counts(p *Proxy, reason forward.Reason) (count uint64) {
	for outcome, n := range p.Requests() {
		if outcome.Reason == reason {
			count += n
		}
	}
	return count
}

// Whom a backend's endpoints have to be, and whether these are.
func TestBackendTLSVerification(t *testing.T) {
	ca, other := testca.New(t), testca.New(t)
	uri := func(c *x509.Certificate) { c.URIs = []*url.URL{{Scheme: "spiffe", Host: "a.test", Path: "/one"}} }
	host := func(name string) *adminv1.SubjectAltName {
		return &adminv1.SubjectAltName{Name: &adminv1.SubjectAltName_Hostname{Hostname: name}}
	}
	id := func(value string) *adminv1.SubjectAltName {
		return &adminv1.SubjectAltName{Name: &adminv1.SubjectAltName_Uri{Uri: value}}
	}
	tests := map[string]struct {
		reason string
		leaf   func(*x509.Certificate)
		names  []*adminv1.SubjectAltName
		change func(*adminv1.BackendTls)
		fails  bool
	}{
		"the hostname":      {reason: "without names it is the hostname that counts", leaf: issuedFor("x.test", "a.test")},
		"its wildcard":      {reason: "a certificate may have a wildcard", leaf: issuedFor("*.test")},
		"another hostname":  {reason: "a certificate for somebody else proves nothing", leaf: issuedFor("b.test"), fails: true},
		"common name alone": {reason: "a common name is no subject alternative name", leaf: func(c *x509.Certificate) { c.Subject.CommonName = "a.test" }, fails: true},
		"one of the names": {
			reason: "one of them is enough", leaf: issuedFor("c.test"), names: []*adminv1.SubjectAltName{host("b.test"), host("c.test")},
		},
		"hostname beside names": {
			reason: "with names the hostname MUST NOT be used for authentication", leaf: issuedFor("a.test"),
			names: []*adminv1.SubjectAltName{host("b.test")}, fails: true,
		},
		"wildcard among the names": {
			reason: "it stands for one label", leaf: issuedFor("any.b.test"), names: []*adminv1.SubjectAltName{host("*.b.test")},
		},
		"deeper than the wildcard": {
			reason: "and for no more than one", leaf: issuedFor("any.other.b.test"), names: []*adminv1.SubjectAltName{host("*.b.test")}, fails: true,
		},
		"the URI":     {reason: "a workload's identity is a URI", leaf: uri, names: []*adminv1.SubjectAltName{id("spiffe://a.test/one")}},
		"another URI": {reason: "it is compared whole", leaf: uri, names: []*adminv1.SubjectAltName{id("spiffe://a.test/on")}, fails: true},
		"a name for a URI": {
			reason: "a URI is no hostname", leaf: issuedFor("a.test"), names: []*adminv1.SubjectAltName{id("spiffe://a.test/one")}, fails: true,
		},
		"unknown authority": {
			reason: "anybody can write a name into a certificate", leaf: issuedFor("a.test"),
			change: func(b *adminv1.BackendTls) { b.Authorities = other.PEM }, fails: true,
		},
		"authorities of the system": {
			reason: "the test's authority is none of them", leaf: issuedFor("a.test"),
			change: func(b *adminv1.BackendTls) { b.Authorities, b.SystemAuthorities = nil, true }, fails: true,
		},
		"expired": {
			reason: "what has expired proves nothing", fails: true,
			leaf: func(c *x509.Certificate) { c.DNSNames, c.NotAfter = []string{"a.test"}, time.Now().Add(-time.Minute) },
		},
		"for clients alone": {
			reason: "a client's certificate must not stand for a server", fails: true,
			leaf: func(c *x509.Certificate) {
				c.DNSNames, c.ExtKeyUsage = []string{"a.test"}, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			pair := ca.Issue(t, "", func(c *x509.Certificate) { c.URIs = nil }, test.leaf)
			var asked atomic.Int64
			at := serveOver(t, &tls.Config{Certificates: []tls.Certificate{pair.TLS(t)}}, func(_ http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if r.TLS.ServerName != "a.test" {
					t.Errorf("the handshake asked for %q", r.TLS.ServerName)
				}
			})
			wanted := trusting(ca, "a.test")
			wanted.SubjectAltNames = test.names
			if test.change != nil {
				test.change(wanted)
			}
			p := start(t, new(table).listener("l", 80, "").backend("b1", at).over(wanted).second("b2", at).over(wanted).
				route("r1", "l", "/1", "b1").route("r2", "l", "/2", "b2").resources)
			want, answered, failed := 200, int64(2), uint64(0)
			if test.fails {
				want, answered, failed = 502, 0, 2
			}
			for _, path := range []string{"/1", "/2"} {
				if status, _ := get(t, client(t), address(t, p, 80), "h", path); status != want {
					t.Errorf("%s: got %d, want %d: %s", path, status, want, test.reason)
				}
			}
			if asked.Load() != answered || counts(p, forward.ReasonTLS) != failed {
				t.Errorf("%d requests reached the endpoint, %v were counted: %s", asked.Load(), p.Requests(), test.reason)
			}
		})
	}
}

// Both codecs carry content of all sizes over both versions of TLS.
func TestBackendTLSContent(t *testing.T) {
	ca := testca.New(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			with := &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "", issuedFor("a.test")).TLS(t)}, MaxVersion: version}
			at := serveOver(t, with, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Proto", fmt.Sprint(r.Proto, " ", r.TLS.Version))
				content, _ := io.ReadAll(r.Body)
				_, _ = w.Write(content)
			})
			p := start(t, new(table).listener("l", 80, "").backend("b1", at).over(trusting(ca, "a.test")).
				second("b2", at).over(trusting(ca, "a.test")).route("r1", "l", "/1", "b1").route("r2", "l", "/2", "b2").resources)
			c := client(t)
			for path, protocol := range map[string]string{"/1": "HTTP/1.1", "/2": "HTTP/2.0"} {
				for _, size := range []int{0, 1, 10_000, 1 << 20} {
					content := strings.Repeat("x", size)
					response, err := c.Post("http://"+address(t, p, 80)+path, "text/plain", strings.NewReader(content))
					if err != nil {
						t.Fatal(err)
					}
					got, err := io.ReadAll(response.Body)
					_ = response.Body.Close()
					if err != nil || string(got) != content || response.StatusCode != 200 {
						t.Errorf("%s: %d with %d of %d bytes, %v", path, response.StatusCode, len(got), size, err)
					}
					if want := fmt.Sprint(protocol, " ", version); response.Header.Get("X-Proto") != want {
						t.Errorf("got %q, want %q", response.Header.Get("X-Proto"), want)
					}
				}
			}
		})
	}
}

// An endpoint without HTTP/2 is not spoken to in it.
func TestBackendTLSWithoutHTTP2(t *testing.T) {
	ca := testca.New(t)
	at := overTLS(t, ca.Issue(t, "", issuedFor("a.test")), func(_ int, _ *tls.Conn, reader *bufio.Reader) {
		if line, err := reader.ReadString('\n'); err == nil {
			t.Errorf("the endpoint was sent %q", line)
		}
	})
	p := start(t, new(table).listener("l", 80, "").second("b", at).over(trusting(ca, "a.test")).route("r", "l", "/", "b").resources)
	if status, _ := get(t, client(t), address(t, p, 80), "h", "/"); status != 502 || counts(p, forward.ReasonTLS) != 1 {
		t.Errorf("got %d, %v", status, p.Requests())
	}
}

// The proxy proves itself where it is asked to, and a certificate that it has not is missed.
func TestBackendTLSClientCertificate(t *testing.T) {
	ca := testca.New(t)
	with := &tls.Config{
		Certificates: []tls.Certificate{ca.Issue(t, "", issuedFor("a.test")).TLS(t)},
		ClientAuth:   tls.RequireAndVerifyClientCert, ClientCAs: roots(ca),
	}
	at := serveOver(t, with, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.TLS.PeerCertificates[0].DNSNames[0])
	})
	wanted := trusting(ca, "a.test")
	wanted.Certificate = "mine"
	p := start(t, new(table).listener("l", 80, "").certificate(t, ca, "mine", "gateway.test").
		backend("b1", at).over(wanted).second("b2", at).over(wanted).
		backend("n1", at).over(trusting(ca, "a.test")).second("n2", at).over(trusting(ca, "a.test")).
		route("r1", "l", "/1", "b1").route("r2", "l", "/2", "b2").route("n1", "l", "/n1", "n1").route("n2", "l", "/n2", "n2").resources)
	for path, want := range map[string]int{"/1": 200, "/2": 200, "/n1": 502, "/n2": 502} {
		status, body := get(t, client(t), address(t, p, 80), "h", path)
		if status != want || want == 200 && body != "gateway.test" {
			t.Errorf("%s: got %d, %q", path, status, body)
		}
	}
	if failed := counts(p, forward.ReasonTLS); failed != 2 {
		t.Errorf("%d requests failed for TLS, want 2: %v", failed, p.Requests())
	}
	missing := trusting(ca, "a.test")
	missing.Certificate = "not-there"
	quarantined := load(t, p, new(table).listener("l", 80, "").backend("b", at).over(missing).route("r", "l", "/", "b"))
	if len(quarantined) == 0 || !strings.HasPrefix(quarantined[0].Message, "tls.certificate:") {
		t.Errorf("quarantined: %v", quarantined)
	}
	if status, _ := get(t, client(t), address(t, p, 80), "h", "/"); status != 500 {
		t.Errorf("a backend that is quarantined: got %d", status)
	}
}

// A handshake that fails has sent nothing: the next endpoint gets the request, whatever its method.
func TestBackendTLSNextEndpoint(t *testing.T) {
	ca := testca.New(t)
	good := serveOver(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "", issuedFor("a.test")).TLS(t)}},
		func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	bad := serveOver(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "", issuedFor("b.test")).TLS(t)}},
		func(http.ResponseWriter, *http.Request) { t.Error("an endpoint that is somebody else was asked") })
	p := start(t, new(table).listener("l", 80, "").backend("b", bad, good).over(trusting(ca, "a.test")).route("r", "l", "/", "b").resources)
	for range 6 {
		response, err := client(t).Post("http://"+address(t, p, 80)+"/", "text/plain", strings.NewReader("content"))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if response.StatusCode != 200 || string(body) != "content" {
			t.Errorf("got %d, %q", response.StatusCode, body)
		}
	}
}

// Endpoints that accept and then say nothing, or something else than TLS.
func TestBackendTLSSilence(t *testing.T) {
	ca := testca.New(t)
	silent := endpoint(t, func(_ int, _ net.Conn, reader *bufio.Reader) { _, _ = io.Copy(io.Discard, reader) })
	p := start(t, new(table).listener("l", 80, "").backend("silent", silent).over(trusting(ca, "a.test")).
		route("silent", "l", "/silent", "silent").resources,
		func(c *Config) { c.Bootstrap.Limits.ConnectTimeout = bootstrap.Duration(100 * time.Millisecond) })
	if status, _ := get(t, client(t), address(t, p, 80), "h", "/silent"); status != 504 {
		t.Errorf("an endpoint that is silent: got %d", status)
	}
	p = start(t, new(table).listener("l", 80, "").backend("plain", echo(t, "x")).over(trusting(ca, "a.test")).
		route("plain", "l", "/plain", "plain").resources)
	if status, _ := get(t, client(t), address(t, p, 80), "h", "/plain"); status != 502 || counts(p, forward.ReasonTLS) != 1 {
		t.Errorf("an endpoint without TLS: got %d, %v", status, p.Requests())
	}
}
