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

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Difference is how two statuses of a Gateway, or of a ListenerSet, differ.
type Difference int

// The differences, each wider than the one before.
const (
	// Same statuses need no write.
	Same Difference = iota
	// MessageDiffers alone: which generation all ready replicas serve.
	MessageDiffers
	// CountsDiffer, of attached routes or ListenerSets, and perhaps that message.
	CountsDiffer
	// Differs in what matters at once.
	Differs
)

// Compare says how two statuses of a Gateway differ.
func Compare(before, after *gatewayv1.GatewayStatus) Difference {
	if apiequality.Semantic.DeepEqual(before, after) {
		return Same
	}
	if apiequality.Semantic.DeepEqual(withoutMessage(before), withoutMessage(after)) {
		return MessageDiffers
	}
	if apiequality.Semantic.DeepEqual(withoutCounts(withoutMessage(before)), withoutCounts(withoutMessage(after))) {
		return CountsDiffer
	}
	return Differs
}

// CompareListenerSets says how two statuses of a ListenerSet differ. No message of theirs names a generation.
func CompareListenerSets(before, after *gatewayv1.ListenerSetStatus) Difference {
	if apiequality.Semantic.DeepEqual(before, after) {
		return Same
	}
	stripped := *after
	stripped.Listeners = slices.Clone(after.Listeners)
	for i := range min(len(before.Listeners), len(stripped.Listeners)) {
		stripped.Listeners[i].AttachedRoutes = before.Listeners[i].AttachedRoutes
	}
	if apiequality.Semantic.DeepEqual(before, &stripped) {
		return CountsDiffer
	}
	return Differs
}

// withoutMessage is a status without the message of Programmed where that is True.
func withoutMessage(s *gatewayv1.GatewayStatus) *gatewayv1.GatewayStatus {
	stripped := *s
	stripped.Conditions = make([]metav1.Condition, len(s.Conditions))
	copy(stripped.Conditions, s.Conditions)
	for i := range stripped.Conditions {
		c := &stripped.Conditions[i]
		if c.Type == string(gatewayv1.GatewayConditionProgrammed) && c.Status == metav1.ConditionTrue {
			c.Message = ""
		}
	}
	return &stripped
}

func withoutCounts(s *gatewayv1.GatewayStatus) *gatewayv1.GatewayStatus {
	stripped := *s
	stripped.Listeners = make([]gatewayv1.ListenerStatus, len(s.Listeners))
	copy(stripped.Listeners, s.Listeners)
	for i := range stripped.Listeners {
		stripped.Listeners[i].AttachedRoutes = 0
	}
	return &stripped
}
