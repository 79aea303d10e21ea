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
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/rauta-dev/rauta/proxy/testca"
)

// What an endpoint with HTTP/1.1 sends behind a response, in whatever framing, is nobody's: the connection is not used
// again, and clients of each kind get what is theirs.
func TestExtraBytesBehindEachFraming(t *testing.T) {
	ca := testca.New(t)
	extra := answer(200, "wrong")
	tests := map[string]struct{ reason, sent, want string }{
		"length":       {"RFC 9112 section 6.3: the length ends it", answer(200, "right"), "right"},
		"chunks":       {"the last chunk ends it", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nright\r\n0\r\n\r\n", "right"},
		"trailers":     {"and its trailers", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nright\r\n0\r\nA: b\r\n\r\n", "right"},
		"length of 0":  {"there is no content", answer(200, ""), ""},
		"204":          {"RFC 9112 section 6.3: none, whatever it says", "HTTP/1.1 204 X\r\n\r\n", ""},
		"204 with one": {"RFC 9112 section 6.3: also then", "HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n", ""},
		"304":          {"RFC 9112 section 6.3: the length is of another", "HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n", ""},
		"interim":      {"a second response behind an interim one", "HTTP/1.1 103 X\r\n\r\n" + answer(200, "right"), "right"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			at := mirror(t, func(conn net.Conn, _ *http.Request, _ string) bool {
				say(conn, test.sent+extra)
				return true
			})
			n := found(t, ca, map[string]string{"first": at}, nil)
			n.settle("first")
			for kind, transport := range n.kinds {
				for i := range 5 {
					status, got, err := n.post(transport, "/first/x", "hello")
					if status == 304 {
						err = nil // Some clients miss the content that its length speaks of.
					}
					if err != nil || got != test.want || status == 502 {
						t.Errorf("%s: %s: %d: got %d, %q, %v", test.reason, kind, i, status, got, err)
					}
				}
			}
			n.leave(0)
		})
	}
}

// Clients with HTTP/1.1 that end their sending side after any number of bytes are answered as far as they asked: what is
// whole as it should be, half a request with 400, and half a head not at all.
func TestHalfCloseAnywhere(t *testing.T) {
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		first, second := givesBack(t)
		n := found(t, ca, map[string]string{"first": first}, map[string]string{"second": second})
		n.settle("first", "second")
		strange := int64(0)
		for _, w := range n.ways()[:2] {
			for _, to := range []string{"/first/x", "/second/x"} {
				text, _, heads := w.upload(to)
				for size := range len(text) + 1 {
					conn := dial(t, w.at, w.trusted, w.protocol)
					say(conn, text[:size])
					if half, ok := conn.(interface{ CloseWrite() error }); ok {
						_ = half.CloseWrite()
					}
					all, err := io.ReadAll(conn)
					_ = conn.Close()
					want := ""
					switch {
					case size == len(text):
						want = "HTTP/1.1 200"
					case size >= heads:
						want = "HTTP/1.1 400"
					}
					if size >= heads {
						strange++
					}
					if err != nil || !strings.HasPrefix(string(all), want) || want == "" && len(all) > 0 {
						t.Fatalf("%s: %s: %d of %d bytes: got %.40q, %v, want %q", w.name, to, size, len(text), all, err, want)
					}
				}
			}
		}
		n.leave(strange)
	})
}

// Endpoints with HTTP/1.1 that end their sending side after any number of bytes, and would read on, are left.
func TestEndpointsThatHalfCloseAnywhere(t *testing.T) {
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		at := mirror(t, func(conn net.Conn, request *http.Request, _ string) bool {
			o := ordered(request.URL.Path)
			say(conn, named(downloads(), o.kind).sent[:o.size])
			if half, ok := conn.(interface{ CloseWrite() error }); ok {
				_ = half.CloseWrite()
			}
			_, _ = io.Copy(io.Discard, conn) // Until the proxy ends it.
			return false
		})
		n := found(t, ca, map[string]string{"kind": at}, nil)
		n.settle("kind")
		for _, d := range downloads() {
			for size := range len(d.sent) + 1 {
				o := order{"kind", d.name, size, 0}
				kind := []string{"HTTP/1.1", "HTTP/2 over TLS"}[size%2]
				if whole := n.obtain(t, kind, o, d.want); whole != (size == len(d.sent)) {
					t.Errorf("%s: %+v of %d: whole: %t", kind, o, len(d.sent), whole)
				}
			}
		}
		n.leave(0)
	})
}

// Responses that come before the request was read end the exchange: the client reads them, though it still sends, and
// what it sends is nobody's request.
func TestEarlyResponses(t *testing.T) {
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		first := endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
			for {
				request, err := http.ReadRequest(reader)
				if err != nil {
					return
				}
				if !strings.Contains(request.URL.Path, "/mine/") {
					say(conn, answer(403, "early"))
					return
				}
				content, _ := io.ReadAll(request.Body)
				say(conn, mirrored(request.URL.Path, string(content)))
			}
		})
		second := secondMirror(t, func(s *speaker, a *asked) bool {
			if a.begun {
				s.send(newScript().head(a.id, false, ":status", "403").data(a.id, true, "early"))
			}
			return true
		})
		n := found(t, ca, map[string]string{"first": first}, map[string]string{"second": second})
		n.settle("first", "second")
		strange := int64(0)
		for _, w := range n.ways() {
			for _, to := range []string{"/first/x", "/second/x"} {
				for i := range 20 {
					conn := dial(t, w.at, w.trusted, w.protocol)
					strange++
					if err := w.early(t, conn, to); err != nil {
						t.Errorf("%s: %s: %d: %v", w.name, to, i, err)
					}
					_ = conn.Close()
				}
			}
		}
		n.leave(strange)
	})
}

// early sends a request whose content does not end, and looks for nothing but an early response to it.
func (w way) early(t *testing.T, conn net.Conn, path string) error {
	smuggled := "GET /first/smuggled HTTP/1.1\r\nHost: a.test\r\n\r\n"
	if w.protocol == "h2" {
		say(conn, opened().asks(1, "POST", path, false, "content-length", "100000").data(1, false, smuggled).text())
		c := newCollector(conn)
		if err := c.collect(1); err != nil {
			return err
		}
		if s := c.of(1); s.status != "403" || s.content != "early" {
			return fmt.Errorf("got %+v", s)
		}
		return nil
	}
	say(conn, "POST "+path+" HTTP/1.1\r\nHost: a.test\r\nContent-Length: 100000\r\n\r\n"+smuggled)
	reader := bufio.NewReader(conn)
	r, body := response(t, reader, "POST")
	if r.StatusCode != 403 || body != "early" {
		return fmt.Errorf("got %v, %q", r, body)
	}
	say(conn, smuggled)
	if _, err := reader.ReadByte(); err == nil {
		return errors.New("what belonged to the content was answered")
	}
	return nil
}

// A tunnel that either side resets after any number of bytes ends on the other side, is counted once, and is nobody
// else's.
func TestTunnelsThatAreResetAnywhere(t *testing.T) {
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		switched := "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
		ended := make(chan struct{}, 1)
		at := mirror(t, func(conn net.Conn, request *http.Request, _ string) bool {
			o := ordered(request.URL.Path)
			say(conn, (switched + "from endpoint")[:o.size])
			if o.kind == "endpoint" {
				abort(conn)
				return false
			}
			_, _ = io.Copy(io.Discard, conn)
			ended <- struct{}{}
			return false
		})
		n := found(t, ca, map[string]string{"first": at}, nil)
		n.settle("first")
		strange := int64(0)
		asks := func(o order) string {
			return "GET " + o.path() + " HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
		}
		whole := len(switched) + len("from endpoint")
		for _, w := range n.ways()[:2] {
			for size := range whole + 1 {
				conn := dial(t, w.at, w.trusted, w.protocol)
				say(conn, asks(order{"first", "endpoint", size, 0}))
				strange++
				reader := bufio.NewReader(conn)
				want := 101
				if size < len(switched) {
					want = 502
				}
				r, err := http.ReadResponse(reader, nil)
				if err != nil || r.StatusCode != want {
					t.Fatalf("%s: %d of %d bytes: got %v, %v, want %d", w.name, size, whole, r, err, want)
				}
				// What follows the head may be lost with the reset; nothing else may come.
				if want == 101 {
					const all = "from endpoint"
					if rest, _ := io.ReadAll(reader); len(rest) > len(all) || string(rest) != all[:len(rest)] {
						t.Fatalf("%s: %d of %d bytes: got %q", w.name, size, whole, rest)
					}
				}
				_ = conn.Close()
			}
			for size := range len("from client") + 1 {
				conn := dial(t, w.at, w.trusted, w.protocol)
				say(conn, asks(order{"first", "client", whole, 0}))
				strange++
				if r, err := http.ReadResponse(bufio.NewReader(conn), nil); err != nil || r.StatusCode != 101 {
					t.Fatalf("%s: got %v, %v", w.name, r, err)
				}
				say(conn, "from client"[:size])
				breakOff(conn, size%2)
				<-ended
			}
		}
		n.leave(strange)
	})
}
