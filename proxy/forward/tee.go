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

package forward

import (
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rauta-dev/rauta/proxy/message"
)

const (
	// maxBranch is how much content may wait for one mirror, maxStore for all of them.
	maxBranch, maxStore = 256 << 10, 16 << 20
)

var (
	errLags   = errors.New("the mirror lags behind")
	errUnread = errors.New("the content was not read to its end")
)

// tee is the content of a request that is read once, by whoever sends it to its backend, and copied on the way.
type tee struct {
	source   io.Reader
	trailers *message.Fields // of the request
	branches []*branch
}

// Read reads the content, and never waits for a branch.
func (t *tee) Read(p []byte) (int, error) {
	n, err := t.source.Read(p)
	for _, b := range t.branches {
		b.put(p[:n], err, t.trailers)
	}
	return n, err
}

// Buffered is how many bytes at most Read gives without waiting.
func (t *tee) Buffered() int {
	if source, ok := t.source.(interface{ Buffered() int }); ok {
		return source.Buffered()
	}
	return 0
}

// Interrupt ends a Read that waits.
func (t *tee) Interrupt() {
	if source, ok := t.source.(interface{ Interrupt() }); ok {
		source.Interrupt()
	}
}

// end tells the branches that nobody reads any more.
func (t *tee) end() {
	for _, b := range t.branches {
		b.put(nil, errUnread, nil)
	}
}

// store counts the content that waits in all branches.
type store struct{ held atomic.Int64 }

// branch is content on its way to a mirror. It holds what the mirror has not taken, up to a bound; beyond, the mirror
// gets no more.
type branch struct {
	store *store
	// giveUp ends what sends the content.
	giveUp func()

	mu       sync.Mutex
	wake     sync.Cond
	waiting  []byte
	left     int64 // to come; message.UnknownLength when only the end tells
	err      error // behind what waits
	trailers *message.Fields
}

func newBranch(s *store, of *message.Request, giveUp func()) *branch {
	b := &branch{store: s, giveUp: giveUp, left: of.Length, trailers: of.Trailers}
	b.wake.L = &b.mu
	return b
}

// put adds what was read, and with what error.
func (b *branch) put(p []byte, err error, trailers *message.Fields) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return
	}
	defer b.wake.Signal()
	if len(b.waiting)+len(p) > maxBranch || b.store.held.Load()+int64(len(p)) > maxStore {
		b.fail(errLags)
		return
	}
	b.waiting = append(b.waiting, p...)
	b.store.held.Add(int64(len(p)))
	if b.left > 0 {
		b.left -= int64(len(p))
	}
	switch {
	case errors.Is(err, io.EOF) || b.left == 0: // Who knows the length may not read on to the end.
		b.err = io.EOF
		for i := range trailers.Len() {
			name, value := trailers.Line(i)
			b.trailers.Add(strings.Clone(name), strings.Clone(value))
		}
	case err != nil:
		b.fail(err)
	}
}

// fail drops what waits: content that is not whole is of no use. The lock is held.
func (b *branch) fail(err error) {
	b.err = err
	b.giveUp()
	b.drop(len(b.waiting))
	b.waiting = nil
}

func (b *branch) drop(size int) { b.store.held.Add(-int64(size)) }

// Read gives what waits, or waits for more.
func (b *branch) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(b.waiting) == 0 && b.err == nil {
		b.wake.Wait()
	}
	n := copy(p, b.waiting)
	b.waiting = b.waiting[n:]
	b.drop(n)
	if len(b.waiting) > 0 {
		return n, nil
	}
	b.waiting = nil
	return n, b.err
}

// Interrupt ends a Read that waits, and all that follow.
func (b *branch) Interrupt() {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.wake.Broadcast()
	if len(b.waiting) > 0 || b.err == nil {
		b.fail(errUnread)
	}
}
