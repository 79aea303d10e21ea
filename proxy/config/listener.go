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
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Protocol that a listener speaks.
type Protocol int

// The protocols that this proxy knows. Others are reported as unsupported.
const (
	// ProtocolHTTP is HTTP without TLS.
	ProtocolHTTP Protocol = 1
	// ProtocolHTTPS is HTTP over TLS that ends here.
	ProtocolHTTPS Protocol = 2
	// ProtocolTLS is whatever comes over TLS, for stream routes.
	ProtocolTLS Protocol = 80
	// ProtocolTCP is whatever comes over TCP, for stream routes.
	ProtocolTCP Protocol = 81
	// ProtocolUDP is datagrams, for stream routes.
	ProtocolUDP Protocol = 82
)

// family is what the listeners of one port have in common.
type family int

const (
	unknownFamily  family = iota
	clearFamily           // HTTP
	securedFamily         // HTTPS and TLS, told apart by server name
	streamFamily          // TCP
	datagramFamily        // UDP, whose ports are its own
)

func (p Protocol) family() family {
	switch p {
	case ProtocolHTTP:
		return clearFamily
	case ProtocolHTTPS, ProtocolTLS:
		return securedFamily
	case ProtocolTCP:
		return streamFamily
	case ProtocolUDP:
		return datagramFamily
	}
	return unknownFamily
}

// HTTP says whether routes of requests attach.
func (p Protocol) HTTP() bool { return p == ProtocolHTTP || p == ProtocolHTTPS }

// Listener is one listener of the Gateway.
type Listener struct {
	Name     string
	Port     uint32
	Protocol Protocol
	// Hostname: exact, "*.example.com", or empty for any. Only protocols with HTTP or TLS look at it.
	Hostname string
	// Certificates are resource names, the default one first. Only where TLS ends here.
	Certificates []string
	// Clients is how they prove themselves; nil when they are not asked to. Only where TLS ends here.
	Clients *ClientValidation
	// Passthrough relays connections as they are, by server name. Only for ProtocolTLS.
	Passthrough bool
	// ProxyProtocol is who may say for whom it connects; nil when nobody may.
	ProxyProtocol *AcceptProxyProtocol
	// TLS narrows what is agreed with clients. Only where TLS ends here.
	TLS *TLSOptions
	// Unsupported says what of the resource this proxy does not know; empty when it knows all of it.
	Unsupported string
}

// AcceptProxyProtocol is whose connections begin with a header of the PROXY protocol.
type AcceptProxyProtocol struct {
	// TrustedPeers in CIDR notation.
	TrustedPeers []string
}

// PlannedListener is a listener that can be opened.
type PlannedListener struct {
	Name     string
	Port     uint16
	Protocol Protocol
	// Hostname in lower case; empty for protocols that do not look at it.
	Hostname string
	// Certificates that the listener can use, the default one first; none where no TLS ends.
	Certificates []*tls.Certificate
	// Clients is how they prove themselves; nil when they are not asked to.
	Clients *Clients
	// Passthrough relays connections as they are.
	Passthrough bool
	// Trusted peers begin their connections with a header of the PROXY protocol; nil when nobody does.
	Trusted []netip.Prefix
	// TLS narrows what is agreed with clients; nil where it is the proxy's choice.
	TLS *TLSOptions
}

// ends says whether TLS ends at the listener.
func (l *Listener) ends() bool { return l.Protocol.family() == securedFamily && !l.Passthrough }

// host is the hostname that a listener is chosen by.
func (l *Listener) host() string {
	if family := l.Protocol.family(); family == streamFamily || family == datagramFamily {
		return "" // Gateway API, Listener.hostname: "this field is ignored for protocols that don't require hostname based matching."
	}
	return strings.ToLower(l.Hostname)
}

// place is where clients reach listeners: a port of TCP, or one of UDP.
type place struct {
	port     uint32
	datagram bool
}

func (l *Listener) place() place {
	return place{port: l.Port, datagram: l.Protocol.family() == datagramFamily}
}

// listeners plans those that can be opened, and gives the protocols of those that serve by name; 0 for the others.
func (c *compiler) listeners(plan *Plan, listeners []*Listener, certificates map[string]*tls.Certificate) map[string]Protocol {
	type key struct {
		place
		hostname string
	}
	known := make(map[string]Protocol, len(listeners))
	taken := make(map[key]string)
	first := make(map[place]*PlannedListener)
	for _, l := range sorted(listeners, func(l *Listener) string { return l.Name }) {
		c.name(l.Name)
		known[l.Name] = 0
		if !c.listener(l) {
			continue
		}
		// Gateway API, Listener: "Each listener in a Gateway must have a unique combination of Hostname, Port, and
		// Protocol."
		at := key{place: l.place(), hostname: l.host()}
		if other, found := taken[at]; found {
			c.fail(l.Name, CodeInvalid, "port and hostname: %d and %q are those of %s", l.Port, l.Hostname, other)
			continue
		}
		planned, err := c.plannedListener(l, first[at.place], certificates)
		if err != nil {
			c.fail(l.Name, CodeInvalid, "%v", err)
			continue
		}
		taken[at] = l.Name
		if first[at.place] == nil {
			first[at.place] = planned
		}
		known[l.Name] = l.Protocol
		plan.Listeners = append(plan.Listeners, *planned)
	}
	return known
}

// plannedListener plans one, given the first on its port.
func (c *compiler) plannedListener(l *Listener, first *PlannedListener, certificates map[string]*tls.Certificate) (*PlannedListener, error) {
	if first != nil && first.Protocol.family() != l.Protocol.family() {
		return nil, fmt.Errorf("protocol: %s has another one on port %d", first.Name, l.Port)
	}
	trusted, err := l.trusted()
	if err != nil {
		return nil, err
	}
	if first != nil && !slices.Equal(first.Trusted, trusted) {
		return nil, fmt.Errorf("proxy_protocol: %s has other trusted peers on port %d", first.Name, l.Port)
	}
	identity, err := c.identity(l, certificates)
	if err != nil {
		return nil, err
	}
	clients, err := l.clients()
	if err != nil {
		return nil, err
	}
	options, err := l.tlsOptions()
	if err != nil {
		return nil, err
	}
	return &PlannedListener{
		Name: l.Name, Port: uint16(l.Port), Protocol: l.Protocol, Hostname: l.host(), Certificates: identity, Clients: clients,
		Passthrough: l.Passthrough, Trusted: trusted, TLS: options,
	}, nil
}

func (c *compiler) listener(l *Listener) bool {
	before := len(c.errors)
	if l.Unsupported != "" {
		c.fail(l.Name, CodeUnsupported, "%s", l.Unsupported)
	}
	if l.Port == 0 || l.Port > maxPort {
		c.fail(l.Name, CodeInvalid, "port: %d is not between 1 and %d", l.Port, maxPort)
	}
	if l.Protocol.family() == unknownFamily {
		c.fail(l.Name, CodeUnsupported, "protocol: %d is not known", l.Protocol)
	}
	if hostname := l.host(); hostname != "" && !validHostname(hostname) {
		c.fail(l.Name, CodeInvalid, "hostname: %q is not a hostname", l.Hostname)
	}
	if l.Passthrough && l.Protocol != ProtocolTLS {
		c.fail(l.Name, CodeInvalid, "passthrough: only a listener of the protocol TLS has it")
	}
	return len(c.errors) == before
}

// maxTrustedPeers is what is looked through for each connection.
const maxTrustedPeers = 256

// trusted gives the peers that are believed, sorted; nil for none.
func (l *Listener) trusted() ([]netip.Prefix, error) {
	if l.ProxyProtocol == nil {
		return nil, nil
	}
	peers := l.ProxyProtocol.TrustedPeers
	switch {
	case l.Protocol == ProtocolUDP:
		return nil, fmt.Errorf("proxy_protocol: datagrams have none")
	case len(peers) == 0:
		return nil, fmt.Errorf("proxy_protocol.trusted_peers: at least one is needed")
	case len(peers) > maxTrustedPeers:
		return nil, fmt.Errorf("proxy_protocol.trusted_peers: there are %d, at most %d are allowed", len(peers), maxTrustedPeers)
	}
	trusted := make([]netip.Prefix, 0, len(peers))
	for i, peer := range peers {
		prefix, err := netip.ParsePrefix(peer)
		if err != nil || prefix.Addr().Is4In6() {
			return nil, fmt.Errorf("proxy_protocol.trusted_peers[%d]: %q is not a network in CIDR notation", i, peer)
		}
		trusted = append(trusted, prefix.Masked())
	}
	slices.SortFunc(trusted, netip.Prefix.Compare)
	return slices.Compact(trusted), nil
}
