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
	"net/http"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/internal/pki"
	"github.com/rauta-dev/rauta/test/fixture"
)

// TestReplicasServeWithoutOperator adds and replaces replicas while the operator is away, until none of those is left that
// it ever spoke to. Then it comes back, to an unchanged world and to a changed one.
func TestReplicasServeWithoutOperator(t *testing.T) {
	s := newSite(t)
	first := s.replica()
	p := s.start()
	p.SetReplicas(web, asReplicas(first.address()))
	p.Set(web, s.table(1, routes))
	awaitProgrammed(t, p, first)
	before := p.State(web)
	p.Close()
	sent := s.sent.Load()

	second := s.replica()
	second.awaitTable(before.TableHash)
	second.serves(1)
	first.kill()
	third := s.replica()
	third.awaitTable(before.TableHash)
	third.serves(1)
	second.kill()
	second.start()
	second.awaitTable(before.TableHash)

	p = s.start()
	defer p.Close()
	p.SetReplicas(web, asReplicas(second.address(), third.address()))
	p.Set(web, s.table(1, routes))
	awaitProgrammed(t, p, second, third)
	if now := s.sent.Load(); now != sent {
		t.Errorf("%d resources were sent to replicas that had them from each other", now-sent)
	}
	if after := p.State(web); after.Generation != before.Generation {
		t.Errorf("generation %d became %d in an unchanged world", before.Generation, after.Generation)
	}
	p.Set(web, s.table(2, routes))
	awaitProgrammed(t, p, second, third)
	second.serves(2)
	third.serves(2)
}

// TestRestartedReplicaCatchesUpWithItsPeers restarts a container that was down when the operator last spoke to the others.
func TestRestartedReplicaCatchesUpWithItsPeers(t *testing.T) {
	s := newSite(t)
	stays, restarts := s.replica(), &replica{site: s, folder: t.TempDir(), state: t.TempDir()}
	restarts.identify(s.authority, time.Now())
	restarts.begin()
	p := s.start()
	p.SetReplicas(web, asReplicas(stays.address(), restarts.address()))
	p.Set(web, s.table(1, 3))
	awaitProgrammed(t, p, stays, restarts)
	restarts.kill()
	p.SetReplicas(web, asReplicas(stays.address()))
	p.Set(web, s.table(2, 3))
	awaitProgrammed(t, p, stays)
	p.Close()

	restarts.start()
	if restarts.hash() == "" || restarts.answer("/route-2/edition-0") != http.StatusOK {
		t.Error("a restarted container does not begin with its last good table")
	}
	restarts.awaitTable(stays.hash())
	restarts.serves(2)
}

// TestReplicasServeAfterTheirIdentityEnded starts replicas when the operator has been away for longer than their
// certificates are good for.
func TestReplicasServeAfterTheirIdentityEnded(t *testing.T) {
	began := time.Now().Add(-pki.LeafLifetime - 2*time.Hour)
	authority, err := pki.New(began)
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t)
	s.authority, s.operator = authority, fixture.Operator(authority)
	first := &replica{site: s, folder: t.TempDir(), state: t.TempDir()}
	first.identify(authority, time.Now())
	first.begin()
	p := s.start()
	p.SetReplicas(web, asReplicas(first.address()))
	p.Set(web, s.table(1, 3))
	awaitProgrammed(t, p, first)
	p.Close()
	first.kill()
	first.identify(authority, began)
	first.start()
	first.serves(1)

	second := &replica{site: s, folder: t.TempDir()}
	second.identify(authority, began)
	second.begin()
	second.awaitTable(first.hash())
	second.serves(1)
}

// awaitTable waits until the replica serves a table.
func (r *replica) awaitTable(hash string) {
	r.site.t.Helper()
	fixture.Eventually(r.site.t, "the replica serves table "+hash, func() bool { return r.hash() == hash })
}
