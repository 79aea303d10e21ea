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
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/message"
)

const patience = time.Minute

// greeter is a codec that sends one byte to whoever connects, and keeps the connection until the port closes.
type greeter struct {
	mu    sync.Mutex
	conns []net.Conn
}

func (g *greeter) ServeConn(conn net.Conn, _ message.Arrival) {
	defer func() { _ = conn.Close() }()
	g.mu.Lock()
	g.conns = append(g.conns, conn)
	g.mu.Unlock()
	_, _ = conn.Write([]byte("x"))
	_, _ = conn.Read(make([]byte, 1))
}

func (g *greeter) Drain() {}

func (g *greeter) CloseIdle() { g.Close() }

func (g *greeter) Close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, conn := range g.conns {
		_ = conn.Close()
	}
}

// plain are ports without TLS.
func plain(numbers ...uint16) []config.Port {
	var ports []config.Port
	for _, number := range numbers {
		ports = append(ports, config.Port{Number: number})
	}
	return ports
}

func newSockets(t *testing.T, maxConnections int) *Sockets {
	t.Helper()
	s := New(Options{
		NewCodecs:        func(uint16) Codecs { return Codecs{HTTP1: &greeter{}} },
		Address:          func(uint16) string { return "127.0.0.1:0" },
		MaxConnections:   maxConnections,
		MaxFiles:         2 * maxConnections,
		DrainTimeout:     time.Second,
		RetryInterval:    time.Millisecond,
		HandshakeTimeout: patience,
		TicketInterval:   time.Hour,
		Logger:           slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	t.Cleanup(func() { _ = s.Shutdown(context.Background()) })
	return s
}

func dial(t *testing.T, s *Sockets, port uint16) net.Conn {
	t.Helper()
	at, open := s.Addr(port)
	if !open {
		t.Fatalf("port %d is not open", port)
	}
	conn, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// greeted says whether the server has taken the connection, waiting at most for a time.
func greeted(conn net.Conn, wait time.Duration) bool {
	_ = conn.SetReadDeadline(time.Now().Add(wait))
	_, err := conn.Read(make([]byte, 1))
	return err == nil
}

func TestBoundPortsWaitUntilServe(t *testing.T) {
	s := newSockets(t, 10)
	if failed := s.Open(plain(80)); len(failed) > 0 {
		t.Fatal(failed)
	}
	conn := dial(t, s, 80)
	if greeted(conn, 20*time.Millisecond) {
		t.Error("a connection was served before the table that knows the port")
	}
	s.Serve()
	if !greeted(conn, patience) {
		t.Error("a connection that waited in the queue was not served")
	}
}

func TestPortsThatStayKeepTheirSocket(t *testing.T) {
	s := newSockets(t, 10)
	s.Open(plain(80, 81))
	s.Serve()
	before, _ := s.Addr(80)
	s.Open(plain(80, 82))
	s.Serve()
	s.Retain([]uint16{80, 82})
	after, _ := s.Addr(80)
	if before.String() != after.String() {
		t.Errorf("the port moved from %v to %v", before, after)
	}
	if _, open := s.Addr(81); open {
		t.Error("a port that is not wanted is still open")
	}
	if !greeted(dial(t, s, 82), patience) {
		t.Error("a port that was added does not serve")
	}
}

func TestConnectionsAboveTheLimitWait(t *testing.T) {
	s := newSockets(t, 1)
	s.Open(plain(80, 81))
	s.Serve()
	first := dial(t, s, 80)
	if !greeted(first, patience) {
		t.Fatal("the first connection is not served")
	}
	second := dial(t, s, 81)
	if greeted(second, 20*time.Millisecond) {
		t.Fatal("the limit is over all ports together")
	}
	// The port of the first is removed, which closes its connection and frees the place.
	s.Retain([]uint16{81})
	if !greeted(second, patience) {
		t.Error("a connection that waited is not served when a place is free")
	}
}

// A port that waits for a free place must still be closable.
func TestShutdownAtTheLimit(t *testing.T) {
	s := newSockets(t, 1)
	s.Open(plain(80))
	s.Serve()
	if !greeted(dial(t, s, 80), patience) {
		t.Fatal("not served")
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Shutdown(context.Background()) }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(patience):
		t.Fatal("Shutdown did not end")
	}
	if failed := s.Open(plain(83)); len(failed) > 0 {
		t.Errorf("after Shutdown nothing is opened, and nothing fails: %v", failed)
	}
	if _, open := s.Addr(83); open {
		t.Error("a port was opened after Shutdown")
	}
}

func TestFailedPortsAreForgottenWhenNotWanted(t *testing.T) {
	blocker, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = blocker.Close() }()
	s := newSockets(t, 10)
	s.options.Address = func(uint16) string { return blocker.Addr().String() }
	if failed := s.Open(plain(80)); failed[80] == nil {
		t.Fatal("a port in use was bound")
	}
	s.Retain(nil)
	if failed := s.Failed(); len(failed) > 0 {
		t.Errorf("still tries %v", failed)
	}
}
