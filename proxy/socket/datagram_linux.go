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
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"unsafe"
)

// UDP is the descriptor of a socket of datagrams that does not block. The runtime's poller does not know it; see Poller.
type UDP int

const (
	// reusePort is SO_REUSEPORT, which package syscall does not have everywhere.
	reusePort = 15
	// queueBytes is what a listening socket is to hold in either direction; the system may allow less.
	queueBytes = 4 << 20
)

// ListenUDP binds an address by as many sockets, between which the kernel divides the clients: the datagrams of one client
// come to one of them. Nobody else has the address already.
func ListenUDP(address string, count int) ([]UDP, error) {
	resolved, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, err
	}
	at := resolved.AddrPort()
	if !at.Addr().IsValid() {
		at = netip.AddrPortFrom(netip.IPv6Unspecified(), at.Port())
	}
	first, err := listenUDP(at, false)
	if resolved.IP == nil && (errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.EADDRNOTAVAIL)) {
		at = netip.AddrPortFrom(netip.IPv4Unspecified(), at.Port()) // The system has no IPv6.
		first, err = listenUDP(at, false)
	}
	if err != nil {
		return nil, err
	}
	sockets := []UDP{first}
	if count == 1 {
		return sockets, nil
	}
	// Only now: had the first asked for it before it was bound, it would share the address with whoever has it.
	err = os.NewSyscallError("setsockopt", syscall.SetsockoptInt(int(first), syscall.SOL_SOCKET, reusePort, 1))
	at = netip.AddrPortFrom(at.Addr(), first.Addr().Port())
	for len(sockets) < count && err == nil {
		var next UDP
		if next, err = listenUDP(at, true); err == nil {
			sockets = append(sockets, next)
		}
	}
	if err != nil {
		for _, s := range sockets {
			s.Close()
		}
		return nil, err
	}
	return sockets, nil
}

func listenUDP(at netip.AddrPort, shared bool) (UDP, error) {
	fd, err := newUDP(at.Addr())
	if err != nil {
		return 0, err
	}
	s := UDP(fd)
	if err := s.listen(at, shared); err != nil {
		s.Close()
		return 0, err
	}
	return s, nil
}

func newUDP(to netip.Addr) (int, error) {
	family := syscall.AF_INET6
	if to.Is4() {
		family = syscall.AF_INET
	}
	fd, err := syscall.Socket(family, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	return fd, os.NewSyscallError("socket", err)
}

func (s UDP) listen(at netip.AddrPort, shared bool) error {
	for _, size := range []int{syscall.SO_RCVBUF, syscall.SO_SNDBUF} {
		if err := syscall.SetsockoptInt(int(s), syscall.SOL_SOCKET, size, queueBytes); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	options := []struct{ level, name, value int }{
		{syscall.IPPROTO_IPV6, syscall.IPV6_V6ONLY, 0}, {syscall.IPPROTO_IPV6, syscall.IPV6_RECVPKTINFO, 1},
	}
	if at.Addr().Is4() {
		options = options[:0]
		options = append(options, struct{ level, name, value int }{syscall.IPPROTO_IP, syscall.IP_PKTINFO, 1})
	}
	if shared {
		options = append(options, struct{ level, name, value int }{syscall.SOL_SOCKET, reusePort, 1})
	}
	for _, option := range options {
		if err := syscall.SetsockoptInt(int(s), option.level, option.name, option.value); err != nil {
			return fmt.Errorf("set socket option %d: %w", option.name, err)
		}
	}
	name, size := nameOf(at)
	_, _, number := syscall.RawSyscall(syscall.SYS_BIND, uintptr(s), uintptr(unsafe.Pointer(&name)), size)
	return failed("bind", number)
}

// ConnectUDP makes a socket for datagrams to and from one address. What that says of datagrams that it does not take (ICMP)
// is the error of a later call.
func ConnectUDP(to netip.AddrPort) (UDP, error) {
	fd, err := newUDP(to.Addr())
	if err != nil {
		return 0, err
	}
	name, size := nameOf(to)
	_, _, number := syscall.RawSyscall(syscall.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&name)), size)
	if number != 0 {
		UDP(fd).Close()
		return 0, failed("connect", number)
	}
	return UDP(fd), nil
}

// Close closes the socket.
func (s UDP) Close() { _, _, _ = syscall.RawSyscall(syscall.SYS_CLOSE, uintptr(s), 0, 0) }

// Addr is where the socket is bound.
func (s UDP) Addr() netip.AddrPort {
	var name syscall.RawSockaddrAny
	size := uint32(syscall.SizeofSockaddrAny)
	_, _, _ = syscall.RawSyscall(
		syscall.SYS_GETSOCKNAME, uintptr(s), uintptr(unsafe.Pointer(&name)), uintptr(unsafe.Pointer(&size)),
	)
	return addressOf(&name)
}

// failed makes an error of a number; nil for none.
func failed(call string, number syscall.Errno) error {
	if number == 0 {
		return nil
	}
	return os.NewSyscallError(call, number)
}

// sockaddr is the kernel's form of an address. An IPv4 address has the beginning of it.
type sockaddr = syscall.RawSockaddrInet6

func nameOf(at netip.AddrPort) (sockaddr, uintptr) {
	var made sockaddr
	if at.Addr().Is4() {
		four := (*syscall.RawSockaddrInet4)(unsafe.Pointer(&made))
		four.Family, four.Port, four.Addr = syscall.AF_INET, portOf(at.Port()), at.Addr().As4()
		return made, syscall.SizeofSockaddrInet4
	}
	made.Family, made.Port, made.Addr = syscall.AF_INET6, portOf(at.Port()), at.Addr().As16()
	return made, syscall.SizeofSockaddrInet6
}

// Flow says between whom datagrams go: the client, and the address of this machine that it sends to.
type Flow struct {
	client sockaddr
	local  [16]byte // of IPv4 the first four
	index  uint32   // of the interface, where the address means nothing without
}

// Client is the address of the client.
func (f *Flow) Client() netip.AddrPort {
	var whole syscall.RawSockaddrAny
	*(*sockaddr)(unsafe.Pointer(&whole)) = f.client
	return addressOf(&whole)
}

// Control messages that say which address of this machine a datagram was sent to, and is to be sent from (ip(7), ipv6(7)).
const (
	infoSize4 = 12 // struct in_pktinfo: index, spec_dst, addr
	infoSize6 = 20 // struct in6_pktinfo: addr, index
)

// control is room for one of them.
type control struct {
	header syscall.Cmsghdr
	info   [24]byte
}

// arrived notes in a flow which address a datagram was sent to.
func (c *control) arrived(flow *Flow) {
	native := binary.NativeEndian
	switch {
	case c.header.Level == syscall.IPPROTO_IP && c.header.Type == syscall.IP_PKTINFO:
		copy(flow.local[:4], c.info[4:8])
	case c.header.Level == syscall.IPPROTO_IPV6 && c.header.Type == syscall.IPV6_PKTINFO:
		copy(flow.local[:], c.info[:16])
		if netip.AddrFrom16(flow.local).IsLinkLocalUnicast() {
			flow.index = native.Uint32(c.info[16:])
		}
	}
}

// departs asks for the address that a flow's datagrams were sent to, and gives the size of the message; 0 to leave it to the
// kernel: what comes to a group of hosts is answered by one of them.
func (c *control) departs(flow *Flow) uint64 {
	native := binary.NativeEndian
	if flow.client.Family == syscall.AF_INET {
		if flow.local == ([16]byte{}) {
			return 0
		}
		c.header.Level, c.header.Type = syscall.IPPROTO_IP, syscall.IP_PKTINFO
		c.header.SetLen(syscall.CmsgLen(infoSize4))
		native.PutUint32(c.info[:], 0)
		copy(c.info[4:8], flow.local[:4])
		native.PutUint32(c.info[8:], 0)
		return uint64(syscall.CmsgSpace(infoSize4))
	}
	if local := netip.AddrFrom16(flow.local); local.IsUnspecified() || local.IsMulticast() {
		return 0
	}
	c.header.Level, c.header.Type = syscall.IPPROTO_IPV6, syscall.IPV6_PKTINFO
	c.header.SetLen(syscall.CmsgLen(infoSize6))
	copy(c.info[:16], flow.local[:])
	native.PutUint32(c.info[16:], flow.index)
	return uint64(syscall.CmsgSpace(infoSize6))
}
