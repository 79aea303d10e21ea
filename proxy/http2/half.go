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

import "sync"

// half is what the streams of both sides have in common. The link's lock guards it.
type half struct {
	link *link
	id   uint32
	// wake is for whoever waits for content or for a window.
	wake    sync.Cond
	window  int64 // what may be sent
	blocked int64 // since when a sender waits for a window, on clock's scale
	stalled bool  // it waited too long
	// open until both sides have ended, or one has reset it.
	open        bool
	remoteEnded bool
	over        bool // nothing may be sent any more
	givenUp     bool // nothing shall be
	body        body // what has come from the peer
}

func (h *half) join(l *link) {
	h.link = l
	h.wake.L = &l.mu
	h.body.half = h
}

func (h *half) leave() {
	h.link, h.id, h.wake.L = nil, 0, nil
	h.window, h.blocked, h.stalled = 0, 0, false
	h.open, h.remoteEnded, h.over, h.givenUp = false, false, false, false
	h.body.reset()
}

// failure is why nothing can be sent; the lock is held.
func (h *half) failure() error {
	switch {
	case h.link.broken != nil:
		return h.link.broken
	case h.stalled:
		return errSlowReader
	}
	return errReset
}
