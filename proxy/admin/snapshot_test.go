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
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/config"
)

// keeping is an applier that keeps the snapshot.
type keeping struct{ snapshot *config.Snapshot }

func (k *keeping) Apply(snapshot *config.Snapshot) []config.Error {
	k.snapshot = snapshot
	return nil
}

// TestSnapshotsCarryOn commits changes at random, some of which make a name another kind of resource. What is applied, and the
// table's hash and size, are those of all that is held.
func TestSnapshotsCarryOn(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	applier := &keeping{}
	table := NewTable(applier, 1<<20)
	session := table.begin()
	resource := func(name string) *adminv1.Resource {
		r := &adminv1.Resource{Name: name}
		switch random.IntN(4) {
		case 0:
			r.Spec = &adminv1.Resource_Route{Route: &adminv1.Route{Origin: &adminv1.Origin{Name: fmt.Sprint(random.IntN(3))}}}
		case 1:
			r.Spec = &adminv1.Resource_Endpoints{Endpoints: &adminv1.Endpoints{Endpoints: []*adminv1.Endpoint{{Port: uint32(random.IntN(3))}}}}
		case 2:
			r.Spec = &adminv1.Resource_Listener{Listener: &adminv1.Listener{Port: uint32(random.IntN(3))}}
		}
		hash, err := adminv1.Hash(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Hash = hash
		return r
	}
	for generation := range uint64(500) {
		s := newStaged()
		update := &adminv1.Update{}
		for range random.IntN(3) {
			update.Upserts = append(update.Upserts, resource(fmt.Sprint("r", random.IntN(12))))
		}
		for range random.IntN(3) {
			update.Removals = append(update.Removals, fmt.Sprint("r", random.IntN(12)))
		}
		if err := s.add(update, 1<<20); err != nil {
			t.Fatal(err)
		}
		hash := table.with(s).hash
		ack, err := table.commit(session, s, &adminv1.Commit{Generation: generation + 1, TableHash: hash})
		if err != nil || ack.GetRefused() != adminv1.Refusal_REFUSAL_UNSPECIFIED {
			t.Fatalf("commit: %v, %v", ack, err)
		}
		if diff := cmp.Diff(snapshotOf(table.held), applier.snapshot); diff != "" {
			t.Fatalf("snapshot (-at once +carried on):\n%s", diff)
		}
		bytes := 0
		for _, held := range table.held {
			bytes += len(held.encoded)
		}
		if want := adminv1.TableHash(hashes(table.held)); table.hash != want || table.bytes != bytes {
			t.Fatalf("hash %s and %d bytes, want %s and %d", table.hash, table.bytes, want, bytes)
		}
	}
}

// What is lent — to a replica that asks, or to be written to the state file — is what was held then, whatever is committed since.
func TestLentTableStays(t *testing.T) {
	table := NewTable(&keeping{}, 1<<20)
	session, generation := table.begin(), uint64(0)
	commit := func(update *adminv1.Update) {
		t.Helper()
		s := newStaged()
		if err := s.add(update, 1<<20); err != nil {
			t.Fatal(err)
		}
		generation++
		ack, err := table.commit(session, s, &adminv1.Commit{Generation: generation, TableHash: table.with(s).hash})
		if err != nil || ack.GetRefused() != adminv1.Refusal_REFUSAL_UNSPECIFIED {
			t.Fatal(ack, err)
		}
	}
	commit(&adminv1.Update{Upserts: []*adminv1.Resource{listener("listener/a", 1), listener("listener/b", 2)}})
	first, _ := table.offer()
	again, _ := table.offer()
	commit(&adminv1.Update{Upserts: []*adminv1.Resource{listener("listener/a", 3), listener("listener/c", 4)}, Removals: []string{"listener/b"}})
	second, _ := table.offer()
	commit(&adminv1.Update{Removals: []string{"listener/a"}})
	third, _ := table.offer()
	for name, offer := range map[string]offered{"first": first, "again": again, "second": second, "third": third} {
		if hash := adminv1.TableHash(hashes(offer.resources)); hash != offer.hash {
			t.Errorf("%s: what was offered with the hash %s has become %s", name, offer.hash, hash)
		}
	}
	if len(first.resources) != 2 || len(second.resources) != 2 || len(third.resources) != 1 {
		t.Errorf("%d, %d and %d resources were offered, want 2, 2 and 1", len(first.resources), len(second.resources), len(third.resources))
	}
}

// A commit that is refused changes nothing of what is held.
func TestRefusedCommitLeavesWhatIsHeld(t *testing.T) {
	table := NewTable(&keeping{}, 1<<20)
	session := table.begin()
	for i, hash := range []string{"", "another"} {
		s := newStaged()
		if err := s.add(&adminv1.Update{Upserts: []*adminv1.Resource{listener("listener/a", uint32(i+1))}}, 1<<20); err != nil {
			t.Fatal(err)
		}
		if hash == "" {
			hash = table.with(s).hash
		}
		before := table.hash
		ack, err := table.commit(session, s, &adminv1.Commit{Generation: uint64(i + 1), TableHash: hash})
		if err != nil {
			t.Fatal(err)
		}
		if refused := ack.GetRefused() != adminv1.Refusal_REFUSAL_UNSPECIFIED; refused != (i == 1) || refused && table.hash != before {
			t.Errorf("commit %d: refused is %t, and the table's hash %s, before %s", i, refused, table.hash, before)
		}
		if want := adminv1.TableHash(hashes(table.held)); table.hash != want {
			t.Errorf("commit %d: the table has the hash %s, and what is held %s", i, table.hash, want)
		}
	}
}
