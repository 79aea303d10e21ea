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

	"github.com/rauta-dev/rauta/proxy/message"
)

// beginContent sends content that is at hand with the head, and has the rest sent by a goroutine. The lock is held, and
// given up meanwhile.
func (x *call) beginContent() {
	body := x.request.Body
	x.link.mu.Unlock()
	defer x.link.mu.Lock()
	content := outgoing{call: x, left: x.request.Length}
	for sent := 0; sent < maxFrame && available(body); sent += maxFrame {
		if !content.next(maxFrame) {
			return
		}
	}
	x.sender = make(chan struct{})
	go content.rest()
}

// outgoing is the content of a request that is left to be sent.
type outgoing struct {
	call *call
	left int64
}

func (o *outgoing) rest() {
	defer close(o.call.sender)
	for o.next(copySize) {
		o.call.release()
	}
	o.call.release()
}

// next sends a piece; false when there is none after it.
func (o *outgoing) next(most int) bool {
	x := o.call
	buffer := copies.Get().(*[copySize]byte)
	defer copies.Put(buffer)
	n, err := x.request.Body.Read(buffer[:most])
	if err != nil && !errors.Is(err, io.EOF) {
		x.contentFailed(err)
		return false
	}
	if o.left >= 0 {
		o.left -= int64(n)
	}
	ended := err != nil || o.left == 0
	if ended && o.left > 0 {
		x.contentFailed(io.ErrUnexpectedEOF)
		return false
	}
	trailers := ended && x.request.Trailers.Len() > 0
	if x.sendPiece(buffer[:n], ended && !trailers) != nil {
		return false
	}
	if trailers {
		x.sendTrailers()
	}
	return !ended
}

// release sends what is held back.
func (x *call) release() {
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	x.link.flush(true)
}

// contentFailed gives up a request whose content broke off.
func (x *call) contentFailed(err error) {
	var content *message.ContentError
	if !errors.As(err, &content) {
		content = &message.ContentError{Status: 400, Err: err}
	}
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	x.fail(content)
}

func (x *call) sendPiece(p []byte, end bool) error {
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	x.read = true
	for len(p) > 0 || end {
		if x.err != nil {
			return x.err
		}
		n, err := x.awaitWindow(len(p))
		if err != nil {
			if x.stalled {
				x.fail(&message.TimeoutError{What: "request body"})
			}
			return err
		}
		last := end && n == len(p)
		x.sendData(p[:n], last)
		p = p[n:]
		if last {
			x.endRequest()
			end = false
		}
	}
	return nil
}

func (x *call) sendTrailers() {
	block := appendFields(nil, x.request.Trailers)
	x.link.mu.Lock()
	defer x.link.mu.Unlock()
	if !x.makeRoom() || x.over {
		return
	}
	x.link.sendHead(block, x.id, true)
	x.endRequest()
}
