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

import (
	"sync"
	"testing"
)

// takeAll takes places until there is none, and gives how many there were.
func takeAll(s *share) int {
	count := 0
	for s.take() {
		count++
	}
	return count
}

func TestPlaces(t *testing.T) {
	all := newPlaces(80)
	first := all.join()
	if count := takeAll(first); count != 80 {
		t.Errorf("one port alone has %d of 80", count)
	}
	second := all.join()
	if second.take() {
		t.Error("there are no more than there are")
	}
	for range 30 {
		first.give()
	}
	// A quarter is kept: 10 for each.
	if count := takeAll(first); count != 20 {
		t.Errorf("the first has taken %d again: 10 are kept for the second", count)
	}
	if count := takeAll(second); count != 10 {
		t.Errorf("the second has %d of those kept for it", count)
	}
	first.give()
	if !second.take() || first.take() {
		t.Error("what is kept for nobody is anybody's")
	}
	// A port that goes takes what it has along until its connections are over, and nothing is kept for it.
	for range 11 {
		second.give()
	}
	second.leave()
	if count := takeAll(first); count != 11 {
		t.Errorf("%d were free", count)
	}
}

// Whoever waits hears of each place that may be its own: nobody waits for ever.
func TestWhoWaitsIsTold(t *testing.T) {
	all := newPlaces(8)
	var working sync.WaitGroup
	for range 3 {
		s := all.join()
		working.Go(func() {
			for range 2000 {
				for !s.take() {
					<-s.freed
				}
				working.Go(s.give)
			}
		})
	}
	working.Wait()
	if all.taken != 0 {
		t.Errorf("%d are taken by nobody", all.taken)
	}
}

// A connection that is relayed has a second file, and gives both back once.
func TestSecondFiles(t *testing.T) {
	s := newSockets(t, 4)
	s.files.most = 3
	if failed := s.Open(plain(80)); len(failed) > 0 {
		t.Fatal(failed)
	}
	accepted := func() *counted {
		t.Helper()
		dial(t, s, 80)
		conn, err := s.open[80].socket.Accept()
		if err != nil {
			t.Fatal(err)
		}
		return conn.(*counted)
	}
	first := accepted()
	for range 2 { // One that is asked for twice is one.
		if !first.another() || s.files.taken != 2 {
			t.Errorf("%d are taken", s.files.taken)
		}
	}
	second := accepted()
	if second.another() || s.files.taken != 3 {
		t.Errorf("there are three: %d are taken", s.files.taken)
	}
	// Without a file the next one waits, and takes no place meanwhile.
	if takeBoth(first.share, first.files) || s.places.taken != 2 {
		t.Errorf("%d places are taken", s.places.taken)
	}
	_, _ = first.Close(), first.Close()
	if first.another() || s.files.taken != 1 || s.places.taken != 1 {
		t.Errorf("after it was closed %d files and %d places are taken", s.files.taken, s.places.taken)
	}
	if !second.another() {
		t.Error("what was given back is not to be had")
	}
	_ = second.Close()
	if s.files.taken != 0 || s.places.taken != 0 {
		t.Errorf("%d files and %d places are left", s.files.taken, s.places.taken)
	}
}
