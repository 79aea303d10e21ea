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
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// contentKind is how the end of content is known (RFC 9112 section 6.3).
type contentKind int

const (
	noContent contentKind = iota
	byLength
	byChunks
	byClose
)

// contentLimits bound content; 0 is no limit for size.
type contentLimits struct {
	size     int64 // bytes of content
	trailers int   // bytes of the trailer section
	fields   int   // lines of it
	timeout  time.Duration
}

// content reads the content of one message from a wire, and stops at its end.
type content struct {
	wire   *wire
	kind   contentKind
	limits contentLimits
	left   int64 // bytes of the content, or of the chunk
	chunks chunkState
	err    error // the end or the failure, once there is one
}

// begin makes c the content that follows in the wire.
func (c *content) begin(w *wire, kind contentKind, length int64, limits contentLimits, trailers *message.Fields) {
	*c = content{wire: w, kind: kind, limits: limits, left: length}
	if kind == noContent {
		c.err = io.EOF
	}
	if kind == byChunks {
		c.left = 0
		c.chunks.trailers = trailers
	}
}

// ended says whether the content was read to its end.
func (c *content) ended() bool { return errors.Is(c.err, io.EOF) }

// failed says whether reading the content has failed.
func (c *content) failed() bool { return c.err != nil && !c.ended() }

// Buffered is how many bytes at most Read gives without waiting.
func (c *content) Buffered() int {
	if c.err != nil {
		return 0
	}
	return len(c.wire.buffered())
}

// Read gives io.EOF together with the last bytes when it can.
func (c *content) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	var n int
	switch c.kind {
	case byChunks:
		n, c.err = c.readChunks(p)
	case byLength:
		n, c.err = c.readLength(p)
	default:
		n, c.err = c.wire.take(p, c.limits.timeout)
	}
	return n, c.err
}

func (c *content) readLength(p []byte) (int, error) {
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.wire.take(p, c.limits.timeout)
	c.left -= int64(n)
	if c.left == 0 {
		return n, io.EOF
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
