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

import "testing"

// RFC 9113 section 6.9.2: "A change to SETTINGS_INITIAL_WINDOW_SIZE can cause the available space in a flow-control window to
// become negative." The end of content needs no window, whatever its size.
func TestEndWithANegativeWindow(t *testing.T) {
	for name, windows := range map[string][2]int64{"stream": {-10, 100}, "connection": {100, -10}, "both": {-10, -10}} {
		t.Run(name, func(t *testing.T) {
			l := &link{}
			l.peer.maxFrame = 100
			l.peer.conn = windows[1]
			h := &half{}
			h.join(l)
			h.window = windows[0]
			l.mu.Lock()
			defer l.mu.Unlock()
			if n, err := h.awaitWindow(0); n != 0 || err != nil {
				t.Errorf("got %d, %v", n, err)
			}
		})
	}
}
