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

package stream

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/rauta-dev/rauta/proxy/socket"
)

const (
	// pieceSize is how much is copied at a time. It is what a TLS record holds at most.
	pieceSize = 16 << 10
	// spliced is the least of one reading after which the next one is worth a pipe, and below which it no longer is.
	spliced = pieceSize / 2
)

var pieces = sync.Pool{New: func() any { return new([pieceSize]byte) }}

// channel is one direction of a session. While it waits for bytes of a socket it holds neither buffer nor pipe.
type channel struct {
	// bytes that were passed on.
	bytes atomic.Int64

	from, to net.Conn
	// source and sink are the sockets of from and to; nil where TLS is in between.
	source, sink syscall.RawConn

	piece *[pieceSize]byte
	pipe  *socket.Pipe
	// held are the bytes in piece, of which some are written.
	held, written int
	// bulk is true while much comes at once.
	bulk  bool
	ended bool
	err   error

	// mu is held while a socket is given bytes, until it is known whether it is broken.
	mu     sync.Mutex
	broken bool
}

// sinkError says that a channel's sink takes nothing any more.
type sinkError struct{ error }

// open joins two connections.
func (c *channel) open(from, to net.Conn) {
	c.from, c.to = from, to
	c.source, c.sink = rawOf(from), rawOf(to)
}

func rawOf(conn net.Conn) syscall.RawConn {
	plain, ok := conn.(socket.Plain)
	if !ok {
		return nil
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

// run passes on until the source ends. A sinkError is the sink's, any other error the source's.
func (c *channel) run() error {
	defer c.release()
	// Made here, and not where they are used, so that a transfer allocates nothing.
	receive, transmit := c.receive, c.transmit
	for {
		if err := c.pull(receive); err != nil {
			return err
		}
		if c.ended {
			return nil
		}
		if err := c.push(transmit); err != nil {
			return &sinkError{err}
		}
	}
}

// finish ends the sink: its peer reads the end.
func (c *channel) finish() error {
	if closer, ok := c.to.(interface{ CloseWrite() error }); ok {
		return closer.CloseWrite()
	}
	return nil
}

// failed says whether the sink was found broken. The system tells of a reset once: whoever reads after somebody who has written
// reads what looks like an orderly end.
func (c *channel) failed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.broken
}

// pull waits for bytes, and takes them.
func (c *channel) pull(receive func(uintptr) bool) error {
	if c.source == nil {
		return c.read()
	}
	c.err = nil
	if err := c.source.Read(receive); err != nil {
		return err
	}
	return c.err
}

// read takes what TLS has.
func (c *channel) read() error {
	c.take()
	n, err := c.from.Read(c.piece[:])
	c.held, c.written = n, 0
	if errors.Is(err, io.EOF) {
		c.ended = n == 0
		return nil // After the bytes, if there are any, it says so again.
	}
	return err
}

// receive takes what a socket has; false when it has to wait for something.
func (c *channel) receive(fd uintptr) bool {
	if c.bulk && c.splice(fd) {
		return c.settle()
	}
	c.take()
	for {
		n, number := socket.Read(fd, c.piece[:])
		switch number {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			c.give()
			return false
		case 0:
			c.held, c.written, c.ended = n, 0, n == 0
			c.bulk = n == pieceSize && c.sink != nil
			return true
		}
		c.err = os.NewSyscallError("read", number)
		return true
	}
}

// splice takes what a socket has into a pipe; false when there is none.
func (c *channel) splice(fd uintptr) bool {
	if c.pipe == nil {
		if c.pipe = socket.TakePipe(); c.pipe == nil {
			c.bulk = false
			return false
		}
	}
	c.pipe.Patient, c.pipe.Want = true, socket.PipeSize
	if !c.pipe.Pull(fd) {
		c.letGo()
		return true
	}
	if errors.Is(c.pipe.Err, socket.ErrUnspliced) {
		c.letGo()
		c.bulk = false
		return false
	}
	return true
}

// settle keeps what came of splicing; false when it has to wait.
func (c *channel) settle() bool {
	if c.pipe == nil {
		return false // What comes next after a pause is taken for much, too: it costs no call more if it is not.
	}
	c.err, c.ended = c.pipe.Err, c.pipe.Ended
	c.bulk = c.pipe.Held >= spliced
	return true
}

// push passes everything on that was taken.
func (c *channel) push(transmit func(uintptr) bool) error {
	if c.sink == nil {
		n, err := c.to.Write(c.piece[:c.held])
		c.bytes.Add(int64(n))
		c.give()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.broken = err != nil
		return err
	}
	c.err = nil
	if err := c.sink.Write(transmit); err != nil {
		return err
	}
	if c.err != nil {
		return c.err
	}
	c.give()
	if !c.bulk {
		c.letGo()
	}
	return nil
}

// transmit gives a socket what was taken; false when it has to wait for room.
func (c *channel) transmit(fd uintptr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	done := c.write(fd)
	c.broken = c.err != nil
	return done
}

func (c *channel) write(fd uintptr) bool {
	if c.pipe != nil && c.pipe.Held > 0 {
		return c.drain(fd)
	}
	for c.written < c.held {
		n, number := socket.Write(fd, c.piece[c.written:c.held])
		switch number {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		case 0:
			c.written += n
			c.bytes.Add(int64(n))
			continue
		}
		c.err = os.NewSyscallError("write", number)
		return true
	}
	return true
}

// drain empties the pipe; false when it has to wait for room.
func (c *channel) drain(fd uintptr) bool {
	for c.pipe.Held > 0 {
		ready := c.pipe.Push(fd)
		c.bytes.Add(int64(c.pipe.Moved))
		if !ready {
			return false
		}
		if c.err = c.pipe.Err; c.err != nil {
			return true
		}
	}
	return true
}

// take gets a piece to copy through, give lets go of it.
func (c *channel) take() {
	if c.piece == nil {
		c.piece = pieces.Get().(*[pieceSize]byte)
	}
}

func (c *channel) give() {
	if c.piece != nil {
		pieces.Put(c.piece)
		c.piece, c.held, c.written = nil, 0, 0
	}
}

// letGo gives the pipe back.
func (c *channel) letGo() {
	if c.pipe != nil {
		c.pipe.Release()
		c.pipe = nil
	}
}

func (c *channel) release() {
	c.give()
	c.letGo()
}
