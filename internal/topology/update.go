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
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// RouteID names a route.
type RouteID struct {
	Kind            gatewayv1.Kind
	Namespace, Name string
}

// IDOf is a route's.
func IDOf(object RouteObject) RouteID {
	return RouteID{Kind: KindOf(object), Namespace: object.GetNamespace(), Name: object.GetName()}
}

// ResourceNames are all that the route may have in the proxy's table.
func (id RouteID) ResourceNames() []string {
	name := RouteName(id.Kind, id.Namespace, id.Name)
	if id.Kind == TLSRouteKind {
		return []string{name, PassthroughName(name)}
	}
	return []string{name}
}

// Change is what has changed of the input that a topology was built from.
type Change struct {
	// Routes that are new, or others than they were.
	Routes []RouteObject
	// Gone are those that are not there any more.
	Gone []RouteID
	// Services that have come, changed or gone in the input's map. All routes that name them have to be among Routes.
	Services []types.NamespacedName
	// Grants of namespaces that nothing referred to before.
	Grants []*gatewayv1.ReferenceGrant
	// ListenerSets of the Gateway that are new, or others than they were. All routes that name them, or did, have to be among Routes or Gone.
	ListenerSets []*gatewayv1.ListenerSet
	// GoneListenerSets are those that are not there any more, or not the Gateway's.
	GoneListenerSets []types.NamespacedName
	// Secrets are those of the input as they are with the ListenerSets that changed; nil where none of these names any. Those that others
	// name are what they were.
	Secrets map[types.NamespacedName]*TLSSecret
	// Now is the time, where ListenerSets changed.
	Now time.Time
}

// Difference is what became of a topology by a change.
type Difference struct {
	// Decided are the routes that were decided anew and are there, and Gone those that were there and are not any more.
	Decided, Gone []RouteID
	// Shadowed are others that requests or connections were taken from, or given back to.
	Shadowed []RouteID
	// Added and Dropped are what the served rules send to now and did not before, or the other way round.
	Added, Dropped []BackendRef
	// Counted are the owners of the listeners whose AttachedRoutes changed: ListenerSets, and nothing for the Gateway.
	Counted map[types.NamespacedName]bool
	// Policies is set where something else may be said about the BackendTLSPolicies.
	Policies bool
	// ListenerSets are those that something else may be said about than how many routes their listeners have, Opened the listeners that are
	// served and were not, or as others, and Closed those that were served and are not any more, or as others.
	ListenerSets   []types.NamespacedName
	Opened, Closed []ListenerKey
	// Shown are the certificates of the listeners that were opened, and Withdrawn those which nothing is served with any more.
	Shown     []Certificate
	Withdrawn []types.NamespacedName
}

// Update decides anew what a change of routes and ListenerSets, and of what they alone refer to, decides: the routes themselves, those
// which they take requests or connections from, the counts of their listeners, and the policies of their backends; the listeners, and the
// routes on those that are served or are not any more. What routes and ListenerSets refer to has to be in the input that the topology was
// built from. The topology is then that which Build would give.
//
// It reports false where more than that may change: routes of two kinds contend for a hostname, very many routes for the same
// requests, or whether there are backends over TLS, to which the Gateway proves itself; or where something is decided in another way
// by now. The topology must then not be used any more.
func (t *Topology) Update(change Change) (*Difference, bool) {
	d := &Difference{Counted: map[types.NamespacedName]bool{}}
	t.builder.learn(change.Grants)
	uses := t.used()
	touched := newTouched()
	if t.policies != nil || t.named != nil {
		t.namedServices()
		touched.services = map[types.NamespacedName]int{}
	}
	next, ok := t.restage(&change, d)
	if !ok || !t.replace(t.concerned(&change, next), next, touched, d) {
		return d, false
	}
	t.reconsider(touched, d)
	for key, before := range touched.counts {
		if l := t.FindListener(key); l != nil && l.AttachedRoutes != before {
			d.Counted[key.Set] = true
		}
	}
	for ref, delta := range touched.backends {
		before, after := count(uses, ref, delta)
		switch {
		case before == 0 && after > 0:
			d.Added = append(d.Added, ref)
		case before > 0 && after == 0:
			d.Dropped = append(d.Dropped, ref)
		}
	}
	slices.SortFunc(d.Added, compareBackends)
	slices.SortFunc(d.Dropped, compareBackends)
	t.withdraw(next, d)
	t.updatePolicies(change.Services, touched, d)
	overTLS := func(ref BackendRef) bool { return t.BackendTLS(ref) != nil }
	return d, t.ClientCertificate == nil || !slices.ContainsFunc(d.Added, overTLS) && !slices.ContainsFunc(d.Dropped, overTLS)
}

// count changes a count, of which 0 is not kept.
func count[K comparable](counts map[K]int, key K, by int) (before, after int) {
	before = counts[key]
	after = before + by
	counts[key] = after
	if after == 0 {
		delete(counts, key)
	}
	return before, after
}

// learn adds grants of namespaces of which there were none.
func (b *routeBuilder) learn(more []*gatewayv1.ReferenceGrant) {
	// All resolvers have the same.
	known := b.resolvers[HTTPRouteKind].grants
	for _, grant := range more {
		known[grant.Namespace] = append(known[grant.Namespace], grant)
	}
}

// reconsider decides whose the requests and connections are that routes want which came, changed or went.
func (t *Topology) reconsider(touched *touched, d *Difference) {
	others := slices.Concat(t.shadows.reconsider(t, touched.contenders), t.reconsiderStreams(touched.places))
	if len(others) == 0 {
		return
	}
	decided := make(map[RouteID]bool, len(d.Decided))
	for _, id := range d.Decided {
		decided[id] = true
	}
	d.Shadowed = slices.DeleteFunc(others, func(id RouteID) bool { return decided[id] })
	slices.SortFunc(d.Shadowed, CompareRouteIDs)
}

// updatePolicies decides about the policies again where others of their targets are used, or have changed.
func (t *Topology) updatePolicies(services []types.NamespacedName, touched *touched, d *Difference) {
	targeted := func(service types.NamespacedName) bool { return t.policies != nil && t.policies.targeted[service] }
	for _, service := range services {
		d.Policies = d.Policies || targeted(service)
	}
	for service, delta := range touched.services {
		before, after := count(t.named, service, delta)
		d.Policies = d.Policies || (before == 0) != (after == 0) && targeted(service)
	}
	if d.Policies {
		t.BackendTLSPolicies = t.policies.decide(t.named, t.builder.resolvers[HTTPRouteKind].services)
	}
}

// decision is a route that is decided again; without an object one that is gone.
type decision struct {
	id     RouteID
	object RouteObject
}

// concerned are the routes that are to be decided again: those that changed, and those that name a ListenerSet of which they have to know.
func (t *Topology) concerned(change *Change, next *stage) []decision {
	again := make([]decision, 0, len(change.Gone)+len(change.Routes))
	for _, id := range change.Gone {
		again = append(again, decision{id: id})
	}
	for _, object := range change.Routes {
		again = append(again, decision{IDOf(object), object})
	}
	if next == nil {
		return again
	}
	changed := make(map[RouteID]bool, len(again))
	for _, one := range again {
		changed[one.id] = true
	}
	for i := range t.Routes {
		if !t.Routes[i].names(next.concerns) {
			continue
		}
		if id := IDOf(t.Routes[i].Object); !changed[id] {
			again = append(again, decision{id, t.Routes[i].Object})
		}
	}
	return again
}

// replace puts routes in the places of those of their names before, on the listeners as they are next; nil for those that there are. All
// give up what they have before any of them is decided.
func (t *Topology) replace(again []decision, next *stage, touched *touched, d *Difference) bool {
	var come []decision
	was := make(map[RouteID]bool, len(again))
	for _, one := range again {
		at, found := t.find(one.id)
		if !found {
			if one.object != nil {
				come = append(come, one)
			}
			continue
		}
		before := &t.Routes[at]
		if t.contends(before.Object) || !t.shadows.leave(before, t.Routes, touched.contenders) {
			return false
		}
		t.leave(before, touched)
		t.kinds[one.id.Kind]--
		was[one.id] = true
		// It keeps its place, and has nothing in it until it is decided.
		*before = Route{Object: before.Object}
	}
	t.enterStage(next)
	t.makeRoom(come)
	gone := 0
	for _, one := range again {
		decided, ok := t.decide(one, touched)
		switch {
		case !ok:
			return false
		case decided:
			d.Decided = append(d.Decided, one.id)
			continue
		case was[one.id]:
			d.Gone = append(d.Gone, one.id)
		}
		gone++
	}
	t.drop(again, gone)
	return true
}

// makeRoom makes places for routes that are new, each of which has nothing in it yet.
func (t *Topology) makeRoom(come []decision) {
	slices.SortFunc(come, func(a, b decision) int { return CompareRouteIDs(a.id, b.id) })
	end := len(t.Routes)
	t.Routes = append(t.Routes, make([]Route, len(come))...)
	for i := len(come) - 1; i >= 0; i-- {
		at, _ := findRoute(t.Routes[:end], come[i].id)
		copy(t.Routes[at+i+1:], t.Routes[at:end])
		t.Routes[at+i] = Route{Object: come[i].object}
		end = at
	}
}

// decide decides a route, which has a place where it is there, and reports whether it concerns the Gateway. It reports false, too, where
// it cannot be decided alone.
func (t *Topology) decide(one decision, touched *touched) (decided, ok bool) {
	if one.object == nil {
		return false, true
	}
	if t.contends(one.object) {
		return false, false
	}
	after := t.builder.build(one.object)
	if len(after.Parents) == 0 {
		return false, true
	}
	if !t.shadows.enter(&after, t.Routes, touched.contenders) {
		return false, false
	}
	t.enter(&after, touched)
	t.kinds[one.id.Kind]++
	at, _ := t.find(one.id)
	t.Routes[at] = after
	return true, true
}

// drop removes the places of routes that do not concern the Gateway, of which there are so many among those that were decided.
func (t *Topology) drop(again []decision, gone int) {
	empty := func(r Route) bool { return len(r.Parents) == 0 }
	if gone > 1 {
		t.Routes = slices.DeleteFunc(t.Routes, empty)
		return
	}
	for _, one := range again {
		if at, found := t.find(one.id); gone == 1 && found && empty(t.Routes[at]) {
			t.Routes = slices.Delete(t.Routes, at, at+1)
			return
		}
	}
}

// SharesEndpoints reports whether a served rule sends to the endpoints of a Service's port, in whatever protocol over the same
// transport.
func (t *Topology) SharesEndpoints(ref BackendRef) bool {
	for used := range t.used() {
		if used.Service == ref.Service && used.Port == ref.Port && (used.Protocol == UDP) == (ref.Protocol == UDP) {
			return true
		}
	}
	return false
}

// Names reports whether an attached route may refer to a Service that policies may be about.
func (t *Topology) Names(service types.NamespacedName) bool { return t.namedServices()[service] > 0 }

// Find gives a route; nil when it is not there.
func (t *Topology) Find(id RouteID) *Route {
	if at, found := t.find(id); found {
		return &t.Routes[at]
	}
	return nil
}

func (t *Topology) find(id RouteID) (int, bool) { return findRoute(t.Routes, id) }

func findRoute(routes []Route, id RouteID) (int, bool) {
	return slices.BinarySearchFunc(routes, id, func(r Route, id RouteID) int {
		return CompareRouteIDs(IDOf(r.Object), id)
	})
}
