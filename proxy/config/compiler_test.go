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

	"github.com/rauta-dev/rauta/proxy/testca"
)

// wholes are the parts of plans that are compared as a whole.
var wholes = cmp.Options{
	cmpopts.EquateComparable(netip.AddrPort{}),
	cmp.Comparer(func(a, b *PlannedTLS) bool {
		return a == b || a != nil && b != nil && a.ID == b.ID && a.Authorities.Equal(b.Authorities)
	}),
}

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
	if diff := cmp.Diff(plan, inOrder(step.Plan), wholes, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("plan (-Compile +Compiler):\n%s", diff)
	}
	if diff := cmp.Diff(errors, step.Errors, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("errors (-Compile +Compiler):\n%s", diff)
	}
}

// inOrder gives a plan whose backends are in the order of their names, without vacant places.
func inOrder(plan *Plan) *Plan {
	places, ordered := map[int]int{NoBackend: NoBackend}, *plan
	order := make([]int, 0, len(plan.Backends))
	for i := range plan.Backends {
		if !plan.Backends[i].Vacant {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(plan.Backends[a].Name, plan.Backends[b].Name) })
	ordered.Backends, ordered.Routes, ordered.StreamRoutes = nil, nil, slices.Clone(plan.StreamRoutes)
	for to, from := range order {
		places[from] = to
		ordered.Backends = append(ordered.Backends, plan.Backends[from])
	}
	place := func(from int) int {
		to, there := places[from]
		if !there {
			panic(fmt.Sprintf("something leads to place %d, which nobody has", from))
		}
		return to
	}
	filters := func(all []Filter) []Filter {
		all = slices.Clone(all)
		for i := range all {
			if all[i].Mirror != nil {
				mirror := *all[i].Mirror
				mirror.Slot = place(mirror.Slot)
				all[i].Mirror = &mirror
			}
		}
		return all
	}
	shares := func(all []Share) []Share {
		all = slices.Clone(all)
		for i := range all {
			all[i].Backend, all[i].Filters = place(all[i].Backend), filters(all[i].Filters)
		}
		return all
	}
	for _, route := range plan.Routes {
		moved := *route
		moved.Rules = slices.Clone(route.Rules)
		for i := range moved.Rules {
			moved.Rules[i].Shares, moved.Rules[i].Filters = shares(moved.Rules[i].Shares), filters(moved.Rules[i].Filters)
		}
		ordered.Routes = append(ordered.Routes, &moved)
	}
	for i := range ordered.StreamRoutes {
		ordered.StreamRoutes[i].Shares = shares(ordered.StreamRoutes[i].Shares)
	}
	return &ordered
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
			if step.Whole || len(step.Places) != 1 || step.Streams || len(step.Changed)+len(step.Gone) > 0 {
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
		"one more":         {"a new name may be what a backend was missing", func(s *Snapshot) { s.Endpoints = append(s.Endpoints, &Endpoints{Name: "f"}) }, false},
		"one fewer":        {"a name that goes breaks its backend", func(s *Snapshot) { s.Endpoints = nil }, false},
		"unsupported":      {"unsupported endpoints break their backend", func(s *Snapshot) { s.Endpoints = []*Endpoints{{Name: "e", Unsupported: "x"}} }, false},
		"stream route":     {"a route of streams leads to backends", func(s *Snapshot) { s.StreamRoutes = []*StreamRoute{{Name: "s"}} }, false},
		"out of order":     {"what is compared is in order", func(s *Snapshot) { s.Backends = []*Backend{{Name: "b", Endpoints: "e"}, {Name: "a", Endpoints: "e"}} }, true},
		"twice":            {"what has one name is not told apart", func(s *Snapshot) { s.Routes = append(s.Routes, s.Routes[0]) }, true},
		"certificate":      {"listeners and backends may show it", func(s *Snapshot) { s.Certificates = []*Certificate{{Name: "c"}} }, true},
		"unknown resource": {"errors would differ", func(s *Snapshot) { s.Unknown = []*Unknown{{Name: "u"}} }, true},
		"listener":         {"routes may be on it", func(s *Snapshot) { s.Listeners = nil }, true},
		"backend": {"one that is new has a place of its own", func(s *Snapshot) {
			s.Backends = append(s.Backends, &Backend{Name: "c", Protocol: BackendHTTP1, Endpoints: "e"})
		}, false},
		"no backend":     {"what led there answers 500", func(s *Snapshot) { s.Backends = nil }, false},
		"other protocol": {"requests have no place in a stream", func(s *Snapshot) { s.Backends = []*Backend{{Name: "b", Protocol: BackendTCP, Endpoints: "e"}} }, false},
		"settings":       {"limits may be others", func(s *Snapshot) { s.Settings = []*Settings{{Name: "s"}} }, true},
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

// changeable is a world in which routes of all kinds, backends and endpoints come, change and go, good ones and bad ones.
type changeable struct {
	*rand.Rand
	*Snapshot
	authorities []byte
}

func (c *changeable) pick(of ...string) string { return of[c.IntN(len(of))] }

func (c *changeable) step() {
	next := *c.Snapshot
	c.Snapshot = &next
	for range c.IntN(4) {
		switch c.IntN(4) {
		case 0:
			next.Backends = changedIn(c, next.Backends, c.backend(), func(b *Backend) string { return b.Name })
		case 1:
			next.Endpoints = changedIn(c, next.Endpoints, c.endpoints(), func(e *Endpoints) string { return e.Name })
		case 2:
			next.StreamRoutes = changedIn(c, next.StreamRoutes, c.streamRoute(), func(r *StreamRoute) string { return r.Name })
		default:
			next.Routes = changedIn(c, next.Routes, c.route(), func(r *Route) string { return r.Name })
		}
	}
}

// changedIn puts an item into a list in order, in the place of the one of that name, or takes that out.
func changedIn[T any](c *changeable, all []T, item T, name func(T) string) []T {
	all = slices.DeleteFunc(slices.Clone(all), func(other T) bool { return name(other) == name(item) })
	if c.IntN(3) > 0 {
		all = append(all, item)
	}
	slices.SortFunc(all, func(a, b T) int { return strings.Compare(name(a), name(b)) })
	return all
}

func (c *changeable) backend() *Backend {
	b := &Backend{Name: "backend/" + c.pick("a", "b", "c", "d"), Protocol: []BackendProtocol{BackendHTTP1, BackendHTTP1, BackendH2C, BackendTCP, BackendUDP, 99}[c.IntN(6)], Endpoints: "endpoints/" + c.pick("a", "b", "c")}
	if b.Protocol != BackendUDP && c.IntN(3) == 0 {
		b.TLS = &BackendTLS{Hostname: c.pick("a.test", "bad name"), Authorities: c.authorities}
	}
	return b
}

func (c *changeable) endpoints() *Endpoints {
	e := &Endpoints{Name: "endpoints/" + c.pick("a", "b", "c"), Endpoints: []Endpoint{{c.pick("10.0.0.1", "10.0.0.2", "bad"), 80, EndpointReady}}}
	if c.IntN(6) == 0 {
		e.Unsupported = "something"
	}
	return e
}

func (c *changeable) streamRoute() *StreamRoute {
	return &StreamRoute{
		Name: "stream/" + c.pick("a", "b", "c"), Attachments: []Attachment{{Listener: c.pick("tcp", "udp", "gone")}},
		Backends: []WeightedBackend{{Backend: "backend/" + c.pick("a", "b", "c", "d"), Weight: uint32(c.IntN(2))}},
	}
}

func (c *changeable) route() *Route {
	route := &Route{Name: fmt.Sprint("route/", c.IntN(8))}
	route.Attachments = []Attachment{{Listener: c.pick("l", "l", "gone"), Hostnames: []string{"a.example.com"}}}
	route.Rules = []Rule{{
		Matches:  []Match{{PathType: PathType(c.IntN(3)), Path: "/x"}},
		Backends: []WeightedBackend{{Backend: "backend/" + c.pick("a", "b", "c", "d", "gone"), Weight: 1}},
	}}
	if c.IntN(3) == 0 {
		route.Rules[0].Filters = []Filter{{Mirror: &Mirror{Backend: "backend/" + c.pick("a", "b", "c", "d"), Numerator: 1, Denominator: 2}}}
	}
	return route
}

// TestCompilerGivesWhatCompileGives changes routes, backends and endpoints at random.
func TestCompilerGivesWhatCompileGives(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	compiler := &Compiler{}
	w := &changeable{Rand: random, authorities: testca.New(t).PEM, Snapshot: &Snapshot{Listeners: []*Listener{
		{Name: "l", Port: 80, Protocol: ProtocolHTTP}, {Name: "tcp", Port: 81, Protocol: ProtocolTCP}, {Name: "udp", Port: 82, Protocol: ProtocolUDP},
	}}}
	compiler.Compile(w.Snapshot)
	places := 0
	for range 3000 {
		current, before := w.Snapshot, compiler.plan
		w.step()
		step := compiler.Compile(w.Snapshot)
		sameAsCompile(t, w.Snapshot, step)
		for i, route := range step.Plan.Routes {
			if (i >= len(w.Routes) || !slices.Contains(current.Routes, w.Routes[i])) && !slices.Contains(step.Changed, i) {
				t.Errorf("%s: has changed, and is not told so", route.Name)
			}
		}
		for _, route := range current.Routes {
			is := !slices.ContainsFunc(w.Routes, func(r *Route) bool { return r.Name == route.Name })
			if is != slices.Contains(step.Gone, route.Name) {
				t.Errorf("%s: gone is %t", route.Name, !is)
			}
		}
		for i := range step.Plan.Backends {
			same := i < len(before.Backends) && cmp.Equal(before.Backends[i], step.Plan.Backends[i], wholes)
			if !same && !slices.Contains(step.Places, i) {
				t.Errorf("place %d: is another backend's, and nobody is told so", i)
			}
		}
		places = max(places, len(step.Plan.Backends))
		if step.Whole || t.Failed() {
			t.Fatal("a step by routes, backends and endpoints alone is carried on")
		}
	}
	if places > 4+4 {
		t.Errorf("there are %d places for never more than 4 backends: vacant ones are not taken again", places)
	}
}

// TestOrdered changes lists that are in order at random: whether they still are must not depend on what of them is looked at.
func TestOrdered(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	name := func(r *Route) string { return r.Name }
	inOrder := func(items []*Route) bool {
		for i := 1; i < len(items); i++ {
			if items[i-1].Name >= items[i].Name {
				return false
			}
		}
		return true
	}
	seen := map[bool]int{}
	for range 20_000 {
		var before []*Route
		for i := range random.IntN(6) {
			before = append(before, &Route{Name: fmt.Sprint(2 * i)})
		}
		items := slices.Clone(before)
		for range random.IntN(3) {
			at := random.IntN(len(items) + 1)
			other := &Route{Name: fmt.Sprint(random.IntN(10))}
			switch what := random.IntN(4); {
			case what < 2:
				items = slices.Insert(items, at, other)
			case at == len(items):
			case what == 2:
				items = slices.Delete(items, at, at+1)
			default:
				items[at] = other
			}
		}
		want := inOrder(items)
		if got := ordered(before, items, name); got != want {
			t.Fatalf("seed %d: ordered gives %t for %v after %v", seed, got, names(items), names(before))
		}
		seen[want]++
	}
	if seen[true] == 0 || seen[false] == 0 {
		t.Errorf("lists in order and not: %v", seen)
	}
}

func names(routes []*Route) []string {
	all := make([]string, len(routes))
	for i, r := range routes {
		all[i] = r.Name
	}
	return all
}
