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
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// endpoints is an endpoints resource with one address.
func endpoints(name, address string) *adminv1.Resource {
	resource := &adminv1.Resource{Name: name, Spec: &adminv1.Resource_Endpoints{Endpoints: &adminv1.Endpoints{
		Endpoints: []*adminv1.Endpoint{{Address: address, Port: 8080, State: adminv1.EndpointState_ENDPOINT_STATE_READY}},
	}}}
	hash, err := adminv1.Hash(resource)
	if err != nil {
		panic(err)
	}
	resource.Hash = hash
	return resource
}

// hashes of a table by name.
func hashes(t *table) map[string]string {
	byName := map[string]string{}
	for e := range t.entries.all() {
		byName[e.name] = e.hash
	}
	return byName
}

func TestTableOf(t *testing.T) {
	long := strings.Repeat("n", maxNameBytes+1)
	cases := map[string]struct {
		reason         string
		resources      []*adminv1.Resource
		wantNames      []string
		wantUnsendable []string
	}{
		"Unsorted": {
			reason:    "the table is in order whatever the caller's order is, because differences are found by walking",
			resources: []*adminv1.Resource{endpoints("b", "10.0.0.1"), endpoints("a", "10.0.0.1")},
			wantNames: []string{"a", "b"},
		},
		"Duplicate": {
			reason:    "a name that comes twice must not make a table that no replica can have",
			resources: []*adminv1.Resource{endpoints("a", "10.0.0.1"), endpoints("a", "10.0.0.2")},
			wantNames: []string{"a"},
		},
		"TooLarge": {
			reason:         "one resource that no message carries must not keep its neighbours from being pushed",
			resources:      []*adminv1.Resource{endpoints("a", "10.0.0.1"), endpoints("b", strings.Repeat("x", maxResourceBytes))},
			wantNames:      []string{"a"},
			wantUnsendable: []string{"b"},
		},
		"NotUTF8": {
			reason: "a string that protobuf refuses to encode would end the stream for every resource",
			resources: []*adminv1.Resource{
				endpoints("a", "10.0.0.1"),
				{Name: "b", Hash: "h", Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{Hostname: "\xff"}}},
			},
			wantNames:      []string{"a"},
			wantUnsendable: []string{"b"},
		},
		"LongName": {
			reason:         "the protocol bounds names",
			resources:      []*adminv1.Resource{endpoints(long, "10.0.0.1")},
			wantUnsendable: []string{long},
		},
		"Empty": {
			reason: "a Gateway without anything attached has a table too",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			made := tableOf(tc.resources, nil)
			var names, unsendable []string
			for e := range made.entries.all() {
				names = append(names, e.name)
				if e.size != proto.Size(e.resource) {
					t.Errorf("%s: size of %s is %d, want %d", tc.reason, e.name, e.size, proto.Size(e.resource))
				}
			}
			for _, problem := range made.unsendable {
				unsendable = append(unsendable, problem.Name)
			}
			if diff := cmp.Diff(tc.wantNames, names); diff != "" {
				t.Errorf("%s: names: %s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.wantUnsendable, unsendable); diff != "" {
				t.Errorf("%s: unsendable: %s", tc.reason, diff)
			}
			if diff := cmp.Diff(adminv1.TableHash(hashes(made)), made.hash()); diff != "" {
				t.Errorf("%s: hash differs from the protocol's: %s", tc.reason, diff)
			}
		})
	}
}

func TestTableOfComputesMissingHash(t *testing.T) {
	resource := endpoints("a", "10.0.0.1")
	want := resource.GetHash()
	resource.Hash = ""
	if got := tableOf([]*adminv1.Resource{resource}, nil).entries.find("a").hash; got != want {
		t.Errorf("hash %q, want %q", got, want)
	}
}

func TestReplace(t *testing.T) {
	before := tableOf([]*adminv1.Resource{endpoints("a", "10.0.0.1"), endpoints("b", "10.0.0.1")}, nil)
	cases := map[string]struct {
		reason    string
		resource  *adminv1.Resource
		want      map[string]string
		different bool
	}{
		"Changed": {
			reason:    "an endpoint that came or went has to be pushed",
			resource:  endpoints("b", "10.0.0.2"),
			want:      map[string]string{"a": endpoints("a", "10.0.0.1").GetHash(), "b": endpoints("b", "10.0.0.2").GetHash()},
			different: true,
		},
		"Equal": {
			reason:   "events that change nothing push nothing",
			resource: endpoints("b", "10.0.0.1"),
			want:     hashes(before),
		},
		"Unknown": {
			reason:   "the short way does not decide what belongs into the table",
			resource: endpoints("c", "10.0.0.1"),
			want:     hashes(before),
		},
		"TooLarge": {
			reason:    "what cannot be sent must not leave the old content as if it were wanted",
			resource:  endpoints("b", strings.Repeat("x", maxResourceBytes)),
			want:      map[string]string{"a": endpoints("a", "10.0.0.1").GetHash()},
			different: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			after, different := before.replace(tc.resource)
			if different != tc.different {
				t.Errorf("%s: different is %t, want %t", tc.reason, different, tc.different)
			}
			if diff := cmp.Diff(tc.want, hashes(after)); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
			if before.entries.len() != 2 || before.entries.find("b").hash != endpoints("b", "10.0.0.1").GetHash() {
				t.Errorf("%s: the table before has changed, and sessions may be reading it", tc.reason)
			}
		})
	}
}

// TestDifference applies differences between random tables to see that they lead where they should.
func TestDifference(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	randomTable := func() *table {
		var resources []*adminv1.Resource
		for i := range 12 {
			if random.IntN(2) == 0 {
				resources = append(resources, endpoints(fmt.Sprintf("r%02d", i), fmt.Sprintf("10.0.0.%d", random.IntN(2))))
			}
		}
		return tableOf(resources, nil)
	}
	for range 500 {
		from, to := randomTable(), randomTable()
		upserts, removals := difference(from, to)
		got := hashes(from)
		for _, name := range removals {
			if _, held := got[name]; !held {
				t.Fatalf("seed %d: removes %s, which is not held", seed, name)
			}
			delete(got, name)
		}
		for _, e := range upserts {
			if got[e.name] == e.hash {
				t.Fatalf("seed %d: sends %s, which is held already", seed, e.name)
			}
			got[e.name] = e.hash
		}
		if diff := cmp.Diff(hashes(to), got); diff != "" {
			t.Fatalf("seed %d: %s", seed, diff)
		}
	}
}

func TestChunks(t *testing.T) {
	const limit = 1000
	cases := map[string]struct {
		reason   string
		upserts  []int
		removals int
		want     int
	}{
		"Nothing":       {reason: "without a difference there is only a commit", want: 0},
		"Small":         {reason: "what fits together travels together", upserts: []int{100, 200}, removals: 2, want: 1},
		"Many":          {reason: "no message grows with the table", upserts: slices.Repeat([]int{300}, 9), want: 3},
		"OneLarge":      {reason: "one that is larger than a chunk goes alone", upserts: []int{100, 5000, 100}, want: 3},
		"ManyRemovals":  {reason: "names count too: a table of thousands may go at once", removals: 200, want: 4},
		"LargeAndFirst": {reason: "there is no empty message before a large one", upserts: []int{5000}, want: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var upserts []entry
			for i, size := range tc.upserts {
				made, problem := entryOf(endpoints(fmt.Sprintf("upsert-%03d", i), strings.Repeat("x", size-70)))
				if problem != nil {
					t.Fatal(problem)
				}
				upserts = append(upserts, made)
			}
			var removals []string
			for i := range tc.removals {
				removals = append(removals, fmt.Sprintf("removal-%03d", i))
			}
			updates := slices.Collect(chunks(upserts, removals, limit))
			if len(updates) != tc.want {
				t.Errorf("%s: %d chunks, want %d", tc.reason, len(updates), tc.want)
			}
			var sent []string
			for _, update := range updates {
				if size := proto.Size(update); size > limit && len(update.GetUpserts())+len(update.GetRemovals()) > 1 {
					t.Errorf("%s: a chunk of %d bytes with several entries, want at most %d", tc.reason, size, limit)
				}
				sent = append(sent, update.GetRemovals()...)
				for _, resource := range update.GetUpserts() {
					sent = append(sent, resource.GetName())
				}
			}
			want := slices.Clone(removals)
			for _, e := range upserts {
				want = append(want, e.name)
			}
			if diff := cmp.Diff(want, sent); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
		})
	}
}

func TestReckon(t *testing.T) {
	wanted := tableOf([]*adminv1.Resource{endpoints("a", "10.0.0.1")}, nil)
	same, other := wanted.hash(), "another"
	cases := map[string]struct {
		reason     string
		generation uint64
		served     []version
		want       uint64
	}{
		"NobodyKnows": {
			reason: "new replicas have no generation to hand over", generation: 1, served: []version{{}, {}}, want: 1,
		},
		"SameTable": {
			reason:     "after a restart in an unchanged world the generation stays",
			generation: 1, served: []version{{7, same}, {7, same}}, want: 7,
		},
		"OtherTable": {
			reason:     "one generation never names two tables",
			generation: 1, served: []version{{7, other}}, want: 8,
		},
		"OtherTableBefore": {
			reason:     "a replica that is behind does not move the generation",
			generation: 9, served: []version{{7, other}}, want: 9,
		},
		"SomeBehind": {
			reason:     "the restart came in the middle of a push: those that have the table say what it is called",
			generation: 1, served: []version{{7, same}, {6, other}}, want: 7,
		},
		"TwoTablesOfOneGeneration": {
			reason:     "when it happened nevertheless, a new generation ends it",
			generation: 1, served: []version{{7, same}, {7, other}}, want: 8,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for range 20 { // the sessions are a map, whose order differs from time to time
				g := &gateway{wanted: wanted, generation: tc.generation, sessions: map[string]*session{}}
				for i, served := range tc.served {
					g.sessions[fmt.Sprint(i)] = &session{served: served}
				}
				g.reckon()
				if g.generation != tc.want {
					t.Fatalf("%s: generation %d, want %d", tc.reason, g.generation, tc.want)
				}
			}
		})
	}
}

func TestMergeErrors(t *testing.T) {
	got := mergeErrors([][]ResourceError{
		{{Name: "b", Message: "first"}}, nil, {{Name: "a"}, {Name: "b", Message: "second"}},
	})
	if diff := cmp.Diff([]ResourceError{{Name: "a"}, {Name: "b", Message: "first"}}, got); diff != "" {
		t.Errorf("each resource once, in order, as its first reporter says: %s", diff)
	}
}

// thousands is a table's worth of resources, freshly made, as a reconcile makes them.
func thousands(count int) []*adminv1.Resource {
	byName := map[string]*adminv1.Resource{}
	for i := range count {
		name := fmt.Sprintf("endpoints/service/shop/service-%05d/8080", i)
		byName[name] = endpoints(name, fmt.Sprintf("10.%d.%d.1", i/250, i%250))
	}
	var resources []*adminv1.Resource
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		resources = append(resources, byName[name])
	}
	return resources
}

func BenchmarkSetEqual(b *testing.B) {
	p := New(Options{})
	defer p.Close()
	key := Key{Namespace: "shop", Name: "web"}
	p.Set(key, thousands(5000))
	again := thousands(5000)
	b.ReportAllocs()
	for b.Loop() {
		p.Set(key, again)
	}
}

func BenchmarkSetEndpoints(b *testing.B) {
	p := New(Options{})
	defer p.Close()
	key := Key{Namespace: "shop", Name: "web"}
	resources := thousands(5000)
	p.Set(key, resources)
	name := resources[2500].GetName()
	versions := []*adminv1.Resource{endpoints(name, "10.9.9.1"), endpoints(name, "10.9.9.2")}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		p.SetEndpoints(key, versions[i%2])
		_ = p.State(key).TableHash
	}
}

// TestTableWith changes tables at random: what is made of the table before has to be what is made at once.
func TestTableWith(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	contents := map[string]*adminv1.Resource{}
	changing := newTable(nil, adminv1.TableSum{}, nil)
	for range 2000 {
		var upserts []*adminv1.Resource
		var removals []string
		for range random.IntN(4) {
			name := fmt.Sprint("r", random.IntN(20))
			if random.IntN(2) == 0 {
				delete(contents, name)
				removals = append(removals, name)
			}
		}
		for range random.IntN(4) {
			resource := endpoints(fmt.Sprint("r", random.IntN(20)), fmt.Sprint("10.0.0.", random.IntN(3)))
			if random.IntN(10) == 0 {
				resource = &adminv1.Resource{Name: resource.GetName(), Hash: "h", Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{Hostname: "\xff"}}}
			}
			contents[resource.GetName()] = resource
			upserts = append(upserts, resource)
		}
		want := tableOf(slices.Collect(maps.Values(contents)), nil)
		next, different := changing.with(upserts, removals)
		if !maps.Equal(hashes(next), hashes(want)) || !next.equal(want) || next.hash() != want.hash() || next.hash() != adminv1.TableHash(hashes(want)) {
			t.Fatalf("with %v without %v:\n%s", upserts, removals, cmp.Diff(hashes(want), hashes(next)))
		}
		if different == next.equal(changing) {
			t.Fatalf("with %v without %v: different is %t", upserts, removals, different)
		}
		changing = next
	}
}
