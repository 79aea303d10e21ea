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
	"runtime/debug"
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
	// held is replaced with each table and never changed, and so is what it points to: with thousands of resources, a copy of the names and
	// pointers is most of what a small change costs.
	held map[string]*held
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
		memory: memory{giveBack: debug.FreeOSMemory},
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
	// Applied also when nothing was staged: a port that could not be opened is tried again.
	snapshot := t.snapshotWith(next)
	t.errors = t.applier.Apply(snapshot)
	t.held, t.bytes, t.hash, t.generation, t.told = next.held, next.bytes, next.hash, commit.GetGeneration(), true
	t.sum, t.snapshot = &next.sum, snapshot
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
	held  map[string]*held
	sum   adminv1.TableSum
	hash  string
	bytes int
	// changed names what is not as it was.
	changed []string
}

// with gives what the table would be after a commit. What stays is copied and not looked at.
func (t *Table) with(s *staged) *nextTable {
	next := &nextTable{held: t.held, bytes: t.bytes, sum: t.summed()}
	if len(s.upserts)+len(s.removed) > 0 {
		next.held = maps.Clone(t.held)
	}
	take := func(name string) {
		if before, there := next.held[name]; there {
			next.bytes -= len(before.encoded)
			next.sum.Remove(name, before.hash)
			delete(next.held, name)
		}
		next.changed = append(next.changed, name)
	}
	for name := range s.removed {
		take(name)
	}
	for name, resource := range s.upserts {
		resource = resource.keeping(next.held[name])
		take(name)
		next.bytes += len(resource.encoded)
		next.sum.Add(name, resource.hash)
		next.held[name] = resource
	}
	next.hash = next.sum.Hash()
	return next
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
	t.held, t.hash, t.generation, t.bytes = s.upserts, adminv1.TableHash(hashes(s.upserts)), 0, 0
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
