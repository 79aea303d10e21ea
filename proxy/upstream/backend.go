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

package upstream

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"
)

// Backend is a set of endpoints that take requests in turn, or by how busy they are. It is immutable but for its turn.
type Backend struct {
	Name string
	// LeastRequest takes, of two endpoints chosen at random, the one with fewer requests under way. It is set before the
	// backend is used.
	LeastRequest bool
	// ProxyProtocol is the version of the header that streams begin with; 0 for none. It is set before the backend is used.
	ProxyProtocol int
	// list are the ready endpoints, or the draining ones when none is ready.
	list   []*Endpoint
	choice atomic.Pointer[choice]
	turn   *atomic.Uint64
	// Retries is what may be sent again.
	Retries *Budget
}

// NewBackend makes a backend. Draining endpoints "get new requests only when none is ready", as EndpointSlice consumers
// do with terminating endpoints that still serve. before is the backend of that name in the table before, whose turn is
// carried on; nil when there was none.
func NewBackend(name string, ready, draining []*Endpoint, before *Backend) *Backend {
	backend := &Backend{Name: name, list: ready, turn: new(atomic.Uint64), Retries: NewBudget()}
	if len(ready) == 0 {
		backend.list = draining
	}
	if before != nil {
		backend.turn, backend.Retries = before.turn, before.Retries
	}
	return backend
}

// Has says whether an endpoint is one of those that take requests.
func (b *Backend) Has(endpoint *Endpoint) bool { return slices.Contains(b.list, endpoint) }

// choice is the endpoints as they were after so many changes of who is ejected. All are preferred when all are ejected.
type choice struct {
	changes            uint64
	preferred, ejected []*Endpoint
}

var nobody choice

// choose gives the choice as it is now.
func (b *Backend) choose() *choice {
	if len(b.list) == 0 {
		return &nobody
	}
	changes := b.list[0].pool.changes.Load()
	if known := b.choice.Load(); known != nil && known.changes == changes {
		return known
	}
	made := &choice{changes: changes, preferred: b.list}
	if slices.ContainsFunc(b.list, (*Endpoint).Ejected) {
		made.preferred = nil
		for _, endpoint := range b.list {
			if endpoint.Ejected() {
				made.ejected = append(made.ejected, endpoint)
				continue
			}
			made.preferred = append(made.preferred, endpoint)
		}
	}
	if len(made.preferred) == 0 {
		made.preferred, made.ejected = b.list, nil
	}
	b.choice.Store(made)
	return made
}

// Attempts begins the attempts of one request.
func (b *Backend) Attempts() Attempts {
	of := b.choose()
	if b.LeastRequest && len(of.preferred) > 1 {
		return Attempts{of: of, turn: lessBusy(of.preferred)}
	}
	return Attempts{of: of, turn: b.turn.Add(1) - 1}
}

// lessBusy looks at two endpoints alone: the least busy of all would get the requests of all who look at one time.
func lessBusy(list []*Endpoint) uint64 {
	count := uint64(len(list))
	first := rand.Uint64N(count)
	second := (first + 1 + rand.Uint64N(count-1)) % count
	if list[second].active.Load() < list[first].active.Load() {
		return second
	}
	return first
}

// Attempts gives the endpoints to try for one request, each once, beginning with the one whose turn it is. Those that are
// ejected come last.
type Attempts struct {
	of    *choice
	turn  uint64
	tried int
}

// Next gives the next endpoint, or nil when all were tried.
func (a *Attempts) Next() *Endpoint {
	list, next := a.of.preferred, a.tried
	if next >= len(list) {
		list, next = a.of.ejected, next-len(list)
	}
	if next >= len(list) {
		return nil
	}
	a.tried++
	return list[(a.turn+uint64(next))%uint64(len(list))]
}
