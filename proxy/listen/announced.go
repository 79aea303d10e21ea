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
	"net"
	"net/netip"
	"slices"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/proxyprotocol"
	"github.com/rauta-dev/rauta/proxy/socket"
)

// announced reads the header by which a trusted peer says for whom it connects, and has the connection be that one's. Of others
// none is read: what they say of somebody else is not believed. It is false when the connection is over, because what came from
// the peer is no header, or it did not come in time.
func (p *port) announced(conn net.Conn, arrival *message.Arrival, trusted []netip.Prefix) bool {
	if len(trusted) == 0 || !among(arrival.Client.Addr(), trusted) {
		return true
	}
	var header proxyprotocol.Header
	err := p.guarded(conn, func(begun *handshake) (err error) {
		header, err = proxyprotocol.Read(begun)
		return err
	})
	if err != nil {
		p.options.unannounced.Add(1)
		socket.Reset(conn)
		p.options.Logger.Debug("no header of the PROXY protocol", "peer", arrival.Client.String(), "error", err)
		return false
	}
	if header.Valid() {
		arrival.For(header.Source, header.Destination)
	}
	return true
}

func among(peer netip.Addr, networks []netip.Prefix) bool {
	peer = peer.Unmap().WithZone("")
	return slices.ContainsFunc(networks, func(network netip.Prefix) bool { return network.Contains(peer) })
}
