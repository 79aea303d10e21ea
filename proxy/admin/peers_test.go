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

package admin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// quarter is where the replicas of one Gateway are.
type quarter struct {
	ca *testca.CA

	mu        sync.Mutex
	addresses []netip.AddrPort
}

func (q *quarter) find(context.Context) ([]netip.AddrPort, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]netip.AddrPort(nil), q.addresses...), nil
}

func (q *quarter) add(t *testing.T, address string) {
	t.Helper()
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		t.Fatal(err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.addresses = append(q.addresses, parsed)
}

// neighbour is one of the replicas; it asks nobody by itself.
type neighbour struct {
	*Peers
	table   *Table
	applied *applied
}

func (q *quarter) move(t *testing.T, identity string) *neighbour {
	t.Helper()
	n := &neighbour{applied: &applied{}}
	n.table = NewTable(n.applied, 4<<20)
	r := &replica{folder: t.TempDir()}
	testca.Write(t, r.folder, q.ca.Issue(t, identity), q.ca.PEM)
	loaded, err := LoadIdentity(r.files(), identity, operatorIdentity)
	if err != nil {
		t.Fatal(err)
	}
	n.Peers, err = ServePeers(PeerOptions{
		Address: "127.0.0.1:0", Identity: loaded, Table: n.table, Find: q.find, Pause: time.Millisecond,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	q.add(t, n.Addr())
	return n
}

// seek runs Seek until it ends, or the test does.
func (n *neighbour) seek(t *testing.T) <-chan struct{} {
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer close(ended)
		n.Seek(ctx)
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return ended
}

// closed gives an address at which nothing listens.
func closed(t *testing.T) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	return socket.Addr().String()
}

func TestSeekTakesTheNewestTableThatCanBeHad(t *testing.T) {
	a, b := listener("listener/a", 1001), listener("listener/b", 1002)
	cases := map[string]struct {
		reason string
		settle func(t *testing.T, q *quarter, seeker *neighbour)
		want   uint64
	}{
		"one other": {
			reason: "the plain case: a second replica is started while the operator is away",
			settle: func(t *testing.T, q *quarter, _ *neighbour) { commitTo(t, q.move(t, ownIdentity).table, 7, a, b) },
			want:   7,
		},
		"newest": {
			reason: "a replica that was cut off holds an old table; the others know better",
			settle: func(t *testing.T, q *quarter, _ *neighbour) {
				commitTo(t, q.move(t, ownIdentity).table, 3, a)
				commitTo(t, q.move(t, ownIdentity).table, 8, a, b)
			},
			want: 8,
		},
		"only an old one": {
			reason: "an old table is better than none, and the operator corrects it",
			settle: func(t *testing.T, q *quarter, _ *neighbour) {
				commitTo(t, q.move(t, ownIdentity).table, 3, a)
				q.move(t, ownIdentity)
				q.add(t, closed(t))
			},
			want: 3,
		},
		"damaged": {
			reason: "what is not the table that was named is no table, and the next one is taken",
			settle: func(t *testing.T, q *quarter, _ *neighbour) {
				damaged := q.move(t, ownIdentity)
				commitTo(t, damaged.table, 9, a, b)
				damaged.table.hash = tableHash(a)
				commitTo(t, q.move(t, ownIdentity).table, 4, a)
			},
			want: 4,
		},
		"impossible": {
			reason: "an operator refuses such a generation: who adopted it would never be told anything again",
			settle: func(t *testing.T, q *quarter, _ *neighbour) {
				commitTo(t, q.move(t, ownIdentity).table, adminv1.MaxGeneration+1, a, b)
				commitTo(t, q.move(t, ownIdentity).table, 4, a)
			},
			want: 4,
		},
		"too large": {
			reason: "a replica never holds more than its limit, whoever gives it",
			settle: func(t *testing.T, q *quarter, seeker *neighbour) {
				seeker.table.maxBytes = 60
				commitTo(t, q.move(t, ownIdentity).table, 9, a, b)
				commitTo(t, q.move(t, ownIdentity).table, 4, a)
			},
			want: 4,
		},
		"another Gateway's": {
			reason: "an address may have passed on to the pod of another tenant, whose table must not be served",
			settle: func(t *testing.T, q *quarter, _ *neighbour) {
				commitTo(t, q.move(t, "spiffe://rauta.dev/gateway/bank/web").table, 9, a, b)
				commitTo(t, q.move(t, ownIdentity).table, 4, a)
			},
			want: 4,
		},
		"restored": {
			reason: "a container that was down missed what the others were told",
			settle: func(t *testing.T, q *quarter, seeker *neighbour) {
				seeker.table.generation, seeker.table.hash = 5, "restored"
				commitTo(t, q.move(t, ownIdentity).table, 6, a, b)
			},
			want: 6,
		},
		"restored the newest": {
			reason: "nothing is replaced by what is older",
			settle: func(t *testing.T, q *quarter, seeker *neighbour) {
				seeker.table.generation, seeker.table.hash = 5, "restored"
				commitTo(t, q.move(t, ownIdentity).table, 5, a, b)
			},
			want: 5,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			q := &quarter{ca: testca.New(t)}
			seeker := q.move(t, ownIdentity)
			tc.settle(t, q, seeker)
			<-seeker.seek(t)
			if generation, _ := seeker.table.Serving(); generation != tc.want {
				t.Errorf("%s: serves generation %d, want %d", tc.reason, generation, tc.want)
			}
		})
	}
}

func TestTheOperatorsWordWins(t *testing.T) {
	a, b := listener("listener/a", 1001), listener("listener/b", 1002)
	q := &quarter{ca: testca.New(t)}
	commitTo(t, q.move(t, ownIdentity).table, 9, a, b)
	seeker := q.move(t, ownIdentity)

	session := seeker.table.begin()
	table, _ := q.move(t, ownIdentity).table.offer()
	table.generation = 9
	if _, adopted := seeker.table.adopt(table); adopted {
		t.Error("adopted a table under a session, whose operator knows of another one")
	}
	ended := seeker.seek(t)
	s := newStaged()
	if err := s.add(&adminv1.Update{Upserts: []*adminv1.Resource{a}}, 1<<20); err != nil {
		t.Fatal(err)
	}
	if _, err := seeker.table.commit(session, s, &adminv1.Commit{Generation: 2, TableHash: tableHash(a)}); err != nil {
		t.Fatal(err)
	}
	seeker.table.end()
	<-ended
	if generation, _ := seeker.table.Serving(); generation != 2 || seeker.applied.count() != 1 {
		t.Errorf("serves generation %d after %d tables, want the operator's 2 and no other", generation, seeker.applied.count())
	}
}

func TestWhoIsGivenTheTable(t *testing.T) {
	q := &quarter{ca: testca.New(t)}
	holder := q.move(t, ownIdentity)
	commitTo(t, holder.table, 1, listener("listener/a", 1001))
	ended := func(ago time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(-ago-time.Hour), time.Now().Add(-ago)
		}
	}
	serverOnly := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	other := testca.New(t)
	cases := map[string]struct {
		reason       string
		certificates []tls.Certificate
		elsewhere    bool
		code         codes.Code
	}{
		"replica": {
			reason:       "another replica of the Gateway, whose certificate is for servers",
			certificates: []tls.Certificate{q.ca.Issue(t, ownIdentity, serverOnly).TLS(t)},
		},
		"expired": {
			reason:       "the operator that would have renewed it is away, which is what this is for",
			certificates: []tls.Certificate{q.ca.Issue(t, ownIdentity, serverOnly, ended(30*time.Minute)).TLS(t)},
		},
		"expired long ago": {
			reason:       "a key that was stolen once must not be of use for ever",
			certificates: []tls.Certificate{q.ca.Issue(t, ownIdentity, serverOnly, ended(outage+time.Minute)).TLS(t)},
			code:         codes.Unavailable,
		},
		"no certificate": {
			reason: "anybody in the cluster who finds the port",
			code:   codes.Unavailable,
		},
		"another Gateway": {
			reason:       "another tenant's proxy, of the same authority",
			certificates: []tls.Certificate{q.ca.Issue(t, "spiffe://rauta.dev/gateway/bank/web").TLS(t)},
			code:         codes.Unavailable,
		},
		"operator": {
			reason:       "it has the other door",
			certificates: []tls.Certificate{q.ca.Issue(t, operatorIdentity).TLS(t)},
			code:         codes.Unavailable,
		},
		"other authority": {
			reason:       "anybody can write the Gateway's name into a certificate",
			certificates: []tls.Certificate{other.Issue(t, ownIdentity).TLS(t)},
			code:         codes.Unavailable,
		},
		"elsewhere": {
			reason:       "a copy of the identity, in a pod that is none of the Gateway's",
			certificates: []tls.Certificate{q.ca.Issue(t, ownIdentity).TLS(t)},
			elsewhere:    true,
			code:         codes.PermissionDenied,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.elsewhere {
				q.mu.Lock()
				before := q.addresses
				q.addresses = []netip.AddrPort{netip.MustParseAddrPort("192.0.2.1:19444")}
				q.mu.Unlock()
				defer func() { q.addresses = before }()
			}
			_, err := askAs(t, holder.Addr(), clientTLS(tls.Certificate{}, q.ca.PEM), tc.certificates)
			if status.Code(err) != tc.code {
				t.Errorf("%s: got %v, want %s", tc.reason, err, tc.code)
			}
		})
	}
}

// askAs gives the first message of a table.
func askAs(t *testing.T, address string, config *tls.Config, certificates []tls.Certificate) (*adminv1.TableResponse, error) {
	t.Helper()
	config.Certificates = certificates
	config.VerifyConnection = nil
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stream, err := adminv1.NewPeersClient(connection).Table(ctx, &adminv1.TableRequest{})
	if err != nil {
		return nil, err
	}
	return stream.Recv()
}

func TestTablesTravelInPieces(t *testing.T) {
	table := NewTable(&applied{}, 64<<20)
	var all []*adminv1.Resource
	for i := range 40 {
		all = append(all, hashed(&adminv1.Resource{Name: fmt.Sprintf("listener/%d", i), Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{
			Hostname: strings.Repeat("x", 60_000),
		}}}))
	}
	all = append(all, hashed(&adminv1.Resource{Name: "listener/large", Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{
		Hostname: strings.Repeat("x", 2*adminv1.ChunkBytes),
	}}}))
	s := newStaged()
	if err := s.add(&adminv1.Update{Upserts: all}, 64<<20); err != nil {
		t.Fatal(err)
	}
	if _, err := table.commit(table.begin(), s, &adminv1.Commit{Generation: 1, TableHash: tableHash(all...)}); err != nil {
		t.Fatal(err)
	}
	given, _ := table.offer()
	taken := offered{hash: given.hash, resources: map[string]*held{}}
	messages := 0
	err := given.messages(func(message *adminv1.TableResponse) error {
		messages++
		size := 0
		for _, one := range message.GetResources() {
			size += len(one)
		}
		if size > adminv1.ChunkBytes && len(message.GetResources()) > 1 {
			t.Errorf("message %d has %d bytes in %d resources", messages, size, len(message.GetResources()))
		}
		return taken.take(message.GetResources(), 64<<20)
	})
	if err != nil || taken.whole() != nil {
		t.Errorf("the table did not arrive: %v, %v", err, taken.whole())
	}
	if messages < 6 {
		t.Errorf("%d messages for 3.4 MB", messages)
	}
}
