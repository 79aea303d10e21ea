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
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Input is a Gateway and everything that its topology depends on. Nothing of it is changed.
type Input struct {
	// ControllerName is this controller's name, as in GatewayClass spec.controllerName.
	ControllerName string
	// GatewayClass of the Gateway.
	GatewayClass *gatewayv1.GatewayClass
	// Gateway is required.
	Gateway *gatewayv1.Gateway
	// Namespaces by name: those of the routes and ListenerSets, for the selectors of allowedRoutes and allowedListeners. One that is missing has no labels.
	Namespaces map[string]*corev1.Namespace
	// ListenerSets whose parentRef is this Gateway. Others are passed over.
	ListenerSets []*gatewayv1.ListenerSet
	// HTTPRoutes with a parentRef to this Gateway or one of its ListenerSets. Others are passed over.
	HTTPRoutes []*gatewayv1.HTTPRoute
	// GRPCRoutes likewise, and the others.
	GRPCRoutes []*gatewayv1.GRPCRoute
	TLSRoutes  []*gatewayv1.TLSRoute
	TCPRoutes  []*gatewayv1.TCPRoute
	UDPRoutes  []*gatewayv1.UDPRoute
	// Services that the routes refer to. One that is missing does not exist.
	Services map[types.NamespacedName]*corev1.Service
	// Secrets that the listeners and the Gateway's spec.tls refer to. One that is missing does not exist, and nothing is known of what it held.
	Secrets map[types.NamespacedName]*TLSSecret
	// BackendTLSPolicies that target those Services. Others are passed over.
	BackendTLSPolicies []*gatewayv1.BackendTLSPolicy
	// ConfigMaps that the Gateway's spec.tls and those policies refer to. One that is missing does not exist.
	ConfigMaps map[types.NamespacedName]*corev1.ConfigMap
	// Grants of the namespaces of those Services, Secrets and ConfigMaps.
	Grants []*gatewayv1.ReferenceGrant
	// Now decides which certificates are valid. With a time of zero all are.
	Now time.Time
}

// Topology is what attached to what, and why not.
type Topology struct {
	// ControllerName as given.
	ControllerName string
	// Gateway is the Gateway's namespace and name.
	Gateway types.NamespacedName
	// Accepted is the Gateway's condition, as far as its own spec decides it.
	Accepted Decision
	// ResolvedRefs is the Gateway's condition: its own references, and the summary of its own listeners' ResolvedRefs.
	ResolvedRefs Decision
	// InsecureFrontend is the Gateway's condition InsecureFrontendValidationMode; nil unless it is True.
	InsecureFrontend *Decision
	// Listeners by precedence: the Gateway's own in its order, then those of its ListenerSets.
	Listeners []Listener
	// Own are the first of them: the Gateway's.
	Own []Listener
	// ListenerSets by precedence, also those that the Gateway does not allow.
	ListenerSets []ListenerSet
	// Routes by namespace, name and kind.
	Routes []Route
	// BackendTLSPolicies that concern the Gateway, by namespace and name.
	BackendTLSPolicies []BackendTLSPolicy
	// ClientCertificate is what the proxies prove themselves with to backends over TLS; nil for nothing.
	ClientCertificate *Certificate
	// InvalidCertificate is the Gateway's condition about ClientCertificate; nil unless it is True.
	InvalidCertificate *Decision
	// Changes is when something will be decided in another way although no object has changed; zero for never.
	Changes time.Time

	policies *backendPolicies
	// entrance is what the listeners were decided from.
	entrance entrance
	// builder and shadows are kept for Update, and kinds, how many routes there are of each.
	builder *routeBuilder
	shadows *shadows
	kinds   map[gatewayv1.Kind]int
	// uses counts what the served rules send to; nil until it was asked for.
	uses map[BackendRef]int
	// named counts which Services the attached routes may refer to, as far as policies are about them; nil until it was asked for.
	named map[types.NamespacedName]int
}

// Build decides the topology of one Gateway.
func Build(in Input) *Topology {
	r := resolver{kind: HTTPRouteKind, services: in.Services, secrets: in.Secrets, configMaps: in.ConfigMaps, grants: indexGrants(in.Grants), now: in.Now}
	r.policies = r.buildPolicies(&in)
	resolvers := map[gatewayv1.Kind]*resolver{}
	for _, kind := range []gatewayv1.Kind{HTTPRouteKind, GRPCRouteKind, TLSRouteKind, TCPRouteKind, UDPRouteKind} {
		of := r
		of.kind = kind
		resolvers[kind] = &of
	}
	t := &Topology{
		ControllerName: in.ControllerName,
		Gateway:        types.NamespacedName{Namespace: in.Gateway.Namespace, Name: in.Gateway.Name},
	}
	t.Listeners, t.ListenerSets = r.buildListeners(&in)
	t.Own = t.Listeners[:len(in.Gateway.Spec.Listeners):len(in.Gateway.Spec.Listeners)]
	t.Accepted = gatewayAccepted(in.Gateway, t.Own)
	t.ResolvedRefs = gatewayResolvedRefs(t.Own, r.clientCertificateProblem(in.Gateway))
	t.InsecureFrontend = insecureFrontend(in.Gateway)
	t.ClientCertificate, t.policies = r.clientCertificate(in.Gateway), r.policies
	t.entrance = entrance{resolver: &r, gateway: in.Gateway, namespaces: in.Namespaces}
	t.InvalidCertificate, t.Changes = r.invalidClientCertificate(t.ClientCertificate), r.nextChange(t)

	b := &routeBuilder{gateway: t.Gateway, namespaces: in.Namespaces, resolvers: resolvers}
	b.choose(t.Listeners, spansOf(len(t.Own), t.ListenerSets))
	if len(in.HTTPRoutes) > 0 && len(in.GRPCRoutes) > 0 {
		b.taken = make([]map[gatewayv1.Kind][]claim, len(t.Listeners))
	}
	objects := in.Routes()
	t.builder, t.shadows = b, newShadows(len(objects))
	t.Routes, t.kinds = make([]Route, 0, len(objects)), map[gatewayv1.Kind]int{}
	for _, object := range objects {
		route := b.build(object)
		if len(route.Parents) == 0 {
			continue
		}
		t.kinds[KindOf(object)]++
		t.shadows.note(&route)
		t.Routes = append(t.Routes, route)
	}
	if b.taken != nil {
		slices.SortFunc(t.Routes, func(a, b Route) int { return byName(a.Object, b.Object) })
		b.taken = nil
	}
	t.shadows.decide(t.Routes)
	decideStreamShadows(t.Routes)
	if r.policies != nil {
		t.BackendTLSPolicies = r.policies.decide(t.namedServices(), in.Services)
	}
	return t
}

// Backends are the Service ports that the served rules send requests to, sorted, each once.
func (t *Topology) Backends() []BackendRef {
	seen := t.used()
	refs := make([]BackendRef, 0, len(seen))
	for ref := range seen {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, compareBackends)
	return refs
}

func compareBackends(a, b BackendRef) int {
	return cmp.Or(
		cmp.Compare(a.Service.Namespace, b.Service.Namespace),
		cmp.Compare(a.Service.Name, b.Service.Name),
		cmp.Compare(a.Port, b.Port),
		cmp.Compare(a.Protocol, b.Protocol),
	)
}

// used counts how often the served rules name each Service port.
func (t *Topology) used() map[BackendRef]int {
	if t.uses != nil {
		return t.uses
	}
	t.uses = map[BackendRef]int{}
	for i := range t.Routes {
		if len(t.Routes[i].Attachments) == 0 {
			continue
		}
		t.Routes[i].eachBackend(func(b *Backend) { t.uses[b.BackendRef]++ })
	}
	return t.uses
}

// Certificates are those that the served listeners prove themselves with, and that of the Gateway where a backend is spoken to
// over TLS; sorted, each once.
func (t *Topology) Certificates() []Certificate {
	var certificates []Certificate
	overTLS := func(ref BackendRef) bool { return t.BackendTLS(ref) != nil }
	if t.ClientCertificate != nil && slices.ContainsFunc(t.Backends(), overTLS) {
		certificates = append(certificates, *t.ClientCertificate)
	}
	for i := range t.Listeners {
		if t.Listeners[i].Served() {
			certificates = append(certificates, t.Listeners[i].Certificates...)
		}
	}
	return distinctCertificates(certificates)
}

// distinctCertificates sorts certificates, each once.
func distinctCertificates(certificates []Certificate) []Certificate {
	slices.SortFunc(certificates, func(a, b Certificate) int { return compareNames(a.Secret, b.Secret) })
	return slices.CompactFunc(certificates, func(a, b Certificate) bool { return a.Secret == b.Secret })
}

// Ports are the distinct ports of the listeners that are served, ascending.
func (t *Topology) Ports() []int32 {
	var ports []int32
	for i := range t.Listeners {
		if t.Listeners[i].Served() {
			ports = append(ports, t.Listeners[i].Port)
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}
