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
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// Handler answers requests. Handle returns when the exchange is over, and keeps nothing of request and reply; ctx ends
// when the client goes away or resets the stream.
type Handler interface {
	Handle(ctx context.Context, request *message.Request, reply message.Reply)
}

// ServerOptions are what a server is made with. Only Handler is needed.
type ServerOptions struct {
	Handler Handler
	// Refused is told of each request that the handler does not get, once: the status of its answer, 0 when there was
	// none, and whether it was the client that gave it up. Nil for nobody. Streams that are refused with REFUSED_STREAM
	// were no requests: RFC 9113 section 8.7 has their clients send them again.
	Refused func(status int, left bool)
	message.Limits
	Logger *slog.Logger
}

// Server serves connections that somebody else accepts.
type Server struct {
	options  ServerOptions
	limits   atomic.Pointer[message.Limits]
	draining atomic.Bool
	crew     crew

	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
	// watching is true while a goroutine looks for what takes too long.
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
	s.crew.begin()
	s.SetLimits(options.Limits)
	return s
}

// SetLimits changes the limits: those of requests from the next one on, those that clients are told for new connections.
func (s *Server) SetLimits(limits message.Limits) { s.limits.Store(limits.WithDefaults()) }

// ServeConn serves one connection until it is over, in the caller's goroutine.
func (s *Server) ServeConn(accepted net.Conn, arrival message.Arrival) {
	s.ServeEarly(accepted, arrival, nil)
}

// ServeEarly is ServeConn for a connection of which some bytes were read.
func (s *Server) ServeEarly(accepted net.Conn, arrival message.Arrival, early []byte) {
	c := newConn(s, accepted, arrival, early)
	if !s.admit(c) {
		_ = accepted.Close()
		return
	}
	defer s.forget(c)
	c.serve()
}

// admit notes a connection, unless the server is closed.
func (s *Server) admit(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.conns[c] = struct{}{}
	if !s.watching {
		s.watching = true
		go s.watch()
	}
	return true
}

// forget is called when a connection has ended.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	if s.closed && len(s.conns) == 0 {
		s.crew.end()
	}
}

// Drain asks clients to go elsewhere: with GOAWAY, after which requests that have arrived are still served. New
// connections are told so with their first request.
func (s *Server) Drain() {
	s.draining.Store(true)
	for _, c := range s.all() {
		go c.drain()
	}
}

func (s *Server) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		all = append(all, c)
	}
	return all
}

// newConnGrace is how long a connection may take to its first request before CloseIdle counts it as idle.
const newConnGrace = 5 * time.Second

// CloseIdle closes the connections without a request.
func (s *Server) CloseIdle() {
	now := clock()
	for _, c := range s.all() {
		c.closeIfIdle(now)
	}
}

// Close cuts everything, and what comes later.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	if len(s.conns) == 0 {
		s.crew.end()
	}
	s.mu.Unlock()
	for _, c := range s.all() {
		_ = c.conn.Close()
	}
}

// watchInterval is how often connections are looked at: how exact the timeouts are.
const watchInterval = 100 * time.Millisecond

// watch looks for what takes too long. Deadlines for each wait would cost every request; this costs none.
func (s *Server) watch() {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for range ticker.C {
		now := clock()
		for _, c := range s.all() {
			c.look(now)
		}
		if s.unwatched() {
			return
		}
	}
}

// unwatched ends the watch when there is nothing to look at.
func (s *Server) unwatched() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watching = len(s.conns) > 0
	return !s.watching
}

var began = time.Now()

// clock is the time since the process began, in nanoseconds.
func clock() int64 { return int64(time.Since(began)) }
