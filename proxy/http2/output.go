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
	"runtime"
	"sync"

	"golang.org/x/net/http2"
)

const (
	// outputHigh is how many bytes may wait to be written before senders do.
	outputHigh = 64 << 10
	// outputKept is the capacity up to which an output is pooled.
	outputKept = 2 * outputHigh
)

var outputs = sync.Pool{New: func() any { return new([]byte) }}

// output is what waits to be written to one connection. The connection's lock guards it.
type output struct {
	pending *[]byte // nil when there is nothing
	// writing is true while somebody writes, or is about to.
	writing bool
	since   int64 // when the write that runs began, on clock's scale; 0 when none does
	// room is for those who wait until less is pending.
	room sync.Cond
	// begun is true when the peer has been told that no table is used.
	begun bool
}

// append gives the bytes to append to; put stores them. The lock is held from one to the other.
func (o *output) append() []byte {
	if o.pending == nil {
		o.pending = outputs.Get().(*[]byte)
	}
	return *o.pending
}

func (o *output) put(bytes []byte) { *o.pending = bytes }

func (o *output) size() int {
	if o.pending == nil {
		return 0
	}
	return len(*o.pending)
}

func release(bytes *[]byte) {
	if cap(*bytes) > outputKept {
		return
	}
	*bytes = (*bytes)[:0]
	outputs.Put(bytes)
}

// flush writes what is pending, unless somebody else does. The lock is held, and given up meanwhile. With yield, those
// who could send now are let run first.
func (l *link) flush(yield bool) {
	o := &l.out
	if o.writing || o.pending == nil {
		return
	}
	o.writing = true
	if !l.apart {
		l.writePending(yield)
		return
	}
	go func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.writePending(yield)
	}()
}

func (l *link) writePending(yield bool) {
	o := &l.out
	if yield {
		l.mu.Unlock()
		runtime.Gosched()
		l.mu.Lock()
	}
	for o.pending != nil && l.broken == nil {
		pending := o.pending
		o.pending = nil
		o.room.Broadcast() // Now, and not when the peer has taken it: it may take long.
		o.since = clock()
		l.mu.Unlock()
		_, err := l.conn.Write(*pending)
		release(pending)
		l.mu.Lock()
		o.since = 0
		if err != nil {
			l.writeFailed(err)
		}
		o.room.Broadcast()
	}
	o.writing = false
}

// makeRoom waits until little enough is pending. It is false when the connection has broken.
func (l *link) makeRoom() bool {
	for l.broken == nil && l.out.size() >= outputHigh {
		l.awaitRoom()
	}
	return l.broken == nil
}

// makeRoom is the link's, for as long as the stream is not given up.
func (h *half) makeRoom() bool {
	for l := h.link; l.broken == nil && !h.givenUp && l.out.size() >= outputHigh; {
		l.awaitRoom()
	}
	return h.link.broken == nil && !h.givenUp
}

// awaitRoom waits until some of what is pending has been written, or whoever waits is to look again.
func (l *link) awaitRoom() {
	if l.out.writing {
		l.out.room.Wait()
		return
	}
	l.flush(false)
}

// awaitWritten waits until nothing is being written.
func (l *link) awaitWritten() {
	for l.out.writing && l.broken == nil {
		l.out.room.Wait()
	}
}

// sendHead appends a header section; the lock is held.
func (l *link) sendHead(block []byte, stream uint32, end bool) {
	out := l.out.append()
	if !l.out.begun {
		l.out.begun = true
		block = append([]byte{tableless}, block...)
	}
	l.out.put(appendHead(out, block, stream, end, l.peer.maxFrame))
}

func (l *link) sendReset(stream uint32, code http2.ErrCode) {
	out := appendFrameHead(l.out.append(), 4, http2.FrameRSTStream, 0, stream)
	l.out.put(appendUint32(out, uint32(code)))
}

func (l *link) sendWindow(stream, increment uint32) {
	out := appendFrameHead(l.out.append(), 4, http2.FrameWindowUpdate, 0, stream)
	l.out.put(appendUint32(out, increment))
}

func (l *link) sendPing(ack bool, data [8]byte) {
	flags := http2.Flags(0)
	if ack {
		flags = http2.FlagPingAck
	}
	out := appendFrameHead(l.out.append(), len(data), http2.FramePing, flags, 0)
	l.out.put(append(out, data[:]...))
}

func (l *link) sendGoAway(last uint32, code http2.ErrCode) {
	out := appendFrameHead(l.out.append(), 8, http2.FrameGoAway, 0, 0)
	out = appendUint32(out, last)
	l.out.put(appendUint32(out, uint32(code)))
}

// sendSettings begins the connection (RFC 9113 section 3.4).
func (l *link) sendSettings(settings ...http2.Setting) {
	out := appendFrameHead(l.out.append(), 6*len(settings), http2.FrameSettings, 0, 0)
	for _, setting := range settings {
		out = append(out, byte(setting.ID>>8), byte(setting.ID))
		out = appendUint32(out, setting.Val)
	}
	l.out.put(out)
	l.sendWindow(0, uint32(l.grants.all-initialWindow))
}

func (l *link) sendSettingsAck() {
	l.out.put(appendFrameHead(l.out.append(), 0, http2.FrameSettings, http2.FlagSettingsAck, 0))
}
