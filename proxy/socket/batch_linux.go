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
	"runtime"
	"syscall"
	"unsafe"
)

const (
	// Batch is how many datagrams one system call moves at most.
	Batch = 32
	// slotSize holds the largest datagram (65,527 bytes with IPv6). It is no power of two, so that the beginnings of all
	// slots do not fall into the same places of the processor's caches.
	slotSize = 65_536 + 576
)

// sendmmsg is the system call's number, which package syscall does not have everywhere.
var sendmmsg = map[string]uintptr{
	"386": 345, "amd64": 307, "arm": 374, "arm64": 269, "loong64": 269, "ppc64le": 349, "riscv64": 269, "s390x": 358,
}[runtime.GOARCH]

// envelope is struct mmsghdr.
type envelope struct {
	header syscall.Msghdr
	length uint32
}

// slots are the datagrams of a batch: where they are received, and what of it is sent.
type slots struct {
	bytes    []byte
	received [Batch]envelope
	space    [Batch]syscall.Iovec
	sent     [Batch]envelope
	content  [Batch]syscall.Iovec
	names    [Batch]sockaddr
	controls [Batch]control
}

func (s *slots) prepare() {
	s.bytes = make([]byte, Batch*slotSize)
	for i := range Batch {
		s.space[i].Base = &s.bytes[i*slotSize]
		s.space[i].SetLen(slotSize)
		s.content[i].Base = s.space[i].Base
		s.received[i].header.Iov, s.received[i].header.Iovlen = &s.space[i], 1
		s.sent[i].header.Iov, s.sent[i].header.Iovlen = &s.content[i], 1
	}
}

// filled takes note of how long datagrams are.
func (s *slots) filled(from, to int) {
	for i := from; i < to; i++ {
		s.content[i].SetLen(int(s.received[i].length))
	}
}

// Size is how many bytes the datagram in a slot has.
func (s *slots) Size(i int) int { return int(s.received[i].length) }

// Inbox holds the datagrams of clients on their way to endpoints.
type Inbox struct {
	slots
	used  int
	flows [Batch]Flow
}

// NewInbox makes an empty one. It takes 2 MiB of addresses, and as many pages as the datagrams that it had were long.
func NewInbox() *Inbox {
	b := &Inbox{used: Batch}
	b.prepare()
	for i := range Batch {
		b.received[i].header.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		b.received[i].header.Control = (*byte)(unsafe.Pointer(&b.controls[i]))
	}
	return b
}

// Receive replaces what is held by what a listening socket has. Less than Batch means that it has no more.
func (b *Inbox) Receive(s UDP) (int, syscall.Errno) {
	for i := range b.used { // Only what was used has changed.
		b.received[i].header.Namelen = syscall.SizeofSockaddrInet6
		b.received[i].header.SetControllen(int(unsafe.Sizeof(control{})))
	}
	n, number := move(syscall.SYS_RECVMMSG, s, b.received[:])
	b.used = n
	b.filled(0, n)
	for i := range n {
		b.flows[i] = Flow{client: b.names[i]}
		if b.received[i].header.Controllen > 0 {
			b.controls[i].arrived(&b.flows[i])
		}
	}
	return n, number
}

// Flow says between whom the datagram in a slot goes. It is good until the next Receive.
func (b *Inbox) Flow(i int) *Flow { return &b.flows[i] }

// Send sends datagrams of some slots on a connected socket, and says how many it took before the error.
func (b *Inbox) Send(s UDP, from, to int) (int, syscall.Errno) {
	if to-from > 1 {
		return move(sendmmsg, s, b.sent[from:to])
	}
	for { // For one this is less work.
		_, _, number := syscall.RawSyscall6(syscall.SYS_SENDTO, uintptr(s), uintptr(unsafe.Pointer(b.content[from].Base)),
			uintptr(b.Size(from)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch number {
		case syscall.EINTR:
			continue
		case 0:
			return 1, 0
		}
		return 0, number
	}
}

// Outbox holds the datagrams of endpoints on their way to clients.
type Outbox struct {
	slots
	count int
}

// NewOutbox makes an empty one; see NewInbox.
func NewOutbox() *Outbox {
	b := &Outbox{}
	b.prepare()
	for i := range Batch {
		b.sent[i].header.Name = (*byte)(unsafe.Pointer(&b.names[i]))
		b.sent[i].header.Control = (*byte)(unsafe.Pointer(&b.controls[i]))
	}
	return b
}

// Room is how many datagrams there is room for.
func (b *Outbox) Room() int { return Batch - b.count }

// Receive adds what a connected socket has, to be sent to the client of a flow. Less than there was room for means that it
// has no more.
func (b *Outbox) Receive(s UDP, flow *Flow) (int, syscall.Errno) {
	n, number := move(syscall.SYS_RECVMMSG, s, b.received[b.count:])
	b.filled(b.count, b.count+n)
	for i := b.count; i < b.count+n; i++ {
		header := &b.sent[i].header
		b.names[i] = flow.client
		header.Namelen = syscall.SizeofSockaddrInet6
		if flow.client.Family == syscall.AF_INET {
			header.Namelen = syscall.SizeofSockaddrInet4
		}
		header.SetControllen(int(b.controls[i].departs(flow)))
	}
	b.count += n
	return n, number
}

// Send sends all that is held by a listening socket. It says how many datagrams and bytes were sent, and how many datagrams
// could not be.
func (b *Outbox) Send(s UDP) (sent, size, failed int) {
	for from := 0; from < b.count; {
		n, number := move(sendmmsg, s, b.sent[from:b.count])
		for i := from; i < from+n; i++ {
			size += b.Size(i)
		}
		sent += n
		from += n
		if number != 0 {
			failed++
			from++
		}
	}
	b.count = 0
	return sent, size, failed
}

// move receives or sends, and says how many datagrams it could before the error. Each is whole, or it is not there.
func move(which uintptr, s UDP, envelopes []envelope) (int, syscall.Errno) {
	for {
		n, _, number := syscall.RawSyscall6(which, uintptr(s), uintptr(unsafe.Pointer(unsafe.SliceData(envelopes))),
			uintptr(len(envelopes)), syscall.MSG_DONTWAIT|syscall.MSG_NOSIGNAL, 0, 0)
		switch number {
		case syscall.EINTR:
			continue
		case 0:
			return int(n), 0
		}
		return 0, number
	}
}
