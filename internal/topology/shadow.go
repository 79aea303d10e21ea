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
	"cmp"
	"hash/maphash"
	"iter"
	"slices"
	"strconv"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// ConditionShadowed is the condition that says that rules of a route get none of the requests that they match, or not all, as rules
// that go first match the same. Such a route is valid, and the Gateway API names no condition for it, hence the domain prefix.
// It is set only when it is True.
const ConditionShadowed = "rauta.dev/Shadowed"

// The reasons of ConditionShadowed.
const (
	ReasonShadowed          = "Shadowed"
	ReasonPartiallyShadowed = "PartiallyShadowed"
)

// place is what one match of a rule takes on a listener for one of the route's hostnames, all given by their indexes. Of those who
// want the same place, one gets all requests.
type place struct {
	route, rule, match, attachment, hostname int32
	// next place of the same sum; -1 for none.
	next int32
}

// loss is a place that belongs to another rule.
type loss struct {
	place
	winner place
}

// shadows finds out which rules take each other's requests.
type shadows struct {
	routes []Route
	seed   maphash.Seed
	places []place
	// wanted are the sums of all places, and contested those that are wanted more than once, each with the routes that want it, one
	// as often as it does. These are kept for what changes, unless they are too many.
	wanted    sumSet
	contested map[uint32][]RouteID
	contended int
	// first place of each contested sum, as an index.
	first map[uint32]int32

	// Room for what is computed of the route and the match at hand, used anew for each.
	spots []uint64
	text  []byte
	taken []uint32
}

// aged is a route by its index, with when it was made.
type aged struct {
	seconds     int64
	nanoseconds int32
	route       int32
}

// newShadows is for about so many routes.
func newShadows(routes int) *shadows {
	return &shadows{seed: maphash.MakeSeed(), wanted: newSumSet(2 * routes), contested: map[uint32][]RouteID{}}
}

// note notes what a route wants, best while it has just been looked at.
func (s *shadows) note(route *Route) {
	for sum := range s.wants(route) {
		if !s.wanted.add(sum) {
			s.contested[sum] = nil
		}
	}
}

// decide sets Shadowed of the parents of all routes, which were noted and are ordered by name.
//
// "If ties still exist across multiple Routes, matching precedence MUST be determined in order of the following criteria,
// continuing on ties: The oldest Route based on creation timestamp. The Route appearing first in alphabetical order by
// "{namespace}/{name}". If ties still exist within an HTTPRoute, matching precedence MUST be granted to the FIRST matching rule
// (in list order) with a match meeting the above criteria." (HTTPRouteRule.matches)
func (s *shadows) decide(routes []Route) {
	if len(s.contested) == 0 {
		return
	}
	order := make([]aged, 0, len(routes))
	for i := range routes {
		order = append(order, agedAt(routes, i))
	}
	s.judge(routes, order, func(at int32, lost []loss) {
		s.remember(&routes[at])
		if len(lost) > 0 {
			s.tell(&routes[at], lost)
		}
	})
}

func agedAt(routes []Route, at int) aged {
	created := routes[at].Object.GetCreationTimestamp()
	return aged{seconds: created.Unix(), nanoseconds: int32(created.Nanosecond()), route: int32(at)}
}

// judge calls judged with each of some routes and what they lose to each other.
func (s *shadows) judge(routes []Route, some []aged, judged func(at int32, lost []loss)) {
	s.routes, s.first = routes, make(map[uint32]int32, min(len(some), len(s.contested)))
	slices.SortFunc(some, s.byPrecedence)
	var lost []loss
	for _, next := range some {
		lost = s.take(int(next.route), lost[:0])
		judged(next.route, lost)
	}
	s.routes, s.places, s.first = nil, nil, nil
}

// tell sets Shadowed of a route's parents.
func (s *shadows) tell(route *Route, lost []loss) {
	for j := range route.Parents {
		route.Parents[j].Shadowed = s.decision(route, &route.Parents[j], lost)
	}
}

// byPrecedence is byAge for routes that are ordered by name, without making strings, which would cost more than all comparisons.
func (s *shadows) byPrecedence(a, b aged) int {
	if order := cmp.Or(cmp.Compare(a.seconds, b.seconds), cmp.Compare(a.nanoseconds, b.nanoseconds)); order != 0 {
		return order
	}
	spaceA, spaceB := s.routes[a.route].Object.GetNamespace(), s.routes[b.route].Object.GetNamespace()
	if spaceA != spaceB {
		// "a-b/x" is before "a/x", though "a" is before "a-b".
		if rest, longer := strings.CutPrefix(spaceB, spaceA); longer {
			return cmp.Compare("/", rest)
		}
		if rest, longer := strings.CutPrefix(spaceA, spaceB); longer {
			return cmp.Compare(rest, "/")
		}
	}
	return cmp.Compare(a.route, b.route)
}

// take gives a route the contested places that nobody has, and appends those that somebody else has to lost.
func (s *shadows) take(route int, lost []loss) []loss {
	s.taken = s.taken[:0]
	for sum, wanted := range s.wants(&s.routes[route]) {
		if _, contested := s.contested[sum]; !contested {
			continue
		}
		s.taken = append(s.taken, sum)
		wanted.route = int32(route)
		winner := s.claim(sum, wanted)
		if winner.route != wanted.route || winner.rule != wanted.rule {
			lost = append(lost, loss{place: wanted, winner: winner})
		}
	}
	return lost
}

// wants are the places that a route wants, by their sums and without its index.
func (s *shadows) wants(r *Route) iter.Seq2[uint32, place] {
	return func(yield func(uint32, place) bool) {
		s.measure(r)
		wanted := place{next: -1}
		for i := range r.Rules {
			for j := range r.Rules[i].Matches {
				sum, at := s.matchSum(&r.Rules[i].Matches[j]), 0
				for k := range r.Attachments {
					for l := range r.Attachments[k].hostnamesOrAny() {
						wanted.rule, wanted.match, wanted.attachment, wanted.hostname = int32(i), int32(j), int32(k), int32(l)
						if !yield(uint32(mixed(sum+s.spots[at])>>32), wanted) {
							return
						}
						at++
					}
				}
			}
		}
	}
}

// measure gives the sums of a route's listeners with its hostnames there, which all of its matches have in common.
func (s *shadows) measure(r *Route) {
	s.spots = s.spots[:0]
	for i := range r.Attachments {
		listener := &r.Attachments[i].Listener
		sum := maphash.String(s.seed, string(listener.Name))
		if listener.ofSet() {
			sum += mixed(maphash.String(s.seed, listener.Set.Name) + 1)
		}
		for _, hostname := range r.Attachments[i].hostnamesOrAny() {
			s.spots = append(s.spots, mixed(sum)+mixed(maphash.String(s.seed, hostname)+1))
		}
	}
}

var anyHostname = []string{""}

func (a *Attachment) hostnamesOrAny() []string {
	if len(a.Hostnames) == 0 {
		return anyHostname
	}
	return a.Hostnames
}

// claim takes a place, unless somebody has it, and gives who has it then.
func (s *shadows) claim(sum uint32, wanted place) place {
	at, taken := s.first[sum]
	for i := at; taken && i >= 0; i = s.places[i].next {
		if s.same(&s.places[i], &wanted) {
			return s.places[i]
		}
	}
	if taken {
		wanted.next = at
	}
	s.first[sum] = int32(len(s.places))
	s.places = append(s.places, wanted)
	return wanted
}

func (s *shadows) same(a, b *place) bool {
	listenerA, hostnameA := s.where(a)
	listenerB, hostnameB := s.where(b)
	return hostnameA == hostnameB && *listenerA == *listenerB && sameMatch(s.match(a), s.match(b))
}

func (s *shadows) where(p *place) (*ListenerKey, string) {
	attachment := &s.routes[p.route].Attachments[p.attachment]
	return &attachment.Listener, attachment.hostnamesOrAny()[p.hostname]
}

func (s *shadows) match(p *place) *gatewayv1.HTTPRouteMatch {
	return &s.routes[p.route].Rules[p.rule].Matches[p.match]
}

// decision says what of a route's rules goes elsewhere on the listeners of a parent; nil where nothing does.
func (s *shadows) decision(route *Route, parent *Parent, lost []loss) *Decision {
	lost = slices.DeleteFunc(slices.Clone(lost), func(l loss) bool {
		listener, _ := s.where(&l.place)
		return !slices.Contains(parent.Listeners, *listener)
	})
	if len(lost) == 0 {
		return nil
	}
	places := 0
	for i := range route.Attachments {
		if slices.Contains(parent.Listeners, route.Attachments[i].Listener) {
			places += len(route.Attachments[i].hostnamesOrAny())
		}
	}
	reason := ReasonPartiallyShadowed
	var messages []string
	for len(lost) > 0 {
		rule := lost[0].rule
		end := slices.IndexFunc(lost, func(l loss) bool { return l.rule != rule })
		if end < 0 {
			end = len(lost)
		}
		if end == places*len(route.Rules[rule].Matches) {
			reason = ReasonShadowed
			messages = append(messages, ruleAt(rule)+": all its requests go to "+s.winners(route, lost[:end]))
		} else {
			messages = append(messages, s.describe(&lost[0].place)+s.winners(route, lost[:1])+more(end-1))
		}
		lost = lost[end:]
	}
	decision := yes(ConditionShadowed, reason, enumerate(messages))
	return &decision
}

// describe names the place that is lost.
func (s *shadows) describe(p *place) string {
	listener, hostname := s.where(p)
	host := "any host"
	if hostname != "" {
		host = "host " + strconv.Quote(hostname)
	}
	return ruleAt(p.rule) + ".matches[" + strconv.Itoa(int(p.match)) + "]: requests for " + host + " on listener " + strconv.Quote(listener.String()) + " go to "
}

func ruleAt(index int32) string { return "rules[" + strconv.Itoa(int(index)) + "]" }

func more(places int) string {
	if places == 0 {
		return ""
	}
	return ", and " + strconv.Itoa(places) + " more of its matches, hosts and listeners are taken"
}

// winners names the rule that has the first of the places, and whether there are others.
func (s *shadows) winners(route *Route, lost []loss) string {
	first := &lost[0].winner
	winner := &s.routes[first.route]
	name := ruleAt(first.rule) + " of this route, which matches the same and is before"
	if winner != route {
		object := winner.Object
		name = ruleAt(first.rule) + " of " + string(KindOf(object)) + " " + object.GetNamespace() + "/" + object.GetName() +
			", which matches the same and is older, or first by name"
	}
	other := func(l loss) bool { return l.winner.route != first.route || l.winner.rule != first.rule }
	if slices.ContainsFunc(lost, other) {
		name += ", and to others"
	}
	return name
}
