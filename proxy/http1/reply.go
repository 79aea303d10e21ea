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
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/syntax"
)

// reply implements message.Reply for one exchange.
type reply struct {
	exchange *exchange
	out      []byte // the head, and what of the content goes with it
	// pending is true when out is a whole response that has not been written. It is written when the handler has
	// returned: what a request took is then free for the next one before its client can send it.
	pending bool
	// close is true when the connection ends with this response.
	close bool
	// broken is true when the response could not be finished, upgraded when the connection is a tunnel.
	broken   bool
	upgraded bool

	// mu guards writing until the response begins: 100 (Continue) is sent by whoever reads the request's content.
	mu    sync.Mutex
	begun bool
}

func (r *reply) begin(x *exchange) {
	r.exchange = x
	r.pending, r.close, r.broken, r.upgraded, r.begun = false, false, false, false, false
}

// finish says whether the connection can go on after the handler has returned.
func (r *reply) finish() bool {
	r.exchange.conn.last = r.pending && r.close
	if r.pending && r.writeHead() != nil {
		r.broken = true // The client is gone; what it was sent before may not have arrived either.
	}
	return r.begun && !r.broken && !r.upgraded && !r.close && r.exchange.body.content.ended()
}

func (r *reply) write(p []byte) error {
	c := r.exchange.conn
	return c.write(p, c.limits.WriteTimeout)
}

// proceed tells the client to send its content, unless it was answered already.
func (r *reply) proceed() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.begun {
		_ = r.write([]byte("HTTP/1.1 100 Continue\r\n\r\n")) // A failure shows when the content is read.
	}
}

// Inform sends an interim response.
func (r *reply) Inform(status int, fields *message.Fields) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun {
		return errors.New("inform: the response has begun")
	}
	// RFC 9110 section 15.2: "a server MUST NOT send a 1xx response to an HTTP/1.0 client."
	if r.exchange.frame.old {
		return nil
	}
	out := appendStatus(r.out[:0], status)
	out = appendFields(out, fields)
	out = append(out, "\r\n"...)
	r.out = out
	if err := r.write(r.out); err != nil {
		return fmt.Errorf("write interim response: %w", err)
	}
	return nil
}

// seize makes the caller the only one who writes.
func (r *reply) seize() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun {
		return errors.New("respond: the response has begun")
	}
	r.begun = true
	return nil
}

// Respond sends the response.
func (r *reply) Respond(response *message.Response) error {
	if err := r.seize(); err != nil {
		return err
	}
	x := r.exchange
	hasBody := response.Body != nil && x.request.Method != "HEAD" && allowsContent(response.Status)
	chunked := hasBody && response.Length == message.UnknownLength && !x.frame.old
	r.close = r.close || x.closes(response, hasBody) || hasBody && response.Length == message.UnknownLength && !chunked
	out := appendStatus(r.out[:0], response.Status)
	out = appendFields(out, &response.Fields)
	if _, found := response.Fields.Get("Date"); !found {
		out = append(out, "Date: "...)
		out = append(out, syntax.Date()...)
		out = append(out, "\r\n"...)
	}
	if chunked {
		out = append(out, "Transfer-Encoding: chunked\r\n"...)
	} else if response.Length >= 0 && allowsLength(response.Status) {
		out = appendLength(out, response.Length)
	}
	if r.close {
		out = append(out, "Connection: close\r\n"...)
	}
	out = append(out, "\r\n"...)
	r.out = out
	var err error
	switch {
	case !hasBody:
		r.pending = true
	case chunked:
		err = r.copyChunks(response)
	case response.Length == message.UnknownLength:
		err = r.copyUntilEnd(response)
	default:
		err = r.copyLength(response)
	}
	r.broken = err != nil
	return err
}

// Interrupt breaks the response off.
func (r *reply) Interrupt() { r.exchange.conn.interruptWrite() }

func (r *reply) writeHead() error {
	if err := r.write(r.out); err != nil {
		return fmt.Errorf("write response head: %w", err)
	}
	return nil
}

// closes says whether the connection has to end after a response: one side wants it to, or it would not be clear where
// the next request begins.
func (x *exchange) closes(response *message.Response, hasBody bool) bool {
	if x.frame.close || x.conn.server.draining.Load() {
		return true
	}
	// RFC 9112 section 9.3: "A proxy server MUST NOT maintain a persistent connection with an HTTP/1.0 client".
	if x.frame.old {
		return true
	}
	if x.request.Method == "CONNECT" {
		x.refused = true // What follows was meant for a tunnel.
		return true
	}
	// A request that is answered before it was read will most likely not be read to its end. Content that streams both
	// ways will.
	return x.request.Body != nil && (!hasBody || response.Length >= 0) && x.conn.state.Load()&phaseMask == phaseReading
}

// allowsLength: RFC 9110 section 8.6: "A server MUST NOT send a Content-Length header field in any response with a
// status code of 1xx (Informational) or 204 (No Content)." 304 may have one.
func allowsLength(status int) bool { return status >= 200 && status != 204 }

func allowsContent(status int) bool { return status >= 200 && status != 204 && status != 304 }

// Upgrade sends a 101 response and hands over the connection.
func (r *reply) Upgrade(response *message.Response) (io.ReadWriteCloser, error) {
	if err := r.seize(); err != nil {
		return nil, err
	}
	r.upgraded = true
	out := appendStatus(r.out[:0], 101)
	out = appendFields(out, &response.Fields)
	if _, found := response.Fields.Get("Sec-WebSocket-Accept"); !found {
		out = appendWebSocketAccept(out, &r.exchange.request)
	}
	out = append(out, "\r\n"...)
	r.out = out
	if err := r.write(r.out); err != nil {
		r.broken = true
		return nil, fmt.Errorf("upgrade: write the response: %w", err)
	}
	c := r.exchange.conn
	c.endWatch()
	return newTunnel(&c.wire), nil
}

// appendWebSocketAccept answers for an endpoint that was asked by an extended CONNECT, which has no such field. RFC 6455
// section 4.2.2: "the string "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"" is appended to the key, and hashed with SHA-1.
func appendWebSocketAccept(to []byte, request *message.Request) []byte {
	key, found := request.Fields.Get("Sec-WebSocket-Key")
	if !found || !message.EqualNames(request.Upgrade, "websocket") {
		return to
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	to = append(to, "Sec-WebSocket-Accept: "...)
	to = base64.StdEncoding.AppendEncode(to, sum[:])
	return append(to, "\r\n"...)
}
