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
var gatewayConditions = []string{string(gatewayv1.GatewayConditionInsecureFrontendValidationMode)}

// Gateway gives the Gateway's status.
func Gateway(gateway *gatewayv1.Gateway, t *topology.Topology, facts *GatewayFacts, now time.Time) gatewayv1.GatewayStatus {
	accepted := t.Accepted
	if accepted.True() && facts.Invalid != nil {
		accepted = decide(gatewayv1.GatewayConditionAccepted, metav1.ConditionFalse, facts.Invalid.Reason, facts.Invalid.Message)
	}
	next := gateway.Status
	next.Addresses = facts.Addresses
	decisions := []topology.Decision{accepted, gatewayProgrammed(gateway, accepted, t, facts), t.ResolvedRefs}
	if t.InsecureFrontend != nil {
		decisions = append(decisions, *t.InsecureFrontend)
	}
	next.Conditions = merged(next.Conditions, decisions, gatewayConditions, gateway.Generation, now)
	next.Listeners = make([]gatewayv1.ListenerStatus, len(t.Listeners))
	for i := range t.Listeners {
		next.Listeners[i] = listenerStatus(gateway, &t.Listeners[i], accepted, facts, now)
	}
	return next
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
	for i := range t.Listeners {
		l := &t.Listeners[i]
		// A listener without a usable certificate says so itself, and takes no other with it.
		if reason, refused := facts.Delivery.Refused[topology.ListenerName(l.Name)]; refused && l.Served() && l.ResolvedRefs.True() {
			return not(ReasonRefusedByProxy, fmt.Sprintf("listener %q: the proxy refuses it: %s", l.Name, reason))
		}
	}
	return facts.Delivery.table(gatewayv1.GatewayConditionProgrammed)
}

// nothingServed says why no listener serves; empty when one does.
func nothingServed(t *topology.Topology, delivery *Delivery) string {
	message := "the Gateway has no listener"
	for i := range t.Listeners {
		l := &t.Listeners[i]
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
	_, refused := delivery.Refused[topology.ListenerName(l.Name)]
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

func listenerProgrammed(l *topology.Listener, gateway topology.Decision, facts *GatewayFacts, before bool) topology.Decision {
	not := func(reason, message string) topology.Decision {
		return decide(gatewayv1.ListenerConditionProgrammed, metav1.ConditionFalse, reason, message)
	}
	switch {
	case l.Conflicted.True():
		return not(l.Conflicted.Reason, l.Conflicted.Message)
	case !l.Accepted.True():
		return not(string(gatewayv1.ListenerReasonInvalid), l.Accepted.Message)
	case !l.Served(), unresolved(l, &facts.Delivery):
		return not(string(gatewayv1.ListenerReasonInvalid), l.ResolvedRefs.Message)
	case !gateway.True():
		return not(string(gatewayv1.ListenerReasonInvalid), "the Gateway is not accepted")
	case facts.Blocked != nil:
		return not(string(gatewayv1.ListenerReasonPending), "the Gateway's proxy is not running as wanted")
	default:
		return facts.Delivery.resource(string(gatewayv1.ListenerConditionProgrammed), topology.ListenerName(l.Name), "listener", before)
	}
}

// listenerConditions are the condition types of a listener that are not always set.
var listenerConditions = []string{string(gatewayv1.ListenerConditionOverlappingTLSConfig)}

func listenerStatus(gateway *gatewayv1.Gateway, l *topology.Listener, accepted topology.Decision, facts *GatewayFacts, now time.Time) gatewayv1.ListenerStatus {
	next := gatewayv1.ListenerStatus{Name: l.Name}
	for i := range gateway.Status.Listeners {
		if gateway.Status.Listeners[i].Name == l.Name {
			next.Conditions = gateway.Status.Listeners[i].Conditions
		}
	}
	before := programmed(next.Conditions, string(gatewayv1.ListenerConditionProgrammed), gateway.Generation)
	next.SupportedKinds = l.SupportedKinds
	next.AttachedRoutes = l.AttachedRoutes
	next.Conditions = merged(next.Conditions, append(l.Decisions(), listenerProgrammed(l, accepted, facts, before)), listenerConditions, gateway.Generation, now)
	return next
}
