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
	"context"
	"errors"
	"slices"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// PolicyUpdate is a policy with the status that it is to have.
type PolicyUpdate struct {
	Policy *gatewayv1.BackendTLSPolicy
	Status gatewayv1.PolicyStatus
}

// Differs reports whether there is anything to write.
func (u *PolicyUpdate) Differs() bool {
	before := u.Policy.Status.Ancestors
	return !sameSlice(before, u.Status.Ancestors) && !apiequality.Semantic.DeepEqual(before, u.Status.Ancestors)
}

// policyConditions are set only when they are True.
var policyConditions = []string{topology.ConditionInvalidCertificate}

// BackendTLSPolicy gives the policy's status as seen from one Gateway: its own entry is written, all others stay as and where
// they are. When nothing changes, the ancestors are the very slice that the policy has.
//
// "Implementations MUST use the ControllerName field to uniquely identify the entries in this list that they are responsible
// for." (PolicyStatus.ancestors)
func BackendTLSPolicy(policy *topology.BackendTLSPolicy, t *topology.Topology, now time.Time) gatewayv1.PolicyStatus {
	object, controller := policy.Object, gatewayv1.GatewayController(t.ControllerName)
	next := object.Status.Ancestors
	at := slices.IndexFunc(next, func(a gatewayv1.PolicyAncestorStatus) bool {
		return a.ControllerName == controller && topology.RefersTo(&a.AncestorRef, object.Namespace, t.Gateway)
	})
	if at < 0 && len(next) >= topology.MaxAncestors {
		return policyStatus(next)
	}
	entry := gatewayv1.PolicyAncestorStatus{AncestorRef: ancestor(t.Gateway), ControllerName: controller}
	if at < 0 {
		entry.Conditions = merged(nil, policy.Decisions(), policyConditions, object.Generation, now)
		return policyStatus(append(slices.Clone(next), entry))
	}
	entry.AncestorRef = next[at].AncestorRef
	entry.Conditions = merged(next[at].Conditions, policy.Decisions(), policyConditions, object.Generation, now)
	if sameSlice(entry.Conditions, next[at].Conditions) {
		return policyStatus(next)
	}
	next = slices.Clone(next)
	next[at] = entry
	return policyStatus(next)
}

// BackendTLSPolicyDetached gives the status of a policy that does not concern a Gateway, or no longer: without this controller's
// entry for it.
func BackendTLSPolicyDetached(object *gatewayv1.BackendTLSPolicy, controllerName string, gateway types.NamespacedName) gatewayv1.PolicyStatus {
	stale := func(a gatewayv1.PolicyAncestorStatus) bool {
		return string(a.ControllerName) == controllerName && topology.RefersTo(&a.AncestorRef, object.Namespace, gateway)
	}
	if !slices.ContainsFunc(object.Status.Ancestors, stale) {
		return policyStatus(object.Status.Ancestors)
	}
	return policyStatus(slices.DeleteFunc(slices.Clone(object.Status.Ancestors), stale))
}

func ancestor(gateway types.NamespacedName) gatewayv1.ParentReference {
	group, kind, namespace := gatewayv1.Group(gatewayv1.GroupName), gatewayv1.Kind("Gateway"), gatewayv1.Namespace(gateway.Namespace)
	return gatewayv1.ParentReference{Group: &group, Kind: &kind, Namespace: &namespace, Name: gatewayv1.ObjectName(gateway.Name)}
}

func policyStatus(ancestors []gatewayv1.PolicyAncestorStatus) gatewayv1.PolicyStatus {
	if ancestors == nil {
		// The field is required: an empty list, not null.
		ancestors = []gatewayv1.PolicyAncestorStatus{}
	}
	return gatewayv1.PolicyStatus{Ancestors: ancestors}
}

// Policies writes the statuses that differ. All are tried; the errors are joined.
func (w *Writer) Policies(ctx context.Context, updates []PolicyUpdate) error {
	failures := make([]error, 0, len(updates))
	for i := range updates {
		if !updates[i].Differs() {
			continue
		}
		policy, next := updates[i].Policy, updates[i].Status
		bare := &gatewayv1.BackendTLSPolicy{ObjectMeta: identityOf(policy), Status: next}
		failures = append(failures, w.update(ctx, "BackendTLSPolicy", bare))
	}
	return errors.Join(failures...)
}
