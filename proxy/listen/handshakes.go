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

package listen

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rauta-dev/rauta/proxy/socket"
)

// handshakes are the connections of all ports that are not served yet: their TLS, or the header before it, is under way. Opening one
// costs a client nothing, so that there is a bound to them. Above it the oldest of those whose client says nothing gives way to each
// that comes; so whoever opens many and goes on with none fills neither a port nor the memory.
type handshakes struct {
	most int
	// patient is for how long a client is waited for, even where there are too many.
	patient time.Duration
	// shared are the bytes that there still are for what clients send beyond ownBytes each.
	shared atomic.Int64
	// told is when the log last said that there are too many.
	told time.Time

	mu             sync.Mutex
	oldest, newest *handshake
	count          int
}

const (
	// oneOf as many places is how many handshakes there may be.
	oneOf = 8
	// ownBytes is what a client may send in its handshake. That is enough for certificates of its own.
	ownBytes = 8 << 10
	// sharedBytes of what is longer are held at one time, of all clients.
	sharedBytes = 16 << 20
	// lookedAt are as many for one that comes.
	lookedAt = 4
	// crowdedInterval between two lines in the log that say that there are too many.
	crowdedInterval = time.Minute
)

var (
	errClosed  = errors.New("the port is closed")
	errGaveWay = errors.New("there are too many handshakes, and this one's client said nothing")
	errCrowded = errors.New("too much is held for handshakes")
)

// handshake is a connection during its handshake, and what TLS reads it through afterwards.
type handshake struct {
	net.Conn
	of   *handshakes
	port *port
	// Its place in the order, with the lock of handshakes.
	older, newer *handshake
	since        time.Time
	// early is what was read ahead, and is to be read again.
	early []byte
	// read is how many bytes have come, borrowed how many of them are of the shared ones.
	read     atomic.Int64
	borrowed int64
	// waiting is true while the client is, gone once it has given way.
	waiting, gone atomic.Bool
	over          bool
	fault         error
}

func newHandshakes(places int) *handshakes {
	h := &handshakes{most: max(places/oneOf, 1), patient: time.Second}
	h.shared.Store(sharedBytes)
	return h
}

// begin adds a connection; nil when its port is closed. crowded is true when there are too many, which is told now and then alone.
func (h *handshakes) begin(p *port, conn net.Conn, now time.Time) (begun *handshake, crowded bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.cut {
		return nil, false
	}
	if h.count >= h.most {
		h.giveWay(now)
		crowded = now.Sub(h.told) >= crowdedInterval
	}
	if crowded {
		h.told = now
	}
	begun = &handshake{Conn: conn, of: h, port: p, since: now}
	h.append(begun)
	return begun, crowded
}

// giveWay cuts the oldest handshakes whose clients keep the proxy waiting, until there is room for one more, with the lock held. A
// proxy that is busy keeps clients waiting instead: what they have sent is there and was not read, and they stay.
func (h *handshakes) giveWay(now time.Time) {
	for range lookedAt {
		first := h.oldest
		if h.count < h.most || now.Sub(first.since) < h.patient {
			return
		}
		h.remove(first)
		if first.waiting.Load() && socket.Silent(first.Conn) {
			first.gone.Store(true)
			socket.Reset(first.Conn)
			continue
		}
		first.since = now
		h.append(first)
	}
}

// cut cuts the handshakes of a port, and has none of it begin any more.
func (h *handshakes) cut(p *port) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p.cut = true
	for one := h.oldest; one != nil; one = one.newer {
		if one.port == p {
			_ = one.Close()
		}
	}
}

func (h *handshakes) append(one *handshake) {
	one.older, one.newer = h.newest, nil
	if h.newest != nil {
		h.newest.newer = one
	}
	h.newest = one
	if h.oldest == nil {
		h.oldest = one
	}
	h.count++
}

func (h *handshakes) remove(one *handshake) {
	if h.oldest == one {
		h.oldest = one.newer
	}
	if h.newest == one {
		h.newest = one.older
	}
	if one.older != nil {
		one.older.newer = one.newer
	}
	if one.newer != nil {
		one.newer.older = one.older
	}
	one.older, one.newer = nil, nil
	h.count--
}

// end says that the handshake is over, and why where it was not its own end.
func (s *handshake) end(err error) error {
	s.of.mu.Lock()
	gone := s.gone.Load()
	if !gone {
		s.of.remove(s)
	}
	s.of.mu.Unlock()
	s.of.shared.Add(s.borrowed)
	s.over, s.borrowed = true, 0
	if gone {
		return errGaveWay
	}
	return err
}

// again has what was read ahead be read again.
func (s *handshake) again(early []byte) { s.early = early }

// Read gives what was read ahead first.
func (s *handshake) Read(p []byte) (int, error) {
	if len(s.early) > 0 {
		n := copy(p, s.early)
		if s.early = s.early[n:]; len(s.early) == 0 {
			s.early = nil
		}
		return n, nil
	}
	if s.over {
		return s.Conn.Read(p)
	}
	if s.fault != nil {
		return 0, s.fault
	}
	s.waiting.Store(true)
	n, err := s.Conn.Read(p)
	s.waiting.Store(false)
	if !s.hold(int64(n)) {
		s.fault = errCrowded
		return 0, s.fault
	}
	return n, err
}

// hold counts what has come; false when there is no room for it.
func (s *handshake) hold(n int64) bool {
	more := max(s.read.Add(n)-ownBytes, 0) - s.borrowed
	if more == 0 {
		return true
	}
	if s.of.shared.Add(-more) < 0 {
		s.of.shared.Add(more)
		return false
	}
	s.borrowed += more
	return true
}

// NetConn is the connection, to wait on once everything that was read has been given.
func (s *handshake) NetConn() net.Conn { return s.Conn }
