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
	"sync/atomic"
	"time"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/socket"
)

// Options of the sockets.
type Options struct {
	// NewCodecs makes what serves the connections of a port.
	NewCodecs func(port uint16) Codecs
	// Address to bind for a port: ":80".
	Address func(port uint16) string
	// MaxConnections at one time over all ports; further ones wait in the kernel's queue. Where there are several ports, a quarter is
	// kept for them in equal parts.
	MaxConnections int
	// MaxFiles that may be open for them, of which a connection that is relayed takes two. They are kept likewise.
	MaxFiles int
	// DrainTimeout bounds how long the connections of a removed port may go on.
	DrainTimeout time.Duration
	// RetryInterval between attempts to bind a port that could not be bound.
	RetryInterval time.Duration
	// HandshakeTimeout bounds a TLS handshake.
	HandshakeTimeout time.Duration
	// TicketInterval after which session tickets are made with a new key. A key is good for three of them.
	TicketInterval time.Duration
	Logger         *slog.Logger

	unannounced, unsecured *atomic.Uint64
}

// Sockets are the bound ports.
type Sockets struct {
	options       Options
	places, files *places
	// handshakes of all ports.
	handshakes *handshakes

	done  chan struct{}
	loops sync.WaitGroup
	// draining ends when the connections of removed ports are to be cut.
	draining context.Context
	cut      context.CancelFunc

	mu     sync.Mutex
	open   map[uint16]*port
	failed map[uint16]error
	// wanted ports, bound or not.
	wanted  map[uint16]config.Port
	tickets *tickets
	closed  bool
}

// New makes an empty set.
func New(options Options) *Sockets {
	options.unannounced, options.unsecured = new(atomic.Uint64), new(atomic.Uint64)
	s := &Sockets{
		options:    options,
		places:     newPlaces(options.MaxConnections),
		files:      newPlaces(options.MaxFiles),
		handshakes: newHandshakes(options.MaxConnections),
		done:       make(chan struct{}),
		open:       make(map[uint16]*port),
		failed:     make(map[uint16]error),
		tickets:    newTickets(),
	}
	s.draining, s.cut = context.WithCancel(context.Background())
	s.loops.Go(s.retry)
	return s
}

// Open binds those of the ports that are not bound yet, and has all of them serve as they are told from the next connection
// on. Clients may connect from then on, and wait until Serve. The ports that cannot be bound are given
// with the reason, and tried again in the background until Retain lets go of them.
func (s *Sockets) Open(ports []config.Port) map[uint16]error {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.wanted
	s.wanted = make(map[uint16]config.Port, len(ports))
	for _, wanted := range ports {
		s.wanted[wanted.Number] = wanted
		if bound := s.open[wanted.Number]; bound != nil {
			if !before[wanted.Number].Same(wanted) {
				bound.behave(wanted, s.tickets)
			}
			continue
		}
		s.bind(wanted.Number)
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
	bound, err := socket.Listen(address)
	if err != nil {
		s.failed[port] = fmt.Errorf("listen on port %d: %w", port, err)
		return
	}
	delete(s.failed, port)
	s.open[port] = newPort(s.options.NewCodecs(port), newLimited(bound, s.places, s.files), &s.options, s.handshakes)
	s.open[port].behave(s.wanted[port], s.tickets)
	s.options.Logger.Info("port opened", "port", port, "address", bound.Addr().String())
}

// Serve accepts on all bound ports.
func (s *Sockets) Serve() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for number, bound := range s.open {
		if bound.serving || s.closed {
			continue
		}
		bound.serving = true
		bound.active.Add(1) // The loop itself, until it ends.
		s.loops.Go(func() {
			defer bound.active.Add(-1)
			if err := bound.accept(); err != nil {
				s.options.Logger.Error("accepting connections ended", "port", number, "error", err)
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
	for number, bound := range s.open {
		if slices.Contains(ports, number) || s.closed {
			continue
		}
		delete(s.open, number)
		_ = bound.socket.Close()
		s.options.Logger.Info("port closed", "port", number)
		s.loops.Go(func() {
			ctx, cancel := context.WithTimeout(s.draining, s.options.DrainTimeout)
			defer cancel()
			if err := bound.shutdown(ctx); err != nil {
				s.options.Logger.Warn("connections of a closed port were cut", "port", number, "error", err)
			}
		})
	}
}

// Addr is where a port is bound.
func (s *Sockets) Addr(port uint16) (net.Addr, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bound := s.open[port]
	if bound == nil {
		return nil, false
	}
	return bound.socket.Addr(), true
}

// Unannounced is how many connections of trusted peers ended because they did not say for whom they are.
func (s *Sockets) Unannounced() uint64 { return s.options.unannounced.Load() }

// Unsecured is how many connections ended in their TLS handshake: malformed, too slow, for a name that nobody has, or given up.
func (s *Sockets) Unsecured() uint64 { return s.options.unsecured.Load() }

// Each calls look with the codecs of every port.
func (s *Sockets) Each(look func(Codecs)) {
	for _, bound := range s.all() {
		look(bound.codecs)
	}
}

// Drain asks the clients of all ports to go elsewhere, and still serves them.
func (s *Sockets) Drain() {
	for _, bound := range s.all() {
		bound.drain()
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
	ports := s.all()
	errs := make([]error, len(ports))
	for i, bound := range ports {
		waiting.Go(func() { errs[i] = bound.shutdown(ctx) })
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

func (s *Sockets) all() []*port {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.open))
}

// retry binds what could not be bound, and renews the keys of session tickets.
func (s *Sockets) retry() {
	ticker := time.NewTicker(s.options.RetryInterval)
	defer ticker.Stop()
	renewal := time.NewTicker(s.options.TicketInterval)
	defer renewal.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-renewal.C:
			s.renewTickets()
		case <-ticker.C:
			s.retryFailed()
		}
	}
}

func (s *Sockets) renewTickets() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tickets.rotate()
	for _, bound := range s.open {
		bound.renew(s.tickets)
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
