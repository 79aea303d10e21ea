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
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// reasonParentNotProgrammed is one of the reasons of a ListenerSet's Programmed condition; the module has no constant for it.
const reasonParentNotProgrammed = "ParentNotProgrammed"

// ListenerSet gives the status of a ListenerSet of the Gateway. Nothing in it quotes the Gateway's own conditions: they may
// tell of what the ListenerSet's author has no access to.
func ListenerSet(set *topology.ListenerSet, gateway *gatewayv1.Gateway, t *topology.Topology, facts *GatewayFacts, now time.Time) gatewayv1.ListenerSetStatus {
	object := set.Object
	parent := gatewayAccepted(t, facts)
	v := &view{gateway: parent, facts: facts, generation: object.Generation, now: now}
	var listeners []gatewayv1.ListenerEntryStatus
	if len(set.Listeners) > 0 {
		listeners = make([]gatewayv1.ListenerEntryStatus, len(set.Listeners))
	}
	for i := range set.Listeners {
		listeners[i] = entryStatus(object, &set.Listeners[i], v)
	}
	accepted := listenerSetAccepted(set, t, parent)
	programmed := listenerSetProgrammed(set, listeners, accepted, gatewayProgrammed(gateway, parent, t, facts))
	return gatewayv1.ListenerSetStatus{
		Conditions: merged(object.Status.Conditions, []topology.Decision{accepted, programmed}, nil, object.Generation, now),
		Listeners:  listeners,
	}
}

// ListenerSetOrphaned gives the status of a ListenerSet whose Gateway is gone.
func ListenerSetOrphaned(object *gatewayv1.ListenerSet, gateway types.NamespacedName, now time.Time) gatewayv1.ListenerSetStatus {
	message := fmt.Sprintf("Gateway %s does not exist any more, or is about to be deleted", gateway)
	decisions := []topology.Decision{
		decide(gatewayv1.ListenerSetConditionAccepted, metav1.ConditionFalse, gatewayv1.ListenerSetReasonParentNotAccepted, message),
		decide(gatewayv1.ListenerSetConditionProgrammed, metav1.ConditionFalse, reasonParentNotProgrammed, message),
	}
	return gatewayv1.ListenerSetStatus{Conditions: merged(object.Status.Conditions, decisions, nil, object.Generation, now)}
}

func entryStatus(object *gatewayv1.ListenerSet, l *topology.Listener, v *view) gatewayv1.ListenerEntryStatus {
	next := gatewayv1.ListenerEntryStatus{Name: l.Name, SupportedKinds: l.SupportedKinds, AttachedRoutes: l.AttachedRoutes}
	for i := range object.Status.Listeners {
		if object.Status.Listeners[i].Name == l.Name {
			next.Conditions = object.Status.Listeners[i].Conditions
		}
	}
	next.Conditions = v.conditions(l, next.Conditions)
	return next
}

// listenerSetAccepted adds to what the topology decided that the Gateway has to be accepted.
func listenerSetAccepted(set *topology.ListenerSet, t *topology.Topology, gateway topology.Decision) topology.Decision {
	if !set.Accepted.True() || gateway.True() {
		return set.Accepted
	}
	return decide(gatewayv1.ListenerSetConditionAccepted, metav1.ConditionFalse, gatewayv1.ListenerSetReasonParentNotAccepted,
		fmt.Sprintf("Gateway %s is not accepted", t.Gateway))
}

// listenerSetProgrammed decides Programmed: all its valid listeners are, on a Gateway that can be reached.
func listenerSetProgrammed(set *topology.ListenerSet, listeners []gatewayv1.ListenerEntryStatus, accepted, gateway topology.Decision) topology.Decision {
	not := func(reason, message string) topology.Decision {
		return decide(gatewayv1.ListenerSetConditionProgrammed, metav1.ConditionFalse, reason, message)
	}
	if !accepted.True() {
		reason := accepted.Reason
		if reason == string(gatewayv1.ListenerSetReasonParentNotAccepted) {
			reason = reasonParentNotProgrammed
		}
		return not(reason, "the ListenerSet is not accepted: "+accepted.Message)
	}
	// A refused listener of the Gateway is not this set's matter, and what is under way shows in its own listeners.
	if !gateway.True() && gateway.Reason != ReasonRefusedByProxy && gateway.Reason != string(gatewayv1.GatewayReasonPending) {
		return not(reasonParentNotProgrammed, fmt.Sprintf("Gateway %s is not programmed", topology.ListenerSetParent(set.Object)))
	}
	serving := 0
	for i := range listeners {
		l := &set.Listeners[i]
		state := conditionOf(listeners[i].Conditions, string(gatewayv1.ListenerConditionProgrammed))
		if state.Status == metav1.ConditionTrue {
			serving++
			continue
		}
		// One that is not valid, or without a usable certificate, says so itself, and takes no other with it.
		if l.Served() && state.Reason != string(gatewayv1.ListenerReasonInvalid) {
			return not(state.Reason, fmt.Sprintf("listener %q: %s", l.Name, state.Message))
		}
	}
	if serving == 0 {
		return not(string(gatewayv1.ListenerSetReasonListenersNotValid), "no listener serves, see their conditions")
	}
	return decide(gatewayv1.ListenerSetConditionProgrammed, metav1.ConditionTrue, gatewayv1.ListenerSetReasonProgrammed,
		fmt.Sprintf("every ready replica of the proxy serves the ListenerSet, on %d listeners", serving))
}

func conditionOf(conditions []metav1.Condition, conditionType string) metav1.Condition {
	for i := range conditions {
		if conditions[i].Type == conditionType {
			return conditions[i]
		}
	}
	return metav1.Condition{}
}
