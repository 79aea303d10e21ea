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

package conformance

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParsePassingList(t *testing.T) {
	known := []string{"A", "B", "C"}
	cases := map[string]struct {
		reason string
		text   string
		want   PassingList
		others []string
		fails  string
	}{
		"names": {
			reason: "the file is written by people: comments and empty lines explain it",
			text:   "# why\nB # because\n\n A \n",
			want:   PassingList{"B", "A"},
			others: []string{"C"},
		},
		"empty": {
			reason: "an empty list leaves every test to the others",
			others: []string{"A", "B", "C"},
		},
		"unknown": {
			reason: "a misspelt or removed test must not silently shrink what is checked",
			text:   "A\nD\n",
			fails:  `line 2: the suite has no test "D"`,
		},
		"twice": {
			reason: "a duplicate is the trace of a bad merge",
			text:   "A\nA\n",
			fails:  `line 2: "A" is listed twice`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := ParsePassingList(strings.NewReader(tc.text), known)
			if tc.fails != "" {
				if err == nil || err.Error() != tc.fails {
					t.Fatalf("%s: error %v, want %q", tc.reason, err, tc.fails)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: list (-want +got):\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.others, got.Others(known)); diff != "" {
				t.Errorf("%s: others (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
