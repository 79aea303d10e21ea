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
	x.link.out.room.Broadcast()
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
	block := appendRequest(nil, request, r.client.host, r.client.scheme)
	r.mu.Lock()
	defer r.mu.Unlock()
	if request.Upgrade != "" {
		if err := x.awaitSettings(); err != nil {
			return err
		}
	}
	if r.broken != nil || r.leaving {
		return &unprocessedError{err: errors.Join(errors.New("the connection ended"), r.broken), certain: true}
	}
	switch x.makeRoom(); {
	case x.err != nil:
		return x.err
	case r.broken != nil:
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

// awaitSettings waits for the endpoint to say whether it knows extended CONNECT; the lock is held.
func (x *call) awaitSettings() error {
	r := x.on
	r.flush(false)
	for !r.told && r.broken == nil && x.err == nil {
		r.out.room.Wait()
	}
	switch {
	case x.err != nil:
		return x.err
	case r.broken == nil && !r.connects:
		return errNoConnect
	}
	return nil
}

// appendRequest encodes the head of a request. A switch of protocols becomes an extended CONNECT (RFC 8441 section 4).
func appendRequest(to []byte, request *message.Request, host, scheme string) []byte {
	if request.Authority != "" {
		host = request.Authority
	}
	method := request.Method
	if request.Upgrade != "" {
		method = "CONNECT"
	}
	to = appendField(to, ":method", method)
	to = appendField(to, ":scheme", scheme)
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
	if request.Upgrade == "" && request.Length >= 0 && (request.Body != nil || message.ExpectsContent(request.Method)) {
		var digits [20]byte
		to = appendField(to, "content-length", strconv.AppendInt(digits[:0], request.Length, 10))
	}
	return to
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

// refuses says what is wrong with content of a size at this point of the response, or that nobody wants it.
func (x *call) refuses(size int64) error {
	switch {
	case x.err != nil:
		return x.err
	case size > x.body.window:
		return errFlow
	case x.remoteEnded:
		return errClosed
	case !x.answered:
		return errMalformed
	}
	return nil
}

// takeData takes content of the response.
func (x *call) takeData(f *http2.DataFrame) {
	size, data := int64(f.Length), f.Data()
	x.body.window -= size
	if !x.body.add(data) {
		x.link.giveBack(size)
	} else if padding := size - int64(len(data)); padding > 0 {
		x.body.giveBack(padding)
	}
	if x.body.exceeds() {
		x.fail(errContentLength)
	}
	if f.StreamEnded() {
		x.endResponse()
	}
	x.wake.Broadcast()
}

func (x *call) endIfBoth() {
	if x.sent && x.remoteEnded {
		x.open = false
		delete(x.on.calls, x.id)
	}
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
			r.owed += x.body.window
		}
	}
	x.over = true
	if x.id != 0 {
		x.body.discard()
	}
	r.unreserve()
	r.flush(true)
}
