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
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// maxInterims is how many interim responses one request may get.
const maxInterims = 32

// upstream is one connection to an endpoint, with the exchange that it carries.
type upstream struct {
	wire
	client    *Client
	limits    *message.ClientLimits // of the exchange
	idleSince int64                 // on clock's scale

	// The exchange.
	out      *buffer
	response message.Response
	frame    framing
	trailers message.Fields
	content  content
	sender   *sender // while content is being sent
	context  *message.Cancellation
	stop     func() bool // of context.AfterFunc, for other contexts
	// keeps is true when the connection can carry another exchange after this one.
	keeps bool
	// below is the socket of a connection over TLS; nil without TLS.
	below syscall.RawConn

	// step is onSocket, made a function once; what it does and what came of it.
	step    func(fd uintptr) bool
	pending *message.Request // not sent yet
	left    int64            // of its content, not sent yet
	await   bool
	found   error

	// headBy is when the head of the response must have come, on clock's scale; 0 while that is not known, or for never.
	headBy int64

	mu       sync.Mutex
	awaiting bool // the head of the response
}

// staleError says that a connection that had been kept was closed by the endpoint.
type staleError struct {
	err error
	// sent is true when the endpoint may have seen the request.
	sent bool
}

func (e *staleError) Error() string { return "kept connection: " + e.err.Error() }

func (u *upstream) roundTrip(
	ctx context.Context, request *message.Request, inform func(status int, fields *message.Fields) error,
) (*message.Response, error) {
	u.limits = u.client.limits.Load()
	if request.Unhurried {
		u.limits = u.client.patient.Load()
	}
	u.attach(ctx)
	u.keeps = true
	u.out = newBuffer()
	err := u.begin(request)
	if err == nil {
		err = u.readResponse(request, inform)
	}
	u.out.release()
	u.out = nil
	if err != nil {
		return nil, u.fail(err)
	}
	return &u.response, nil
}

// attach has the end of ctx interrupt the exchange.
func (u *upstream) attach(ctx context.Context) {
	if own, ok := ctx.(*message.Cancellation); ok {
		u.context = own
		own.Attach(u)
		return
	}
	if ctx.Done() != nil {
		u.stop = context.AfterFunc(ctx, u.Interrupt)
	}
}

func (u *upstream) detach() {
	if u.context != nil {
		u.context.Detach()
		u.context = nil
	}
	if u.stop != nil {
		if !u.stop() {
			u.keeps = false // It is interrupted, or about to be.
		}
		u.stop = nil
	}
	if u.readEnded.Load() {
		u.keeps = false
	}
}

// begin sends the request, or begins to.
func (u *upstream) begin(request *message.Request) error {
	if u.below != nil && u.idleSince != 0 {
		if err := u.look(); err != nil {
			return u.broke(&staleError{err: err})
		}
	}
	u.pending, u.found = request, nil
	u.readWithin(u.limits.HeaderTimeout)
	err := u.exchange()
	u.pending = nil
	if err == nil {
		err = u.found
	}
	if err != nil {
		return u.broke(err)
	}
	if u.left == 0 {
		return nil
	}
	return u.sendRest(request, u.left)
}

// sendPending sends the request with what is at hand of its content, once the connection has shown that it is alive: content
// that was read could not go to another one.
func (u *upstream) sendPending() {
	request := u.pending
	u.pending = nil
	if fitsOne(request) {
		u.out.release()
		u.out = sends.Get().(*buffer)
	}
	head := appendRequest(u.out.bytes[:0], request, u.client.host)
	u.left, head = appendContent(head, request)
	if cap(head) > len(u.out.bytes) {
		u.out = &buffer{head[:cap(head)]} // It has grown, and will not go back to the pool.
	}
	u.await = u.left == 0
	if !u.await {
		u.readWithin(0)
	}
	u.headBy = u.readBy
	if u.write(head, u.limits.WriteTimeout) != nil {
		u.await = false // RFC 9112 section 9.5: the endpoint may have answered before it closed.
	}
	u.out.release() // A response may take long.
	u.out = nil
}

// exchange sends what there is to send, and waits for the response if nothing follows.
func (u *upstream) exchange() error {
	if u.below != nil {
		u.sendPending() // The response is waited for when it is read.
		return nil
	}
	return u.raw.Read(u.step)
}

// onSocket is called when the socket may be readable: first at once, which shows whether a kept connection has been
// closed, or has bytes that belong to no response; if not, the request is sent, and when the response comes it is called
// again. So the look at a kept connection is the attempt to read that comes before waiting.
func (u *upstream) onSocket(fd uintptr) bool {
	if u.data == nil {
		u.data = newBuffer()
		u.r, u.w, u.base = 0, 0, 0
	}
	n, done, err := receive(fd, u.data.bytes)
	if u.pending == nil {
		woken()
		u.w, u.found = n, err
		return done
	}
	if done {
		if err == nil {
			err = errExtra
		}
		u.found = &staleError{err: err}
		return true
	}
	u.sendPending()
	if !u.await {
		return true
	}
	if !yield() {
		return false // The poller was asked before the look, so it tells of whatever comes after that.
	}
	u.w, done, u.found = receive(fd, u.data.bytes)
	return done
}

// broke says what an error means for a connection on which nothing of a response was read.
func (u *upstream) broke(err error) error {
	var stale *staleError
	if errors.As(err, &stale) {
		if u.idleSince == 0 {
			return stale.err
		}
		return err
	}
	if message.IsTimeout(err) {
		if u.readEnded.Load() {
			return errInterrupted
		}
		return &message.TimeoutError{What: "response head"}
	}
	return &staleError{err: err, sent: true}
}

// readResponse reads heads until that of the response.
func (u *upstream) readResponse(request *message.Request, inform func(int, *message.Fields) error) error {
	for range maxInterims {
		if err := u.readHead(); err != nil {
			return err
		}
		status := u.response.Status
		switch {
		case status == 101:
			return u.upgrade(request)
		case status >= 200:
			return u.deliver(request)
		}
		if _, _, err := delimit(request.Method, status, &u.frame); err != nil {
			return err
		}
		if status == 100 {
			u.sender.proceed(true)
			continue
		}
		if inform == nil {
			continue
		}
		if err := inform(status, &u.response.Fields); err != nil {
			return fmt.Errorf("pass interim response on: %w", err)
		}
	}
	return errInterims
}

// readHead reads one head.
func (u *upstream) readHead() error {
	u.response.Fields.Reset()
	var scan headScan
	for {
		data := u.buffered()
		size, err := 0, errIncomplete
		if len(data) > 0 {
			size, err = scan.next(data, headOfResponse(u.limits))
		}
		if err == nil {
			u.r += size
			u.pinOnce()
			return parseResponse(data[:size], &u.response, &u.frame)
		}
		if !errors.Is(err, errIncomplete) {
			return err
		}
		if err := u.fillHead(len(data) > 0); err != nil {
			return err
		}
	}
}

// pinOnce keeps a head in place. An interim one is of no use when the next is read.
func (u *upstream) pinOnce() {
	u.head.release()
	u.head, u.base = nil, 0
	u.pin()
}

// fillHead waits for more of a head.
func (u *upstream) fillHead(begun bool) error {
	err := u.fillTimed()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errFull):
		u.data = u.data.grown()
		return nil
	case begun && errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case begun && !message.IsTimeout(err):
		return err
	}
	return u.broke(err)
}

// fillTimed waits as long as the response's head may take. That time begins when the request has been sent; until then
// its sender has the deadline.
func (u *upstream) fillTimed() error {
	if u.sender == nil {
		return u.fillHeadBy()
	}
	u.mu.Lock()
	u.awaiting = true
	if !u.sender.finished {
		u.readBy = 0
		_ = u.conn.SetReadDeadline(time.Time{})
		if u.readEnded.Load() {
			_ = u.conn.SetReadDeadline(past)
		}
	}
	if u.sender.finished && u.headBy == 0 && u.limits.HeaderTimeout > 0 {
		u.headBy = clock() + int64(u.limits.HeaderTimeout)
	}
	u.mu.Unlock()
	err := u.fillHeadBy()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.awaiting = false
	u.readBy = unknown
	return err
}

// fillHeadBy waits for more of a head, which has its time as a whole: a byte of it brings no more.
func (u *upstream) fillHeadBy() error {
	if u.headBy == 0 {
		return u.fill(0)
	}
	left := time.Duration(u.headBy - clock())
	if left <= 0 {
		return os.ErrDeadlineExceeded
	}
	return u.fill(left)
}

// deliver makes the response ready for its receiver.
func (u *upstream) deliver(request *message.Request) error {
	r := &u.response
	kind, length, err := delimit(request.Method, r.Status, &u.frame)
	if err != nil {
		return err
	}
	u.sender.proceed(false)
	u.trailers.Reset()
	u.content.begin(&u.wire, kind, length, contentLimits{
		trailers: u.limits.MaxTrailerBytes, fields: u.limits.MaxFields, timeout: u.limits.BodyTimeout,
	}, &u.trailers)
	r.Length, r.Body, r.Trailers, r.Tunnel, r.Owner = length, nil, nil, nil, u
	if kind != noContent {
		r.Body = &u.content
	}
	if kind == byChunks {
		r.Trailers = &u.trailers
	}
	// A 204 that claims content may be followed by it.
	if u.frame.old || u.frame.close || kind == byClose || r.Status == 204 && u.frame.length > 0 {
		u.keeps = false
	}
	return nil
}

// upgrade hands over the connection. RFC 9110 section 15.2.2: "The server MUST generate an Upgrade header field in the
// response"; and only one that was asked may switch.
func (u *upstream) upgrade(request *message.Request) error {
	if request.Upgrade == "" || u.frame.old || u.frame.codings > 0 || u.frame.length > 0 {
		return errSwitch
	}
	u.keeps = false
	r := &u.response
	r.Length, r.Body, r.Trailers, r.Owner = 0, nil, nil, u
	r.Tunnel = newTunnel(&u.wire)
	if u.readEnded.Load() {
		return errInterrupted // The deadline that said so has just been removed.
	}
	return nil
}

// Close ends the exchange: the connection is kept if another one can follow.
func (u *upstream) Close() error {
	unread := !u.content.ended() && u.response.Tunnel == nil
	u.release(u.keeps && !unread)
	return nil
}

// fail ends the exchange after an error, and says what it was.
func (u *upstream) fail(err error) error {
	s := u.sender
	interrupted := u.readEnded.Load()
	u.release(false)
	if s != nil && s.content != nil {
		return s.content // The client's fault; what followed from it does not matter.
	}
	if interrupted && message.IsTimeout(err) {
		return errInterrupted
	}
	return err
}

func (u *upstream) release(keep bool) {
	if !u.sender.over() {
		keep = false
	}
	if !keep {
		u.shut()
	}
	u.sender.join()
	u.sender = nil
	u.detach()
	extra := len(u.buffered()) > 0
	u.drop()
	u.response.Fields.Reset()
	u.response = message.Response{Fields: u.response.Fields}
	if !keep {
		return
	}
	if extra || !u.keeps || !u.client.keep(u) {
		u.shut()
	}
}

// shut closes the connection: once, by whoever holds it.
func (u *upstream) shut() {
	_ = u.conn.Close()
	u.client.opened.Add(-1)
}
