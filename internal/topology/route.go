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
	"sigs.k8s.io/gateway-api/pkg/features"
)

// Route is one route that refers to the Gateway.
type Route struct {
	// Object is the route, as given. It must not be changed.
	Object RouteObject
	// Parents has one entry for each parentRef to this Gateway or one of its ListenerSets, in the route's order.
	Parents []Parent
	// Attachments are the served listeners that the route is attached to, in the Gateway's order. Empty when the proxy
	// does not need the route.
	Attachments []Attachment
	// Rules in the route's order.
	Rules []Rule
	// Passthrough are the rules in the place of Rules on listeners that pass TLS through: their backends are spoken to as the
	// clients speak. None where the route is attached to no such listener.
	Passthrough []Rule
}

// Parent is what was decided about one parentRef.
type Parent struct {
	// Ref as the route has it.
	Ref gatewayv1.ParentReference
	// Listeners that the parentRef attaches the route to, by precedence, served or not. Empty unless Accepted.
	Listeners []ListenerKey
	// set that Ref means; nil for the Gateway.
	set *types.NamespacedName

	Accepted     Decision
	ResolvedRefs Decision
	// PartiallyInvalid is nil unless some rules, but not all, are dropped. "This condition MUST only be set when it is
	// "True"."
	PartiallyInvalid *Decision
	// Shadowed is nil unless it is True.
	Shadowed *Decision
}

// Attachment is a route on a listener.
type Attachment struct {
	Listener ListenerKey
	// Hostnames of the route, as the route has them, that intersect with the listener's; empty when the route has none.
	Hostnames []string
	// Passthrough: the listener passes TLS through.
	Passthrough bool
}

// Decisions are the parent's conditions, in a fixed order.
func (p *Parent) Decisions() []Decision {
	decisions := []Decision{p.Accepted, p.ResolvedRefs}
	if p.PartiallyInvalid != nil {
		decisions = append(decisions, *p.PartiallyInvalid)
	}
	if p.Shadowed != nil {
		decisions = append(decisions, *p.Shadowed)
	}
	return decisions
}

// ResourceNames are the route's names in the proxy's table: one, or another one for listeners that pass TLS through, or both.
func (r *Route) ResourceNames() []string {
	name := RouteName(KindOf(r.Object), r.Object.GetNamespace(), r.Object.GetName())
	passes := func(a Attachment) bool { return a.Passthrough }
	ends := func(a Attachment) bool { return !a.Passthrough }
	switch {
	case !slices.ContainsFunc(r.Attachments, passes):
		return []string{name}
	case !slices.ContainsFunc(r.Attachments, ends):
		return []string{PassthroughName(name)}
	default:
		return []string{name, PassthroughName(name)}
	}
}

// EachRule gives the rules, and those for listeners that pass TLS through.
func (r *Route) EachRule(yield func(*Rule) bool) {
	for i := range r.Rules {
		if !yield(&r.Rules[i]) {
			return
		}
	}
	for i := range r.Passthrough {
		if !yield(&r.Passthrough[i]) {
			return
		}
	}
}

// eachBackend calls f for the resolved backends of the served rules.
func (r *Route) eachBackend(f func(*Backend)) {
	for rule := range r.EachRule {
		if rule.Refuses() {
			continue
		}
		for j := range rule.Backends {
			if !rule.Backends[j].Refuses() {
				f(&rule.Backends[j])
			}
		}
		for mirror := range rule.Mirrors {
			if mirror.Reachable() {
				f(mirror)
			}
		}
	}
}

// routeBuilder builds the routes of one Gateway and counts them on its listeners.
type routeBuilder struct {
	gateway   types.NamespacedName
	listeners []Listener
	// spans are whose the listeners are: by the ListenerSet, and by nothing for the Gateway.
	spans      map[types.NamespacedName]span
	namespaces map[string]*corev1.Namespace
	resolvers  map[gatewayv1.Kind]*resolver
	// taken are the hostnames that routes of either kind have on each listener; nil where all routes are of one kind, and once all
	// are built.
	taken []map[gatewayv1.Kind][]claim

	// Room for what is decided about the route at hand, one of each for every listener; used anew for each route.
	candidates []candidate
	// wanted are the listeners that a parentRef means and that take the route; attached is it where it is accepted.
	wanted, attached []bool
	// reached are the listeners that its parentRefs may mean, in order.
	reached []int
}

// candidate is what one listener says to one route.
type candidate struct {
	refused   string // why the route may not attach; empty when it may
	matches   bool   // the hostnames intersect
	hostnames []string
	rival     RouteObject // route of the other kind that has the hostnames already; nil when there is none
}

func (b *routeBuilder) build(object RouteObject) Route {
	route := Route{Object: object, Parents: b.parents(object)}
	if len(route.Parents) == 0 {
		return route
	}
	b.reach(route.Parents)
	b.ask(object)
	for i := range route.Parents {
		route.Parents[i].Accepted = b.attach(&route.Parents[i])
		b.mark(b.wanted, &route.Parents[i])
	}
	route.Rules, route.Passthrough = b.rules(object)
	resolved := resolvedRefs(route.Rules)
	supported, partially := supportedRules(route.Rules)
	for i := range route.Parents {
		parent := &route.Parents[i]
		parent.ResolvedRefs = resolved
		if parent.Accepted.True() && !supported.True() {
			parent.Accepted = supported
		}
		if !parent.Accepted.True() {
			parent.Listeners = nil
			continue
		}
		parent.PartiallyInvalid = partially
		b.mark(b.attached, parent)
	}
	for _, i := range b.reached {
		if !b.attached[i] {
			continue
		}
		b.listeners[i].AttachedRoutes++
		b.claim(i, object)
		if b.listeners[i].Served() {
			route.Attachments = append(route.Attachments, Attachment{
				Listener: b.listeners[i].ListenerKey, Hostnames: b.candidates[i].hostnames, Passthrough: b.listeners[i].Passthrough,
			})
		}
	}
	return route
}

// parents are a route's parentRefs to this Gateway and its ListenerSets.
func (b *routeBuilder) parents(object RouteObject) []Parent {
	var parents []Parent
	for _, ref := range ParentRefsOf(object) {
		if set, here := b.refersHere(&ref, object.GetNamespace()); here {
			parents = append(parents, Parent{Ref: ref, set: set})
		}
	}
	return parents
}

// refersHere reports whether a parentRef of a route names this Gateway, or one of its ListenerSets, which it then gives.
func (b *routeBuilder) refersHere(ref *gatewayv1.ParentReference, namespace string) (*types.NamespacedName, bool) {
	kind, key := ParentOf(ref, namespace)
	if kind == gatewayKind {
		return nil, key == b.gateway
	}
	if kind != ListenerSetKind {
		return nil, false
	}
	set := b.spans[key].set
	if set == nil {
		return nil, false
	}
	return set.name, true
}

// RefersTo reports whether a reference to a parent or an ancestor of an object in a namespace names a Gateway.
func RefersTo(ref *gatewayv1.ParentReference, namespace string, gateway types.NamespacedName) bool {
	kind, key := ParentOf(ref, namespace)
	return kind == gatewayKind && key == gateway
}

// ParentOf is what a parentRef of a route in a namespace names: a Gateway or a ListenerSet, or something without a kind. "When
// unspecified, "gateway.networking.k8s.io" is inferred" for the group, Gateway for the kind, and the route's namespace.
func ParentOf(ref *gatewayv1.ParentReference, namespace string) (gatewayv1.Kind, types.NamespacedName) {
	if ref.Namespace != nil {
		namespace = string(*ref.Namespace)
	}
	key := types.NamespacedName{Namespace: namespace, Name: string(ref.Name)}
	kind := gatewayKind
	if ref.Kind != nil {
		kind = *ref.Kind
	}
	if ref.Group != nil && *ref.Group != gatewayv1.GroupName || kind != gatewayKind && kind != ListenerSetKind {
		return "", key
	}
	return kind, key
}

// ask asks the listeners that it may mean about the route.
func (b *routeBuilder) ask(object RouteObject) {
	clear(b.wanted)
	clear(b.attached)
	for _, i := range b.reached {
		l, c := &b.listeners[i], &b.candidates[i]
		c.refused = l.allowed.refuses(object, b.namespaces[object.GetNamespace()])
		c.hostnames, c.matches = intersecting(l.Hostname, hostnamesOf(object))
		c.rival = b.rival(i, object)
	}
}

// attach decides which listeners a parentRef attaches to and, when there is none, says what stopped it last: no such
// listener, none that allows the route, or none whose hostname fits.
//
// "Listener or Route status does not impact successful attachment" (ListenerStatus.attachedRoutes), so a conflicted
// listener counts here; whether the route serves is said elsewhere.
func (b *routeBuilder) attach(parent *Parent) Decision {
	var selected, allowed int
	var refusals, rivals []string
	of := b.span(parent)
	for i := of.from; i < of.to; i++ {
		l := &b.listeners[i]
		if !selects(parent, l) {
			continue
		}
		selected++
		if refused := b.candidates[i].refused; refused != "" {
			refusals = append(refusals, fmt.Sprintf("listener %q: %s", l.ListenerKey, refused))
			continue
		}
		allowed++
		if rival := b.candidates[i].rival; rival != nil && b.candidates[i].matches {
			rivals = append(rivals, fmt.Sprintf("listener %q: %s %s/%s", l.ListenerKey, KindOf(rival), rival.GetNamespace(), rival.GetName()))
			continue
		}
		if b.candidates[i].matches {
			parent.Listeners = append(parent.Listeners, l.ListenerKey)
		}
	}
	switch {
	case parent.set != nil && of.from == of.to:
		return no(gatewayv1.RouteConditionAccepted, gatewayv1.RouteReasonNoMatchingParent,
			fmt.Sprintf("ListenerSet %s is not attached to its Gateway, see its status", *parent.set))
	case selected == 0 && parent.set != nil:
		return no(gatewayv1.RouteConditionAccepted, gatewayv1.RouteReasonNoMatchingParent,
			fmt.Sprintf("ListenerSet %s has no listener %s", *parent.set, selection(&parent.Ref)))
	case selected == 0:
		return no(gatewayv1.RouteConditionAccepted, gatewayv1.RouteReasonNoMatchingParent,
			fmt.Sprintf("Gateway %s has no listener %s", b.gateway, selection(&parent.Ref)))
	case allowed == 0:
		return no(gatewayv1.RouteConditionAccepted, gatewayv1.RouteReasonNotAllowedByListeners,
			"no listener allows the route: "+enumerate(refusals))
	case len(parent.Listeners) == 0 && len(rivals) > 0:
		return no(gatewayv1.RouteConditionAccepted, ReasonHostnameConflict,
			"a route of another kind has the hostnames already, being older, or first by name: "+enumerate(rivals))
	case len(parent.Listeners) == 0:
		return no(gatewayv1.RouteConditionAccepted, gatewayv1.RouteReasonNoMatchingListenerHostname,
			"none of spec.hostnames intersects with the hostname of a listener that allows the route")
	default:
		return yes(gatewayv1.RouteConditionAccepted, gatewayv1.RouteReasonAccepted, "the route is attached")
	}
}

var parentRefFeatures = []features.FeatureName{
	features.SupportHTTPRouteDestinationPortMatching,
	features.SupportHTTPRouteParentRefPort,
}

// selects reports whether a parentRef means a listener. "When both Port and SectionName are specified, the name and port
// of the selected listener must match both specified values." (ParentReference.port) The listeners of a ListenerSet are found by a reference to it alone.
func selects(parent *Parent, l *Listener) bool {
	if parent.set == nil && l.ofSet() || parent.set != nil && *parent.set != l.Set {
		return false
	}
	ref := &parent.Ref
	if ref.SectionName != nil && *ref.SectionName != "" && *ref.SectionName != l.Name {
		return false
	}
	return ref.Port == nil || *ref.Port == 0 || *ref.Port == l.Port
}

func selection(ref *gatewayv1.ParentReference) string {
	switch {
	case ref.SectionName != nil && *ref.SectionName != "" && ref.Port != nil:
		return fmt.Sprintf("%q on port %d", *ref.SectionName, *ref.Port)
	case ref.Port != nil:
		return fmt.Sprintf("on port %d", *ref.Port)
	case ref.SectionName != nil:
		return fmt.Sprintf("%q", *ref.SectionName)
	default:
		return "at all"
	}
}

// resolvedRefs decides ResolvedRefs: the first problem gives the reason, the message tells of all.
func resolvedRefs(rules []Rule) Decision {
	var reason string
	var problems []string
	add := func(problem *Problem, at string, indexes ...any) {
		if problem == nil {
			return
		}
		if reason == "" {
			reason = problem.Reason
		}
		problems = append(problems, fmt.Sprintf(at, indexes...)+": "+problem.Message)
	}
	for i := range rules {
		for j := range rules[i].Backends {
			add(rules[i].Backends[j].Problem, "rules[%d].backendRefs[%d]", i, j)
			for k := range rules[i].Backends[j].Filters {
				at, problem := rules[i].Backends[j].Filters[k].unresolved()
				add(problem, "rules[%d].backendRefs[%d].filters[%d].%s", i, j, k, at)
			}
		}
		for j := range rules[i].Filters {
			at, problem := rules[i].Filters[j].unresolved()
			add(problem, "rules[%d].filters[%d].%s", i, j, at)
		}
	}
	if len(problems) > 0 {
		return no(gatewayv1.RouteConditionResolvedRefs, reason, enumerate(problems))
	}
	return yes(gatewayv1.RouteConditionResolvedRefs, gatewayv1.RouteReasonResolvedRefs, "all references are resolved")
}

// supportedRules decides Accepted as far as the rules do, and PartiallyInvalid.
//
// "1) Drop Rule(s): With this approach, implementations will drop the invalid Route Rule(s) until they are fully valid
// again. The message for this condition MUST start with the prefix "Dropped Rule" and include information about which
// Rules have been dropped. [...] This condition MUST NOT be set if a Route is fully valid, fully invalid, or not
// accepted." (RouteConditionPartiallyInvalid)
func supportedRules(rules []Rule) (accepted Decision, partially *Decision) {
	var dropped []string
	for i := range rules {
		if rules[i].Unsupported != "" {
			dropped = append(dropped, fmt.Sprintf("rules[%d].%s", i, rules[i].Unsupported))
		}
	}
	switch {
	case len(dropped) == 0:
		return yes(gatewayv1.RouteConditionAccepted, gatewayv1.RouteReasonAccepted, ""), nil
	case len(dropped) == len(rules):
		return no(gatewayv1.RouteConditionAccepted, gatewayv1.RouteReasonUnsupportedValue,
			"no rule can be served: "+enumerate(dropped)), nil
	default:
		partial := yes(gatewayv1.RouteConditionPartiallyInvalid, gatewayv1.RouteReasonUnsupportedValue,
			fmt.Sprintf("Dropped Rule (what its valid matches take answers 500): %s", enumerate(dropped)))
		return yes(gatewayv1.RouteConditionAccepted, gatewayv1.RouteReasonAccepted, ""), &partial
	}
}
