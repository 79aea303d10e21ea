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

package engine

import (
	"cmp"
	"crypto/tls"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/datagram"
	"github.com/rauta-dev/rauta/proxy/forward"
	"github.com/rauta-dev/rauta/proxy/route"
	"github.com/rauta-dev/rauta/proxy/stream"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// Sockets are the ports that clients reach; see listen.Sockets.
type Sockets interface {
	Open(ports []config.Port) map[uint16]error
	Serve()
	Retain(ports []uint16)
}

// Forwarder holds the current table; see forward.Handler.
type Forwarder interface {
	Swap(table *forward.Table)
}

// Streams holds the current table of streams; see stream.Handler.
type Streams interface {
	Swap(table *stream.Table)
}

// Datagrams are the ports of UDP; see datagram.Ports.
type Datagrams interface {
	Apply(ports []datagram.Port) map[uint16]error
}

// Options are what an engine is made with.
type Options struct {
	Forwarder Forwarder
	Streams   Streams
	Sockets   Sockets
	Datagrams Datagrams
	Pool      *upstream.Pool
	// Tune is called with the limits of each table before its ports open.
	Tune func(config.Limits)
}

// Engine applies snapshots.
type Engine struct {
	Options
	ready atomic.Bool

	mu       sync.Mutex
	compiler config.Compiler
	// What serves. The ports are those of the plan's listeners.
	plan  *config.Plan
	ports []config.Port
	table *forward.Table
	// built are the routes of the table by name.
	built   map[string]*route.Route[*forward.Rule]
	streams *stream.Routes
	splits  map[splitKey]splitState
	secured map[securedKey]*tls.Config
}

// New makes an engine that serves nothing yet.
func New(options Options) *Engine { return &Engine{Options: options} }

// Apply makes a snapshot the one that serves, and says what of it does not, sorted by resource. It never fails as a
// whole. Calls are serialised; the snapshot must not be changed afterwards.
func (e *Engine) Apply(snapshot *config.Snapshot) []config.Error {
	e.mu.Lock()
	defer e.mu.Unlock()
	before, step := e.plan, e.compiler.Compile(snapshot)
	e.plan = step.Plan
	if step.Whole {
		e.Tune(e.plan.Limits)
		e.ports = e.plan.Ports()
	}
	// Those that could not be opened are tried again.
	failed := e.Sockets.Open(e.ports)

	next := &forward.Table{TrustedHops: e.plan.TrustedHops}
	switch {
	case step.Whole:
		next.Backends = e.backends()
	case len(step.Places) > 0:
		next.Backends = e.otherBackends(step)
	default:
		next.Backends = e.table.Backends
	}
	switch {
	case step.Whole:
		splits := e.splits
		e.splits = make(map[splitKey]splitState)
		next.Routes, e.streams = e.routes(splits), e.streamRoutes(splits)
	case len(step.Changed)+len(step.Gone) > 0:
		next.Routes = e.reroute(step)
	default:
		next.Routes = e.table.Routes
	}
	if step.Streams {
		e.streams = e.streamRoutes(e.takeSplits(before.StreamRoutes))
	}
	e.table = next
	e.Forwarder.Swap(next)
	e.Streams.Swap(&stream.Table{Routes: e.streams, Backends: next.Backends})
	e.ready.Store(true)

	e.Sockets.Serve()
	e.Sockets.Retain(numbers(e.ports))
	unbound := e.Datagrams.Apply(datagramPorts(e.plan))
	switch {
	case step.Whole:
		e.retire()
	case len(step.Places) > 0:
		e.retireDropped(before, step)
	}
	return withListenErrors(e.plan, step.Errors, failed, unbound)
}

// Close lets go of the connections to endpoints, when no request is in flight any more.
func (e *Engine) Close() {
	e.Pool.Retain(func(upstream.Target) bool { return false })
}

// Ready says whether a table serves.
func (e *Engine) Ready() bool { return e.ready.Load() }

func numbers(ports []config.Port) []uint16 {
	numbers := make([]uint16, len(ports))
	for i, port := range ports {
		numbers[i] = port.Number
	}
	return numbers
}

// backends makes those of the plan, each carrying on the turn of the one of that name before.
func (e *Engine) backends() []*upstream.Backend {
	before := make(map[string]*upstream.Backend)
	if e.table != nil {
		for _, backend := range e.table.Backends {
			if backend != nil {
				before[backend.Name] = backend
			}
		}
	}
	e.secured = secure(e.plan.Backends, e.secured)
	backends := make([]*upstream.Backend, len(e.plan.Backends))
	for i, b := range e.plan.Backends {
		backends[i] = e.backend(b, before[b.Name])
	}
	return backends
}

// otherBackends makes the backends that are others than in the plan before. A vacant place has none.
func (e *Engine) otherBackends(step *config.Step) []*upstream.Backend {
	backends := make([]*upstream.Backend, len(e.plan.Backends))
	copy(backends, e.table.Backends)
	if e.secured != nil || slices.ContainsFunc(step.Places, func(at int) bool { return e.plan.Backends[at].TLS != nil }) {
		e.secured = secure(e.plan.Backends, e.secured)
	}
	for _, at := range step.Places {
		b, before := e.plan.Backends[at], backends[at]
		switch {
		case b.Vacant:
			backends[at] = nil
		case before != nil && before.Name == b.Name:
			backends[at] = e.backend(b, before)
		default:
			backends[at] = e.backend(b, nil)
		}
	}
	return backends
}

func (e *Engine) backend(b config.PlannedBackend, before *upstream.Backend) *upstream.Backend {
	made := upstream.NewBackend(b.Name, e.Pool.Endpoints(b.Ready, e.target(b)), e.Pool.Endpoints(b.Draining, e.target(b)), before)
	made.LeastRequest, made.ProxyProtocol = b.LeastRequest, b.ProxyProtocol
	return made
}

var protocols = map[config.BackendProtocol]upstream.Protocol{
	config.BackendHTTP1: upstream.HTTP1, config.BackendH2C: upstream.HTTP2,
	config.BackendTCP: upstream.TCP, config.BackendUDP: upstream.UDP,
}

// target is what the endpoints of a backend have in common.
func (e *Engine) target(b config.PlannedBackend) upstream.Target {
	return upstream.Target{Protocol: protocols[b.Protocol], TLS: e.secured[keyOf(b)], MaxConnections: b.MaxConnections}
}

// retire lets go of the endpoints that no backend has.
func (e *Engine) retire() {
	wanted := make(map[upstream.Target]bool)
	for _, b := range e.plan.Backends {
		to := e.target(b)
		for _, address := range b.Ready {
			to.Address = address
			wanted[to] = true
		}
		for _, address := range b.Draining {
			to.Address = address
			wanted[to] = true
		}
	}
	e.Pool.Retain(func(target upstream.Target) bool { return wanted[target] })
}

// retireDropped lets go of the endpoints that backends had in the plan before and none has now.
func (e *Engine) retireDropped(before *config.Plan, step *config.Step) {
	dropped := map[upstream.Target]bool{}
	for _, at := range step.Places {
		if at >= len(before.Backends) {
			continue
		}
		was, b := before.Backends[at], e.plan.Backends[at]
		if was.TLS != nil {
			// How it was spoken to is not kept.
			e.retire()
			return
		}
		to := e.target(was)
		same := to == e.target(b)
		for _, address := range append(slices.Clip(was.Ready), was.Draining...) {
			if !same || !slices.Contains(b.Ready, address) && !slices.Contains(b.Draining, address) {
				to.Address = address
				dropped[to] = true
			}
		}
	}
	if len(dropped) == 0 {
		return
	}
	// Another backend may have what one has dropped.
	for _, b := range e.plan.Backends {
		to := e.target(b)
		for _, address := range append(slices.Clip(b.Ready), b.Draining...) {
			to.Address = address
			delete(dropped, to)
		}
	}
	e.Pool.Retain(func(target upstream.Target) bool { return !dropped[target] })
}

// withListenErrors adds an error for each listener of a port, of TCP or of UDP, that could not be bound.
func withListenErrors(plan *config.Plan, errors []config.Error, tcp, udp map[uint16]error) []config.Error {
	if len(tcp)+len(udp) == 0 {
		return errors
	}
	all := slices.Clone(errors)
	for _, l := range plan.Listeners {
		failed := tcp
		if l.Protocol == config.ProtocolUDP {
			failed = udp
		}
		if err := failed[l.Port]; err != nil {
			all = append(all, config.Error{Resource: l.Name, Code: config.CodeListenFailed, Message: err.Error()})
		}
	}
	slices.SortStableFunc(all, func(a, b config.Error) int { return cmp.Compare(a.Resource, b.Resource) })
	return all
}
