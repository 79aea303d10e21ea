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
)

// touched is what a change may have changed.
type touched struct {
	// backends are how much more often or seldom backends are sent to, and services, where there are policies, how much more often or
	// seldom they are named.
	backends map[BackendRef]int
	services map[types.NamespacedName]int
	// counts are how many routes listeners had before.
	counts map[ListenerKey]int32
	// contenders want requests that routes which changed want, or wanted, and places are those of stream routes that did.
	contenders map[RouteID]bool
	places     map[streamPlace]bool
}

func newTouched() *touched {
	return &touched{
		backends: map[BackendRef]int{}, counts: map[ListenerKey]int32{}, contenders: map[RouteID]bool{}, places: map[streamPlace]bool{},
	}
}

// leave takes a route off the counts of its listeners.
func (t *Topology) leave(route *Route, touched *touched) {
	for _, at := range t.builder.attachedTo(route) {
		touched.remember(&t.Listeners[at], 0)
		t.Listeners[at].AttachedRoutes--
	}
	touched.use(route, -1)
}

// enter notes what a route was added to, which building it has done already.
func (t *Topology) enter(route *Route, touched *touched) {
	for _, at := range t.builder.attachedTo(route) {
		touched.remember(&t.Listeners[at], 1)
	}
	touched.use(route, 1)
}

// remember notes how many routes a listener had before, of which it has some more now.
func (t *touched) remember(l *Listener, more int32) {
	if _, known := t.counts[l.ListenerKey]; !known {
		t.counts[l.ListenerKey] = l.AttachedRoutes - more
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
