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
	"os"
	"syscall"
	"unsafe"
)

// Poller tells one goroutine which of many sockets have something to read. The sockets are in an epoll instance of their
// own, and that alone is in the runtime's poller: to it thousands of sockets are one, and each has to be named once.
type Poller struct {
	file   *os.File
	raw    syscall.RawConn
	fd     int
	events [64]Event
	count  int
	number syscall.Errno
	wait   func(fd uintptr) bool
	look   func(fd uintptr) bool
}

// Event says that a socket has something to read, or an error: from when it has, until it was read empty.
type Event syscall.EpollEvent

// Slot and turn name the socket as it was added.
func (e *Event) Slot() (slot, turn int32) { return e.Fd, e.Pad }

// NewPoller makes one that watches nothing yet.
func NewPoller() (*Poller, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // Package os asks that before it lets the runtime wait.
		_ = syscall.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	p := &Poller{fd: fd, file: os.NewFile(uintptr(fd), "")}
	p.wait = func(uintptr) bool { return p.poll() || p.number != 0 }
	p.look = func(uintptr) bool { p.poll(); return true }
	if p.raw, err = p.file.SyscallConn(); err != nil {
		_ = p.file.Close()
		return nil, err
	}
	return p, nil
}

// Add watches a socket until it is closed. Slot and turn are given with its events.
func (p *Poller) Add(s UDP, slot, turn int32) error {
	event := syscall.EpollEvent{Events: syscall.EPOLLIN | 1<<31, Fd: slot, Pad: turn} // Bit 31 is EPOLLET.
	_, _, number := syscall.RawSyscall6(
		syscall.SYS_EPOLL_CTL, uintptr(p.fd), syscall.EPOLL_CTL_ADD, uintptr(s), uintptr(unsafe.Pointer(&event)), 0, 0,
	)
	return failed("epoll_ctl", number)
}

// Wait gives what has come, and waits for something. The events are good until the next call.
func (p *Poller) Wait() ([]Event, error) { return p.done(p.raw.Read(p.wait)) }

// Look gives what has come, which may be nothing.
func (p *Poller) Look() ([]Event, error) { return p.done(p.raw.Read(p.look)) }

func (p *Poller) done(refused error) ([]Event, error) {
	if refused != nil {
		return nil, net.ErrClosed // There is no deadline, so it is nothing else.
	}
	if p.number != 0 {
		return nil, os.NewSyscallError("epoll_pwait", p.number)
	}
	return p.events[:p.count], nil
}

// poll says whether something has come.
func (p *Poller) poll() bool {
	for {
		n, _, number := syscall.RawSyscall6(
			syscall.SYS_EPOLL_PWAIT, uintptr(p.fd), uintptr(unsafe.Pointer(&p.events)), uintptr(len(p.events)), 0, 0, 0,
		)
		if number == syscall.EINTR {
			continue
		}
		if number != 0 {
			n = 0
		}
		p.count, p.number = int(n), number
		return p.count > 0
	}
}

// Close ends waiting. The sockets stay open.
func (p *Poller) Close() { _ = p.file.Close() }
