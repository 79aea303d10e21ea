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
	"sync/atomic"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/socket"
)

// expectWait is how long content waits for 100 (Continue). RFC 9110 section 10.1.1: "A client that sends a 100-continue
// expectation is not required to wait for any specific length of time".
const expectWait = time.Second

// sender sends the content of a request while the response is awaited, and may come. A nil sender has nothing to send.
type sender struct {
	upstream *upstream
	request  *message.Request
	left     int64 // bytes of the content, or message.UnknownLength
	relay    relay // with a pipe when it can pass on what is left
	// gate says whether to send, where the client expects 100 (Continue); else it is nil.
	gate chan bool
	done chan struct{}
	// finished is true when all was sent; upstream.mu guards it.
	finished bool
	// abandoned is true when the rest is not wanted, and reading it is about to be interrupted.
	abandoned atomic.Bool
	// content is why the client's content could not be read; valid when done.
	content error
}

// appendContent adds what is at hand of the content to the head, so that they go together, and says how much is left.
func appendContent(to []byte, request *message.Request) (int64, []byte) {
	if request.Body == nil {
		return 0, to
	}
	body, ok := request.Body.(interface {
		io.Reader
		Buffered() int
	})
	if !ok || request.Length < 0 {
		return request.Length, to
	}
	left := request.Length
	own, _ := body.(*requestBody)
	if own != nil && own.awaited || own == nil && int64(body.Buffered()) < left {
		return left, to
	}
	for ready := min(int64(body.Buffered()), left); ready > 0; {
		begin := len(to)
		for cap(to)-begin < int(ready) {
			to = append(to[:cap(to)], 0)[:begin]
		}
		n, err := body.Read(to[begin : begin+int(ready)])
		to = to[:begin+n]
		left, ready = left-int64(n), ready-int64(n)
		if err != nil {
			break // It was at hand, so this is its end.
		}
	}
	if own != nil && left > 0 && left <= int64(cap(to)-len(to)) {
		n := own.readReady(to[len(to) : len(to)+int(left)])
		left, to = left-int64(n), to[:len(to)+n]
	}
	return left, to
}

// fitsOne says whether a request's content is to be sent in one piece with its head, as soon as all of it has come: two
// pieces cost more than copying it.
func fitsOne(request *message.Request) bool {
	body, ok := request.Body.(*requestBody)
	return ok && !body.awaited && request.Length <= copySize && request.Length > int64(body.Buffered()) && body.content.wire.raw != nil
}

// sendRest sends the content that did not go with the head: at once as far as nobody has to be waited for, and then
// beside the response.
func (u *upstream) sendRest(request *message.Request, left int64) error {
	s := &sender{upstream: u, request: request, left: left}
	if expectation, found := request.Fields.Get("Expect"); found && message.EqualNames(expectation, "100-continue") {
		s.gate = make(chan bool, 1)
	}
	if body, ok := request.Body.(*requestBody); ok && s.gate == nil && body.content.left == left {
		s.relay = newRelay(&body.content, &u.wire, u.limits.WriteTimeout)
		s.relay.body = body
		if sent, err := s.sendNow(); sent || err != nil {
			return err
		}
	}
	s.done = make(chan struct{})
	u.sender = s
	go s.run()
	return nil
}

// sendNow sends what can be sent without waiting; it is true when that was all, or nothing else can be sent.
func (s *sender) sendNow() (bool, error) {
	if s.relay.pipe == nil || s.left > socket.PipeSize {
		return false, nil
	}
	sent, err := s.relay.now()
	if err == nil && !sent || errors.Is(err, socket.ErrUnspliced) {
		return false, nil
	}
	s.relay.release()
	if err == nil {
		return true, nil
	}
	if s.relay.content.failed() {
		return false, s.relay.body.failure(err)
	}
	// RFC 9112 section 9.5: the endpoint may have answered before it closed.
	s.upstream.keeps = false
	return true, nil
}

// proceed opens the gate, or shuts it for good.
func (s *sender) proceed(open bool) {
	if s == nil || s.gate == nil {
		return
	}
	select {
	case s.gate <- open:
	default: // It has been decided.
	}
}

// over says whether all was sent.
func (s *sender) over() bool {
	if s == nil {
		return true
	}
	s.upstream.mu.Lock()
	defer s.upstream.mu.Unlock()
	return s.finished
}

// join waits for the sender's end, which it brings about: afterwards nobody reads the client's content.
func (s *sender) join() {
	if s == nil {
		return
	}
	s.proceed(false)
	if !s.over() {
		s.abandoned.Store(true)
		if body, ok := s.request.Body.(interface{ Interrupt() }); ok {
			body.Interrupt()
		}
	}
	<-s.done
}

func (s *sender) run() {
	defer close(s.done)
	if !s.admitted() {
		return
	}
	err := s.sendAll()
	var content *message.ContentError
	if errors.As(err, &content) {
		if s.abandoned.Load() {
			return // It was interrupted from here: what went wrong is something else.
		}
		s.content = content
		s.upstream.Interrupt() // No response can be right for half a request.
		return
	}
	u := s.upstream
	u.mu.Lock()
	defer u.mu.Unlock()
	s.finished = err == nil
	if timeout := u.limits.HeaderTimeout; u.awaiting && timeout > 0 {
		// Also when sending failed: the endpoint may have answered before it closed.
		_ = u.conn.SetReadDeadline(time.Now().Add(timeout))
		if u.readEnded.Load() {
			_ = u.conn.SetReadDeadline(past)
		}
	}
}

// admitted waits until the content may be sent.
func (s *sender) admitted() bool {
	if s.gate == nil {
		return true
	}
	timer := time.NewTimer(expectWait)
	defer timer.Stop()
	select {
	case open := <-s.gate:
		return open
	case <-timer.C:
		return true
	}
}

func (s *sender) sendAll() error {
	if s.relay.pipe != nil {
		err := s.sendSpliced()
		if !errors.Is(err, socket.ErrUnspliced) {
			return err
		}
	}
	copied := copies.Get().(*buffer)
	defer copies.Put(copied)
	if s.left == message.UnknownLength {
		return s.sendChunks(copied.bytes)
	}
	for s.left > 0 {
		n, err := s.request.Body.Read(copied.bytes[:min(s.left, copySize)])
		s.left -= int64(n)
		if writeErr := s.write(copied.bytes[:n]); writeErr != nil {
			return writeErr
		}
		if err == nil || s.left == 0 {
			continue
		}
		return contentError(err)
	}
	return nil
}

// sendSpliced sends without copying. socket.ErrUnspliced says that it has to be copied.
func (s *sender) sendSpliced() error {
	defer s.relay.release()
	err := s.relay.run()
	if err != nil && s.relay.content.failed() {
		return s.relay.body.failure(err)
	}
	return err
}

func (s *sender) sendChunks(into []byte) error {
	for {
		chunk, err := readChunk(into, s.request.Body)
		if err == nil {
			if err := s.write(chunk); err != nil {
				return err
			}
			continue
		}
		if !errors.Is(err, io.EOF) {
			return contentError(err)
		}
		return s.write(appendLastChunk(chunk, s.request.Trailers))
	}
}

// contentError says that the content broke off.
func contentError(err error) error {
	var content *message.ContentError
	if errors.As(err, &content) {
		return err
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &message.ContentError{Status: 400, Err: err}
}

func (s *sender) write(p []byte) error {
	return s.upstream.write(p, s.upstream.limits.WriteTimeout)
}
