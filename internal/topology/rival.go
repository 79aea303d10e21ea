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
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// ReasonHostnameConflict is the reason of a route's Accepted=False where a route of the other kind has its hostnames. The
// specification demands the condition and names no reason.
const ReasonHostnameConflict = "HostnameConflict"

// claim is what a route has on a listener: its hostnames there, or the listener's where it has none.
type claim struct {
	object    RouteObject
	hostnames []string
}

// rival finds the route of the other kind that was attached to listener i before and has a hostname in common with this one.
//
// "If a Route (A) of type HTTPRoute or GRPCRoute is attached to a Listener and that listener already has another Route (B) of
// the other type attached and the intersection of the hostnames of A and B is non-empty, then the implementation MUST accept
// exactly one of these two routes" (GRPCRouteSpec.hostnames)
func (b *routeBuilder) rival(i int, object RouteObject) RouteObject {
	if b.taken == nil || !b.candidates[i].matches {
		return nil
	}
	other := HTTPRouteKind
	if KindOf(object) == HTTPRouteKind {
		other = GRPCRouteKind
	}
	for _, claim := range b.taken[i][other] {
		if overlap(claim.hostnames, b.claimed(i)) {
			return claim.object
		}
	}
	return nil
}

// claim notes that the route at hand is attached to listener i.
func (b *routeBuilder) claim(i int, object RouteObject) {
	if b.taken == nil {
		return
	}
	if b.taken[i] == nil {
		b.taken[i] = map[gatewayv1.Kind][]claim{}
	}
	kind := KindOf(object)
	b.taken[i][kind] = append(b.taken[i][kind], claim{object: object, hostnames: b.claimed(i)})
}

// claimed are the hostnames of the route at hand on listener i; an empty one stands for every host.
func (b *routeBuilder) claimed(i int) []string {
	if hostnames := b.candidates[i].hostnames; len(hostnames) > 0 {
		return hostnames
	}
	return []string{b.listeners[i].Hostname}
}

func overlap(a, b []string) bool {
	for _, first := range a {
		for _, second := range b {
			if first == "" || second == "" || intersect(first, second) {
				return true
			}
		}
	}
	return false
}
