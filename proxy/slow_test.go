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

package proxy

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// Clients that do not read hold back what they asked for, and nobody else's responses over the same connection to the
// endpoint.
func TestClientsThatDoNotReadStarveNobody(t *testing.T) {
	const readers = 100
	var written, under atomic.Int64
	piece := make([]byte, 8<<10)
	at := serveSecond(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/small" {
			_, _ = w.Write([]byte("small"))
			return
		}
		under.Add(1)
		for {
			if _, err := w.Write(piece); err != nil {
				return
			}
			written.Add(int64(len(piece)))
		}
	})
	_, proxied := behindSecond(t, at)
	greedy := dial(t, proxied, nil, "")
	s := opened(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	for id := range uint32(readers) {
		s.asks(2*id+1, "GET", "/large", true)
	}
	say(greedy, s.text())
	// All of them are under way, and what they may hold has come.
	last := int64(0)
	eventually(t, "the endpoint waits", func() bool {
		before := last
		last = written.Load()
		return under.Load() == readers && last > 0 && last == before
	})
	for range 20 {
		conn, reader := raw(t, proxied, "")
		_ = conn.SetDeadline(time.Now().Add(patience))
		say(conn, "GET /small HTTP/1.1\r\nHost: a.test\r\n\r\n")
		if r, body := response(t, reader, "GET"); r.StatusCode != 200 || body != "small" {
			t.Fatalf("a neighbour got %d, %q", r.StatusCode, body)
		}
		_ = conn.Close()
	}
}
