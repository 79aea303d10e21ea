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

package http2

import (
	"context"
	"crypto/tls"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// ClientOptions are what a client is made with. Only Endpoint is needed.
type ClientOptions struct {
	// Endpoint is the address that every request goes to, whatever its authority.
	Endpoint netip.AddrPort
	// TLS to the endpoint, which has to choose HTTP/2 by ALPN (RFC 9113 section 3.2); nil for prior knowledge without TLS
	// (section 3.3).
	TLS *tls.Config
	message.ClientLimits
	// MaxConnections at one time; 0 for no limit.
	MaxConnections int
}

// headLimits gives the limits of a header section in the server's terms.
func headLimits(l *message.ClientLimits) *message.Limits {
	return &message.Limits{MaxHeaderBytes: l.MaxHeaderBytes, MaxFields: l.MaxFields, MaxTrailerBytes: l.MaxTrailerBytes}
}

// Client sends requests to one endpoint, many at a time over each of its connections.
type Client struct {
	options ClientOptions
	limits  atomic.Pointer[message.ClientLimits]
	host    string
	scheme  string
	// dialling is held by whoever connects: those who come meanwhile share the connection.
	dialling chan struct{}

	mu       sync.Mutex
	carriers []*carrier
	watching bool
}

// NewClient makes a client. It connects when it is first used.
func NewClient(options ClientOptions) *Client {
	c := &Client{options: options, host: options.Endpoint.String(), scheme: "http", dialling: make(chan struct{}, 1)}
	if options.TLS != nil {
		c.scheme = "https"
	}
	c.SetLimits(options.ClientLimits)
	return c
}

// SetLimits changes the limits, also of what is under way.
func (c *Client) SetLimits(limits message.ClientLimits) { c.limits.Store(limits.WithDefaults()) }

// maxRepeats is how often a request is sent again that an endpoint has not processed.
const maxRepeats = 5

// RoundTrip sends a request and gives the response, which the caller closes; until then the request must not change.
// inform is called with each interim response before that, except 100. A *message.ConnectError says that nothing was
// sent, a *message.ContentError that the request's content could not be read; of other errors, those that are a timeout
// say so as a net.Error.
//
// RFC 9113 section 8.7: a request that the endpoint says it has not processed, by GOAWAY or REFUSED_STREAM, is sent
// again, as long as nothing of its content was.
func (c *Client) RoundTrip(
	ctx context.Context, request *message.Request, inform func(status int, fields *message.Fields) error,
) (*message.Response, error) {
	suspected := false
	for repeats := 0; ; repeats++ {
		on, err := c.carrier(ctx)
		if err != nil {
			return nil, err
		}
		response, err := on.roundTrip(ctx, request, inform)
		var unprocessed *unprocessedError
		if err == nil || !errors.As(err, &unprocessed) {
			return response, err
		}
		if unprocessed.read || repeats == maxRepeats || ctx.Err() != nil {
			return nil, unprocessed.err
		}
		// RFC 9110 section 9.2.2: "A client SHOULD NOT automatically retry a failed automatic retry."
		if !unprocessed.certain && (suspected || !request.MayRepeat()) {
			return nil, unprocessed.err
		}
		suspected = suspected || !unprocessed.certain
	}
}

// unprocessedError says that an endpoint has not processed a request.
type unprocessedError struct {
	err error
	// read is true when content of the request was read, which is gone.
	read bool
	// certain is false when the connection ended without a word.
	certain bool
}

func (e *unprocessedError) Error() string { return "not processed: " + e.err.Error() }

func (e *unprocessedError) Unwrap() error { return e.err }

// carrier gives a connection with a stream reserved.
func (c *Client) carrier(ctx context.Context) (*carrier, error) {
	if free := c.free(); free != nil {
		return free, nil
	}
	select {
	case c.dialling <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-c.dialling }()
	if free := c.free(); free != nil {
		return free, nil
	}
	if limit := c.options.MaxConnections; limit > 0 && len(c.all()) >= limit {
		return nil, &message.ConnectError{Full: true, Err: message.ErrFull}
	}
	limits := c.limits.Load()
	conn, err := message.Dial(ctx, c.host, c.options.TLS, limits.ConnectTimeout)
	if err != nil {
		return nil, err
	}
	if secured, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok && secured.ConnectionState().NegotiatedProtocol != "h2" {
		_ = conn.Close()
		return nil, &message.ConnectError{TLS: true, Err: errNoHTTP2}
	}
	opened := newCarrier(c, conn, limits)
	opened.reserved = 1
	c.mu.Lock()
	c.carriers = append(c.carriers, opened)
	if !c.watching {
		c.watching = true
		go c.watch()
	}
	c.mu.Unlock()
	go opened.read()
	return opened, nil
}

var errNoHTTP2 = errors.New("the endpoint does not choose HTTP/2")

func (c *Client) free() *carrier {
	for _, on := range c.all() {
		if on.reserve() {
			return on
		}
	}
	return nil
}

func (c *Client) all() []*carrier {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.carriers[:len(c.carriers):len(c.carriers)]
}

// forget is called by a connection that has ended.
func (c *Client) forget(gone *carrier) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var kept []*carrier
	for _, on := range c.carriers {
		if on != gone {
			kept = append(kept, on)
		}
	}
	c.carriers = kept
}

// Close closes the connections that are not in use. The client can be used afterwards.
func (c *Client) Close() {
	for _, on := range c.all() {
		on.closeIfIdle(0)
	}
}

// watch looks for what takes too long, as long as there are connections.
func (c *Client) watch() {
	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()
	for range ticker.C {
		now := clock()
		for _, on := range c.all() {
			on.look(now)
		}
		c.mu.Lock()
		c.watching = len(c.carriers) > 0
		over := !c.watching
		c.mu.Unlock()
		if over {
			return
		}
	}
}
