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
	"time"

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
	pool      *Pool
	health    health
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
	response, err := e.transport.RoundTrip(ctx, request, inform)
	if err != nil {
		e.Learn(ctx, err)
	}
	return response, err
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

// Options are what a pool is made with.
type Options struct {
	// Connect makes the transport of a target, nil for one of streams, and opens no connection.
	Connect func(Target) Transport
	// ConnectTimeout is that of probes. Default 5 s.
	ConnectTimeout func() time.Duration
	// ProbePause is the time before an ejected endpoint is probed first. Default 1 s.
	ProbePause time.Duration
	// Tell is told of endpoints that are ejected or taken back, and must not block. Default: nobody is.
	Tell func(Event)
}

// Pool holds the endpoints of the tables in use.
type Pool struct {
	Options
	// changes counts those of which endpoints are ejected.
	changes atomic.Uint64
	probe   func(context.Context, Target) error
	probes  chan struct{} // those under way

	mu        sync.Mutex
	endpoints map[Target]*Endpoint
}

// NewPool makes an empty pool.
func NewPool(options Options) *Pool {
	if options.ConnectTimeout == nil {
		options.ConnectTimeout = func() time.Duration { return 5 * time.Second }
	}
	if options.ProbePause == 0 {
		options.ProbePause = time.Second
	}
	if options.Tell == nil {
		options.Tell = func(Event) {}
	}
	p := &Pool{Options: options, probes: make(chan struct{}, probesAtATime), endpoints: make(map[Target]*Endpoint)}
	p.probe = p.reach
	return p
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
			found = &Endpoint{Target: target, transport: p.Connect(target), pool: p}
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
		endpoint.health.end()
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
