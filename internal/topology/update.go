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
}

// Update decides anew what a change of routes, and of what they alone refer to, decides: the routes themselves, those which they take
// requests or connections from, the counts of their listeners, and the policies of their backends. What routes refer to has to be in
// the input that the topology was built from. The topology is then that which Build would give.
//
// It reports false where more than that may change: routes of two kinds contend for a hostname, very many routes for the same
// requests, or whether there are backends over TLS, to which the Gateway proves itself. The topology must then not be used any more.
func (t *Topology) Update(change Change) (*Difference, bool) {
	d := &Difference{Counted: map[types.NamespacedName]bool{}}
	t.builder.learn(change.Grants)
	uses := t.used()
	touched := newTouched()
	if t.policies != nil || t.named != nil {
		t.namedServices()
		touched.services = map[types.NamespacedName]int{}
	}
	for _, id := range change.Gone {
		if !t.replace(id, nil, touched, d) {
			return d, false
		}
	}
	for _, object := range change.Routes {
		if !t.replace(IDOf(object), object, touched, d) {
			return d, false
		}
	}
	t.reconsider(touched, d)
	for at, before := range touched.counts {
		if t.Listeners[at].AttachedRoutes != before {
			d.Counted[t.Listeners[at].Set] = true
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

// replace puts a route in the place of the one of that name before; nil removes it.
func (t *Topology) replace(id RouteID, object RouteObject, touched *touched, d *Difference) bool {
	at, found := t.find(id)
	if found {
		before := &t.Routes[at]
		if t.contends(before.Object) || !t.shadows.leave(before, t.Routes, touched.contenders) {
			return false
		}
		t.leave(before, touched)
		t.kinds[id.Kind]--
	}
	var after Route
	if object != nil {
		if t.contends(object) {
			return false
		}
		after = t.builder.build(object)
	}
	if len(after.Parents) == 0 {
		if found {
			t.Routes = slices.Delete(t.Routes, at, at+1)
			d.Gone = append(d.Gone, id)
		}
		return true
	}
	if !t.shadows.enter(&after, t.Routes, touched.contenders) {
		return false
	}
	t.enter(&after, touched)
	t.kinds[id.Kind]++
	d.Decided = append(d.Decided, id)
	if found {
		t.Routes[at] = after
		return true
	}
	t.Routes = slices.Insert(t.Routes, at, after)
	return true
}

// touched is what a change may have changed.
type touched struct {
	// backends are how much more often or seldom backends are sent to, and services, where there are policies, how much more often or
	// seldom they are named.
	backends map[BackendRef]int
	services map[types.NamespacedName]int
	// counts are how many routes listeners, by their indexes, had before.
	counts map[int]int32
	// contenders want requests that routes which changed want, or wanted, and places are those of stream routes that did.
	contenders map[RouteID]bool
	places     map[streamPlace]bool
}

func newTouched() *touched {
	return &touched{
		backends: map[BackendRef]int{}, counts: map[int]int32{}, contenders: map[RouteID]bool{}, places: map[streamPlace]bool{},
	}
}

// leave takes a route off the counts of its listeners.
func (t *Topology) leave(route *Route, touched *touched) {
	for _, at := range t.builder.attachedTo(route) {
		touched.remember(at, t.Listeners[at].AttachedRoutes)
		t.Listeners[at].AttachedRoutes--
	}
	touched.use(route, -1)
}

// enter notes what a route was added to, which building it has done already.
func (t *Topology) enter(route *Route, touched *touched) {
	for _, at := range t.builder.attachedTo(route) {
		touched.remember(at, t.Listeners[at].AttachedRoutes-1)
	}
	touched.use(route, 1)
}

func (t *touched) remember(at int, before int32) {
	if _, known := t.counts[at]; !known {
		t.counts[at] = before
	}
}

func (t *touched) use(route *Route, by int) {
	if len(route.Attachments) > 0 {
		route.eachBackend(func(b *Backend) { t.backends[b.BackendRef] += by })
	}
	if t.services != nil {
		route.eachNamed(func(service types.NamespacedName) { t.services[service] += by })
	}
	if route.streams() {
		route.eachPlace(func(at streamPlace) { t.places[at] = true })
	}
}

// attachedTo are the listeners that a route is attached to, served or not, by their indexes.
func (b *routeBuilder) attachedTo(route *Route) []int {
	var indexes []int
	for i := range route.Parents {
		parent := &route.Parents[i]
		of := b.span(parent)
		for at := of.from; at < of.to; at++ {
			if slices.Contains(parent.Listeners, b.listeners[at].ListenerKey) && !slices.Contains(indexes, at) {
				indexes = append(indexes, at)
			}
		}
	}
	return indexes
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

func (t *Topology) find(id RouteID) (int, bool) {
	return slices.BinarySearchFunc(t.Routes, id, func(r Route, id RouteID) int {
		return CompareRouteIDs(IDOf(r.Object), id)
	})
}
