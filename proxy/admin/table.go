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
	"errors"
	"fmt"
	"maps"
	"sync"

	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/config"
)

// Applier makes a snapshot serve, and says what of it does not; see engine.Engine.
type Applier interface {
	Apply(snapshot *config.Snapshot) []config.Error
}

// Table is what the replica holds: the resources of the table that serves, by name.
type Table struct {
	applier  Applier
	maxBytes int

	mu sync.Mutex
	// held is changed in its place, and replaced where it is lent; what it points to is never changed. With thousands of resources, a copy
	// of the names and pointers would be most of what a small change costs.
	held map[string]*held
	// lent is whether somebody reads held without mu.
	lent bool
	// sum and snapshot are those of held, from which the next are made; nil where they are not known.
	sum        *adminv1.TableSum
	snapshot   *config.Snapshot
	bytes      int
	generation uint64
	hash       string
	errors     []config.Error
	// session is the number of the newest one; only it may commit. open is how many there are.
	session uint64
	open    int
	// told is whether an operator has committed a table since the start.
	told bool
	// committed holds one value when there was another table since Keep last looked.
	committed chan struct{}
	memory    memory
}

// held is one resource: encoded, since that is a fraction of what the message takes, and decoded.
type held struct {
	hash    string
	encoded []byte
	decoded any
	// certificate is the message, of one that is a certificate: another may stand for what it holds.
	certificate *adminv1.Certificate
}

// hold makes what is held of a resource.
func hold(resource *adminv1.Resource, hash string) (*held, error) {
	encoded, err := proto.Marshal(resource)
	if err != nil {
		return nil, fmt.Errorf("resource %q: %w", resource.GetName(), err)
	}
	return &held{hash: hash, encoded: encoded, decoded: decode(resource), certificate: resource.GetCertificate()}, nil
}

// content is what was decoded; nil of nothing.
func (h *held) content() any {
	if h == nil {
		return nil
	}
	return h.decoded
}

// keeping gives the resource with the chain and key that are held under its name, if anything is, where it stands for those.
func (h *held) keeping(before *held) *held {
	if before == nil || !h.certificate.GetHeld() || len(h.certificate.GetChain()) > 0 || len(before.certificate.GetChain()) == 0 {
		return h
	}
	resource := &adminv1.Resource{}
	if proto.Unmarshal(h.encoded, resource) != nil {
		return h // Cannot be: it was encoded here.
	}
	resource.GetCertificate().Chain, resource.GetCertificate().Key = before.certificate.GetChain(), before.certificate.GetKey()
	kept, err := hold(resource, h.hash)
	if err != nil {
		return h
	}
	// What was decoded before is the same content: the certificate is not parsed anew, and no handshake is disturbed.
	kept.decoded = before.decoded
	return kept
}

// NewTable makes a table that holds nothing. maxBytes bounds the encoded size of what it may hold.
func NewTable(applier Applier, maxBytes int) *Table {
	return &Table{
		applier: applier, maxBytes: maxBytes, held: map[string]*held{}, committed: make(chan struct{}, 1),
		memory: memory{giveBack: giveBack},
	}
}

// Serving gives generation and hash of the table that serves; 0 and empty when there is none.
func (t *Table) Serving() (generation uint64, hash string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.generation, t.hash
}

var (
	errSuperseded = errors.New("a newer session has begun")
	errTooLarge   = errors.New("the table would be larger than limits.maxTableBytes")
)

// begin gives the number of a new session, which is the newest from now on.
func (t *Table) begin() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.session++
	t.open++
	return t.session
}

// end is called when a session that began is over.
func (t *Table) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open--
}

// staged is the part of the next table that came so far.
type staged struct {
	upserts map[string]*held
	removed map[string]bool
	bytes   int
}

func newStaged() *staged {
	return &staged{upserts: map[string]*held{}, removed: map[string]bool{}}
}

// add stages one Update. Its upserts come before its removals.
func (s *staged) add(update *adminv1.Update, maxBytes int) error {
	s.bytes += proto.Size(update)
	if s.bytes > maxBytes {
		return errTooLarge
	}
	for _, resource := range update.GetUpserts() {
		delete(s.removed, resource.GetName())
		held, err := hold(resource, resource.GetHash())
		if err != nil {
			return err
		}
		s.upserts[resource.GetName()] = held
	}
	for _, name := range update.GetRemovals() {
		delete(s.upserts, name)
		s.removed[name] = true
	}
	return nil
}

// commit makes what is held together with what was staged the table that serves. The answer is refused when that has
// another hash than the commit says. A table that already serves is not applied again.
func (t *Table) commit(session uint64, s *staged, commit *adminv1.Commit) (*adminv1.Ack, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if session != t.session {
		return nil, errSuperseded
	}
	next := t.with(s)
	if next.bytes > t.maxBytes {
		return nil, errTooLarge
	}
	if next.hash != commit.GetTableHash() {
		return &adminv1.Ack{
			Generation: commit.GetGeneration(), TableHash: t.hash, Errors: resourceErrors(t.errors),
			Refused: adminv1.Refusal_REFUSAL_HASH_MISMATCH,
		}, nil
	}
	t.snapshot = t.snapshotWith(next)
	t.take(next)
	if t.snapshot == nil {
		t.snapshot = snapshotOf(t.held)
	}
	// Applied also when nothing was staged: a port that could not be opened is tried again.
	t.errors = t.applier.Apply(t.snapshot)
	t.generation, t.told = commit.GetGeneration(), true
	t.memory.settle(s.bytes)
	t.changed()
	return &adminv1.Ack{Generation: t.generation, TableHash: t.hash, Errors: resourceErrors(t.errors)}, nil
}

// changed tells Keep that there is another table; t.mu is held.
func (t *Table) changed() {
	select {
	case t.committed <- struct{}{}:
	default:
	}
}

// nextTable is what a table would be after a commit.
type nextTable struct {
	// changes are what is not as it was, by name; nil for what goes.
	changes map[string]*held
	sum     adminv1.TableSum
	hash    string
	bytes   int
}

// with gives what the table would be after a commit. What stays is not looked at.
func (t *Table) with(s *staged) *nextTable {
	next := &nextTable{changes: make(map[string]*held, len(s.upserts)+len(s.removed)), bytes: t.bytes, sum: t.summed()}
	drop := func(name string) {
		if before, there := t.held[name]; there {
			next.bytes -= len(before.encoded)
			next.sum.Remove(name, before.hash)
		}
		next.changes[name] = nil
	}
	for name := range s.removed {
		drop(name)
	}
	for name, resource := range s.upserts {
		drop(name)
		resource = resource.keeping(t.held[name])
		next.bytes += len(resource.encoded)
		next.sum.Add(name, resource.hash)
		next.changes[name] = resource
	}
	next.hash = next.sum.Hash()
	return next
}

// take makes the table what it is to be.
func (t *Table) take(next *nextTable) {
	if t.lent && len(next.changes) > 0 {
		t.held, t.lent = maps.Clone(t.held), false
	}
	for name, resource := range next.changes {
		if resource == nil {
			delete(t.held, name)
			continue
		}
		t.held[name] = resource
	}
	t.bytes, t.hash, t.sum = next.bytes, next.hash, &next.sum
}

// lend gives what is held to read without mu. mu is held.
func (t *Table) lend() map[string]*held {
	t.lent = true
	return t.held
}

// summed is the sum of what is held.
func (t *Table) summed() adminv1.TableSum {
	if t.sum != nil {
		return *t.sum
	}
	var sum adminv1.TableSum
	for name, resource := range t.held {
		sum.Add(name, resource.hash)
	}
	return sum
}

// Load makes resources that did not come from an operator the table that serves, without a generation, and gives what
// of it does not serve.
func (t *Table) Load(resources Resources) ([]config.Error, error) {
	s := newStaged()
	for i, resource := range resources {
		hash, err := adminv1.Hash(resource)
		if err != nil {
			return nil, fmt.Errorf("resources[%d]: %w", i, err)
		}
		if _, twice := s.upserts[resource.GetName()]; twice {
			return nil, fmt.Errorf("resources[%d]: name: %q is there twice", i, resource.GetName())
		}
		if s.upserts[resource.GetName()], err = hold(resource, hash); err != nil {
			return nil, fmt.Errorf("resources[%d]: %w", i, err)
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.errors = t.applier.Apply(snapshotOf(s.upserts))
	t.sum, t.snapshot = nil, nil
	t.held, t.lent = s.upserts, false
	t.hash, t.generation, t.bytes = adminv1.TableHash(hashes(s.upserts)), 0, 0
	for _, resource := range t.held {
		t.bytes += len(resource.encoded)
	}
	t.memory.settle(t.bytes)
	return t.errors, nil
}

func hashes(resources map[string]*held) map[string]string {
	all := make(map[string]string, len(resources))
	for name, resource := range resources {
		all[name] = resource.hash
	}
	return all
}
