//go:build linux

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

package datagram

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"testing"
	"time"
)

// patience is for how long a test waits for what has to come.
const patience = time.Minute

// number of the port that most tests use; where it is bound Addr says.
const number = 53

// started gives ports on an address, whose sessions stay, with the given shares.
func started(t *testing.T, address string, limits Limits, ports ...Port) *Ports {
	t.Helper()
	p := New(Options{
		Address: func(uint16) string { return address }, RetryInterval: 10 * time.Millisecond, Limits: limits,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_ = p.Shutdown(ctx)
	})
	if failed := p.Apply(ports); len(failed) > 0 {
		t.Fatal(failed)
	}
	return p
}

// ample limits are never reached.
var ample = Limits{IdleTimeout: time.Hour, MaxSessions: 1000}

// echo is an endpoint that answers each datagram with its name and what came.
type echo struct {
	*net.UDPConn
	name string
}

func newEcho(t *testing.T, name, address string) *echo {
	t.Helper()
	e := &echo{UDPConn: bound(t, address), name: name}
	go e.serve()
	return e
}

func (e *echo) serve() {
	bytes := make([]byte, 1<<16)
	for {
		n, from, err := e.ReadFromUDPAddrPort(bytes[len(e.name):])
		if err != nil {
			return
		}
		_, _ = e.WriteToUDPAddrPort(bytes[:copy(bytes, e.name)+n], from)
	}
}

func (e *echo) addr() netip.AddrPort { return e.LocalAddr().(*net.UDPAddr).AddrPort() }

// bound gives a socket that is not connected.
func bound(t *testing.T, address string) *net.UDPConn {
	t.Helper()
	at, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// client has one address.
type client struct {
	*net.UDPConn
	t  *testing.T
	to netip.AddrPort
}

func newClient(t *testing.T, to netip.AddrPort) *client {
	t.Helper()
	address := "127.0.0.1:0"
	if !to.Addr().Is4() {
		address = "[::1]:0"
	}
	return &client{UDPConn: bound(t, address), t: t, to: to}
}

func (c *client) send(content string) {
	c.t.Helper()
	if _, err := c.WriteToUDPAddrPort([]byte(content), c.to); err != nil {
		c.t.Fatal(err)
	}
}

// receive gives the next datagram, which has to come from the address that the client sends to; false when none came.
func (c *client) receive(within time.Duration) (string, bool) {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(within))
	bytes := make([]byte, 1<<16)
	n, from, err := c.ReadFromUDPAddrPort(bytes)
	if err != nil {
		return "", false
	}
	if from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port()); from != c.to {
		c.t.Errorf("the answer comes from %s, want %s", from, c.to)
	}
	return string(bytes[:n]), true
}

// ask gives the answer to a datagram, which has to come.
func (c *client) ask(content string) string {
	c.t.Helper()
	c.send(content)
	answer, came := c.receive(patience)
	if !came {
		c.t.Fatalf("no answer to %d bytes", len(content))
	}
	return answer
}

// reach asks until there is an answer, and gives it.
func (c *client) reach(content string) string {
	c.t.Helper()
	for until := time.Now().Add(patience); time.Now().Before(until); {
		c.send(content)
		if answer, came := c.receive(50 * time.Millisecond); came {
			return answer
		}
	}
	c.t.Fatal("never an answer")
	return ""
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for until := time.Now().Add(patience); !holds(); {
		if time.Now().After(until) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// to gives shares of weight 1 for one backend.
func to(endpoints ...*echo) []Share {
	return []Share{{Backend: named("backend", endpoints...), Weight: 1}}
}

func named(name string, endpoints ...*echo) *Backend {
	b := &Backend{Name: name}
	for _, e := range endpoints {
		b.Ready = append(b.Ready, e.addr())
	}
	return b
}

func addrOf(t *testing.T, p *Ports, number uint16) netip.AddrPort {
	t.Helper()
	addr, open := p.Addr(number)
	if !open {
		t.Fatalf("port %d is not open", number)
	}
	return addr
}

func TestAnswersComeFromWhereTheyWereAsked(t *testing.T) {
	tests := map[string]struct {
		reason   string
		bind     string
		endpoint string
		to       []string
	}{
		"one address of IPv4":   {"the usual in tests", "127.0.0.1:0", "127.0.0.1:0", []string{"127.0.0.1"}},
		"all addresses of IPv4": {"the kernel would answer from the first address of the interface", "0.0.0.0:0", "127.0.0.1:0", []string{"127.0.0.1", "127.0.0.2", "127.9.9.9"}},
		"one address of IPv6":   {"has another form of address", "[::1]:0", "[::1]:0", []string{"::1"}},
		"all addresses":         {"clients of IPv4 come as IPv6 there, and are answered as IPv4", ":0", "127.0.0.1:0", []string{"127.0.0.1", "127.0.0.2", "::1"}},
		"from IPv4 to IPv6":     {"what clients speak says nothing of what endpoints do", "127.0.0.1:0", "[::1]:0", []string{"127.0.0.1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			e := newEcho(t, "e:", test.endpoint)
			p := started(t, test.bind, ample, Port{Number: number, Shares: to(e)})
			for _, address := range test.to {
				at := netip.AddrPortFrom(netip.MustParseAddr(address), addrOf(t, p, number).Port())
				c := newClient(t, at)
				for range 3 {
					if got := c.ask("hello"); got != "e:hello" {
						t.Errorf("%s answers %q: %s", address, got, test.reason)
					}
				}
			}
			if got := p.Counts(); got.Sessions != len(test.to) || got.Opened != uint64(len(test.to)) {
				t.Errorf("there are %d sessions, %d were opened, want %d", got.Sessions, got.Opened, len(test.to))
			}
		})
	}
}

// One client that sends to two addresses of the proxy has two sessions: each answer comes from the one that was asked.
func TestOneClientOfTwoAddresses(t *testing.T) {
	e := newEcho(t, "", "127.0.0.1:0")
	p := started(t, "0.0.0.0:0", ample, Port{Number: number, Shares: to(e)})
	c := newClient(t, netip.MustParseAddrPort("127.0.0.1:0"))
	for range 3 {
		for _, address := range []string{"127.0.0.1", "127.0.0.2"} {
			c.to = netip.AddrPortFrom(netip.MustParseAddr(address), addrOf(t, p, number).Port())
			if got := c.ask(address); got != address {
				t.Errorf("%s answers %q", address, got)
			}
		}
	}
	if got := p.Counts().Sessions; got != 2 {
		t.Errorf("there are %d sessions, want 2", got)
	}
}

func TestSizes(t *testing.T) {
	for name, test := range map[string]struct {
		reason  string
		address string
		sizes   []int
	}{
		"IPv4": {"65,507 bytes are the most that IPv4 has room for; none is a datagram as well", "127.0.0.1:0", []int{0, 1, 1472, 1473, 9000, 65_507}},
		"IPv6": {"65,527 bytes are the most that UDP has room for", "[::1]:0", []int{0, 1, 65_527}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEcho(t, "", test.address)
			p := started(t, test.address, ample, Port{Number: number, Shares: to(e)})
			c := newClient(t, addrOf(t, p, number))
			for i, size := range test.sizes {
				content := make([]byte, size)
				for at := range content {
					content[at] = byte(at + i)
				}
				if got := c.ask(string(content)); got != string(content) {
					t.Errorf("%d bytes came back as %d other ones: %s", size, len(got), test.reason)
				}
			}
		})
	}
}

func TestWeights(t *testing.T) {
	heavy, light := newEcho(t, "heavy", "127.0.0.1:0"), newEcho(t, "light", "127.0.0.1:0")
	p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: []Share{
		{Backend: named("heavy", heavy), Weight: 4}, {Backend: named("light", light), Weight: 1},
	}})
	took := make(map[string]int)
	for range 50 {
		c := newClient(t, addrOf(t, p, number))
		first := c.ask("")
		took[first]++
		for range 3 {
			if again := c.ask(""); again != first {
				t.Fatalf("a session went from %s to %s", first, again)
			}
		}
	}
	if took["heavy"] != 40 || took["light"] != 10 {
		t.Errorf("sessions went to %v, want 40 and 10", took)
	}
}

func TestBalancing(t *testing.T) {
	a, b := newEcho(t, "a", "127.0.0.1:0"), newEcho(t, "b", "127.0.0.1:0")
	for name, test := range map[string]struct {
		reason string
		least  bool
		most   uint32
		want   int // sessions that get an endpoint
	}{
		"in turn":        {reason: "each endpoint has its turn", want: 10},
		"fewer sessions": {reason: "with two endpoints both are looked at, and the one with fewer is taken", least: true, want: 10},
		"at most three":  {reason: "an endpoint that has as many as it may have is passed over", most: 3, want: 6},
	} {
		t.Run(name, func(t *testing.T) {
			shares := to(a, b)
			shares[0].Backend.LeastSessions, shares[0].Backend.MaxSessions = test.least, test.most
			p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: shares})
			took := make(map[string]int)
			for range test.want {
				took[newClient(t, addrOf(t, p, number)).ask("")]++
			}
			if took["a"] != test.want/2 || took["b"] != test.want/2 {
				t.Errorf("sessions went to %v: %s", took, test.reason)
			}
			if test.most > 0 {
				newClient(t, addrOf(t, p, number)).send("one too many")
				eventually(t, "it is dropped", func() bool { return p.Counts().Dropped[NoEndpoint] == 1 })
			}
		})
	}
}

func TestNothingToSendTo(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		shares []Share
		want   Reason
	}{
		"no route":       {"a listener without routes", nil, NoRoute},
		"not resolved":   {"the share of a backend that is not resolved", []Share{{Weight: 1}}, NoRoute},
		"no endpoint":    {"a Service without pods", []Share{{Backend: &Backend{Name: "empty"}, Weight: 1}}, NoEndpoint},
		"no way to them": {"an address that the system cannot send to", []Share{{Backend: &Backend{Name: "far", Ready: []netip.AddrPort{netip.MustParseAddrPort("255.255.255.255:9")}}, Weight: 1}}, NoSocket},
	} {
		t.Run(name, func(t *testing.T) {
			p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: test.shares})
			c := newClient(t, addrOf(t, p, number))
			c.send("x")
			eventually(t, "the datagram is dropped: "+test.reason, func() bool { return p.Counts().Dropped[test.want] == 1 })
			if got := p.Counts(); got.Sessions != 0 || len(got.Dropped) != 1 {
				t.Errorf("counted %+v", got)
			}
			// Nothing is remembered of it.
			e := newEcho(t, "e", "127.0.0.1:0")
			p.Apply([]Port{{Number: number, Shares: to(e)}})
			if got := c.ask(""); got != "e" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestPortInUse(t *testing.T) {
	other := bound(t, "127.0.0.1:0")
	p := started(t, other.LocalAddr().String(), ample)
	e := newEcho(t, "e", "127.0.0.1:0")
	failed := p.Apply([]Port{{Number: number, Shares: to(e)}})
	if failed[number] == nil || len(failed) != 1 {
		t.Fatalf("failed are %v", failed)
	}
	if _, open := p.Addr(number); open {
		t.Fatal("the port is open")
	}
	_ = other.Close()
	eventually(t, "the port is bound", func() bool { _, open := p.Addr(number); return open })
	if got := newClient(t, addrOf(t, p, number)).reach(""); got != "e" {
		t.Errorf("got %q", got)
	}
	if failed := p.Apply([]Port{{Number: number, Shares: to(e)}}); len(failed) > 0 {
		t.Errorf("still failed: %v", failed)
	}
}

// Nobody shares a port with somebody who has it already, also not another proxy.
func TestPortOfAnotherProxy(t *testing.T) {
	p := started(t, "127.0.0.1:0", ample, Port{Number: number})
	other := started(t, addrOf(t, p, number).String(), ample)
	if failed := other.Apply([]Port{{Number: number}}); failed[number] == nil {
		t.Error("two proxies have one port")
	}
}

func TestClosedPort(t *testing.T) {
	e := newEcho(t, "e", "127.0.0.1:0")
	p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: to(e)}, Port{Number: number + 1, Shares: to(e)})
	gone, stays := newClient(t, addrOf(t, p, number)), newClient(t, addrOf(t, p, number+1))
	gone.ask("")
	stays.ask("")
	p.Apply([]Port{{Number: number + 1, Shares: to(e)}})
	if got := stays.ask(""); got != "e" || p.Counts().Opened != 2 {
		t.Errorf("the other port's session answers %q, and %d were opened", got, p.Counts().Opened)
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(gone.to)) // Whoever wants the address can have it.
	if err != nil {
		t.Error(err)
	}
	_ = conn.Close()
	if got := p.Counts().Sessions; got != 1 {
		t.Errorf("there are %d sessions", got)
	}
}

func TestShutdown(t *testing.T) {
	e := newEcho(t, "e", "127.0.0.1:0")
	for name, test := range map[string]struct {
		reason string
		within time.Duration
		cut    bool
	}{
		"sessions that are idle": {"nobody waits for those that nobody uses", patience, false},
		"no time":                {"what goes on is cut, and said to be", 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: to(e)})
			begun := newClient(t, addrOf(t, p, number))
			begun.ask("")
			ctx, cancel := context.WithTimeout(t.Context(), test.within)
			defer cancel()
			ended := make(chan error)
			go func() { ended <- p.Shutdown(ctx) }()
			if !test.cut {
				eventually(t, "new clients are refused", func() bool {
					newClient(t, begun.to).send("x")
					return p.Counts().Dropped[Draining] > 0
				})
				if got := begun.ask(""); got != "e" {
					t.Errorf("a session that was there answers %q", got)
				}
			}
			if err := <-ended; errors.Is(err, ErrCut) != test.cut {
				t.Errorf("ended with %v: %s", err, test.reason)
			}
			if got := p.Counts().Sessions; got != 0 {
				t.Errorf("%d sessions are left", got)
			}
			if conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(begun.to)); err != nil {
				t.Error(err)
			} else {
				_ = conn.Close()
			}
		})
	}
}

func TestReasonsHaveNames(t *testing.T) {
	for why := range reasons {
		if why.String() == "" {
			t.Errorf("reason %d has no name", int(why))
		}
	}
}
