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
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/testca"
)

// offence is what a client with HTTP/2 sends for one stream. Its begin is that of a request which is counted.
type offence struct {
	reason string
	sent   func(s *script, id uint32, path string) *script
	code   http2.ErrCode // of the reset, or of the GOAWAY
	// requests that have come with it.
	requests int64
}

// offences are errors of a stream: the others of the connection are served.
func offences() map[string]offence {
	head := func(more ...string) func(*script, uint32, string) *script {
		return func(s *script, id uint32, path string) *script { return s.asks(id, "POST", path, true, more...) }
	}
	return map[string]offence{
		"less than declared": {"RFC 9113 section 8.1.1", func(s *script, id uint32, path string) *script {
			return s.asks(id, "POST", path, false, "content-length", "10").data(id, true, "short")
		}, http2.ErrCodeProtocol, 1},
		"more than declared": {"RFC 9113 section 8.1.1", func(s *script, id uint32, path string) *script {
			return s.asks(id, "POST", path, false, "content-length", "3").data(id, false, "longer")
		}, http2.ErrCodeProtocol, 1},
		"declared, and none": {"RFC 9113 section 8.1.1", head("content-length", "3"), http2.ErrCodeProtocol, 1},
		"two lengths":        {"they differ", head("content-length", "0", "content-length", "1"), http2.ErrCodeProtocol, 1},
		"trailers with a path": {"RFC 9113 section 8.1: no pseudo-fields in trailers", func(s *script, id uint32, path string) *script {
			return s.asks(id, "POST", path, false).data(id, false, "x").head(id, true, ":path", "/elsewhere")
		}, http2.ErrCodeProtocol, 1},
		"trailers without an end": {"RFC 9113 section 8.1", func(s *script, id uint32, path string) *script {
			return s.asks(id, "POST", path, false).data(id, false, "x").head(id, false, "a", "b")
		}, http2.ErrCodeProtocol, 1},
		"a second path":       {"RFC 9113 section 8.3", head(":path", "/elsewhere"), http2.ErrCodeProtocol, 1},
		"a field of HTTP/1.1": {"RFC 9113 section 8.2.2", head("transfer-encoding", "chunked"), http2.ErrCodeProtocol, 1},
		"a line in a value":   {"it would be a field of its own with HTTP/1.1", head("a", "b\r\ntransfer-encoding: chunked"), http2.ErrCodeProtocol, 1},
		"a name with a colon": {"it would be another with HTTP/1.1", head("transfer-encoding: chunked\r\na", "b"), http2.ErrCodeProtocol, 1},
		"an upper-case name":  {"RFC 9113 section 8.2.1", head("Content-Length", "3"), http2.ErrCodeProtocol, 1},
		"a window of nothing more": {"RFC 9113 section 6.9", func(s *script, id uint32, path string) *script {
			return s.asks(id, "POST", path, false).raw(http2.FrameWindowUpdate, 0, id, []byte{0, 0, 0, 0})
		}, http2.ErrCodeProtocol, 1},
		"a window too large": {"RFC 9113 section 6.9.1", func(s *script, id uint32, path string) *script {
			return s.asks(id, "POST", path, false).raw(http2.FrameWindowUpdate, 0, id, []byte{0x7f, 0xff, 0xff, 0xff})
		}, http2.ErrCodeFlowControl, 1},
		"a stream that waits for itself": {"RFC 7540 section 5.3.1", func(s *script, id uint32, path string) *script {
			return s.asks(id, "POST", path, false).raw(http2.FramePriority, 0, id, []byte{0, 0, 0, byte(id), 0})
		}, http2.ErrCodeProtocol, 1},
	}
}

// attacks are errors of the connection.
func attacks() map[string]offence {
	flood := func(with func(s *script, id uint32)) func(*script, uint32, string) *script {
		return func(s *script, id uint32, path string) *script {
			s.asks(id, "POST", path, false)
			for range 1500 {
				with(s, id)
			}
			return s
		}
	}
	return map[string]offence{
		"a header section without an end": {"CVE-2024-27316", func(s *script, id uint32, _ string) *script {
			_ = s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(":method", "GET")})
			for range 200 {
				_ = s.framer.WriteContinuation(id, false, block("a", "b"))
			}
			return s
		}, http2.ErrCodeEnhanceYourCalm, 0},
		"a header section of nothing": {"CVE-2024-27316", func(s *script, id uint32, _ string) *script {
			_ = s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(":method", "GET")})
			for range 200 {
				_ = s.framer.WriteContinuation(id, false, nil)
			}
			return s
		}, http2.ErrCodeEnhanceYourCalm, 0},
		"a broken header section": {"RFC 9113 section 4.3", func(s *script, id uint32, _ string) *script {
			return s.raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders, id, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		}, http2.ErrCodeCompression, 0},
		"another frame in a header section": {"RFC 9113 section 6.10", func(s *script, id uint32, path string) *script {
			return s.raw(http2.FrameHeaders, 0, id, block(":method", "GET")).asks(id+2, "GET", path, true)
		}, http2.ErrCodeProtocol, 0},
		"an even stream": {"RFC 9113 section 5.1.1", func(s *script, id uint32, path string) *script { return s.asks(id+1, "GET", path, true) }, http2.ErrCodeProtocol, 0},
		"content to come": {"RFC 9113 section 5.1: an idle stream", func(s *script, id uint32, _ string) *script {
			return s.data(id+100, true, "x")
		}, http2.ErrCodeProtocol, 0},
		"a frame too large": {"RFC 9113 section 4.2", func(s *script, id uint32, path string) *script {
			return s.asks(id, "POST", path, false).data(id, false, strings.Repeat("x", 17<<10))
		}, http2.ErrCodeFrameSize, 1},
		"a push": {"RFC 9113 section 8.4", func(s *script, id uint32, path string) *script {
			return s.asks(id, "POST", path, false).raw(http2.FramePushPromise, 4, id, []byte{0, 0, 0, 2, 0x88})
		}, http2.ErrCodeProtocol, 1},
		"a window for all": {"RFC 9113 section 6.9.1: overflow", func(s *script, _ uint32, _ string) *script {
			return s.raw(http2.FrameWindowUpdate, 0, 0, []byte{0x7f, 0xff, 0xff, 0xff})
		}, http2.ErrCodeFlowControl, 0},
		"a flood of pings":     {"CVE-2019-9512", flood(func(s *script, _ uint32) { s.raw(http2.FramePing, 0, 0, make([]byte, 8)) }), http2.ErrCodeEnhanceYourCalm, 1},
		"a flood of settings":  {"CVE-2019-9515", flood(func(s *script, _ uint32) { s.raw(http2.FrameSettings, 0, 0, nil) }), http2.ErrCodeEnhanceYourCalm, 1},
		"a flood of nothing":   {"CVE-2019-9518", flood(func(s *script, id uint32) { s.data(id, false, "") }), http2.ErrCodeEnhanceYourCalm, 1},
		"a flood of windows":   {"each is work", flood(func(s *script, id uint32) { s.raw(http2.FrameWindowUpdate, 0, id, []byte{0, 0, 0, 1}) }), http2.ErrCodeEnhanceYourCalm, 1},
		"a flood of unknown":   {"RFC 9113 section 4.1: ignored, not for ever", flood(func(s *script, _ uint32) { s.raw(0xbe, 0, 0, []byte("x")) }), http2.ErrCodeEnhanceYourCalm, 1},
		"a flood of goodbyes":  {"one is enough", flood(func(s *script, _ uint32) { s.raw(http2.FrameGoAway, 0, 0, make([]byte, 8)) }), http2.ErrCodeEnhanceYourCalm, 1},
		"a flood of priority":  {"CVE-2019-9513", flood(func(s *script, id uint32) { s.raw(http2.FramePriority, 0, id, []byte{0, 0, 0, 0, 9}) }), http2.ErrCodeEnhanceYourCalm, 1},
		"a preface of another": {"RFC 9113 section 3.4: SETTINGS come first", nil, http2.ErrCodeProtocol, 0},
	}
}

// Clients with HTTP/2 that break the protocol for one stream lose that one; for the connection, it. Nobody else notices.
func TestHostileClientsWithHTTP2(t *testing.T) {
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		first, second := givesBack(t)
		n := found(t, ca, map[string]string{"first": first}, map[string]string{"second": second})
		n.settle("first", "second")
		strange := int64(0)
		for _, w := range n.ways()[2:] {
			for _, to := range []string{"first", "second"} {
				path := "/" + to + "/mine/x"
				for name, o := range offences() {
					t.Run(strings.Join([]string{w.name, to, name}, "/"), func(t *testing.T) {
						conn := dial(t, w.at, w.trusted, w.protocol)
						// A neighbour's stream is open meanwhile.
						begin := opened().asks(1, "POST", path, false).data(1, false, "my ")
						say(conn, begin.text()+o.sent(newScript(), 3, path+"/wrong").text()+newScript().data(1, true, "own").text())
						c := newCollector(conn)
						if err := c.collect(1, 3); err != nil {
							t.Fatalf("%s: %v", o.reason, err)
						}
						if s := c.of(1); s.status != "200" || s.content != path+"|my own" || !s.ended {
							t.Errorf("%s: a neighbour got %+v", o.reason, s)
						}
						if s := c.of(3); !s.reset || s.code != o.code || s.ended {
							t.Errorf("%s: got %+v, want %v", o.reason, s, o.code)
						}
						strange += 1 + o.requests
					})
				}
			}
			for name, o := range attacks() {
				t.Run(w.name+"/"+name, func(t *testing.T) {
					conn := dial(t, w.at, w.trusted, w.protocol)
					sent := http2.ClientPreface + newScript().raw(http2.FramePing, 0, 0, make([]byte, 8)).text()
					if o.sent != nil {
						sent = opened().text() + o.sent(newScript(), 1, "/first/mine/x").text()
					}
					go say(conn, sent)
					c := newCollector(conn)
					_ = c.collect()
					if !c.told || c.left != o.code {
						t.Errorf("%s: got %v (%t), want %v", o.reason, c.left, c.told, o.code)
					}
					strange += o.requests
				})
			}
		}
		n.leave(strange)
	})
}

// Requests arrive whole however small the pieces are in which they come, and from whatever endpoint.
func TestByteByByteWithHTTP2(t *testing.T) {
	ca := testca.New(t)
	first := mirror(t, nil)
	second := secondMirror(t, func(s *speaker, a *asked) bool {
		if a.begun {
			return true
		}
		text := inFrames(a.id, a.path+"|"+a.content.String()).text()
		for i := range len(text) {
			s.sendText(text[i : i+1])
		}
		return true
	})
	n := found(t, ca, map[string]string{"first": first}, map[string]string{"second": second})
	n.settle("first")
	strange := int64(0)
	for _, w := range n.ways() {
		for _, to := range []string{"/first/mine/x", "/second/slow"} {
			conn := dial(t, w.at, w.trusted, w.protocol)
			text, _, _ := w.upload(to)
			for i := range len(text) {
				say(conn, text[i:i+1])
			}
			strange++
			var got string
			if w.protocol == "h2" {
				c := newCollector(conn)
				if err := c.collect(1); err != nil {
					t.Fatalf("%s to %s: %v", w.name, to, err)
				}
				got = c.of(1).content
			} else {
				_, got = response(t, bufio.NewReader(conn), "POST")
			}
			if want := to + "|hello world"; got != want {
				t.Errorf("%s to %s: got %q, want %q", w.name, to, got, want)
			}
		}
	}
	n.leave(strange)
}
