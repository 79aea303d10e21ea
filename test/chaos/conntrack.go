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

package main

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"time"
)

// conntrackFile lists the connections of the network namespace that the program runs in: where each was sent to, behind a
// Service's address, is known nowhere else.
const conntrackFile = "/proc/net/nf_conntrack"

// conntrack finds out which pod a connection to a Service's address went to.
type conntrack struct {
	mu   sync.Mutex
	read time.Time
	text []byte
}

// replica is the pod that a connection from the local port went to; invalid when that is not known.
func (c *conntrack) replica(port uint16, to netip.AddrPort) netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	// Many connections may fail at the same time: the list is read again only for what it does not have yet.
	if time.Since(c.read) < time.Second {
		if found := replicaIn(c.text, port, to); found.IsValid() {
			return found
		}
	}
	text, err := os.ReadFile(conntrackFile)
	if err != nil {
		return netip.Addr{}
	}
	c.text, c.read = text, time.Now()
	return replicaIn(text, port, to)
}

// replicaIn reads one line of the list: addresses and ports as the client sees them, and then those of the answers, which come from
// the pod itself.
func replicaIn(text []byte, port uint16, to netip.AddrPort) netip.Addr {
	_, rest, found := bytes.Cut(text, fmt.Appendf(nil, " dst=%s sport=%d dport=%d ", to.Addr(), port, to.Port()))
	if !found {
		return netip.Addr{}
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	_, answers, _ := bytes.Cut(line, []byte("src="))
	source, _, _ := bytes.Cut(answers, []byte(" "))
	address, err := netip.ParseAddr(string(source))
	if err != nil {
		return netip.Addr{}
	}
	return address
}
