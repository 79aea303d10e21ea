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
	"bytes"
	"errors"
	"net"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/socket"
)

// conn is one connection of a client. While it is idle it holds neither buffer nor exchange.
type conn struct {
	wire
	server  *Server
	limits  *message.Limits // of the exchange that runs, or ran last
	arrival message.Arrival
	born    int64 // on clock's scale
	// readFirst is receiveFirst, made a function once.
	readFirst func(fd uintptr) bool
	firstErr  error
	early     bool // receiveFirst has been called too early, and is called again after waiting
	// one is what a watcher read from a connection that cannot be looked at without reading.
	one     [1]byte
	oneRead bool
	// unended is true while, and after, a response could not be sent whole whose end is the connection's.
	unended atomic.Bool

	// state is a phase, and above it the number of the exchange.
	state   atomic.Uint64
	seen    uint64 // the state at the watch's last look; the watch's own
	watched chan struct{}

	mu sync.Mutex
	x  *exchange // while there is one
}

// Phases of a connection.
const (
	phaseNew     = iota // no request yet
	phaseIdle           // between requests
	phaseClosed         // closed while it was idle
	phaseReading        // a request's head or content
	phaseWaiting        // the request has been read, the handler runs
	phaseWatched        // the same, and a goroutine watches for the client's end
	phaseQueued         // the same, and bytes of the next request are there, behind which the end cannot be seen
)

const (
	phaseBits = 3
	phaseMask = 1<<phaseBits - 1
)

// exchange is what one request and its response need.
type exchange struct {
	conn     *conn
	context  message.Cancellation
	request  message.Request
	frame    framing
	body     requestBody
	trailers message.Fields
	reply    reply
	// refused is true when the client may be sending what nobody will read.
	refused bool
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

func newConn(s *Server, accepted net.Conn, arrival message.Arrival) *conn {
	c := &conn{server: s, limits: s.limits.Load(), arrival: arrival, born: clock()}
	if err := c.open(accepted); err != nil {
		c.plain, c.raw = nil, nil // It is closed; reading will say so.
	}
	c.readFirst = c.receiveFirst
	return c
}

// serve serves requests until the connection is over.
func (c *conn) serve() {
	defer c.end()
	for c.await() {
		c.limits = c.server.limits.Load()
		if c.handOver() || !c.exchange() {
			return
		}
	}
}

func (c *conn) end() {
	if failure := recover(); failure != nil {
		// One request must not end the process. The exchange is in an unknown state and goes to no pool.
		c.server.options.Logger.Error("serving a connection panicked", "error", failure, "stack", string(debug.Stack()))
		c.cancelNow()
		c.data, c.head = nil, nil
	}
	c.close()
	c.drop()
	c.server.forget(c)
}

// close closes the connection so that its client does not take half a response for a whole one.
func (c *conn) close() {
	if c.unended.Load() {
		socket.Reset(c.conn)
		return
	}
	_ = c.conn.Close()
}

// await waits for the first bytes of a request. It is false when there will be none. While the server drains as well: whoever was not told
// with the last response that it is the last one is told with the next; CloseIdle ends the others.
func (c *conn) await() bool {
	state := c.state.Load()
	if c.r == c.w {
		timeout := c.limits.IdleTimeout
		if state&phaseMask == phaseNew {
			timeout = c.limits.HeaderTimeout
		}
		c.readWithin(timeout)
		if !c.waitFirst() {
			return false
		}
	}
	next := (state>>phaseBits+1)<<phaseBits | phaseReading
	return c.state.CompareAndSwap(state, next)
}

// waitFirst waits without a buffer, and reads into one.
func (c *conn) waitFirst() bool {
	if c.raw != nil {
		yield()
		c.early = false
		err := c.raw.Read(c.readFirst)
		return err == nil && c.firstErr == nil
	}
	if n, _ := c.conn.Read(c.one[:]); n == 0 {
		return false
	}
	c.data = newBuffer()
	c.data.bytes[0], c.w = c.one[0], 1
	return true
}

// receiveFirst is called when the socket may be readable.
func (c *conn) receiveFirst(fd uintptr) bool {
	if c.early {
		woken()
	}
	c.early = true
	data := newBuffer()
	n, done, err := receive(fd, data.bytes)
	if n == 0 {
		data.release()
		c.firstErr = err
		return done
	}
	c.data, c.r, c.w, c.base = data, 0, n, 0
	return true
}

// exchange serves one request whose first bytes are there. It is false when the connection is over.
func (c *conn) exchange() bool {
	x := exchanges.Get().(*exchange)
	x.begin(c)
	c.hold(x)
	again := c.run(x)
	c.endWatch()
	if c.readEnded.Load() {
		c.resumeRead()
	}
	c.hold(nil)
	if !again && x.lingers() {
		socket.Linger(c.conn)
	}
	x.reset()
	if !again {
		return false
	}
	c.unpin()
	// Only now: whoever closes idle connections must not meet an exchange.
	c.state.Store(c.state.Load()&^phaseMask | phaseIdle)
	return true
}

func (c *conn) hold(x *exchange) {
	c.mu.Lock()
	c.x = x
	c.mu.Unlock()
}

// run reads the head, lets the handler answer, and says whether the connection can go on.
func (c *conn) run(x *exchange) bool {
	chunked, err := c.readHead(x)
	if err != nil {
		x.refuse(err)
		return false
	}
	if err := x.delimit(chunked); err != nil {
		x.refuse(err)
		return false
	}
	c.server.options.Handler.Handle(&x.context, &x.request, &x.reply)
	return x.reply.finish()
}

// readHead reads a whole head. RFC 9112 section 2.2: "a server that is expecting to receive and parse a request-line
// SHOULD ignore at least one empty line (CRLF) received prior to the request-line."
func (c *conn) readHead(x *exchange) (chunked bool, err error) {
	var scan headScan
	started := int64(0)
	for skipped := false; ; {
		data := c.buffered()
		if !skipped && len(data) >= 2 && data[0] == '\r' && data[1] == '\n' {
			c.r += 2
			skipped = true
			continue
		}
		size := 0
		err := errIncomplete
		if string(data) != "\r" && len(data) > 0 {
			size, err = scan.next(data, headOfRequest(c.limits))
		}
		if err == nil {
			c.r += size
			c.pin()
			return parseRequest(data[:size], &x.request, &x.frame)
		}
		if !errors.Is(err, errIncomplete) {
			return false, err
		}
		if started == 0 {
			started = clock()
			c.readBy = unknown
		}
		if err := c.fillHead(started); err != nil {
			return false, err
		}
	}
}

// fillHead waits for more of a head, in the time that it has from its first byte.
func (c *conn) fillHead(started int64) error {
	left := c.limits.HeaderTimeout - time.Duration(clock()-started)
	if left <= 0 {
		return errTooSlow
	}
	err := c.fill(left)
	if errors.Is(err, errFull) {
		c.data = c.data.grown()
		return nil
	}
	if err != nil && message.IsTimeout(err) {
		return errTooSlow
	}
	return err
}

// first says whether the request that is being read is the connection's first.
func (c *conn) first() bool { return c.state.Load()>>phaseBits == 1 }

// preface is what a client that knows of HTTP/2 begins with (RFC 9113 section 3.4), as far as no HTTP/1.1 request does.
const preface = "PRI * HTTP/2.0\r\n"

// handOver has the server for HTTP/2 serve a new connection that begins in its way. It is true when that is over.
func (c *conn) handOver() bool {
	if !c.first() || c.server.options.HTTP2 == nil || c.arrival.Scheme != "http" {
		return false
	}
	for started := clock(); ; {
		data := c.buffered()
		if len(data) >= len(preface) || !strings.HasPrefix(preface, string(data)) {
			break
		}
		if c.fillHead(started) != nil {
			return true
		}
	}
	if !bytes.HasPrefix(c.buffered(), []byte(preface)) {
		return false
	}
	early := bytes.Clone(c.buffered())
	c.drop()
	c.server.options.HTTP2(c.conn, c.arrival, early)
	return true
}

// closeIfIdle closes a connection that waits for a request. A new one is given time to send it.
func (c *conn) closeIfIdle(now int64) {
	state := c.state.Load()
	switch state & phaseMask {
	case phaseIdle:
	case phaseNew:
		if now-c.born < int64(newConnGrace) {
			return
		}
	default:
		return
	}
	if c.state.CompareAndSwap(state, phaseClosed) {
		_ = c.conn.Close()
	}
}

// cancelNow cancels the exchange that runs, if one does.
func (c *conn) cancelNow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.x != nil {
		c.x.context.Cancel()
	}
}
