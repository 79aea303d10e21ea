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
	"testing"
	"testing/iotest"

	"github.com/rauta-dev/rauta/proxy/message"
)

func TestKept(t *testing.T) {
	tests := map[string]struct {
		reason     string
		source     io.Reader
		length     int64
		size       int64 // that is read; -1 for all
		repeatable bool
	}{
		"unread":       {"nothing is gone", strings.NewReader("abc"), 3, 0, true},
		"whole":        {"all was kept", strings.NewReader("abc"), 3, -1, true},
		"of no length": {"its end has come", iotest.OneByteReader(strings.NewReader("abc")), message.UnknownLength, -1, true},
		"half":         {"whoever reads the rest may be waiting for it", strings.NewReader("abc"), 3, 2, false},
		"to its length": {
			"who knows the length does not wait for the end", io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(errors.New("never read"))), 3, 3, true,
		},
		"broken off":        {"half of it is no content", io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(errors.New("x"))), 3, -1, false},
		"as much as may be": {"the bound is one that can be reached", strings.NewReader(strings.Repeat("x", maxKept)), maxKept, -1, true},
		"too much":          {"the first of it is gone", strings.NewReader(strings.Repeat("x", maxKept+1)), maxKept + 1, -1, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			k := &kept{source: test.source, left: test.length}
			var first []byte
			if test.size < 0 {
				first, _ = io.ReadAll(k)
			} else {
				first = make([]byte, test.size)
				_, _ = io.ReadFull(k, first)
			}
			if got := k.repeatable(); got != test.repeatable {
				t.Fatalf("%s: got %t", test.reason, got)
			}
			if !test.repeatable || test.size == 0 {
				return
			}
			for range 2 {
				k.rewind()
				if buffered := k.Buffered(); buffered != len(first) {
					t.Errorf("%d of %d bytes are at hand", buffered, len(first))
				}
				if again, err := io.ReadAll(k); string(again) != string(first) || err != nil {
					t.Errorf("%s: read %d bytes again, %v", test.reason, len(again), err)
				}
			}
		})
	}
}

func TestBackoff(t *testing.T) {
	for range 100 {
		a := &again{rule: &Retry{Backoff: maxBackoff / 4}}
		for i, least := range []int64{1, 2, 4, 4} {
			a.done = i + 1
			if wait, want := int64(a.backoff()), least*int64(maxBackoff/4); wait < want || wait > want+want/2 {
				t.Errorf("retry %d waits %d, at least %d", i+1, wait, want)
			}
		}
	}
	if wait := (&again{rule: &Retry{Backoff: 2 * maxBackoff}, done: 9}).backoff(); wait < 2*maxBackoff {
		t.Errorf("a retry must not come before the configured minimum: %s", wait)
	}
}
