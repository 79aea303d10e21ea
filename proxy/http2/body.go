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
	"sync"

	"github.com/rauta-dev/rauta/proxy/message"
)

const pieceSize = 8 << 10

// piece is pooled memory for content.
type piece [pieceSize]byte

var pieces = sync.Pool{New: func() any { return new(piece) }}

// body is content that has arrived and was not read. The link's lock guards it.
type body struct {
	half   *half
	pieces []*piece
	begins int // where the first piece is read
	ends   int // where the last one is filled
	size   int

	declared int64 // by Content-Length
	limit    int64 // 0 for none
	received int64
	window   int64 // what the client may send
	consumed int64 // what it may send more, but has not been told
	// err is what Read ends with behind what has arrived: io.EOF or a failure.
	err    error
	asks   *reply // the client waits for 100 (Continue), which this sends; else nil
	tunnel bool   // it is no content, but the client's side of a tunnel
	since  int64  // when a Read began to wait, on clock's scale
}

func (b *body) begin(declared, limit int64) {
	b.declared, b.limit, b.received, b.window, b.consumed = declared, limit, 0, b.half.link.grants.stream, 0
	b.err, b.asks, b.tunnel, b.since = nil, nil, false, 0
}

func (b *body) reset() {
	*b = body{pieces: b.pieces[:0]}
}

// add keeps what has arrived. It is false when nobody will read it.
func (b *body) add(data []byte) bool {
	b.received += int64(len(data))
	if b.limit > 0 && b.received > b.limit && !b.tunnel {
		b.fail(errLargeBody)
	}
	if b.err != nil {
		return false
	}
	b.size += len(data)
	for len(data) > 0 {
		if len(b.pieces) == 0 || b.ends == pieceSize {
			b.pieces = append(b.pieces, pieces.Get().(*piece))
			b.ends = 0
		}
		n := copy(b.pieces[len(b.pieces)-1][b.ends:], data)
		b.ends += n
		data = data[n:]
	}
	return true
}

// exceeds says that more has come than was declared.
func (b *body) exceeds() bool {
	return b.declared != message.UnknownLength && b.received > b.declared
}

// end notes that all has arrived.
func (b *body) end() {
	if b.err == nil {
		b.err = io.EOF
	}
	b.asks = nil
}

// fail ends content that has not arrived in full.
func (b *body) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

// Buffered is how many bytes can be read without waiting.
func (b *body) Buffered() int {
	b.half.link.mu.Lock()
	defer b.half.link.mu.Unlock()
	return b.size
}

// Read reads content. Errors other than io.EOF are a *message.ContentError.
func (b *body) Read(p []byte) (int, error) {
	l := b.half.link
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	if b.asks != nil && b.size == 0 && b.err == nil {
		b.asks.proceed()
		b.asks = nil
	}
	for b.size == 0 && b.err == nil {
		if !b.tunnel {
			b.since = clock()
		}
		b.half.wake.Wait()
	}
	b.since = 0
	// Content that is not whole is given up; so is what has arrived of it.
	if b.err != nil && (b.size == 0 || !errors.Is(b.err, io.EOF)) {
		return 0, b.err
	}
	n := b.move(p)
	b.giveBack(int64(n))
	l.flush(false)
	if b.size == 0 && errors.Is(b.err, io.EOF) {
		return n, io.EOF
	}
	return n, nil
}

// move copies what has arrived.
func (b *body) move(p []byte) int {
	total := 0
	for b.size > 0 && total < len(p) {
		end := pieceSize
		if len(b.pieces) == 1 {
			end = b.ends
		}
		n := copy(p[total:], b.pieces[0][b.begins:end])
		total += n
		b.size -= n
		if b.begins += n; b.begins == end {
			b.shift()
		}
	}
	return total
}

// shift releases the first piece.
func (b *body) shift() {
	pieces.Put(b.pieces[0])
	copy(b.pieces, b.pieces[1:])
	b.pieces[len(b.pieces)-1] = nil
	b.pieces = b.pieces[:len(b.pieces)-1]
	b.begins = 0
}

// giveBack lets the client send as much again.
func (b *body) giveBack(size int64) {
	s := b.half
	s.link.giveBack(size)
	b.consumed += size
	if b.consumed >= s.link.grants.stream/4 && s.open && !s.remoteEnded && s.link.broken == nil {
		s.link.sendWindow(s.id, uint32(b.consumed))
		b.window += b.consumed
		b.consumed = 0
	}
}

// discard drops what nobody has read. The connection's window is given back; the stream has ended.
func (b *body) discard() {
	unread := int64(b.size)
	for len(b.pieces) > 0 {
		b.shift()
	}
	b.size = 0
	b.fail(errInterrupted)
	b.half.link.giveBack(unread)
}

// Interrupt ends a Read that waits, and all that follow, unless the end has arrived.
func (b *body) Interrupt() {
	b.half.link.mu.Lock()
	defer b.half.link.mu.Unlock()
	b.fail(errInterrupted)
	b.half.wake.Broadcast()
}
