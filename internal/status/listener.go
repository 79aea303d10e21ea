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
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// listenerConditions are the condition types of a listener that are not always set.
var listenerConditions = []string{string(gatewayv1.ListenerConditionOverlappingTLSConfig), topology.ConditionInvalidCertificate}

// view is what the conditions of the listeners of one object, a Gateway or a ListenerSet, depend on beside themselves.
type view struct {
	// gateway is whether the Gateway is accepted.
	gateway topology.Decision
	facts   *GatewayFacts
	// generation of the object.
	generation int64
	now        time.Time
}

func listenerStatus(before []gatewayv1.ListenerStatus, l *topology.Listener, v *view) gatewayv1.ListenerStatus {
	next := gatewayv1.ListenerStatus{Name: l.Name, SupportedKinds: l.SupportedKinds, AttachedRoutes: l.AttachedRoutes}
	for i := range before {
		if before[i].Name == l.Name {
			next.Conditions = before[i].Conditions
		}
	}
	next.Conditions = v.conditions(l, next.Conditions)
	return next
}

// conditions of a listener that has some already.
func (v *view) conditions(l *topology.Listener, old []metav1.Condition) []metav1.Condition {
	before := programmed(old, string(gatewayv1.ListenerConditionProgrammed), v.generation)
	return merged(old, append(l.Decisions(), v.programmed(l, before)), listenerConditions, v.generation, v.now)
}

func (v *view) programmed(l *topology.Listener, before bool) topology.Decision {
	not := func(reason, message string) topology.Decision {
		return decide(gatewayv1.ListenerConditionProgrammed, metav1.ConditionFalse, reason, message)
	}
	switch {
	case l.Conflicted.True():
		return not(l.Conflicted.Reason, l.Conflicted.Message)
	case !l.Accepted.True():
		return not(string(gatewayv1.ListenerReasonInvalid), l.Accepted.Message)
	case !l.Served(), unresolved(l, &v.facts.Delivery):
		return not(string(gatewayv1.ListenerReasonInvalid), l.ResolvedRefs.Message)
	case !v.gateway.True():
		return not(string(gatewayv1.ListenerReasonInvalid), "the Gateway is not accepted")
	case v.facts.Blocked != nil:
		return not(string(gatewayv1.ListenerReasonPending), "the Gateway's proxy is not running as wanted")
	default:
		return v.facts.Delivery.resource(string(gatewayv1.ListenerConditionProgrammed), topology.ListenerName(l.ListenerKey), "listener", before)
	}
}
