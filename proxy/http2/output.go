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
func (c *conn) flush(yield bool) {
	o := &c.out
	if o.writing || o.pending == nil {
		return
	}
	o.writing = true
	if yield {
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
	}
	for o.pending != nil && c.broken == nil {
		pending := o.pending
		o.pending = nil
		o.since = clock()
		c.mu.Unlock()
		_, err := c.conn.Write(*pending)
		release(pending)
		c.mu.Lock()
		o.since = 0
		if err != nil {
			c.breakOff(err)
		}
		o.room.Broadcast()
	}
	o.writing = false
}

// makeRoom waits until little enough is pending. It is false when the connection has broken.
func (c *conn) makeRoom() bool {
	for c.broken == nil && c.out.size() >= outputHigh {
		if !c.out.writing {
			c.flush(false)
			continue
		}
		c.out.room.Wait()
	}
	return c.broken == nil
}

// sendHead appends a header section; the lock is held.
func (c *conn) sendHead(block []byte, stream uint32, end bool) {
	out := c.out.append()
	if !c.out.begun {
		c.out.begun = true
		block = append([]byte{tableless}, block...)
	}
	c.out.put(appendHead(out, block, stream, end, c.peer.maxFrame))
}

func (c *conn) sendReset(stream uint32, code http2.ErrCode) {
	out := appendFrameHead(c.out.append(), 4, http2.FrameRSTStream, 0, stream)
	c.out.put(appendUint32(out, uint32(code)))
}

func (c *conn) sendWindow(stream, increment uint32) {
	out := appendFrameHead(c.out.append(), 4, http2.FrameWindowUpdate, 0, stream)
	c.out.put(appendUint32(out, increment))
}

func (c *conn) sendPing(ack bool, data [8]byte) {
	flags := http2.Flags(0)
	if ack {
		flags = http2.FlagPingAck
	}
	out := appendFrameHead(c.out.append(), len(data), http2.FramePing, flags, 0)
	c.out.put(append(out, data[:]...))
}

func (c *conn) sendGoAway(last uint32, code http2.ErrCode) {
	out := appendFrameHead(c.out.append(), 8, http2.FrameGoAway, 0, 0)
	out = appendUint32(out, last)
	c.out.put(appendUint32(out, uint32(code)))
}

// sendSettings begins the connection (RFC 9113 section 3.4).
func (c *conn) sendSettings() {
	settings := []http2.Setting{
		{ID: http2.SettingMaxConcurrentStreams, Val: c.limits.MaxConcurrentStreams},
		{ID: http2.SettingInitialWindowSize, Val: streamWindow},
		{ID: http2.SettingMaxHeaderListSize, Val: uint32(min(c.limits.MaxHeaderBytes, 1<<30))},
		{ID: http2.SettingEnableConnectProtocol, Val: 1},
	}
	out := appendFrameHead(c.out.append(), 6*len(settings), http2.FrameSettings, 0, 0)
	for _, setting := range settings {
		out = append(out, byte(setting.ID>>8), byte(setting.ID))
		out = appendUint32(out, setting.Val)
	}
	c.out.put(out)
	c.sendWindow(0, connWindow-initialWindow)
}

func (c *conn) sendSettingsAck() {
	c.out.put(appendFrameHead(c.out.append(), 0, http2.FrameSettings, http2.FlagSettingsAck, 0))
}
