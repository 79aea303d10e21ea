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
	"time"

	"github.com/rauta-dev/rauta/proxy/socket"
)

const (
	// grace is for how long a session that has begun is not made to make room.
	grace = time.Second
	// maxConnects is how many endpoints are tried for a new session.
	maxConnects = 3
	// answering is for how long a session whose endpoint is gone waits for the answers that its client waits for.
	answering = 2 * time.Second
)

// session is one client of one address, with the socket that is connected to its endpoint.
type session struct {
	links
	flow       socket.Flow
	socket     socket.UDP
	slot, turn int32
	at         *endpoint
	via        *backend
	route      *route // that has the endpoint
	// answered is true when the endpoint has sent something, refused when it last said that it takes nothing.
	answered, refused bool
	// owed is how many more datagrams the client has sent than have come back, at least 0.
	owed int
	// unread is true while it is among those with something to read.
	unread, ended bool
}

// session gives the session of a flow, a new one if need be; nil when there can be none.
func (l *lane) session(flow *socket.Flow, now time.Duration) (*session, Reason) {
	s := l.sessions[*flow]
	if s != nil && l.current(s) {
		return s, 0
	}
	if s != nil {
		l.retire(s, now)
	}
	return l.begin(flow, now)
}

func (l *lane) begin(flow *socket.Flow, now time.Duration) (*session, Reason) {
	if l.port.ports.draining.Load() {
		return nil, Draining
	}
	via := l.route.share()
	if via == nil {
		return nil, NoRoute
	}
	if !l.admit(now) {
		return nil, TooManySessions
	}
	s := &session{flow: *flow, via: via, route: l.route}
	why := l.connect(s, now)
	if s.at == nil {
		l.port.release()
		return nil, why
	}
	l.sessions[*flow] = s
	l.unproven.touch(s, now)
	l.port.ports.tally.opened.Add(1)
	return s, 0
}

// admit lets one more session in, if need be in the place of another of the port.
func (l *lane) admit(now time.Duration) bool {
	if l.port.admit() || l.replace(now) {
		return true
	}
	for _, other := range l.port.lanes {
		// Who would wait for another lane with its own locked could wait for ever: one that is busy keeps its sessions this time.
		if other == l || !other.mu.TryLock() {
			continue
		}
		replaced := other.replace(now)
		other.mu.Unlock()
		if replaced {
			return true
		}
	}
	l.port.ports.full(l.port.number)
	return false
}

// replace ends the session that is to make room, and keeps its room; false when there is none.
func (l *lane) replace(now time.Duration) bool {
	oldest := l.retired.idle(now, 0)
	if oldest == nil {
		oldest = l.unproven.idle(now, grace)
	}
	if oldest == nil {
		return false
	}
	l.end(oldest)
	l.port.ports.tally.replaced.Add(1)
	return true
}

// connect gives a new session its endpoint and its slot; without one it has no endpoint.
func (l *lane) connect(s *session, now time.Duration) Reason {
	for range maxConnects {
		to := s.via.choose(now, nil)
		if to == nil {
			return NoEndpoint
		}
		connected, err := socket.ConnectUDP(to.address)
		if err != nil {
			to.refused.Store(int64(now))
			continue
		}
		slot := int32(len(l.slots))
		if last := len(l.free) - 1; last >= 0 {
			slot = l.free[last]
		}
		if err := l.poller.Add(connected, slot, l.turn+1); err != nil {
			connected.Close()
			return NoSocket
		}
		if int(slot) == len(l.slots) {
			l.slots = append(l.slots, nil)
		} else {
			l.free = l.free[:len(l.free)-1]
		}
		l.turn++
		s.socket, s.slot, s.turn, s.at = connected, slot, l.turn, to
		l.slots[slot] = s
		to.sessions.Add(1)
		return 0
	}
	return NoSocket
}

// move gives a session another endpoint of its backend, where there is one.
func (l *lane) move(s *session, now time.Duration) {
	s.refused = false
	to := s.via.choose(now, s.at)
	if to == nil || to == s.at {
		return
	}
	connected, err := socket.ConnectUDP(to.address)
	if err != nil {
		return
	}
	if err := l.poller.Add(connected, s.slot, l.turn+1); err != nil {
		connected.Close()
		return
	}
	l.turn++
	s.socket.Close()
	s.at.sessions.Add(-1)
	to.sessions.Add(1)
	s.socket, s.turn, s.at = connected, l.turn, to
	l.port.ports.tally.moved.Add(1)
}

// current says whether a session may go on: the route of the port has its endpoint.
func (l *lane) current(s *session) bool {
	if s.route == l.route {
		return true
	}
	if !l.route.offers(s.via, s.at) {
		return false
	}
	s.route, s.via = l.route, l.route.named[s.via.Name]
	return true
}

// retire ends a session whose endpoint the route does not have any more: once as many answers have come as are on their way, if any are. The
// endpoint gets nothing more of it.
func (l *lane) retire(s *session, now time.Duration) {
	if s.owed == 0 {
		l.drop(s)
		return
	}
	delete(l.sessions, s.flow)
	l.retired.touch(s, now)
}

// drop ends a session for good.
func (l *lane) drop(s *session) {
	l.end(s)
	l.port.release()
}

// end ends a session whose room another takes.
func (l *lane) end(s *session) {
	s.ended = true
	s.leave()
	s.socket.Close()
	s.at.sessions.Add(-1)
	if l.sessions[s.flow] == s {
		delete(l.sessions, s.flow)
	}
	l.slots[s.slot] = nil
	l.free = append(l.free, s.slot)
}
