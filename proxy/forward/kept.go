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
	"sync"
)

// maxKept is how much content is kept of a request that may be sent again.
const maxKept = 64 << 10

// kept is the content of a request that can be read again, as long as it is small and was read to its end.
type kept struct {
	source io.Reader

	mu    sync.Mutex
	left  int64 // to be read; message.UnknownLength when only the end tells
	bytes []byte
	at    int // of bytes, what is read next
	begun bool
	ended bool
	large bool // some of it is gone
}

// Read reads what was kept, and then what comes.
func (k *kept) Read(p []byte) (int, error) {
	k.mu.Lock()
	if k.at < len(k.bytes) || k.ended {
		defer k.mu.Unlock()
		n := copy(p, k.bytes[k.at:])
		k.at += n
		if k.at == len(k.bytes) && k.ended {
			return n, io.EOF
		}
		return n, nil
	}
	k.begun = true
	k.mu.Unlock()
	n, err := k.source.Read(p)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keep(p[:n])
	if k.left > 0 {
		k.left -= int64(n)
	}
	// Who knows the length may not read on to the end.
	if errors.Is(err, io.EOF) || err == nil && k.left == 0 {
		k.ended = true
		return n, io.EOF
	}
	return n, err
}

// keep adds what was read; the lock is held.
func (k *kept) keep(p []byte) {
	if k.large || len(k.bytes)+len(p) > maxKept {
		k.large, k.bytes, k.at = true, nil, 0
		return
	}
	k.bytes = append(k.bytes, p...)
	k.at = len(k.bytes)
}

// Buffered is how many bytes at most Read gives without waiting.
func (k *kept) Buffered() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if waiting := len(k.bytes) - k.at; waiting > 0 || k.ended {
		return waiting
	}
	if source, ok := k.source.(interface{ Buffered() int }); ok {
		return source.Buffered()
	}
	return 0
}

// Interrupt ends a Read that waits. Content that was read to its end stays whole.
func (k *kept) Interrupt() {
	k.mu.Lock()
	ended := k.ended
	k.mu.Unlock()
	if source, ok := k.source.(interface{ Interrupt() }); ok && !ended {
		source.Interrupt()
	}
}

// repeatable says whether all of the content can be read again, or none was.
func (k *kept) repeatable() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !k.begun || k.ended && !k.large
}

// rewind begins anew.
func (k *kept) rewind() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at = 0
}
