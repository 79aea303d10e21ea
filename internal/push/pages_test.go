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
	"testing"
)

// TestPages changes entries at random: of how many pages they are, and how those are divided, must not show, and what was before stays.
func TestPages(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	const names = 12 * pageSize
	now, content := pages{}, map[string]string{}
	for round := range 600 {
		// It fills, and empties again.
		gone := 1 + 3*(round/300)
		changes := map[string]*entry{}
		for range 1 + random.IntN(2*pageSize) {
			name := fmt.Sprintf("r%05d", random.IntN(names))
			if random.IntN(5) < gone {
				changes[name] = nil
				continue
			}
			changes[name] = &entry{name: name, hash: fmt.Sprint(random.IntN(3))}
		}
		ordered := make([]change, 0, len(changes))
		for _, name := range slices.Sorted(maps.Keys(changes)) {
			ordered = append(ordered, change{name, changes[name]})
		}
		before, contentBefore := now, maps.Clone(content)
		now = now.with(ordered)
		for name, to := range changes {
			delete(content, name)
			if to != nil {
				content[name] = to.hash
			}
		}
		if problem := wrong(now, content); problem != "" {
			t.Fatalf("seed %d, round %d: %s", seed, round, problem)
		}
		if problem := wrong(before, contentBefore); problem != "" {
			t.Fatalf("seed %d, round %d: what was before has been changed: %s", seed, round, problem)
		}
		upserts, removals := difference(newTable(before, sumOf(before), nil), newTable(now, sumOf(now), nil))
		for _, name := range removals {
			delete(contentBefore, name)
		}
		for _, e := range upserts {
			contentBefore[e.name] = e.hash
		}
		if !maps.Equal(contentBefore, content) {
			t.Fatalf("seed %d, round %d: the difference does not lead from one to the other", seed, round)
		}
	}
}

// wrong says in what pages are not the content, in order and of the sizes that pages have.
func wrong(p pages, content map[string]string) string {
	last, total := "", 0
	for _, page := range p {
		if len(page) == 0 || len(page) > 2*pageSize {
			return fmt.Sprintf("a page of %d entries", len(page))
		}
		for i := range page {
			if page[i].name <= last || content[page[i].name] != page[i].hash || p.find(page[i].name) != &page[i] {
				return fmt.Sprintf("%s comes after %s with hash %q, want %q", page[i].name, last, page[i].hash, content[page[i].name])
			}
			last = page[i].name
		}
		total += len(page)
	}
	if total != len(content) || p.len() != total || p.find("q") != nil || p.find("s") != nil || p.find("r00000a") != nil {
		return fmt.Sprintf("%d entries, want %d", total, len(content))
	}
	return ""
}

// What stays is shared: a change among thousands makes a page, and lets two tables be compared past all others.
func TestPagesAreShared(t *testing.T) {
	resources := thousands(5000)
	before := tableOf(resources, nil)
	changes := map[string]struct {
		reason   string
		upsert   string
		removals []string
	}{
		"Changed": {reason: "an endpoint that changes is most of what happens", upsert: resources[2500].GetName()},
		"First":   {reason: "what comes before all others has a page", upsert: "a"},
		"Last":    {reason: "and so has what comes after them", upsert: "z"},
		"Gone":    {reason: "a route may go", removals: []string{resources[777].GetName()}},
	}
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			after, _ := before.with(nil, c.removals)
			if c.upsert != "" {
				after, _ = before.with(append(resources[:0:0], endpoints(c.upsert, "10.9.9.9")), nil)
			}
			of := map[*entry]bool{}
			for _, page := range before.entries {
				of[&page[0]] = true
			}
			made := 0
			for _, page := range after.entries {
				if !of[&page[0]] {
					made++
				}
			}
			if made != 1 {
				t.Errorf("%s: %d of %d pages were made anew", c.reason, made, len(after.entries))
			}
		})
	}
}
