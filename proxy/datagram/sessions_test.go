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
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestVanishingEndpoint(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		others int
	}{
		"with another": {"its sessions go to the other, and new ones as well", 1},
		"with none":    {"it may be there again at any time", 0},
	} {
		t.Run(name, func(t *testing.T) {
			gone := newEcho(t, "gone", "127.0.0.1:0")
			all := []*echo{gone}
			for range test.others {
				all = append(all, newEcho(t, "other", "127.0.0.1:0"))
			}
			p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: to(all...)})
			var there *client
			for range len(all) {
				if c := newClient(t, addrOf(t, p, number)); c.ask("") == "gone" {
					there = c
				}
			}
			address := gone.LocalAddr().String()
			_ = gone.Close()
			if test.others > 0 {
				if got := there.reach(""); got != "other" {
					t.Errorf("%q answers: %s", got, test.reason)
				}
				if got := p.Counts(); got.Moved != 1 {
					t.Errorf("%d sessions have moved, want 1", got.Moved)
				}
				return
			}
			there.send("nobody takes this")
			eventually(t, "the endpoint's refusal is seen", func() bool {
				there.send("nor this")
				return p.Counts().ToEndpoints.Datagrams > 3
			})
			newEcho(t, "again", address)
			if got := there.reach(""); !strings.HasPrefix(got, "again") { // What was on its way may be what is answered.
				t.Errorf("%q answers: %s", got, test.reason)
			}
			if got := p.Counts().Opened; got != 1 {
				t.Errorf("%d sessions were opened, want 1", got)
			}
		})
	}
}

// An endpoint that took no datagram is passed over by new sessions: what they send first would be lost.
func TestNewSessionsAvoidVanishedEndpoints(t *testing.T) {
	a, b := &endpoint{address: netip.MustParseAddrPort("10.0.0.1:1")}, &endpoint{address: netip.MustParseAddrPort("10.0.0.2:1")}
	for name, test := range map[string]struct {
		reason  string
		refused []*endpoint
		left    *endpoint
		now     time.Duration
		want    map[*endpoint]int
	}{
		"none":           {"each in turn", nil, nil, time.Hour, map[*endpoint]int{a: 2, b: 2}},
		"one":            {"the other takes all", []*endpoint{a}, nil, time.Hour, map[*endpoint]int{b: 4}},
		"one, long ago":  {"it may be there again", []*endpoint{a}, nil, time.Hour + avoided, map[*endpoint]int{a: 2, b: 2}},
		"all":            {"there is nothing better", []*endpoint{a, b}, nil, time.Hour, map[*endpoint]int{a: 2, b: 2}},
		"left":           {"a session that leaves goes elsewhere", []*endpoint{a}, a, time.Hour, map[*endpoint]int{b: 4}},
		"left, all":      {"also where it was refused before", []*endpoint{a, b}, a, time.Hour, map[*endpoint]int{b: 4}},
		"left, long ago": {"whatever the time", nil, b, 2 * time.Hour, map[*endpoint]int{a: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRoute(Port{Shares: []Share{{Weight: 1, Backend: &Backend{Name: "b"}}}}, nil)
			chosen := make(map[*endpoint]int)
			for _, e := range []*endpoint{a, b} {
				e.refused.Store(0)
			}
			for _, e := range test.refused {
				e.refused.Store(int64(time.Hour))
			}
			r.shares[0].list = []*endpoint{a, b}
			for range 4 {
				chosen[r.share().choose(test.now, test.left)]++
			}
			if fmt.Sprint(chosen) != fmt.Sprint(test.want) {
				t.Errorf("chosen are %v, want %v: %s", chosen, test.want, test.reason)
			}
		})
	}
}

func TestChanges(t *testing.T) {
	a, b := newEcho(t, "a", "127.0.0.1:0"), newEcho(t, "b", "127.0.0.1:0")
	tests := map[string]struct {
		reason string
		next   []Share
		want   string // answers the session then
		opened uint64
	}{
		"nothing":              {"equal content is no change", to(a), "a", 2},
		"an endpoint comes":    {"sessions keep their endpoint", to(a, b), "a", 2},
		"it drains":            {"draining endpoints keep what they have", []Share{{Weight: 1, Backend: &Backend{Name: "backend", Ready: []netip.AddrPort{b.addr()}, Draining: []netip.AddrPort{a.addr()}}}}, "a", 2},
		"another share":        {"weights are for new sessions", append(to(a), Share{Weight: 9, Backend: named("other", b)}), "a", 2},
		"the endpoint goes":    {"whoever has its address next is somebody else", to(b), "b", 3},
		"the backend goes":     {"its share is none any more", []Share{{Weight: 1, Backend: named("other", b)}}, "b", 3},
		"to another backend's": {"an endpoint belongs to its backend", []Share{{Weight: 1, Backend: named("other", a)}}, "a", 3},
		"the route goes":       {"nobody serves the port", nil, "", 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: to(a)}, Port{Number: number + 1, Shares: to(b)})
			changed, other := newClient(t, addrOf(t, p, number)), newClient(t, addrOf(t, p, number+1))
			changed.ask("")
			other.ask("")
			p.Apply([]Port{{Number: number, Shares: test.next}, {Number: number + 1, Shares: to(b)}})
			if test.want == "" {
				changed.send("x")
				eventually(t, "the datagram is dropped", func() bool { return p.Counts().Dropped[NoRoute] == 1 })
				eventually(t, "the session has ended", func() bool { return p.Counts().Sessions == 1 })
			} else if got := changed.ask(""); got != test.want {
				t.Errorf("%q answers: %s", got, test.reason)
			}
			if got := p.Counts().Opened; got != test.opened {
				t.Errorf("%d sessions were opened, want %d: %s", got, test.opened, test.reason)
			}
			if got := other.ask(""); got != "b" {
				t.Errorf("%q answers the session of another port", got)
			}
		})
	}
}

// Sessions whose endpoint is gone end also when their clients send nothing more, and what the endpoint still sends is dropped.
func TestSessionsOfGoneEndpointsEnd(t *testing.T) {
	a, b := newEcho(t, "a", "127.0.0.1:0"), newEcho(t, "b", "127.0.0.1:0")
	p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: to(a)})
	for range sweepSize + 10 {
		newClient(t, addrOf(t, p, number)).ask("")
	}
	p.Apply([]Port{{Number: number, Shares: to(b)}})
	eventually(t, "all have ended", func() bool { return p.Counts().Sessions == 0 })
	if got := newClient(t, addrOf(t, p, number)).ask(""); got != "b" {
		t.Errorf("%q answers", got)
	}
}

// What a client has sent when its route changes is answered: by the endpoint that it was sent to.
func TestAnswersUnderWayArrive(t *testing.T) {
	for name, test := range map[string]struct {
		reason string
		next   []Share
		again  string // answers what the client sends before the first answer has come
	}{
		"another endpoint": {"the client's next datagram goes to another, and the answer comes nevertheless", to(newEcho(t, "b", "127.0.0.1:0")), "b"},
		"no next datagram": {"who waits for an answer sends nothing", to(newEcho(t, "b", "127.0.0.1:0")), ""},
		"no route":         {"the route went after the client had sent", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			slow := bound(t, "127.0.0.1:0")
			p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: to(&echo{UDPConn: slow, name: "slow"})})
			c := newClient(t, addrOf(t, p, number))
			var from netip.AddrPort
			for range 2 {
				c.send("")
				var err error
				if _, from, err = slow.ReadFromUDPAddrPort(make([]byte, 1)); err != nil {
					t.Fatal(err)
				}
			}
			p.Apply([]Port{{Number: number, Shares: test.next}})
			if test.again != "" {
				if got := c.ask(""); got != test.again {
					t.Errorf("%q answers", got)
				}
			}
			for _, late := range []string{"late", "later"} {
				if _, err := slow.WriteToUDPAddrPort([]byte(late), from); err != nil {
					t.Fatal(err)
				}
				if got, _ := c.receive(patience); got != late {
					t.Errorf("got %q, want %q: %s", got, late, test.reason)
				}
			}
			want := int64(0)
			if test.again != "" {
				want = 1
			}
			eventually(t, "the session has ended with its answers", func() bool { return int64(p.Counts().Sessions) == want })
		})
	}
}

// An endpoint that is gone may never answer: nothing is kept for it.
func TestSessionsEndWithoutTheirAnswer(t *testing.T) {
	silent, b := bound(t, "127.0.0.1:0"), newEcho(t, "b", "127.0.0.1:0")
	p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: to(&echo{UDPConn: silent, name: "silent"})})
	newClient(t, addrOf(t, p, number)).send("")
	eventually(t, "the datagram was sent", func() bool { return p.Counts().ToEndpoints.Datagrams == 1 })
	p.Apply([]Port{{Number: number, Shares: to(b)}})
	eventually(t, "the session has ended", func() bool { return p.Counts().Sessions == 0 })
}

func TestTurnsGoOn(t *testing.T) {
	a, b, c := newEcho(t, "a", "127.0.0.1:0"), newEcho(t, "b", "127.0.0.1:0"), newEcho(t, "c", "127.0.0.1:0")
	shares := func(second ...*echo) []Share {
		return []Share{{Backend: named("first", a), Weight: 2}, {Backend: named("second", second...), Weight: 1}}
	}
	p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: shares(b)})
	took := make(map[string]int)
	for i := range 30 {
		if i%2 == 0 {
			p.Apply([]Port{{Number: number, Shares: shares(b, c)}})
		} else {
			p.Apply([]Port{{Number: number, Shares: shares(b)}})
		}
		took[newClient(t, addrOf(t, p, number)).ask("")]++
	}
	if took["a"] != 20 {
		t.Errorf("sessions went to %v, want 20 of 30 to a: a change of endpoints must not begin the turns anew", took)
	}
}

func TestIdleSessionsEnd(t *testing.T) {
	e := newEcho(t, "e", "127.0.0.1:0")
	p := started(t, "127.0.0.1:0", Limits{IdleTimeout: 50 * time.Millisecond, MaxSessions: 10}, Port{Number: number, Shares: to(e)})
	clients := make([]*client, 5)
	for i := range clients {
		clients[i] = newClient(t, addrOf(t, p, number))
		clients[i].reach("") // A session that ends before its answer was relayed is begun anew.
	}
	clients[0].reach("again")
	eventually(t, "all have ended", func() bool { return p.Counts().Sessions == 0 })
	eventually(t, "a session begins anew", func() bool { return clients[0].reach("anew") == "eanew" })
	p.SetLimits(ample)
}

// What an endpoint sends without being asked keeps a session. A machine that stands still for as long as it may be idle ends it
// rightly; it is given twice as long then.
func TestEndpointsKeepSessionsAlive(t *testing.T) {
	for idle := 300 * time.Millisecond; !staysAlive(t, idle); idle *= 2 {
		if idle > 10*time.Second {
			t.Fatalf("a session ends after %v, though its endpoint sends", idle)
		}
	}
}

// staysAlive says whether a session outlives the time that it may be idle, twice, when its endpoint alone sends.
func staysAlive(t *testing.T, idle time.Duration) bool {
	e := bound(t, "127.0.0.1:0")
	p := started(t, "127.0.0.1:0", Limits{IdleTimeout: idle, MaxSessions: 10}, Port{
		Number: number, Shares: []Share{{Weight: 1, Backend: &Backend{Name: "b", Ready: []netip.AddrPort{e.LocalAddr().(*net.UDPAddr).AddrPort()}}}},
	})
	c := newClient(t, addrOf(t, p, number))
	c.send("subscribe")
	_, proxy, err := e.ReadFromUDPAddrPort(make([]byte, 100))
	if err != nil {
		t.Fatal(err)
	}
	for i, began := 0, time.Now(); time.Since(began) < 2*idle; i++ {
		if _, err := e.WriteToUDPAddrPort(fmt.Append(nil, i), proxy); err != nil {
			t.Fatal(err)
		}
		came := false
		for until := time.Now().Add(patience); !came && time.Now().Before(until); {
			if p.Counts().Sessions == 0 {
				return false
			}
			var got string
			if got, came = c.receive(50 * time.Millisecond); came && got != fmt.Sprint(i) {
				t.Fatalf("got %q, want %d", got, i)
			}
		}
		if !came {
			t.Fatalf("%d was not relayed: %+v", i, p.Counts())
		}
		time.Sleep(5 * time.Millisecond)
	}
	if got := p.Counts().Opened; got != 1 {
		t.Errorf("%d sessions were opened", got)
	}
	return true
}

// flood sends one datagram each from as many addresses.
func flood(t *testing.T, to netip.AddrPort, sources int) {
	t.Helper()
	for range sources {
		conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(to))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write([]byte("flood"))
		_ = conn.Close()
	}
}

// opened counts the files that are open.
func opened(t *testing.T) int {
	t.Helper()
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// handled is how many datagrams clients have sent that were relayed or dropped.
func handled(c Counts) uint64 {
	n := c.ToEndpoints.Datagrams
	for why, dropped := range c.Dropped {
		if why != NotReturned {
			n += dropped
		}
	}
	return n
}

func TestFlood(t *testing.T) {
	const most = 50
	silent, e := bound(t, "127.0.0.1:0"), newEcho(t, "e", "127.0.0.1:0")
	flooded := []Share{{Weight: 1, Backend: &Backend{Name: "b", Ready: []netip.AddrPort{silent.LocalAddr().(*net.UDPAddr).AddrPort()}}}}
	p := started(t, "127.0.0.1:0", Limits{IdleTimeout: time.Hour, MaxSessions: most},
		Port{Number: number, Shares: to(e)}, Port{Number: number + 1, Shares: flooded}, Port{Number: number + 2, Shares: to(e)})
	live := make([]*client, 5)
	for i := range live {
		live[i] = newClient(t, addrOf(t, p, number))
		live[i].ask("")
		live[i].ask("")
	}
	before := uint64(2 * len(live))
	eventually(t, "what came before is counted", func() bool { return handled(p.Counts()) == before })
	files, goroutines := opened(t), runtime.NumGoroutine()
	const sources, at = 1000, 10
	for sent := 0; sent < sources; sent += at {
		flood(t, addrOf(t, p, number+1), at)
		// What the kernel drops is not what is to be seen here.
		eventually(t, "all is handled", func() bool { return handled(p.Counts())-before == uint64(sent+at) })
		if got := p.Counts().Sessions; got > most {
			t.Fatalf("there are %d sessions", got)
		}
	}
	// Sessions stay, and have a file each and no goroutine; what is over may take a moment to be gone.
	eventually(t, "no more files are open than there are sessions more", func() bool { return opened(t)-files <= most-len(live) })
	eventually(t, "no more goroutines are there than before", func() bool { return runtime.NumGoroutine() <= goroutines })
	counts := p.Counts()
	if counts.Dropped[TooManySessions] == 0 {
		t.Errorf("nothing was dropped: %+v", counts)
	}
	for _, c := range live {
		if got := c.ask(""); got != "e" {
			t.Errorf("a session that was there answers %q", got)
		}
	}
	// A new client of another port.
	if got := newClient(t, addrOf(t, p, number+2)).ask(""); got != "e" {
		t.Errorf("another port answers %q", got)
	}
	// A new client of the port itself takes the place of one that was never answered.
	flooding := counts.Opened
	c := newClient(t, addrOf(t, p, number+1))
	eventually(t, "a new client has a session", func() bool { c.send("x"); return p.Counts().Opened > flooding+1 })
	if counts := p.Counts(); counts.Replaced == 0 || counts.Sessions > most {
		t.Errorf("counted %+v", counts)
	}
}

// Sessions whose clients have answered an answer are never made to make room.
func TestProvenSessionsStay(t *testing.T) {
	e := newEcho(t, "e", "127.0.0.1:0")
	p := started(t, "127.0.0.1:0", Limits{IdleTimeout: time.Hour, MaxSessions: 3}, Port{Number: number, Shares: to(e)})
	proven := make([]*client, 2)
	for i := range proven {
		proven[i] = newClient(t, addrOf(t, p, number))
		proven[i].ask("")
		proven[i].ask("")
	}
	newClient(t, addrOf(t, p, number)).ask("once")
	for range 2 { // Each in the place of the one before.
		before := p.Counts()
		c := newClient(t, addrOf(t, p, number))
		eventually(t, "a new client has a session", func() bool {
			if now := p.Counts(); now.Opened == before.Opened {
				dropped := now.Dropped[TooManySessions]
				c.send("")
				eventually(t, "it is handled", func() bool {
					now := p.Counts()
					return now.Opened > before.Opened || now.Dropped[TooManySessions] > dropped
				})
			}
			return p.Counts().Opened > before.Opened
		})
	}
	opened := p.Counts().Opened
	for _, c := range proven {
		c.ask("")
	}
	if got := p.Counts(); got.Opened != opened || got.Replaced != 2 || got.Sessions != 3 {
		t.Errorf("counted %+v", got)
	}
}

func TestFewerSessionsThanBefore(t *testing.T) {
	e := newEcho(t, "e", "127.0.0.1:0")
	p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: to(e)})
	clients := make([]*client, 5)
	for i := range clients {
		clients[i] = newClient(t, addrOf(t, p, number))
		clients[i].ask("")
	}
	p.SetLimits(Limits{IdleTimeout: time.Hour, MaxSessions: 2})
	for _, c := range clients {
		if got := c.ask(""); got != "e" {
			t.Errorf("got %q", got)
		}
	}
	newClient(t, addrOf(t, p, number)).send("x")
	eventually(t, "a new client is refused", func() bool { return p.Counts().Dropped[TooManySessions] == 1 })
}

// A client that sends more than fits into one batch gets all of its answers.
func TestBursts(t *testing.T) {
	e := newEcho(t, "", "127.0.0.1:0")
	p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: to(e)})
	c := newClient(t, addrOf(t, p, number))
	for round := range 20 {
		const burst = 100
		for i := range burst {
			c.send(fmt.Sprint(round, i))
		}
		for i := range burst {
			if got, _ := c.receive(patience); got != fmt.Sprint(round, i) {
				t.Fatalf("got %q, want %d %d", got, round, i)
			}
		}
	}
	// They are counted once they were sent, which may be after they have come.
	eventually(t, "all is counted", func() bool {
		got := p.Counts()
		return got.ToEndpoints.Datagrams == 2000 && got.ToClients == got.ToEndpoints
	})
	if dropped := p.Counts().Dropped; len(dropped) > 0 {
		t.Errorf("dropped %v", dropped)
	}
}

// No datagram costs an allocation once its session is there.
func TestAllocations(t *testing.T) {
	e := newEcho(t, "", "127.0.0.1:0")
	p := started(t, "127.0.0.1:0", ample, Port{Number: number, Shares: to(e)})
	c := newClient(t, addrOf(t, p, number))
	content, answer := make([]byte, 100), make([]byte, 200)
	once := func() {
		_, _ = c.WriteToUDPAddrPort(content, c.to)
		if n, _, err := c.ReadFromUDPAddrPort(answer); n != len(content) || err != nil {
			t.Fatalf("%d bytes, %v", n, err)
		}
	}
	_ = c.SetReadDeadline(time.Now().Add(patience))
	once()
	if got := testing.AllocsPerRun(1000, once); got >= 0.1 { // The ports' own clock now and then.
		t.Errorf("%g allocations for a datagram and its answer", got)
	}
}
