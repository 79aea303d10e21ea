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

package config

import (
	"crypto/tls"
	"net/netip"
	"slices"
)

// Port is a port of TCP that clients reach, with what ends their TLS.
type Port struct {
	Number uint16
	// Identities are those of the listeners of a port with TLS; there are none without it.
	Identities []Identity
	// Stream is the listener that all connections are relayed for, by resource name; empty where they are HTTP or TLS.
	Stream string
	// Trusted peers begin their connections with a header of the PROXY protocol, sorted; nil when nobody does.
	Trusted []netip.Prefix
}

// Same says whether a port is known to be the other one, without a look at its identities, of which there may be a thousand: it is a
// copy of it.
func (p Port) Same(other Port) bool {
	return p.Number == other.Number && p.Stream == other.Stream && sameSlice(p.Identities, other.Identities) && sameSlice(p.Trusted, other.Trusted)
}

func sameSlice[T any](a, b []T) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }

// Identity is what one listener proves itself with.
type Identity struct {
	// Listener is its resource name.
	Listener string
	// Hostname in lower case: exact, "*.example.com", or empty for any.
	Hostname string
	// Certificates, the default one first; none where TLS passes through.
	Certificates []*tls.Certificate
	// Clients is how they prove themselves; nil when they are not asked to.
	Clients *Clients
	// TLS narrows what is agreed with clients; nil where it is the proxy's choice.
	TLS *TLSOptions
	// Stream is true when connections are relayed, false when they are HTTP.
	Stream bool
}

// Passes says whether TLS passes through.
func (i Identity) Passes() bool { return len(i.Certificates) == 0 }

// Equal says whether two identities are the same.
func (i Identity) Equal(other Identity) bool {
	return i.Listener == other.Listener && i.Hostname == other.Hostname && i.Stream == other.Stream &&
		slices.Equal(i.Certificates, other.Certificates) && i.Clients.Equal(other.Clients) && i.TLS.Equal(other.TLS)
}

// Ports gives the ports of the plan's listeners of TCP, in order.
func (p *Plan) Ports() []Port {
	var ports []Port
	places := make(map[uint16]int)
	for i := range p.Listeners {
		l := &p.Listeners[i]
		if l.Protocol == ProtocolUDP {
			continue
		}
		place, found := places[l.Port]
		if !found {
			place = len(ports)
			places[l.Port] = place
			ports = append(ports, Port{Number: l.Port, Trusted: l.Trusted})
		}
		switch l.Protocol.family() {
		case streamFamily:
			ports[place].Stream = l.Name
		case securedFamily:
			ports[place].Identities = append(ports[place].Identities, Identity{
				Listener: l.Name, Hostname: l.Hostname, Certificates: l.Certificates, Clients: l.Clients, TLS: l.TLS, Stream: l.Protocol == ProtocolTLS,
			})
		}
	}
	slices.SortFunc(ports, func(a, b Port) int { return int(a.Number) - int(b.Number) })
	return ports
}
