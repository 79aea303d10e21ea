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
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/forward"
)

// Content that is not large goes with its head as far as it has come. However it comes, the endpoint gets all of it, and
// nothing of the request behind it.
func TestContentThatComesInPieces(t *testing.T) {
	p, at := one(t, func(w http.ResponseWriter, r *http.Request) {
		content, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		_, _ = w.Write(content)
	})
	sizes := map[string]int{
		"small": 100, "almost a buffer": 8<<10 - 1, "more than a buffer": 8<<10 + 1, "some buffers": 20_000,
		"almost a piece": 64<<10 - 1, "a piece": 64 << 10, "more than a piece": 64<<10 + 1,
	}
	const behind = "GET /behind HTTP/1.1\r\nHost: h\r\n\r\n"
	for name, size := range sizes {
		content := pattern(uint64(size), size)
		head := fmt.Appendf(nil, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size)
		whole := append(bytes.Clone(head), content...)
		for way, cuts := range map[string][]int{
			"at once": nil, "head first": {len(head)}, "first byte later": {len(head) + 1}, "in the middle": {len(head) + size/2},
			"last byte later": {len(whole) - 1}, "head in two": {len(head) / 2, len(head) + size/3},
		} {
			t.Run(name+"/"+way, func(t *testing.T) {
				conn, reader := raw(t, at, "")
				_ = conn.SetDeadline(time.Now().Add(patience))
				from := 0
				for _, cut := range cuts {
					_, _ = conn.Write(whole[from:cut])
					from = cut
					time.Sleep(2 * time.Millisecond) // So that the proxy sees it by itself, on most machines.
				}
				_, _ = conn.Write(append(bytes.Clone(whole[from:]), behind...))
				if r, body := response(t, reader, "POST"); r.StatusCode != 200 || body != string(content) {
					t.Fatalf("got %d and %d bytes of %d", r.StatusCode, len(body), size)
				}
				if r, body := response(t, reader, "GET"); r.StatusCode != 200 || body != "" {
					t.Errorf("the request behind it got %d, %q", r.StatusCode, body)
				}
			})
		}
	}
	if failed := p.Requests(); len(failed) != 1 {
		t.Errorf("something went wrong: %v", failed)
	}
}

// A client that ends or breaks off in such content has sent no request: the endpoint sees that it is not whole.
func TestContentThatBreaksOff(t *testing.T) {
	const size = 60_000
	head := fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n", size)
	for name, end := range map[string]func(conn net.Conn){
		"end":   func(conn net.Conn) { _ = conn.(*net.TCPConn).CloseWrite() },
		"reset": abort,
	} {
		t.Run(name, func(t *testing.T) {
			whole := make(chan bool, 1)
			p, at := behind(t, endpoint(t, func(_ int, _ net.Conn, reader *bufio.Reader) {
				request, err := http.ReadRequest(reader)
				if err != nil {
					return
				}
				_, err = io.ReadAll(request.Body)
				whole <- err == nil
			}))
			conn, _ := raw(t, at, head)
			_, _ = conn.Write(make([]byte, size/2))
			end(conn)
			counted := func() (total uint64) {
				for outcome, count := range p.Requests() {
					if outcome.Reason != forward.ReasonClient {
						t.Errorf("counted as %+v", outcome)
					}
					total += count
				}
				return total
			}
			eventually(t, "it is counted", func() bool { return counted() == 1 })
			if name == "end" && <-whole { // After a reset nothing may have been sent.
				t.Error("the endpoint took half of it for all")
			}
		})
	}
}
