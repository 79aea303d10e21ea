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
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// merged gives the conditions with the decisions merged in. Conditions of a type in owned that was not decided are
// removed; all others stay as and where they are, and a new one comes in the order of types, so that what was said before does not
// show in the order. The given slice is returned when nothing changes, and never changed.
func merged(old []metav1.Condition, decisions []topology.Decision, owned []string, generation int64, now time.Time) []metav1.Condition {
	next := old
	detached := false
	detach := func() {
		if !detached {
			next, detached = slices.Clone(next), true
		}
	}
	for _, decision := range decisions {
		i := slices.IndexFunc(next, func(c metav1.Condition) bool { return c.Type == decision.Type })
		if i < 0 {
			detach()
			next = insert(next, condition(decision, generation, now))
			continue
		}
		// "If the `observedGeneration` of a Condition is _greater than_ the value the implementation knows about, then
		// it MUST NOT perform the update on that Condition" (GatewayStatus.conditions)
		if next[i].ObservedGeneration > generation || same(&next[i], decision, generation) {
			continue
		}
		detach()
		updated := condition(decision, generation, now)
		if updated.Status == next[i].Status {
			updated.LastTransitionTime = next[i].LastTransitionTime
		}
		next[i] = updated
	}
	for _, conditionType := range owned {
		if slices.ContainsFunc(decisions, func(d topology.Decision) bool { return d.Type == conditionType }) {
			continue
		}
		i := slices.IndexFunc(next, func(c metav1.Condition) bool { return c.Type == conditionType })
		if i < 0 || next[i].ObservedGeneration > generation {
			continue
		}
		detach()
		next = slices.Delete(next, i, i+1)
	}
	return next
}

// insert puts a condition before those whose types come after its own.
func insert(conditions []metav1.Condition, c metav1.Condition) []metav1.Condition {
	at := slices.IndexFunc(conditions, func(other metav1.Condition) bool { return other.Type > c.Type })
	if at < 0 {
		at = len(conditions)
	}
	return slices.Insert(conditions, at, c)
}

func same(c *metav1.Condition, d topology.Decision, generation int64) bool {
	return c.Status == d.Status && c.Reason == d.Reason && c.Message == d.Message && c.ObservedGeneration == generation
}

func condition(d topology.Decision, generation int64, now time.Time) metav1.Condition {
	return metav1.Condition{
		Type:               d.Type,
		Status:             d.Status,
		Reason:             d.Reason,
		Message:            d.Message,
		ObservedGeneration: generation,
		// The API keeps whole seconds; anything finer would never compare equal to what is read back.
		LastTransitionTime: metav1.NewTime(now.Truncate(time.Second)),
	}
}

func decide[T, R ~string](conditionType T, status metav1.ConditionStatus, reason R, message string) topology.Decision {
	return topology.Decision{Type: string(conditionType), Status: status, Reason: string(reason), Message: topology.Bound(message)}
}
