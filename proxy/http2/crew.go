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

package http2

import (
	"sync"
	"sync/atomic"
)

// maxResting is how many goroutines without work are kept: their stacks have grown to what a request needs, which a new
// one would have to copy its way up to.
const maxResting = 256

// crew runs handlers.
type crew struct {
	jobs    chan *stream
	resting atomic.Int32
	over    chan struct{}
	once    sync.Once
}

func (c *crew) begin() {
	c.jobs = make(chan *stream)
	c.over = make(chan struct{})
}

// end lets those without work go; those with work follow.
func (c *crew) end() { c.once.Do(func() { close(c.over) }) }

// take has a request handled.
func (c *crew) take(s *stream) {
	select {
	case c.jobs <- s:
	default:
		go c.work(s)
	}
}

func (c *crew) work(s *stream) {
	for s != nil {
		s.serve()
		s = c.next()
	}
}

// next waits for another request. There is none for a goroutine that is one too many.
func (c *crew) next() *stream {
	defer c.resting.Add(-1)
	if c.resting.Add(1) > maxResting {
		return nil
	}
	select {
	case s := <-c.jobs:
		return s
	case <-c.over:
		return nil
	}
}
