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

package message

import (
	"net"
	"net/netip"
)

// Arrival says how all requests of one connection came.
type Arrival struct {
	// Scheme is "http" or "https".
	Scheme string
	// ServerName is the host that the client asked for in its TLS handshake, in lower case; empty without one.
	ServerName string
	// Client is the address of the peer, or of the one for whom it connects.
	Client netip.AddrPort
	// Server is what that one has connected to; not valid when it is the peer itself.
	Server netip.AddrPort
	// ClientText is Client's address without port and zone, an IPv4 address in its own form.
	ClientText string
}

// From describes a connection that came without TLS.
func From(conn net.Conn) Arrival {
	arrival := Arrival{Scheme: "http"}
	if remote, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		arrival.Client = remote.AddrPort()
	}
	arrival.ClientText = textOf(arrival.Client)
	return arrival
}

func textOf(client netip.AddrPort) string { return client.Addr().Unmap().WithZone("").String() }

// For makes a connection one that the peer made for somebody else: client, who has connected to server.
func (a *Arrival) For(client, server netip.AddrPort) {
	a.Client, a.Server, a.ClientText = client, server, textOf(client)
}

// Mark makes a request one of the connection.
func (a *Arrival) Mark(request *Request) {
	request.Scheme, request.ServerName = a.Scheme, a.ServerName
	request.Client, request.ClientText = a.Client, a.ClientText
}
