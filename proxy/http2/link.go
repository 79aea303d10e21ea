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
	"net"
	"sync"
)

// link is what the two sides of a connection have in common: its output, its windows, and what the peer has told.
type link struct {
	conn   net.Conn
	budget budget
	// wake has everybody who waits look again.
	wake func()
	// outlives is true when what has come is still read after a write has failed.
	outlives bool
	// apart is true when writing has a goroutine of its own: those who send belong to requests that may be given up, and a
	// peer that does not read must not keep them.
	apart bool

	mu       sync.Mutex
	out      output
	peer     peer
	grants   grants
	window   int64 // what the peer may send
	consumed int64 // what it may send more, but has not been told
	broken   error // why nothing more can be sent
}

// grants is how many bytes a peer may send before they are read: on one stream, and on all of them.
type grants struct{ stream, all int64 }

// peer is what the other side has told about itself.
type peer struct {
	maxFrame int
	window   int64 // that streams begin with
	conn     int64 // what may be sent on the connection
}

func (l *link) attach(conn net.Conn, wake func(), grants grants) {
	l.conn, l.wake, l.grants = conn, wake, grants
	l.out.room.L = &l.mu
	l.peer = peer{maxFrame: maxFrame, window: initialWindow, conn: initialWindow}
	l.window = grants.all
	l.budget.begin()
}

// breakOff notes that nothing more can be sent; the lock is held.
func (l *link) breakOff(err error) {
	if l.broken == nil {
		l.broken = err
	}
	_ = l.conn.Close()
	l.quit()
}

// writeFailed is breakOff for a connection that the peer has ended: what it sent before may not have been read yet, and
// says what it has done (RFC 9113 section 6.8). The reader finds the end behind it.
func (l *link) writeFailed(err error) {
	if !l.outlives {
		l.breakOff(err)
		return
	}
	if l.broken == nil {
		l.broken = err
	}
	l.quit()
}

// quit has everybody see that nothing more can be sent; the lock is held.
func (l *link) quit() {
	l.out.room.Broadcast()
	l.wake()
	if l.out.pending != nil && !l.out.writing {
		release(l.out.pending)
		l.out.pending = nil
	}
}

func (l *link) pay(cost int64) error {
	if !l.budget.spend(cost) {
		return errCalm
	}
	return nil
}

// answer makes room for the answer to a frame: a client that does not read answers gets no more of them.
func (l *link) answer() error {
	if !l.makeRoom() {
		return l.broken
	}
	return nil
}

// giveBack lets the client send as much again on the connection; the lock is held.
func (l *link) giveBack(size int64) {
	l.consumed += size
	if l.consumed >= l.grants.all/4 && l.broken == nil {
		l.sendWindow(0, uint32(l.consumed))
		l.window += l.consumed
		l.consumed = 0
	}
}
