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

package convergence

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/pki"
	"github.com/rauta-dev/rauta/test/fixture"
)

// TestProxyLetsInTheOperatorAlone dials a real proxy as everybody who is not the operator.
func TestProxyLetsInTheOperatorAlone(t *testing.T) {
	s := newSite(t)
	r := s.replica()
	issue := func(authority *pki.Authority, at time.Time) *tls.Certificate {
		certificate, err := authority.IssueOperator(at)
		if err != nil {
			t.Fatal(err)
		}
		return certificate
	}
	cases := map[string]struct {
		reason string
		client *tls.Certificate
		allow  bool
	}{
		"Operator":       {reason: "the one who may", client: issue(s.authority, time.Now()), allow: true},
		"NoCertificate":  {reason: "anybody in the cluster who finds the port"},
		"OtherGateway":   {reason: "a stolen key of another Gateway's proxy", client: fixture.ProxyCertificate(t, s.authority, "bank", "web")},
		"SameGateway":    {reason: "a stolen key of this Gateway's proxy gives nothing more", client: fixture.ProxyCertificate(t, s.authority, web.Namespace, web.Name)},
		"Expired":        {reason: "a stolen key of the operator, a day later", client: issue(s.authority, time.Now().Add(-pki.LeafLifetime-time.Hour))},
		"OtherAuthority": {reason: "a certificate that anybody can make", client: issue(fixture.Authority(t), time.Now())},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			config := s.operator.TLS(web.Namespace, web.Name)
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if tc.client == nil {
					return &tls.Certificate{}, nil
				}
				return tc.client, nil
			}
			err := openSession(t, r.address(), config)
			if allowed := err == nil; allowed != tc.allow {
				t.Errorf("%s: session open is %t, want %t: %v", tc.reason, allowed, tc.allow, err)
			}
		})
	}
}

// openSession opens a session and waits for the inventory.
func openSession(t *testing.T, address string, config *tls.Config) error {
	t.Helper()
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithNoProxy(),
		grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	stream, err := adminv1.NewAdminClient(connection).Sync(ctx)
	if err != nil {
		return err
	}
	_, err = stream.Recv()
	return err
}

// TestOperatorRefusesAnotherGatewaysProxy reaches a real proxy at an address where another Gateway's was meant to be.
func TestOperatorRefusesAnotherGatewaysProxy(t *testing.T) {
	s := newSite(t)
	r := s.replica()
	p := s.start()
	defer p.Close()
	other := web
	other.Name = "admin"
	p.Set(other, s.table(1, 3))
	p.SetReplicas(other, asReplicas(r.address()))
	want := "reached proxy of spiffe://rauta.dev/gateway/shop/web instead of spiffe://rauta.dev/gateway/shop/admin"
	fixture.Eventually(t, want, func() bool { return p.State(other).Replicas[0].Problem == want })
	if !strings.Contains(p.State(other).String(), want) {
		t.Errorf("the line for a person is %q", p.State(other).String())
	}
	if r.hash() != "" {
		t.Error("the proxy got a table that was another Gateway's")
	}
}

// TestRotationUnderSession replaces everything that expires, on both sides, while a session is open and
// requests run.
func TestRotationUnderTraffic(t *testing.T) {
	s := newSite(t)
	r := s.replica()
	relay := newCutter(t, r.address) // it cuts nothing here, and counts connections
	p := s.start()
	defer p.Close()
	p.SetReplicas(web, asReplicas(relay.address()))
	p.Set(web, s.table(1, 5))
	awaitProgrammed(t, p, r)
	requests := r.keepRequesting("/route-2/edition-0") // a route that is the same in the first tables

	// A next CA joins an authority that is old enough, as it is after half a year.
	rotated := aged(t)
	r.identify(rotated, time.Now())
	s.operator.Use(rotated)
	signer := issuer(t, rotated)
	fixture.Eventually(t, "new handshakes show the new certificate", func() bool {
		return shownBy(r.address()) == signer
	})
	p.Set(web, s.table(2, 5))
	awaitProgrammed(t, p, r)
	r.serves(2)
	if connections := relay.connections(); connections != 1 {
		t.Errorf("%d connections: the rotation has cost the session that was open", connections)
	}

	if served, failed := requests(); failed > 0 || served == 0 {
		t.Errorf("%d requests were answered during the rotation, and %d failed", served, failed)
	}

	// What a new operator opens is of the new certificates alone.
	p.Close()
	next := s.start()
	defer next.Close()
	next.SetReplicas(web, asReplicas(relay.address()))
	next.Set(web, s.table(3, 5))
	awaitProgrammed(t, next, r)
	r.serves(3)
	if connections := relay.connections(); connections != 2 {
		t.Errorf("%d connections, want one for each operator", connections)
	}
}

// keepRequesting sends requests one after another until the returned function is called, which tells how many were
// answered and how many failed.
func (r *replica) keepRequesting(path string) (end func() (served, failed int)) {
	r.site.t.Helper()
	address, open := r.proxy.Load().ListenerAddr(80)
	if !open {
		r.site.t.Fatal("the listener is not open")
	}
	type counts struct{ served, failed int }
	stop, done := make(chan struct{}), make(chan counts, 1)
	go func() {
		var c counts
		for {
			select {
			case <-stop:
				done <- c
				return
			default:
			}
			response, err := http.Get("http://" + address + path)
			if err != nil || response.StatusCode != http.StatusOK {
				c.failed++
			} else {
				c.served++
			}
			if err == nil {
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
			}
		}
	}()
	return func() (int, int) {
		close(stop)
		c := <-done
		return c.served, c.failed
	}
}

// aged is an authority in the second half of its life, whose successor has joined.
func aged(t *testing.T) *pki.Authority {
	t.Helper()
	old, err := pki.New(time.Now().Add(-pki.AuthorityLifetime * 6 / 10))
	if err != nil {
		t.Fatal(err)
	}
	joined, changed, err := old.Advance(time.Now())
	if err != nil || !changed {
		t.Fatalf("no successor joined: %v", err)
	}
	return joined
}

// issuer is the name of the CA that signs for an authority.
func issuer(t *testing.T, authority *pki.Authority) string {
	t.Helper()
	certificate, err := authority.IssueOperator(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return certificate.Leaf.Issuer.CommonName
}

// shownBy is the name of the CA that signed what a server shows in a handshake, whatever it thinks of us.
func shownBy(address string) string {
	shown := ""
	connection, err := tls.Dial("tcp", address, &tls.Config{
		InsecureSkipVerify: true, NextProtos: []string{"h2"},
		VerifyPeerCertificate: func(raw [][]byte, _ [][]*x509.Certificate) error {
			certificate, err := x509.ParseCertificate(raw[0])
			if err != nil {
				return err
			}
			shown = certificate.Issuer.CommonName
			return nil
		},
	})
	if err == nil {
		_ = connection.Close()
	}
	return shown
}
