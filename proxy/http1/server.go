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
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// Handler answers requests. Handle returns when the exchange is over, and keeps nothing of request and reply; ctx ends
// when the client goes away.
type Handler interface {
	Handle(ctx context.Context, request *message.Request, reply message.Reply)
}

// ServerOptions bound what clients may take. Limits of 0 have the default that is named.
type ServerOptions struct {
	Handler Handler
	// MaxRequestLine in bytes; above, the answer is 414. Default 16,384.
	MaxRequestLine int
	// MaxHeaderBytes of a request line and header section; above, the answer is 431. Default 65,536.
	MaxHeaderBytes int
	// MaxFields is the number of field lines; above, the answer is 431. Default 128.
	MaxFields int
	// MaxBodyBytes of a request's content; above, the answer is 413. Default: no limit.
	MaxBodyBytes int64
	// MaxTrailerBytes of a request's trailer section; at most 4,096 count for one line. Default 8,192.
	MaxTrailerBytes int
	// HeaderTimeout from a request's first byte to the end of its header section, and for the first byte of a new
	// connection. Default 30 s.
	HeaderTimeout time.Duration
	// IdleTimeout between requests of a connection. Default 120 s.
	IdleTimeout time.Duration
	// BodyTimeout for the next piece of a request's content. Default 60 s.
	BodyTimeout time.Duration
	// WriteTimeout for the client to take a piece (at most 64 KiB) of a response. Default 60 s.
	WriteTimeout time.Duration
	Logger       *slog.Logger
}

// Server serves the connections of any number of sockets.
type Server struct {
	options  ServerOptions
	head     headLimits
	draining atomic.Bool

	mu      sync.Mutex
	sockets map[*net.Listener]struct{} // by pointer, since a listener need not be comparable
	conns   map[*conn]struct{}
	closed  bool
	// watching is true while a goroutine looks for exchanges that take long.
	watching bool
}

// NewServer makes a server.
func NewServer(options ServerOptions) *Server {
	orDefault(&options.MaxRequestLine, 16<<10)
	orDefault(&options.MaxHeaderBytes, 64<<10)
	orDefault(&options.MaxFields, 128)
	orDefault(&options.MaxTrailerBytes, 8<<10)
	orDefault(&options.HeaderTimeout, 30*time.Second)
	orDefault(&options.IdleTimeout, 120*time.Second)
	orDefault(&options.BodyTimeout, 60*time.Second)
	orDefault(&options.WriteTimeout, 60*time.Second)
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	return &Server{
		options: options,
		head:    headLimits{line: options.MaxRequestLine, bytes: options.MaxHeaderBytes, fields: options.MaxFields},
		sockets: make(map[*net.Listener]struct{}),
		conns:   make(map[*conn]struct{}),
	}
}

func orDefault[T comparable](value *T, usual T) {
	var zero T
	if *value == zero {
		*value = usual
	}
}

// Serve accepts connections until the socket is closed, and serves each in a goroutine of its own.
func (s *Server) Serve(socket net.Listener) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		_ = socket.Close()
		return nil
	}
	s.sockets[&socket] = struct{}{}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.sockets, &socket)
		s.mu.Unlock()
	}()
	pause := time.Duration(0)
	for {
		accepted, err := socket.Accept()
		if err == nil {
			pause = 0
			go s.ServeConn(accepted, message.From(accepted))
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if !passes(err) {
			return err
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.options.Logger.Warn("connection not accepted", "error", err)
		time.Sleep(pause)
	}
}

// passes says whether accepting may go on after an error: a client that left early, or a lack of descriptors or memory.
func passes(err error) bool {
	for _, passing := range []error{
		syscall.ECONNABORTED, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EINTR,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

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

// newConnGrace is how long a connection may take to its first request before Shutdown counts it as idle.
const newConnGrace = 5 * time.Second

// Shutdown closes the sockets and the idle connections, and waits until the others have finished, at most until ctx
// ends. Then, or before, it cuts what is left.
func (s *Server) Shutdown(ctx context.Context) error {
	s.Drain()
	s.closeSockets()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	var err error
	for s.closeIdle() > 0 && err == nil {
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-ticker.C:
		}
	}
	s.Close()
	return err
}

func (s *Server) closeSockets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for socket := range s.sockets {
		_ = (*socket).Close()
	}
}

// closeIdle closes the connections that wait for a request, and gives how many are left.
func (s *Server) closeIdle() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := clock()
	for c := range s.conns {
		c.closeIfIdle(now)
	}
	return len(s.conns)
}

// Close cuts everything.
func (s *Server) Close() {
	s.closeSockets()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		_ = c.conn.Close()
		c.cancelNow()
	}
}

// forget is called by a connection that ends.
func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}
