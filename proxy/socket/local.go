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

package socket

import (
	"net"
	"net/netip"
	"syscall"
)

// LocalOf gives the address that a peer has connected to, which for a connection of a Listener is not that of the listener; not
// valid when it is not known.
func LocalOf(conn net.Conn) netip.AddrPort {
	plain := PlainOf(conn)
	if plain == nil {
		return netip.AddrPort{}
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return netip.AddrPort{}
	}
	var local netip.AddrPort
	_ = raw.Control(func(fd uintptr) {
		name, err := syscall.Getsockname(int(fd))
		if err != nil {
			return
		}
		switch in := name.(type) {
		case *syscall.SockaddrInet4:
			local = netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port))
		case *syscall.SockaddrInet6:
			local = netip.AddrPortFrom(netip.AddrFrom16(in.Addr).Unmap(), uint16(in.Port))
		}
	})
	return local
}
