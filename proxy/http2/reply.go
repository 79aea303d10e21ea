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
	"errors"
	"io"
	"strconv"
	"sync"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/syntax"
)

// copySize is how much content is read at once.
const copySize = 64 << 10

var copies = sync.Pool{New: func() any { return new([copySize]byte) }}

// reply implements message.Reply for one stream.
type reply struct {
	stream *stream
	block  []byte // the encoded head
	held   bool   // the head waits for the first content
	begun  bool   // guarded by the connection's lock
}

func (r *reply) reset() {
	block := r.block[:0]
	if cap(block) > 16<<10 {
		block = nil
	}
	*r = reply{block: block}
}

// proceed tells the client to send its content, unless it was answered already; the lock is held.
func (r *reply) proceed() {
	c := r.stream.conn
	if r.begun || r.stream.over || c.broken != nil {
		return
	}
	var room [8]byte
	c.sendHead(appendStatus(room[:0], 100), r.stream.id, false)
	c.flush(false)
}

// Inform sends an interim response.
func (r *reply) Inform(status int, fields *message.Fields) error {
	block := appendFields(appendStatus(nil, status), fields)
	s, c := r.stream, r.stream.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.begun {
		return errSent
	}
	if !c.makeRoom() || s.over {
		return s.failure()
	}
	c.sendHead(block, s.id, false)
	c.flush(true)
	return nil
}

// Interrupt breaks the response off.
func (r *reply) Interrupt() {
	c := r.stream.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	r.stream.stalled = true
	r.stream.wake.Broadcast()
}

// seize makes the caller the only one who answers.
func (r *reply) seize() error {
	c := r.stream.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.begun {
		return errSent
	}
	r.begun = true
	return nil
}

// Respond sends the response.
func (r *reply) Respond(response *message.Response) error {
	if err := r.seize(); err != nil {
		return err
	}
	s := r.stream
	block := appendFields(appendStatus(r.block[:0], response.Status), &response.Fields)
	if _, found := response.Fields.Get("Date"); !found {
		block = appendField(block, "date", syntax.Date())
	}
	// RFC 9110 section 8.6: none with 1xx and 204.
	if response.Length >= 0 && response.Status >= 200 && response.Status != 204 {
		var digits [20]byte
		block = appendField(block, "content-length", strconv.AppendInt(digits[:0], response.Length, 10))
	}
	r.block, r.held = block, true
	if response.Body == nil || s.request.Method == "HEAD" || response.Status == 204 || response.Status == 304 {
		return s.send(nil, true)
	}
	return r.copy(response)
}

// available says whether some content can be had without waiting.
func available(body io.Reader) bool {
	if b, ok := body.(interface{ Buffered() int }); ok {
		return b.Buffered() > 0
	}
	if b, ok := body.(interface{ Len() int }); ok {
		return b.Len() > 0
	}
	return false
}

// copy sends content, each time as much as there is; what has been read is sent before more is waited for.
func (r *reply) copy(response *message.Response) error {
	buffer := copies.Get().(*[copySize]byte)
	defer copies.Put(buffer)
	left, exact := response.Length, response.Length >= 0 && response.Trailers == nil
	for {
		if !available(response.Body) && left != 0 {
			if err := r.stream.release(); err != nil {
				return err
			}
		}
		room := buffer[:]
		if exact && left < copySize {
			room = room[:left]
		}
		n, err := response.Body.Read(room)
		if err != nil && !errors.Is(err, io.EOF) {
			return &message.BodyError{Err: err}
		}
		if left >= 0 {
			if left -= int64(n); left < 0 || err != nil && left > 0 {
				return &message.BodyError{Err: io.ErrUnexpectedEOF}
			}
		}
		ended := err != nil || exact && left == 0
		if !ended && n == 0 {
			continue
		}
		trailers := ended && response.Trailers.Len() > 0
		if err := r.stream.send(room[:n], ended && !trailers); err != nil {
			return err
		}
		if trailers {
			return r.stream.sendTrailers(response.Trailers)
		}
		if ended {
			return nil
		}
	}
}

// release sends what is held back.
func (s *stream) release() error {
	c := s.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := s.sendHeld(false); err != nil {
		return err
	}
	c.flush(true)
	return nil
}

// sendHeld sends the head that waits for content; the lock is held.
func (s *stream) sendHeld(end bool) error {
	if !s.conn.makeRoom() || s.over {
		return s.failure()
	}
	if s.reply.held {
		s.reply.held = false
		s.conn.sendHead(s.reply.block, s.id, end)
		if end {
			s.endResponse()
		}
	}
	return nil
}

// send sends the head, if it waits, and content, as far as the windows let it.
func (s *stream) send(p []byte, end bool) error {
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if s.reply.held {
		whole := end && len(p) == 0
		if err := s.sendHeld(whole); err != nil || whole {
			return err
		}
	}
	for len(p) > 0 || end {
		n, err := s.awaitWindow(len(p))
		if err != nil {
			return err
		}
		last := end && n == len(p)
		s.sendData(p[:n], last)
		p = p[n:]
		if last {
			s.endResponse()
			return nil
		}
	}
	return nil
}

func (s *stream) sendTrailers(trailers *message.Fields) error {
	block := appendFields(s.reply.block[:0], trailers)
	s.reply.block = block
	s.conn.mu.Lock()
	defer s.conn.mu.Unlock()
	if !s.conn.makeRoom() || s.over {
		return s.failure()
	}
	s.conn.sendHead(block, s.id, true)
	s.endResponse()
	return nil
}
