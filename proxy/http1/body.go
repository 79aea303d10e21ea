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
	"fmt"
	"io"
	"strconv"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/socket"
)

// headRoom is what a head with a small body may take together: they are written at once.
const headRoom = 16 << 10

// available says whether some content can be had without waiting. The head waits for that content, and for no other.
func available(body io.Reader) int {
	if b, ok := body.(interface{ Buffered() int }); ok {
		return b.Buffered()
	}
	if b, ok := body.(interface{ Len() int }); ok {
		return b.Len()
	}
	return 0
}

// room makes space for size bytes behind what is to be written.
func (r *reply) room(size int) []byte {
	for cap(r.out)-len(r.out) < size {
		r.out = append(r.out[:cap(r.out)], 0)[:len(r.out)]
	}
	return r.out[len(r.out) : len(r.out)+size]
}

// copyLength sends content whose length the head has told.
func (r *reply) copyLength(response *message.Response) error {
	left := response.Length
	ended := left == 0
	for ready := available(response.Body); ready > 0 && !ended && len(r.out) < headRoom; ready = available(response.Body) {
		n, err := response.Body.Read(r.room(int(min(int64(ready), left, bufferSize))))
		r.out = r.out[:len(r.out)+n]
		left -= int64(n)
		if err != nil && !errors.Is(err, io.EOF) {
			return &message.BodyError{Err: err}
		}
		ended = left == 0
		if err != nil && !ended {
			return &message.BodyError{Err: io.ErrUnexpectedEOF}
		}
	}
	if ended {
		r.pending = true
		return nil
	}
	if err := r.writeHead(); err != nil {
		return err
	}
	return r.copyRest(response, left)
}

// copyRest passes on what comes; left is message.UnknownLength for content that ends with its reader.
func (r *reply) copyRest(response *message.Response, left int64) error {
	if body, ok := response.Body.(*content); ok && body.left == left {
		err := r.relay(body)
		if !errors.Is(err, socket.ErrUnspliced) {
			return err
		}
	}
	copied := copies.Get().(*buffer)
	defer copies.Put(copied)
	for left != 0 {
		piece := copied.bytes
		if left > 0 && left < int64(len(piece)) {
			piece = piece[:left]
		}
		n, err := response.Body.Read(piece)
		if n > 0 {
			if err := r.write(piece[:n]); err != nil {
				return fmt.Errorf("write response body: %w", err)
			}
		}
		if left > 0 {
			left -= int64(n)
		}
		switch {
		case err == nil:
		case !errors.Is(err, io.EOF):
			return &message.BodyError{Err: err}
		case left > 0:
			return &message.BodyError{Err: io.ErrUnexpectedEOF}
		default:
			return nil
		}
	}
	return nil
}

// relay passes on what comes without copying it. socket.ErrUnspliced says that it has to be copied.
func (r *reply) relay(body *content) error {
	c := r.exchange.conn
	joined := newRelay(body, &c.wire, c.limits.WriteTimeout)
	if joined.pipe == nil {
		return socket.ErrUnspliced
	}
	defer joined.release()
	err := joined.run()
	switch {
	case err == nil || errors.Is(err, socket.ErrUnspliced):
		return err
	case body.failed():
		return &message.BodyError{Err: err}
	}
	return fmt.Errorf("write response body: %w", err)
}

// copyUntilEnd sends content whose end is that of the connection.
func (r *reply) copyUntilEnd(response *message.Response) error {
	unended := &r.exchange.conn.unended
	unended.Store(true)
	err := r.writeHead()
	if err == nil {
		err = r.copyRest(response, message.UnknownLength)
	}
	unended.Store(err != nil)
	return err
}

// copyChunks sends content in chunks, each as large as what there was.
func (r *reply) copyChunks(response *message.Response) error {
	if available(response.Body) == 0 {
		if err := r.writeHead(); err != nil {
			return err
		}
		r.out = r.out[:0]
	}
	copied := copies.Get().(*buffer)
	defer copies.Put(copied)
	for {
		chunk, readErr := readChunk(copied.bytes, response.Body)
		if readErr != nil && !errors.Is(readErr, io.EOF) {
			return &message.BodyError{Err: readErr}
		}
		if readErr != nil {
			r.out = appendLastChunk(append(r.out, chunk...), response.Trailers)
			r.pending = true
			return nil
		}
		if len(r.out) > 0 {
			r.out = append(r.out, chunk...)
			chunk = r.out
		}
		if err := r.write(chunk); err != nil {
			return fmt.Errorf("write response body: %w", err)
		}
		r.out = r.out[:0]
	}
}

// chunkPrefix is the room for the size of a chunk.
const chunkPrefix = 6

// readChunk reads content into a chunk with its size and its end. There is none when nothing was read.
func readChunk(into []byte, body io.Reader) ([]byte, error) {
	room := into[chunkPrefix : len(into)-2]
	n, err := body.Read(room)
	for n == 0 && err == nil {
		n, err = body.Read(room)
	}
	if n == 0 {
		return nil, err
	}
	var digits [chunkPrefix]byte
	size := append(strconv.AppendInt(digits[:0], int64(n), 16), '\r', '\n')
	begin := chunkPrefix - len(size)
	copy(into[begin:], size)
	end := chunkPrefix + n
	into[end], into[end+1] = '\r', '\n'
	return into[begin : end+2], err
}

func appendLastChunk(to []byte, trailers *message.Fields) []byte {
	to = append(to, "0\r\n"...)
	to = appendFields(to, trailers)
	return append(to, "\r\n"...)
}
