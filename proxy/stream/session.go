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
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/proxyprotocol"
	"github.com/rauta-dev/rauta/proxy/socket"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// maxAttempts is how many endpoints are tried for one connection.
const maxAttempts = 3

// session is one client's connection, and the one to its endpoint.
type session struct {
	client  net.Conn
	arrival message.Arrival
	// up goes to the endpoint, down to the client.
	up, down channel

	mu       sync.Mutex
	endpoint net.Conn
	// reason is why the connection ends, the first one that is known; empty while it does not.
	reason Reason

	// seen is how much had come when it was last looked at, since when nothing has.
	seen  int64
	since time.Time
}

// run relays until the connection is over, and says why it is.
func (s *session) run(ctx context.Context, h *Handler, listener string, early []byte) Reason {
	backend, reason := h.table.Load().Choose(listener, s.arrival.ServerName)
	if backend == nil {
		return s.refuse(reason)
	}
	limits := h.limits.Load()
	endpoint, conn, err := h.connect(ctx, backend, limits.ConnectTimeout, s.header(backend.ProxyProtocol))
	if err != nil {
		return s.refuse(reasonOf(ctx, err))
	}
	defer endpoint.Done()
	if !s.join(conn) {
		socket.Reset(conn)
		return s.refuse(ReasonCut)
	}
	if err := s.begin(early, limits.WriteTimeout); err != nil {
		return s.refuse(ReasonUpstream)
	}
	return s.relay()
}

// refuse ends a connection that is not relayed. TLSRouteRule.backendRefs, and those of TCPRoutes alike: "the underlying
// implementation MUST actively reject connection attempts to this backend."
func (s *session) refuse(reason Reason) Reason {
	s.end(reason)
	return s.reason
}

// header gives what tells an endpoint for whom the connection is; nil for version 0.
func (s *session) header(version int) []byte {
	if version == 0 {
		return nil
	}
	h := proxyprotocol.Header{Source: unmapped(s.arrival.Client), Destination: unmapped(s.arrival.Server)}
	if !h.Destination.IsValid() {
		h.Destination = socket.LocalOf(s.client)
	}
	return proxyprotocol.Append(nil, version, h)
}

func unmapped(address netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(address.Addr().Unmap().WithZone(""), address.Port())
}

// join adds the connection to the endpoint; false when the session has ended.
func (s *session) join(endpoint net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason != "" {
		return false
	}
	s.endpoint = endpoint
	return true
}

// begin sends the endpoint what a connection begins with.
func (s *session) begin(early []byte, timeout time.Duration) error {
	if len(early) == 0 {
		return nil
	}
	_ = s.endpoint.SetWriteDeadline(time.Now().Add(timeout))
	if _, err := s.endpoint.Write(early); err != nil {
		return err
	}
	_ = s.endpoint.SetWriteDeadline(time.Time{})
	s.up.bytes.Add(int64(len(early)))
	return nil
}

// relay passes on in both directions until both have ended, or one side has broken off.
func (s *session) relay() Reason {
	s.up.open(s.client, s.endpoint)
	s.down.open(s.endpoint, s.client)
	var both sync.WaitGroup
	both.Go(func() { s.pass(&s.down, &s.up, ReasonUpstream, ReasonClient) })
	s.pass(&s.up, &s.down, ReasonClient, ReasonUpstream)
	both.Wait()
	return s.finish()
}

// pass relays one direction, given the other one, and what it means when its source, or its sink, breaks off.
func (s *session) pass(c, other *channel, source, sink Reason) {
	err := c.run()
	var broken *sinkError
	switch {
	case errors.As(err, &broken):
		// What the other side has sent before it went away is still to be passed on: reading from it will end.
		s.note(sink)
	case err != nil || other.failed():
		s.end(source)
	case c.finish() != nil:
		s.note(sink)
	}
}

// finish closes both connections after both directions are over.
func (s *session) finish() Reason {
	if s.note(ReasonOK) != ReasonOK {
		s.end(s.reason)
		return s.reason
	}
	_ = s.client.Close()
	_ = s.endpoint.Close()
	return ReasonOK
}

// note keeps the first reason, and gives it.
func (s *session) note(reason Reason) Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.reason == "" {
		s.reason = reason
	}
	return s.reason
}

// end breaks both connections off, from any goroutine.
func (s *session) end(reason Reason) {
	s.note(reason)
	s.mu.Lock()
	endpoint := s.endpoint
	s.mu.Unlock()
	socket.Reset(s.client)
	if endpoint != nil {
		socket.Reset(endpoint)
	}
}

// idle says for how long nothing has come, as far as was looked. It is for one goroutine.
func (s *session) idle(now time.Time) time.Duration {
	if count := s.up.bytes.Load() + s.down.bytes.Load(); count != s.seen || s.since.IsZero() {
		s.seen, s.since = count, now
	}
	return now.Sub(s.since)
}

// connect connects to an endpoint of a backend, with what the connection is to begin with: to another one when no connection can
// be made.
func (h *Handler) connect(
	ctx context.Context, backend *upstream.Backend, timeout time.Duration, opening []byte,
) (*upstream.Endpoint, net.Conn, error) {
	attempts := backend.Attempts()
	err := errNoEndpoint
	for tried := 0; tried < maxAttempts; {
		endpoint := attempts.Next()
		if endpoint == nil || ctx.Err() != nil {
			break
		}
		if !endpoint.Begin() {
			err = message.ErrFull
			continue
		}
		var conn net.Conn
		if conn, err = message.DialWith(ctx, endpoint.Address.String(), endpoint.Secured(), timeout, opening); err == nil {
			return endpoint, conn, nil
		}
		endpoint.Learn(ctx, err)
		if ctx.Err() == nil {
			h.distrust.Note(backend.Name, endpoint.Address, err)
		}
		endpoint.Done()
		tried++
	}
	return nil, nil, err
}

var errNoEndpoint = errors.New("the backend has no endpoint")

// reasonOf says why no connection could be made.
func reasonOf(ctx context.Context, err error) Reason {
	var failed *message.ConnectError
	switch {
	case ctx.Err() != nil:
		return ReasonCut
	case errors.Is(err, errNoEndpoint):
		return ReasonNoEndpoint
	case errors.Is(err, message.ErrFull):
		return ReasonFull
	case errors.As(err, &failed) && failed.TLS:
		return ReasonTLS
	}
	return ReasonConnect
}
