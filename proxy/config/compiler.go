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
	"crypto/tls"
	"crypto/x509"
	"slices"
)

// Compile checks a snapshot. The errors are sorted by resource, in the order of its fields, and say for every part
// that does not serve why; the plan holds all that serves. A snapshot is only read.
func Compile(snapshot *Snapshot) (*Plan, []Error) {
	step := (&Compiler{}).Compile(snapshot)
	return step.Plan, step.Errors
}

// Compiler compiles one snapshot after another. Where the next one has other routes, backends or endpoints alone, it checks those
// alone, and shares all the rest with the plan before. What it gives is what Compile gives, but for the places of the backends.
type Compiler struct {
	snapshot *Snapshot
	plan     *Plan
	errors   []Error
	scope    scope
	// inOrder is whether the snapshot can be compared with.
	inOrder bool
}

// scope is what the compiling of routes and backends depends on beside themselves.
type scope struct {
	known        map[string]Protocol
	certificates map[string]*tls.Certificate
	// slots are the places of the backends for requests, and held the protocols of all, also of those that cannot be spoken to.
	slots map[string]int
	held  map[string]BackendProtocol
	// places are those of all backends in the plan, and vacant those that nobody has.
	places map[string]int
	vacant []int
}

// Step is what was compiled, and what of it is not as it was in the plan before.
type Step struct {
	Plan   *Plan
	Errors []Error
	// Whole is set where everything was compiled, and anything may be another. The rest is then not set.
	Whole bool
	// Places of the backends that are others than in the plan before, ascending.
	Places []int
	// Streams is set where stream routes, or where they lead, may be others.
	Streams bool
	// Changed are the places in the plan of the routes that were compiled, and Gone the names of those that are not there any more.
	Changed []int
	Gone    []string
}

// Compile gives the next step.
func (c *Compiler) Compile(snapshot *Snapshot) *Step {
	step := c.carryOn(snapshot)
	if step == nil {
		step = c.whole(snapshot)
	}
	c.inOrder = !step.Whole || snapshot.inOrder(&Snapshot{})
	c.snapshot, c.plan, c.errors = snapshot, step.Plan, step.Errors
	return step
}

func (c *Compiler) whole(snapshot *Snapshot) *Step {
	work := &compiler{pools: make(map[[sha256.Size]byte]*x509.CertPool)}
	for _, unknown := range snapshot.Unknown {
		work.fail(unknown.Name, CodeUnsupported, "%s", unknown.Reason)
	}
	plan := &Plan{}
	certificates := work.certificates(snapshot.Certificates)
	known := work.listeners(plan, snapshot.Listeners, certificates)
	work.settings(plan, snapshot.Settings)
	held := work.backends(plan, snapshot, certificates)
	c.scope = scope{known: known, certificates: certificates, held: held}
	c.scope.slots = plan.slots(BackendProtocol.requests)
	c.scope.places = plan.slots(func(BackendProtocol) bool { return true })
	for _, r := range sorted(snapshot.Routes, func(r *Route) string { return r.Name }) {
		plan.Routes = append(plan.Routes, c.route(work, r))
	}
	work.streamRoutes(plan, snapshot.StreamRoutes, known, held)
	slices.SortStableFunc(work.errors, byResource)
	return &Step{Plan: plan, Errors: work.errors, Whole: true}
}

func (c *Compiler) route(work *compiler, r *Route) *PlannedRoute {
	work.name(r.Name)
	return work.route(r, c.scope.known, c.scope.slots, c.scope.held)
}

func byResource(a, b Error) int { return cmp.Compare(a.Resource, b.Resource) }

// carryOn compiles what is other than in the snapshot before; nil where that may be more than routes, backends and endpoints.
func (c *Compiler) carryOn(snapshot *Snapshot) *Step {
	if c.snapshot == nil || !sameEntrances(c.snapshot, snapshot) || !c.inOrder || !snapshot.inOrder(c.snapshot) {
		return nil
	}
	plan := *c.plan
	step, work := &Step{Plan: &plan}, &compiler{}
	stale := map[string]bool{}
	moved := c.backends(step, work, snapshot, stale)
	if len(moved) > 0 || !slices.Equal(c.snapshot.Routes, snapshot.Routes) {
		c.routes(step, work, snapshot, changes{moved: moved, stale: stale})
	}
	c.streams(step, work, snapshot, moved, stale)
	step.Errors = c.errors
	if len(c.errors)+len(work.errors) > 0 {
		kept := slices.DeleteFunc(slices.Clone(c.errors), func(e Error) bool { return stale[e.Resource] })
		step.Errors = slices.Concat(kept, work.errors)
		slices.SortStableFunc(step.Errors, byResource)
	}
	return step
}

// inOrder says whether what may change is in the order of its names, each of which is there once, as it is in the snapshot before.
func (s *Snapshot) inOrder(before *Snapshot) bool {
	return ordered(before.Routes, s.Routes, func(r *Route) string { return r.Name }) &&
		ordered(before.StreamRoutes, s.StreamRoutes, func(r *StreamRoute) string { return r.Name }) &&
		ordered(before.Backends, s.Backends, func(b *Backend) string { return b.Name }) &&
		ordered(before.Endpoints, s.Endpoints, func(e *Endpoints) string { return e.Name })
}

// ordered looks at the items that are others than before, and at those beside them.
func ordered[T comparable](before, items []T, name func(T) string) bool {
	from := 0
	for from < min(len(before), len(items)) && before[from] == items[from] {
		from++
	}
	same := 0
	for same < min(len(before), len(items))-from && before[len(before)-1-same] == items[len(items)-1-same] {
		same++
	}
	for i := max(from, 1); i < min(len(items)-same+1, len(items)); i++ {
		if name(items[i-1]) >= name(items[i]) {
			return false
		}
	}
	return true
}

// changes are what a step changes: the names of the backends that came, went, or are found elsewhere, and of the resources whose errors
// so far do not count.
type changes struct {
	moved, stale map[string]bool
}

// routes compiles those that are others than before, or lead elsewhere; both lists are in order of names.
func (c *Compiler) routes(step *Step, work *compiler, snapshot *Snapshot, a changes) {
	before, planned := c.snapshot.Routes, c.plan.Routes
	drop := func() {
		a.stale[before[0].Name] = true
		before, planned = before[1:], planned[1:]
	}
	step.Plan.Routes = make([]*PlannedRoute, 0, len(snapshot.Routes))
	for _, r := range snapshot.Routes {
		for len(before) > 0 && before[0] != r && before[0].Name < r.Name {
			step.Gone = append(step.Gone, before[0].Name)
			drop()
		}
		if len(before) > 0 && before[0] == r && (len(a.moved) == 0 || !r.leadsTo(a.moved)) {
			step.Plan.Routes = append(step.Plan.Routes, planned[0])
			before, planned = before[1:], planned[1:]
			continue
		}
		if len(before) > 0 && before[0].Name == r.Name {
			drop()
		}
		step.Changed = append(step.Changed, len(step.Plan.Routes))
		step.Plan.Routes = append(step.Plan.Routes, c.route(work, r))
	}
	for len(before) > 0 {
		step.Gone = append(step.Gone, before[0].Name)
		drop()
	}
}

// leadsTo says whether a route names one of some backends.
func (r *Route) leadsTo(backends map[string]bool) bool {
	mirrors := func(f Filter) bool { return f.Mirror != nil && backends[f.Mirror.Backend] }
	leads := func(b WeightedBackend) bool { return backends[b.Backend] || slices.ContainsFunc(b.Filters, mirrors) }
	return slices.ContainsFunc(r.Rules, func(rule Rule) bool {
		return slices.ContainsFunc(rule.Backends, leads) || slices.ContainsFunc(rule.Filters, mirrors)
	})
}

// streams compiles the stream routes, where some of them, or where they may lead, are others than before.
func (c *Compiler) streams(step *Step, work *compiler, snapshot *Snapshot, moved, stale map[string]bool) {
	leads := func(r *StreamRoute) bool {
		return slices.ContainsFunc(r.Backends, func(b WeightedBackend) bool { return moved[b.Backend] })
	}
	same := slices.Equal(c.snapshot.StreamRoutes, snapshot.StreamRoutes)
	if same && (len(moved) == 0 || !slices.ContainsFunc(snapshot.StreamRoutes, leads)) {
		return
	}
	for _, r := range c.snapshot.StreamRoutes {
		stale[r.Name] = true
	}
	step.Streams, step.Plan.StreamRoutes = true, nil
	work.streamRoutes(step.Plan, snapshot.StreamRoutes, c.scope.known, c.scope.held)
}

// sameEntrances says whether two snapshots hold the same but for routes, backends and endpoints.
func sameEntrances(a, b *Snapshot) bool {
	return slices.Equal(a.Listeners, b.Listeners) && slices.Equal(a.Unknown, b.Unknown) &&
		slices.Equal(a.Certificates, b.Certificates) && slices.Equal(a.Settings, b.Settings)
}
