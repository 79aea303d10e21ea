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
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// ReasonRefusedByProxy is the reason of a Programmed condition that is False because a replica holds the listener or
// route in quarantine.
const ReasonRefusedByProxy = "RefusedByProxy"

// Delivery is how far the wanted table of one Gateway has come to its replicas.
type Delivery struct {
	// Generation of the wanted table; 0 before there is one.
	Generation uint64
	// Ready counts the ready replicas, Serving those of them that acknowledged Generation.
	Ready, Serving int
	// Refused says, by resource name, why a replica holds a resource in quarantine or cannot be sent it.
	Refused map[string]string
	// Trouble says what keeps a ready replica from being reached; empty when nothing does.
	Trouble string
}

// Complete reports whether there is a ready replica, and all of them serve the wanted table.
func (d *Delivery) Complete() bool {
	return d.Generation > 0 && d.Ready > 0 && d.Serving == d.Ready
}

// resource decides whether one resource is programmed: every ready replica holds it, and uses it. Once that is so, it
// stays so for as long as the object does not change (which before tells): the table as a whole changes with every
// route, and a route that did not change need not wait for its neighbours. For the same reason the message does not name
// the generation.
func (d *Delivery) resource(conditionType, name, noun string, before bool) topology.Decision {
	if reason, ok := d.Refused[name]; ok {
		return decide(conditionType, metav1.ConditionFalse, ReasonRefusedByProxy, "the proxy refuses the "+noun+": "+reason)
	}
	if d.Ready == 0 {
		return decide(conditionType, metav1.ConditionFalse, gatewayv1.GatewayReasonPending, "no replica of the proxy is ready")
	}
	if d.Complete() || before {
		return decide(conditionType, metav1.ConditionTrue, gatewayv1.GatewayReasonProgrammed, "every ready replica of the proxy serves the "+noun)
	}
	return decide(conditionType, metav1.ConditionFalse, gatewayv1.GatewayReasonPending, "not all ready replicas of the proxy have acknowledged the "+noun)
}

// table decides whether the wanted table as a whole is programmed.
func (d *Delivery) table(conditionType gatewayv1.GatewayConditionType) topology.Decision {
	if d.Complete() {
		return decide(conditionType, metav1.ConditionTrue, gatewayv1.GatewayReasonProgrammed, d.progress())
	}
	return decide(conditionType, metav1.ConditionFalse, gatewayv1.GatewayReasonPending, d.progress())
}

// progress says how many replicas serve which generation, and what they refuse.
func (d *Delivery) progress() string {
	message := fmt.Sprintf("%d of %d ready replicas serve generation %d", d.Serving, d.Ready, d.Generation)
	if len(d.Refused) > 0 {
		first := slices.Min(slices.Collect(maps.Keys(d.Refused)))
		message += fmt.Sprintf("; resources refused by the proxy: %d, the first is %s: %s", len(d.Refused), first, d.Refused[first])
	}
	if d.Trouble != "" && !d.Complete() {
		message += "; " + d.Trouble
	}
	return message
}

// programmed reports whether the condition is True for this generation of its object already.
func programmed(conditions []metav1.Condition, conditionType string, generation int64) bool {
	for i := range conditions {
		if conditions[i].Type == conditionType {
			return conditions[i].Status == metav1.ConditionTrue && conditions[i].ObservedGeneration == generation
		}
	}
	return false
}
