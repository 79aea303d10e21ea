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
	"io"
	"net"
	"runtime"
	"sync/atomic"
	"testing"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// Clients that fill the ports of streams, with idle connections and with handshakes that they do not go on with, stay within their
// bounds; other listeners are served all the while, on connections that come later than all of theirs.
func TestFloodOfStreams(t *testing.T) {
	const places, flood = 48, 80
	var relayed, most atomic.Int64
	at := accepting(t, func(conn *net.TCPConn) {
		for now := relayed.Add(1); ; {
			before := most.Load()
			if now <= before || most.CompareAndSwap(before, now) {
				break
			}
		}
		defer relayed.Add(-1)
		say(conn, "x")
		_, _ = io.Copy(io.Discard, conn)
	})
	p := start(t, new(table).streamListener("listener/tcp", adminv1.Protocol_PROTOCOL_TCP, 5432).
		passthrough("listener/tls", 443, "").listener("listener/http", 80, "").
		streamBackend("b", at).streamRoute("r", nil, "listener/tcp", "b").streamRoute("s", nil, "listener/tls", "b").
		backend("h", echo(t, "h")).route("t", "listener/http", "/", "h").resources,
		func(c *Config) { c.Bootstrap.Limits.MaxConnections = places })
	others := func() {
		t.Helper()
		conn, reader := raw(t, address(t, p, 80), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if answer, body := response(t, reader, "GET"); answer.StatusCode != 200 || body != "h" {
			t.Fatalf("another listener answers %d %q", answer.StatusCode, body)
		}
		_ = conn.Close()
	}
	others() // The connection to the endpoint is kept from now on.
	files, goroutines := descriptors(t), runtime.NumGoroutine()
	var all []net.Conn
	for range flood {
		idle, hello := connectTo(t, address(t, p, 5432)), connectTo(t, address(t, p, 443))
		// The beginning of a record of 512 bytes, with that of a ClientHello.
		say(hello, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
		all = append(all, idle, hello)
	}
	for range 3 * places {
		others()
	}
	// Of the places a quarter is kept for three ports.
	if taken, bound := most.Load(), int64(places-2*(places/4/3)); taken > bound {
		t.Errorf("%d idle connections were relayed at one time, at most %d may be", taken, bound)
	}
	// Each client has its own end here; each place has the proxy's, with that to the endpoint and the endpoint's; and on each port one
	// may wait for a place.
	const perPlace, waiting = 3, 3
	// What the others left may take a moment to be over.
	eventually(t, "no more files are open than there may be", func() bool {
		return descriptors(t)-files <= len(all)+perPlace*places+waiting
	})
	eventually(t, "no more goroutines are there than there may be", func() bool {
		return runtime.NumGoroutine()-goroutines <= perPlace*places
	})
	for _, conn := range all {
		_ = conn.Close()
	}
	eventually(t, "all that were relayed are over", func() bool { return relayed.Load() == 0 })
	eventually(t, "nothing is left of the flood", func() bool {
		return runtime.NumGoroutine() <= goroutines+2 && descriptors(t) <= files // What looks for idle ones may still do so.
	})
	hear(t, connectTo(t, address(t, p, 5432)), 1)
}
