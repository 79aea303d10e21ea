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
	"net/netip"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// GatewayFacts is what a Gateway's status depends on beside its topology.
type GatewayFacts struct {
	// Invalid is why the Gateway cannot be accepted although its own spec is fine, such as InvalidParameters; nil when
	// it can.
	Invalid *topology.Problem
	// Blocked is what keeps its infrastructure from being made or from running, such as an object of the same name that
	// is not ours (reason "Collision") or a lack of room on the nodes (reason NoResources); nil when nothing does.
	Blocked *topology.Problem
	// Addresses that the proxy's Service has; see Addresses.
	Addresses []gatewayv1.GatewayStatusAddress
	// Delivery of the wanted table.
	Delivery Delivery
}

// gatewayConditions are the condition types of a Gateway that are not always set.
var gatewayConditions = []string{string(gatewayv1.GatewayConditionInsecureFrontendValidationMode), topology.ConditionInvalidCertificate}

// Gateway gives the Gateway's status.
func Gateway(gateway *gatewayv1.Gateway, t *topology.Topology, facts *GatewayFacts, now time.Time) gatewayv1.GatewayStatus {
	accepted := gatewayAccepted(t, facts)
	next := gateway.Status
	next.Addresses = facts.Addresses
	// Where sets are no matter, the field may not even be known to the API server.
	if len(t.ListenerSets) > 0 || gateway.Spec.AllowedListeners != nil || next.AttachedListenerSets != nil {
		next.AttachedListenerSets = attachedListenerSets(t, accepted)
	}
	decisions := []topology.Decision{accepted, gatewayProgrammed(gateway, accepted, t, facts), t.ResolvedRefs}
	if t.InsecureFrontend != nil {
		decisions = append(decisions, *t.InsecureFrontend)
	}
	if t.InvalidCertificate != nil {
		decisions = append(decisions, *t.InvalidCertificate)
	}
	next.Conditions = merged(next.Conditions, decisions, gatewayConditions, gateway.Generation, now)
	next.Listeners = make([]gatewayv1.ListenerStatus, len(t.Own))
	v := &view{gateway: accepted, facts: facts, generation: gateway.Generation, now: now}
	for i := range t.Own {
		next.Listeners[i] = listenerStatus(gateway.Status.Listeners, &t.Own[i], v)
	}
	return next
}

// gatewayAccepted decides Accepted from the Gateway's own spec and its parameters.
func gatewayAccepted(t *topology.Topology, facts *GatewayFacts) topology.Decision {
	if t.Accepted.True() && facts.Invalid != nil {
		return decide(gatewayv1.GatewayConditionAccepted, metav1.ConditionFalse, facts.Invalid.Reason, facts.Invalid.Message)
	}
	return t.Accepted
}

// attachedListenerSets counts those that are accepted.
func attachedListenerSets(t *topology.Topology, gateway topology.Decision) *int32 {
	var count int32
	for i := range t.ListenerSets {
		if listenerSetAccepted(&t.ListenerSets[i], t, gateway).True() {
			count++
		}
	}
	return &count
}

// gatewayProgrammed decides Programmed: the listeners are bound and every ready replica, of which there is at least one,
// acknowledged the wanted table, on all the addresses that were asked for.
func gatewayProgrammed(gateway *gatewayv1.Gateway, accepted topology.Decision, t *topology.Topology, facts *GatewayFacts) topology.Decision {
	not := func(reason gatewayv1.GatewayConditionReason, message string) topology.Decision {
		return decide(gatewayv1.GatewayConditionProgrammed, metav1.ConditionFalse, reason, message)
	}
	if !accepted.True() {
		return not(gatewayv1.GatewayReasonInvalid, "the Gateway is not accepted: "+accepted.Message)
	}
	if facts.Blocked != nil {
		return not(gatewayv1.GatewayConditionReason(facts.Blocked.Reason), facts.Blocked.Message)
	}
	if unserved := nothingServed(t, &facts.Delivery); unserved != "" {
		return not(gatewayv1.GatewayReasonInvalid, unserved)
	}
	if missing := missingAddress(gateway, facts.Addresses); missing != "" {
		return not(gatewayv1.GatewayReasonAddressNotUsable, missing)
	}
	if len(facts.Addresses) == 0 {
		return not(gatewayv1.GatewayReasonAddressNotAssigned,
			"the proxy's Service has no address yet; one of type LoadBalancer gets its address from the cluster's load balancer, if there is one")
	}
	for i := range t.Own {
		l := &t.Own[i]
		// A listener without a usable certificate says so itself, and takes no other with it.
		if reason, refused := facts.Delivery.Refused[topology.ListenerName(l.ListenerKey)]; refused && l.Served() && l.ResolvedRefs.True() {
			return not(ReasonRefusedByProxy, fmt.Sprintf("listener %q: the proxy refuses it: %s", l.Name, reason))
		}
	}
	return facts.Delivery.table(gatewayv1.GatewayConditionProgrammed)
}

// nothingServed says why no listener serves; empty when one does.
func nothingServed(t *topology.Topology, delivery *Delivery) string {
	message := "the Gateway has no listener"
	for i := range t.Own {
		l := &t.Own[i]
		switch {
		case !l.Accepted.True():
			message = fmt.Sprintf("no listener serves; listener %q: %s", l.Name, l.Accepted.Message)
		case !l.Served(), unresolved(l, delivery):
			message = fmt.Sprintf("no listener serves; listener %q: %s", l.Name, l.ResolvedRefs.Message)
		default:
			return ""
		}
	}
	return message
}

// unresolved reports whether a listener does not serve because the proxies have no certificate for it.
func unresolved(l *topology.Listener, delivery *Delivery) bool {
	_, refused := delivery.Refused[topology.ListenerName(l.ListenerKey)]
	return refused && !l.ResolvedRefs.True()
}

// missingAddress names a requested address that the Gateway did not get. A request without a value is for any address.
//
// "If a value is set in the spec and the requested address is invalid or unavailable, the implementation MUST indicate
// this in an associated entry in GatewayStatus.Conditions." (GatewaySpec.addresses)
func missingAddress(gateway *gatewayv1.Gateway, assigned []gatewayv1.GatewayStatusAddress) string {
	for i := range gateway.Spec.Addresses {
		wanted := gateway.Spec.Addresses[i].Value
		got := func(a gatewayv1.GatewayStatusAddress) bool { return sameAddress(a.Value, wanted) }
		if wanted == "" || slices.ContainsFunc(assigned, got) {
			continue
		}
		return fmt.Sprintf("spec.addresses[%d]: %q is not an address of the proxy's Service, whose load balancer has not given it", i, wanted)
	}
	return ""
}

// sameAddress compares addresses as what they mean: an IPv6 address can be written in several ways.
func sameAddress(a, b string) bool {
	parsedA, errA := netip.ParseAddr(a)
	parsedB, errB := netip.ParseAddr(b)
	if errA != nil || errB != nil {
		return strings.EqualFold(a, b)
	}
	return parsedA == parsedB
}
