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
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/rauta-dev/rauta/proxy/message"
)

// maxStreams is how many requests share a connection to an endpoint, if it allows as many.
const maxStreams = 128

const (
	// carriedWindow is what an endpoint may send of a response's content before it is read.
	carriedWindow = 64 << 10
	// carrierWindow is for all of them. The responses of a connection go to clients that have nothing to do with each
	// other: those whose clients do not read must leave room for the others, however many they are.
	carrierWindow = 2 * maxStreams * carriedWindow
)

// carrier is one connection to an endpoint.
type carrier struct {
	link
	client *Client
	framer *http2.Framer
	head   head // of the goroutine that reads

	// The link's lock guards what follows.
	calls     map[uint32]*call
	reserved  uint32 // calls, and those that are about to be
	owed      int64  // bytes of content that may still come for calls that were given up
	allowed   uint32 // by the endpoint
	next      uint32
	leaving   bool  // no more calls
	connects  bool  // the endpoint knows extended CONNECT
	told      bool  // its settings have come
	born      int64 // on clock's scale
	idleSince int64
	headSince int64
}

func newCarrier(client *Client, conn net.Conn, limits *message.ClientLimits) *carrier {
	r := &carrier{client: client, born: clock(), calls: make(map[uint32]*call), allowed: maxStreams, next: 1}
	r.attach(conn, r.wakeAll, grants{carriedWindow, carrierWindow})
	r.outlives, r.apart = true, true
	r.framer = http2.NewFramer(nil, bufio.NewReaderSize(conn, inputSize))
	r.framer.SetReuseFrames()
	r.framer.SetMaxReadFrameSize(maxFrame)
	r.head.decoder = hpack.NewDecoder(maxTableSize, r.head.take)
	r.idleSince = clock()
	preface := append(r.out.append(), http2.ClientPreface...)
	r.out.put(preface)
	r.sendSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: carriedWindow},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: uint32(min(limits.MaxHeaderBytes, 1<<30))},
	)
	return r
}

func (r *carrier) wakeAll() {
	for _, x := range r.calls {
		x.wake.Broadcast()
	}
}

// reserve takes a place for a call; false when there is none.
func (r *carrier) reserve() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.leaving || r.broken != nil || r.reserved >= min(r.allowed, maxStreams) || r.next > maxWindow-2*maxStreams {
		return false
	}
	r.reserved++
	return true
}

// unreserve gives a place back; the lock is held.
func (r *carrier) unreserve() {
	r.reserved--
	r.idleSince = clock()
	if r.leaving && r.reserved == 0 {
		r.breakOff(net.ErrClosed)
	}
}

// closeIfIdle closes a connection without calls that has been so for long enough.
func (r *carrier) closeIfIdle(idle time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reserved == 0 && clock()-r.idleSince >= int64(idle) {
		r.leaving = true
		r.breakOff(net.ErrClosed)
	}
}

// look ends what takes too long.
func (r *carrier) look(now int64) {
	limits := r.client.limits.Load()
	r.closeIfIdle(limits.IdleTimeout)
	r.mu.Lock()
	defer r.mu.Unlock()
	over := func(since int64, limit time.Duration) bool {
		return since != 0 && limit > 0 && now-since > int64(limit)
	}
	if over(r.out.since, limits.WriteTimeout) || over(r.headSince, limits.WriteTimeout) || !r.told && over(r.born, limits.ConnectTimeout) {
		r.breakOff(&message.TimeoutError{What: "the endpoint takes or sends nothing"})
		return
	}
	for _, x := range r.calls {
		hurried := !x.request.Unhurried
		switch {
		case hurried && over(x.askedSince, limits.HeaderTimeout):
			x.fail(&message.TimeoutError{What: "response head"})
		case hurried && over(x.body.since, limits.BodyTimeout):
			x.fail(&message.TimeoutError{What: "response body"})
		case over(x.blocked, limits.WriteTimeout):
			x.stalled = true
			x.wake.Broadcast()
		}
	}
}

// read reads frames until the connection is over.
func (r *carrier) read() {
	err := r.readFrames()
	r.mu.Lock()
	if code, tell := reason(err); tell && r.broken == nil {
		r.sendGoAway(0, code)
		r.flush(false)
		r.awaitWritten()
	}
	r.leaving = true
	switch {
	case r.broken != nil:
		err = r.broken
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	if !message.IsTimeout(err) {
		err = &unprocessedError{err: err}
	}
	for _, x := range r.calls {
		x.fail(err)
	}
	r.breakOff(err)
	r.mu.Unlock()
	r.client.forget(r)
}

func (r *carrier) readFrames() error {
	for first := true; ; first = false {
		header, err := r.framer.ReadFrameHeader()
		if err != nil {
			return err
		}
		frame, err := r.framer.ReadFrameForHeader(header)
		if err == nil {
			err = r.take(frame, first)
		}
		var wrong http2.StreamError
		if errors.As(err, &wrong) {
			err = r.takeWrong(header, wrong)
		}
		if err != nil {
			return err
		}
	}
}

// takeWrong ends the call that a wrong frame is for. RFC 9113 section 5.4.2: "A stream error is an error related to a
// specific stream that does not affect processing of other streams." That of a header section which was not decoded does.
func (r *carrier) takeWrong(header http2.FrameHeader, wrong http2.StreamError) error {
	if header.Type == http2.FrameHeaders {
		return errProtocol
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	x := r.calls[wrong.StreamID]
	if x == nil {
		return r.late(wrong.StreamID)
	}
	x.fail(wrong)
	return r.pay(costReset)
}

func (r *carrier) take(frame http2.Frame, first bool) error {
	if settings, ok := frame.(*http2.SettingsFrame); first && (!ok || settings.IsAck()) {
		return errProtocol
	}
	if headers, ok := frame.(*http2.HeadersFrame); ok {
		return r.takeHead(headers)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.flush(false)
	switch f := frame.(type) {
	case *http2.DataFrame:
		return r.takeData(f)
	case *http2.RSTStreamFrame:
		return r.takeReset(f)
	case *http2.SettingsFrame:
		return r.takeSettings(f)
	case *http2.PingFrame:
		if err := r.pay(costFrame); err != nil || f.IsAck() {
			return err
		}
		if r.makeRoom() {
			r.sendPing(true, f.Data)
		}
		return nil
	case *http2.WindowUpdateFrame:
		return r.takeWindow(f)
	case *http2.GoAwayFrame:
		r.takeGoAway(f)
	case *http2.PushPromiseFrame:
		return errProtocol // It was told not to.
	}
	return r.pay(costFrame)
}

func (r *carrier) takeSettings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return r.pay(costFrame)
	}
	if err := r.pay(costSettings); err != nil {
		return err
	}
	if err := f.ForeachSetting(r.takeSetting); err != nil {
		return err
	}
	r.told = true
	r.out.room.Broadcast()
	r.wakeAll()
	if r.makeRoom() {
		r.sendSettingsAck()
	}
	return nil
}

func (r *carrier) takeSetting(setting http2.Setting) error {
	if err := setting.Valid(); err != nil {
		return err
	}
	switch setting.ID {
	case http2.SettingMaxFrameSize:
		r.peer.maxFrame = int(min(setting.Val, outputHigh))
	case http2.SettingMaxConcurrentStreams:
		r.allowed = setting.Val
	case http2.SettingEnableConnectProtocol:
		r.connects = setting.Val == 1
	case http2.SettingInitialWindowSize:
		grown := int64(setting.Val) - r.peer.window
		r.peer.window = int64(setting.Val)
		for _, x := range r.calls {
			if x.window += grown; x.window > maxWindow {
				return errFlow
			}
		}
	}
	return nil
}

func (r *carrier) takeWindow(f *http2.WindowUpdateFrame) error {
	if err := r.pay(costFrame); err != nil {
		return err
	}
	if f.StreamID == 0 {
		starved := r.peer.conn <= 0
		if r.peer.conn += int64(f.Increment); r.peer.conn > maxWindow {
			return errFlow
		}
		if starved {
			r.wakeAll()
		}
		return nil
	}
	x := r.calls[f.StreamID]
	if x == nil {
		return r.late(f.StreamID)
	}
	if x.window += int64(f.Increment); x.window > maxWindow {
		x.fail(errFlow) // RFC 9113 section 6.9.1: of a stream, the error is the stream's.
	}
	x.wake.Broadcast()
	return nil
}

// late is for frames of calls that have ended: those of calls that never were are an error.
func (r *carrier) late(id uint32) error {
	if id >= r.next || id%2 == 0 {
		return errProtocol
	}
	return r.pay(costFrame)
}

func (r *carrier) takeReset(f *http2.RSTStreamFrame) error {
	x := r.calls[f.StreamID]
	if x == nil {
		return r.late(f.StreamID)
	}
	x.over = true
	err := fmt.Errorf("the endpoint reset the stream: %v", f.ErrCode)
	switch {
	case f.ErrCode == http2.ErrCodeRefusedStream:
		x.fail(&unprocessedError{err: err, certain: true})
	case f.ErrCode == http2.ErrCodeNo && x.remoteEnded:
		x.wake.Broadcast() // It does not want the rest of the request.
	default:
		x.fail(err)
	}
	return r.pay(costFrame)
}

// takeGoAway: RFC 9113 section 6.8: streams above the last one "were not or will not be processed".
func (r *carrier) takeGoAway(f *http2.GoAwayFrame) {
	r.leaving = true
	for id, x := range r.calls {
		if id > f.LastStreamID {
			x.over = true
			x.fail(&unprocessedError{err: fmt.Errorf("the endpoint leaves: %v", f.ErrCode), certain: true})
		}
	}
	if r.reserved == 0 {
		r.breakOff(net.ErrClosed)
	}
}

func (r *carrier) takeData(f *http2.DataFrame) error {
	size := int64(f.Length)
	if size > r.window {
		return errFlow
	}
	r.window -= size
	x := r.calls[f.StreamID]
	if x == nil {
		r.giveBack(size)
		return r.lateData(f.StreamID, size)
	}
	if err := x.refuses(size); err != nil {
		r.giveBack(size)
		x.fail(err)
		return r.pay(costFrame)
	}
	x.takeData(f)
	if len(f.Data()) == 0 && !f.StreamEnded() {
		return r.pay(costFrame)
	}
	r.budget.earn(costFrame)
	return nil
}

// lateData is for content of a call that has ended. What was on its way when the call was given up is nobody's fault.
func (r *carrier) lateData(id uint32, size int64) error {
	if r.owed >= size && id < r.next {
		r.owed -= size
		return nil
	}
	return r.late(id)
}

// decode decodes a header section, in the time that it has.
func (r *carrier) decode(f *http2.HeadersFrame) error {
	if f.HeadersEnded() {
		return r.head.decode(f, nil)
	}
	r.since(clock())
	defer r.since(0)
	return r.head.decode(f, r.framer.ReadFrame)
}

func (r *carrier) since(now int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.headSince = now
}
