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
)

// roomFor bounds how many contenders for contested places are kept, so that they take little beside the routes themselves. Where there
// are more, a change of one of them has all decided again.
func roomFor(routes int) int { return 1024 + 4*routes }

// remember keeps that a route wants the contested places that it has just been asked about.
func (s *shadows) remember(route *Route) {
	if s.contended > roomFor(len(s.routes)) {
		return
	}
	id := IDOf(route.Object)
	for _, sum := range s.taken {
		s.contested[sum] = append(s.contested[sum], id)
	}
	s.contended += len(s.taken)
}

// leave gives up the places of a route, and notes those who wanted them too, and itself, as affected. It reports false where it is not
// known who they are.
func (s *shadows) leave(route *Route, routes []Route, affected map[RouteID]bool) bool {
	id := IDOf(route.Object)
	for sum := range s.wants(route) {
		contenders, contested := s.contested[sum]
		if !contested {
			s.wanted.remove(sum)
			continue
		}
		at := slices.Index(contenders, id)
		if s.contended > roomFor(len(routes)) || at < 0 {
			return false
		}
		for _, contender := range contenders {
			affected[contender] = true
		}
		s.contended--
		contenders = slices.Delete(contenders, at, at+1)
		s.contested[sum] = contenders
		if len(contenders) == 1 {
			// Whose it is alone is not kept.
			delete(s.contested, sum)
			s.contended--
		}
	}
	return true
}

// enter takes the places of a route, and notes those who want them too, and itself, as affected. It reports false where it is not known
// who they are.
func (s *shadows) enter(route *Route, routes []Route, affected map[RouteID]bool) bool {
	id := IDOf(route.Object)
	s.taken = s.taken[:0]
	for sum := range s.wants(route) {
		s.taken = append(s.taken, sum)
	}
	var found map[uint32]bool
	for i, sum := range s.taken {
		contenders, contested := s.contested[sum]
		if !contested && s.wanted.add(sum) {
			continue
		}
		if s.contended > roomFor(len(routes)) {
			return false
		}
		affected[id] = true
		switch {
		case contested:
			for _, contender := range contenders {
				affected[contender] = true
			}
		case slices.Contains(s.taken[:i], sum):
			contenders = []RouteID{id}
		default:
			if found == nil {
				found = map[uint32]bool{}
			}
			found[sum] = true
		}
		s.contested[sum] = append(contenders, id)
		s.contended += len(s.contested[sum]) - len(contenders)
		if !contested {
			s.contended += len(contenders)
		}
	}
	if len(found) > 0 {
		s.owners(found, id, routes, affected)
	}
	return true
}

// owners finds who had places alone that another route wants now, by asking all.
func (s *shadows) owners(of map[uint32]bool, but RouteID, routes []Route, affected map[RouteID]bool) {
	for i := range routes {
		id := IDOf(routes[i].Object)
		if id == but {
			continue
		}
		for sum := range s.wants(&routes[i]) {
			if of[sum] {
				s.contested[sum] = append(s.contested[sum], id)
				s.contended++
				affected[id] = true
			}
		}
	}
}

// reconsider decides Shadowed of the affected routes again, and gives those that it is another for.
func (s *shadows) reconsider(t *Topology, affected map[RouteID]bool) []RouteID {
	if len(affected) == 0 {
		return nil
	}
	// Whose requests those of the affected routes are depends on all who want the same.
	concerned := map[RouteID]bool{}
	for id := range affected {
		at, found := t.find(id)
		if !found {
			continue
		}
		concerned[id] = true
		for sum := range s.wants(&t.Routes[at]) {
			for _, contender := range s.contested[sum] {
				concerned[contender] = true
			}
		}
	}
	order := make([]aged, 0, len(concerned))
	for id := range concerned {
		at, _ := t.find(id)
		order = append(order, agedAt(t.Routes, at))
	}
	var changed []RouteID
	s.judge(t.Routes, order, func(at int32, lost []loss) {
		route := &t.Routes[at]
		id := IDOf(route.Object)
		if !affected[id] {
			return
		}
		before := shadowedOf(route)
		s.tell(route, lost)
		if !slices.EqualFunc(before, shadowedOf(route), sameDecision) {
			changed = append(changed, id)
		}
	})
	return changed
}

func shadowedOf(route *Route) []*Decision {
	decisions := make([]*Decision, len(route.Parents))
	for i := range route.Parents {
		decisions[i] = route.Parents[i].Shadowed
	}
	return decisions
}

func sameDecision(a, b *Decision) bool {
	return a == b || a != nil && b != nil && *a == *b
}
