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

package http1

import (
	"errors"
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rauta-dev/rauta/proxy/socket"
)

// wire reads from and writes to one connection. Reading belongs to one goroutine at a time, and so does writing.
type wire struct {
	conn net.Conn
	// plain is the same connection when nothing lies between it and the socket; else nil.
	plain socket.Plain
	raw   syscall.RawConn // of plain
	// transmits is transmitAll, made a function once; outgoing is what it writes, and refused why it could not.
	transmits func(fd uintptr) bool
	outgoing  []byte
	refused   error
	// last is true when nothing follows what is written, ends when nothing follows outgoing.
	last, ends bool

	// data[r:w] was read and not taken yet. Bytes before base are a head that is still in use.
	data       *buffer
	r, w, base int
	// head is the buffer of a head that left too little room for content.
	head *buffer

	// Deadlines that are set, on clock's scale; 0 for none, unknown when another goroutine may have changed it.
	readBy, writeBy int64
	// What another goroutine has ended.
	readEnded, writeEnded atomic.Bool
}

const unknown = -1

func (w *wire) open(conn net.Conn) error {
	w.conn = conn
	plain, ok := conn.(socket.Plain)
	if !ok {
		return nil
	}
	w.plain = plain
	var err error
	w.transmits = w.transmitAll
	w.raw, err = plain.SyscallConn()
	return err
}

// past is a deadline that is over.
var past = time.Unix(1, 0)

// moved says whether a deadline has to be set again for a timeout to begin now; see the package's comment.
func moved(by *int64, timeout time.Duration) bool {
	if timeout == 0 {
		if *by == 0 {
			return false
		}
		*by = 0
		return true
	}
	wanted := clockFor(timeout) + int64(timeout)
	if late := wanted - *by; *by > 0 && late >= 0 && late <= int64(timeout/32) {
		return false
	}
	*by = wanted
	return true
}

func deadline(timeout time.Duration) time.Time {
	if timeout == 0 {
		return time.Time{}
	}
	return time.Now().Add(timeout)
}

func (w *wire) readWithin(timeout time.Duration) {
	if !moved(&w.readBy, timeout) {
		return
	}
	_ = w.conn.SetReadDeadline(deadline(timeout)) // Fails only on a closed connection, and then reading does too.
	if w.readEnded.Load() {
		_ = w.conn.SetReadDeadline(past)
	}
}

func (w *wire) writeWithin(timeout time.Duration) {
	if !moved(&w.writeBy, timeout) {
		return
	}
	_ = w.conn.SetWriteDeadline(deadline(timeout))
	if w.writeEnded.Load() {
		_ = w.conn.SetWriteDeadline(past)
	}
}

// Interrupt ends what reads and writes, from any goroutine. The wire is of no use afterwards.
func (w *wire) Interrupt() {
	w.readEnded.Store(true)
	w.writeEnded.Store(true)
	_ = w.conn.SetDeadline(past)
}

// interruptRead ends what reads, from any goroutine, until resumeRead.
func (w *wire) interruptRead() {
	w.readEnded.Store(true)
	_ = w.conn.SetReadDeadline(past)
}

// interruptWrite ends what writes, from any goroutine.
func (w *wire) interruptWrite() {
	w.writeEnded.Store(true)
	_ = w.conn.SetWriteDeadline(past)
}

func (w *wire) resumeRead() {
	w.readEnded.Store(false)
	w.readBy = unknown
}

// buffered is what was read and not taken yet.
func (w *wire) buffered() []byte {
	if w.data == nil {
		return nil
	}
	return w.data.bytes[w.r:w.w]
}

// compact moves what is buffered to the beginning of the buffer.
func (w *wire) compact() {
	if w.r == w.base {
		return
	}
	b := w.data.bytes
	w.w = w.base + copy(b[w.base:], b[w.r:w.w])
	w.r = w.base
}

// pin keeps the bytes up to r where they are, for the head that was parsed from them, until the next reset.
func (w *wire) pin() {
	if len(w.data.bytes)-w.r >= contentRoom {
		w.base = w.r
		return
	}
	w.head = w.data
	rest := w.head.bytes[w.r:w.w]
	w.data = newBuffer()
	for len(w.data.bytes) < len(rest)+contentRoom {
		w.data = w.data.grown()
	}
	w.r, w.base = 0, 0
	w.w = copy(w.data.bytes, rest)
}

// unpin ends the life of a head: what is buffered moves to the beginning, and empty buffers go back to the pool.
func (w *wire) unpin() {
	w.head.release()
	w.head, w.base = nil, 0
	if w.r == w.w {
		w.data.release()
		w.data, w.r, w.w = nil, 0, 0
		return
	}
	w.compact()
}

// drop gives all buffers back.
func (w *wire) drop() {
	w.r = w.w
	w.unpin()
}

var errFull = errors.New("buffer is full")

// fill waits for bytes and puts them behind what is buffered. errFull says that there is no room.
func (w *wire) fill(timeout time.Duration) error {
	if w.data == nil {
		w.data = newBuffer()
	}
	w.compact()
	if w.w == len(w.data.bytes) {
		return errFull
	}
	n, err := w.read(w.data.bytes[w.w:], timeout)
	w.w += n
	if n > 0 {
		return nil
	}
	return err
}

// read waits for bytes and puts them where it is told, past the buffer.
func (w *wire) read(p []byte, timeout time.Duration) (int, error) {
	w.readWithin(timeout)
	return w.conn.Read(p)
}

// take gives bytes that are buffered, or waits for some.
func (w *wire) take(p []byte, timeout time.Duration) (int, error) {
	if w.r == w.w {
		if len(p) >= contentRoom {
			return w.read(p, timeout)
		}
		if err := w.fill(timeout); err != nil {
			return 0, err
		}
	}
	n := copy(p, w.data.bytes[w.r:w.w])
	w.r += n
	return n, nil
}

// transmit is one attempt to write to a socket that does not block; it gives how much was written.
func transmit(fd uintptr, p []byte, last bool) (int, error) {
	for {
		sent, number := send(fd, p, last)
		switch number {
		case 0:
			return sent, nil
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return 0, nil
		}
		return 0, number
	}
}

func send(fd uintptr, p []byte, last bool) (int, syscall.Errno) {
	if last {
		return socket.WriteLast(fd, p)
	}
	return socket.Write(fd, p)
}

// transmitAll is called when the socket may take something of outgoing; it is true when that is over.
func (w *wire) transmitAll(fd uintptr) bool {
	n, err := transmit(fd, w.outgoing, w.ends)
	w.outgoing, w.refused = w.outgoing[n:], err
	return err != nil || len(w.outgoing) == 0
}

// writePiece writes at most sendSize bytes.
func (w *wire) writePiece(p []byte) error {
	if w.raw == nil {
		_, err := w.conn.Write(p)
		return err
	}
	w.outgoing, w.refused = p, nil
	err := w.raw.Write(w.transmits)
	w.outgoing = nil
	if err == nil {
		err = w.refused
	}
	return err
}

// write writes all of p; timeout is for each time that the peer takes some of it.
func (w *wire) write(p []byte, timeout time.Duration) error {
	for len(p) > 0 {
		w.writeWithin(timeout)
		piece := p[:min(len(p), sendSize)]
		w.ends = w.last && len(piece) == len(p)
		if err := w.writePiece(piece); err != nil {
			return err
		}
		p = p[len(piece):]
	}
	return nil
}

// receive is one attempt to read from a socket that does not block: done is false when nothing is there yet.
func receive(fd uintptr, p []byte) (n int, done bool, err error) {
	for {
		got, number := socket.Read(fd, p)
		switch {
		case number == syscall.EINTR:
			continue
		case number == syscall.EAGAIN:
			return 0, false, nil
		case number != 0:
			return 0, true, number
		case got == 0:
			return 0, true, io.EOF
		}
		return got, true, nil
	}
}
