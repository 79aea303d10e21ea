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

package upstream

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/testca"
)

var errRefused = &message.ConnectError{Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}

// site is three endpoints of one backend, whose probes find what down says.
type site struct {
	pool      *Pool
	backend   *Backend
	endpoints []*Endpoint
	probed    atomic.Int64

	mu     sync.Mutex
	down   map[uint16]error
	events []string
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{down: map[uint16]error{}}
	s.pool = NewPool(Options{Connect: func(Target) Transport { return &still{} }, Tell: s.tell, ProbePause: time.Millisecond})
	s.pool.probe = func(_ context.Context, target Target) error {
		s.probed.Add(1)
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.down[target.Address.Port()]
	}
	s.endpoints = s.pool.Endpoints(ports(1, 2, 3), Target{})
	s.backend = NewBackend("b", s.endpoints, nil, nil)
	t.Cleanup(func() { s.pool.Retain(func(Target) bool { return false }) })
	return s
}

func (s *site) tell(event Event) {
	text := fmt.Sprintf("%d back", event.Endpoint.Address.Port())
	if event.Err != nil {
		text = fmt.Sprintf("%d: %v", event.Endpoint.Address.Port(), event.Err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, text)
}

func (s *site) told() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// set says what probes of an endpoint find from now on; nil for nothing wrong.
func (s *site) set(port uint16, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down[port] = err
}

// eventually waits for what comes by itself.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func TestWhatEjects(t *testing.T) {
	given, cancel := context.WithCancel(context.Background())
	cancel()
	late, stop := context.WithTimeout(context.Background(), -time.Second)
	defer stop()
	tests := map[string]struct {
		reason string
		ctx    context.Context
		err    error
		// What is found by a probe, if there is one.
		probe        error
		ejects, asks bool
	}{
		"refused":                    {reason: "no connection can be made", err: errRefused, probe: errRefused, ejects: true},
		"no answer":                  {reason: "the same", err: &message.ConnectError{Timeout: true, Err: os.ErrDeadlineExceeded}, probe: errRefused, ejects: true},
		"handshake fails":            {reason: "the same over TLS", err: &message.ConnectError{TLS: true, Err: io.EOF}, probe: errRefused, ejects: true},
		"has its connections":        {reason: "a limit of ours", err: &message.ConnectError{Full: true, Err: message.ErrFull}},
		"no file left":               {reason: "it is this process that can make no connection", err: &message.ConnectError{Err: syscall.EMFILE}},
		"no port left":               {reason: "it is this machine", err: &message.ConnectError{Err: syscall.EADDRNOTAVAIL}},
		"content breaks off":         {reason: "the client's fault", err: &message.ContentError{Status: 400}},
		"client gone":                {reason: "it may have waited for long", ctx: given, err: context.Canceled, asks: true},
		"client gone in a dial":      {reason: "how long it waited is not known", ctx: given, err: &message.ConnectError{Err: context.Canceled}, asks: true},
		"the same, and it is down":   {reason: "clients may have less patience than a dial", ctx: given, err: &message.ConnectError{Err: context.Canceled}, probe: errRefused, asks: true, ejects: true},
		"late":                       {reason: "it may be slow", ctx: late, err: context.DeadlineExceeded, asks: true},
		"late, and it is down":       {reason: "kept connections tell nothing of an endpoint that is gone", ctx: late, err: context.DeadlineExceeded, probe: errRefused, asks: true, ejects: true},
		"breaks off":                 {reason: "it may have closed a connection", err: io.ErrUnexpectedEOF, asks: true},
		"breaks off, and it is down": {reason: "it has ended", err: io.ErrUnexpectedEOF, probe: errRefused, asks: true, ejects: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			s.set(2, test.probe)
			ctx := test.ctx
			if ctx == nil {
				ctx = context.Background()
			}
			s.endpoints[1].Learn(ctx, test.err)
			if test.asks {
				eventually(t, "a probe", func() bool { return s.probed.Load() > 0 })
			}
			if test.ejects {
				eventually(t, "ejection", s.endpoints[1].Ejected)
				return
			}
			if s.endpoints[1].health.mu.Lock(); !test.asks && s.endpoints[1].health.next != nil {
				t.Errorf("%s: it is probed", test.reason)
			}
			s.endpoints[1].health.mu.Unlock()
			if s.endpoints[1].Ejected() || len(s.told()) > 0 {
				t.Errorf("%s: it is ejected: %v", test.reason, s.told())
			}
		})
	}
}

func TestEjectedEndpointsComeLast(t *testing.T) {
	s := newSite(t)
	for port := range uint16(3) {
		s.set(port+1, errRefused)
	}
	s.endpoints[1].Learn(context.Background(), errRefused)
	first := map[uint16]int{}
	for range 10 {
		got := order(s.backend)
		if len(got) != 3 || got[2] != 2 {
			t.Fatalf("order %v, want 2 to come last, and each once", got)
		}
		first[got[0]]++
	}
	if first[1] != 5 || first[3] != 5 {
		t.Errorf("the others begin %v times, want the same", first)
	}
	s.backend.LeastRequest = true
	for range 10 {
		if got := order(s.backend); got[2] != 2 {
			t.Fatalf("with least requests: order %v, want 2 to come last", got)
		}
	}
	s.backend.LeastRequest = false

	before := s.backend.Attempts() // of a request that has begun
	s.endpoints[0].Learn(context.Background(), errRefused)
	s.endpoints[2].Learn(context.Background(), errRefused)
	seen := map[uint16]bool{}
	for endpoint := before.Next(); endpoint != nil; endpoint = before.Next() {
		if seen[endpoint.Address.Port()] {
			t.Errorf("%d is tried twice", endpoint.Address.Port())
		}
		seen[endpoint.Address.Port()] = true
	}
	if len(seen) != 3 {
		t.Errorf("tried %v, want all", seen)
	}
	first = map[uint16]int{}
	for range 9 {
		first[order(s.backend)[0]]++
	}
	if first[1] != 3 || first[2] != 3 || first[3] != 3 {
		t.Errorf("all are ejected: they begin %v times, want the same, as nothing tells them apart", first)
	}
}

func TestProbesTakeBack(t *testing.T) {
	s := newSite(t)
	s.set(2, errRefused)
	s.endpoints[1].Learn(context.Background(), errRefused)
	s.endpoints[1].Learn(context.Background(), errRefused) // One more request that was under way.
	eventually(t, "some probes", func() bool { return s.probed.Load() > 3 })
	s.set(2, nil)
	eventually(t, "the endpoint to be taken back", func() bool { return !s.endpoints[1].Ejected() && len(s.told()) > 1 })
	if got, want := s.told(), []string{"2: " + errRefused.Error(), "2 back"}; !slices.Equal(got, want) {
		t.Errorf("told %q, want %q", got, want)
	}
	first := map[uint16]int{}
	for range 9 {
		first[order(s.backend)[0]]++
	}
	if first[2] != 3 {
		t.Errorf("they begin %v times, want the same", first)
	}
}

// An endpoint that takes connections and nothing more is ejected again as soon as it is back: it is tried ever more seldom.
func TestPausesGrow(t *testing.T) {
	s := newSite(t)
	one := s.endpoints[0]
	pause := func() time.Duration {
		one.health.mu.Lock()
		defer one.health.mu.Unlock()
		return one.health.pause
	}
	for _, want := range []int{1, 2, 4, 8, 10, 10} {
		one.Learn(context.Background(), errRefused)
		if got := pause(); got != time.Duration(want)*s.pool.ProbePause {
			t.Fatalf("a pause of %v, want %d times %v", got, want, s.pool.ProbePause)
		}
		eventually(t, "the endpoint to be taken back", func() bool { return !one.Ejected() })
		one.health.mu.Lock()
		one.health.back = time.Now().Add(time.Minute) // It is ejected again at once, however long that takes here.
		one.health.mu.Unlock()
	}
	one.health.mu.Lock()
	one.health.back = time.Now().Add(-pauseGrowth * s.pool.ProbePause)
	one.health.mu.Unlock()
	one.Learn(context.Background(), errRefused)
	if now := pause(); now != s.pool.ProbePause {
		t.Errorf("a pause of %v after it was well for long, want %v", now, s.pool.ProbePause)
	}
}

func TestProbesAreBounded(t *testing.T) {
	pool := NewPool(Options{Connect: func(Target) Transport { return &still{} }, ProbePause: time.Millisecond})
	var under, most, all atomic.Int64
	goOn := make(chan struct{})
	pool.probe = func(ctx context.Context, _ Target) error {
		now := under.Add(1)
		defer under.Add(-1)
		for seen := most.Load(); now > seen && !most.CompareAndSwap(seen, now); seen = most.Load() {
		}
		all.Add(1)
		select {
		case <-goOn:
		case <-ctx.Done():
		}
		return errRefused
	}
	var list []uint16
	for port := range uint16(10 * probesAtATime) {
		list = append(list, port+1)
	}
	for _, endpoint := range pool.Endpoints(ports(list...), Target{}) {
		endpoint.Learn(context.Background(), errRefused)
	}
	eventually(t, "as many probes as there may be", func() bool { return under.Load() == probesAtATime })
	close(goOn)
	eventually(t, "all to have their turn", func() bool { return all.Load() >= int64(len(list)) })
	if most.Load() > probesAtATime {
		t.Errorf("%d probes at a time, want at most %d", most.Load(), probesAtATime)
	}
	pool.Retain(func(Target) bool { return false })
	eventually(t, "probes to end", func() bool { return under.Load() == 0 && len(pool.probes) == 0 })
}

func TestEndpointsThatAreGoneAreNotProbed(t *testing.T) {
	pool := NewPool(Options{Connect: func(Target) Transport { return &still{} }, ProbePause: time.Millisecond})
	begun, ended := make(chan struct{}), make(chan struct{})
	pool.probe = func(ctx context.Context, _ Target) error {
		close(begun) // A second probe panics.
		<-ctx.Done()
		close(ended)
		return nil
	}
	gone := pool.Endpoints(ports(1), Target{})[0]
	gone.Learn(context.Background(), errRefused)
	<-begun
	pool.Retain(func(Target) bool { return false })
	<-ended
	gone.Learn(context.Background(), errRefused) // A request that began before.
	gone.health.mu.Lock()
	defer gone.health.mu.Unlock()
	if gone.health.next != nil {
		t.Error("an endpoint that is gone is to be probed")
	}
}

// What a probe needs to succeed is what a request needs.
func TestReach(t *testing.T) {
	authority := testca.New(t)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(authority.PEM)
	certificate := authority.Issue(t, "spiffe://endpoint", func(c *x509.Certificate) { c.DNSNames = []string{"good.example"} }).TLS(t)
	listen := func(protocols ...string) netip.AddrPort {
		config := &tls.Config{Certificates: []tls.Certificate{certificate}, NextProtos: protocols, MinVersion: tls.VersionTLS12}
		listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				go func() {
					_, _ = io.Copy(io.Discard, conn) // Does the handshake.
					_ = conn.Close()
				}()
			}
		}()
		return netip.MustParseAddrPort(listener.Addr().String())
	}
	expects := func(name string, protocols ...string) *tls.Config {
		return &tls.Config{RootCAs: roots, ServerName: name, NextProtos: protocols, MinVersion: tls.VersionTLS12}
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nowhere := netip.MustParseAddrPort(closed.Addr().String())
	_ = closed.Close()
	tests := map[string]struct {
		reason string
		target Target
		ok     bool
	}{
		"plain":               {"a connection is all that is needed", Target{Address: listen()}, true},
		"closed":              {"nobody listens", Target{Address: nowhere}, false},
		"secured":             {"the certificate is the expected one", Target{Address: listen(), TLS: expects("good.example")}, true},
		"another certificate": {"requests would fail", Target{Address: listen(), TLS: expects("other.example")}, false},
		"HTTP/2":              {"the endpoint chooses it", Target{Address: listen("h2"), Protocol: HTTP2, TLS: expects("good.example", "h2")}, true},
		"no HTTP/2":           {"the endpoint does not know it", Target{Address: listen(), Protocol: HTTP2, TLS: expects("good.example", "h2")}, false},
		"stream":              {"what it begins with is not known: TLS is not tried", Target{Address: listen(), Protocol: TCP, TLS: expects("other.example")}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := NewPool(Options{}).reach(context.Background(), test.target)
			if (err == nil) != test.ok {
				t.Errorf("%s: got %v", test.reason, err)
			}
			if err != nil && errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: out of time: %v", test.reason, err)
			}
		})
	}
}
