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
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// Handler answers requests. Handle returns when the exchange is over, and keeps nothing of request and reply; ctx ends
// when the client goes away.
type Handler interface {
	Handle(ctx context.Context, request *message.Request, reply message.Reply)
}

// ServerOptions are what a server is made with. Only Handler is needed.
type ServerOptions struct {
	Handler Handler
	// Refused is told of each request that the handler does not get, once: the status of its answer, and whether it was
	// the client that left it unfinished. Nil for nobody.
	Refused func(status int, left bool)
	message.Limits
	// HTTP2 serves a connection without TLS that begins as HTTP/2 does, of which the bytes in early were read; it
	// returns when the connection is over. Without it such a connection is refused.
	HTTP2  func(conn net.Conn, arrival message.Arrival, early []byte)
	Logger *slog.Logger
}

// headOfRequest gives the limits of a request's head.
func headOfRequest(l *message.Limits) headLimits {
	return headLimits{line: l.MaxRequestLine, bytes: l.MaxHeaderBytes, fields: l.MaxFields}
}

// Server serves connections that somebody else accepts.
type Server struct {
	options  ServerOptions
	limits   atomic.Pointer[message.Limits]
	draining atomic.Bool

	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
	// watching is true while a goroutine looks for exchanges that take long.
	watching bool
}

// NewServer makes a server.
func NewServer(options ServerOptions) *Server {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Refused == nil {
		options.Refused = func(int, bool) {}
	}
	s := &Server{options: options, conns: make(map[*conn]struct{})}
	s.SetLimits(options.Limits)
	return s
}

// SetLimits changes the limits, for each connection from its next request on.
func (s *Server) SetLimits(limits message.Limits) { s.limits.Store(limits.WithDefaults()) }

// ServeConn serves one connection until it is over, in the caller's goroutine.
func (s *Server) ServeConn(accepted net.Conn, arrival message.Arrival) {
	c := newConn(s, accepted, arrival)
	if s.admit(c) {
		c.serve()
	}
}

// admit notes a connection; after Close it is closed instead.
func (s *Server) admit(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.conn.Close()
		return false
	}
	s.conns[c] = struct{}{}
	if !s.watching {
		s.watching = true
		go s.watch()
	}
	return true
}

// Drain asks clients to go elsewhere: from now on every response closes its connection. New ones are still served.
func (s *Server) Drain() { s.draining.Store(true) }

// newConnGrace is how long a connection may take to its first request before CloseIdle counts it as idle.
const newConnGrace = 5 * time.Second

// CloseIdle closes the connections that wait for a request.
func (s *Server) CloseIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := clock()
	for c := range s.conns {
		c.closeIfIdle(now)
	}
}

// Close cuts everything, and what comes later.
func (s *Server) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for c := range s.conns {
		c.close()
		c.cancelNow()
	}
}

// forget is called by a connection that ends.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}
