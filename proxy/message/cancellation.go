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

package message

import (
	"context"
	"sync"
)

// Interrupter is an exchange with an endpoint that can be ended from any goroutine.
type Interrupter interface{ Interrupt() }

// Cancellation is the context of one exchange: it ends when the client goes away. A codec uses it for one exchange after
// the other until it has ended.
type Cancellation struct {
	context.Context
	end context.CancelFunc

	mu     sync.Mutex
	ended  bool
	target Interrupter
}

// Begin makes the context ready for an exchange.
func (c *Cancellation) Begin() {
	if c.Context == nil {
		c.Context, c.end = context.WithCancel(context.Background())
	}
}

// Reusable says whether the context has not ended, so that another exchange may have it.
func (c *Cancellation) Reusable() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.ended
}

// Cancel ends the context, from any goroutine.
func (c *Cancellation) Cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.end()
	if c.target != nil {
		c.target.Interrupt()
	}
}

// Attach has the context's end interrupt an exchange with an endpoint, until Detach. It does what context.AfterFunc
// would, without allocating.
func (c *Cancellation) Attach(target Interrupter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.target = target
	if c.ended {
		target.Interrupt()
	}
}

// Detach undoes Attach.
func (c *Cancellation) Detach() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.target = nil
}
