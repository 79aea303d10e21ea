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

package route

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// A table that routes came to and went from answers as one that is made of what is left.
func TestWithAgreesWithReference(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	g := generator{rand.New(rand.NewPCG(seed, 2))}
	found := 0
	for range 300 {
		world := g.world()
		world.listeners = append(world.listeners, Listener{Name: "twice", Port: 80}) // Which nobody finds: l0 has the port.
		routes := map[string]*Route[string]{}
		table := Of(world.listeners, []*Route[string]{})
		world.routes = nil
		for step := range 20 {
			var gone, added []*Route[string]
			for i, route := range g.world().routes {
				if route.Name = fmt.Sprint("r", g.IntN(10)); i > 2 {
					break
				}
				route.Key = route.Name
				if slices.ContainsFunc(added, func(r *Route[string]) bool { return r.Key == route.Key }) {
					continue
				}
				for j := range route.Rules {
					route.Rules[j].Value = fmt.Sprintf("%s/%d at step %d", route.Name, j, step)
				}
				if before := routes[route.Key]; before != nil {
					gone = append(gone, before)
					delete(routes, route.Key)
				}
				if g.IntN(3) > 0 {
					added = append(added, &route)
					routes[route.Key] = &route
				}
			}
			table = table.With(gone, added)
			world.routes = nil
			for _, route := range routes {
				world.routes = append(world.routes, *route)
			}
			slices.SortFunc(world.routes, func(a, b Route[string]) int { return strings.Compare(a.Key, b.Key) })
			for range 20 {
				request := g.request()
				want, got := world.lookup(80, request), lookup(table, 80, request)
				if got != want {
					t.Fatalf("request %+v: got %s, want %s\nlisteners %+v\nroutes %+v", request, got, want, world.listeners, world.routes)
				}
				if want != "none" {
					found++
				}
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d requests were taken by a rule: the worlds prove too little", found)
	}
}

// The table that a request began with stays as it is.
func TestWithLeavesTheTableBefore(t *testing.T) {
	first := &Route[string]{Key: "a", Attachments: []Attachment{{Listener: "l", Hostnames: []string{"h"}}}, Rules: []Rule[string]{rule("a", prefix("/"))}}
	second := &Route[string]{Key: "b", Attachments: first.Attachments, Rules: []Rule[string]{rule("b", prefix("/b"))}}
	before := Of([]Listener{{Name: "l", Port: 80}}, []*Route[string]{first})
	after := before.With([]*Route[string]{first}, []*Route[string]{second})
	for _, c := range []struct {
		reason, path, want string
		table              *Table[string]
	}{
		{"the route before is there still", "/b", "a", before},
		{"the new one takes its place in the new table", "/b", "b", after},
		{"where the old one is gone", "/", "none", after},
	} {
		if got := lookup(c.table, 80, at("h", c.path)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.reason, got, c.want)
		}
	}
}
