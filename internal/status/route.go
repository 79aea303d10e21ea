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
	"slices"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// RouteProgrammed is the condition that says whether every ready replica serves the route as it is. The Gateway API
// names none for routes, hence the domain prefix.
const RouteProgrammed = "rauta.dev/Programmed"

// MaxParents is the API's bound on RouteStatus.parents.
const MaxParents = 32

// routeConditions are the condition types that this controller owns in its entries of RouteStatus.parents.
var routeConditions = []string{string(gatewayv1.RouteConditionPartiallyInvalid), topology.ConditionShadowed}

// Route gives the route's status as seen from one Gateway.
//
// "Implementations MUST update only entries that have a matching value of `controllerName` for that implementation."
// Of those, it writes the entries for this Gateway and removes the ones whose parentRef the route no longer has; entries
// for other Gateways of this controller stay. The order of what stays is kept, and new entries follow in the route's
// order. When nothing changes, the parents are the very slice that the route has.
func Route(route *topology.Route, t *topology.Topology, delivery *Delivery, now time.Time) gatewayv1.RouteStatus {
	object := route.Object
	controller := gatewayv1.GatewayController(t.ControllerName)
	next := withoutStale(object, controller, nil)
	detached := !sameSlice(next, topology.StatusOf(object).Parents)
	for i := range route.Parents {
		parent := &route.Parents[i]
		at := slices.IndexFunc(next, func(s gatewayv1.RouteParentStatus) bool {
			return s.ControllerName == controller && sameParent(&s.ParentRef, &parent.Ref, object.GetNamespace())
		})
		if at < 0 && len(next) >= MaxParents {
			continue
		}
		var old gatewayv1.RouteParentStatus
		if at >= 0 {
			old = next[at]
		}
		before := programmed(old.Conditions, RouteProgrammed, object.GetGeneration())
		decisions := append(parent.Decisions(), routeProgrammed(route, parent, t, delivery, before))
		entry := gatewayv1.RouteParentStatus{
			ParentRef:      parent.Ref,
			ControllerName: controller,
			Conditions:     merged(old.Conditions, decisions, routeConditions, object.GetGeneration(), now),
		}
		if at >= 0 && sameSlice(entry.Conditions, old.Conditions) && apiequality.Semantic.DeepEqual(entry.ParentRef, old.ParentRef) {
			continue
		}
		if !detached {
			next, detached = slices.Clone(next), true
		}
		if at >= 0 {
			next[at] = entry
			continue
		}
		next = append(next, entry)
	}
	return routeStatus(next)
}

// RouteDetached gives the status of a route whose parents may have gone: this controller's entries stay only where
// the route still has the parentRef and live says that its Gateway or ListenerSet is there and ours. Nothing else changes.
func RouteDetached(object topology.RouteObject, controllerName string, live func(kind gatewayv1.Kind, parent types.NamespacedName) bool) gatewayv1.RouteStatus {
	return routeStatus(withoutStale(object, gatewayv1.GatewayController(controllerName), live))
}

func routeStatus(parents []gatewayv1.RouteParentStatus) gatewayv1.RouteStatus {
	if parents == nil {
		// The field is required: an empty list, not null.
		parents = []gatewayv1.RouteParentStatus{}
	}
	return gatewayv1.RouteStatus{Parents: parents}
}

// withoutStale gives the parents without this controller's entries that the route has no parentRef for, or whose
// parent is not live. The very slice when all stay.
func withoutStale(object topology.RouteObject, controller gatewayv1.GatewayController, live func(gatewayv1.Kind, types.NamespacedName) bool) []gatewayv1.RouteParentStatus {
	stale := func(entry *gatewayv1.RouteParentStatus) bool {
		if entry.ControllerName != controller {
			return false
		}
		if live != nil && !live(topology.ParentOf(&entry.ParentRef, object.GetNamespace())) {
			return true
		}
		return !slices.ContainsFunc(topology.ParentRefsOf(object), func(ref gatewayv1.ParentReference) bool {
			return sameParent(&ref, &entry.ParentRef, object.GetNamespace())
		})
	}
	parents := topology.StatusOf(object).Parents
	if !slices.ContainsFunc(parents, func(s gatewayv1.RouteParentStatus) bool { return stale(&s) }) {
		return parents
	}
	kept := make([]gatewayv1.RouteParentStatus, 0, len(parents))
	for i := range parents {
		if !stale(&parents[i]) {
			kept = append(kept, parents[i])
		}
	}
	return kept
}

// routeProgrammed decides RouteProgrammed.
func routeProgrammed(route *topology.Route, parent *topology.Parent, t *topology.Topology, delivery *Delivery, before bool) topology.Decision {
	if !parent.Accepted.True() {
		return decide(RouteProgrammed, metav1.ConditionFalse, gatewayv1.GatewayReasonInvalid, "the route is not accepted")
	}
	if !servedBy(parent, t) {
		return decide(RouteProgrammed, metav1.ConditionFalse, gatewayv1.GatewayReasonListenersNotValid, "no listener that the route is attached to is valid")
	}
	if refused := refusedBackend(route, delivery); refused != "" {
		return decide(RouteProgrammed, metav1.ConditionFalse, ReasonRefusedByProxy, refused)
	}
	decision := topology.Decision{}
	for _, name := range route.ResourceNames() {
		decision = delivery.resource(RouteProgrammed, name, "route", before)
		if decision.Status != metav1.ConditionTrue {
			break
		}
	}
	return decision
}

// refusedBackend says which of the route's backends the proxy holds in quarantine; empty when none.
func refusedBackend(route *topology.Route, delivery *Delivery) string {
	if len(delivery.Refused) == 0 {
		return ""
	}
	for _, rules := range [][]topology.Rule{route.Rules, route.Passthrough} {
		for i := range rules {
			if refused := refusedOf(&rules[i], i, delivery); refused != "" {
				return refused
			}
		}
	}
	return ""
}

func refusedOf(rule *topology.Rule, at int, delivery *Delivery) string {
	for j := range rule.Backends {
		if refused := refusedBy(delivery, &rule.Backends[j]); refused != "" {
			return fmt.Sprintf("rules[%d].backendRefs[%d]: %s", at, j, refused)
		}
	}
	for mirror := range rule.Mirrors {
		if refused := refusedBy(delivery, mirror); refused != "" {
			return fmt.Sprintf("rules[%d]: mirror to Service %s: %s", at, mirror.Service, refused)
		}
	}
	return ""
}

// refusedBy says why the proxy does not send to a backend; empty when it does.
func refusedBy(delivery *Delivery, backend *topology.Backend) string {
	for _, name := range []string{topology.BackendName(backend.BackendRef), topology.EndpointsName(backend.BackendRef)} {
		if reason, ok := delivery.Refused[name]; ok && backend.Problem == nil {
			return fmt.Sprintf("the proxy refuses %s: %s", name, reason)
		}
	}
	return ""
}

// servedBy reports whether a listener that the parentRef attaches to is served.
func servedBy(parent *topology.Parent, t *topology.Topology) bool {
	return slices.ContainsFunc(parent.Listeners, t.Serves)
}

// sameParent reports whether two parentRefs of one route mean the same, defaults considered.
func sameParent(a, b *gatewayv1.ParentReference, namespace string) bool {
	return parentName(a, namespace) == parentName(b, namespace) &&
		or(a.Group, gatewayv1.GroupName) == or(b.Group, gatewayv1.GroupName) &&
		or(a.Kind, "Gateway") == or(b.Kind, "Gateway") &&
		or(a.SectionName, "") == or(b.SectionName, "") &&
		or(a.Port, 0) == or(b.Port, 0)
}

func parentName(ref *gatewayv1.ParentReference, namespace string) types.NamespacedName {
	return types.NamespacedName{Namespace: string(or(ref.Namespace, gatewayv1.Namespace(namespace))), Name: string(ref.Name)}
}

func or[T any](value *T, otherwise T) T {
	if value == nil {
		return otherwise
	}
	return *value
}

// sameSlice reports whether two slices are one: the same elements in the same place.
func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
