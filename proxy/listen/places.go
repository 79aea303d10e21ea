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

package listen

import "sync"

// places bounds the connections of all ports together, or the files that are open for them. A quarter of them is kept for the ports
// in equal parts, so that whoever fills one port with connections leaves room on the others.
type places struct {
	most int

	mu    sync.Mutex
	taken int
	// open ports; one that is closed keeps what its connections have taken.
	open map[*share]struct{}
}

// share is what the connections of one port have taken.
type share struct {
	places *places
	taken  int
	// freed tells the one who waits that there may be a place.
	freed chan struct{}
}

// kept is the part of all places that is kept for the ports: one of as many.
const kept = 4

func newPlaces(most int) *places { return &places{most: most, open: make(map[*share]struct{})} }

// join adds a port.
func (p *places) join() *share {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := &share{places: p, freed: make(chan struct{}, 1)}
	p.open[s] = struct{}{}
	return s
}

// leave takes a port out: nothing is kept for it any more.
func (s *share) leave() {
	s.places.mu.Lock()
	defer s.places.mu.Unlock()
	delete(s.places.open, s)
	s.places.tell()
}

// take takes a place; false when there is none for the port.
func (s *share) take() bool {
	p := s.places
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken+p.keptFromAllBut(s) >= p.most {
		return false
	}
	p.taken++
	s.taken++
	return true
}

// keptFromAllBut is how many places the other ports have not taken of those that are kept for them.
func (p *places) keptFromAllBut(s *share) int {
	if len(p.open) < 2 {
		return 0
	}
	each, sum := p.most/kept/len(p.open), 0
	if s.taken < each {
		return 0 // Its own: nobody else's are touched.
	}
	for other := range p.open {
		if other != s {
			sum += max(each-other.taken, 0)
		}
	}
	return sum
}

// give gives a place back.
func (s *share) give() {
	s.places.mu.Lock()
	defer s.places.mu.Unlock()
	s.undo()
	s.places.tell()
}

// undo gives back what was taken just now, with the lock held: nobody else has missed it.
func (s *share) undo() {
	s.taken--
	s.places.taken--
}

// takeBoth takes a place of each of two kinds, or none.
func takeBoth(one, other *share) bool {
	if !one.take() {
		return false
	}
	if other.take() {
		return true
	}
	one.places.mu.Lock()
	defer one.places.mu.Unlock()
	one.undo()
	return false
}

// tell wakes everybody who waits: whose the place is now depends on who has how many.
func (p *places) tell() {
	for s := range p.open {
		select {
		case s.freed <- struct{}{}:
		default:
		}
	}
}
