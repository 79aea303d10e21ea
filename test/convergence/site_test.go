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

package convergence

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/pki"
	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/proxy"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/test/fixture"
)

var web = push.Key{Namespace: "shop", Name: "web"}

// site is one Gateway: an authority, a backend, and what has been sent to its replicas.
type site struct {
	t         *testing.T
	authority *pki.Authority
	operator  *pki.Operator
	backend   netip.AddrPort
	// peerDelay is how long the operator has before replicas ask each other.
	peerDelay time.Duration
	// sent counts resources and removals on their way to any replica, over all operators.
	sent atomic.Int64

	mu sync.Mutex
	// replicas are those whose peers' ports are known, as DNS knows pods.
	replicas []*replica
}

func newSite(t *testing.T) *site {
	t.Helper()
	fixture.NoGoroutinesLeft(t)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.URL.Path)
	}))
	t.Cleanup(backend.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	authority := fixture.Authority(t)
	return &site{
		t: t, authority: authority, operator: fixture.Operator(authority),
		backend: netip.MustParseAddrPort(backend.Listener.Addr().String()), peerDelay: time.Millisecond,
	}
}

// start is an operator's push, with everything that it sends counted.
func (s *site) start() *push.Pusher {
	return push.New(push.Options{
		Credentials: func(key push.Key) credentials.TransportCredentials {
			return fixture.Credentials(s.operator, key.Namespace, key.Name)
		},
		BackoffMin: time.Millisecond, BackoffMax: 20 * time.Millisecond, AckTimeout: 5 * time.Second,
		DialOptions: []grpc.DialOption{grpc.WithChainStreamInterceptor(s.count)},
	})
}

// count is an interceptor that looks at each message on its way out.
func (s *site) count(
	ctx context.Context, desc *grpc.StreamDesc, connection *grpc.ClientConn, method string, streamer grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	stream, err := streamer(ctx, desc, connection, method, opts...)
	if err != nil {
		return nil, err
	}
	return &countedStream{ClientStream: stream, sent: &s.sent}, nil
}

type countedStream struct {
	grpc.ClientStream
	sent *atomic.Int64
}

// SendMsg counts what an Update carries.
func (c *countedStream) SendMsg(message any) error {
	if request, ok := message.(*adminv1.SyncRequest); ok {
		c.sent.Add(int64(len(request.GetUpdate().GetUpserts()) + len(request.GetUpdate().GetRemovals())))
	}
	return c.ClientStream.SendMsg(message)
}

// table is the edition-th table of the site: a listener, and a number of routes whose paths name the edition, so that
// requests show which table answers.
func (s *site) table(edition, routes int) []*adminv1.Resource {
	s.t.Helper()
	list := []*adminv1.Resource{
		{Name: "listener/http", Spec: &adminv1.Resource_Listener{Listener: &adminv1.Listener{
			Port: 80, Protocol: adminv1.Protocol_PROTOCOL_HTTP,
		}}},
		{Name: "backend/service/shop/cart/80", Spec: &adminv1.Resource_Backend{Backend: &adminv1.Backend{
			Protocol: adminv1.BackendProtocol_BACKEND_PROTOCOL_HTTP1, Endpoints: "endpoints/service/shop/cart/80",
		}}},
		s.endpoints(edition),
	}
	for i := range routes {
		// Some routes change with every edition, some now and then, some never.
		path := fmt.Sprintf("/route-%d/edition-%d", i, edition/(1+i%3))
		list = append(list, &adminv1.Resource{
			Name: fmt.Sprintf("route/httproute/shop/r-%03d", i),
			Spec: &adminv1.Resource_Route{Route: &adminv1.Route{
				Origin:      &adminv1.Origin{Kind: "HTTPRoute", Namespace: "shop", Name: fmt.Sprintf("r-%03d", i)},
				Attachments: []*adminv1.Route_Attachment{{Listener: "listener/http"}},
				Rules: []*adminv1.Rule{{
					Matches: []*adminv1.Match{{Path: &adminv1.PathMatch{
						Type: adminv1.PathMatchType_PATH_MATCH_TYPE_EXACT, Value: path,
					}}},
					Backends: []*adminv1.WeightedBackend{{Backend: "backend/service/shop/cart/80", Weight: 1}},
				}},
			}},
		})
	}
	for _, resource := range list {
		hash, err := adminv1.Hash(resource)
		if err != nil {
			s.t.Fatal(err)
		}
		resource.Hash = hash
	}
	return list
}

// endpoints of the backend, with a draining one that differs from edition to edition.
func (s *site) endpoints(edition int) *adminv1.Resource {
	resource := &adminv1.Resource{
		Name: "endpoints/service/shop/cart/80",
		Spec: &adminv1.Resource_Endpoints{Endpoints: &adminv1.Endpoints{Endpoints: []*adminv1.Endpoint{
			{
				Address: s.backend.Addr().String(), Port: uint32(s.backend.Port()),
				State: adminv1.EndpointState_ENDPOINT_STATE_READY,
			},
			{
				Address: fmt.Sprintf("127.0.1.%d", 1+edition%200), Port: 9,
				State: adminv1.EndpointState_ENDPOINT_STATE_DRAINING,
			},
		}}},
	}
	hash, err := adminv1.Hash(resource)
	if err != nil {
		s.t.Fatal(err)
	}
	resource.Hash = hash
	return resource
}

// replica is one real proxy, which may die and come back empty.
type replica struct {
	site   *site
	folder string
	// state is where the last table is kept; empty for a replica that comes back with nothing.
	state string
	proxy atomic.Pointer[proxy.Proxy]
}

func (s *site) replica() *replica {
	s.t.Helper()
	r := &replica{site: s, folder: s.t.TempDir()}
	r.identify(s.authority, time.Now())
	r.begin()
	return r
}

// begin starts a replica for the first time.
func (r *replica) begin() {
	r.site.t.Helper()
	r.start()
	r.site.t.Cleanup(r.kill)
	r.site.mu.Lock()
	defer r.site.mu.Unlock()
	r.site.replicas = append(r.site.replicas, r)
}

// findPeers gives what DNS would: where the replicas are, dead ones among them.
func (s *site) findPeers(context.Context, string, uint16) ([]netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []netip.AddrPort
	for _, r := range s.replicas {
		if address, err := netip.ParseAddrPort(r.proxy.Load().PeersAddr()); err == nil {
			found = append(found, address)
		}
	}
	return found, nil
}

// identify writes the proxy's identity where it reads it, as a kubelet does for a mounted Secret.
func (r *replica) identify(authority *pki.Authority, at time.Time) {
	r.site.t.Helper()
	certificate, key, bundle := fixture.ProxyFiles(r.site.t, authority, web.Namespace, web.Name, at)
	for name, content := range map[string][]byte{"tls.crt": certificate, "tls.key": key, "ca.crt": bundle} {
		if err := os.WriteFile(filepath.Join(r.folder, name), content, 0o600); err != nil {
			r.site.t.Fatal(err)
		}
	}
}

func (r *replica) start() {
	r.site.t.Helper()
	settings := bootstrap.Default()
	settings.Peers = &bootstrap.Peers{Address: "127.0.0.1:0", Name: "web-rauta-peers.shop.svc"}
	settings.State.Directory = r.state
	settings.Health.Address = "127.0.0.1:0"
	settings.Admin = &bootstrap.Admin{
		Address: "127.0.0.1:0", Identity: pki.ProxyIdentity(web.Namespace, web.Name), Operator: pki.OperatorIdentity,
		Certificate: filepath.Join(r.folder, "tls.crt"), Key: filepath.Join(r.folder, "tls.key"),
		CA: filepath.Join(r.folder, "ca.crt"),
	}
	started, err := proxy.Start(context.Background(), proxy.Config{
		Bootstrap: settings, Version: "test", BindAddress: func(uint16) string { return "127.0.0.1:0" },
		ReportInterval: 20 * time.Millisecond, IdentityInterval: 5 * time.Millisecond,
		FindPeers: r.site.findPeers, PeerDelay: r.site.peerDelay, PeerPause: 5 * time.Millisecond,
	})
	if err != nil {
		r.site.t.Fatal(err)
	}
	r.proxy.Store(started)
}

// kill stops the proxy as a crash would.
func (r *replica) kill() { r.proxy.Load().Close() }

// address of the admin API; another one after each start.
func (r *replica) address() string { return r.proxy.Load().AdminAddr() }

// hash of the table that serves.
func (r *replica) hash() string {
	_, hash := r.proxy.Load().Table()
	return hash
}

// answer is the status of a request to a path, and whether the backend answered it.
func (r *replica) answer(path string) int {
	r.site.t.Helper()
	address, open := r.proxy.Load().ListenerAddr(80)
	if !open {
		r.site.t.Fatal("the listener is not open")
	}
	response, err := http.Get("http://" + address + path)
	if err != nil {
		r.site.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	return response.StatusCode
}

// serves checks that the edition-th table answers, and none other.
func (r *replica) serves(edition int) {
	r.site.t.Helper()
	if status := r.answer(fmt.Sprintf("/route-0/edition-%d", edition)); status != http.StatusOK {
		r.site.t.Errorf("a route of table %d answers %d", edition, status)
	}
	if status := r.answer(fmt.Sprintf("/route-0/edition-%d", edition-1)); status != http.StatusNotFound {
		r.site.t.Errorf("a route of the table before %d answers %d", edition, status)
	}
}

// asReplicas are replicas at the given addresses, with stable IDs.
func asReplicas(addresses ...string) []push.Replica {
	list := make([]push.Replica, 0, len(addresses))
	for i, address := range addresses {
		list = append(list, push.Replica{ID: fmt.Sprintf("pod-%d", i), Address: address, Ready: true})
	}
	return list
}

// awaitProgrammed waits until every replica serves what the operator wants, by its own word and by the operator's.
func awaitProgrammed(t *testing.T, p *push.Pusher, replicas ...*replica) {
	t.Helper()
	agreed := func() bool {
		state := p.State(web)
		for _, r := range replicas {
			if r.hash() != state.TableHash {
				return false
			}
		}
		return state.Programmed() && len(state.Replicas) == len(replicas)
	}
	if fixture.Poll(time.Minute, agreed) {
		return
	}
	var hashes []string
	for _, r := range replicas {
		hashes = append(hashes, r.hash())
	}
	t.Fatalf("replicas serve %s and the operator knows %+v", strings.Join(hashes, " "), p.State(web))
}
