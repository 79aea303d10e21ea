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

package http1

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
	// TLS to the endpoint; nil for none.
	TLS *tls.Config
	message.ClientLimits
	// MaxIdle connections that are kept.
	MaxIdle int
	// MaxConnections at one time; 0 for no limit.
	MaxConnections int
}

// headOfResponse gives the limits of a response's head.
func headOfResponse(l *message.ClientLimits) headLimits {
	return headLimits{line: l.MaxHeaderBytes, bytes: l.MaxHeaderBytes, fields: l.MaxFields}
}

// Client sends requests to one endpoint, over connections that it keeps.
type Client struct {
	options ClientOptions
	limits  atomic.Pointer[message.ClientLimits]
	// patient are the limits of requests that are unhurried.
	patient atomic.Pointer[message.ClientLimits]
	host    string
	// opened is how many connections there are.
	opened atomic.Int64

	mu sync.Mutex
	// idle connections, the last used last.
	idle []*upstream
	reap *time.Timer
}

// NewClient makes a client. It connects when it is first used.
func NewClient(options ClientOptions) *Client {
	c := &Client{options: options, host: options.Endpoint.String()}
	c.SetLimits(options.ClientLimits)
	return c
}

// SetLimits changes the limits, from the next request on.
func (c *Client) SetLimits(limits message.ClientLimits) {
	c.limits.Store(limits.WithDefaults())
	limits.HeaderTimeout, limits.BodyTimeout = 0, 0
	c.patient.Store(limits.WithDefaults())
}

// RoundTrip sends a request and gives the response, which the caller closes; until then the request must not change.
// inform is called with each interim response before that, except 100, which is between this proxy and the endpoint. A
// *message.ConnectError says that nothing was sent, a *message.ContentError that the request's content could not be read;
// of other errors, those that are a timeout say so as a net.Error.
//
// A connection that was kept may turn out to be closed. The request is then sent on another one if nothing of it was sent
// or, once, if that cannot do harm. RFC 9110 section 9.2.2: "A proxy MUST NOT automatically retry non-idempotent
// requests."
func (c *Client) RoundTrip(
	ctx context.Context, request *message.Request, inform func(status int, fields *message.Fields) error,
) (*message.Response, error) {
	for {
		u := c.kept()
		if u == nil {
			break
		}
		response, err := u.roundTrip(ctx, request, inform)
		if err == nil {
			return response, nil
		}
		var stale *staleError
		if !errors.As(err, &stale) || ctx.Err() != nil {
			return nil, err
		}
		if stale.sent && !request.MayRepeat() {
			return nil, stale.err
		}
		if stale.sent {
			break
		}
	}
	u, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	response, err := u.roundTrip(ctx, request, inform)
	var stale *staleError
	if errors.As(err, &stale) {
		err = stale.err
	}
	return response, err
}

func (c *Client) connect(ctx context.Context) (*upstream, error) {
	if limit := int64(c.options.MaxConnections); c.opened.Add(1) > limit && limit > 0 {
		c.opened.Add(-1)
		return nil, &message.ConnectError{Full: true, Err: message.ErrFull}
	}
	conn, err := message.Dial(ctx, c.host, c.options.TLS, c.limits.Load().ConnectTimeout)
	if err != nil {
		c.opened.Add(-1)
		return nil, err
	}
	u := &upstream{client: c}
	u.step = u.onSocket
	err = u.open(conn)
	if err == nil && c.options.TLS != nil {
		err = u.openBelow()
	}
	if err != nil {
		_ = conn.Close()
		c.opened.Add(-1)
		return nil, &message.ConnectError{Err: err}
	}
	return u, nil
}

// kept takes the connection that was used last.
func (c *Client) kept() *upstream {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := len(c.idle) - 1
	if last < 0 {
		return nil
	}
	u := c.idle[last]
	c.idle[last] = nil
	c.idle = c.idle[:last]
	return u
}

// keep puts a connection back; false when there are enough.
func (c *Client) keep(u *upstream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.idle) >= c.options.MaxIdle {
		return false
	}
	u.idleSince = clockFor(c.limits.Load().IdleTimeout)
	c.idle = append(c.idle, u)
	if c.reap == nil {
		c.reap = time.AfterFunc(c.limits.Load().IdleTimeout, c.closeExpired)
	}
	return true
}

// closeExpired closes the connections that nobody used for long, and comes again for the others.
func (c *Client) closeExpired() {
	c.mu.Lock()
	defer c.mu.Unlock()
	since := clock() - int64(c.limits.Load().IdleTimeout)
	expired := 0
	for expired < len(c.idle) && c.idle[expired].idleSince <= since {
		c.idle[expired].shut()
		expired++
	}
	left := copy(c.idle, c.idle[expired:])
	clear(c.idle[left:])
	c.idle = c.idle[:left]
	if left == 0 {
		c.reap = nil
		return
	}
	c.reap.Reset(max(time.Duration(c.idle[0].idleSince-since), time.Millisecond))
}

// Close closes the connections that are not in use. The client can be used afterwards.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, u := range c.idle {
		u.shut()
	}
	clear(c.idle)
	c.idle = c.idle[:0]
	if c.reap != nil {
		c.reap.Stop()
		c.reap = nil
	}
}
