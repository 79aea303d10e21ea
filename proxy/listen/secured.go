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
	"errors"
	"net"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/socket"
)

// errUnknownName is why a connection is reset on a port where TLS passes through for all.
var errUnknownName = errors.New("no listener has the server name")

// serveSecured serves a connection over TLS: it ends here and the codec that the client has chosen serves what is inside, or it is
// relayed for a listener of streams, or it passes through as it is.
func (p *port) serveSecured(conn net.Conn, arrival message.Arrival, current *identities) {
	passes := ""
	var early []byte
	var secured *tls.Conn
	err := p.guarded(conn, func(begun *handshake) error {
		// Read ahead also where nothing passes: crypto/tls makes room for as much as a record announces, before any of it has come.
		var name string
		var err error
		early, name, err = readHello(begun)
		if current.passing && err == nil {
			chosen := current.choose(name)
			if chosen != nil && chosen.wanted.Passes() {
				passes, arrival.ServerName = chosen.wanted.Listener, name
				return nil
			}
			// Where no TLS ends there is nobody to speak it: "rejecting the connection" (TLSRouteRule.backendRefs) is a reset.
			if chosen == nil && !current.ending {
				socket.Reset(conn)
				return errUnknownName
			}
		}
		// Also what is no ClientHello: TLS says what is wrong with it.
		begun.again(early)
		secured = tls.Server(begun, current.front)
		return secured.Handshake()
	})
	if err != nil {
		p.options.unsecured.Add(1)
		_ = conn.Close()
		p.options.Logger.Debug("handshake failed", "client", arrival.Client.String(), "error", err)
		return
	}
	if passes != "" {
		p.relay(conn, arrival, passes, early)
		return
	}
	p.serveInside(secured, arrival, current)
}

// serveInside serves what is inside a connection's TLS.
func (p *port) serveInside(secured *tls.Conn, arrival message.Arrival, current *identities) {
	state := secured.ConnectionState()
	arrival.ServerName = lowerName(state.ServerName)
	if chosen := current.choose(arrival.ServerName); chosen != nil && chosen.wanted.Stream {
		p.relay(secured, arrival, chosen.wanted.Listener, nil)
		return
	}
	arrival.Scheme = "https"
	if state.NegotiatedProtocol == "h2" && p.codecs.HTTP2 != nil {
		p.codecs.HTTP2.ServeConn(secured, arrival)
		return
	}
	p.codecs.HTTP1.ServeConn(secured, arrival)
}

// guarded does what comes before a connection is served: within the time for a handshake, and only while the port is open.
func (p *port) guarded(conn net.Conn, do func(begun *handshake) error) error {
	begun, crowded := p.handshakes.begin(p, conn, time.Now())
	if begun == nil {
		return errClosed
	}
	if crowded {
		p.options.Logger.Warn("there are as many handshakes as there may be: those whose clients say nothing give way", "most", p.handshakes.most)
	}
	_ = conn.SetDeadline(time.Now().Add(p.options.HandshakeTimeout))
	err := begun.end(do(begun))
	_ = conn.SetDeadline(time.Time{})
	return err
}
