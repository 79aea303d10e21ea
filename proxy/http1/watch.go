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
	"syscall"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// watchInterval is how often exchanges are looked at; one that was there at the last look gets a watcher.
const watchInterval = 250 * time.Millisecond

// watch looks for exchanges that take long. While a handler waits for an endpoint, nobody reads from the client, and so
// nobody would see it go. Most exchanges are over before a look has seen them twice: they cost nothing for it.
func (s *Server) watch() {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for range ticker.C {
		if s.look() {
			return
		}
	}
}

// look gives watchers to the exchanges that take long, and says that there are no connections left.
func (s *Server) look() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		state := c.state.Load()
		if state&phaseMask != phaseWaiting || state != c.seen {
			c.seen = state
			continue
		}
		c.beginWatch(state)
	}
	s.watching = len(s.conns) > 0
	return !s.watching
}

// beginWatch starts a watcher.
func (c *conn) beginWatch(state uint64) {
	watching := state&^phaseMask | phaseWatched
	done := make(chan struct{})
	c.mu.Lock()
	if !c.state.CompareAndSwap(state, watching) {
		c.mu.Unlock()
		return
	}
	c.watched = done
	c.mu.Unlock()
	go func() {
		defer close(done)
		_ = c.conn.SetReadDeadline(time.Time{})
		// Whoever ended the watch meanwhile has set a deadline that is now lost.
		if c.state.Load() == watching && c.clientLeaves() {
			c.cancelNow()
		}
	}()
}

// clientLeaves waits for the client to send something or to end, and says which.
func (c *conn) clientLeaves() bool {
	if c.raw == nil {
		n, err := c.conn.Read(c.one[:])
		c.oneRead = n > 0
		return err != nil && !message.IsTimeout(err)
	}
	gone := false
	err := c.raw.Read(func(fd uintptr) bool {
		var one [1]byte
		n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
		if err == syscall.EAGAIN || err == syscall.EINTR {
			return false
		}
		gone = err != nil || n == 0
		return true
	})
	return err == nil && gone
}

// endWatch makes the connection readable by its own goroutine again.
func (c *conn) endWatch() {
	state := c.state.Load()
	for !c.state.CompareAndSwap(state, state&^phaseMask|phaseReading) {
		state = c.state.Load()
	}
	if state&phaseMask != phaseWatched {
		return
	}
	c.mu.Lock()
	done := c.watched
	c.watched = nil
	c.mu.Unlock()
	_ = c.conn.SetReadDeadline(past)
	<-done
	c.readBy = unknown
	if c.oneRead {
		c.oneRead = false
		c.r, c.w = c.base, c.base+1
		c.data.bytes[c.base] = c.one[0]
	}
}
