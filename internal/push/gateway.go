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

package push

import (
	"cmp"
	"context"
	"reflect"
	"slices"
	"sync"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// gateway is one Gateway: the table that is wanted for it, and the sessions with its replicas.
type gateway struct {
	pusher *Pusher
	key    Key
	ctx    context.Context
	cancel context.CancelFunc

	mu sync.Mutex
	// wanted table; nil before the first set.
	wanted *table
	// generation of the wanted table, as far as the replicas have told; 0 before the first set.
	generation uint64
	sessions   map[string]*session
	closed     bool
}

func newGateway(p *Pusher, key Key) *gateway {
	ctx, cancel := context.WithCancel(p.ctx)
	return &gateway{pusher: p, key: key, ctx: ctx, cancel: cancel, sessions: map[string]*session{}}
}

func (g *gateway) set(resources []*adminv1.Resource) {
	g.mu.Lock()
	defer g.mu.Unlock()
	next := tableOf(resources, g.wanted)
	switch {
	case g.wanted == nil:
		g.wanted, g.generation = next, 1
		// Inventories may have come before anything was wanted.
		g.reckon()
	case next.equal(g.wanted):
		return
	default:
		g.replace(next)
	}
	g.ring()
}

func (g *gateway) setEndpoints(resource *adminv1.Resource) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wanted == nil {
		return
	}
	g.follow(g.wanted.replace(resource))
}

func (g *gateway) change(upserts []*adminv1.Resource, removals []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wanted == nil {
		return
	}
	g.follow(g.wanted.with(upserts, removals))
}

// follow makes another table the wanted one, if it is another.
func (g *gateway) follow(next *table, different bool) {
	if !different {
		return
	}
	g.replace(next)
	g.ring()
}

// replace makes another table the wanted one. Its generation is another too, unless only what is left out differs.
func (g *gateway) replace(next *table) {
	same := g.wanted.sum == next.sum
	g.wanted = next
	if !same {
		g.generation++
	}
}

// reckon corrects the generation by what the replicas said they serve; see the package's comment. The result does not
// depend on the order of the sessions.
func (g *gateway) reckon() {
	if g.wanted == nil {
		return
	}
	for _, s := range g.sessions {
		switch {
		case s.served.generation == 0:
		case s.served.hash == g.wanted.hash():
			g.generation = max(g.generation, s.served.generation)
		case s.served.generation >= g.generation:
			g.generation = s.served.generation + 1
		}
	}
}

// ring tells all sessions that their target may have changed. The lock is held.
func (g *gateway) ring() {
	for _, s := range g.sessions {
		wake(s.bell)
	}
}

func (g *gateway) setReplicas(replicas []Replica) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return
	}
	changed := false
	kept := map[string]bool{}
	for _, replica := range replicas {
		if kept[replica.ID] {
			continue
		}
		kept[replica.ID] = true
		changed = g.attend(replica) || changed
	}
	for id, s := range g.sessions {
		if !kept[id] {
			s.cancel()
			delete(g.sessions, id)
			changed = true
		}
	}
	if changed {
		g.pusher.notifier.note(g.key)
	}
}

// attend brings the session of one replica in line, and tells whether that made a difference.
func (g *gateway) attend(replica Replica) bool {
	s := g.sessions[replica.ID]
	if s != nil && s.state.Address == replica.Address {
		different := s.state.Ready != replica.Ready
		s.state.Ready = replica.Ready
		return different
	}
	if s != nil {
		s.cancel()
	}
	s = newSession(g, replica)
	g.sessions[replica.ID] = s
	g.pusher.running.Go(s.run)
	return true
}

// target is what a session has to bring about; nil while nothing is wanted.
func (g *gateway) target() *target {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wanted == nil {
		return nil
	}
	return &target{table: g.wanted, generation: g.generation}
}

// update changes what is known of a session's replica, unless the session has been replaced meanwhile.
func (g *gateway) update(s *session, change func(*ReplicaState)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.updateLocked(s, change)
}

func (g *gateway) updateLocked(s *session, change func(*ReplicaState)) {
	if g.sessions[s.id] != s {
		return
	}
	before := s.state
	change(&s.state)
	if !reflect.DeepEqual(before, s.state) {
		g.pusher.notifier.note(g.key)
	}
}

// inventoried takes in what a replica said it serves at the beginning of a conversation, or after drift.
func (g *gateway) inventoried(s *session, served version, proxyVersion string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sessions[s.id] != s {
		return
	}
	s.served = served
	g.updateLocked(s, func(state *ReplicaState) {
		state.Connected, state.Problem, state.ProxyVersion = true, "", proxyVersion
		// Which resources are quarantined is not in an inventory, so that nothing counts as acknowledged until the
		// acknowledgement comes, unless it is what was acknowledged before.
		if state.AckedGeneration != served.generation || state.AckedHash != served.hash {
			state.AckedGeneration, state.AckedHash, state.Errors = 0, "", nil
		}
	})
	before := g.generation
	g.reckon()
	if g.generation != before {
		g.ring()
		g.pusher.notifier.note(g.key)
	}
}

// acknowledged takes in that a replica serves a table.
func (g *gateway) acknowledged(s *session, served version, errors []ResourceError) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.sessions[s.id] != s {
		return
	}
	s.served = served
	g.updateLocked(s, func(state *ReplicaState) {
		state.AckedGeneration, state.AckedHash, state.Errors = served.generation, served.hash, errors
		state.Settled = true
	})
}

func (g *gateway) state() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	var state State
	if g.wanted != nil {
		state.Generation, state.TableHash = g.generation, g.wanted.hash()
		state.Unsendable = slices.Clone(g.wanted.unsendable)
	}
	for _, s := range g.sessions {
		replica := s.state
		replica.Errors = slices.Clone(replica.Errors)
		state.Replicas = append(state.Replicas, replica)
	}
	slices.SortFunc(state.Replicas, func(a, b ReplicaState) int { return cmp.Compare(a.ID, b.ID) })
	return state
}

func (g *gateway) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.cancel()
	clear(g.sessions)
}
