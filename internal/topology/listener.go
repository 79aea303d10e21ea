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
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Listener is one listener of the Gateway, with what was decided about it.
type Listener struct {
	ListenerKey
	Port     int32
	Protocol gatewayv1.ProtocolType
	// Passthrough: TLS does not end here, and routes are chosen by the server name alone.
	Passthrough bool
	// Hostname is exact, "*.example.com", or empty for any.
	Hostname string
	// SupportedKinds are the route kinds that may attach; never nil, since status requires the field.
	SupportedKinds []gatewayv1.RouteGroupKind
	// Certificates that the listener proves itself with, in its order, each once; none unless it ends TLS.
	Certificates []Certificate
	// Clients is how they prove themselves; nil when they are not asked to.
	Clients *ClientValidation
	// TLS narrows what is agreed with clients; nil where it is the proxy's choice.
	TLS *TLSOptions
	// AttachedRoutes counts the accepted routes that are attached.
	AttachedRoutes int32

	Accepted     Decision
	Conflicted   Decision
	ResolvedRefs Decision
	// OverlappingTLSConfig is nil unless it is True. "This is a negative polarity condition and MUST NOT be set when it is
	// False."
	OverlappingTLSConfig *Decision
	// InvalidCertificate is nil unless it is True.
	InvalidCertificate *Decision

	allowed allowedRoutes
	// unsupported names what its TLS asks for and does not get; empty when there is nothing.
	unsupported string
	// surplus is set on listeners of sets beyond MaxListeners.
	surplus bool
	// noAuthority says why no client could prove itself; empty when one can, or none needs to.
	noAuthority string
}

// Served reports whether the listener is given to the proxy: it is accepted, which a conflicted one never is, and has a
// certificate where it needs one.
func (l *Listener) Served() bool {
	return l.Accepted.True() && (!l.endsTLS() || len(l.Certificates) > 0)
}

// Transport is the protocol of the listener's port.
func (l *Listener) Transport() corev1.Protocol {
	if l.Protocol == gatewayv1.UDPProtocolType {
		return corev1.ProtocolUDP
	}
	return corev1.ProtocolTCP
}

// endsTLS reports whether the listener needs a certificate.
func (l *Listener) endsTLS() bool {
	return carriesTLS(l.Protocol) && !l.Passthrough
}

// Decisions are the listener's conditions, in a fixed order.
func (l *Listener) Decisions() []Decision {
	decisions := []Decision{l.Accepted, l.Conflicted, l.ResolvedRefs}
	if l.OverlappingTLSConfig != nil {
		decisions = append(decisions, *l.OverlappingTLSConfig)
	}
	if l.InvalidCertificate != nil {
		decisions = append(decisions, *l.InvalidCertificate)
	}
	return decisions
}

// owner is whose a listener is.
type owner struct {
	gateway *gatewayv1.Gateway
	// set is zero for the Gateway's own.
	set types.NamespacedName
}

// grantee is who refers to what the listener needs. "ReferenceGrants applied to a Gateway are not inherited by child
// ListenerSets" (ListenerSet)
func (o *owner) grantee() grantee {
	if o.set.Name != "" {
		return grantee{kind: ListenerSetKind, namespace: o.set.Namespace}
	}
	return grantee{kind: gatewayKind, namespace: o.gateway.Namespace}
}

// buildListeners gives the listeners of the Gateway and of its sets, in the order of their precedence, and the sets.
func (r *resolver) buildListeners(in *Input) ([]Listener, []ListenerSet) {
	own := owner{gateway: in.Gateway}
	listeners := make([]Listener, len(in.Gateway.Spec.Listeners))
	for i := range listeners {
		listeners[i] = r.buildListener(own, &in.Gateway.Spec.Listeners[i])
	}
	listeners, sets := r.buildListenerSets(in, listeners)
	decideListeners(listeners, sets, len(in.Gateway.Spec.Listeners))
	return listeners, sets
}

// decideListeners decides what depends on other listeners, of which the first ones are the Gateway's own, and about the sets that have the
// others.
func decideListeners(listeners []Listener, sets []ListenerSet, own int) {
	for i := own; i < len(listeners); i++ {
		listeners[i].surplus = i >= MaxListeners
	}
	decideConflicts(listeners)
	hosts := tlsHostsOf(listeners)
	for i := range listeners {
		listeners[i].OverlappingTLSConfig = overlappingTLS(listeners, hosts, i)
		listeners[i].Accepted = listenerAccepted(&listeners[i])
	}
	decideListenerSets(sets, listeners[own:])
}

// buildListener gives a listener as far as it depends on no other.
func (r *resolver) buildListener(owner owner, spec *gatewayv1.Listener) Listener {
	l := Listener{
		ListenerKey: ListenerKey{Set: owner.set, Name: spec.Name},
		Port:        spec.Port, Protocol: spec.Protocol,
		allowed:     buildAllowedRoutes(owner.grantee().namespace, spec),
		unsupported: unsupportedTLS(spec),
		// "The certificateRefs field is ignored in this mode." (ListenerTLSConfig.mode)
		Passthrough: spec.Protocol == gatewayv1.TLSProtocolType && spec.TLS != nil && spec.TLS.Mode != nil && *spec.TLS.Mode == gatewayv1.TLSModePassthrough,
	}
	if l.unsupported == "" && spec.TLS != nil && carriesTLS(spec.Protocol) {
		l.TLS, l.unsupported = buildTLSOptions(&l, spec.TLS.Options)
	}
	if spec.Hostname != nil {
		l.Hostname = string(*spec.Hostname)
	}
	var kinds, certificates, clients []Problem
	l.SupportedKinds, kinds = supportedKinds(spec)
	if l.endsTLS() {
		l.Certificates, certificates = r.certificates(owner.grantee(), spec)
		l.Clients, clients, l.noAuthority = r.clientValidation(owner.gateway, spec.Port)
		l.InvalidCertificate = r.invalidCertificate(spec, l.Certificates, r.invalidAuthorities(&l, owner.gateway))
		if l.ofSet() {
			clients, l.noAuthority = discreet(clients, l.noAuthority)
		}
	}
	l.ResolvedRefs = listenerResolvedRefs(slices.Concat(clients, certificates, kinds))
	return l
}

// discreet keeps from the author of a ListenerSet what the Gateway refers to: "Implementations SHOULD be cautious about what
// information from the parent or siblings are reported to avoid accidentally leaking sensitive information".
// (ListenerSetSpec.listeners)
func discreet(clients []Problem, noAuthority string) ([]Problem, string) {
	if len(clients) > 0 {
		clients = []Problem{{Reason: clients[0].Reason, Message: "the Gateway's spec.tls.frontend: not all references can be used, see the Gateway"}}
	}
	if noAuthority != "" {
		noAuthority = "no certificate authority of the Gateway's spec.tls.frontend can be used, so that no client could be told from another"
	}
	return clients, noAuthority
}

// listenerResolvedRefs decides ResolvedRefs: the first problem gives the reason, the message tells of all.
func listenerResolvedRefs(problems []Problem) Decision {
	if len(problems) == 0 {
		return yes(gatewayv1.ListenerConditionResolvedRefs, gatewayv1.ListenerReasonResolvedRefs, "all references are resolved")
	}
	messages := make([]string, len(problems))
	for i := range problems {
		messages[i] = problems[i].Message
	}
	return no(gatewayv1.ListenerConditionResolvedRefs, problems[0].Reason, enumerate(messages))
}

// unsupportedTLS names what a listener's TLS asks for and does not get; empty when there is nothing. A client whose version was
// to be refused must not be let in because the setting is unknown here.
func unsupportedTLS(spec *gatewayv1.Listener) string {
	if !carriesTLS(spec.Protocol) || spec.TLS == nil {
		return ""
	}
	// "Note that SSL passthrough is only supported by TLSRoute." (TLSModePassthrough)
	if mode := spec.TLS.Mode; mode != nil && *mode != gatewayv1.TLSModeTerminate {
		if spec.Protocol == gatewayv1.HTTPSProtocolType {
			return fmt.Sprintf("tls.mode: %q is not supported on protocol HTTPS; supported is Terminate", *mode)
		}
		if *mode != gatewayv1.TLSModePassthrough {
			return fmt.Sprintf("tls.mode: %q is not supported; supported are Terminate and Passthrough", *mode)
		}
	}
	return ""
}

func carriesTLS(protocol gatewayv1.ProtocolType) bool {
	return protocol == gatewayv1.HTTPSProtocolType || protocol == gatewayv1.TLSProtocolType
}

func listenerAccepted(l *Listener) Decision {
	// "An implementation MAY reject listeners by setting the ListenerEntryStatus `Accepted` condition to False with the Reason
	// `TooManyListeners`" (ListenerSetSpec.listeners)
	if l.surplus {
		return no(gatewayv1.ListenerConditionAccepted, string(gatewayv1.ListenerEntryReasonTooManyListeners),
			fmt.Sprintf("the Gateway and its older ListenerSets have %d listeners already", MaxListeners))
	}
	if l.ofSet() && l.Conflicted.True() {
		return no(gatewayv1.ListenerConditionAccepted, l.Conflicted.Reason, l.Conflicted.Message)
	}
	// "If an implementation does not support a specified protocol, it MUST set the "Accepted" condition to False for the
	// affected Listener with a reason of "UnsupportedProtocol"." (ProtocolType)
	if servedKinds[l.Protocol] == nil {
		return no(gatewayv1.ListenerConditionAccepted, gatewayv1.ListenerReasonUnsupportedProtocol,
			fmt.Sprintf("protocol %q is not supported; supported are HTTP, HTTPS, TLS, TCP and UDP", l.Protocol))
	}
	// "The implementation MUST NOT pick one conflicting Listener as the winner. ALL indistinct Listeners must not be
	// accepted for processing." (GatewaySpec.listeners)
	if l.Conflicted.True() {
		return no(gatewayv1.ListenerConditionAccepted, l.Conflicted.Reason, l.Conflicted.Message)
	}
	if l.allowed.invalid != "" {
		return no(gatewayv1.ListenerConditionAccepted, gatewayv1.ListenerReasonUnsupportedValue, l.allowed.invalid)
	}
	if l.noAuthority != "" {
		return no(gatewayv1.ListenerConditionAccepted, gatewayv1.ListenerReasonNoValidCACertificate, l.noAuthority)
	}
	if l.unsupported != "" {
		return no(gatewayv1.ListenerConditionAccepted, gatewayv1.ListenerReasonUnsupportedValue, l.unsupported)
	}
	return yes(gatewayv1.ListenerConditionAccepted, gatewayv1.ListenerReasonAccepted, "the listener is valid")
}
