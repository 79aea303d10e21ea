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
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// carriedOn compiles two snapshots one after another, and compares with what compiling the second alone gives.
func carriedOn(t *testing.T, before, after *Snapshot) *Step {
	t.Helper()
	c := &Compiler{}
	c.Compile(before)
	step := c.Compile(after)
	sameAsCompile(t, after, step)
	return step
}

func sameAsCompile(t *testing.T, snapshot *Snapshot, step *Step) {
	t.Helper()
	plan, errors := Compile(snapshot)
	if diff := cmp.Diff(plan, step.Plan, cmpopts.EquateComparable(netip.AddrPort{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("plan (-Compile +Compiler):\n%s", diff)
	}
	if diff := cmp.Diff(errors, step.Errors, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("errors (-Compile +Compiler):\n%s", diff)
	}
}

func TestCompilerChangesEndpoints(t *testing.T) {
	for name, test := range map[string]struct {
		reason        string
		before, after []Endpoint
	}{
		"scaled": {
			reason: "this is what endpoints do all day",
			before: []Endpoint{{"10.0.0.1", 80, EndpointReady}},
			after:  []Endpoint{{"10.0.0.1", 80, EndpointDraining}, {"10.0.0.2", 80, EndpointReady}},
		},
		"broken": {
			reason: "new errors come",
			before: []Endpoint{{"10.0.0.1", 80, EndpointReady}},
			after:  []Endpoint{{"x", 80, EndpointReady}},
		},
		"mended": {
			reason: "old errors go, those of other resources stay",
			before: []Endpoint{{"x", 80, EndpointReady}},
			after:  []Endpoint{{"10.0.0.1", 80, EndpointReady}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := world()
			before.Endpoints[0].Endpoints = test.before
			before.Routes[0].Rules[0].Backends[0].Backend = "not-there"
			after := *before
			after.Endpoints = []*Endpoints{{Name: "e", Endpoints: test.after}}
			step := carriedOn(t, before, &after)
			if step.Whole || !step.Endpoints || len(step.Changed)+len(step.Gone) > 0 {
				t.Errorf("%s: the two differ by their endpoints alone: %+v", test.reason, step)
			}
		})
	}
}

func TestCompilerKnowsWhatItCanCarryOn(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		change func(*Snapshot)
		whole  bool
	}{
		"nothing":          {"equal is equal", func(*Snapshot) {}, false},
		"other route":      {"another pointer is other content", func(s *Snapshot) { s.Routes = []*Route{{Name: "r"}} }, false},
		"no route":         {"a route may go", func(s *Snapshot) { s.Routes = nil }, false},
		"one more":         {"a new name may be what a backend was missing", func(s *Snapshot) { s.Endpoints = append(s.Endpoints, &Endpoints{Name: "f"}) }, true},
		"one fewer":        {"a name that goes breaks its backend", func(s *Snapshot) { s.Endpoints = nil }, true},
		"unsupported":      {"unsupported endpoints break their backend", func(s *Snapshot) { s.Endpoints = []*Endpoints{{Name: "e", Unsupported: "x"}} }, true},
		"unknown resource": {"errors would differ", func(s *Snapshot) { s.Unknown = []*Unknown{{Name: "u"}} }, true},
		"listener":         {"routes may be on it", func(s *Snapshot) { s.Listeners = nil }, true},
		"backend":          {"routes may send to it", func(s *Snapshot) { s.Backends = append(s.Backends, &Backend{Name: "a"}) }, true},
		"settings":         {"limits may be others", func(s *Snapshot) { s.Settings = []*Settings{{Name: "s"}} }, true},
	} {
		t.Run(name, func(t *testing.T) {
			base := world()
			changed := *base
			test.change(&changed)
			if got := carriedOn(t, base, &changed).Whole; got != test.whole {
				t.Errorf("%s: everything was compiled: %t", test.reason, got)
			}
		})
	}
}

// TestCompilerGivesWhatCompileGives changes routes and endpoints at random, good ones and bad ones.
func TestCompilerGivesWhatCompileGives(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	c := &Compiler{}
	current := world()
	c.Compile(current)
	for range 500 {
		next := *current
		next.Routes = slices.Clone(current.Routes)
		for range random.IntN(4) {
			route := &Route{Name: fmt.Sprint("route/", random.IntN(8))}
			route.Attachments = []Attachment{{Listener: []string{"l", "gone"}[random.IntN(2)], Hostnames: []string{"a.example.com"}}}
			route.Rules = []Rule{{
				Matches:  []Match{{PathType: PathType(random.IntN(3)), Path: "/x"}},
				Backends: []WeightedBackend{{Backend: []string{"b", "gone"}[random.IntN(2)], Weight: 1}},
			}}
			next.Routes = slices.DeleteFunc(next.Routes, func(r *Route) bool { return r.Name == route.Name })
			if random.IntN(3) > 0 {
				next.Routes = append(next.Routes, route)
			}
		}
		slices.SortFunc(next.Routes, func(a, b *Route) int { return strings.Compare(a.Name, b.Name) })
		if random.IntN(3) == 0 {
			address := []string{"10.0.0.1", "10.0.0.2", "bad"}[random.IntN(3)]
			next.Endpoints = []*Endpoints{{Name: "e", Endpoints: []Endpoint{{address, 80, EndpointReady}}}}
		}
		step := c.Compile(&next)
		sameAsCompile(t, &next, step)
		for i, route := range step.Plan.Routes {
			is := i < len(next.Routes) && !slices.Contains(current.Routes, next.Routes[i])
			if is != slices.Contains(step.Changed, i) {
				t.Errorf("%s: changed is %t", route.Name, !is)
			}
		}
		for _, before := range current.Routes {
			is := !slices.ContainsFunc(next.Routes, func(r *Route) bool { return r.Name == before.Name })
			if is != slices.Contains(step.Gone, before.Name) {
				t.Errorf("%s: gone is %t", before.Name, !is)
			}
		}
		if step.Whole || t.Failed() {
			t.Fatal("a step by routes and endpoints alone is carried on")
		}
		current = &next
	}
}
