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

	"github.com/rauta-dev/rauta/proxy/socket"
)

// relayed is the least content that is worth a pipe.
const relayed = 16 << 10

// relay passes on the rest of a content of known length, from one socket to another and without copying it.
type relay struct {
	content *content
	// body is what the content belongs to when it is that of a request.
	body    *requestBody
	to      *wire
	timeout time.Duration // for the receiver to take a piece
	pipe    *socket.Pipe
}

// newRelay makes a relay. Its pipe is nil when the content has to be copied.
func newRelay(c *content, to *wire, timeout time.Duration) relay {
	r := relay{content: c, to: to, timeout: timeout}
	if c.kind == byLength && c.err == nil && c.left >= relayed && c.Buffered() == 0 && c.wire.raw != nil && to.raw != nil {
		r.pipe = socket.TakePipe()
	}
	return r
}

// release gives the pipe back.
func (r *relay) release() {
	if r.pipe != nil {
		r.pipe.Release()
		r.pipe = nil
	}
}

// run passes on everything.
func (r *relay) run() error {
	r.pipe.Patient = true
	_, err := r.pass()
	return err
}

// now passes on what can be without waiting; it is true when that was everything.
func (r *relay) now() (bool, error) {
	r.pipe.Patient = false
	return r.pass()
}

// pass passes on until the end, or until it had to wait and may not. An error of reading is the content's too.
func (r *relay) pass() (bool, error) {
	for {
		for r.pipe.Held > 0 {
			if err := r.push(); err != nil {
				return false, err
			}
			if r.pipe.Moved == 0 {
				return false, nil
			}
		}
		if r.content.left == 0 {
			return true, nil
		}
		if err := r.pull(); err != nil {
			return false, err
		}
		if r.pipe.Moved == 0 {
			return false, nil
		}
	}
}

// pull fills the empty pipe.
func (r *relay) pull() error {
	c, p := r.content, r.pipe
	p.Want, p.Moved = int(min(c.left, socket.PipeSize)), 0
	c.wire.readWithin(c.limits.timeout)
	err := c.wire.raw.Read(p.Pull)
	if err == nil {
		err = p.Err
	}
	if err == nil && p.Ended {
		err = io.ErrUnexpectedEOF
	}
	if errors.Is(err, socket.ErrUnspliced) {
		return err
	}
	if err != nil {
		c.err = err
		return err
	}
	if c.left -= int64(p.Moved); c.left > 0 {
		return nil
	}
	c.err = io.EOF
	if r.body != nil {
		r.body.finish()
	}
	return nil
}

// push gives the receiver what it takes of the pipe.
func (r *relay) push() error {
	p := r.pipe
	p.Moved = 0
	r.to.writeWithin(r.timeout)
	if err := r.to.raw.Write(p.Push); err != nil {
		return err
	}
	return p.Err
}
