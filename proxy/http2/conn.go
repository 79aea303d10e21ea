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

package http2

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/socket"
)

// Windows of flow control, in bytes (RFC 9113 section 5.2).
const (
	initialWindow = 1<<16 - 1
	maxWindow     = 1<<31 - 1
	// streamWindow is what a client may send of a request's content before it is read.
	streamWindow = 256 << 10
	// connWindow is what it may send of all of them.
	connWindow = 1 << 20
)

const (
	inputSize    = 16 << 10
	maxFrame     = 16 << 10 // of frames that are received: the least that is allowed
	maxTableSize = 4 << 10  // of the decoder: the usual
)

// conn is one connection of a client.
type conn struct {
	link
	server  *Server
	arrival message.Arrival
	limits  *message.Limits // as they were when it came
	born    int64           // on clock's scale

	// Of the goroutine that reads.
	in     *bufio.Reader
	framer *http2.Framer
	head   head
	fresh  []*stream // to be handled
	lost   []*stream // whose handlers are to be told

	// headSince is when a header section in several frames began, 0 without one.
	headSince atomic.Int64
	handlers  sync.WaitGroup

	// The link's lock guards what follows.
	streams   map[uint32]*stream
	recent    recent
	lastSeen  uint32 // the highest stream of the client
	lastTaken uint32 // the highest that was handled
	open      uint32 // streams that are not closed
	running   uint32 // handlers that have not returned
	idleSince int64  // when the last stream ended
	leave     leaving
	leftSince int64
	stopped   bool // the reader is to end
}

// leaving is how far a connection is on its way to its end.
type leaving int

const (
	staying leaving = iota
	// announced: a GOAWAY that still lets all streams in; the client may have sent some before it reads it.
	announced
	// left: no more streams are let in.
	left
)

func newConn(s *Server, accepted net.Conn, arrival message.Arrival, early []byte) *conn {
	c := &conn{server: s, arrival: arrival, limits: s.limits.Load(), born: clock()}
	c.attach(accepted, c.wakeAll, grants{streamWindow, connWindow})
	input := io.Reader(accepted)
	if len(early) > 0 {
		input = io.MultiReader(bytes.NewReader(early), accepted)
	}
	c.in = bufio.NewReaderSize(input, inputSize)
	c.framer = http2.NewFramer(nil, c.in)
	c.framer.SetReuseFrames()
	c.framer.SetMaxReadFrameSize(maxFrame)
	c.head.decoder = hpack.NewDecoder(maxTableSize, c.head.take)
	c.streams = make(map[uint32]*stream)
	c.idleSince = c.born
	return c
}

// serve serves the connection until it is over.
func (c *conn) serve() {
	defer c.end()
	err := c.read()
	c.farewell(err)
}

// end gives up what is left of the connection, and returns when no handler runs any more.
func (c *conn) end() {
	if failure := recover(); failure != nil {
		c.server.options.Logger.Error("serving a connection panicked", "error", failure, "stack", string(debug.Stack()))
	}
	c.mu.Lock()
	c.breakOff(net.ErrClosed)
	for _, s := range c.streams {
		c.drop(s, errClientGone)
		c.lost = append(c.lost, s)
	}
	c.mu.Unlock()
	c.cancelLost()
	for _, s := range c.fresh {
		c.server.crew.take(s)
	}
	c.handlers.Wait()
}

// wakeAll has everybody who waits look again; the lock is held.
func (c *conn) wakeAll() {
	for _, s := range c.streams {
		s.wake.Broadcast()
	}
}

// farewell tells the client why the connection ends, if it can be told.
func (c *conn) farewell(err error) {
	code, tell := reason(err)
	c.mu.Lock()
	if c.stopped {
		code, tell = http2.ErrCodeNo, c.leave != left
	}
	if tell && c.broken == nil {
		c.sendGoAway(c.lastTaken, code)
	}
	c.flush(false)
	c.awaitWritten()
	lingers := tell && c.broken == nil
	c.mu.Unlock()
	if lingers {
		socket.Linger(c.conn)
	}
	if tell && code != http2.ErrCodeNo {
		c.server.options.Logger.Debug("connection ended", "client", c.arrival.ClientText, "error", err)
	}
}

// reason is what a client is told of an error; false when it is not there to be told.
func reason(err error) (http2.ErrCode, bool) {
	var wrong http2.ConnectionError
	switch {
	case errors.As(err, &wrong):
		return http2.ErrCode(wrong), true
	case errors.Is(err, http2.ErrFrameTooLarge):
		return http2.ErrCodeFrameSize, true
	}
	return http2.ErrCodeNo, false
}

var past = time.Unix(1, 0)

// stop has the reader end; the lock is held.
func (c *conn) stop() {
	c.stopped = true
	_ = c.conn.SetReadDeadline(past)
}

// drain begins to leave.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.announce()
	c.flush(false)
}

// leavePing is the content of the PING whose answer shows that the client has read the first GOAWAY.
var leavePing = [8]byte{'l', 'e', 'a', 'v', 'i', 'n', 'g'}

// announce: RFC 9113 section 6.8: "A server that is attempting to gracefully shut down a connection SHOULD send an
// initial GOAWAY frame with the last stream identifier set to 2^31-1 and a NO_ERROR code. [...] After allowing time for
// any in-flight stream creation (at least one round-trip time), the server MAY send another GOAWAY frame with an updated
// last stream identifier."
func (c *conn) announce() {
	if c.leave != staying || c.broken != nil {
		return
	}
	c.leave, c.leftSince = announced, clock()
	c.sendGoAway(maxWindow, http2.ErrCodeNo)
	c.sendPing(false, leavePing)
}

// depart lets no more streams in; the lock is held.
func (c *conn) depart() {
	if c.leave == left || c.broken != nil {
		return
	}
	c.leave = left
	c.sendGoAway(c.lastTaken, http2.ErrCodeNo)
	c.endIfLeft()
}

// endIfLeft ends a connection that has nothing more to do; the lock is held.
func (c *conn) endIfLeft() {
	if c.leave == left && c.open == 0 && c.running == 0 {
		c.stop()
	}
}

// closeIfIdle closes a connection without streams. A new one is given time for its first.
func (c *conn) closeIfIdle(now int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open > 0 || c.running > 0 || c.stopped || c.lastSeen == 0 && now-c.born < int64(newConnGrace) {
		return
	}
	c.stop()
}

// look ends what takes too long.
func (c *conn) look(now int64) {
	limits := c.server.limits.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	over := func(since int64, limit time.Duration) bool { return since != 0 && now-since > int64(limit) }
	if over(c.out.since, limits.WriteTimeout) {
		c.breakOff(errSlowReader)
		return
	}
	if over(c.headSince.Load(), limits.HeaderTimeout) || c.open == 0 && c.running == 0 && over(c.idleSince, limits.IdleTimeout) {
		c.stop()
	}
	if c.leave == announced && over(c.leftSince, time.Second) {
		go c.departNow()
	}
	for _, s := range c.streams {
		if over(s.body.since, s.limits.BodyTimeout) {
			s.body.fail(errSlowBody)
			s.wake.Broadcast()
		}
		if over(s.blocked, s.limits.WriteTimeout) {
			s.stalled = true
			s.wake.Broadcast()
		}
	}
}

func (c *conn) departNow() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.depart()
	c.flush(false)
}

// recent remembers how streams ended that ended last.
type recent struct {
	ended [64]struct {
		id   uint32
		byUs bool // with a reset that the client may not have seen
	}
	next int
}

func (r *recent) add(id uint32, byUs bool) {
	r.ended[r.next].id, r.ended[r.next].byUs = id, byUs
	r.next = (r.next + 1) % len(r.ended)
}

func (r *recent) find(id uint32) (byUs, found bool) {
	for _, e := range r.ended {
		if e.id == id {
			return e.byUs, true
		}
	}
	return false, false
}
