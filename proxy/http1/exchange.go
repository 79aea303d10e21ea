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
	"strings"

	"github.com/rauta-dev/rauta/proxy/message"
)

// begin makes an empty exchange one of a connection.
func (x *exchange) begin(c *conn) {
	x.conn = c
	x.context.Begin()
	c.arrival.Mark(&x.request)
	x.reply.begin(x)
	x.body.begin(x, noContent, 0)
}

// reset makes the exchange ready for another connection. One that was cancelled is left to whoever still looks at it.
func (x *exchange) reset() {
	fields, trailers, out := x.request.Fields, x.trailers, x.reply.out
	fields.Reset()
	trailers.Reset()
	x.request = message.Request{Fields: fields}
	x.trailers = trailers
	x.frame, x.refused = framing{}, false
	x.conn = nil
	x.reply.exchange, x.reply.out = nil, out[:0]
	if cap(out) > 2*headRoom {
		x.reply.out = nil
	}
	if x.context.Reusable() {
		exchanges.Put(x)
	}
}

// delimit prepares the content, after the head has been parsed.
func (x *exchange) delimit(chunked bool) error {
	limit := x.conn.limits.MaxBodyBytes
	if limit > 0 && x.request.Length > limit {
		return errBodyTooLarge
	}
	switch {
	case chunked:
		x.body.begin(x, byChunks, 0)
		x.request.Trailers = &x.trailers
	case x.request.Length > 0:
		x.body.begin(x, byLength, x.request.Length)
	default:
		x.read()
		return nil
	}
	x.body.awaited = x.frame.expects
	x.request.Body = &x.body
	return nil
}

// read notes that the request has been read to its end: from now on the client's end can be watched.
func (x *exchange) read() {
	state := x.conn.state.Load()
	next := state&^phaseMask | phaseWaiting
	if len(x.conn.buffered()) > 0 {
		next = state&^phaseMask | phaseQueued
	}
	if state&phaseMask == phaseReading {
		x.conn.state.CompareAndSwap(state, next)
	}
}

// refuse answers for the codec itself, when the client can be told.
func (x *exchange) refuse(err error) {
	var wrong *fault
	if !errors.As(err, &wrong) {
		return // The client is gone.
	}
	// What begins with a line that is none of HTTP/1 is of another protocol, and would not understand an answer. RFC 9113
	// section 3.4: "Clients and servers MUST treat an invalid connection preface as a connection error".
	if wrong == errForeign && x.conn.first() {
		return
	}
	phrase := reasons[wrong.status] + "\n"
	response := message.Response{Status: wrong.status, Length: int64(len(phrase)), Body: strings.NewReader(phrase)}
	response.Fields.Add("Content-Type", "text/plain; charset=utf-8")
	x.reply.close, x.refused = true, true
	if x.request.Method == "HEAD" {
		response.Body = nil
	}
	if x.reply.Respond(&response) == nil {
		x.reply.finish()
	}
	x.conn.server.options.Refused(wrong.status, wrong.status == 408 || x.reply.broken)
}

// lingers says whether the client may still be sending while it is answered.
func (x *exchange) lingers() bool {
	return x.reply.begun && !x.reply.broken && !x.reply.upgraded && (x.refused || !x.body.content.ended())
}

// requestBody is the content of a request. It is read by one goroutine at a time, which may be another than the
// connection's own.
type requestBody struct {
	exchange *exchange
	content  content
	// awaited is true while the client waits for 100 (Continue).
	awaited bool
	// attempt is receive, made a function when it is first used; it reads into ready, and leaves how much came.
	attempt func(fd uintptr) bool
	ready   []byte
	came    int
}

func (b *requestBody) begin(x *exchange, kind contentKind, length int64) {
	options := x.conn.limits
	b.exchange, b.awaited = x, false
	b.content.begin(&x.conn.wire, kind, length, contentLimits{
		size: options.MaxBodyBytes, trailers: options.MaxTrailerBytes, fields: options.MaxFields, timeout: options.BodyTimeout,
	}, &x.trailers)
}

// Buffered is how many bytes at most Read gives without waiting.
func (b *requestBody) Buffered() int { return b.content.Buffered() }

// Read reads content. Errors other than io.EOF are a *message.ContentError.
func (b *requestBody) Read(p []byte) (int, error) {
	if b.awaited && b.content.Buffered() == 0 {
		b.awaited = false
		b.exchange.reply.proceed()
	}
	n, err := b.content.Read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		b.finish()
	default:
		err = b.failure(err)
	}
	return n, err
}

// readReady reads content of known length that is in the socket, without waiting and past the buffer, which is empty.
func (b *requestBody) readReady(p []byte) int {
	c := &b.content
	if c.kind != byLength || c.err != nil || c.wire.raw == nil || c.Buffered() > 0 {
		return 0
	}
	if b.attempt == nil {
		b.attempt = b.receive
	}
	b.ready, b.came = p, 0
	_ = c.wire.raw.Read(b.attempt) // Who waits for the rest sees what is wrong.
	b.ready = nil
	if c.left -= int64(b.came); c.left == 0 {
		c.err = io.EOF
		b.finish()
	}
	return b.came
}

func (b *requestBody) receive(fd uintptr) bool {
	n, _, err := receive(fd, b.ready)
	b.came = n
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	b.content.err = err
	return true
}

// finish notes that the content has been read to its end.
func (b *requestBody) finish() {
	b.awaited = false
	b.exchange.read()
}

// failure says what a client is told about its content.
func (b *requestBody) failure(err error) error {
	wrong := &fault{status: 400}
	switch {
	case b.exchange.conn.readEnded.Load():
		err = errInterrupted
	case errors.As(err, &wrong):
	case message.IsTimeout(err):
		wrong = errTooSlow
	case errors.Is(err, io.ErrUnexpectedEOF):
		// The client may have closed its sending side alone.
	default:
		// A client whose connection breaks will not read an answer; what it asked for is given up.
		b.exchange.context.Cancel()
	}
	return &message.ContentError{Status: wrong.status, Err: err}
}

// Interrupt ends a Read that waits, and all that follow, unless the end was reached.
func (b *requestBody) Interrupt() { b.exchange.conn.interruptRead() }
