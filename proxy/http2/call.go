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
	"context"
	"errors"
	"io"
	"strconv"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/message"
)

// maxInterims is how many interim responses one request may get.
const maxInterims = 32

var (
	errContentLength = errors.New("content does not have the length that was declared")
	errMalformed     = errors.New("the response is malformed")
	errInterims      = errors.New("too many interim responses")
	errLargeHead     = errors.New("the header section of the response is too large")
	errNoConnect     = errors.New("the endpoint does not switch protocols")
	errGivenUp       = errors.New("interrupted")
)

// call is one request to an endpoint, and its response. The link's lock guards what both goroutines use.
type call struct {
	half
	on       *carrier
	response message.Response
	trailers message.Fields
	interims []*message.Response
	informed int   // how many there were
	answered bool  // the head of the response has come
	err      error // why there will be none, or no more of it
	// askedSince is when the response's head was begun to be awaited.
	askedSince int64
	sent       bool          // the request, to its end
	read       bool          // content of the request has been read
	sender     chan struct{} // closed when nobody sends any more; nil when nobody ever did
	request    *message.Request
	context    *message.Cancellation
	stop       func() bool // of context.AfterFunc, for other contexts
}

// fail ends a call; the lock is held.
func (x *call) fail(err error) {
	if x.err == nil {
		x.err = err
	}
	x.givenUp = true
	x.body.fail(err)
	x.wake.Broadcast()
}

func (r *carrier) roundTrip(
	ctx context.Context, request *message.Request, inform func(status int, fields *message.Fields) error,
) (*message.Response, error) {
	x := &call{on: r, request: request}
	x.join(&r.link)
	if own, ok := ctx.(*message.Cancellation); ok {
		x.context = own
		own.Attach(x)
	} else if ctx.Done() != nil {
		x.stop = context.AfterFunc(ctx, x.Interrupt)
	}
	err := x.begin()
	if err == nil {
		err = x.await(inform)
	}
	if err != nil {
		return nil, x.abandon(err)
	}
	return &x.response, nil
}

// begin sends the request, or begins to.
func (x *call) begin() error {
	r, request := x.on, x.request
	block := appendRequest(nil, request, r.client.host)
	r.mu.Lock()
	defer r.mu.Unlock()
	if request.Upgrade != "" {
		for !r.told && r.broken == nil {
			r.flush(false)
			if r.told || r.broken != nil {
				break
			}
			r.out.room.Wait()
		}
		if r.broken == nil && !r.connects {
			return errNoConnect
		}
	}
	if r.broken != nil || r.leaving {
		return &unprocessedError{err: errors.Join(errors.New("the connection ended"), r.broken), certain: true}
	}
	if !r.makeRoom() {
		return &unprocessedError{err: r.broken, certain: true}
	}
	x.id, x.window, x.open = r.next, r.peer.window, true
	r.next += 2
	r.calls[x.id] = x
	x.body.begin(message.UnknownLength, 0)
	ended := request.Body == nil && request.Upgrade == ""
	r.sendHead(block, x.id, ended)
	if ended {
		x.endRequest()
	} else if request.Body != nil {
		x.beginContent()
	}
	r.flush(true)
	return nil
}

// beginContent sends content that is at hand with the head, and has the rest sent by a goroutine. The lock is held, and
// given up meanwhile.
func (x *call) beginContent() {
	body := x.request.Body
	x.link.mu.Unlock()
	defer x.link.mu.Lock()
	content := outgoing{call: x, left: x.request.Length}
	for sent := 0; sent < maxFrame && available(body); sent += maxFrame {
		if !content.next(maxFrame) {
			return
		}
	}
	x.sender = make(chan struct{})
	go content.rest()
}

// outgoing is the content of a request that is left to be sent.
type outgoing struct {
	call *call
	left int64
}

// appendRequest encodes the head of a request. A switch of protocols becomes an extended CONNECT (RFC 8441 section 4).
func appendRequest(to []byte, request *message.Request, host string) []byte {
	if request.Authority != "" {
		host = request.Authority
	}
	method := request.Method
	if request.Upgrade != "" {
		method = "CONNECT"
	}
	to = appendField(to, ":method", method)
	to = appendField(to, ":scheme", "http")
	to = appendField(to, ":authority", host)
	to = appendField(to, ":path", request.Target())
	if request.Upgrade != "" {
		to = appendField(to, ":protocol", request.Upgrade)
	}
	for i := range request.Fields.Len() {
		name, value := request.Fields.Line(i)
		if belongsToConnection(name) || request.Upgrade != "" && message.EqualNames(name, "Sec-WebSocket-Key") {
			continue
		}
		to = appendField(to, name, value)
	}
	if request.Upgrade == "" && request.Length >= 0 && (request.Body != nil || expectsContent(request.Method)) {
		var digits [20]byte
		to = appendField(to, "content-length", strconv.AppendInt(digits[:0], request.Length, 10))
	}
	return to
}

// expectsContent: RFC 9110 section 8.6.
func expectsContent(method string) bool {
	return method == "POST" || method == "PUT" || method == "PATCH"
}

// endRequest notes that all was sent; the lock is held.
func (x *call) endRequest() {
	x.sent, x.askedSince = true, clock()
	x.endIfBoth()
}

// endResponse notes that all has come; the lock is held.
func (x *call) endResponse() {
	x.remoteEnded = true
	if declared := x.body.declared; declared != message.UnknownLength && x.body.received != declared {
		x.fail(errContentLength)
	}
	x.body.end()
	x.endIfBoth()
}

func (x *call) endIfBoth() {
	if x.sent && x.remoteEnded {
		x.open = false
		delete(x.on.calls, x.id)
	}
}

func (o *outgoing) rest() {
	defer close(o.call.sender)
	for o.next(copySize) {
		o.call.release()
	}
	o.call.release()
}

// next sends a piece; false when there is none after it.
func (o *outgoing) next(most int) bool {
	x := o.call
	buffer := copies.Get().(*[copySize]byte)
	defer copies.Put(buffer)
	n, err := x.request.Body.Read(buffer[:most])
	if err != nil && !errors.Is(err, io.EOF) {
		x.contentFailed(err)
		return false
	}
	if o.left >= 0 {
		o.left -= int64(n)
	}
	ended := err != nil || o.left == 0
	if ended && o.left > 0 {
		x.contentFailed(io.ErrUnexpectedEOF)
		return false
	}
	trailers := ended && x.request.Trailers.Len() > 0
	if x.sendPiece(buffer[:n], ended && !trailers) != nil {
		return false
	}
	if trailers {
		x.sendTrailers()
	}
	return !ended
}

// release sends what is held back.
func (x *call) release() {
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	x.link.flush(true)
}

// contentFailed gives up a request whose content broke off.
func (x *call) contentFailed(err error) {
	var content *message.ContentError
	if !errors.As(err, &content) {
		content = &message.ContentError{Status: 400, Err: err}
	}
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	x.fail(content)
}

func (x *call) sendPiece(p []byte, end bool) error {
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	x.read = true
	for len(p) > 0 || end {
		if x.err != nil {
			return x.err
		}
		n, err := x.awaitWindow(len(p))
		if err != nil {
			if x.stalled {
				x.fail(&timeoutError{"request body"})
			}
			return err
		}
		last := end && n == len(p)
		x.sendData(p[:n], last)
		p = p[n:]
		if last {
			x.endRequest()
			end = false
		}
	}
	return nil
}

func (x *call) sendTrailers() {
	block := appendFields(nil, x.request.Trailers)
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	if !x.link.makeRoom() || x.over || x.err != nil {
		return
	}
	x.link.sendHead(block, x.id, true)
	x.endRequest()
}

// await waits for the head of the response.
func (x *call) await(inform func(status int, fields *message.Fields) error) error {
	l := x.link
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		for len(x.interims) > 0 {
			interim := x.interims[0]
			x.interims = x.interims[1:]
			if inform == nil || interim.Status == 100 {
				continue
			}
			l.mu.Unlock()
			err := inform(interim.Status, &interim.Fields)
			l.mu.Lock()
			if err != nil {
				return err
			}
		}
		switch {
		case x.answered:
			x.askedSince = 0
			return nil
		case x.err != nil:
			return x.err
		}
		x.wake.Wait()
	}
}

// Interrupt gives the call up, from another goroutine.
func (x *call) Interrupt() {
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	x.fail(errGivenUp)
}

// abandon ends a call that has no response, and says why.
func (x *call) abandon(err error) error {
	x.end()
	var unprocessed *unprocessedError
	if errors.As(err, &unprocessed) {
		return &unprocessedError{err: unprocessed.err, certain: unprocessed.certain, read: x.read}
	}
	return err
}

// Close ends the call.
func (x *call) Close() error {
	x.end()
	return nil
}

func (x *call) end() {
	r := x.on
	r.mu.Lock()
	x.fail(errGivenUp) // So that a sender ends; what has come whole is still whole.
	r.mu.Unlock()
	if x.sender != nil {
		if body, ok := x.request.Body.(interface{ Interrupt() }); ok {
			r.mu.Lock()
			sent := x.sent
			r.mu.Unlock()
			if !sent {
				body.Interrupt()
			}
		}
		<-x.sender
	}
	if x.context != nil {
		x.context.Detach()
	}
	if x.stop != nil {
		x.stop()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if x.open {
		x.open = false
		delete(r.calls, x.id)
		if !x.over && r.broken == nil {
			r.sendReset(x.id, http2.ErrCodeCancel)
		}
	}
	x.over = true
	if x.id != 0 {
		x.body.discard()
	}
	r.unreserve()
	r.flush(true)
}

// takeHead takes the head of a response, an interim one, or trailers.
func (r *carrier) takeHead(f *http2.HeadersFrame) error {
	id, ended := f.StreamID, f.StreamEnded()
	r.mu.Lock()
	x := r.calls[id]
	trailers := x != nil && x.answered
	r.mu.Unlock()
	kind := ofResponse
	if trailers {
		kind = ofTrailers
	}
	r.head.begin(kind, r.limits.head(), nil)
	if err := r.decode(f); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.flush(false)
	if x = r.calls[id]; x == nil || x.remoteEnded {
		return r.late(id)
	}
	h := &r.head
	switch {
	case h.refusal != 0:
		x.fail(errLargeHead)
	case h.malformed || trailers && !ended || !trailers && h.status == 0:
		x.fail(errMalformed)
	case trailers:
		for i := range h.section.Len() {
			x.trailers.Add(h.section.Line(i))
		}
		x.endResponse()
		x.wake.Broadcast()
	case h.status < 200:
		x.inform(h, ended)
	default:
		x.answer(h, ended)
	}
	return nil
}

// inform keeps an interim response for whoever awaits.
func (x *call) inform(h *head, ended bool) {
	if ended || h.status == 101 {
		x.fail(errMalformed) // RFC 9113 section 8.6: "HTTP/2 does not support the 101 (Switching Protocols) informational status code".
		return
	}
	if x.informed++; x.informed > maxInterims {
		x.fail(errInterims)
		return
	}
	interim := &message.Response{Status: h.status}
	for i := range h.section.Len() {
		interim.Fields.Add(h.section.Line(i))
	}
	x.interims = append(x.interims, interim)
	x.wake.Broadcast()
}

// answer makes the response ready.
func (x *call) answer(h *head, ended bool) {
	response := &x.response
	response.Status, response.Length, response.Owner = h.status, h.length, x
	for i := range h.section.Len() {
		response.Fields.Add(h.section.Line(i))
	}
	none := x.request.Method == "HEAD" || h.status == 204 || h.status == 304
	if ended && h.length > 0 && !none {
		x.fail(errContentLength)
		return
	}
	x.answered = true
	defer x.wake.Broadcast()
	if x.request.Upgrade != "" && h.status == 200 {
		response.Status, response.Length = 101, 0
		response.Fields.Add("Upgrade", x.request.Upgrade)
		x.body.tunnel = true
		response.Tunnel = &duct{x}
		if ended {
			x.endResponse()
		}
		return
	}
	if !ended {
		response.Body, response.Trailers = &x.body, &x.trailers
		if !none {
			x.body.declared = h.length
		}
		return
	}
	if !none {
		response.Length = 0
	}
	x.endResponse()
}

// duct is a call after an extended CONNECT.
type duct struct{ call *call }

// Read gives what the endpoint has sent.
func (d *duct) Read(p []byte) (int, error) { return d.call.body.Read(p) }

// Write sends to the endpoint.
func (d *duct) Write(p []byte) (int, error) {
	if err := d.call.sendPiece(p, false); err != nil {
		return 0, err
	}
	d.call.release()
	return len(p), nil
}

// Close ends both directions.
func (d *duct) Close() error {
	x := d.call
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	x.body.fail(errInterrupted)
	x.wake.Broadcast()
	if x.over || x.sent || x.link.broken != nil {
		return nil
	}
	x.sendData(nil, true)
	x.endRequest()
	x.link.flush(false)
	return nil
}
