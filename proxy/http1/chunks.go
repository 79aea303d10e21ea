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
	"bytes"
	"errors"
	"io"
	"math"
	"strings"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/syntax"
)

const (
	// maxChunkLine bounds the line before a chunk: its size and its extensions.
	maxChunkLine = 1 << 10
	// maxExtensions bounds the extensions of all chunks of a message together. RFC 9112 section 7.1.1: "A server ought
	// to limit the total length of chunk extensions received in a request".
	maxExtensions = 16 << 10
)

// chunkState is where in chunked content (RFC 9112 section 7.1) reading is.
type chunkState struct {
	next       chunkPart
	total      int64 // bytes of content
	extensions int   // bytes of extensions
	section    int   // bytes of the trailer section
	lines      int   // of it
	trailers   *message.Fields
}

type chunkPart int

const (
	chunkSize chunkPart = iota
	chunkData
	chunkEnd
	chunkTrailer
)

// readChunks takes as much content as is there, and waits only when there is none.
func (c *content) readChunks(p []byte) (int, error) {
	n := 0
	for {
		if c.chunks.next == chunkData {
			taken, err := c.readChunk(p[n:], n == 0)
			n += taken
			if err != nil || n == len(p) || c.left > 0 {
				return n, err
			}
			continue
		}
		line, found, err := c.line()
		if err != nil {
			return n, err
		}
		if found {
			if err := c.chunkLine(line); err != nil {
				return n, err
			}
			continue
		}
		if n > 0 {
			return n, nil
		}
		if err := c.more(); err != nil {
			return 0, err
		}
	}
}

// more waits for bytes.
func (c *content) more() error {
	err := c.wire.fill(c.limits.timeout)
	switch {
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case errors.Is(err, errFull):
		return errHeadTooLarge // A trailer line; others are refused before.
	}
	return err
}

// readChunk takes bytes of the chunk; when there are none it waits, or gives none.
func (c *content) readChunk(p []byte, wait bool) (int, error) {
	if !wait && len(c.wire.buffered()) == 0 || len(p) == 0 {
		return 0, nil
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.wire.take(p, c.limits.timeout)
	c.left -= int64(n)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if c.left == 0 {
		c.chunks.next = chunkEnd
	}
	return n, err
}

// line takes a line without its CRLF, if there is a whole one. It is valid until the wire is filled.
func (c *content) line() (line []byte, found bool, err error) {
	data := c.wire.buffered()
	at := bytes.IndexByte(data, '\n')
	if at < 0 {
		if c.chunks.next == chunkEnd && (len(data) > 1 || len(data) == 1 && data[0] != '\r') {
			return nil, false, errChunkEnd
		}
		if c.chunks.next == chunkSize && len(data) > maxChunkLine {
			return nil, false, errChunkLine
		}
		return nil, false, nil
	}
	c.wire.r += at + 1
	if at == 0 || data[at-1] != '\r' {
		return nil, false, errBareLF
	}
	return data[:at-1], true, nil
}

// chunkLine deals with a line that is not content.
func (c *content) chunkLine(line []byte) error {
	switch c.chunks.next {
	case chunkEnd:
		c.chunks.next = chunkSize
		if len(line) > 0 {
			return errChunkEnd
		}
		return nil
	case chunkTrailer:
		return c.trailer(line)
	}
	size, err := c.size(line)
	if err != nil {
		return err
	}
	if size == 0 {
		c.chunks.next = chunkTrailer
		return nil
	}
	if size > math.MaxInt64-c.chunks.total {
		return errChunkSize
	}
	c.chunks.total += size
	if c.limits.size > 0 && c.chunks.total > c.limits.size {
		return errBodyTooLarge
	}
	c.chunks.next, c.left = chunkData, size
	return nil
}

// size reads chunk-size [ chunk-ext ]. Extensions are bounded and dropped. Whitespace before them, which the grammar has
// as "bad whitespace", is refused.
func (c *content) size(line []byte) (int64, error) {
	if len(line) > maxChunkLine {
		return 0, errChunkLine
	}
	size, i := uint64(0), 0
	for i < len(line) && syntax.HexDigit(line[i]) >= 0 {
		size = size<<4 | uint64(syntax.HexDigit(line[i]))
		i++
	}
	if i == 0 || i > 16 || size > math.MaxInt64 {
		return 0, errChunkSize
	}
	extensions := line[i:]
	if len(extensions) == 0 {
		return int64(size), nil
	}
	if extensions[0] != ';' || !syntax.All(extensions, syntax.Value) {
		return 0, errChunkSize
	}
	if c.chunks.extensions += len(extensions); c.chunks.extensions > maxExtensions {
		return 0, errChunkLine
	}
	return int64(size), nil
}

// trailer takes a line of the trailer section; io.EOF at its end.
func (c *content) trailer(line []byte) error {
	if len(line) == 0 {
		return io.EOF
	}
	c.chunks.section += len(line) + 2
	c.chunks.lines++
	if c.chunks.section > c.limits.trailers || c.chunks.lines > c.limits.fields {
		return errHeadTooLarge
	}
	field, err := parseField(line)
	if err != nil {
		return err
	}
	if !syntax.ForbiddenTrailer(field.Name) {
		// The line will be overwritten; trailers are rare enough to be copied.
		c.chunks.trailers.Add(strings.Clone(field.Name), strings.Clone(field.Value))
	}
	return nil
}
