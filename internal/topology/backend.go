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
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

const (
	coreGroup   = gatewayv1.Group("")
	serviceKind = gatewayv1.Kind("Service")

	// maxWeight is the largest weight that the API admits.
	maxWeight = 1_000_000
)

// Backend is one backendRef of a rule.
type Backend struct {
	// BackendRef says where requests go; meaningful only without a Problem.
	BackendRef
	// Weight relative to the sum of the rule's weights, 0 to 1,000,000.
	Weight uint32
	// Filters of the requests that go there, after those of the rule.
	Filters []Filter
	// Problem is why the reference is not resolved; nil when it is. Its share of the requests answers 500.
	Problem *Problem
	// Withheld: the reference is resolved, and nothing may be sent, because the BackendTLSPolicy of the port cannot be followed.
	// "Connections using an invalid CACertificateRef MUST fail, and the client MUST receive an HTTP 5xx error response."
	// (BackendTLSPolicyValidation.caCertificateRefs)
	Withheld bool
}

// Reachable reports whether requests may be sent to the backend.
func (b *Backend) Reachable() bool { return b.Problem == nil && !b.Withheld }

// Refuses reports whether the share of the backend answers 500: it is not reachable, or one of its filters is not resolved.
func (b *Backend) Refuses() bool { return !b.Reachable() || refuses(b.Filters) }

// BackendRef is one port of one Service.
type BackendRef struct {
	Service types.NamespacedName
	Port    int32
	// PortName is the port's name in the Service, by which EndpointSlices know it; may be empty.
	PortName string
	// Protocol is what is spoken to it.
	Protocol BackendProtocol
}

// BackendProtocol is what is spoken to a backend.
type BackendProtocol int

// The protocols of backends.
const (
	// HTTP1 is HTTP/1.1, which is also how a WebSocket begins.
	HTTP1 BackendProtocol = iota
	// H2C is HTTP/2: in clear text with prior knowledge, and over TLS where a BackendTLSPolicy asks for it.
	H2C
	// TCP is whatever a connection carries: as it comes, and over TLS where a BackendTLSPolicy asks for it.
	TCP
	// Passthrough is a connection that is over TLS already, and whatever it carries.
	Passthrough
	// UDP is datagrams.
	UDP
)

// policed reports whether BackendTLSPolicies say anything about how the protocol is spoken.
func (p BackendProtocol) policed() bool { return p != Passthrough && p != UDP }

// resolver resolves references against the objects and grants of one Input.
type resolver struct {
	// kind of the routes whose backendRefs are resolved.
	kind     gatewayv1.Kind
	services map[types.NamespacedName]*corev1.Service
	secrets  map[types.NamespacedName]*TLSSecret
	// configMaps hold certificate authorities.
	configMaps map[types.NamespacedName]*corev1.ConfigMap
	grants     grants
	// policies of the backends; nil for none.
	policies *backendPolicies
	// now as given.
	now time.Time
	// passthrough: what is sent to the backends is over TLS already.
	passthrough bool
}

// resolve resolves the backendRef of a route in a namespace. The order of the checks is deliberate: without a grant
// nothing is said about whether the Service exists.
func (r *resolver) resolve(namespace string, ref *gatewayv1.BackendRef) Backend {
	backend := Backend{Weight: weight(ref.Weight)}
	backend.Service = types.NamespacedName{Namespace: namespace, Name: string(ref.Name)}
	if ref.Namespace != nil {
		backend.Service.Namespace = string(*ref.Namespace)
	}
	if ref.Port != nil {
		backend.Port = *ref.Port
	}
	backend.Protocol = r.streamProtocol()
	backend.Problem = r.problem(namespace, ref, &backend)
	return backend
}

func (r *resolver) problem(namespace string, ref *gatewayv1.BackendRef, backend *Backend) *Problem {
	// "It refers to an unknown or unsupported kind of resource. In this case, the Reason must be set to `InvalidKind`
	// and Message of the Condition must explain which kind of resource is unknown or unsupported." (HTTPBackendRef)
	if group, kind := groupKind(ref); group != coreGroup || kind != serviceKind {
		return problem(gatewayv1.RouteReasonInvalidKind,
			"%s %q is not supported as a backend; supported is Service", qualified(group, kind), ref.Name)
	}
	// "It refers a resource in another namespace when the reference has not been explicitly allowed by a ReferenceGrant
	// [...] the Reason must be set to `RefNotPermitted`" (HTTPBackendRef)
	if backend.Service.Namespace != namespace && !r.grants.allow(grantee{kind: r.kind, namespace: namespace}, serviceKind, backend.Service) {
		return problem(gatewayv1.RouteReasonRefNotPermitted,
			"no ReferenceGrant in namespace %q lets %ss of namespace %q refer to Service %q",
			backend.Service.Namespace, r.kind, namespace, backend.Service.Name)
	}
	// "It refers to a resource that does not exist. In this case, the Reason must be set to `BackendNotFound` and the
	// Message of the Condition must explain which resource does not exist." (HTTPBackendRef)
	service, ok := r.services[backend.Service]
	if !ok {
		return problem(gatewayv1.RouteReasonBackendNotFound, "Service %s does not exist", backend.Service)
	}
	// "ExternalName services [...] may not be safe to forward to (see CVE-2021-25740 for more information).
	// Implementations SHOULD NOT support ExternalName Services." (BackendObjectReference.kind)
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		return problem(gatewayv1.RouteReasonUnsupportedValue,
			"Service %s is of type ExternalName, which is not supported because it can lead out of the namespace's control (CVE-2021-25740)",
			backend.Service)
	}
	// "Port is required when the referent is a Kubernetes Service." (BackendObjectReference.port)
	if ref.Port == nil {
		return problem(gatewayv1.RouteReasonUnsupportedValue, "port is required for Service %s", backend.Service)
	}
	return r.portProblem(service, backend)
}

// streamProtocol is what routes of the kind speak to their backends; HTTP1 where the backend's port tells it.
func (r *resolver) streamProtocol() BackendProtocol {
	switch {
	case r.kind == UDPRouteKind:
		return UDP
	case r.passthrough:
		return Passthrough
	case carriesStreams(r.kind):
		return TCP
	default:
		return HTTP1
	}
}

// transport is the protocol that a Service's port is of.
func (r *resolver) transport() corev1.Protocol {
	if r.kind == UDPRouteKind {
		return corev1.ProtocolUDP
	}
	return corev1.ProtocolTCP
}

// portProblem checks the port that the backend refers to, and notes its name and what is spoken to it.
func (r *resolver) portProblem(service *corev1.Service, backend *Backend) *Problem {
	port := servicePort(service, backend.Port, r.transport())
	if port == nil {
		return problem(gatewayv1.RouteReasonBackendNotFound, "Service %s has no port %d", backend.Service, backend.Port)
	}
	if !isOf(port, r.transport()) {
		return problem(gatewayv1.RouteReasonUnsupportedProtocol, "port %d of Service %s is of protocol %s; %ss need %s",
			backend.Port, backend.Service, cmp.Or(port.Protocol, corev1.ProtocolTCP), r.kind, r.transport())
	}
	// "If a Route is not able to send traffic to the backend using the specified protocol then the backend is considered
	// invalid. Implementations MUST set the "ResolvedRefs" condition to "False" with the "UnsupportedProtocol" reason."
	// (BackendRef)
	policy := r.policies.of(backend.Service, port.Name)
	if !backend.Protocol.policed() {
		policy = nil
	}
	protocol, ok := spoken(port, r.kind, policy != nil)
	if carriesStreams(r.kind) {
		protocol, ok = backend.Protocol, true
	}
	if !ok {
		return problem(gatewayv1.RouteReasonUnsupportedProtocol,
			"port %d of Service %s has appProtocol %q, which is not supported for %ss; supported are %s",
			port.Port, backend.Service, *port.AppProtocol, r.kind, appProtocols[r.kind])
	}
	if policy != nil && policy.full {
		return problem(gatewayv1.RouteReasonUnsupportedValue,
			"BackendTLSPolicy %s of Service %s is followed by %d Gateways already, and its status has no room for another",
			policy.key(), backend.Service, MaxAncestors)
	}
	backend.PortName, backend.Protocol = port.Name, protocol
	backend.Withheld = policy != nil && policy.tls == nil
	return nil
}

// PortName is the name of a Service's port, by which EndpointSlices know it; empty for a port without a name. False when the
// Service has no such port of that protocol.
func PortName(service *corev1.Service, port int32, protocol corev1.Protocol) (string, bool) {
	found := servicePort(service, port, protocol)
	if found == nil || !isOf(found, protocol) {
		return "", false
	}
	return found.Name, true
}

// servicePort finds a port of a Service by number: the one of the protocol where several share the number. Nil when there is
// none.
func servicePort(service *corev1.Service, number int32, protocol corev1.Protocol) *corev1.ServicePort {
	var found *corev1.ServicePort
	for i := range service.Spec.Ports {
		port := &service.Spec.Ports[i]
		if port.Port == number && (found == nil || isOf(port, protocol)) {
			found = port
		}
	}
	return found
}

// isOf reports whether a port is of a protocol; TCP is the default.
func isOf(port *corev1.ServicePort, protocol corev1.Protocol) bool {
	return cmp.Or(port.Protocol, corev1.ProtocolTCP) == protocol
}

var appProtocolFeatures = []features.FeatureName{
	features.SupportHTTPRouteBackendProtocolH2C,
	features.SupportHTTPRouteBackendProtocolWebSocket,
}

// appProtocols are those that routes of a kind can speak, for messages.
var appProtocols = map[gatewayv1.Kind]string{
	HTTPRouteKind: "http, kubernetes.io/h2c, kubernetes.io/ws and, with a BackendTLSPolicy, https and kubernetes.io/wss",
	GRPCRouteKind: "kubernetes.io/h2c and, with a BackendTLSPolicy, https",
}

// spoken is the protocol that a port's appProtocol asks for: HTTP by its IANA names, and the standard protocols of KEP-3726.
// False for any other, and for one over TLS where no policy says how: "`kubernetes.io/wss` | `HTTPRoute` | Only if there is a
// corresponding `BackendTLSPolicy`" (GEP-1911). With a policy TLS is spoken whatever the appProtocol, which then tells HTTP/2 from
// HTTP/1.1. Where nothing is said, it is what the kind of route needs: "Implementations MAY infer the protocol from the Route
// type referring to the backend Service." (BackendRef)
//
// "Thus when a `*Route` points to a Kubernetes Service, implementations SHOULD honor the appProtocol field if it is set for
// the target Service Port." (GEP-1911)
func spoken(port *corev1.ServicePort, kind gatewayv1.Kind, overTLS bool) (BackendProtocol, bool) {
	appProtocol := strings.ToLower(text(port.AppProtocol))
	secured := overTLS && appProtocol == "https"
	switch {
	case appProtocol == "kubernetes.io/h2c", appProtocol == "" && kind == GRPCRouteKind:
		return H2C, true
	case kind == GRPCRouteKind:
		return H2C, secured
	default:
		return HTTP1, appProtocol == "" || appProtocol == "http" || appProtocol == "kubernetes.io/ws" ||
			secured || overTLS && appProtocol == "kubernetes.io/wss"
	}
}

func groupKind(ref *gatewayv1.BackendRef) (gatewayv1.Group, gatewayv1.Kind) {
	group, kind := coreGroup, serviceKind
	if ref.Group != nil {
		group = *ref.Group
	}
	if ref.Kind != nil {
		kind = *ref.Kind
	}
	return group, kind
}

func qualified(group gatewayv1.Group, kind gatewayv1.Kind) string {
	if group == coreGroup {
		return string(kind)
	}
	return string(group) + "/" + string(kind)
}

// weight is the weight of a backendRef: "If unspecified, weight defaults to 1." The API admits 0 to 1,000,000; what an
// older schema let through is clamped.
func weight(specified *int32) uint32 {
	if specified == nil {
		return 1
	}
	return uint32(min(max(*specified, 0), maxWeight))
}

func problem[R ~string](reason R, format string, args ...any) *Problem {
	return &Problem{Reason: string(reason), Message: fmt.Sprintf(format, args...)}
}
