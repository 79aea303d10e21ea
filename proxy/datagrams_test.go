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
	"errors"
	"net"
	"testing"
	"time"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/datagram"
)

// resolving is an endpoint of UDP that puts its name before what comes, and sends it back.
func resolving(t testing.TB, name string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		piece := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFrom(piece[copy(piece, name):])
			if err != nil {
				return
			}
			_, _ = conn.WriteTo(piece[:len(name)+n], from)
		}
	}()
	return conn.LocalAddr().String()
}

// toUDP is a listener of UDP whose datagrams go to a backend with the endpoints.
func toUDP(endpoints ...string) *table {
	b := new(table).streamListener("listener/udp", adminv1.Protocol_PROTOCOL_UDP, 53).
		streamBackend("u", endpoints...).streamRoute("d", nil, "listener/udp", "u")
	b.resources[2].GetBackend().Protocol = adminv1.BackendProtocol_BACKEND_PROTOCOL_UDP
	return b
}

// asker sends datagrams to a port of UDP.
func asker(t testing.TB, p *Proxy, port uint16) net.Conn {
	t.Helper()
	at, open := p.DatagramAddr(port)
	if !open {
		t.Fatalf("port %d of UDP is not open", port)
	}
	conn, err := net.Dial("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// query sends a datagram and gives the answer.
func query(t testing.TB, conn net.Conn, what string) string {
	t.Helper()
	say(conn, what)
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	piece := make([]byte, 1<<16)
	n, err := conn.Read(piece)
	if err != nil {
		t.Fatal(err)
	}
	return string(piece[:n])
}

// One number is a port of UDP and one of TCP, and neither is disturbed by what becomes of the other.
func TestDatagramsAndRequestsOnOneNumber(t *testing.T) {
	first, second := resolving(t, "1"), resolving(t, "2")
	p := start(t, toUDP(first).resources)
	conn := asker(t, p, 53)
	if got := query(t, conn, "a"); got != "1a" {
		t.Fatalf("got %q", got)
	}
	both := toUDP(first).streamListener("listener/tcp", adminv1.Protocol_PROTOCOL_TCP, 53).
		streamBackend("t", greeting(t, "x")).streamRoute("t", nil, "listener/tcp", "t")
	if quarantined := load(t, p, both); len(quarantined) > 0 {
		t.Fatal(quarantined)
	}
	stream := connectTo(t, address(t, p, 53))
	hear(t, stream, 1)
	if got := query(t, conn, "b"); got != "1b" {
		t.Errorf("after the port of TCP came: %q", got)
	}
	if got := p.Datagrams(); got.Opened != 1 {
		t.Errorf("the session was not kept: %+v", got)
	}
	load(t, p, toUDP(second))
	if got := query(t, conn, "c"); got != "2c" {
		t.Errorf("an endpoint that is gone: %q", got)
	}
	say(stream, "more")
	if got := hear(t, stream, 4); got != "more" {
		t.Errorf("the stream of a listener that is gone: %q", got)
	}
	load(t, p, new(table))
	if _, open := p.DatagramAddr(53); open {
		t.Error("without its listener the port is open")
	}
}

// The settings of a table bound sessions, without a restart.
func TestDatagramLimitsOfTheTable(t *testing.T) {
	p := start(t, toUDP(resolving(t, "1")).resources)
	one := uint32(1)
	limited := toUDP(resolving(t, "1")).add(&adminv1.Resource{Name: "settings", Spec: &adminv1.Resource_Settings{
		Settings: &adminv1.Settings{Limits: &adminv1.Limits{MaxDatagramSessions: &one}},
	}})
	if quarantined := load(t, p, limited); len(quarantined) > 0 {
		t.Fatal(quarantined)
	}
	if got := query(t, asker(t, p, 53), "a"); got != "1a" {
		t.Fatalf("got %q", got)
	}
	say(asker(t, p, 53), "b")
	eventually(t, "the second client is one too many", func() bool { return p.Datagrams().Dropped[datagram.TooManySessions] > 0 })
}

// Sessions that are in use may go on while the proxy stops, and are cut when the time is over.
func TestDatagramsWhenTheProxyStops(t *testing.T) {
	p, stop := startWithStop(t, toUDP(resolving(t, "1")).resources, func(c *Config) {
		c.Bootstrap.Drain.Delay = 0
		c.Bootstrap.Drain.Timeout = bootstrap.Duration(10 * time.Millisecond)
	})
	conn := asker(t, p, 53)
	query(t, conn, "a")
	stop()
	if err := p.Wait(); !errors.Is(err, ErrCut) {
		t.Errorf("got %v", err)
	}
}
