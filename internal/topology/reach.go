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

// span is a run of listeners that have one owner.
type span struct {
	from, to int
	set      *ListenerSet
}

// spansOf finds whose the listeners are. Those of one owner stand together.
func spansOf(own int, sets []ListenerSet) map[types.NamespacedName]span {
	spans := make(map[types.NamespacedName]span, len(sets)+1)
	spans[types.NamespacedName{}] = span{to: own}
	from := own
	for i := range sets {
		to := from + len(sets[i].Listeners)
		spans[sets[i].Key()] = span{from: from, to: to, set: &sets[i]}
		from = to
	}
	return spans
}

// choose gives the listeners that routes are built for, and whose they are.
func (b *routeBuilder) choose(listeners []Listener, spans map[types.NamespacedName]span) {
	b.listeners, b.spans = listeners, spans
	b.candidates = make([]candidate, len(listeners))
	b.wanted, b.attached = make([]bool, len(listeners)), make([]bool, len(listeners))
}

// Serves reports whether a listener is served.
func (t *Topology) Serves(key ListenerKey) bool {
	l := t.FindListener(key)
	return l != nil && l.Served()
}

// FindListener gives a listener; nil when it is not there.
func (t *Topology) FindListener(key ListenerKey) *Listener {
	of := t.builder.spans[key.Set]
	for at := of.from; at < of.to; at++ {
		if t.Listeners[at].ListenerKey == key {
			return &t.Listeners[at]
		}
	}
	return nil
}

// reach finds the listeners that parents may mean.
func (b *routeBuilder) reach(parents []Parent) {
	b.reached = b.reached[:0]
	for i := range parents {
		of := b.span(&parents[i])
		for at := of.from; at < of.to; at++ {
			b.reached = append(b.reached, at)
		}
	}
	if len(parents) > 1 {
		slices.Sort(b.reached)
		b.reached = slices.Compact(b.reached)
	}
}

func (b *routeBuilder) span(parent *Parent) span {
	if parent.set == nil {
		return b.spans[types.NamespacedName{}]
	}
	return b.spans[*parent.set]
}

// mark notes the listeners of a parent, which are in the Gateway's order.
func (b *routeBuilder) mark(marks []bool, parent *Parent) {
	next, of := 0, b.span(parent)
	for i := of.from; i < of.to && next < len(parent.Listeners); i++ {
		if b.listeners[i].ListenerKey == parent.Listeners[next] {
			marks[i] = true
			next++
		}
	}
}
