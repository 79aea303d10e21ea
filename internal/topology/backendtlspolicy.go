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

package topology

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// MaxAncestors is the API's bound on PolicyStatus.ancestors.
const MaxAncestors = 16

// BackendTLSPolicy is what was decided about a policy that concerns the Gateway: a route that is attached to it sends to a
// Service that the policy targets.
type BackendTLSPolicy struct {
	// Object is the policy, as given. It must not be changed.
	Object *gatewayv1.BackendTLSPolicy

	Accepted     Decision
	ResolvedRefs Decision
	// InvalidCertificate is nil unless it is True.
	InvalidCertificate *Decision
}

// Decisions are the policy's conditions, in a fixed order.
func (p *BackendTLSPolicy) Decisions() []Decision {
	decisions := []Decision{p.Accepted, p.ResolvedRefs}
	if p.InvalidCertificate != nil {
		decisions = append(decisions, *p.InvalidCertificate)
	}
	return decisions
}

// BackendTLS is how the endpoints of a backend are spoken to over TLS.
type BackendTLS struct {
	// Hostname is the SNI, and what the certificate has to be for unless SubjectAltNames has any.
	Hostname string
	// SubjectAltNames of which the certificate has to have one. They are the policy's own and must not be changed.
	SubjectAltNames []gatewayv1.SubjectAltName
	// Authorities in PEM, of all references that can be used.
	Authorities []byte
	// System authorities instead.
	System bool
}

// policyTarget is a Service, or with a section the port of that name.
type policyTarget struct {
	service types.NamespacedName
	section string
}

// backendPolicies are the BackendTLSPolicies of a Gateway's backends.
type backendPolicies struct {
	// ordered by precedence.
	ordered []*backendPolicy
	// winners are the policies that take precedence for their targets.
	winners map[policyTarget]*backendPolicy
	// targeted are the Services that policies target.
	targeted map[types.NamespacedName]bool
	// now is the time for which is decided; zero for none.
	now time.Time
}

// backendPolicy is a policy with what its own spec decides.
type backendPolicy struct {
	object *gatewayv1.BackendTLSPolicy
	// tls is nil where the policy cannot be followed; invalid then says why.
	tls     *BackendTLS
	invalid *Problem
	proof   authorities
	// unresolved are the references to authorities that cannot be used.
	unresolved []Problem
	// full: the policy's status has no room for this Gateway.
	full bool
}

func (p *backendPolicy) key() types.NamespacedName {
	return types.NamespacedName{Namespace: p.object.Namespace, Name: p.object.Name}
}

// buildPolicies reads the policies and decides which of them take precedence.
func (r *resolver) buildPolicies(in *Input) *backendPolicies {
	if len(in.BackendTLSPolicies) == 0 {
		return nil
	}
	policies := &backendPolicies{winners: map[policyTarget]*backendPolicy{}, targeted: map[types.NamespacedName]bool{}, now: r.now}
	bundles := bundleReader{configMaps: r.configMaps, read: map[types.NamespacedName]bundle{}}
	gateway := types.NamespacedName{Namespace: in.Gateway.Namespace, Name: in.Gateway.Name}
	for _, object := range in.BackendTLSPolicies {
		policy := bundles.policy(object)
		policy.full = !hasRoom(object, gateway, gatewayv1.GatewayController(in.ControllerName))
		policies.ordered = append(policies.ordered, policy)
	}
	// "The older policy by creation timestamp takes precedence. [...] The policy appearing first in alphabetical order by
	// {namespace}/{name}." (BackendTLSPolicySpec.targetRefs)
	slices.SortFunc(policies.ordered, func(a, b *backendPolicy) int {
		return cmp.Or(a.object.CreationTimestamp.Compare(b.object.CreationTimestamp.Time), cmp.Compare(a.key().String(), b.key().String()))
	})
	for _, policy := range policies.ordered {
		for i := range policy.object.Spec.TargetRefs {
			target, ok := targetOf(policy.object, i)
			if !ok {
				continue
			}
			policies.targeted[target.service] = true
			if policies.winners[target] == nil {
				policies.winners[target] = policy
			}
		}
	}
	return policies
}

// hasRoom reports whether the policy's status has, or has room for, an entry for the Gateway.
//
// "If this slice is full, implementations MUST NOT add further entries. Instead they MUST consider the policy unimplementable
// and signal that on any related resources such as the ancestor that would be referenced here. For example, if this list was
// full on BackendTLSPolicy, no additional Gateways would be able to reference the Service targeted by the BackendTLSPolicy."
// (PolicyStatus.ancestors)
func hasRoom(policy *gatewayv1.BackendTLSPolicy, gateway types.NamespacedName, controller gatewayv1.GatewayController) bool {
	return len(policy.Status.Ancestors) < MaxAncestors ||
		slices.ContainsFunc(policy.Status.Ancestors, func(a gatewayv1.PolicyAncestorStatus) bool {
			return a.ControllerName == controller && RefersTo(&a.AncestorRef, policy.Namespace, gateway)
		})
}

// PolicyServices are the Services that a policy targets, whether or not they exist.
func PolicyServices(policy *gatewayv1.BackendTLSPolicy) []types.NamespacedName {
	var services []types.NamespacedName
	for i := range policy.Spec.TargetRefs {
		if target, ok := targetOf(policy, i); ok && !slices.Contains(services, target.service) {
			services = append(services, target.service)
		}
	}
	return services
}

// targetOf is what a targetRef means; false where it is no Service.
func targetOf(policy *gatewayv1.BackendTLSPolicy, i int) (policyTarget, bool) {
	ref := &policy.Spec.TargetRefs[i]
	target := policyTarget{service: types.NamespacedName{Namespace: policy.Namespace, Name: string(ref.Name)}}
	if ref.SectionName != nil {
		target.section = string(*ref.SectionName)
	}
	return target, ref.Group == coreGroup && ref.Kind == serviceKind
}

// of is the policy for a Service's port; nil for none. The one that names the port goes before the one for all ports.
func (p *backendPolicies) of(service types.NamespacedName, portName string) *backendPolicy {
	if p == nil {
		return nil
	}
	if portName != "" {
		if policy := p.winners[policyTarget{service: service, section: portName}]; policy != nil {
			return policy
		}
	}
	return p.winners[policyTarget{service: service}]
}

// BackendTLS is how a backend is spoken to over TLS; nil for in clear text.
func (t *Topology) BackendTLS(ref BackendRef) *BackendTLS {
	if policy := t.policies.of(ref.Service, ref.PortName); policy != nil && ref.Protocol.policed() {
		return policy.tls
	}
	return nil
}

// namedServices counts the Services that the attached routes may refer to, whether or not they can be used, each as often as they do.
func (t *Topology) namedServices() map[types.NamespacedName]int {
	if t.named != nil {
		return t.named
	}
	t.named = map[types.NamespacedName]int{}
	for i := range t.Routes {
		t.Routes[i].eachNamed(func(service types.NamespacedName) { t.named[service]++ })
	}
	return t.named
}

// eachNamed calls f for the Services that a route may refer to and that policies may be about.
func (r *Route) eachNamed(f func(types.NamespacedName)) {
	accepted := func(parent Parent) bool { return parent.Accepted.True() }
	if !slices.ContainsFunc(r.Parents, accepted) {
		return
	}
	add := func(backend *Backend) {
		if !backend.Protocol.policed() {
			return
		}
		// What may not be referred to is nothing that the Gateway uses; telling its policies would tell that they exist.
		if p := backend.Problem; p == nil || (p.Reason != string(gatewayv1.RouteReasonInvalidKind) && p.Reason != string(gatewayv1.RouteReasonRefNotPermitted)) {
			f(backend.Service)
		}
	}
	for j := range r.Rules {
		for k := range r.Rules[j].Backends {
			add(&r.Rules[j].Backends[k])
		}
		for mirror := range r.Rules[j].Mirrors {
			add(mirror)
		}
	}
}

// decide gives the policies that concern the Gateway, by namespace and name.
func (p *backendPolicies) decide(used map[types.NamespacedName]int, services map[types.NamespacedName]*corev1.Service) []BackendTLSPolicy {
	var decided []BackendTLSPolicy
	for _, policy := range p.ordered {
		isUsed := func(service types.NamespacedName) bool { return used[service] > 0 }
		if policy.full || !slices.ContainsFunc(PolicyServices(policy.object), isUsed) {
			continue
		}
		decided = append(decided, BackendTLSPolicy{
			Object: policy.object, Accepted: p.accepted(policy, used, services), ResolvedRefs: policy.resolvedRefs(),
			InvalidCertificate: policy.invalidCertificate(p.now),
		})
	}
	slices.SortFunc(decided, func(a, b BackendTLSPolicy) int {
		return cmp.Or(cmp.Compare(a.Object.Namespace, b.Object.Namespace), cmp.Compare(a.Object.Name, b.Object.Name))
	})
	return decided
}

// invalidCertificate decides the condition of a policy whose authorities nobody can prove himself by.
func (p *backendPolicy) invalidCertificate(now time.Time) *Decision {
	if p.tls == nil {
		return nil
	}
	fault := p.proof.invalid(now, "spec.validation.caCertificateRefs", "no endpoint can prove itself; requests answer 502")
	if fault == nil {
		return nil
	}
	return invalidCertificate([]Problem{*fault})
}

// accepted decides Accepted. A policy with several targets is accepted where it takes effect on one of them; the message then
// names the others.
//
// "For any BackendTLSPolicy that does not take precedence, the implementation MUST ensure the `Accepted` Condition is set to
// `status: False`, with Reason `Conflicted`." (BackendTLSPolicySpec.targetRefs)
func (p *backendPolicies) accepted(policy *backendPolicy, used map[types.NamespacedName]int, services map[types.NamespacedName]*corev1.Service) Decision {
	var problems []string
	var reason string
	effective := false
	for i := range policy.object.Spec.TargetRefs {
		fault := p.targetProblem(policy, i, services)
		target, ok := targetOf(policy.object, i)
		switch {
		case fault == nil:
			effective = effective || used[target.service] > 0
		case !ok || used[target.service] > 0:
			problems = append(problems, fmt.Sprintf("spec.targetRefs[%d]: %s", i, fault.Message))
			if reason == "" || fault.Reason == string(gatewayv1.PolicyReasonConflicted) {
				reason = fault.Reason
			}
		}
	}
	switch {
	case !effective:
		return no(gatewayv1.PolicyConditionAccepted, reason, enumerate(problems))
	case policy.invalid != nil:
		return no(gatewayv1.PolicyConditionAccepted, policy.invalid.Reason, policy.invalid.Message)
	case len(problems) > 0:
		return yes(gatewayv1.PolicyConditionAccepted, gatewayv1.PolicyReasonAccepted, "the policy takes effect, but not everywhere: "+enumerate(problems))
	default:
		return yes(gatewayv1.PolicyConditionAccepted, gatewayv1.PolicyReasonAccepted, "backends are spoken to over TLS as the policy says")
	}
}

// targetProblem says why a targetRef has no effect; nil when it has.
//
// "If a SectionName is specified, but does not exist on the targeted object, the Policy must fail to attach, and the policy
// implementation should record a `ResolvedRefs` or similar Condition in the Policy's status."
// (LocalPolicyTargetReferenceWithSectionName.sectionName)
func (p *backendPolicies) targetProblem(policy *backendPolicy, i int, services map[types.NamespacedName]*corev1.Service) *Problem {
	ref := &policy.object.Spec.TargetRefs[i]
	target, ok := targetOf(policy.object, i)
	if !ok {
		return problem(gatewayv1.PolicyReasonTargetNotFound, "%s %q is not supported as a target; supported is Service", qualified(ref.Group, ref.Kind), ref.Name)
	}
	service := services[target.service]
	if service == nil {
		return problem(gatewayv1.PolicyReasonTargetNotFound, "Service %s does not exist", target.service)
	}
	named := func(port corev1.ServicePort) bool { return port.Name == target.section }
	if target.section != "" && !slices.ContainsFunc(service.Spec.Ports, named) {
		return problem(gatewayv1.PolicyReasonTargetNotFound, "Service %s has no port with the name %q", target.service, target.section)
	}
	if winner := p.winners[target]; winner != policy {
		return problem(gatewayv1.PolicyReasonConflicted, "BackendTLSPolicy %s has the same target and takes precedence, as it is older or first by name", winner.key())
	}
	return nil
}

func (p *backendPolicy) resolvedRefs() Decision {
	if len(p.unresolved) == 0 {
		return yes(gatewayv1.BackendTLSPolicyConditionResolvedRefs, gatewayv1.BackendTLSPolicyReasonResolvedRefs, "all references are resolved")
	}
	messages := make([]string, 0, len(p.unresolved))
	for i := range p.unresolved {
		messages = append(messages, p.unresolved[i].Message)
	}
	return no(gatewayv1.BackendTLSPolicyConditionResolvedRefs, p.unresolved[0].Reason, enumerate(messages))
}
