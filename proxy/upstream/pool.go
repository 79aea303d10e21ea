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
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/rauta-dev/rauta/proxy/message"
)

// Transport sends requests to one endpoint over connections that it keeps.
type Transport interface {
	RoundTrip(
		ctx context.Context, request *message.Request, inform func(status int, fields *message.Fields) error,
	) (*message.Response, error)
	// Close closes the connections that are not in use.
	Close()
}

// Protocol is spoken to an endpoint.
type Protocol int

// The protocols.
const (
	HTTP1 Protocol = iota
	HTTP2
	// TCP is whatever stream routes relay, and UDP their datagrams.
	TCP
	UDP
)

// Target is where an endpoint is, and what is spoken to it: an address that is reached in two ways is two endpoints.
type Target struct {
	Address  netip.AddrPort
	Protocol Protocol
	// TLS to the endpoint; nil for none. Equal content is one pointer; what has other content is another endpoint.
	TLS *tls.Config
	// MaxConnections at one time; 0 for no limit.
	MaxConnections uint32
}

// Endpoint is one target, with its connections.
type Endpoint struct {
	Target
	// transport is nil for streams, whose connections are theirs alone.
	transport Transport
	// secured is TLS with the endpoint's last session, for streams; nil without TLS.
	secured *tls.Config
	retired atomic.Bool
	// active is how many requests, or streams, are under way.
	active atomic.Int64
}

// RoundTrip sends a request to the endpoint; see http1.Client. The caller closes the response, and calls Done whatever came.
func (e *Endpoint) RoundTrip(
	ctx context.Context, request *message.Request, inform func(status int, fields *message.Fields) error,
) (*message.Response, error) {
	e.active.Add(1)
	return e.transport.RoundTrip(ctx, request, inform)
}

// Secured is how streams speak TLS to the endpoint: the session of the one before goes on. It is nil without TLS.
func (e *Endpoint) Secured() *tls.Config { return e.secured }

// Begin takes a place for a stream; false when the endpoint has as many as it may have. The caller calls Done once the stream
// is over.
func (e *Endpoint) Begin() bool {
	if count := e.active.Add(1); e.MaxConnections == 0 || count <= int64(e.MaxConnections) {
		return true
	}
	e.active.Add(-1)
	return false
}

// Done tells the endpoint that a request is over, its response closed, or a stream.
func (e *Endpoint) Done() {
	e.active.Add(-1)
	if e.transport != nil && e.retired.Load() {
		e.transport.Close()
	}
}

// Pool holds the endpoints of the tables in use.
type Pool struct {
	connect func(Target) Transport

	mu        sync.Mutex
	endpoints map[Target]*Endpoint
}

// NewPool makes an empty pool; connect makes the transport of a target, nil for one of streams, and opens no connection.
func NewPool(connect func(Target) Transport) *Pool {
	return &Pool{connect: connect, endpoints: make(map[Target]*Endpoint)}
}

// Endpoints gives those of the addresses, in their order, with the connections that they have already. What target says
// holds for each of them; its address does not matter.
func (p *Pool) Endpoints(addresses []netip.AddrPort, target Target) []*Endpoint {
	p.mu.Lock()
	defer p.mu.Unlock()
	endpoints := make([]*Endpoint, len(addresses))
	for i, address := range addresses {
		target.Address = address
		found := p.endpoints[target]
		if found == nil {
			found = &Endpoint{Target: target, transport: p.connect(target)}
			if target.Protocol == TCP {
				found.secured = WithSessions(target.TLS)
			}
			p.endpoints[target] = found
		}
		endpoints[i] = found
	}
	return endpoints
}

// Retain lets go of the endpoints that wanted says no to. Their idle connections are closed, and the others as soon as
// their requests are over.
func (p *Pool) Retain(wanted func(Target) bool) {
	p.mu.Lock()
	var gone []*Endpoint
	for target, endpoint := range p.endpoints {
		if !wanted(target) {
			delete(p.endpoints, target)
			gone = append(gone, endpoint)
		}
	}
	p.mu.Unlock()
	for _, endpoint := range gone {
		endpoint.retired.Store(true)
		if endpoint.transport != nil {
			endpoint.transport.Close()
		}
	}
}

// Each calls look with every transport.
func (p *Pool) Each(look func(Transport)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, endpoint := range p.endpoints {
		if endpoint.transport != nil {
			look(endpoint.transport)
		}
	}
}

// Len is the number of endpoints.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.endpoints)
}
