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

package listen

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// Server serves the connections of one port.
type Server interface {
	// Serve accepts until the socket is closed.
	Serve(socket net.Listener) error
	// Drain asks clients to go elsewhere, and still serves them.
	Drain()
	// Shutdown closes the socket and waits for what is in flight, at most until ctx ends.
	Shutdown(ctx context.Context) error
}

// Options of the sockets.
type Options struct {
	// NewServer makes the server of a port.
	NewServer func(port uint16) Server
	// Address to bind for a port: ":80".
	Address func(port uint16) string
	// MaxConnections at one time over all ports; further ones wait in the kernel's queue.
	MaxConnections int
	// DrainTimeout bounds how long the connections of a removed port may go on.
	DrainTimeout time.Duration
	// RetryInterval between attempts to bind a port that could not be bound.
	RetryInterval time.Duration
	Logger        *slog.Logger
}

// Sockets are the bound ports.
type Sockets struct {
	options Options
	slots   chan struct{}
	done    chan struct{}
	loops   sync.WaitGroup
	// draining ends when the connections of removed ports are to be cut.
	draining context.Context
	cut      context.CancelFunc

	mu     sync.Mutex
	open   map[uint16]*socket
	failed map[uint16]error
	closed bool
}

type socket struct {
	server  Server
	bound   net.Listener
	serving bool
}

// New makes an empty set.
func New(options Options) *Sockets {
	s := &Sockets{
		options: options,
		slots:   make(chan struct{}, options.MaxConnections),
		done:    make(chan struct{}),
		open:    make(map[uint16]*socket),
		failed:  make(map[uint16]error),
	}
	s.draining, s.cut = context.WithCancel(context.Background())
	s.loops.Go(s.retry)
	return s
}

// Open binds those of the ports that are not bound yet. Clients may connect from then on, and wait until Serve. The
// ports that cannot be bound are given with the reason, and tried again in the background until Retain lets go of them.
func (s *Sockets) Open(ports []uint16) map[uint16]error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, port := range ports {
		s.bind(port)
	}
	return maps.Clone(s.failed)
}

// Failed gives the wanted ports that could not be bound yet, with the reason.
func (s *Sockets) Failed() map[uint16]error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.failed)
}

// bind opens one port, with the lock held.
func (s *Sockets) bind(port uint16) {
	if s.closed || s.open[port] != nil {
		return
	}
	address := s.options.Address(port)
	bound, err := net.Listen("tcp", address)
	if err != nil {
		s.failed[port] = fmt.Errorf("listen on port %d: %w", port, err)
		return
	}
	delete(s.failed, port)
	s.open[port] = &socket{server: s.options.NewServer(port), bound: newLimited(bound, s.slots)}
	s.options.Logger.Info("port opened", "port", port, "address", bound.Addr().String())
}

// Serve accepts on all bound ports.
func (s *Sockets) Serve() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for port, socket := range s.open {
		if socket.serving || s.closed {
			continue
		}
		socket.serving = true
		s.loops.Go(func() {
			if err := socket.server.Serve(socket.bound); err != nil {
				s.options.Logger.Error("accepting connections ended", "port", port, "error", err)
			}
		})
	}
}

// Retain closes the ports that are not among the given ones. Their connections finish in the background.
func (s *Sockets) Retain(ports []uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for port := range s.failed {
		if !slices.Contains(ports, port) {
			delete(s.failed, port)
		}
	}
	for port, socket := range s.open {
		if slices.Contains(ports, port) || s.closed {
			continue
		}
		delete(s.open, port)
		_ = socket.bound.Close()
		s.options.Logger.Info("port closed", "port", port)
		s.loops.Go(func() {
			ctx, cancel := context.WithTimeout(s.draining, s.options.DrainTimeout)
			defer cancel()
			if err := socket.server.Shutdown(ctx); err != nil {
				s.options.Logger.Warn("connections of a closed port were cut", "port", port, "error", err)
			}
		})
	}
}

// Addr is where a port is bound.
func (s *Sockets) Addr(port uint16) (net.Addr, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	socket := s.open[port]
	if socket == nil {
		return nil, false
	}
	return socket.bound.Addr(), true
}

// Drain asks the clients of all ports to go elsewhere, and still serves them.
func (s *Sockets) Drain() {
	for _, socket := range s.all() {
		socket.server.Drain()
	}
}

// ErrCut says that connections had to be cut, because they did not finish in time.
var ErrCut = errors.New("connections were cut")

// Shutdown closes all ports and waits for what is in flight, at most until ctx ends; what is left then is cut, and the
// error is ErrCut.
func (s *Sockets) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if !s.closed {
		s.closed = true
		close(s.done)
	}
	s.mu.Unlock()
	defer context.AfterFunc(ctx, s.cut)()
	var waiting sync.WaitGroup
	sockets := s.all()
	errs := make([]error, len(sockets))
	for i, socket := range sockets {
		_ = socket.bound.Close()
		waiting.Go(func() { errs[i] = socket.server.Shutdown(ctx) })
	}
	waiting.Wait()
	s.loops.Wait()
	s.cut()
	for _, err := range errs {
		if err != nil {
			return fmt.Errorf("%w: %w", ErrCut, err)
		}
	}
	return nil
}

func (s *Sockets) all() []*socket {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.open))
}

// retry binds what could not be bound.
func (s *Sockets) retry() {
	ticker := time.NewTicker(s.options.RetryInterval)
	defer ticker.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-ticker.C:
			s.retryFailed()
		}
	}
}

func (s *Sockets) retryFailed() {
	s.mu.Lock()
	ports := slices.Sorted(maps.Keys(s.failed))
	for _, port := range ports {
		s.bind(port)
	}
	s.mu.Unlock()
	if len(ports) > 0 {
		s.Serve()
	}
}
