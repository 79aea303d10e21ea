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
	"context"
	"crypto/tls"
	"crypto/x509"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/testca"
)

const (
	ownIdentity      = "spiffe://rauta.dev/gateway/shop/web"
	operatorIdentity = "spiffe://rauta.dev/operator"
)

// withAdmin gives a proxy an admin API, with its identity in a folder.
func withAdmin(t testing.TB, ca *testca.CA, folder string) func(*Config) {
	testca.Write(t, folder, ca.Issue(t, ownIdentity), ca.PEM)
	return func(c *Config) {
		c.IdentityInterval = 5 * time.Millisecond
		c.Bootstrap.Admin = &bootstrap.Admin{
			Address: "127.0.0.1:0", Identity: ownIdentity, Operator: operatorIdentity,
			Certificate: filepath.Join(folder, "tls.crt"), Key: filepath.Join(folder, "tls.key"),
			CA: filepath.Join(folder, "ca.crt"),
		}
	}
}

// session opens one as the operator, and reads the inventory.
func session(t testing.TB, p *Proxy, ca *testca.CA) (adminv1.Admin_SyncClient, *adminv1.Inventory) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca.PEM)
	conn, err := grpc.NewClient(p.AdminAddr(), grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{ca.Issue(t, operatorIdentity).TLS(t)},
		InsecureSkipVerify: true, // The certificate has no host name; what it names is shown in the tests of admin.
	})))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(func() {
		cancel()
		_ = conn.Close()
	})
	stream, err := adminv1.NewAdminClient(conn).Sync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	response, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return stream, response.GetInventory()
}

// push commits a table that replaces what is held, and gives the answer.
func push(t testing.TB, stream adminv1.Admin_SyncClient, generation uint64, b *table, removals ...string) *adminv1.Ack {
	t.Helper()
	hashes := map[string]string{}
	for _, resource := range b.resources {
		hash, err := adminv1.Hash(resource)
		if err != nil {
			t.Fatal(err)
		}
		resource.Hash, hashes[resource.GetName()] = hash, hash
	}
	requests := []*adminv1.SyncRequest{
		{Message: &adminv1.SyncRequest_Update{Update: &adminv1.Update{Upserts: b.resources, Removals: removals}}},
		{Message: &adminv1.SyncRequest_Commit{Commit: &adminv1.Commit{
			Generation: generation, TableHash: adminv1.TableHash(hashes),
		}}},
	}
	for _, request := range requests {
		if err := stream.Send(request); err != nil {
			t.Fatal(err)
		}
	}
	response, err := stream.Recv()
	if err != nil {
		t.Fatal(err)
	}
	return response.GetAck()
}

func simple(t testing.TB, body string) *table {
	return new(table).listener("listener/http", 80, "").backend("x", echo(t, body)).
		route("r", "listener/http", "/", "x")
}

func TestPushedTableServes(t *testing.T) {
	ca := testca.New(t)
	p := start(t, nil, withAdmin(t, ca, t.TempDir()))
	if p.Ready() {
		t.Error("ready before a table was pushed")
	}
	stream, _ := session(t, p, ca)
	ack := push(t, stream, 5, simple(t, "pushed"))
	if ack.GetRefused() != 0 || len(ack.GetErrors()) > 0 {
		t.Fatalf("answer %v", ack)
	}
	if !p.Ready() {
		t.Error("not ready with a table")
	}
	if generation, hash := p.Table(); generation != 5 || hash != ack.GetTableHash() {
		t.Errorf("serves %d %s, want 5 %s", generation, hash, ack.GetTableHash())
	}
	if status, body := get(t, client(t), address(t, p, 80), "h", "/"); status != 200 || body != "pushed" {
		t.Errorf("got %d %q", status, body)
	}
}

// Identities are replaced again and again while tables are pushed over one session and requests run.
func TestRotationUnderTrafficDropsNothing(t *testing.T) {
	ca, folder := testca.New(t), t.TempDir()
	p := start(t, nil, withAdmin(t, ca, folder))
	stream, _ := session(t, p, ca)
	first, second := simple(t, "first"), simple(t, "second")
	push(t, stream, 1, first)
	at, c := address(t, p, 80), client(t)

	var stopped atomic.Bool
	var requests sync.WaitGroup
	requests.Go(func() {
		for !stopped.Load() && !t.Failed() {
			response, err := c.Get("http://" + at + "/")
			if err != nil {
				t.Errorf("request: %v", err)
				return
			}
			_ = response.Body.Close()
			if response.StatusCode != 200 {
				t.Errorf("got %d", response.StatusCode)
			}
		}
	})
	for generation := uint64(2); generation < 20; generation++ {
		testca.Write(t, folder, ca.Issue(t, ownIdentity), ca.PEM)
		time.Sleep(5 * time.Millisecond) // The proxy looks at its files as often; no outcome depends on it.
		next := first
		if generation%2 == 0 {
			next = second
		}
		if ack := push(t, stream, generation, next); ack.GetGeneration() != generation || ack.GetRefused() != 0 {
			t.Fatalf("generation %d: %v", generation, ack)
		}
	}
	stopped.Store(true)
	requests.Wait()
}

// A container that is started again serves its last table, with its operator away.
func TestLastTableServesAfterARestart(t *testing.T) {
	ca, state := testca.New(t), t.TempDir()
	keep := func(c *Config) { c.Bootstrap.State.Directory = state }
	before := start(t, nil, withAdmin(t, ca, t.TempDir()), keep)
	stream, _ := session(t, before, ca)
	ack := push(t, stream, 3, simple(t, "kept"))
	before.Close()

	after := start(t, nil, withAdmin(t, ca, t.TempDir()), keep)
	if !after.Ready() {
		t.Error("not ready with its last table")
	}
	if status, body := get(t, client(t), address(t, after, 80), "h", "/"); status != 200 || body != "kept" {
		t.Errorf("got %d %q", status, body)
	}
	_, inventory := session(t, after, ca)
	if inventory.GetGeneration() != 3 || inventory.GetTableHash() != ack.GetTableHash() {
		t.Errorf("tells the operator of %d %s, want 3 %s", inventory.GetGeneration(), inventory.GetTableHash(), ack.GetTableHash())
	}
}
