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
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/rauta-dev/rauta/proxy/message"
)

// What a slow mirror has not taken is bounded, for one and for all of them, and whoever reads the content never waits for it.
func TestTeeIsBounded(t *testing.T) {
	const mirrors, size = 2 * maxStore / maxBranch, maxBranch
	var s store
	given := 0
	request := &message.Request{Length: message.UnknownLength}
	content := &tee{source: bytes.NewReader(make([]byte, size))}
	for range mirrors {
		content.branches = append(content.branches, newBranch(&s, request, func() { given++ }))
	}
	buffer := make([]byte, 4<<10)
	for {
		_, err := content.Read(buffer)
		if held := s.held.Load(); held > maxStore {
			t.Fatalf("%d bytes wait for mirrors", held)
		}
		if err != nil {
			break
		}
	}
	if given != mirrors/2 {
		t.Errorf("of %d mirrors that take nothing, %d were given up, and there is room for half", mirrors, given)
	}
	for _, b := range content.branches {
		b.Interrupt()
	}
	if held := s.held.Load(); held != 0 {
		t.Errorf("%d bytes are held for nobody", held)
	}
}

func TestTeeGivesUpWhoLags(t *testing.T) {
	tests := map[string]struct {
		reason string
		length int64
		size   int
		want   error
	}{
		"all that fits":            {reason: "up to the bound all of it waits", length: message.UnknownLength, size: maxBranch, want: nil},
		"more":                     {reason: "beyond it none of it is of use", length: message.UnknownLength, size: maxBranch + 1, want: errLags},
		"all of a known length":    {reason: "who knows the length may not read on to the end", length: maxBranch, size: maxBranch, want: nil},
		"less than a known length": {reason: "content that is not whole is no content", length: maxBranch, size: maxBranch - 1, want: errUnread},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var s store
			given := false
			b := newBranch(&s, &message.Request{Length: test.length}, func() { given = true })
			sent := make([]byte, test.size)
			for i := range sent {
				sent[i] = byte(rand.Uint32())
			}
			content := &tee{source: bytes.NewReader(sent), branches: []*branch{b}}
			if _, err := io.CopyN(io.Discard, content, int64(test.size)); err != nil {
				t.Fatalf("the content itself: %v", err)
			}
			if test.length == message.UnknownLength {
				_, _ = content.Read(make([]byte, 1))
			}
			content.end()
			got, err := io.ReadAll(b)
			if !errors.Is(err, test.want) || given != (test.want != nil) || test.want == nil && !bytes.Equal(got, sent) {
				t.Errorf("%s: got %d bytes and %v; given up: %t", test.reason, len(got), err, given)
			}
			if held := s.held.Load(); held != 0 {
				t.Errorf("%d bytes are held for nobody", held)
			}
		})
	}
}

// A mirror that keeps up gets what the backend gets, however the two are interleaved.
func TestTeeCopies(t *testing.T) {
	sent := make([]byte, maxBranch) // As much may wait, however slow the machine is.
	for i := range sent {
		sent[i] = byte(rand.Uint32())
	}
	var s store
	request := &message.Request{Length: message.UnknownLength, Trailers: &message.Fields{}}
	request.Trailers.Add("X-Sum", "sum")
	content := &tee{source: iotest.HalfReader(bytes.NewReader(sent)), trailers: request.Trailers}
	var mirrors sync.WaitGroup
	for range 3 {
		b := newBranch(&s, &message.Request{Length: message.UnknownLength, Trailers: &message.Fields{}}, func() { t.Error("given up") })
		content.branches = append(content.branches, b)
		mirrors.Go(func() {
			got, err := io.ReadAll(iotest.OneByteReader(b))
			sum, _ := b.trailers.Get("X-Sum")
			if err != nil || !bytes.Equal(got, sent) || sum != "sum" {
				t.Errorf("a mirror got %d bytes of %d, trailer %q: %v", len(got), len(sent), sum, err)
			}
		})
	}
	if got, err := io.ReadAll(content); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("the backend got %d bytes of %d: %v", len(got), len(sent), err)
	}
	content.end()
	mirrors.Wait()
}
