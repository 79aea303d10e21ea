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

package http1

import (
	"sync"
	"testing"
	"time"
)

// becomes waits until something holds.
func becomes(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

// A clock that nobody has read for long begins with the right time, whoever reads it first, and stops when nobody does.
func TestCoarseClock(t *testing.T) {
	c := new(coarseClock)
	for round := range 2 {
		c.now.Store(0) // The last time that it ran is long ago.
		before := clock()
		var readers sync.WaitGroup
		for range 8 {
			readers.Go(func() {
				if got := c.read(); got < before {
					t.Errorf("round %d: read %d, which is before %d", round, got, before)
				}
			})
		}
		readers.Wait()
		becomes(t, "it stops", func() bool { return c.state.Load() == clockStopped })
	}
}

// What is read again and again goes on.
func TestCoarseClockGoesOn(t *testing.T) {
	c := new(coarseClock)
	first := c.read()
	becomes(t, "it goes on", func() bool { return c.read() > first })
}

// Timeouts that are short against the coarse clock's steps are measured with the other one.
func TestClockForShortTimeouts(t *testing.T) {
	coarse.now.Store(0)
	defer coarse.now.Store(clock())
	for _, timeout := range []time.Duration{time.Millisecond, time.Second, 32*coarseInterval - 1} {
		if before := clock(); clockFor(timeout) < before {
			t.Errorf("%s: the time is before now", timeout)
		}
	}
}
