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

	"github.com/rauta-dev/rauta/internal/push"
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
	// Settled is false while the outcome is not known yet, as after a start of the operator or just after a push. What
	// was said before about an unchanged object then stays, so that neither shows in its status.
	Settled bool
	// Refused says, by resource name, why a replica holds a resource in quarantine or cannot be sent it.
	Refused map[string]string
	// Trouble says what keeps a ready replica from being reached; empty when nothing does.
	Trouble string
}

// DeliveryOf reads the state of a Gateway's push.
func DeliveryOf(state push.State) Delivery {
	d := Delivery{Generation: state.Generation, Settled: state.Settled()}
	d.Ready, d.Serving = state.Ready()
	for _, refused := range state.ResourceErrors() {
		if d.Refused == nil {
			d.Refused = map[string]string{}
		}
		d.Refused[refused.Name] = refused.Message
	}
	for _, replica := range state.Replicas {
		if replica.Ready && replica.Problem != "" && !state.UpToDate(replica) {
			d.Trouble = fmt.Sprintf("replica %s at %s: %s", replica.ID, replica.Address, replica.Problem)
			break
		}
	}
	return d
}

// Complete reports whether there is a ready replica, and all of them serve the wanted table.
func (d *Delivery) Complete() bool {
	return d.Generation > 0 && d.Ready > 0 && d.Serving == d.Ready
}

// resource decides whether one resource is programmed: every ready replica holds it, and uses it. Once that is so, it
// stays so for as long as the object does not change: the table as a whole changes with every route, and a route that
// did not change need not wait for its neighbours. For the same reason the message does not name the generation.
func (d *Delivery) resource(conditionType, name, noun string, before *metav1.Condition) topology.Decision {
	if reason, ok := d.Refused[name]; ok {
		return decide(conditionType, metav1.ConditionFalse, ReasonRefusedByProxy, "the proxy refuses the "+noun+": "+reason)
	}
	if !d.Settled && before != nil {
		return said(before)
	}
	if d.Ready == 0 {
		return decide(conditionType, metav1.ConditionFalse, gatewayv1.GatewayReasonPending, "no replica of the proxy is ready")
	}
	if d.Complete() || (before != nil && before.Status == metav1.ConditionTrue) {
		return decide(conditionType, metav1.ConditionTrue, gatewayv1.GatewayReasonProgrammed, "every ready replica of the proxy serves the "+noun)
	}
	return decide(conditionType, metav1.ConditionFalse, gatewayv1.GatewayReasonPending, "not all ready replicas of the proxy have acknowledged the "+noun)
}

// table decides whether the wanted table as a whole is programmed.
func (d *Delivery) table(conditionType gatewayv1.GatewayConditionType, before *metav1.Condition) topology.Decision {
	if d.Complete() {
		return decide(conditionType, metav1.ConditionTrue, gatewayv1.GatewayReasonProgrammed, d.progress())
	}
	if !d.Settled && before != nil {
		return said(before)
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

// earlier finds what was said of a delivery about the same generation of an object; nil when nothing was.
func earlier(conditions []metav1.Condition, conditionType string, generation int64) *metav1.Condition {
	for i := range conditions {
		c := &conditions[i]
		if c.Type != conditionType || c.ObservedGeneration != generation || c.Status == metav1.ConditionUnknown {
			continue
		}
		switch c.Reason {
		case string(gatewayv1.GatewayReasonProgrammed), string(gatewayv1.GatewayReasonPending), ReasonRefusedByProxy:
			return c
		}
	}
	return nil
}

// said repeats a condition as it was.
func said(c *metav1.Condition) topology.Decision {
	return topology.Decision{Type: c.Type, Status: c.Status, Reason: c.Reason, Message: c.Message}
}
