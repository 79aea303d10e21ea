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
	// first place of each hash, as an index.
	first map[uint64]int32
	// contested are the hashes of places that were wanted more than once.
	contested map[uint64]bool
}

// decideShadows sets Shadowed of the parents of all routes, which are ordered by name, and gives which places are taken.
//
// "If ties still exist across multiple Routes, matching precedence MUST be determined in order of the following criteria,
// continuing on ties: The oldest Route based on creation timestamp. The Route appearing first in alphabetical order by
// "{namespace}/{name}". If ties still exist within an HTTPRoute, matching precedence MUST be granted to the FIRST matching rule
// (in list order) with a match meeting the above criteria." (HTTPRouteRule.matches)
func decideShadows(routes []Route) *shadows {
	s := &shadows{routes: routes, seed: maphash.MakeSeed(), contested: map[uint64]bool{}}
	order, matches := make([]int, 0, len(routes)), 0
	for i := range routes {
		if len(routes[i].Attachments) == 0 {
			continue
		}
		order = append(order, i)
		for j := range routes[i].Rules {
			matches += len(routes[i].Rules[j].Matches)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return byPrecedence(routes[a].Object, routes[b].Object) })
	s.first, s.places = make(map[uint64]int32, matches), make([]place, 0, matches)
	var lost []loss
	for _, i := range order {
		lost = s.take(i, lost[:0])
		if len(lost) == 0 {
			continue
		}
		for j := range routes[i].Parents {
			routes[i].Parents[j].Shadowed = s.decision(&routes[i], &routes[i].Parents[j], lost)
		}
	}
	s.routes, s.places = nil, nil
	return s
}

// leave gives up the places of a route. It reports false where another one wants one of them too.
func (s *shadows) leave(route *Route) bool {
	for sum := range s.wants(route) {
		if s.contested[sum] {
			return false
		}
		delete(s.first, sum)
	}
	return true
}

// enter takes the places of a route. It reports false where one is taken.
func (s *shadows) enter(route *Route) bool {
	for sum := range s.wants(route) {
		if _, taken := s.first[sum]; taken {
			return false
		}
		s.first[sum] = -1
	}
	return true
}

// byPrecedence is byAge without making strings, which would cost more than all comparisons.
func byPrecedence(a, b RouteObject) int {
	createdA, createdB := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if order := createdA.Compare(createdB.Time); order != 0 {
		return order
	}
	spaceA, spaceB := a.GetNamespace(), b.GetNamespace()
	// "a-b/x" is before "a/x", though "a" is before "a-b".
	if rest, longer := strings.CutPrefix(spaceB, spaceA); longer && rest != "" {
		return cmp.Compare("/", rest)
	}
	if rest, longer := strings.CutPrefix(spaceA, spaceB); longer && rest != "" {
		return cmp.Compare(rest, "/")
	}
	return cmp.Or(cmp.Compare(spaceA, spaceB), cmp.Compare(a.GetName(), b.GetName()))
}

// take gives a route the places that nobody has, and appends those that somebody else has to lost.
func (s *shadows) take(route int, lost []loss) []loss {
	for sum, wanted := range s.wants(&s.routes[route]) {
		wanted.route = int32(route)
		winner := s.claim(sum, wanted)
		if winner.route != wanted.route || winner.rule != wanted.rule {
			lost = append(lost, loss{place: wanted, winner: winner})
		}
	}
	return lost
}

// wants are the places that a route wants, by their sums and without its index.
func (s *shadows) wants(r *Route) iter.Seq2[uint64, place] {
	return func(yield func(uint64, place) bool) {
		wanted := place{next: -1}
		for i := range r.Rules {
			for j := range r.Rules[i].Matches {
				sum := s.matchSum(&r.Rules[i].Matches[j])
				for k := range r.Attachments {
					at := sum + s.listenerSum(r.Attachments[k].Listener)
					for l, hostname := range r.Attachments[k].hostnamesOrAny() {
						wanted.rule, wanted.match, wanted.attachment, wanted.hostname = int32(i), int32(j), int32(k), int32(l)
						if !yield(at+mixed(maphash.String(s.seed, hostname)+1), wanted) {
							return
						}
					}
				}
			}
		}
	}
}

func (s *shadows) listenerSum(key ListenerKey) uint64 {
	sum := mixed(maphash.String(s.seed, string(key.Name)))
	if key.ofSet() {
		sum += mixed(maphash.String(s.seed, key.Set.Name) + 1)
	}
	return sum
}

var anyHostname = []string{""}

func (a *Attachment) hostnamesOrAny() []string {
	if len(a.Hostnames) == 0 {
		return anyHostname
	}
	return a.Hostnames
}

// claim takes a place, unless somebody has it, and gives who has it then.
func (s *shadows) claim(sum uint64, wanted place) place {
	at, taken := s.first[sum]
	if taken {
		s.contested[sum] = true
	}
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
