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

package status

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

var (
	then = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now  = time.Date(2026, 1, 2, 4, 0, 0, 999, time.UTC)
)

func at(when time.Time) metav1.Time { return metav1.NewTime(when.Truncate(time.Second)) }

func TestMerged(t *testing.T) {
	accepted := metav1.Condition{Type: "Accepted", Status: "True", Reason: "Accepted", Message: "m", ObservedGeneration: 3, LastTransitionTime: at(then)}
	foreign := metav1.Condition{Type: "example.com/Other", Status: "True", Reason: "R", ObservedGeneration: 1, LastTransitionTime: at(then)}
	partial := metav1.Condition{Type: "PartiallyInvalid", Status: "True", Reason: "UnsupportedValue", ObservedGeneration: 2, LastTransitionTime: at(then)}
	with := func(c metav1.Condition, change func(*metav1.Condition)) metav1.Condition {
		change(&c)
		return c
	}
	yes := topology.Decision{Type: "Accepted", Status: "True", Reason: "Accepted", Message: "m"}
	no := topology.Decision{Type: "Accepted", Status: "False", Reason: "Invalid", Message: "n"}
	cases := map[string]struct {
		reason     string
		old        []metav1.Condition
		decisions  []topology.Decision
		generation int64
		want       []metav1.Condition
		same       bool // the very slice is given back
	}{
		"nothing before": {
			reason:    "a new condition begins now",
			decisions: []topology.Decision{yes}, generation: 3,
			want: []metav1.Condition{with(accepted, func(c *metav1.Condition) { c.LastTransitionTime = at(now) })},
		},
		"no change": {
			reason: "what is decided again is not touched, so that nothing is written",
			old:    []metav1.Condition{foreign, accepted}, decisions: []topology.Decision{yes}, generation: 3,
			want: []metav1.Condition{foreign, accepted}, same: true,
		},
		"another generation": {
			reason: "observedGeneration follows, and the transition stays when it was",
			old:    []metav1.Condition{accepted}, decisions: []topology.Decision{yes}, generation: 4,
			want: []metav1.Condition{with(accepted, func(c *metav1.Condition) { c.ObservedGeneration = 4 })},
		},
		"another message": {
			reason: "a message is no transition",
			old:    []metav1.Condition{accepted}, decisions: []topology.Decision{saying(yes, "new")}, generation: 3,
			want: []metav1.Condition{with(accepted, func(c *metav1.Condition) { c.Message = "new" })},
		},
		"a flip": {
			reason: "a change of status is a transition",
			old:    []metav1.Condition{foreign, accepted}, decisions: []topology.Decision{no}, generation: 3,
			want: []metav1.Condition{foreign, {Type: "Accepted", Status: "False", Reason: "Invalid", Message: "n", ObservedGeneration: 3, LastTransitionTime: at(now)}},
		},
		"in order": {
			reason:    "equal decisions give an equal order, whatever was decided before; those of others are not moved for it",
			old:       []metav1.Condition{accepted, foreign},
			decisions: []topology.Decision{yes, {Type: "rauta.dev/Shadowed", Status: "True"}, {Type: "PartiallyInvalid", Status: "True"}}, generation: 3,
			want: []metav1.Condition{
				accepted, {Type: "PartiallyInvalid", Status: "True", ObservedGeneration: 3, LastTransitionTime: at(now)}, foreign,
				{Type: "rauta.dev/Shadowed", Status: "True", ObservedGeneration: 3, LastTransitionTime: at(now)},
			},
		},
		"no longer decided": {
			reason: "a condition that we own and that no longer holds goes; those of others stay in their places",
			old:    []metav1.Condition{partial, foreign, accepted}, decisions: []topology.Decision{yes}, generation: 3,
			want: []metav1.Condition{foreign, accepted},
		},
		"somebody knows more": {
			reason: "a condition of a newer generation than ours must not be overwritten or removed: our copy is stale",
			old:    []metav1.Condition{accepted, partial}, decisions: []topology.Decision{no}, generation: 1,
			want: []metav1.Condition{accepted, partial}, same: true,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			before := slices.Clone(c.old)
			got := merged(c.old, c.decisions, []string{"PartiallyInvalid"}, c.generation, now)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(before, c.old); diff != "" {
				t.Errorf("the given conditions are those of a shared cache and must not change (-before +after):\n%s", diff)
			}
			if same := sameSlice(c.old, got); same != c.same {
				t.Errorf("%s: the very slice is given back: %v, want %v", c.reason, same, c.same)
			}
		})
	}
}

func saying(d topology.Decision, message string) topology.Decision {
	d.Message = message
	return d
}
