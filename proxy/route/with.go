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

package route

import (
	"cmp"
	"maps"
	"slices"
)

// With is the table without some of the routes that it was made of, and with others. It shares all with the table before that they are not attached to:
// what a change costs depends on how many routes the hosts have that it concerns, and on the number of hosts by a copy of their names.
// It finds what a table
// that is made of all would.
func (t *Table[T]) With(gone, added []*Route[T]) *Table[T] {
	next := &Table[T]{ports: maps.Clone(t.ports), listeners: maps.Clone(t.listeners)}
	for name, hostnames := range reached(gone, added) {
		before := t.listeners[name]
		if before == nil {
			continue
		}
		after := &listener[T]{port: before.port, hostname: before.hostname, byHost: *before.byHost.clone()}
		for hostname := range hostnames {
			routes := before.routesOf(hostname, gone)
			routes = append(routes, attachedTo(added, name, hostname)...)
			after.put(hostname, routes)
		}
		next.listeners[name] = after
		if serving, _ := next.ports[before.port].get(before.hostname); serving == before {
			if next.ports[before.port] == t.ports[before.port] {
				next.ports[before.port] = t.ports[before.port].clone()
			}
			next.ports[before.port].set(before.hostname, after)
		}
	}
	return next
}

// reached are the hostnames that routes are attached to, by listener.
func reached[T any](lists ...[]*Route[T]) map[string]map[string]bool {
	hostnames := map[string]map[string]bool{}
	for _, routes := range lists {
		for _, route := range routes {
			for i := range route.Attachments {
				a := &route.Attachments[i]
				if hostnames[a.Listener] == nil {
					hostnames[a.Listener] = map[string]bool{}
				}
				for _, hostname := range a.hostnamesOrAny() {
					hostnames[a.Listener][hostname] = true
				}
			}
		}
	}
	return hostnames
}

// routesOf are those of a hostname, without some.
func (l *listener[T]) routesOf(hostname string, without []*Route[T]) []*Route[T] {
	p, found := l.byHost.get(hostname)
	if !found {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.routes), func(r *Route[T]) bool { return slices.Contains(without, r) })
}

// attachedTo are those of some routes that are attached to a hostname of a listener, each as often as it is.
func attachedTo[T any](routes []*Route[T], listener, hostname string) []*Route[T] {
	var attached []*Route[T]
	for _, route := range routes {
		for i := range route.Attachments {
			a := &route.Attachments[i]
			for _, name := range a.hostnamesOrAny() {
				if a.Listener == listener && name == hostname {
					attached = append(attached, route)
				}
			}
		}
	}
	return attached
}

// put gives a hostname the routes that it is to have.
func (l *listener[T]) put(hostname string, routes []*Route[T]) {
	if len(routes) == 0 {
		l.byHost.remove(hostname)
		return
	}
	slices.SortStableFunc(routes, func(a, b *Route[T]) int { return cmp.Compare(a.Key, b.Key) })
	p := newPaths[T]()
	for _, route := range routes {
		p.add(route)
	}
	p.finish()
	l.byHost.set(hostname, p)
}
