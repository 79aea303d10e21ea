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
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// securedPort is a port with one certificate for a.test.
func securedPort(t *testing.T, ca *testca.CA) []config.Port {
	t.Helper()
	pair := ca.Issue(t, "spiffe://test/a", func(c *x509.Certificate) { c.DNSNames = []string{"a.test"} })
	certificate, err := tls.X509KeyPair(pair.Certificate, pair.Key)
	if err != nil {
		t.Fatal(err)
	}
	return []config.Port{{Number: 443, Identities: []config.Identity{{
		Listener: "l", Certificates: []*tls.Certificate{&certificate},
	}}}}
}

// firstTicket is a client's cache that keeps the first ticket that it gets.
type firstTicket struct{ held *tls.ClientSessionState }

func (f *firstTicket) Get(string) (*tls.ClientSessionState, bool) { return f.held, f.held != nil }

func (f *firstTicket) Put(_ string, state *tls.ClientSessionState) {
	if f.held == nil {
		f.held = state
	}
}

// A ticket is good for the interval in which it was made and the two after it.
func TestTicketKeysRotate(t *testing.T) {
	ca := testca.New(t)
	s := newSockets(t, 100)
	if failed := s.Open(securedPort(t, ca)); len(failed) > 0 {
		t.Fatal(failed)
	}
	s.Serve()
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca.PEM)
	cache := &firstTicket{}
	resumed := func() bool {
		t.Helper()
		conn := tls.Client(dial(t, s, 443), &tls.Config{ServerName: "a.test", RootCAs: pool, ClientSessionCache: cache})
		if !greeted(conn, patience) { // Tickets come behind the handshake.
			t.Fatal("no greeting")
		}
		return conn.ConnectionState().DidResume
	}
	if resumed() {
		t.Fatal("a first connection was resumed")
	}
	for rotations, want := range []bool{true, true, true, false} {
		if got := resumed(); got != want {
			t.Errorf("after %d rotations: resumed: %t", rotations, got)
		}
		s.renewTickets()
	}
}

// A handshake that does not end costs its own connection, and that not for long.
func TestHandshakeTimeout(t *testing.T) {
	s := newSockets(t, 100)
	s.options.HandshakeTimeout = 50 * time.Millisecond
	if failed := s.Open(securedPort(t, testca.New(t))); len(failed) > 0 {
		t.Fatal(failed)
	}
	s.Serve()
	for name, hello := range map[string]string{"silence": "", "half a record": "\x16\x03\x01\x02\x00\x01"} {
		conn := dial(t, s, 443)
		_, _ = io.WriteString(conn, hello)
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		var waited interface{ Timeout() bool }
		if _, err := io.Copy(io.Discard, conn); errors.As(err, &waited) && waited.Timeout() {
			t.Errorf("%s: the connection stays", name)
		}
	}
}

// What ends the TLS of a listener stays while the listener does, so that no ticket is lost by a change beside it; and what is known to
// be as it was is not looked at.
func TestIdentitiesThatStay(t *testing.T) {
	ca := testca.New(t)
	s := newSockets(t, 100)
	wanted := securedPort(t, ca)
	wanted[0].Identities = append(wanted[0].Identities, config.Identity{Listener: "m", Hostname: "m.test", Certificates: wanted[0].Identities[0].Certificates})
	s.Open(wanted)
	current := func() *manner { return s.open[443].manner.Load() }
	first := current()
	s.Open(wanted)
	if current() != first {
		t.Error("a port that is as it was is made anew")
	}
	other := []config.Port{wanted[0]}
	other[0].Identities = slices.Clone(wanted[0].Identities)
	other[0].Identities[1].Hostname = "n.test"
	s.Open(other)
	second := current()
	if second == first {
		t.Fatal("a listener that has another hostname is not noticed")
	}
	if second.identities.all[0].config != first.identities.all[0].config {
		t.Error("a listener that stays has lost what its TLS ends with")
	}
	if second.identities.all[1].config == first.identities.all[1].config || second.identities.exact["n.test"] != 1 {
		t.Error("a listener that has changed is as it was")
	}
	trusted := []config.Port{other[0]}
	trusted[0].Trusted = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	s.Open(trusted)
	if got := current().trusted; len(got) != 1 {
		t.Errorf("peers that are trusted from now on are not noticed: %v", got)
	}
}

// BenchmarkIdentities is what a change of one listener costs a port with many.
func BenchmarkIdentities(b *testing.B) {
	certificates := []*tls.Certificate{{}}
	for _, listeners := range []int{250, 1000} {
		b.Run(fmt.Sprint(listeners), func(b *testing.B) {
			var wanted []config.Identity
			for i := range listeners {
				wanted = append(wanted, config.Identity{
					Listener: fmt.Sprintf("listener/listenerset/shop/set-%04d/https", i), Hostname: fmt.Sprintf("set-%d.example.com", i), Certificates: certificates,
				})
			}
			keys := newTickets()
			current := newIdentities(wanted, nil, keys, nil)
			for b.Loop() {
				current = newIdentities(wanted, nil, keys, current)
			}
		})
	}
}
