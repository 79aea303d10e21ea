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

package config

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"slices"
)

// requests says whether the protocol carries requests, rather than streams or datagrams.
func (p BackendProtocol) requests() bool { return p == BackendHTTP1 || p == BackendH2C }

// difference gives the names by which two lists, each in the order of its names, are not the same.
func difference[T comparable](before, after []T, name func(T) string) []string {
	var names []string
	for len(before)+len(after) > 0 {
		switch {
		case len(before) > 0 && len(after) > 0 && before[0] == after[0]:
			before, after = before[1:], after[1:]
		case len(after) == 0 || len(before) > 0 && name(before[0]) < name(after[0]):
			names, before = append(names, name(before[0])), before[1:]
		case len(before) == 0 || name(after[0]) < name(before[0]):
			names, after = append(names, name(after[0])), after[1:]
		default:
			names, before, after = append(names, name(after[0])), before[1:], after[1:]
		}
	}
	return names
}

// backends compiles those that are others than before, or whose endpoints are, and gives the names of those that came, went, or are
// found elsewhere.
func (c *Compiler) backends(step *Step, work *compiler, snapshot *Snapshot, stale map[string]bool) map[string]bool {
	endpointsName := func(e *Endpoints) string { return e.Name }
	others := difference(c.snapshot.Endpoints, snapshot.Endpoints, endpointsName)
	changed := difference(c.snapshot.Backends, snapshot.Backends, func(b *Backend) string { return b.Name })
	if len(others)+len(changed) == 0 {
		return nil
	}
	found := make(map[string]addresses, len(others))
	look := map[string]bool{}
	for _, name := range others {
		stale[name], look[name] = true, true
		if e, there := named(snapshot.Endpoints, name, endpointsName); there {
			found[name] = work.addresses(e)
		}
	}
	touched := make(map[string]bool, len(changed))
	for _, name := range changed {
		touched[name] = true
	}
	s := &settling{Compiler: c, step: step, work: work, found: found, moved: map[string]bool{}}
	step.Plan.Backends = slices.Clone(step.Plan.Backends)
	work.pools = poolsOf(snapshot, touched)
	for _, b := range snapshot.Backends {
		if !touched[b.Name] && !look[b.Endpoints] {
			continue
		}
		stale[b.Name] = true
		if _, known := found[b.Endpoints]; !known && !look[b.Endpoints] {
			// Its errors are known.
			if e, there := named(snapshot.Endpoints, b.Endpoints, endpointsName); there {
				found[b.Endpoints] = (&compiler{}).addresses(e)
			}
		}
		s.settle(b)
	}
	for _, name := range changed {
		if _, there := named(snapshot.Backends, name, func(b *Backend) string { return b.Name }); !there {
			stale[name] = true
			s.leave(name)
			delete(c.scope.held, name)
			s.moved[name] = true
		}
	}
	c.scope.vacant = append(c.scope.vacant, s.left...)
	slices.Sort(step.Places)
	step.Places = slices.Compact(step.Places)
	return s.moved
}

// named finds an item in a list that is in the order of its names.
func named[T any](items []T, name string, nameOf func(T) string) (T, bool) {
	at, found := slices.BinarySearchFunc(items, name, func(item T, name string) int { return cmp.Compare(nameOf(item), name) })
	if !found {
		var none T
		return none, false
	}
	return items[at], true
}

// settling gives backends their places in a plan.
type settling struct {
	*Compiler
	step  *Step
	work  *compiler
	found map[string]addresses
	moved map[string]bool
	// left are the places that were vacated.
	left []int
}

// poolsOf are the authorities that backends have which stay as they are, where one that does not is over TLS.
func poolsOf(snapshot *Snapshot, touched map[string]bool) map[[sha256.Size]byte]*x509.CertPool {
	pools := map[[sha256.Size]byte]*x509.CertPool{}
	if !slices.ContainsFunc(snapshot.Backends, func(b *Backend) bool { return touched[b.Name] && b.TLS != nil }) {
		return pools
	}
	for _, b := range snapshot.Backends {
		if b.TLS != nil && !touched[b.Name] && b.TLS.parsed != nil {
			pools[b.TLS.bundle] = b.TLS.parsed
		}
	}
	return pools
}

// settle plans a backend, in the place that it has, or a vacant one.
func (s *settling) settle(b *Backend) {
	before, was := s.scope.held[b.Name]
	s.scope.held[b.Name] = b.Protocol
	if !was || before != b.Protocol {
		s.moved[b.Name] = true
	}
	planned, ok := s.work.planned(b, s.found, s.scope.certificates)
	if !ok {
		s.leave(b.Name)
		return
	}
	at, placed := s.scope.places[b.Name]
	if !placed {
		at = s.place()
		s.scope.places[b.Name] = at
		s.moved[b.Name] = true
	}
	s.step.Plan.Backends[at] = planned
	s.step.Places = append(s.step.Places, at)
	delete(s.scope.slots, b.Name)
	if b.Protocol.requests() {
		s.scope.slots[b.Name] = at
	}
}

// place gives a vacant place, or a new one.
func (s *settling) place() int {
	if last := len(s.scope.vacant) - 1; last >= 0 {
		at := s.scope.vacant[last]
		s.scope.vacant = s.scope.vacant[:last]
		return at
	}
	s.step.Plan.Backends = append(s.step.Plan.Backends, PlannedBackend{})
	return len(s.step.Plan.Backends) - 1
}

// leave vacates the place of a backend. It is taken again by a later step at the earliest.
func (s *settling) leave(name string) {
	at, placed := s.scope.places[name]
	if !placed {
		return
	}
	s.step.Plan.Backends[at] = PlannedBackend{Vacant: true}
	s.step.Places = append(s.step.Places, at)
	s.left = append(s.left, at)
	delete(s.scope.places, name)
	delete(s.scope.slots, name)
	s.moved[name] = true
}
