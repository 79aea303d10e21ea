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

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChosen(t *testing.T) {
	cases := map[string]struct {
		reason  string
		args    []string
		want    int
		failure string
	}{
		"All":          {reason: "every fault there is", want: len(faults())},
		"Changes":      {reason: "changes and rollouts, as in ten minutes of nothing else", args: []string{"-kind=changes"}, want: 11},
		"One":          {reason: "one that failed is tried again", args: []string{"-only=proxy killed"}, want: 1},
		"OtherKind":    {reason: "one that is not of the kind would never be tried", args: []string{"-kind=changes", "-only=proxy killed"}, failure: "proxy killed"},
		"UnknownFault": {reason: "a typo must not pass for a run without faults", args: []string{"-only=proxy kiled"}, failure: "proxy kiled"},
		"UnknownKind":  {reason: "nor may one of the kind", args: []string{"-kind=some"}, failure: "some"},
		"Argument":     {reason: "a forgotten dash must not be passed over", args: []string{"seed=1"}, failure: "seed=1"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s, err := parse(tc.args)
			var list []fault
			if err == nil {
				list, err = s.chosen()
			}
			switch {
			case tc.failure == "" && err != nil:
				t.Errorf("%s: %v", tc.reason, err)
			case tc.failure != "" && (err == nil || !strings.Contains(err.Error(), tc.failure)):
				t.Errorf("%s: got %v, want an error that names %s", tc.reason, err, tc.failure)
			case len(list) != tc.want:
				t.Errorf("%s: %d faults, want %d", tc.reason, len(list), tc.want)
			}
		})
	}
}

// TestDocumented holds docs/chaos.md to the list of faults.
func TestDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/chaos.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range faults() {
		if seen[f.name] || !strings.Contains(string(page), f.name) {
			t.Errorf("the fault %q has to be in docs/chaos.md, once in the list", f.name)
		}
		seen[f.name] = true
	}
}

func TestOrderIsTheSeeds(t *testing.T) {
	order := func(seed uint64) (names []string) {
		w := &world{random: newRandom(seed)}
		for range 2 {
			for _, f := range w.order(faults()) {
				names = append(names, f.name)
			}
		}
		return names
	}
	if diff := cmp.Diff(order(7), order(7)); diff != "" {
		t.Errorf("a seed gives one order: %s", diff)
	}
	first := order(7)
	if n := len(faults()); cmp.Equal(first, order(8)) || cmp.Equal(first[:n], first[n:]) {
		t.Error("another seed, and another round, give another order")
	}
	if last := first[len(faults())-1]; last != "identities run down" {
		t.Errorf("%q comes last; identities run down while all else happens", last)
	}
}
