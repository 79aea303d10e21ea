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

package datagram

import (
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/rauta-dev/rauta/proxy/socket"
)

const (
	// turnBatches is how many batches of clients' datagrams are read before endpoints have their turn.
	turnBatches = 4
	// turnReads is how often one session's socket is read before others have their turn.
	turnReads = 4
	// sweepSize is how many sessions are looked at before the lock is given back.
	sweepSize = 256
)

// lane is one socket of a port, with the sessions of its clients.
type lane struct {
	port   *port
	socket socket.UDP
	poller *socket.Poller

	mu       sync.Mutex
	route    *route
	sessions map[socket.Flow]*session
	// slots are the sessions as the poller names them, the first of them the lane's own socket; free are those of none.
	slots []*session
	free  []int32
	turn  int32
	// proven are the sessions whose client has sent after an answer, unproven the others; retired are those that only wait for an answer.
	proven, unproven, retired queue
	// incoming is true while the lane's socket has more, and unread are the sessions whose sockets have.
	incoming bool
	unread   []*session
	// stale is true while there may be sessions of an earlier route.
	stale  bool
	closed bool
}

// newLanes binds a port.
func newLanes(of *port, address string, count int) ([]*lane, error) {
	sockets, err := socket.ListenUDP(address, count)
	if err != nil {
		return nil, err
	}
	lanes := make([]*lane, len(sockets))
	for i, s := range sockets {
		l := &lane{port: of, socket: s, sessions: make(map[socket.Flow]*session), slots: make([]*session, 1), incoming: true}
		if l.poller, err = socket.NewPoller(); err == nil {
			err = l.poller.Add(s, 0, 0)
		}
		if err == nil {
			lanes[i] = l
			continue
		}
		for _, made := range append(lanes[:i], l) {
			made.close()
		}
		for _, rest := range sockets[i+1:] {
			rest.Close()
		}
		return nil, err
	}
	return lanes, nil
}

func (l *lane) addr() netip.AddrPort { return l.socket.Addr() }

// run serves until the lane is closed.
func (l *lane) run() error {
	more := true
	for {
		wait := l.poller.Wait
		if more {
			wait = l.poller.Look
		}
		events, err := wait()
		if err != nil {
			return err
		}
		more = l.serve(events)
	}
}

// serve moves what has come, and says whether there is more.
func (l *lane) serve(events []socket.Event) bool {
	b := l.port.ports.take()
	defer l.port.ports.give(b)
	now := l.port.ports.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.note(events)
	l.returns(b, now)
	l.arrivals(b, now)
	return l.incoming || len(l.unread) > 0
}

func (l *lane) note(events []socket.Event) {
	for i := range events {
		slot, turn := events[i].Slot()
		if slot == 0 {
			l.incoming = true
			continue
		}
		s := l.slots[slot]
		if s == nil || s.turn != turn || s.unread {
			continue // It has ended since, or left that endpoint.
		}
		s.unread = true
		l.unread = append(l.unread, s)
	}
}

// returns sends what endpoints have sent to their clients.
func (l *lane) returns(b *box, now time.Duration) {
	kept := l.unread[:0]
	for _, s := range l.unread {
		if l.read(b, s, now) {
			kept = append(kept, s)
			continue
		}
		s.unread = false
	}
	clear(l.unread[len(kept):])
	l.unread = kept
	l.flush(b)
}

// read takes what a session's endpoint has sent, and says whether there is more.
func (l *lane) read(b *box, s *session, now time.Duration) bool {
	if s.ended {
		return false
	}
	if s.in != &l.retired && !l.current(s) {
		l.retire(s, now)
	}
	for range turnReads {
		if s.ended {
			return false
		}
		if b.out.Room() < 2 { // With room for two, one that is alone is known to be.
			l.flush(b)
		}
		room := b.out.Room()
		n, number := b.out.Receive(s.socket, &s.flow)
		switch {
		case number == syscall.EAGAIN:
			return false
		case number == syscall.ECONNREFUSED:
			s.refused = true
			s.at.refused.Store(int64(now))
		case n > 0:
			s.answered, s.owed = true, max(s.owed-n, 0)
			s.in.touch(s, now)
		}
		if s.in == &l.retired && s.owed == 0 {
			l.drop(s)
		}
		if number == 0 && n < room {
			return false
		}
	}
	return true
}

func (l *lane) flush(b *box) {
	sent, size, failed := b.out.Send(l.socket)
	l.port.ports.tally.toClients.add(sent, size)
	if failed > 0 {
		l.port.ports.tally.drop(NotReturned, failed)
	}
}

// arrivals sends what clients have sent to their endpoints.
func (l *lane) arrivals(b *box, now time.Duration) {
	for range turnBatches {
		if !l.incoming {
			return
		}
		n, number := b.in.Receive(l.socket)
		l.incoming = n == socket.Batch || number != 0 && number != syscall.EAGAIN // An error is told once.
		for from := 0; from < n; {
			to := from + 1
			for to < n && *b.in.Flow(to) == *b.in.Flow(from) {
				to++
			}
			l.forward(b, from, to, now)
			from = to
		}
	}
}

// forward sends datagrams of one client.
func (l *lane) forward(b *box, from, to int, now time.Duration) {
	s, why := l.session(b.in.Flow(from), now)
	if s == nil {
		l.port.ports.tally.drop(why, to-from)
		return
	}
	if s.refused {
		l.move(s, now)
	}
	size, first, dropped := 0, from, 0
	for failures := 0; from < to; {
		n, number := b.in.Send(s.socket, from, to)
		for range n {
			size += b.in.Size(from)
			from++
		}
		switch number {
		case 0:
			failures = 0
			continue
		case syscall.EAGAIN, syscall.ENOBUFS:
			l.port.ports.tally.drop(EndpointFull, to-from)
			dropped += to - from
			from = to
			continue
		case syscall.ECONNREFUSED:
			s.at.refused.Store(int64(now))
			l.move(s, now)
		}
		// What is told is mostly what came of an earlier datagram, and nothing was sent of this one.
		if failures++; failures > maxFailures {
			l.port.ports.tally.drop(NotSent, 1)
			dropped, failures = dropped+1, 0
			from++
		}
	}
	l.port.ports.tally.toEndpoints.add(to-first-dropped, size)
	s.owed += to - first - dropped
	if s.answered {
		l.proven.touch(s, now)
		return
	}
	s.in.touch(s, now)
}

// maxFailures is how often it is tried again to send a datagram.
const maxFailures = 2

// swap gives the lane another route. Sessions whose endpoint it has go on.
func (l *lane) swap(to *route) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stale = l.stale || l.route != to
	l.route = to
}

// sweep ends the sessions that were idle for as long as given, and those whose endpoints are no more.
func (l *lane) sweep(now, idle time.Duration) {
	for l.expire(now, idle) {
	}
	l.mu.Lock()
	stale := l.stale
	l.stale = false
	l.mu.Unlock()
	for from := 1; stale; from += sweepSize {
		stale = l.revise(from)
	}
}

// expire ends some idle sessions, and says whether there may be more.
func (l *lane) expire(now, idle time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range sweepSize {
		s := l.unproven.idle(now, idle)
		if s == nil {
			s = l.proven.idle(now, idle)
		}
		if s == nil {
			s = l.retired.idle(now, min(idle, answering))
		}
		if s == nil {
			return false
		}
		l.drop(s)
	}
	return true
}

// revise looks at some sessions, and says whether there are more.
func (l *lane) revise(from int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if from >= len(l.slots) {
		return false
	}
	for _, s := range l.slots[from:min(from+sweepSize, len(l.slots))] {
		if s != nil && s.in != &l.retired && !l.current(s) {
			l.retire(s, l.port.ports.now())
		}
	}
	return true
}

// close ends all sessions, and closes the socket.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return
	}
	l.closed = true
	for _, s := range l.slots {
		if s != nil {
			l.drop(s)
		}
	}
	l.socket.Close()
	if l.poller != nil {
		l.poller.Close()
	}
}
