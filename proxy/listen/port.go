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
	"context"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/socket"
)

// Codec serves connections by one version of HTTP.
type Codec interface {
	// ServeConn serves a connection until it is over.
	ServeConn(conn net.Conn, arrival message.Arrival)
	// Drain asks clients to go elsewhere, and still serves them.
	Drain()
	// CloseIdle closes the connections without a request.
	CloseIdle()
	// Close cuts all connections.
	Close()
}

// Relay passes connections on as they are; see stream.Port.
type Relay interface {
	// ServeConn relays a connection of a listener until it is over. early are bytes that were read of it already.
	ServeConn(conn net.Conn, arrival message.Arrival, listener string, early []byte)
	// Refuse resets a connection for which there is no room.
	Refuse(conn net.Conn)
	// Close cuts all connections.
	Close()
}

// Codecs serve the connections of one port.
type Codecs struct {
	HTTP1 Codec
	// HTTP2 serves connections on which the client has chosen it in its TLS handshake; nil when it is not offered.
	HTTP2 Codec
	// Relay serves connections that are no HTTP.
	Relay Relay
}

// port accepts the connections of one socket and has a codec serve each.
type port struct {
	codecs  Codecs
	socket  net.Listener
	options *Options
	serving bool
	manner  atomic.Pointer[manner]
	// active is how many goroutines accept or serve.
	active atomic.Int64

	handshakes *handshakes
	cut        bool // with the lock of handshakes
}

func newPort(codecs Codecs, socket net.Listener, options *Options, all *handshakes) *port {
	return &port{codecs: codecs, socket: socket, options: options, handshakes: all}
}

// manner is how the connections of a port are served. It is immutable.
type manner struct {
	// identities are nil without TLS.
	identities *identities
	// stream is the listener that connections are relayed for; empty when they are HTTP or TLS.
	stream string
	// trusted peers say for whom they connect.
	trusted []netip.Prefix
}

// behave has the port serve as it is told from the next connection on.
func (p *port) behave(wanted config.Port, keys *tickets) {
	next := &manner{stream: wanted.Stream, trusted: wanted.Trusted}
	if len(wanted.Identities) > 0 {
		protocols := []string{"http/1.1"}
		if p.codecs.HTTP2 != nil {
			protocols = []string{"h2", "http/1.1"}
		}
		var before *identities
		if current := p.manner.Load(); current != nil {
			before = current.identities
		}
		next.identities = newIdentities(wanted.Identities, protocols, keys, before)
	}
	p.manner.Store(next)
}

func (p *port) renew(keys *tickets) {
	if current := p.manner.Load(); current.identities != nil {
		current.identities.renew(keys)
	}
}

// accept accepts until the socket is closed, and serves each connection in a goroutine of its own.
func (p *port) accept() error {
	pause := time.Duration(0)
	for {
		conn, err := p.socket.Accept()
		if err == nil {
			pause = 0
			p.active.Add(1)
			go p.serve(conn)
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if !passes(err) {
			return err
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		p.options.Logger.Warn("connection not accepted", "error", err)
		time.Sleep(pause)
	}
}

// passes says whether accepting may go on after an error: a client that left early, or a lack of descriptors or memory.
func passes(err error) bool {
	for _, passing := range []error{
		syscall.ECONNABORTED, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EINTR,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	return false
}

func (p *port) serve(conn net.Conn) {
	defer p.active.Add(-1)
	current, arrival := p.manner.Load(), message.From(conn)
	if !p.announced(conn, &arrival, current.trusted) {
		return
	}
	switch {
	case current.identities != nil:
		p.serveSecured(conn, arrival, current.identities)
	case current.stream != "":
		p.relay(conn, arrival, current.stream, nil)
	default:
		p.codecs.HTTP1.ServeConn(conn, arrival)
	}
}

// relay has a connection relayed, if there is room for the one to its endpoint.
func (p *port) relay(conn net.Conn, arrival message.Arrival, listener string, early []byte) {
	if held, ok := socket.PlainOf(conn).(*counted); ok && !held.another() {
		p.codecs.Relay.Refuse(conn)
		return
	}
	p.codecs.Relay.ServeConn(conn, arrival, listener, early)
}

func (p *port) drain() {
	p.codecs.HTTP1.Drain()
	if p.codecs.HTTP2 != nil {
		p.codecs.HTTP2.Drain()
	}
}

func (p *port) closeIdle() {
	p.codecs.HTTP1.CloseIdle()
	if p.codecs.HTTP2 != nil {
		p.codecs.HTTP2.CloseIdle()
	}
}

// close cuts everything.
func (p *port) close() {
	p.codecs.HTTP1.Close()
	if p.codecs.HTTP2 != nil {
		p.codecs.HTTP2.Close()
	}
	if p.codecs.Relay != nil {
		p.codecs.Relay.Close()
	}
	p.handshakes.cut(p)
}

// shutdown closes the socket and the idle connections, and waits until the others have finished, at most until ctx
// ends. Then, or before, it cuts what is left.
func (p *port) shutdown(ctx context.Context) error {
	_ = p.socket.Close()
	p.drain()
	defer p.close()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for p.active.Load() > 0 {
		p.closeIdle()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}
