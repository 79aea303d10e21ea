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
	"slices"
)

// StreamRoute is one TLSRoute, TCPRoute or UDPRoute as it attaches to this Gateway.
type StreamRoute struct {
	Name        string
	Attachments []Attachment
	// Backends by weight; none has filters.
	Backends    []WeightedBackend
	Origin      Origin
	Unsupported string
}

// PlannedStreamRoute is a stream route with the attachments and shares that can serve.
type PlannedStreamRoute struct {
	Name   string
	Origin Origin
	// Attachments are to listeners of TLS or TCP, or all to listeners of UDP.
	Attachments []Attachment
	// Shares of the connections or clients, in the order of the route's backends, those of weight 0 left out. With none, and
	// for a share without backend, nothing is relayed.
	Shares []Share
}

// streamRoutes plans all, in the order of their precedence: the oldest first, then by name.
func (c *compiler) streamRoutes(plan *Plan, all []*StreamRoute, known map[string]Protocol, held map[string]BackendProtocol) {
	tcp := plan.slots(func(p BackendProtocol) bool { return p == BackendTCP })
	udp := plan.slots(func(p BackendProtocol) bool { return p == BackendUDP })
	for _, r := range sorted(all, func(r *StreamRoute) string { return r.Name }) {
		c.name(r.Name)
		planned, datagram := c.streamAttachments(r, known)
		slots, protocol := tcp, BackendTCP
		if datagram {
			slots, protocol = udp, BackendUDP
		}
		planned.Shares = c.streamShares(r, slots, held, protocol)
		plan.StreamRoutes = append(plan.StreamRoutes, planned)
	}
	slices.SortStableFunc(plan.StreamRoutes, func(a, b PlannedStreamRoute) int {
		return cmp.Or(
			a.Origin.Created.Compare(b.Origin.Created), cmp.Compare(a.Origin.Namespace, b.Origin.Namespace),
			cmp.Compare(a.Origin.Name, b.Origin.Name), cmp.Compare(a.Name, b.Name),
		)
	})
}

// streamAttachments plans where a route attaches, and says whether it is for datagrams: as the first of its listeners that serves.
func (c *compiler) streamAttachments(r *StreamRoute, known map[string]Protocol) (PlannedStreamRoute, bool) {
	planned := PlannedStreamRoute{Name: r.Name, Origin: r.Origin}
	datagram := false
	for i, attachment := range r.Attachments {
		kept, ok := c.attachment(r.Name, i, attachment, known)
		if !ok {
			continue
		}
		protocol := known[attachment.Listener]
		if protocol.HTTP() {
			c.fail(r.Name, CodeInvalid, "attachments[%d].listener: %q is one for requests", i, attachment.Listener)
			continue
		}
		if len(planned.Attachments) == 0 {
			datagram = protocol == ProtocolUDP
		}
		if datagram != (protocol == ProtocolUDP) {
			c.fail(r.Name, CodeInvalid, "attachments[%d].listener: %q and the first are not both for datagrams", i, attachment.Listener)
			continue
		}
		if protocol != ProtocolTLS {
			kept.Hostnames = nil // Nobody asks for one.
		}
		planned.Attachments = append(planned.Attachments, kept)
	}
	return planned, datagram
}

// streamShares plans the shares of a route. One that is not understood relays nothing at all: it must not take what others
// would have got otherwise.
func (c *compiler) streamShares(
	r *StreamRoute, slots map[string]int, held map[string]BackendProtocol, protocol BackendProtocol,
) []Share {
	broken := r.Unsupported != ""
	if broken {
		c.fail(r.Name, CodeUnsupported, "%s", r.Unsupported)
	}
	var shares []Share
	for i, b := range r.Backends {
		if len(b.Filters) > 0 {
			c.fail(r.Name, CodeInvalid, "backends[%d].filters: a stream route has none", i)
			broken = true
		}
		if b.Weight > maxWeight {
			c.fail(r.Name, CodeInvalid, "backends[%d].weight: %d is more than %d", i, b.Weight, maxWeight)
			broken = true
		}
		of, there := held[b.Backend]
		switch {
		case b.Backend == "": // The operator has said so where it belongs.
		case !there:
			c.fail(r.Name, CodeMissingReference, "backends[%d].backend: %q is not in the table", i, b.Backend)
		case of.known() && of != protocol:
			c.fail(r.Name, CodeInvalid, "backends[%d].backend: %q is of another protocol", i, b.Backend)
		}
		if b.Weight > 0 {
			shares = append(shares, Share{Backend: slot(b.Backend, slots), Weight: int(b.Weight)})
		}
	}
	if broken {
		return nil
	}
	return shares
}
