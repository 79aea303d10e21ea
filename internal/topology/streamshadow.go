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
)

// streamPlace is where one stream route can be: a listener and, where TLS tells it, a hostname.
type streamPlace struct {
	listener ListenerKey
	hostname string
}

// decideStreamShadows sets Shadowed of the stream routes that have a place in common with an older one, or one that comes first
// by name: there is nothing in a connection that would choose between them. "When two TCPRoutes target the same Gateway
// listener, both must report Accepted=True. Only the oldest route is attached" (conformance test TCPRouteMultipleRoutesAttachment).
func decideStreamShadows(routes []Route) {
	var streams []*Route
	for i := range routes {
		if routes[i].streams() {
			streams = append(streams, &routes[i])
		}
	}
	slices.SortFunc(streams, func(a, b *Route) int { return byAge(a.Object, b.Object) })
	taken := map[streamPlace]RouteObject{}
	for _, route := range streams {
		for i := range route.Attachments {
			for _, at := range route.Attachments[i].places() {
				if taken[at] == nil {
					taken[at] = route.Object
				}
			}
		}
	}
	for _, route := range streams {
		for i := range route.Parents {
			route.Parents[i].Shadowed = route.streamShadow(&route.Parents[i], taken)
		}
	}
}

// streams reports whether a route has connections or datagrams relayed.
func (r *Route) streams() bool { return carriesStreams(KindOf(r.Object)) && len(r.Attachments) > 0 }

func (a *Attachment) places() []streamPlace {
	hostnames := a.hostnamesOrAny()
	places := make([]streamPlace, len(hostnames))
	for i, hostname := range hostnames {
		places[i] = streamPlace{a.Listener, hostname}
	}
	return places
}

// streamShadow says what of a parentRef's places others have; nil where they have none.
func (r *Route) streamShadow(parent *Parent, taken map[streamPlace]RouteObject) *Decision {
	var lost []string
	reason := ReasonShadowed
	for i := range r.Attachments {
		if !slices.Contains(parent.Listeners, r.Attachments[i].Listener) {
			continue
		}
		for _, at := range r.Attachments[i].places() {
			owner := taken[at]
			if owner == r.Object {
				reason = ReasonPartiallyShadowed
				continue
			}
			what := "all that comes"
			if at.hostname != "" {
				what = fmt.Sprintf("what comes for host %q", at.hostname)
			}
			lost = append(lost, fmt.Sprintf("%s on listener %q goes to %s %s/%s, which is older, or first by name",
				what, at.listener, KindOf(owner), owner.GetNamespace(), owner.GetName()))
		}
	}
	if len(lost) == 0 {
		return nil
	}
	decision := yes(ConditionShadowed, reason, enumerate(lost))
	return &decision
}

// eachPlace calls f for the places of a stream route.
func (r *Route) eachPlace(f func(streamPlace)) {
	for i := range r.Attachments {
		for _, hostname := range r.Attachments[i].hostnamesOrAny() {
			f(streamPlace{r.Attachments[i].Listener, hostname})
		}
	}
}

// reconsiderStreams decides Shadowed again of the stream routes that have one of the places, and gives those that it is another for.
func (t *Topology) reconsiderStreams(places map[streamPlace]bool) []RouteID {
	if len(places) == 0 {
		return nil
	}
	var affected []*Route
	wanted := map[streamPlace]bool{}
	for i := range t.Routes {
		route, here := &t.Routes[i], false
		if !route.streams() {
			continue
		}
		route.eachPlace(func(at streamPlace) { here = here || places[at] })
		if here {
			affected = append(affected, route)
			route.eachPlace(func(at streamPlace) { wanted[at] = true })
		}
	}
	taken := map[streamPlace]RouteObject{}
	for i := range t.Routes {
		route := &t.Routes[i]
		if !route.streams() {
			continue
		}
		route.eachPlace(func(at streamPlace) {
			if wanted[at] && (taken[at] == nil || byAge(route.Object, taken[at]) < 0) {
				taken[at] = route.Object
			}
		})
	}
	var changed []RouteID
	for _, route := range affected {
		before := shadowedOf(route)
		for i := range route.Parents {
			route.Parents[i].Shadowed = route.streamShadow(&route.Parents[i], taken)
		}
		if !slices.EqualFunc(before, shadowedOf(route), sameDecision) {
			changed = append(changed, IDOf(route.Object))
		}
	}
	return changed
}
