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

// sumSet is a set of well mixed sums, of which two may be one by chance: a table that is looked through from a sum's place on until a free one. A map costs three times as much,
// and this is asked for every match of every route.
type sumSet struct {
	// slots, a power of two of them, hold sums; 0 is free.
	slots []uint32
	count int
}

// newSumSet has room for some sums before it grows.
func newSumSet(room int) sumSet {
	size := 64
	for size < 2*room {
		size *= 2
	}
	return sumSet{slots: make([]uint32, size)}
}

// add reports false where the sum is there already.
func (s *sumSet) add(sum uint32) bool {
	if 2*s.count >= len(s.slots) {
		s.grow()
	}
	at, found := s.find(sum)
	if found {
		return false
	}
	s.slots[at] = occupied(sum)
	s.count++
	return true
}

// remove takes a sum out, and moves up what was put behind it for want of its place.
func (s *sumSet) remove(sum uint32) {
	at, found := s.find(sum)
	if !found {
		return
	}
	s.count--
	mask := len(s.slots) - 1
	for next := (at + 1) & mask; s.slots[next] != 0; next = (next + 1) & mask {
		wanted := int(s.slots[next]) & mask
		// What is between its place and the gap stays where it is.
		if (next-wanted)&mask < (next-at)&mask {
			continue
		}
		s.slots[at], at = s.slots[next], next
	}
	s.slots[at] = 0
}

// find gives where a sum is, or would be.
func (s *sumSet) find(sum uint32) (int, bool) {
	sum = occupied(sum)
	mask := len(s.slots) - 1
	at := int(sum) & mask
	for s.slots[at] != 0 && s.slots[at] != sum {
		at = (at + 1) & mask
	}
	return at, s.slots[at] == sum
}

func (s *sumSet) grow() {
	before := s.slots
	s.slots = make([]uint32, 2*len(before))
	for _, sum := range before {
		if sum != 0 {
			at, _ := s.find(sum)
			s.slots[at] = sum
		}
	}
}

// occupied stands for a sum in a slot.
func occupied(sum uint32) uint32 {
	if sum == 0 {
		return 1
	}
	return sum
}
