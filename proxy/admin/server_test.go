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
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/testca"
)

const (
	ownIdentity      = "spiffe://rauta.dev/gateway/shop/web"
	operatorIdentity = "spiffe://rauta.dev/operator"
	patience         = time.Minute
)

// applied records what was applied, and answers with the errors of config.Compile.
type applied struct {
	mu        sync.Mutex
	snapshots []*config.Snapshot
}

func (a *applied) Apply(snapshot *config.Snapshot) []config.Error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.snapshots = append(a.snapshots, snapshot)
	_, errors := config.Compile(snapshot)
	return errors
}

func (a *applied) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.snapshots)
}

// replica is a running admin server with its identity in files.
type replica struct {
	server  *Server
	table   *Table
	applied *applied
	ca      *testca.CA
	folder  string
}

func startReplica(t testing.TB, change ...func(*Options)) *replica {
	t.Helper()
	r := &replica{applied: &applied{}, ca: testca.New(t), folder: t.TempDir()}
	testca.Write(t, r.folder, r.ca.Issue(t, ownIdentity), r.ca.PEM)
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	identity, err := LoadIdentity(r.files(), ownIdentity, operatorIdentity)
	if err != nil {
		t.Fatalf("load identity: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { identity.Follow(ctx, 5*time.Millisecond, logger) })
	r.table = NewTable(r.applied, 1<<20)
	options := Options{
		Address: "127.0.0.1:0", Identity: identity, Table: r.table, Version: "test",
		ReportInterval: time.Hour, Logger: logger,
	}
	for _, apply := range change {
		apply(&options)
	}
	r.server, err = Serve(options)
	if err != nil {
		t.Fatalf("serve: %v", err)
	}
	t.Cleanup(func() {
		r.server.Close()
		cancel()
		following.Wait()
	})
	return r
}

func (r *replica) files() Files {
	return Files{
		Certificate: filepath.Join(r.folder, "tls.crt"),
		Key:         filepath.Join(r.folder, "tls.key"),
		CA:          filepath.Join(r.folder, "ca.crt"),
	}
}

// operatorTLS is what the operator would connect with.
func (r *replica) operatorTLS(t testing.TB) *tls.Config {
	return clientTLS(r.ca.Issue(t, operatorIdentity).TLS(t), r.ca.PEM)
}

func clientTLS(certificate tls.Certificate, bundle []byte) *tls.Config {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"},
		Certificates: []tls.Certificate{certificate},
		// Identities are URIs: the chain is verified here, without a host name.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots})
			return err
		},
	}
}

// open begins a session with the given credentials.
func (r *replica) open(t *testing.T, config *tls.Config) (adminv1.Admin_SyncClient, error) {
	t.Helper()
	conn, err := grpc.NewClient(r.server.Addr(), grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatalf("client: %v", err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return adminv1.NewAdminClient(conn).Sync(ctx)
}

// session begins a session as the operator.
func (r *replica) session(t *testing.T) adminv1.Admin_SyncClient {
	t.Helper()
	stream, err := r.open(t, r.operatorTLS(t))
	if err != nil {
		t.Fatalf("open session: %v", err)
	}
	return stream
}

func receive(t *testing.T, stream adminv1.Admin_SyncClient) *adminv1.SyncResponse {
	t.Helper()
	response, err := stream.Recv()
	if err != nil {
		t.Fatalf("receive: %v", err)
	}
	return response
}

func send(t *testing.T, stream adminv1.Admin_SyncClient, request *adminv1.SyncRequest) {
	t.Helper()
	if err := stream.Send(request); err != nil {
		t.Fatalf("send: %v", err)
	}
}

func TestHandshake(t *testing.T) {
	r := startReplica(t)
	other := testca.New(t)
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	serverOnly := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	tests := map[string]struct {
		reason       string
		certificates []tls.Certificate
		change       func(*tls.Config)
		accepted     bool
	}{
		"operator": {
			reason:       "the operator's own certificate is what the door is for",
			certificates: []tls.Certificate{r.ca.Issue(t, operatorIdentity).TLS(t)},
			accepted:     true,
		},
		"no certificate": {
			reason: "whoever reaches the port must not reach the API",
		},
		"another gateway": {
			reason:       "a stolen proxy key gives nothing beyond its own Gateway, though the same CA issued it",
			certificates: []tls.Certificate{r.ca.Issue(t, "spiffe://rauta.dev/gateway/shop/other").TLS(t)},
		},
		"its own identity": {
			reason:       "the proxy's own certificate is not the operator's",
			certificates: []tls.Certificate{r.ca.Issue(t, ownIdentity).TLS(t)},
		},
		"expired": {
			reason:       "short lives only help when they end",
			certificates: []tls.Certificate{r.ca.Issue(t, operatorIdentity, expired).TLS(t)},
		},
		"other CA": {
			reason:       "anybody can write the operator's name into a certificate",
			certificates: []tls.Certificate{other.Issue(t, operatorIdentity).TLS(t)},
		},
		"for servers only": {
			reason:       "a certificate is for the use that it was issued for",
			certificates: []tls.Certificate{r.ca.Issue(t, operatorIdentity, serverOnly).TLS(t)},
		},
		"two identities": {
			reason: "a certificate with a second name is not one that the operator's CA issues for the operator",
			certificates: []tls.Certificate{r.ca.Issue(t, operatorIdentity, func(c *x509.Certificate) {
				c.URIs = append(c.URIs, c.URIs[0].JoinPath("more"))
			}).TLS(t)},
		},
		"TLS 1.2": {
			reason:       "the channel is TLS 1.3 alone",
			certificates: []tls.Certificate{r.ca.Issue(t, operatorIdentity).TLS(t)},
			change:       func(c *tls.Config) { c.MinVersion, c.MaxVersion = tls.VersionTLS12, tls.VersionTLS12 },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			config := clientTLS(tls.Certificate{}, r.ca.PEM)
			config.Certificates = test.certificates
			if test.change != nil {
				test.change(config)
			}
			stream, err := r.open(t, config)
			if err == nil {
				_, err = stream.Recv()
			}
			if test.accepted != (err == nil) {
				t.Fatalf("%s: accepted should be %t, got error %v", test.reason, test.accepted, err)
			}
			if err != nil && status.Code(err) != codes.Unavailable {
				t.Errorf("%s: refused in the handshake is Unavailable, got %v", test.reason, err)
			}
		})
	}
}

func TestOwnIdentityIsChecked(t *testing.T) {
	ca, other := testca.New(t), testca.New(t)
	tests := map[string]struct {
		reason string
		pair   testca.Pair
		bundle []byte
		good   bool
	}{
		"own": {
			reason: "this is what the operator writes",
			pair:   ca.Issue(t, ownIdentity), bundle: ca.PEM, good: true,
		},
		"expired": {
			reason: "a restarted proxy must serve while its operator is away",
			pair:   ca.Issue(t, ownIdentity, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }),
			bundle: ca.PEM, good: true,
		},
		"of another gateway": {
			reason: "a wrong mount must be seen at start, not by the operator much later",
			pair:   ca.Issue(t, "spiffe://rauta.dev/gateway/shop/other"), bundle: ca.PEM,
		},
		"of another CA": {
			reason: "certificate and bundle of two installations do not fit together",
			pair:   other.Issue(t, ownIdentity), bundle: ca.PEM,
		},
		"without a bundle": {
			reason: "an empty bundle would trust nobody, and say nothing",
			pair:   ca.Issue(t, ownIdentity), bundle: []byte("\n"),
		},
		"with another key": {
			reason: "half a replacement is not an identity",
			pair: testca.Pair{
				Certificate: ca.Issue(t, ownIdentity).Certificate, Key: ca.Issue(t, ownIdentity).Key,
			},
			bundle: ca.PEM,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := &replica{folder: t.TempDir()}
			testca.Write(t, r.folder, test.pair, test.bundle)
			_, err := LoadIdentity(r.files(), ownIdentity, operatorIdentity)
			if test.good != (err == nil) {
				t.Errorf("%s: good should be %t, got error %v", test.reason, test.good, err)
			}
		})
	}
}
