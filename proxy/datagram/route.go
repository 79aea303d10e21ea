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

package datagram

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rauta-dev/rauta/proxy/upstream"
)

// Port is a port that is wanted.
type Port struct {
	Number uint16
	// Shares of the sessions; none drop all.
	Shares []Share
}

// Share is a backend's part of the sessions of a port.
type Share struct {
	// Backend; nil when it is not resolved: what it would get is dropped.
	Backend *Backend
	// Weight, above 0.
	Weight int
}

// Backend is a set of endpoints. Each has its turn, or the one with fewer sessions of two that are chosen at random is taken.
type Backend struct {
	Name          string
	LeastSessions bool
	// MaxSessions of each endpoint; 0 for no limit.
	MaxSessions uint32
	// Ready and Draining endpoints, each sorted. Draining ones get sessions only when none is ready.
	Ready, Draining []netip.AddrPort
}

// avoided is for how long an endpoint that took no datagrams gets no new sessions.
const avoided = time.Second

// endpoint is where sessions go.
type endpoint struct {
	address  netip.AddrPort
	sessions atomic.Int64
	// refused is when it last said that it takes no datagrams.
	refused atomic.Int64
}

func (e *endpoint) avoid(now time.Duration) bool {
	refused := e.refused.Load()
	return refused != 0 && now-time.Duration(refused) < avoided
}

// backend is a Backend with its endpoints. It is never changed.
type backend struct {
	Backend
	list []*endpoint
	turn *atomic.Uint64
}

// route is what becomes of the sessions of a port. It is never changed.
type route struct {
	shares []*backend // nil where there is none
	split  *upstream.Split
	// named are the backends by name, known their endpoints.
	named map[string]*backend
	known map[place]*endpoint
}

// place names an endpoint across tables.
type place struct {
	backend string
	address netip.AddrPort
}

// newRoute makes a route that goes on where the one before was; before is nil when there was none.
func newRoute(port Port, before *route) *route {
	r := &route{shares: make([]*backend, len(port.Shares)), named: make(map[string]*backend), known: make(map[place]*endpoint)}
	weights, names := make([]int, len(port.Shares)), make([]string, len(port.Shares))
	for i, share := range port.Shares {
		weights[i] = share.Weight
		if share.Backend == nil {
			continue
		}
		names[i] = share.Backend.Name
		if r.named[names[i]] == nil {
			r.named[names[i]] = r.backend(share.Backend, before)
		}
		r.shares[i] = r.named[names[i]]
	}
	r.split = upstream.NewSplit(weights)
	if before != nil && before.split.Equal(weights) && slices.Equal(names, before.names()) {
		r.split = before.split
	}
	return r
}

func (r *route) names() []string {
	names := make([]string, len(r.shares))
	for i, b := range r.shares {
		if b != nil {
			names[i] = b.Name
		}
	}
	return names
}

func (r *route) backend(planned *Backend, before *route) *backend {
	made := &backend{Backend: *planned, turn: new(atomic.Uint64)}
	if before != nil && before.named[planned.Name] != nil {
		made.turn = before.named[planned.Name].turn
	}
	made.list = r.endpoints(planned.Name, planned.Ready, before)
	draining := r.endpoints(planned.Name, planned.Draining, before)
	if len(made.list) == 0 {
		made.list = draining
	}
	return made
}

func (r *route) endpoints(backend string, addresses []netip.AddrPort, before *route) []*endpoint {
	list := make([]*endpoint, len(addresses))
	for i, address := range addresses {
		at := place{backend: backend, address: address}
		if before != nil && r.known[at] == nil {
			r.known[at] = before.known[at]
		}
		if r.known[at] == nil {
			r.known[at] = &endpoint{address: address}
		}
		list[i] = r.known[at]
	}
	return list
}

// offers says whether an endpoint is one of the route's.
func (r *route) offers(b *backend, e *endpoint) bool {
	return r != nil && r.known[place{backend: b.Name, address: e.address}] == e
}

// share gives the backend whose turn it is; nil when there is none.
func (r *route) share() *backend {
	if r == nil {
		return nil
	}
	next := r.split.Next()
	if next < 0 {
		return nil
	}
	return r.shares[next]
}

// same says whether two ports are served alike.
func (p Port) same(other Port) bool {
	return p.Number == other.Number && slices.EqualFunc(p.Shares, other.Shares, func(a, b Share) bool {
		return a.Weight == b.Weight && a.Backend.same(b.Backend)
	})
}

func (b *Backend) same(other *Backend) bool {
	if b == nil || other == nil {
		return b == other
	}
	return b.Name == other.Name && b.LeastSessions == other.LeastSessions && b.MaxSessions == other.MaxSessions &&
		slices.Equal(b.Ready, other.Ready) && slices.Equal(b.Draining, other.Draining)
}

// choose gives the endpoint of a new session, or of one that leaves another; nil when there is none that takes it.
func (b *backend) choose(now time.Duration, left *endpoint) *endpoint {
	count := uint64(len(b.list))
	if count == 0 {
		return nil
	}
	turn := b.turn.Add(1) - 1
	if b.LeastSessions && count > 1 {
		turn = b.lessBusy()
	}
	var last *endpoint // the one to take when all are to be avoided
	for i := range count {
		e := b.list[(turn+i)%count]
		if b.MaxSessions > 0 && e != left && e.sessions.Load() >= int64(b.MaxSessions) {
			continue
		}
		if e != left && !e.avoid(now) {
			return e
		}
		if last == nil || last == left {
			last = e
		}
	}
	return last
}

// lessBusy looks at two endpoints alone, as upstream.Backend does.
func (b *backend) lessBusy() uint64 {
	count := uint64(len(b.list))
	first := rand.Uint64N(count)
	second := (first + 1 + rand.Uint64N(count-1)) % count
	if b.list[second].sessions.Load() < b.list[first].sessions.Load() {
		return second
	}
	return first
}
