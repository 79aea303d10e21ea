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

package admin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// servedSerial is the serial number of the certificate that a new handshake is answered with; empty when it fails.
func servedSerial(r *replica, config *tls.Config) string {
	conn, err := tls.Dial("tcp", r.server.Addr(), config)
	if err != nil {
		return ""
	}
	defer func() { _ = conn.Close() }()
	// In TLS 1.3 a client is refused after its own handshake: only what the server says next tells.
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return ""
	}
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("never came true: %s", what)
}

// A rotation of everything at once: a new CA, a certificate of it, and a bundle with both CAs, as the operator writes
// them while it changes its CA.
func TestRotationKeepsSessions(t *testing.T) {
	r := startReplica(t)
	stream := r.session(t)
	receive(t, stream)
	oldClient := r.operatorTLS(t)

	next := testca.New(t)
	both := append(append([]byte{}, r.ca.PEM...), next.PEM...)
	pair := next.Issue(t, ownIdentity)
	testca.Write(t, r.folder, pair, both)
	wanted := pair.TLS(t).Leaf.SerialNumber.String()
	newClient := clientTLS(next.Issue(t, operatorIdentity).TLS(t), both)
	eventually(t, "a new handshake gets the new certificate, and trusts a client of the new CA", func() bool {
		return servedSerial(r, newClient) == wanted
	})
	if serial := servedSerial(r, clientTLS(oldClient.Certificates[0], both)); serial != wanted {
		t.Errorf("a client of the CA that is still in the bundle: got certificate %q, want %q", serial, wanted)
	}

	send(t, stream, &adminv1.SyncRequest{Message: &adminv1.SyncRequest_InventoryRequest{}})
	if receive(t, stream).GetInventory() == nil {
		t.Error("the session that was open answers with something else than the inventory")
	}
}

func TestDamagedFilesKeepTheLastGoodIdentity(t *testing.T) {
	r := startReplica(t)
	client := r.operatorTLS(t)
	before := servedSerial(r, client)
	tests := map[string]struct {
		reason string
		damage func(t *testing.T)
	}{
		"not PEM": {
			reason: "a file that is being written is not an identity",
			damage: func(t *testing.T) {
				if err := os.WriteFile(r.files().Certificate, []byte("-----BEGIN"), 0o600); err != nil {
					t.Fatal(err)
				}
			},
		},
		"missing": {
			reason: "a volume that is just being swapped may lack a file for a moment",
			damage: func(t *testing.T) {
				if err := os.Remove(r.files().Key); err != nil {
					t.Fatal(err)
				}
			},
		},
		"of another gateway": {
			reason: "nothing but its own identity is ever shown",
			damage: func(t *testing.T) {
				testca.Write(t, r.folder, r.ca.Issue(t, "spiffe://rauta.dev/gateway/shop/other"), r.ca.PEM)
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.damage(t)
			if changed, err := r.server.options.Identity.reload(); changed || err == nil {
				t.Fatalf("%s: reload gave changed %t and error %v", test.reason, changed, err)
			}
			if serial := servedSerial(r, client); serial != before {
				t.Errorf("%s: serves %q, want still %q", test.reason, serial, before)
			}
		})
	}
	pair := r.ca.Issue(t, ownIdentity)
	testca.Write(t, r.folder, pair, r.ca.PEM)
	eventually(t, "good files are taken after bad ones", func() bool {
		return servedSerial(r, client) == pair.TLS(t).Leaf.SerialNumber.String()
	})
}

// said is a log.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *said) count(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Count(s.text.String(), what)
}

// An operator that is away for long is noticed by nobody until new replicas cannot get their table any more: proxies say so before.
func TestAnIdentityThatHasExpiredIsTold(t *testing.T) {
	r := &replica{ca: testca.New(t), folder: t.TempDir()}
	issue := func(expires time.Duration) {
		testca.Write(t, r.folder, r.ca.Issue(t, ownIdentity, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(expires) }), r.ca.PEM)
	}
	issue(-time.Minute)
	identity, err := LoadIdentity(r.files(), ownIdentity, operatorIdentity)
	if err != nil {
		t.Fatal(err)
	}
	log := &said{}
	ctx, cancel := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() { identity.Follow(ctx, time.Millisecond, slog.New(slog.NewTextHandler(log, nil))) })
	defer func() { cancel(); following.Wait() }()
	eventually(t, "it is said that the identity has expired", func() bool { return log.count("the identity has expired") == 1 })
	issue(time.Hour)
	eventually(t, "the next one is used", func() bool { return log.count("identity reloaded") == 1 })
	if times := log.count("the identity has expired"); times != 1 {
		t.Errorf("it is said %d times", times)
	}
}
