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

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// The kinds of routes that are served.
const (
	HTTPRouteKind = gatewayv1.Kind("HTTPRoute")
	GRPCRouteKind = gatewayv1.Kind("GRPCRoute")
	TLSRouteKind  = gatewayv1.Kind("TLSRoute")
	TCPRouteKind  = gatewayv1.Kind("TCPRoute")
	UDPRouteKind  = gatewayv1.Kind("UDPRoute")
)

// RouteObject is a route of one of these kinds.
type RouteObject interface {
	metav1.Object
	runtime.Object
}

// KindOf is the kind of a route.
func KindOf(object RouteObject) gatewayv1.Kind {
	switch object.(type) {
	case *gatewayv1.GRPCRoute:
		return GRPCRouteKind
	case *gatewayv1.TLSRoute:
		return TLSRouteKind
	case *gatewayv1.TCPRoute:
		return TCPRouteKind
	case *gatewayv1.UDPRoute:
		return UDPRouteKind
	default:
		return HTTPRouteKind
	}
}

// NewRoute is a route of a kind with nothing but its metadata.
func NewRoute(kind gatewayv1.Kind, metadata metav1.ObjectMeta) RouteObject {
	switch kind {
	case GRPCRouteKind:
		return &gatewayv1.GRPCRoute{ObjectMeta: metadata}
	case TLSRouteKind:
		return &gatewayv1.TLSRoute{ObjectMeta: metadata}
	case TCPRouteKind:
		return &gatewayv1.TCPRoute{ObjectMeta: metadata}
	case UDPRouteKind:
		return &gatewayv1.UDPRoute{ObjectMeta: metadata}
	default:
		return &gatewayv1.HTTPRoute{ObjectMeta: metadata}
	}
}

// carriesStreams reports whether routes of a kind have connections or datagrams relayed, whatever they carry.
func carriesStreams(kind gatewayv1.Kind) bool {
	return kind == TLSRouteKind || kind == TCPRouteKind || kind == UDPRouteKind
}

// ParentRefsOf are a route's parentRefs.
func ParentRefsOf(object RouteObject) []gatewayv1.ParentReference {
	switch route := object.(type) {
	case *gatewayv1.GRPCRoute:
		return route.Spec.ParentRefs
	case *gatewayv1.TLSRoute:
		return route.Spec.ParentRefs
	case *gatewayv1.TCPRoute:
		return route.Spec.ParentRefs
	case *gatewayv1.UDPRoute:
		return route.Spec.ParentRefs
	default:
		return object.(*gatewayv1.HTTPRoute).Spec.ParentRefs
	}
}

// StatusOf is a route's status.
func StatusOf(object RouteObject) *gatewayv1.RouteStatus {
	switch route := object.(type) {
	case *gatewayv1.GRPCRoute:
		return &route.Status.RouteStatus
	case *gatewayv1.TLSRoute:
		return &route.Status.RouteStatus
	case *gatewayv1.TCPRoute:
		return &route.Status.RouteStatus
	case *gatewayv1.UDPRoute:
		return &route.Status.RouteStatus
	default:
		return &object.(*gatewayv1.HTTPRoute).Status.RouteStatus
	}
}

// hostnamesOf are a route's hostnames; TCPRoutes and UDPRoutes have none.
func hostnamesOf(object RouteObject) []gatewayv1.Hostname {
	switch route := object.(type) {
	case *gatewayv1.GRPCRoute:
		return route.Spec.Hostnames
	case *gatewayv1.TLSRoute:
		return route.Spec.Hostnames
	case *gatewayv1.HTTPRoute:
		return route.Spec.Hostnames
	default:
		return nil
	}
}

// byName orders routes by namespace, name and kind.
func byName(a, b RouteObject) int { return CompareRouteIDs(IDOf(a), IDOf(b)) }

// CompareRouteIDs orders routes by namespace, name and kind.
func CompareRouteIDs(a, b RouteID) int {
	if order := cmp.Compare(a.Namespace, b.Namespace); order != 0 {
		return order
	}
	if order := cmp.Compare(a.Name, b.Name); order != 0 {
		return order
	}
	return cmp.Compare(a.Kind, b.Kind)
}

// byAge orders routes as precedence does: "The oldest Route based on creation timestamp. The Route appearing first in
// alphabetical order by "{namespace}/{name}"." (GRPCRouteSpec.hostnames)
func byAge(a, b RouteObject) int {
	createdA, createdB := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	return cmp.Or(createdA.Compare(createdB.Time), cmp.Compare(a.GetNamespace()+"/"+a.GetName(), b.GetNamespace()+"/"+b.GetName()), byName(a, b))
}

// BackendRefsOf are the references of a route's rules to backends, and to the mirrors of their filters.
func BackendRefsOf(object RouteObject) []gatewayv1.BackendObjectReference {
	var refs []gatewayv1.BackendObjectReference
	switch route := object.(type) {
	case *gatewayv1.GRPCRoute:
		for i := range route.Spec.Rules {
			rule := &route.Spec.Rules[i]
			for j := range rule.BackendRefs {
				refs = append(refs, rule.BackendRefs[j].BackendObjectReference)
				refs = appendMirrors(refs, httpFilters(rule.BackendRefs[j].Filters))
			}
			refs = appendMirrors(refs, httpFilters(rule.Filters))
		}
	case *gatewayv1.HTTPRoute:
		for i := range route.Spec.Rules {
			rule := &route.Spec.Rules[i]
			for j := range rule.BackendRefs {
				refs = append(refs, rule.BackendRefs[j].BackendObjectReference)
				refs = appendMirrors(refs, rule.BackendRefs[j].Filters)
			}
			refs = appendMirrors(refs, rule.Filters)
		}
	default:
		for _, rule := range streamRules(object) {
			for i := range rule.backendRefs {
				refs = append(refs, rule.backendRefs[i].BackendObjectReference)
			}
		}
	}
	return refs
}

func appendMirrors(refs []gatewayv1.BackendObjectReference, filters []gatewayv1.HTTPRouteFilter) []gatewayv1.BackendObjectReference {
	for i := range filters {
		if mirror := filters[i].RequestMirror; mirror != nil {
			refs = append(refs, mirror.BackendRef)
		}
	}
	return refs
}

// Routes are all routes in the order in which they are looked at: by name, and by age where routes of both kinds may want
// the same hostnames.
func (in *Input) Routes() []RouteObject {
	objects := in.Unordered()
	order := byName
	if len(in.HTTPRoutes) > 0 && len(in.GRPCRoutes) > 0 {
		order = byAge
	}
	slices.SortFunc(objects, order)
	return objects
}

// Unordered are all routes, for those to whom their order is nothing.
func (in *Input) Unordered() []RouteObject {
	count := len(in.HTTPRoutes) + len(in.GRPCRoutes) + len(in.TLSRoutes) + len(in.TCPRoutes) + len(in.UDPRoutes)
	objects := make([]RouteObject, 0, count)
	objects = appendRoutes(objects, in.HTTPRoutes)
	objects = appendRoutes(objects, in.GRPCRoutes)
	objects = appendRoutes(objects, in.TLSRoutes)
	objects = appendRoutes(objects, in.TCPRoutes)
	return appendRoutes(objects, in.UDPRoutes)
}

func appendRoutes[T RouteObject](objects []RouteObject, routes []T) []RouteObject {
	for _, route := range routes {
		objects = append(objects, route)
	}
	return objects
}

// AddRoute adds a route to those of its kind.
func (in *Input) AddRoute(object RouteObject) {
	switch route := object.(type) {
	case *gatewayv1.HTTPRoute:
		in.HTTPRoutes = append(in.HTTPRoutes, route)
	case *gatewayv1.GRPCRoute:
		in.GRPCRoutes = append(in.GRPCRoutes, route)
	case *gatewayv1.TLSRoute:
		in.TLSRoutes = append(in.TLSRoutes, route)
	case *gatewayv1.TCPRoute:
		in.TCPRoutes = append(in.TCPRoutes, route)
	case *gatewayv1.UDPRoute:
		in.UDPRoutes = append(in.UDPRoutes, route)
	}
}
