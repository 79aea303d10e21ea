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
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What the kernel says of a connection that it begins to track (linux/netfilter/nfnetlink_conntrack.h).
const (
	groupNew       = 1 // events of new connections
	attributeTuple = 1 // as the client sees it
	attributeReply = 2 // as the answers come
	tupleAddresses = 1
	tuplePorts     = 2
	sourceAddress  = 1
	targetAddress  = 2
	sourcePort     = 2
	targetPort     = 3
	// header is that of the kernel's netfilter messages.
	header = 4
	// buffer is for what the kernel says while nobody listens.
	buffer = 16 << 20
	// delay is how long an event may be on its way.
	delay = 5 * time.Second
)

// conntrack knows which pod each connection to a Service's address went to, which only the kernel of the client's host does: it
// listens to the kernel, since a connection that is refused is forgotten there at once.
type conntrack struct {
	socket int

	mu    sync.Mutex
	known map[flow]begun
	lost  error
}

// flow is a connection as its client sees it.
type flow struct {
	port uint16
	to   netip.AddrPort
}

// begun is the last connection of a flow.
type begun struct {
	replica netip.Addr
	at      time.Time
}

func listenConntrack() (*conntrack, error) {
	socket, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("listen to the kernel's connections: %w", err)
	}
	err = errors.Join(unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, buffer),
		unix.Bind(socket, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1 << (groupNew - 1)}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("listen to the kernel's connections: %w", err), unix.Close(socket))
	}
	c := &conntrack{socket: socket, known: map[flow]begun{}}
	go c.listen()
	return c, nil
}

// listen goes on as long as the program.
func (c *conntrack) listen() {
	text := make([]byte, 1<<16)
	for {
		n, _, err := unix.Recvfrom(c.socket, text, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err == nil {
			err = c.note(text[:n])
		}
		if err != nil {
			c.mu.Lock()
			c.lost = errors.Join(c.lost, err)
			c.mu.Unlock()
		}
		if err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
	}
}

func (c *conntrack) note(text []byte) error {
	messages, err := syscall.ParseNetlinkMessage(text)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, message := range messages {
		if connection, replica, ok := connectionIn(message.Data); ok {
			c.known[connection] = begun{replica: replica, at: time.Now()}
		}
	}
	return nil
}

// replica is the pod that the last connection from the local port went to, which began after a moment; invalid when that is not known.
func (c *conntrack) replica(port uint16, to netip.AddrPort, after time.Time) netip.Addr {
	for ctx, cancel := context.WithTimeout(context.Background(), delay); ; {
		c.mu.Lock()
		found := c.known[flow{port, to}]
		c.mu.Unlock()
		if found.replica.IsValid() && !found.at.Before(after) || !wait(ctx, 10*time.Millisecond) {
			cancel()
			return found.replica
		}
	}
}

// last is the pod that a flow goes to by what is known already.
func (c *conntrack) last(port uint16, to netip.AddrPort) netip.Addr {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known[flow{port, to}].replica
}

// failed says what of the kernel's words was lost.
func (c *conntrack) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// connectionIn reads one event. Answers come from the pod itself.
func connectionIn(message []byte) (flow, netip.Addr, bool) {
	if len(message) < header {
		return flow{}, netip.Addr{}, false
	}
	attributes := attributesIn(message[header:])
	_, to, port, toPort, ok := tupleIn(attributes[attributeTuple])
	replica, _, _, _, answered := tupleIn(attributes[attributeReply])
	return flow{port, netip.AddrPortFrom(to, toPort)}, replica, ok && answered
}

func tupleIn(text []byte) (from, to netip.Addr, fromPort, toPort uint16, ok bool) {
	tuple := attributesIn(text)
	addresses, ports := attributesIn(tuple[tupleAddresses]), attributesIn(tuple[tuplePorts])
	from, fromOK := netip.AddrFromSlice(addresses[sourceAddress])
	to, toOK := netip.AddrFromSlice(addresses[targetAddress])
	if !fromOK || !toOK || len(ports[sourcePort]) != 2 || len(ports[targetPort]) != 2 {
		return netip.Addr{}, netip.Addr{}, 0, 0, false
	}
	return from, to, binary.BigEndian.Uint16(ports[sourcePort]), binary.BigEndian.Uint16(ports[targetPort]), true
}

// attributesIn reads netlink's attributes: length and type, in the machine's order, then the value, padded to four bytes.
func attributesIn(text []byte) map[uint16][]byte {
	attributes := map[uint16][]byte{}
	for len(text) >= unix.SizeofNlAttr {
		length := int(binary.NativeEndian.Uint16(text))
		if length < unix.SizeofNlAttr || length > len(text) {
			break
		}
		kind := binary.NativeEndian.Uint16(text[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
		attributes[kind] = text[unix.SizeofNlAttr:length]
		text = text[min(len(text), (length+3)&^3):]
	}
	return attributes
}
