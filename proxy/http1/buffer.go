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

import "sync"

const (
	// bufferSize holds a usual head and some content.
	bufferSize = 8 << 10
	// contentRoom is what must be left of a buffer behind a head for reading content; a chunk line or a trailer line
	// that is longer is refused.
	contentRoom = 4 << 10
	// copySize is for content that does not fit into a buffer.
	copySize = 64 << 10
	// sendSize is for a head with content that goes with it, and the most that is written at once.
	sendSize = bufferSize + copySize
)

// buffer is pooled memory.
type buffer struct{ bytes []byte }

var (
	buffers = sync.Pool{New: func() any { return &buffer{make([]byte, bufferSize)} }}
	copies  = sync.Pool{New: func() any { return &buffer{make([]byte, copySize)} }}
	sends   = sync.Pool{New: func() any { return &buffer{make([]byte, sendSize)} }}
)

func newBuffer() *buffer { return buffers.Get().(*buffer) }

// release gives a buffer back; one that has grown for a large head is not kept.
func (b *buffer) release() {
	if b == nil {
		return
	}
	switch len(b.bytes) {
	case bufferSize:
		buffers.Put(b)
	case sendSize:
		sends.Put(b)
	}
}

// grown gives a buffer of twice the size with the same bytes.
func (b *buffer) grown() *buffer {
	larger := &buffer{make([]byte, 2*len(b.bytes))}
	copy(larger.bytes, b.bytes)
	b.release()
	return larger
}
