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
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dialer opens the connections of one client. The local port is chosen before it connects, so that where a connection
// went to can be found out even if it never came about.
type dialer struct {
	last atomic.Pointer[dialled]
	// datagrams is for a dialer of UDP, and next the port that it uses next: the kernel goes on to send what comes from a port to where it
	// sent before for some minutes, so that none may be used again that soon.
	datagrams bool
	next      uint16
}

func (d *dialer) dial(ctx context.Context, address string) (net.Conn, error) {
	begin := time.Now()
	dialing := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			var port uint16
			port, failed = d.bind(int(fd))
			d.last.Store(&dialled{port: port, at: begin})
		})
		if err != nil {
			return err
		}
		return failed
	}}
	return dialing.DialContext(ctx, d.network(), address)
}

func (d *dialer) network() string {
	if d.datagrams {
		return "udp4"
	}
	return "tcp4"
}

// dialled is the connection that was dialled last.
type dialled struct {
	port uint16
	at   time.Time
}

// replica is where the connection from a port went, or the last one for 0.
func (d *dialer) replica(c *conntrack, port uint16, to netip.AddrPort) netip.Addr {
	last := d.last.Load()
	if last == nil {
		return netip.Addr{}
	}
	if port == 0 || port == last.port {
		return c.replica(last.port, to, last.at)
	}
	return c.replica(port, to, time.Time{})
}

// The ports of UDP's clients are below those that the kernel chooses from.
const firstPort, lastPort = 12000, 32000

// bind binds a socket to a free port.
func (d *dialer) bind(fd int) (uint16, error) {
	if !d.datagrams {
		return bound(fd, 0)
	}
	for {
		if d.next++; d.next < firstPort || d.next > lastPort {
			d.next = firstPort
		}
		port, err := bound(fd, d.next)
		if !errors.Is(err, unix.EADDRINUSE) {
			return port, err
		}
	}
}

// bound binds a socket to a port, or to a free one for 0.
func bound(fd int, port uint16) (uint16, error) {
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(port)}); err != nil {
		return 0, err
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return 0, err
	}
	address, ok := name.(*unix.SockaddrInet4)
	if !ok {
		return 0, unix.EAFNOSUPPORT
	}
	return uint16(address.Port), nil //nolint:gosec // a port
}

// portOf is the local port of a connection.
func portOf(connection net.Conn) uint16 {
	if encrypted, ok := connection.(*tls.Conn); ok {
		connection = encrypted.NetConn()
	}
	if address, ok := connection.LocalAddr().(*net.TCPAddr); ok {
		return address.AddrPort().Port()
	}
	return 0
}
