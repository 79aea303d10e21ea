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

package proxy

import (
	"github.com/rauta-dev/rauta/proxy/datagram"
	"github.com/rauta-dev/rauta/proxy/forward"
	"github.com/rauta-dev/rauta/proxy/stream"
	"github.com/rauta-dev/rauta/proxy/telemetry"
)

// AdminAddr is where the operator connects; empty when the proxy runs by itself.
func (p *Proxy) AdminAddr() string {
	if p.admin == nil {
		return ""
	}
	return p.admin.Addr()
}

// PeersAddr is where the other replicas connect; empty when there are none.
func (p *Proxy) PeersAddr() string {
	if p.peers == nil {
		return ""
	}
	return p.peers.Addr()
}

// HealthAddr is where probes are answered.
func (p *Proxy) HealthAddr() string { return p.health.Addr() }

// ListenerAddr is where the listeners of a port are reached; false while the port is not open.
func (p *Proxy) ListenerAddr(port uint16) (string, bool) {
	addr, open := p.sockets.Addr(port)
	if !open {
		return "", false
	}
	return addr.String(), true
}

// DatagramAddr is where a UDP listener's port is bound; false while it is not.
func (p *Proxy) DatagramAddr(port uint16) (string, bool) {
	addr, open := p.datagrams.Addr(port)
	if !open {
		return "", false
	}
	return addr.String(), true
}

// Ready says whether the proxy serves a table and is not being stopped: what /readyz answers.
func (p *Proxy) Ready() bool { return p.engine.Ready() && !p.unready.Load() }

// Table gives generation and hash of the table that serves; 0 and empty when there is none.
func (p *Proxy) Table() (generation uint64, hash string) { return p.table.Serving() }

// Requests gives how many requests ended how.
func (p *Proxy) Requests() map[forward.Outcome]uint64 { return p.requests.Counts() }

// Mirrors gives how many copies of requests ended how.
func (p *Proxy) Mirrors() forward.MirrorCounts { return p.handler.Mirrors() }

// Retries gives how often requests were sent again.
func (p *Proxy) Retries() forward.RetryCounts { return p.handler.Retries() }

// Streams gives how many streams ended how, and what they carried.
func (p *Proxy) Streams() map[stream.Reason]telemetry.StreamCount { return p.relayed.Counts() }

// Datagrams gives what UDP clients and endpoints have sent, and what was dropped of it.
func (p *Proxy) Datagrams() datagram.Counts { return p.datagrams.Counts() }

// Unannounced gives how many connections of trusted peers ended because they did not say for whom they are.
func (p *Proxy) Unannounced() uint64 { return p.sockets.Unannounced() }

// Unsecured gives how many connections ended in their TLS handshake.
func (p *Proxy) Unsecured() uint64 { return p.sockets.Unsecured() }
