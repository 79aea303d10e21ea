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
	"runtime/debug"
	"strings"
	"sync"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/message"
)

// stream is one request and its response. What is not the handler's alone is guarded by the connection's lock.
type stream struct {
	half
	conn     *conn
	limits   *message.Limits
	context  message.Cancellation
	request  message.Request
	trailers message.Fields
	reply    reply
	refusal  int // the status of the codec's own answer; 0 when the handler answers

	responded bool // to the end
	panicked  bool
}

var streams = sync.Pool{New: func() any { return new(stream) }}

// newStream makes an empty stream one of a connection.
func newStream(c *conn, limits *message.Limits) *stream {
	s := streams.Get().(*stream)
	s.conn, s.limits = c, limits
	s.join(&c.link)
	s.context.Begin()
	c.arrival.Mark(&s.request)
	s.reply.stream = s
	return s
}

// recycle makes a stream ready for another connection. One that was cancelled is left to whoever still looks at it.
func (s *stream) recycle() {
	if s.over || s.panicked || !s.context.Reusable() {
		return
	}
	fields, trailers := s.request.Fields, s.trailers
	fields.Reset()
	trailers.Reset()
	s.request, s.trailers = message.Request{Fields: fields}, trailers
	s.reply.reset()
	s.leave()
	s.conn, s.limits, s.refusal, s.responded = nil, nil, 0, false
	streams.Put(s)
}

// takeHead begins a stream, or ends the content of one with trailers.
func (c *conn) takeHead(f *http2.HeadersFrame) error {
	id := f.StreamID
	c.mu.Lock()
	s := c.streams[id]
	content := s != nil && !s.remoteEnded
	c.mu.Unlock()
	switch {
	case content:
		return c.takeTrailers(f)
	case s != nil:
		return c.discardHead(f, http2.ErrCodeStreamClosed)
	case id%2 == 0:
		return errProtocol // RFC 9113 section 5.1.1: "Streams initiated by a client MUST use odd-numbered stream identifiers".
	case id > c.lastSeen:
		return c.takeRequest(f)
	}
	byUs, found := c.recent.find(id)
	switch {
	case byUs:
		return c.discardHead(f, http2.ErrCodeNo)
	case found:
		return errClosed
	}
	// RFC 9113 section 5.1.1: "The identifier of a newly established stream MUST be numerically greater than all streams
	// that the initiating endpoint has opened or reserved."
	return errProtocol
}

// discardHead decodes a section and resets its stream; with ErrCodeNo it does not.
func (c *conn) discardHead(f *http2.HeadersFrame, code http2.ErrCode) error {
	id := f.StreamID
	c.head.begin(discarded, c.limits, nil)
	if err := c.decode(f); err != nil {
		return err
	}
	if code == http2.ErrCodeNo {
		return c.pay(costFrame)
	}
	return c.resetStream(id, code)
}

func (c *conn) takeTrailers(f *http2.HeadersFrame) error {
	id, ended := f.StreamID, f.StreamEnded()
	c.head.begin(ofTrailers, c.limits, nil)
	if err := c.decode(f); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[id]
	if s == nil {
		return nil // It has ended meanwhile.
	}
	// RFC 9113 section 8.1: "A HEADERS frame [...] that contains a trailer section [...] MUST have the END_STREAM flag set".
	if c.head.malformed || !ended {
		c.mu.Unlock()
		err := c.resetStream(id, http2.ErrCodeProtocol)
		c.mu.Lock()
		return err
	}
	if c.head.refusal != 0 {
		s.body.fail(&message.ContentError{Status: c.head.refusal, Err: errLargeTrailers})
	}
	if s.request.Trailers != nil {
		for i := range c.head.section.Len() {
			s.trailers.Add(c.head.section.Line(i))
		}
	}
	if !s.endRequest() {
		c.mu.Unlock()
		err := c.resetStream(id, http2.ErrCodeProtocol)
		c.mu.Lock()
		return err
	}
	s.wake.Broadcast()
	return nil
}

func (c *conn) takeRequest(f *http2.HeadersFrame) error {
	id, ended := f.StreamID, f.StreamEnded()
	c.mu.Lock()
	c.lastSeen = id
	code, ignored := http2.ErrCodeNo, c.leave == left || c.stopped
	// The handlers of streams that were reset count as well (CVE-2023-44487), though not at once: the client cannot know
	// how long they take.
	if c.open >= c.limits.MaxConcurrentStreams || c.running >= 2*c.limits.MaxConcurrentStreams {
		code = http2.ErrCodeRefusedStream
	}
	c.mu.Unlock()
	if ignored || code != http2.ErrCodeNo {
		return c.discardHead(f, code)
	}
	if f.HasPriority() && f.Priority.StreamDep == id {
		return c.discardHead(f, http2.ErrCodeProtocol) // RFC 7540 section 5.3.1
	}
	s := newStream(c, c.server.limits.Load())
	h := &c.head
	h.begin(ofRequest, s.limits, &s.request)
	if err := c.decode(f); err != nil {
		return err
	}
	h.finish(ended)
	if h.malformed {
		s.recycle()
		c.server.options.Refused(0, false)
		return c.resetStream(id, http2.ErrCodeProtocol)
	}
	c.begin(s, id, ended)
	return nil
}

// begin has a request handled whose head is complete.
func (c *conn) begin(s *stream, id uint32, ended bool) {
	h := &c.head
	s.id, s.refusal = id, h.refusal
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastTaken = id
	c.streams[id] = s
	c.open++
	c.running++
	c.handlers.Add(1)
	s.open, s.window = true, c.peer.window
	s.body.begin(h.length, s.limits.MaxBodyBytes)
	if h.expects {
		s.body.asks = &s.reply
	}
	switch {
	case ended:
		s.body.declared = message.UnknownLength
		s.endRequest()
	case s.request.Upgrade != "" || s.request.Method == "CONNECT":
		s.body.declared = message.UnknownLength
	default:
		s.expectContent()
	}
	if c.server.draining.Load() {
		c.announce()
	}
	c.fresh = append(c.fresh, s)
}

// expectContent gives the request its body.
func (s *stream) expectContent() {
	r := &s.request
	r.Body = &s.body
	if r.Length == message.UnknownLength {
		r.Trailers = &s.trailers
	}
	if limit := s.limits.MaxBodyBytes; limit > 0 && r.Length > limit && s.refusal == 0 {
		s.refusal = 413
	}
}

// endRequest notes that nothing more comes. It is false when something was missing. The lock is held.
func (s *stream) endRequest() bool {
	s.remoteEnded = true
	if s.body.declared != message.UnknownLength && s.body.received != s.body.declared {
		return false
	}
	s.body.end()
	if s.responded {
		s.conn.close(s, false)
	}
	return true
}

// endResponse notes that nothing more will be sent; the lock is held.
func (s *stream) endResponse() {
	s.responded = true
	if s.remoteEnded {
		s.conn.close(s, false)
	}
}

// drop ends a stream that was reset, or whose connection is gone; the lock is held. The caller cancels it without.
func (c *conn) drop(s *stream, err *message.ContentError) {
	s.over = true
	s.body.fail(err)
	s.wake.Broadcast()
	c.close(s, true)
}

// close forgets a stream; the lock is held.
func (c *conn) close(s *stream, byUs bool) {
	if !s.open {
		return
	}
	s.open = false
	c.open--
	delete(c.streams, s.id)
	if _, found := c.recent.find(s.id); !found {
		c.recent.add(s.id, byUs)
	}
}

// serve has the request answered.
func (s *stream) serve() {
	defer s.finish()
	s.conn.mu.Lock()
	over := s.over
	s.conn.mu.Unlock()
	switch {
	case over:
		s.conn.server.options.Refused(0, true)
	case s.refusal != 0:
		s.conn.server.options.Refused(s.refusal, s.refuse() != nil)
	default:
		s.conn.server.options.Handler.Handle(&s.context, &s.request, &s.reply)
	}
}

// refuse answers for the codec itself; an error says that the client is gone.
func (s *stream) refuse() error {
	phrase := phrases[s.refusal]
	response := message.Response{Status: s.refusal, Length: int64(len(phrase)), Body: strings.NewReader(phrase)}
	response.Fields.Add("Content-Type", "text/plain; charset=utf-8")
	return s.reply.Respond(&response)
}

var phrases = map[int]string{
	400: "Bad Request\n", 413: "Content Too Large\n", 414: "URI Too Long\n", 417: "Expectation Failed\n",
	431: "Request Header Fields Too Large\n", 501: "Not Implemented\n",
}

// finish is called when the handler has returned.
func (s *stream) finish() {
	c := s.conn
	if failure := recover(); failure != nil {
		// One request must not end the process.
		c.server.options.Logger.Error("handling a request panicked", "error", failure, "stack", string(debug.Stack()))
		s.panicked = true
	}
	c.mu.Lock()
	switch {
	case s.over || c.broken != nil:
	case !s.responded:
		code := http2.ErrCodeInternal
		if s.stalled {
			code = http2.ErrCodeCancel
		}
		c.sendReset(s.id, code)
		c.close(s, true)
	case !s.remoteEnded:
		// RFC 9113 section 8.1: "a server MAY request that the client abort transmission of a request without error by
		// sending a RST_STREAM with an error code of NO_ERROR after sending a complete response".
		c.sendReset(s.id, http2.ErrCodeNo)
		c.close(s, true)
	}
	if s.responded {
		c.budget.earn(earnRequest)
	}
	c.close(s, true)
	s.body.discard()
	c.running--
	if c.running == 0 {
		c.idleSince = clock()
	}
	c.flush(true)
	c.endIfLeft()
	c.mu.Unlock()
	s.recycle()
	c.handlers.Done()
}
