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

// ResourceName is the route's name in the proxy's table.
func (id RouteID) ResourceName() string { return RouteName(id.Kind, id.Namespace, id.Name) }

// Difference is what became of a topology by a change of routes.
type Difference struct {
	// Decided are the routes that were decided anew and are there, and Gone those that were there and are not any more.
	Decided, Gone []RouteID
	// Added and Dropped are what the served rules send to now and did not before, or the other way round.
	Added, Dropped []BackendRef
	// Counted are the owners of the listeners whose AttachedRoutes changed: ListenerSets, and nothing for the Gateway.
	Counted map[types.NamespacedName]bool
}

// Update decides anew what a change of routes alone decides: the routes themselves, given as they are now, or by name where they
// are gone, and the counts of their listeners. What routes refer to has to be in the input that the topology was built from. The
// topology is then that which Build would give.
//
// It reports false where more than that may change: routes of two kinds contend for hostnames, routes take each other's
// requests or connections, or policies depend on what is used. The topology must then not be used any more.
func (t *Topology) Update(changed []RouteObject, gone []RouteID) (*Difference, bool) {
	d := &Difference{Counted: map[types.NamespacedName]bool{}}
	if t.builder.taken != nil || t.policies != nil {
		return d, false
	}
	uses := t.used()
	touched := &touched{backends: map[BackendRef]int{}, counts: map[int]int32{}}
	for _, id := range gone {
		if carriesStreams(id.Kind) {
			return d, false
		}
		if !t.replace(id, nil, touched, d) {
			return d, false
		}
	}
	for _, object := range changed {
		if !t.builder.alone(KindOf(object)) {
			return d, false
		}
		if !t.replace(IDOf(object), object, touched, d) {
			return d, false
		}
	}
	for at, before := range touched.counts {
		if t.Listeners[at].AttachedRoutes != before {
			d.Counted[t.Listeners[at].Set] = true
		}
	}
	for ref, delta := range touched.backends {
		before := uses[ref]
		uses[ref] = before + delta
		if uses[ref] == 0 {
			delete(uses, ref)
		}
		switch {
		case before == 0 && uses[ref] > 0:
			d.Added = append(d.Added, ref)
		case before > 0 && uses[ref] == 0:
			d.Dropped = append(d.Dropped, ref)
		}
	}
	slices.SortFunc(d.Added, compareBackends)
	slices.SortFunc(d.Dropped, compareBackends)
	return d, true
}

// replace puts a route in the place of the one of that name before; nil removes it.
func (t *Topology) replace(id RouteID, object RouteObject, touched *touched, d *Difference) bool {
	at, found := t.find(id)
	if found {
		before := &t.Routes[at]
		if !t.shadows.leave(before) {
			return false
		}
		t.leave(before, touched)
	}
	var after Route
	if object != nil {
		after = t.builder.build(object)
	}
	if len(after.Parents) == 0 {
		if found {
			t.Routes = slices.Delete(t.Routes, at, at+1)
			d.Gone = append(d.Gone, id)
		}
		return true
	}
	if !t.shadows.enter(&after) {
		return false
	}
	t.enter(&after, touched)
	d.Decided = append(d.Decided, id)
	if found {
		t.Routes[at] = after
		return true
	}
	t.Routes = slices.Insert(t.Routes, at, after)
	return true
}

// touched is what a change may have changed: how much more often or seldom backends are sent to, and how many routes listeners, by
// their indexes, had before.
type touched struct {
	backends map[BackendRef]int
	counts   map[int]int32
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
