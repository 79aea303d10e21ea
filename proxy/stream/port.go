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

package stream

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/socket"
)

// Port relays the connections of one port.
type Port struct {
	handler *Handler
	// running ends when all connections are cut.
	running context.Context
	cut     context.CancelFunc

	mu       sync.Mutex
	sessions map[*session]struct{}
	closed   bool
	// watching is true while a goroutine looks for connections that are idle.
	watching bool
}

// NewPort makes what relays the connections of one port.
func (h *Handler) NewPort() *Port {
	p := &Port{handler: h, sessions: make(map[*session]struct{})}
	p.running, p.cut = context.WithCancel(context.Background())
	return p
}

// ServeConn relays a connection of a listener until it is over. early are bytes that were read of it already.
func (p *Port) ServeConn(conn net.Conn, arrival message.Arrival, listener string, early []byte) {
	s := &session{client: conn, arrival: arrival}
	if !p.admit(s) {
		socket.Reset(conn)
		return
	}
	reason := s.run(p.running, p.handler, listener, early)
	p.forget(s)
	p.handler.recorder.RecordStream(Outcome{Reason: reason, Received: s.up.bytes.Load(), Sent: s.down.bytes.Load()})
}

// Refuse resets a connection for which there is no room.
func (p *Port) Refuse(conn net.Conn) {
	socket.Reset(conn)
	p.handler.recorder.RecordStream(Outcome{Reason: ReasonFull})
}

// admit notes a connection; false after Close.
func (p *Port) admit(s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.sessions[s] = struct{}{}
	if !p.watching {
		p.watching = true
		go p.watch()
	}
	return true
}

func (p *Port) forget(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, s)
}

// Close cuts all connections.
func (p *Port) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.cut()
	for s := range p.sessions {
		s.end(ReasonCut)
	}
}

// Looks for idle connections are as many to an idle timeout, and in between these.
const (
	looks        = 8
	leastBetween = time.Millisecond
	mostBetween  = 5 * time.Second
)

// watch looks for idle connections, until there is no connection.
func (p *Port) watch() {
	timer := time.NewTimer(p.between())
	defer timer.Stop()
	for {
		select {
		case <-p.running.Done():
			return
		case <-timer.C:
		}
		if !p.look(time.Now()) {
			return
		}
		timer.Reset(p.between())
	}
}

func (p *Port) between() time.Duration {
	idle := p.handler.limits.Load().IdleTimeout
	if idle == 0 {
		return mostBetween
	}
	return min(max(idle/looks, leastBetween), mostBetween)
}

// look ends the connections of which nothing was heard for too long; false when there is none any more.
func (p *Port) look(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.handler.limits.Load().IdleTimeout
	for s := range p.sessions {
		if s.idle(now) >= idle && idle > 0 {
			s.end(ReasonIdle)
		}
	}
	p.watching = len(p.sessions) > 0
	return p.watching
}
