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

// Compile checks a snapshot. The errors are sorted by resource, in the order of its fields, and say for every part
// that does not serve why; the plan holds all that serves. A snapshot is only read.
func Compile(snapshot *Snapshot) (*Plan, []Error) {
	step := (&Compiler{}).Compile(snapshot)
	return step.Plan, step.Errors
}

// Compiler compiles one snapshot after another. Where the next one has other routes or endpoints alone, it checks those alone, and
// shares all the rest with the plan before. What it gives is what Compile gives.
type Compiler struct {
	snapshot *Snapshot
	plan     *Plan
	errors   []Error
	scope    scope
}

// scope is what the compiling of a route depends on beside itself.
type scope struct {
	known map[string]Protocol
	slots map[string]int
	held  map[string]BackendProtocol
}

// Step is what was compiled, and what of it is not as it was in the plan before.
type Step struct {
	Plan   *Plan
	Errors []Error
	// Whole is set where everything was compiled, and anything may be another. The rest is then not set.
	Whole bool
	// Endpoints is set where backends have other endpoints.
	Endpoints bool
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
	c.scope = scope{known: known, held: held}
	c.scope.slots = plan.slots(func(p BackendProtocol) bool { return p == BackendHTTP1 || p == BackendH2C })
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

// carryOn compiles what is other than in the snapshot before; nil where that may be more than routes and endpoints.
func (c *Compiler) carryOn(snapshot *Snapshot) *Step {
	byName := func(a, b *Route) int { return cmp.Compare(a.Name, b.Name) }
	if c.snapshot == nil || !sameButRoutesAndEndpoints(c.snapshot, snapshot) ||
		!slices.IsSortedFunc(snapshot.Routes, byName) || !slices.IsSortedFunc(c.snapshot.Routes, byName) {
		return nil
	}
	plan := *c.plan
	step, work := &Step{Plan: &plan}, &compiler{}
	stale := map[string]bool{}
	c.endpoints(step, work, snapshot, stale)
	if !slices.Equal(c.snapshot.Routes, snapshot.Routes) {
		c.routes(step, work, snapshot, stale)
	}
	step.Errors = c.errors
	if len(c.errors)+len(work.errors) > 0 {
		kept := slices.DeleteFunc(slices.Clone(c.errors), func(e Error) bool { return stale[e.Resource] })
		step.Errors = slices.Concat(kept, work.errors)
		slices.SortStableFunc(step.Errors, byResource)
	}
	return step
}

// endpoints checks those that are others than before.
func (c *Compiler) endpoints(step *Step, work *compiler, snapshot *Snapshot, stale map[string]bool) {
	changed := map[string]addresses{}
	for i, e := range snapshot.Endpoints {
		if c.snapshot.Endpoints[i] != e {
			stale[e.Name] = true
			work.name(e.Name)
			changed[e.Name] = work.addresses(e)
		}
	}
	if len(changed) == 0 {
		return
	}
	step.Endpoints = true
	step.Plan.Backends = slices.Clone(step.Plan.Backends)
	for i := range step.Plan.Backends {
		b := &step.Plan.Backends[i]
		if found, is := changed[b.Endpoints]; is {
			b.Ready, b.Draining = found.ready, found.draining
		}
	}
}

// routes compiles those that are others than before; both lists are in order of names.
func (c *Compiler) routes(step *Step, work *compiler, snapshot *Snapshot, stale map[string]bool) {
	before, planned := c.snapshot.Routes, c.plan.Routes
	drop := func() {
		stale[before[0].Name] = true
		before, planned = before[1:], planned[1:]
	}
	step.Plan.Routes = make([]*PlannedRoute, 0, len(snapshot.Routes))
	for _, r := range snapshot.Routes {
		for len(before) > 0 && before[0] != r && before[0].Name < r.Name {
			step.Gone = append(step.Gone, before[0].Name)
			drop()
		}
		if len(before) > 0 && before[0] == r {
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

// sameButRoutesAndEndpoints says whether two snapshots hold the same resources, but for routes, and the same content in all of them
// that are not routes or endpoints.
func sameButRoutesAndEndpoints(a, b *Snapshot) bool {
	same := func(x, y *Endpoints) bool {
		return x == y || x.Name == y.Name && x.Unsupported == "" && y.Unsupported == ""
	}
	return slices.Equal(a.Listeners, b.Listeners) && slices.Equal(a.StreamRoutes, b.StreamRoutes) &&
		slices.Equal(a.Backends, b.Backends) && slices.Equal(a.Unknown, b.Unknown) &&
		slices.Equal(a.Certificates, b.Certificates) && slices.Equal(a.Settings, b.Settings) &&
		slices.EqualFunc(a.Endpoints, b.Endpoints, same)
}
