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
	"sync/atomic"
	"time"
)

var began = time.Now()

// clock is the monotonic time since the process began.
func clock() int64 { return int64(time.Since(began)) }

// coarseInterval is how old the coarse clock gets. Reading the other one costs a request as much as parsing its head.
const coarseInterval = 250 * time.Millisecond

// clockFor is the clock for a timeout, up to a thirty-second of it late.
func clockFor(timeout time.Duration) int64 {
	if timeout < 32*coarseInterval {
		return clock()
	}
	return coarse.read()
}

// coarseClock is set by a timer, which runs while somebody reads the clock.
type coarseClock struct {
	now   atomic.Int64
	state atomic.Int32
}

const (
	clockStopped = iota
	clockUnread  // since it was set
	clockRead
)

var coarse coarseClock

func (c *coarseClock) read() int64 {
	if c.state.Load() == clockRead || c.state.CompareAndSwap(clockUnread, clockRead) {
		return c.now.Load()
	}
	now := clock()
	c.now.Store(now) // Before others see that it runs.
	if c.state.CompareAndSwap(clockStopped, clockRead) {
		time.AfterFunc(coarseInterval, c.tick)
	}
	return now
}

func (c *coarseClock) tick() {
	c.now.Store(clock())
	if c.state.CompareAndSwap(clockUnread, clockStopped) {
		return
	}
	c.state.CompareAndSwap(clockRead, clockUnread)
	time.AfterFunc(coarseInterval, c.tick)
}
