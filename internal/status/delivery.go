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
	"cmp"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// Delivery is how far the wanted table of one Gateway has come to its replicas.
type Delivery struct {
	// Generation of the wanted table; 0 before there is one.
	Generation uint64
	// Ready counts the ready replicas, Serving those of them that acknowledged Generation.
	Ready, Serving int
	// Pending reports whether a resource, as it is wanted, is still missing on some ready replica. With nil, every
	// resource is pending until all ready replicas serve Generation; then each change of one route shows for a moment on
	// the status of all.
	Pending func(resource string) bool
	// Refused says, by resource name, why a ready replica holds a resource in quarantine.
	Refused map[string]string
	// Trouble says what keeps replicas from being reached; empty when nothing does.
	Trouble string
}

// Complete reports whether there is a ready replica, and all of them serve the wanted table.
func (d *Delivery) Complete() bool {
	return d.Generation > 0 && d.Ready > 0 && d.Serving == d.Ready
}

// resource decides whether one resource is programmed: every ready replica holds it, and uses it. The message does not
// name the generation: it would change every route's status with each change of one.
func (d *Delivery) resource(conditionType, name, noun string) topology.Decision {
	if reason, ok := d.Refused[name]; ok {
		return decide(conditionType, metav1.ConditionFalse, gatewayv1.GatewayReasonInvalid, "the proxy refuses the "+noun+": "+reason)
	}
	if d.Ready == 0 {
		return decide(conditionType, metav1.ConditionFalse, gatewayv1.GatewayReasonPending, "no replica of the proxy is ready")
	}
	if d.pending(name) {
		return decide(conditionType, metav1.ConditionFalse, gatewayv1.GatewayReasonPending, "not all ready replicas of the proxy have acknowledged the "+noun)
	}
	return decide(conditionType, metav1.ConditionTrue, gatewayv1.GatewayReasonProgrammed, "every ready replica of the proxy serves the "+noun)
}

func (d *Delivery) pending(name string) bool {
	if d.Complete() {
		return false
	}
	return d.Generation == 0 || d.Pending == nil || d.Pending(name)
}

// progress says how many replicas serve which generation, and what they refuse.
func (d *Delivery) progress() string {
	message := fmt.Sprintf("%d of %d ready replicas serve generation %d", d.Serving, d.Ready, d.Generation)
	if len(d.Refused) > 0 {
		first := slices.MinFunc(slices.Collect(maps.Keys(d.Refused)), cmp.Compare[string])
		message += fmt.Sprintf("; resources refused by the proxy: %d, the first is %s: %s", len(d.Refused), first, d.Refused[first])
	}
	if d.Trouble != "" && !d.Complete() {
		message += "; " + d.Trouble
	}
	return message
}
