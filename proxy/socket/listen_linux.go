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
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"unsafe"
)

// Probes of an idle connection: those of package net.
const (
	probeIdle     = 15 // seconds without traffic before the first
	probeInterval = 15 // seconds between two
	probeCount    = 9  // without an answer, after which the connection is broken
)

// listener accepts connections. Accept is for one goroutine at a time.
type listener struct {
	file *os.File
	raw  syscall.RawConn
	addr net.Addr
	// step is accept, made a function once; it leaves what came of it.
	step   func(fd uintptr) bool
	fd     int
	number syscall.Errno
	peer   syscall.RawSockaddrAny
}

// Listen binds an address. What it accepts is Plain.
func Listen(address string) (net.Listener, error) {
	config := net.ListenConfig{KeepAlive: -1, Control: inherited}
	bound, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = bound.Close() }() // Only the copy below stays: package net lets nobody wait for its listeners.
	l := &listener{addr: bound.Addr()}
	l.step = l.accept
	if l.file, err = bound.(*net.TCPListener).File(); err != nil {
		return nil, err
	}
	if l.raw, err = l.file.SyscallConn(); err != nil {
		_ = l.file.Close()
		return nil, err
	}
	return l, nil
}

// Addr is where the listener is bound.
func (l *listener) Addr() net.Addr { return l.addr }

// Close ends accepting.
func (l *listener) Close() error { return l.file.Close() }

// inherited sets what accepted connections are to have.
func inherited(_, _ string, raw syscall.RawConn) error {
	var err error
	if refused := raw.Control(func(fd uintptr) { err = setOptions(int(fd)) }); refused != nil {
		return refused
	}
	return err
}

func setOptions(fd int) error {
	for _, option := range []struct{ level, name, value int }{
		{syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1},
		{syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, probeIdle},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, probeInterval},
		{syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, probeCount},
	} {
		if err := syscall.SetsockoptInt(fd, option.level, option.name, option.value); err != nil {
			return fmt.Errorf("set socket option %d: %w", option.name, err)
		}
	}
	return nil
}

// Accept waits for a connection.
func (l *listener) Accept() (net.Conn, error) {
	if err := l.raw.Read(l.step); err != nil {
		return nil, net.ErrClosed // There is no deadline, so it is nothing else.
	}
	if l.number != 0 {
		return nil, os.NewSyscallError("accept4", l.number)
	}
	return newConn(l.fd, addressOf(&l.peer), l.addr)
}

// accept is one attempt; false when no connection is there.
func (l *listener) accept(fd uintptr) bool {
	for {
		size := uint32(syscall.SizeofSockaddrAny)
		accepted, _, number := syscall.RawSyscall6(syscall.SYS_ACCEPT4, fd,
			uintptr(unsafe.Pointer(&l.peer)), uintptr(unsafe.Pointer(&size)), syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0, 0)
		switch number {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		}
		l.fd, l.number = int(accepted), number
		return true
	}
}

// addressOf reads an address. The zone of a link-local one is left out.
func addressOf(from *syscall.RawSockaddrAny) netip.AddrPort {
	switch from.Addr.Family {
	case syscall.AF_INET:
		in := (*syscall.RawSockaddrInet4)(unsafe.Pointer(from))
		return netip.AddrPortFrom(netip.AddrFrom4(in.Addr), portOf(in.Port))
	case syscall.AF_INET6:
		in := (*syscall.RawSockaddrInet6)(unsafe.Pointer(from))
		return netip.AddrPortFrom(netip.AddrFrom16(in.Addr).Unmap(), portOf(in.Port))
	}
	return netip.AddrPort{}
}

// portOf reads a port, which is in the network's order whatever the machine's is.
func portOf(port uint16) uint16 {
	var bytes [2]byte
	binary.NativeEndian.PutUint16(bytes[:], port)
	return binary.BigEndian.Uint16(bytes[:])
}
