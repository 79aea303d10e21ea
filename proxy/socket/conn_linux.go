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
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// pieceSize is how much one system call copies at most.
const pieceSize = 64 << 10

// Conn is a connection that was accepted. It implements Plain.
type Conn struct {
	file  *os.File
	raw   syscall.RawConn
	peer  netip.AddrPort
	local net.Addr // of the listener
	// both are made when they are first used: an idle connection that is read and written by raw calls has none.
	both atomic.Pointer[directions]
}

type directions struct{ reading, writing direction }

// direction is one side's work: the bytes that are moved, and what came of it.
type direction struct {
	mu    sync.Mutex
	step  func(fd uintptr) bool // made when it is first used
	bytes []byte
	moved int
	err   error
}

func newConn(fd int, peer netip.AddrPort, local net.Addr) (*Conn, error) {
	c := &Conn{file: os.NewFile(uintptr(fd), ""), peer: peer, local: local}
	var err error
	if c.raw, err = c.file.SyscallConn(); err != nil {
		_ = c.file.Close()
		return nil, err
	}
	return c, nil
}

// SyscallConn is for reading and writing by raw system calls.
func (c *Conn) SyscallConn() (syscall.RawConn, error) { return c.raw, nil }

// Read waits for bytes.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	d := &c.directions().reading
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.step == nil {
		d.step = d.receive
	}
	d.bytes = p
	return d.done(c.raw.Read(d.step))
}

// Write writes all of p.
func (c *Conn) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	d := &c.directions().writing
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.step == nil {
		d.step = d.transmit
	}
	d.bytes = p
	return d.done(c.raw.Write(d.step))
}

func (c *Conn) directions() *directions {
	if d := c.both.Load(); d != nil {
		return d
	}
	c.both.CompareAndSwap(nil, new(directions))
	return c.both.Load()
}

// done gives what came of moving bytes, given why waiting ended.
func (d *direction) done(refused error) (int, error) {
	n, err := d.moved, d.err
	d.bytes, d.moved, d.err = nil, 0, nil
	if refused != nil {
		err = ended(refused)
	}
	return n, err
}

// receive reads what there is; false when it has to wait for something.
func (d *direction) receive(fd uintptr) bool {
	for {
		n, number := Read(fd, d.bytes[:min(len(d.bytes), pieceSize)])
		switch number {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		case 0:
			d.moved = n
			if n == 0 {
				d.err = io.EOF
			}
			return true
		}
		d.err = os.NewSyscallError("read", number)
		return true
	}
}

// transmit writes what can be; false when it has to wait for room.
func (d *direction) transmit(fd uintptr) bool {
	for d.moved < len(d.bytes) {
		left := d.bytes[d.moved:]
		n, number := Write(fd, left[:min(len(left), pieceSize)])
		switch number {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		case 0:
			d.moved += n
			continue
		}
		d.err = os.NewSyscallError("write", number)
		return true
	}
	return true
}

// ended says in package net's words why waiting ended.
func ended(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return os.ErrDeadlineExceeded // It says that it is temporary, which crypto/tls asks.
	}
	return net.ErrClosed
}

// CloseWrite ends sending.
func (c *Conn) CloseWrite() error {
	var err error
	if c.raw.Control(func(fd uintptr) { err = syscall.Shutdown(int(fd), syscall.SHUT_WR) }) != nil {
		return net.ErrClosed
	}
	return os.NewSyscallError("shutdown", err)
}

// Close closes the connection, and ends what reads and writes.
func (c *Conn) Close() error { return c.file.Close() }

// RemoteAddr is the peer's address, as a *net.TCPAddr.
func (c *Conn) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.peer) }

// LocalAddr is the address that the listener is bound to.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// SetDeadline bounds reading and writing.
func (c *Conn) SetDeadline(t time.Time) error { return c.file.SetDeadline(t) }

// SetReadDeadline bounds reading.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.file.SetReadDeadline(t) }

// SetWriteDeadline bounds writing.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.file.SetWriteDeadline(t) }
