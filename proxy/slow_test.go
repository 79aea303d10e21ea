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
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/testca"
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

// sloth is a client with HTTP/2 that takes too long.
type sloth struct {
	reason string
	sent   func(path string) *script
	// more is sent byte by byte afterwards, for ever.
	more string
	// want says what is wrong with what came of it; nil when the connection just ends.
	want func(s *got) bool
	// requests that have come.
	requests int64
}

func sloths() map[string]sloth {
	window := func(size uint32) func(string) *script {
		return func(path string) *script {
			return opened(http2.Setting{ID: http2.SettingInitialWindowSize, Val: size}).
				asks(1, "POST", path, false).data(1, true, strings.Repeat("x", 1000))
		}
	}
	return map[string]sloth{
		"half a preface": {"headerTimeout is for the preface", func(string) *script {
			s := newScript()
			s.sent.WriteString(http2.ClientPreface)
			return s
		}, "", nil, 0},
		"half a head": {"and for a header section in several frames", func(string) *script {
			return opened().raw(http2.FrameHeaders, 0, 1, block(":method", "GET"))
		}, newScript().raw(http2.FrameContinuation, 0, 1, make([]byte, 10_000)).text(), nil, 0},
		"half a frame": {"whatever it is", func(path string) *script {
			s := newScript()
			s.sent.WriteString(opened().asks(1, "POST", path, true).text()[:60])
			return s
		}, "", nil, 0},
		"half the content": {"bodyTimeout: RFC 9110 section 15.5.9", func(path string) *script {
			return opened().asks(1, "POST", path, false).data(1, false, "x")
		}, "", func(s *got) bool { return s.status == "408" }, 1},
		"no window": {"writeTimeout is for a window as well", window(0), "", func(s *got) bool {
			return s.reset && s.code == http2.ErrCodeCancel && s.content == ""
		}, 1},
		"half a window": {"and for its next part", window(5), "", func(s *got) bool {
			return s.reset && s.code == http2.ErrCodeCancel && len(s.content) == 5
		}, 1},
	}
}

// Clients with HTTP/2 have the time that the limits give them, over both ways and to both kinds of endpoint.
func TestSlowClientsWithHTTP2(t *testing.T) {
	ca := testca.New(t)
	quick := bootstrap.Duration(2 * time.Second)
	leavesNothing(t, func(t *testing.T) {
		first, second := givesBack(t)
		n := found(t, ca, map[string]string{"first": first}, map[string]string{"second": second}, limits(func(l *bootstrap.Limits) {
			l.HeaderTimeout, l.BodyTimeout, l.WriteTimeout, l.IdleTimeout = quick, quick, quick, quick
		}))
		strange := atomic.Int64{}
		t.Run("all", func(t *testing.T) {
			for _, w := range n.ways()[2:] {
				for _, to := range []string{"first", "second"} {
					for name, test := range sloths() {
						t.Run(fmt.Sprint(w.name, "/", to, "/", name), func(t *testing.T) {
							t.Parallel()
							conn := dial(t, w.at, w.trusted, w.protocol)
							say(conn, test.sent("/"+to+"/x").text())
							go func() {
								for i := range len(test.more) {
									say(conn, test.more[i:i+1])
									time.Sleep(time.Millisecond)
								}
							}()
							c := newCollector(conn)
							if err := c.collect(); isPatience(err) {
								t.Errorf("%s: the connection goes on", test.reason)
							}
							if test.want != nil && !test.want(c.of(1)) {
								t.Errorf("%s: got %+v", test.reason, c.of(1))
							}
							strange.Add(test.requests)
						})
					}
				}
			}
		})
		n.leave(strange.Load())
	})
}

// isPatience says that a test has waited in vain.
func isPatience(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
