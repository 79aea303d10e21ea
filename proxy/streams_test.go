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

package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/stream"
)

// accepting is an endpoint of TCP; it gives its address.
func accepting(t testing.TB, serve func(conn *net.TCPConn)) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer func() { _ = conn.Close() }()
				serve(conn.(*net.TCPConn))
			})
		}
	})
	t.Cleanup(func() { _ = socket.Close() })
	return socket.Addr().String()
}

// greeting is an endpoint that says its name, and then everything that it is told.
func greeting(t testing.TB, name string) string {
	t.Helper()
	return accepting(t, func(conn *net.TCPConn) {
		say(conn, name)
		_, _ = io.Copy(conn, conn)
	})
}

// relaying is a proxy with one listener of TCP, whose connections go to a backend with the endpoints.
func relaying(t testing.TB, endpoints ...string) (*Proxy, string) {
	t.Helper()
	p := start(t, toTCP(endpoints...).resources)
	return p, address(t, p, 5432)
}

func toTCP(endpoints ...string) *table {
	return new(table).streamListener("listener/tcp", adminv1.Protocol_PROTOCOL_TCP, 5432).
		streamBackend("b", endpoints...).streamRoute("r", nil, "listener/tcp", "b")
}

func connectTo(t testing.TB, at string) *net.TCPConn {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn.(*net.TCPConn)
}

// hear reads as many bytes.
func hear(t testing.TB, conn net.Conn, count int) string {
	t.Helper()
	heard := make([]byte, count)
	if n, err := io.ReadFull(conn, heard); err != nil {
		t.Fatalf("after %q: %v", heard[:n], err)
	}
	return string(heard)
}

// wasReset says whether a connection ends with a reset.
func wasReset(conn net.Conn) bool {
	_, err := io.Copy(io.Discard, conn)
	return errors.Is(err, syscall.ECONNRESET)
}

// refused says whether a connection is broken off at once, which may be before connecting has returned.
func refused(t testing.TB, at string) bool {
	t.Helper()
	return brokenOff(t, at, "")
}

// brokenOff says whether a connection is reset behind what is said, which may be before connecting has returned, or before it is said:
// whoever writes then is the one who is told.
func brokenOff(t testing.TB, at, said string) bool {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err == nil {
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err = io.WriteString(conn, said); err == nil {
			_, err = io.Copy(io.Discard, conn)
		}
	}
	return errors.Is(err, syscall.ECONNRESET)
}

// counted waits until as many streams have ended for a reason.
func counted(t testing.TB, p *Proxy, reason stream.Reason, count uint64) {
	t.Helper()
	eventually(t, "counted as "+string(reason), func() bool { return p.Streams()[reason].Streams == count })
}

// Whoever ends first, the other side is told at once, and is still heard.
func TestHalfClosedStreams(t *testing.T) {
	const size = 6 << 20 // More than sockets hold.
	request, answer := pattern(1, size), pattern(2, size)
	got := make(chan []byte, 1)
	for name, first := range map[string]bool{"client first": true, "endpoint first": false} {
		t.Run(name, func(t *testing.T) {
			p, at := relaying(t, accepting(t, func(conn *net.TCPConn) {
				if first {
					heard, _ := io.ReadAll(conn)
					got <- heard
					_, _ = conn.Write(answer)
					return
				}
				_, _ = conn.Write(answer)
				_ = conn.CloseWrite()
				heard, _ := io.ReadAll(conn)
				got <- heard
			}))
			conn := connectTo(t, at)
			if first {
				_, _ = conn.Write(request)
				_ = conn.CloseWrite()
			}
			heard, err := io.ReadAll(conn)
			if err != nil || !bytes.Equal(heard, answer) {
				t.Fatalf("the client has read %d bytes, %v", len(heard), err)
			}
			if !first {
				_, _ = conn.Write(request)
				_ = conn.CloseWrite()
			}
			if heard := <-got; !bytes.Equal(heard, request) {
				t.Fatalf("the endpoint has read %d bytes", len(heard))
			}
			counted(t, p, stream.ReasonOK, 1)
			if count := p.Streams()[stream.ReasonOK]; count.Received != size || count.Sent != size {
				t.Errorf("counted %+v, want %d bytes each", count, size)
			}
		})
	}
}

// Small pieces that go back and forth are not held up.
func TestBackAndForth(t *testing.T) {
	_, at := relaying(t, greeting(t, "x"))
	conn := connectTo(t, at)
	hear(t, conn, 1)
	for _, size := range []int{1, 100, 16 << 10, 16<<10 + 1, 300 << 10, 5, 64 << 10, 1} {
		content := pattern(uint64(size), size+8)[:size]
		go func() { _, _ = conn.Write(content) }()
		if heard := hear(t, conn, size); heard != string(content) {
			t.Fatalf("%d bytes came back as others", size)
		}
	}
}

// What one side breaks off is broken off on the other, so that nobody takes half of something for the whole.
func TestResetsArePassedOn(t *testing.T) {
	t.Run("client", func(t *testing.T) {
		seen := make(chan bool, 1)
		p, at := relaying(t, accepting(t, func(conn *net.TCPConn) {
			say(conn, "x")
			seen <- wasReset(conn)
		}))
		conn := connectTo(t, at)
		hear(t, conn, 1)
		abort(conn)
		if !<-seen {
			t.Error("the endpoint takes what it has for the whole")
		}
		counted(t, p, stream.ReasonClient, 1)
	})
	t.Run("endpoint", func(t *testing.T) {
		p, at := relaying(t, accepting(t, func(conn *net.TCPConn) {
			_, _ = io.ReadFull(conn, make([]byte, 1))
			abort(conn)
		}))
		conn := connectTo(t, at)
		say(conn, "x")
		if !wasReset(conn) {
			t.Error("the client takes what it has for the whole")
		}
		counted(t, p, stream.ReasonUpstream, 1)
	})
}

// TLSRouteRule.backendRefs: "the underlying implementation MUST actively reject connection attempts to this backend."
func TestStreamsThatAreRefused(t *testing.T) {
	good := greeting(t, "x")
	tests := map[string]struct {
		table  *table
		want   stream.Reason
		reason string
	}{
		"no route":    {new(table).streamListener("listener/tcp", adminv1.Protocol_PROTOCOL_TCP, 5432), stream.ReasonNoRoute, "a listener without routes"},
		"no backend":  {toTCP(good).streamRoute("a", nil, "listener/tcp"), stream.ReasonNoBackend, "the first route by name has none"},
		"weight 0":    {toTCP(good).streamRoute("a", nil, "listener/tcp", "b=0"), stream.ReasonNoBackend, "no share is left"},
		"unresolved":  {toTCP(good).streamRoute("a", nil, "listener/tcp", ""), stream.ReasonNoBackend, "the reference leads nowhere"},
		"no endpoint": {toTCP(), stream.ReasonNoEndpoint, "a Service without endpoints"},
		"unreachable": {toTCP(refusing), stream.ReasonConnect, "nobody listens"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := start(t, test.table.resources)
			if !refused(t, address(t, p, 5432)) {
				t.Errorf("%s: the connection is not broken off", test.reason)
			}
			counted(t, p, test.want, 1)
		})
	}
}

func TestStreamsGoToTheNextEndpoint(t *testing.T) {
	_, at := relaying(t, refusing, refusingMore, greeting(t, "x"))
	for range 6 {
		hear(t, connectTo(t, at), 1)
	}
}

func TestStreamWeightsAreExact(t *testing.T) {
	p := start(t, new(table).streamListener("listener/tcp", adminv1.Protocol_PROTOCOL_TCP, 5432).
		streamBackend("six", greeting(t, "6")).streamBackend("three", greeting(t, "3")).
		streamRoute("r", nil, "listener/tcp", "six=6", "three=3", "=1").resources)
	at := address(t, p, 5432)
	counts := map[string]int{}
	for range 100 {
		first := make([]byte, 1)
		conn, err := net.Dial("tcp", at)
		if err == nil {
			_, err = io.ReadFull(conn, first)
			_ = conn.Close()
		}
		if err != nil {
			first = []byte("-")
		}
		counts[string(first)]++
	}
	if counts["6"] != 60 || counts["3"] != 30 || counts["-"] != 10 {
		t.Errorf("weights 6:3:1 over 100 connections: %v", counts)
	}
}

// Whatever the tables to come say, a stream stays where it is; what comes later goes by the new table.
func TestStreamsStayWhileTablesChange(t *testing.T) {
	first, second := greeting(t, "1"), greeting(t, "2")
	p, at := relaying(t, first)
	conn := connectTo(t, at)
	hear(t, conn, 1)
	listener := func() *table {
		return new(table).streamListener("listener/tcp", adminv1.Protocol_PROTOCOL_TCP, 5432)
	}
	for name, next := range map[string]*table{
		"endpoints": toTCP(second),
		"backend":   listener().streamBackend("c", second).streamRoute("r", nil, "listener/tcp", "c"),
		"no route":  listener(),
		"renamed": new(table).streamListener("listener/renamed", adminv1.Protocol_PROTOCOL_TCP, 5432).
			streamBackend("c", second).streamRoute("r", nil, "listener/renamed", "c"),
		"no listener": new(table),
	} {
		if quarantined := load(t, p, next); len(quarantined) > 0 {
			t.Fatal(quarantined)
		}
		say(conn, name)
		if heard := hear(t, conn, len(name)); heard != name {
			t.Errorf("after %s: got %q", name, heard)
		}
		if name == "no route" || name == "no listener" {
			load(t, p, listener())
			continue
		}
		if heard := hear(t, connectTo(t, address(t, p, 5432)), 1); heard != "2" {
			t.Errorf("after %s a new stream went to %s", name, heard)
		}
	}
}

// An endpoint that takes nothing holds its client up, and the proxy does not hold what it cannot pass on.
func TestBackPressure(t *testing.T) {
	const size = 64 << 20 // More than four sockets hold.
	read := make(chan struct{})
	got := make(chan []byte, 1)
	_, at := relaying(t, accepting(t, func(conn *net.TCPConn) {
		<-read
		heard, _ := io.ReadAll(conn)
		got <- heard
	}))
	conn, content := connectTo(t, at), pattern(3, size)
	_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
	taken, err := conn.Write(content)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%d of %d bytes were taken, %v", taken, size, err)
	}
	close(read)
	_ = conn.CloseWrite()
	if heard := <-got; !bytes.Equal(heard, content[:taken]) {
		t.Errorf("of %d bytes that were taken, %d came", taken, len(heard))
	}
}

func TestIdleStreamsEnd(t *testing.T) {
	ended := make(chan error, 1)
	p := start(t, toTCP(accepting(t, func(conn *net.TCPConn) {
		_, err := io.Copy(io.Discard, conn) // It says nothing, as it would be told of the end then, and not here.
		ended <- err
	})).resources, func(c *Config) { c.Bootstrap.Limits.StreamIdleTimeout = bootstrap.Duration(20 * time.Millisecond) })
	if !refused(t, address(t, p, 5432)) {
		t.Error("the client is not told")
	}
	if err := <-ended; !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the endpoint is not told: %v", err)
	}
	counted(t, p, stream.ReasonIdle, 1)
}

// As requests are, streams that are under way may go on for a time when the proxy stops, and are cut then.
func TestStreamsWhenTheProxyStops(t *testing.T) {
	for name, finishes := range map[string]bool{"finished": true, "cut": false} {
		t.Run(name, func(t *testing.T) {
			p, stop := startWithStop(t, toTCP(greeting(t, "x")).resources, func(c *Config) {
				c.Bootstrap.Drain.Delay = 0
				c.Bootstrap.Drain.Timeout = bootstrap.Duration(map[bool]time.Duration{true: patience, false: time.Millisecond}[finishes])
			})
			conn := connectTo(t, address(t, p, 5432))
			hear(t, conn, 1)
			stop()
			if !finishes {
				if !wasReset(conn) {
					t.Error("the client takes what it has for the whole")
				}
				if err := p.Wait(); !errors.Is(err, ErrCut) {
					t.Errorf("got %v", err)
				}
				counted(t, p, stream.ReasonCut, 1)
				return
			}
			eventually(t, "no new connections", func() bool { return !p.Ready() })
			say(conn, "more")
			if heard := hear(t, conn, 4); heard != "more" {
				t.Errorf("got %q", heard)
			}
			_ = conn.CloseWrite()
			if err := p.Wait(); err != nil {
				t.Error(err)
			}
			counted(t, p, stream.ReasonOK, 1)
		})
	}
}

// An endpoint gets no more streams than it may have, and others do.
func TestStreamsOfAnEndpointAreBounded(t *testing.T) {
	b := toTCP(greeting(t, "1"), greeting(t, "2"))
	b.resources[2].GetBackend().MaxConnections = 2
	p := start(t, b.resources)
	at := address(t, p, 5432)
	counts := map[string]int{}
	var last net.Conn
	for range 4 {
		last = connectTo(t, at)
		counts[hear(t, last, 1)]++
	}
	if counts["1"] != 2 || counts["2"] != 2 {
		t.Errorf("got %v", counts)
	}
	if !refused(t, at) {
		t.Error("a fifth one was taken")
	}
	counted(t, p, stream.ReasonFull, 1)
	_ = last.Close()
	counted(t, p, stream.ReasonOK, 1)
	hear(t, connectTo(t, at), 1)
}
