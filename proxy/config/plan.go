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
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
)

// Plan is what of a Snapshot can serve, checked and sorted by name.
type Plan struct {
	Listeners []PlannedListener
	Routes    []*PlannedRoute
	// StreamRoutes of TLS, TCP and UDP.
	StreamRoutes []PlannedStreamRoute
	// Backends keep their places from one plan to the next, so that what leads to them stays as it is.
	Backends []PlannedBackend
	// TrustedHops is how many proxies in front of this one are believed.
	TrustedHops int
	// Limits are those that the settings set.
	Limits Limits
}

// PlannedRoute is a route with the attachments and rules that can serve.
type PlannedRoute struct {
	Name        string
	Origin      Origin
	Attachments []Attachment
	Rules       []PlannedRule
}

// PlannedRule is a rule with the matches that can be understood.
type PlannedRule struct {
	Name string
	// Index of the rule in its route as it was pushed.
	Index   int
	Matches []Match
	// Broken rules answer 500.
	Broken bool
	// Shares of the requests, in the order of the rule's backends, those of weight 0 left out.
	Shares []Share
	// Filters in the order in which they are applied; none in a broken rule.
	Filters []Filter
	// Timeouts; nil for those of the limits.
	Timeouts *Timeouts
	// Retry; nil for none.
	Retry *Retry
}

// NoBackend is the Backend of a Share that answers 500.
const NoBackend = -1

// Share is a backend's part in a rule.
type Share struct {
	// Backend is the index into Plan.Backends, or NoBackend.
	Backend int
	Weight  int
	// Filters in the order in which they are applied, after those of the rule.
	Filters []Filter
}

// PlannedBackend is a backend whose endpoints are known.
type PlannedBackend struct {
	// Vacant places are those of backends that are gone. Nothing leads there, and the rest is not set.
	Vacant bool
	Name   string
	// Endpoints is the resource name of its endpoints.
	Endpoints string
	// LeastRequest prefers the endpoint with fewer requests under way; else each has its turn.
	LeastRequest bool
	// Protocol that is spoken to the endpoints.
	Protocol BackendProtocol
	// ProxyProtocol is the version of the header that connections of stream routes begin with; 0 for none.
	ProxyProtocol int
	// TLS to the endpoints; nil for none.
	TLS *PlannedTLS
	// MaxConnections to each endpoint at one time; 0 for no limit.
	MaxConnections uint32
	// Ready and Draining endpoints, sorted, each address once.
	Ready, Draining []netip.AddrPort
}

type compiler struct {
	errors []Error
	// pools of the authorities of backends, by the hash of what they were read from.
	pools map[[sha256.Size]byte]*x509.CertPool
}

func (c *compiler) fail(resource string, code Code, format string, args ...any) {
	c.errors = append(c.errors, Error{Resource: resource, Code: code, Message: fmt.Sprintf(format, args...)})
}

// name checks what the admin API says of every resource name.
func (c *compiler) name(name string) {
	if name == "" {
		c.fail(name, CodeInvalid, "name: must not be empty")
	}
	if len(name) > maxName {
		c.fail(name, CodeInvalid, "name: has %d bytes, at most %d are allowed", len(name), maxName)
	}
}

const (
	maxName   = 1024
	maxWeight = 1_000_000
	maxPort   = 65535
)

const maxHops = 32

// settings plans the first by name.
func (c *compiler) settings(plan *Plan, all []*Settings) {
	ordered := sorted(all, func(s *Settings) string { return s.Name })
	for i, s := range ordered {
		c.name(s.Name)
		switch {
		case i > 0:
			c.fail(s.Name, CodeInvalid, "settings: those of %s serve; a table has at most one", ordered[0].Name)
			continue
		case s.Unsupported != "":
			c.fail(s.Name, CodeUnsupported, "%s", s.Unsupported)
		}
		plan.Limits = c.limits(s.Name, s.Limits)
		if s.TrustedHops > maxHops {
			c.fail(s.Name, CodeInvalid, "trusted_hops: %d is more than %d", s.TrustedHops, maxHops)
			continue
		}
		plan.TrustedHops = int(s.TrustedHops)
	}
}

// backends plans those that can be spoken to, and gives the protocols of all by name.
func (c *compiler) backends(plan *Plan, s *Snapshot, certificates map[string]*tls.Certificate) map[string]BackendProtocol {
	endpoints := c.endpoints(s.Endpoints)
	held := make(map[string]BackendProtocol, len(s.Backends))
	for _, b := range sorted(s.Backends, func(b *Backend) string { return b.Name }) {
		held[b.Name] = b.Protocol
		if planned, ok := c.planned(b, endpoints, certificates); ok {
			plan.Backends = append(plan.Backends, planned)
		}
	}
	return held
}

// planned plans a backend; false where it cannot be spoken to.
func (c *compiler) planned(b *Backend, endpoints map[string]addresses, certificates map[string]*tls.Certificate) (PlannedBackend, bool) {
	c.name(b.Name)
	if !c.backend(b) {
		return PlannedBackend{}, false
	}
	secured, ok := c.backendTLS(b, certificates)
	if !ok {
		return PlannedBackend{}, false
	}
	found, there := endpoints[b.Endpoints]
	if !there {
		c.fail(b.Name, CodeMissingReference, "endpoints: %q is not in the table", b.Endpoints)
		return PlannedBackend{}, false
	}
	if found.unsupported {
		return PlannedBackend{}, false
	}
	return PlannedBackend{
		Name: b.Name, Endpoints: b.Endpoints, LeastRequest: b.Balancing == BalancingLeastRequest,
		Protocol: b.Protocol, ProxyProtocol: b.ProxyProtocol, TLS: secured, MaxConnections: b.MaxConnections,
		Ready: found.ready, Draining: found.draining,
	}, true
}

// slots gives the places of the backends of some protocols by name.
func (p *Plan) slots(of func(BackendProtocol) bool) map[string]int {
	slots := make(map[string]int, len(p.Backends))
	for i := range p.Backends {
		if !p.Backends[i].Vacant && of(p.Backends[i].Protocol) {
			slots[p.Backends[i].Name] = i
		}
	}
	return slots
}

// backend checks what a backend says of itself.
func (c *compiler) backend(b *Backend) bool {
	before := len(c.errors)
	switch {
	case b.Unsupported != "":
		c.fail(b.Name, CodeUnsupported, "%s", b.Unsupported)
	case !b.Protocol.known():
		c.fail(b.Name, CodeUnsupported, "protocol: %d is not known", b.Protocol)
	case b.ProxyProtocol < 0 || b.ProxyProtocol > 2:
		c.fail(b.Name, CodeUnsupported, "proxy_protocol: %d is not known", b.ProxyProtocol)
	case b.Protocol == BackendUDP && b.ProxyProtocol != 0:
		c.fail(b.Name, CodeInvalid, "proxy_protocol: datagrams have none")
	case b.Protocol == BackendUDP && b.TLS != nil:
		c.fail(b.Name, CodeInvalid, "tls: datagrams have none")
	case b.Balancing < BalancingUnset || b.Balancing > BalancingLeastRequest:
		c.fail(b.Name, CodeUnsupported, "balancing: %d is not known", b.Balancing)
	}
	return len(c.errors) == before
}

type addresses struct {
	ready, draining []netip.AddrPort
	unsupported     bool
}

func (c *compiler) endpoints(all []*Endpoints) map[string]addresses {
	found := make(map[string]addresses, len(all))
	for _, e := range all {
		found[e.Name] = c.addresses(e)
	}
	return found
}

func (c *compiler) addresses(e *Endpoints) addresses {
	c.name(e.Name)
	if e.Unsupported != "" {
		c.fail(e.Name, CodeUnsupported, "%s", e.Unsupported)
		return addresses{unsupported: true}
	}
	var a addresses
	for i, endpoint := range e.Endpoints {
		ip, err := netip.ParseAddr(endpoint.Address)
		if err != nil || ip.Zone() != "" {
			c.fail(e.Name, CodeInvalid, "endpoints[%d].address: %q is not an IP address", i, endpoint.Address)
			continue
		}
		if endpoint.Port == 0 || endpoint.Port > maxPort {
			c.fail(e.Name, CodeInvalid, "endpoints[%d].port: %d is not between 1 and %d", i, endpoint.Port, maxPort)
			continue
		}
		address := netip.AddrPortFrom(ip.Unmap(), uint16(endpoint.Port))
		switch endpoint.State {
		case EndpointReady:
			a.ready = append(a.ready, address)
		case EndpointDraining:
			a.draining = append(a.draining, address)
		default:
			c.fail(e.Name, CodeUnsupported, "endpoints[%d].state: %d is not known", i, endpoint.State)
		}
	}
	a.ready, a.draining = distinct(a.ready), distinct(a.draining)
	return a
}

func distinct(addresses []netip.AddrPort) []netip.AddrPort {
	slices.SortFunc(addresses, netip.AddrPort.Compare)
	return slices.Compact(addresses)
}

func sorted[T any](items []T, name func(T) string) []T {
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b T) int { return cmp.Compare(name(a), name(b)) })
	return items
}
