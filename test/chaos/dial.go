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
	"net"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"
)

// dialer opens the connections of one client. The local port is chosen before it connects, so that where a connection
// went to can be found out even if it never came about.
type dialer struct {
	port atomic.Uint32 // of the connection that was dialled last
}

func (d *dialer) dial(ctx context.Context, address string) (net.Conn, error) {
	dialing := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var failed error
		err := raw.Control(func(fd uintptr) {
			var port uint16
			port, failed = bound(int(fd))
			d.port.Store(uint32(port))
		})
		if err != nil {
			return err
		}
		return failed
	}}
	return dialing.DialContext(ctx, "tcp4", address)
}

// last is the local port of the connection that was dialled last.
func (d *dialer) last() uint16 { return uint16(d.port.Load()) } //nolint:gosec // a port

// bound binds a socket to a free port.
func bound(fd int) (uint16, error) {
	if err := unix.Bind(fd, &unix.SockaddrInet4{}); err != nil {
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
