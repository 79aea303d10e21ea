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
	"maps"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Listener is one listener of the Gateway, with what was decided about it.
type Listener struct {
	Name     gatewayv1.SectionName
	Port     int32
	Protocol gatewayv1.ProtocolType
	// Hostname is exact, "*.example.com", or empty for any.
	Hostname string
	// SupportedKinds are the route kinds that may attach; never nil, since status requires the field.
	SupportedKinds []gatewayv1.RouteGroupKind
	// Certificates that the listener proves itself with, in its order, each once; none unless it ends TLS.
	Certificates []Certificate
	// Clients is how they prove themselves; nil when they are not asked to.
	Clients *ClientValidation
	// AttachedRoutes counts the accepted routes that are attached.
	AttachedRoutes int32

	Accepted     Decision
	Conflicted   Decision
	ResolvedRefs Decision
	// OverlappingTLSConfig is nil unless it is True. "This is a negative polarity condition and MUST NOT be set when it is
	// False."
	OverlappingTLSConfig *Decision

	allowed allowedRoutes
	// noAuthority says why no client could prove itself; empty when one can, or none needs to.
	noAuthority string
}

// Served reports whether the listener is given to the proxy: it is accepted, which a conflicted one never is, and has a
// certificate where it needs one.
func (l *Listener) Served() bool {
	return l.Accepted.True() && (l.Protocol != gatewayv1.HTTPSProtocolType || len(l.Certificates) > 0)
}

// Decisions are the listener's conditions, in a fixed order.
func (l *Listener) Decisions() []Decision {
	decisions := []Decision{l.Accepted, l.Conflicted, l.ResolvedRefs}
	if l.OverlappingTLSConfig != nil {
		decisions = append(decisions, *l.OverlappingTLSConfig)
	}
	return decisions
}

func (r *resolver) buildListeners(gateway *gatewayv1.Gateway) []Listener {
	specs := gateway.Spec.Listeners
	listeners := make([]Listener, len(specs))
	for i := range specs {
		spec := &specs[i]
		l := &listeners[i]
		l.Name, l.Port, l.Protocol = spec.Name, spec.Port, spec.Protocol
		if spec.Hostname != nil {
			l.Hostname = string(*spec.Hostname)
		}
		l.allowed = buildAllowedRoutes(gateway.Namespace, spec)
		var kinds, certificates, clients []Problem
		l.SupportedKinds, kinds = supportedKinds(spec)
		if spec.Protocol == gatewayv1.HTTPSProtocolType {
			l.Certificates, certificates = r.certificates(gateway.Namespace, spec)
			l.Clients, clients, l.noAuthority = r.clientValidation(gateway, spec.Port)
		}
		l.ResolvedRefs = listenerResolvedRefs(slices.Concat(clients, certificates, kinds))
	}
	for i := range listeners {
		listeners[i].Conflicted = conflicted(listeners, i)
		listeners[i].OverlappingTLSConfig = overlappingTLS(listeners, i)
		listeners[i].Accepted = listenerAccepted(&listeners[i], unsupportedTLS(&specs[i]))
	}
	return listeners
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
	if spec.Protocol != gatewayv1.HTTPSProtocolType || spec.TLS == nil {
		return ""
	}
	// "Note that SSL passthrough is only supported by TLSRoute." (TLSModePassthrough)
	if spec.TLS.Mode != nil && *spec.TLS.Mode != gatewayv1.TLSModeTerminate {
		return fmt.Sprintf("tls.mode: %q is not supported on protocol HTTPS; supported is Terminate", *spec.TLS.Mode)
	}
	if len(spec.TLS.Options) > 0 {
		return fmt.Sprintf("tls.options: %q is not supported", slices.Min(slices.Collect(maps.Keys(spec.TLS.Options))))
	}
	return ""
}

func carriesHTTP(protocol gatewayv1.ProtocolType) bool {
	return protocol == gatewayv1.HTTPProtocolType || protocol == gatewayv1.HTTPSProtocolType
}

func listenerAccepted(l *Listener, unsupported string) Decision {
	// "If an implementation does not support a specified protocol, it MUST set the "Accepted" condition to False for the
	// affected Listener with a reason of "UnsupportedProtocol"." (ProtocolType)
	if !carriesHTTP(l.Protocol) {
		return no(gatewayv1.ListenerConditionAccepted, gatewayv1.ListenerReasonUnsupportedProtocol,
			fmt.Sprintf("protocol %q is not supported; supported are HTTP and HTTPS", l.Protocol))
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
	if unsupported != "" {
		return no(gatewayv1.ListenerConditionAccepted, gatewayv1.ListenerReasonUnsupportedValue, unsupported)
	}
	return yes(gatewayv1.ListenerConditionAccepted, gatewayv1.ListenerReasonAccepted, "the listener is valid")
}

// conflicted decides whether listener i is indistinct from, or incompatible with, another one of the same port.
func conflicted(listeners []Listener, i int) Decision {
	var reason gatewayv1.ListenerConditionReason
	var others []string
	for j := range listeners {
		if j == i {
			continue
		}
		found := conflict(&listeners[i], &listeners[j])
		if found == "" {
			continue
		}
		// A conflict of protocols is the wider one: changing the hostname would not end it.
		if reason == "" || found == gatewayv1.ListenerReasonProtocolConflict {
			reason = found
		}
		others = append(others, fmt.Sprintf("%q", listeners[j].Name))
	}
	switch reason {
	case "":
		return no(gatewayv1.ListenerConditionConflicted, gatewayv1.ListenerReasonNoConflicts, "no other listener wants the same traffic")
	case gatewayv1.ListenerReasonProtocolConflict:
		return yes(gatewayv1.ListenerConditionConflicted, reason, fmt.Sprintf(
			"port %d is also used with another protocol, see listeners %s: use different ports", listeners[i].Port, strings.Join(others, ", ")))
	default:
		return yes(gatewayv1.ListenerConditionConflicted, reason, fmt.Sprintf(
			"port %d and hostname %q are also those of listeners %s: make them differ in one", listeners[i].Port, listeners[i].Hostname, strings.Join(others, ", ")))
	}
}

// conflict says how two listeners conflict; empty when they do not.
//
// "If an implementation does not support TCP Protocol Listeners, then the previous rule does not apply, and the TCP
// Listeners SHOULD NOT be accepted." (GatewaySpec.listeners) So only protocols that carry HTTP or TLS take part here:
// the others are refused for themselves and take nobody with them.
func conflict(a, b *Listener) gatewayv1.ListenerConditionReason {
	if a.Port != b.Port {
		return ""
	}
	layerA, layerB := transport(a.Protocol), transport(b.Protocol)
	if layerA == "" || layerB == "" {
		return ""
	}
	if layerA != layerB {
		return gatewayv1.ListenerReasonProtocolConflict
	}
	// "HTTP, HTTPS, TLS: Port, Hostname" must differ in at least one for listeners that share a protocol.
	if a.Protocol == b.Protocol && a.Hostname == b.Hostname {
		return gatewayv1.ListenerReasonHostnameConflict
	}
	return ""
}

// transport is what the first bytes of a connection are; two listeners of one port must agree in it.
func transport(protocol gatewayv1.ProtocolType) string {
	switch protocol {
	case gatewayv1.HTTPProtocolType:
		return "cleartext"
	case gatewayv1.HTTPSProtocolType, gatewayv1.TLSProtocolType:
		return "tls"
	default:
		return ""
	}
}
