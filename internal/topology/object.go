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
)

// RouteObject is an HTTPRoute or a GRPCRoute.
type RouteObject interface {
	metav1.Object
	runtime.Object
}

// KindOf is the kind of a route.
func KindOf(object RouteObject) gatewayv1.Kind {
	if _, is := object.(*gatewayv1.GRPCRoute); is {
		return GRPCRouteKind
	}
	return HTTPRouteKind
}

// ParentRefsOf are a route's parentRefs.
func ParentRefsOf(object RouteObject) []gatewayv1.ParentReference {
	if route, is := object.(*gatewayv1.GRPCRoute); is {
		return route.Spec.ParentRefs
	}
	return object.(*gatewayv1.HTTPRoute).Spec.ParentRefs
}

// StatusOf is a route's status.
func StatusOf(object RouteObject) *gatewayv1.RouteStatus {
	if route, is := object.(*gatewayv1.GRPCRoute); is {
		return &route.Status.RouteStatus
	}
	return &object.(*gatewayv1.HTTPRoute).Status.RouteStatus
}

func hostnamesOf(object RouteObject) []gatewayv1.Hostname {
	if route, is := object.(*gatewayv1.GRPCRoute); is {
		return route.Spec.Hostnames
	}
	return object.(*gatewayv1.HTTPRoute).Spec.Hostnames
}

// byName orders routes by namespace, name and kind.
func byName(a, b RouteObject) int { return compareNames(IDOf(a), IDOf(b)) }

func compareNames(a, b RouteID) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kind, b.Kind))
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
	if route, is := object.(*gatewayv1.GRPCRoute); is {
		for i := range route.Spec.Rules {
			rule := &route.Spec.Rules[i]
			for j := range rule.BackendRefs {
				refs = append(refs, rule.BackendRefs[j].BackendObjectReference)
				refs = appendMirrors(refs, httpFilters(rule.BackendRefs[j].Filters))
			}
			refs = appendMirrors(refs, httpFilters(rule.Filters))
		}
		return refs
	}
	rules := object.(*gatewayv1.HTTPRoute).Spec.Rules
	for i := range rules {
		for j := range rules[i].BackendRefs {
			refs = append(refs, rules[i].BackendRefs[j].BackendObjectReference)
			refs = appendMirrors(refs, rules[i].BackendRefs[j].Filters)
		}
		refs = appendMirrors(refs, rules[i].Filters)
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
	objects := make([]RouteObject, 0, len(in.HTTPRoutes)+len(in.GRPCRoutes))
	for _, route := range in.HTTPRoutes {
		objects = append(objects, route)
	}
	for _, route := range in.GRPCRoutes {
		objects = append(objects, route)
	}
	order := byName
	if len(in.HTTPRoutes) > 0 && len(in.GRPCRoutes) > 0 {
		order = byAge
	}
	slices.SortFunc(objects, order)
	return objects
}
