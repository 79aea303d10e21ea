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

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// want is what a route would have on a listener, were there no other routes.
type want struct {
	listener  int
	hostnames []string
}

// rivals are the kinds of routes that contend for hostnames.
var rivals = map[gatewayv1.Kind]gatewayv1.Kind{HTTPRouteKind: GRPCRouteKind, GRPCRouteKind: HTTPRouteKind}

// contends reports whether a route wants hostnames that one of the other kind wants too. Where it does not, neither has to do with the
// other.
func (t *Topology) contends(object RouteObject) bool {
	kind, is := rivals[KindOf(object)]
	if !is || t.kinds[kind] == 0 {
		return false
	}
	wanted := t.builder.wants(object)
	hostnames := hostnamesOf(object)
	for i := range t.Routes {
		other := t.Routes[i].Object
		// Most are told apart by what they have themselves.
		if KindOf(other) != kind || !mayOverlap(hostnames, hostnamesOf(other)) {
			continue
		}
		for _, theirs := range t.builder.wants(other) {
			same := func(ours want) bool {
				return ours.listener == theirs.listener && overlap(ours.hostnames, theirs.hostnames)
			}
			if slices.ContainsFunc(wanted, same) {
				return true
			}
		}
	}
	return false
}

// mayOverlap reports whether routes with these hostnames may have one in common on some listener.
func mayOverlap(a, b []gatewayv1.Hostname) bool {
	for _, first := range a {
		for _, second := range b {
			if intersect(string(first), string(second)) {
				return true
			}
		}
	}
	return len(a) == 0 || len(b) == 0
}

// wants gives the listeners that a route would be attached to.
func (b *routeBuilder) wants(object RouteObject) []want {
	parents := b.parents(object)
	b.reach(parents)
	b.ask(object)
	var wants []want
	for _, i := range b.reached {
		chooses := func(p Parent) bool { return selects(&p, &b.listeners[i]) }
		if c := &b.candidates[i]; c.refused == "" && c.matches && slices.ContainsFunc(parents, chooses) {
			wants = append(wants, want{listener: i, hostnames: b.claimed(i)})
		}
	}
	return wants
}
