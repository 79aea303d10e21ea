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
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// mischief is what an endpoint with HTTP/2 does to one stream of a connection that carries others.
type mischief struct {
	reason string
	does   func(s *speaker, id uint32)
	// status that the client sees, 200 when the response begins; whole when it ends well.
	status int
	whole  bool
	// ends is true when the endpoint's connection must end with it, and with it the requests that it carries.
	ends bool
}

func sends(build func(s *script, id uint32) *script) func(*speaker, uint32) {
	return func(s *speaker, id uint32) { s.send(build(newScript(), id)) }
}

// forgeries are responses that are none: each costs its own request, and nothing else of the connection.
func forgeries() map[string]mischief {
	return map[string]mischief{
		"content first": {"RFC 9113 section 8.1: a head comes first", sends(func(s *script, id uint32) *script {
			return s.data(id, false, "x").head(id, true, ":status", "200")
		}), 502, false, false},
		"no status": {"RFC 9113 section 8.3.2", sends(func(s *script, id uint32) *script { return s.head(id, true, "a", "b") }), 502, false, false},
		"two statuses": {"RFC 9113 section 8.3: a pseudo-field comes once", sends(func(s *script, id uint32) *script {
			return s.head(id, true, ":status", "200", ":status", "200")
		}), 502, false, false},
		"late status": {"RFC 9113 section 8.3: pseudo-fields come first", sends(func(s *script, id uint32) *script {
			return s.head(id, true, "a", "b", ":status", "200")
		}), 502, false, false},
		"status of four digits": {"RFC 9110 section 15: three", sends(func(s *script, id uint32) *script { return s.head(id, true, ":status", "2000") }), 502, false, false},
		"signed status":         {"digits alone", sends(func(s *script, id uint32) *script { return s.head(id, true, ":status", "+20") }), 502, false, false},
		"status 099":            {"RFC 9110 section 15: from 100 on", sends(func(s *script, id uint32) *script { return s.head(id, true, ":status", "099") }), 502, false, false},
		"a request's field": {"RFC 9113 section 8.3: pseudo-fields of requests MUST NOT appear in responses", sends(func(s *script, id uint32) *script {
			return s.head(id, true, ":status", "200", ":path", "/")
		}), 502, false, false},
		"a field of HTTP/1.1": {"RFC 9113 section 8.2.2", sends(func(s *script, id uint32) *script {
			return s.head(id, true, ":status", "200", "transfer-encoding", "chunked")
		}), 502, false, false},
		"a line in a value": {"it would be a field of its own with HTTP/1.1", sends(func(s *script, id uint32) *script {
			return s.head(id, true, ":status", "200", "a", "b\r\nset-cookie: c")
		}), 502, false, false},
		"an empty name": {"RFC 9113 section 8.2.1", sends(func(s *script, id uint32) *script { return s.head(id, true, ":status", "200", "", "b") }), 502, false, false},
		"a head too big": {"the limit", sends(func(s *script, id uint32) *script {
			_ = s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(":status", "200", "a", strings.Repeat("x", 15<<10)), EndStream: false})
			for i := range 19 {
				_ = s.framer.WriteContinuation(id, i == 18, block("a", strings.Repeat("x", 15<<10)))
			}
			return s.mark()
		}), 502, false, false},
		"101": {"RFC 9113 section 8.6", sends(func(s *script, id uint32) *script { return s.head(id, false, ":status", "101") }), 502, false, false},
		"an end that informs": {"RFC 9113 section 8.1: an interim response does not end a stream", sends(func(s *script, id uint32) *script {
			return s.head(id, true, ":status", "103")
		}), 502, false, false},
		"nothing but interim responses": {"not for ever", sends(func(s *script, id uint32) *script {
			for range 100 {
				s.head(id, false, ":status", "103", "link", "</x>")
			}
			return s
		}), 502, false, false},
		"less than declared": {"RFC 9113 section 8.1.1", sends(func(s *script, id uint32) *script {
			return s.head(id, false, ":status", "200", "content-length", "10").data(id, true, "short")
		}), 200, false, false},
		"more than declared": {"RFC 9113 section 8.1.1", sends(func(s *script, id uint32) *script {
			return s.head(id, false, ":status", "200", "content-length", "3").data(id, true, "longer")
		}), 200, false, false},
		"two lengths": {"RFC 9110 section 8.6", sends(func(s *script, id uint32) *script {
			return s.head(id, false, ":status", "200", "content-length", "3", "content-length", "4").data(id, true, "abc")
		}), 502, false, false},
		"trailers with a status": {"RFC 9113 section 8.1: no pseudo-fields in trailers", sends(func(s *script, id uint32) *script {
			return s.head(id, false, ":status", "200").data(id, false, "x").head(id, true, ":status", "200")
		}), 200, false, false},
		"trailers without an end": {"RFC 9113 section 8.1", sends(func(s *script, id uint32) *script {
			return s.head(id, false, ":status", "200").data(id, false, "x").head(id, false, "a", "b").data(id, true, "y")
		}), 200, false, false},
		"a window of nothing more": {"RFC 9113 section 6.9: a stream error", sends(func(s *script, id uint32) *script {
			return s.raw(http2.FrameWindowUpdate, 0, id, []byte{0, 0, 0, 0})
		}), 502, false, false},
		"a window too large": {"RFC 9113 section 6.9.1: a stream error", sends(func(s *script, id uint32) *script {
			return s.raw(http2.FrameWindowUpdate, 0, id, []byte{0x7f, 0xff, 0xff, 0xff})
		}), 502, false, false},
		"more than the window": {"RFC 9113 section 6.9.1: a stream error", sends(func(s *script, id uint32) *script {
			s.head(id, false, ":status", "200")
			for range 30 {
				s.data(id, false, strings.Repeat("x", 16<<10))
			}
			return s
		}), 200, false, false},
		"frames behind the end": {"RFC 9113 section 5.1: a stream error, and the response has come", sends(func(s *script, id uint32) *script {
			return s.head(id, false, ":status", "200").data(id, true, "right").data(id, true, "wrong").head(id, true, ":status", "200").data(id, false, "wrong")
		}), 200, true, false},
		"reset behind the end": {"it has come", sends(func(s *script, id uint32) *script {
			return s.head(id, false, ":status", "200").data(id, true, "right").reset(id, http2.ErrCodeInternal)
		}), 200, true, false},
		"content for nobody": {"RFC 9110 section 15.3.5: a 204 has none", sends(func(s *script, id uint32) *script {
			return s.head(id, false, ":status", "204").data(id, true, "wrong")
		}), 204, true, false},
	}
}

// breaches are errors of the connection: it must end, and only it.
func breaches() map[string]mischief {
	return map[string]mischief{
		"a header section without an end": {"CVE-2024-27316", func(s *speaker, id uint32) {
			begin := newScript()
			_ = begin.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(":status", "200")})
			s.send(begin)
			for range 1000 {
				more := newScript()
				_ = more.framer.WriteContinuation(id, false, block("a", "b"))
				s.send(more)
			}
		}, 502, false, true},
		"a broken header section": {"RFC 9113 section 4.3: COMPRESSION_ERROR", sends(func(s *script, id uint32) *script {
			return s.raw(http2.FrameHeaders, http2.FlagHeadersEndHeaders, id, []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
		}), 502, false, true},
		"another frame in a header section": {"RFC 9113 section 6.10", sends(func(s *script, id uint32) *script {
			return s.raw(http2.FrameHeaders, 0, id, block(":status", "200")).data(id, true, "x")
		}), 502, false, true},
		"a frame too large": {"RFC 9113 section 4.2", sends(func(s *script, id uint32) *script {
			return s.head(id, false, ":status", "200").data(id, true, strings.Repeat("x", 17<<10))
		}), 502, false, true},
		"a stream of nobody": {"RFC 9113 section 5.1.1: only promised ones", sends(func(s *script, _ uint32) *script { return s.head(2, true, ":status", "200") }), 502, false, true},
		"a stream to come":   {"RFC 9113 section 5.1: an idle stream", sends(func(s *script, id uint32) *script { return s.head(id+1000, true, ":status", "200") }), 502, false, true},
		"content to come":    {"RFC 9113 section 5.1: an idle stream", sends(func(s *script, id uint32) *script { return s.data(id+1000, true, "x") }), 502, false, true},
		"a push": {"RFC 9113 section 8.4: it was told not to", sends(func(s *script, id uint32) *script {
			return s.raw(http2.FramePushPromise, 4, id, []byte{0, 0, 0, 2, 0x88})
		}), 502, false, true},
		"a bad setting": {"RFC 9113 section 6.5.2", sends(func(s *script, _ uint32) *script { return s.raw(http2.FrameSettings, 0, 0, []byte{0, 5, 0, 0, 0, 1}) }), 502, false, true},
		"a window for all": {"RFC 9113 section 6.9.1: overflow", sends(func(s *script, _ uint32) *script {
			return s.raw(http2.FrameWindowUpdate, 0, 0, []byte{0x7f, 0xff, 0xff, 0xff})
		}), 502, false, true},
		"a ping on a stream":  {"RFC 9113 section 6.7", sends(func(s *script, id uint32) *script { return s.raw(http2.FramePing, 0, id, make([]byte, 8)) }), 502, false, true},
		"not HTTP/2":          {"something else", func(s *speaker, _ uint32) { s.sendText(answer(200, "wrong")) }, 502, false, true},
		"a flood of pings":    {"CVE-2019-9512", floods(func(s *script, _ uint32) *script { return s.raw(http2.FramePing, 0, 0, make([]byte, 8)) }), 502, false, true},
		"a flood of settings": {"CVE-2019-9515", floods(func(s *script, _ uint32) *script { return s.raw(http2.FrameSettings, 0, 0, nil) }), 502, false, true},
		"a flood of nothing": {"CVE-2019-9518", func(s *speaker, id uint32) {
			s.send(newScript().head(id, false, ":status", "200"))
			floods(func(s *script, id uint32) *script { return s.data(id, false, "") })(s, id)
		}, 200, false, true},
		"a flood of unknown": {"RFC 9113 section 4.1: ignored, not for ever", floods(func(s *script, _ uint32) *script { return s.raw(0xbe, 0, 0, []byte("x")) }), 502, false, true},
		"a flood of goodbyes": {"one is enough", floods(func(s *script, _ uint32) *script {
			return s.raw(http2.FrameGoAway, 0, 0, append([]byte{0x7f, 0xff, 0xff, 0xff}, 0, 0, 0, 0))
		}), 502, false, true},
		"a flood of resets":    {"of streams that were", floods(func(s *script, _ uint32) *script { return s.reset(1, http2.ErrCodeCancel) }), 502, false, true},
		"the connection, gone": {"it happens", func(s *speaker, _ uint32) { abort(s.conn) }, 502, false, true},
	}
}

func floods(with func(s *script, id uint32) *script) func(*speaker, uint32) {
	return func(s *speaker, id uint32) {
		for range 300 {
			s.send(with(with(with(with(with(newScript(), id), id), id), id), id))
		}
	}
}

// between has an endpoint misbehave while it owes a neighbour the second half of a response on the same connection.
func between(t *testing.T, n *town, mischiefs map[string]mischief, kind string) {
	t.Helper()
	for name, m := range mischiefs {
		t.Run(kind+"/"+name, func(t *testing.T) {
			half := make(chan string, 1)
			go func() {
				status, got, err := n.post(n.kinds["HTTP/2"], "/shared/half/"+strings.ReplaceAll(name, " ", "-"), "hello")
				if m.ends && (status == 502 || err != nil) {
					got = "ended"
				} else if err != nil || status != 200 {
					got = "failed: " + got
				}
				half <- got
			}()
			<-n.halves
			status, got, err := n.post(n.kinds[kind], "/shared/act/"+strings.ReplaceAll(name, " ", "-"), "hello")
			switch {
			case err == nil && status != m.status:
				t.Errorf("%s: got %d, want %d", m.reason, status, m.status)
			case m.whole && (err != nil || strings.Contains(got, "wrong")):
				t.Errorf("%s: got %q, %v, want it whole", m.reason, got, err)
			case !m.whole && err == nil && status == 200:
				t.Errorf("%s: %q was taken for whole", m.reason, got)
			}
			want := "firstsecond"
			if m.ends {
				want = "ended"
			} else if status, got, err := n.post(n.kinds[kind], "/shared/finish", "hello"); status != 200 || got != "finished" || err != nil {
				t.Errorf("%s: afterwards: got %d %q, %v", m.reason, status, got, err)
			}
			select {
			case got := <-half:
				if got != want {
					t.Errorf("%s: a neighbour on the connection: got %q, want %q", m.reason, got, want)
				}
			case <-time.After(patience):
				t.Errorf("%s: a neighbour on the connection waits for ever", m.reason)
			}
		})
	}
}

// An endpoint with HTTP/2 that breaks the protocol for one stream costs that request; for its connection, what that carries.
// Requests beside it never see its bytes, and those of other connections notice nothing.
func TestHostileEndpointsWithHTTP2(t *testing.T) {
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		all := forgeries()
		for name, m := range breaches() {
			all[name] = m
		}
		halves := make(chan struct{}, 1)
		shared := secondEndpoint(t, func(s *speaker, a *asked) bool {
			if a.begun {
				return true
			}
			kind, name, _ := strings.Cut(strings.TrimPrefix(a.path, "/shared/"), "/")
			switch kind {
			case "half":
				s.half = a.id
				s.send(newScript().head(a.id, false, ":status", "200").data(a.id, false, "first"))
				halves <- struct{}{}
			case "finish":
				s.send(newScript().data(s.half, true, "second"))
				s.send(newScript().head(a.id, false, ":status", "200").data(a.id, true, "finished"))
			default:
				all[strings.ReplaceAll(name, "-", " ")].does(s, a.id)
			}
			return true
		})
		first, second := givesBack(t)
		n := found(t, ca, map[string]string{"first": first}, map[string]string{"second": second, "shared": shared}, limits(func(l *bootstrap.Limits) {
			l.WriteTimeout = bootstrap.Duration(5 * time.Second)
		}))
		n.halves = halves
		n.settle("first", "second")
		for _, kind := range []string{"HTTP/1.1", "HTTP/2 over TLS"} {
			between(t, n, forgeries(), kind)
			between(t, n, breaches(), kind)
		}
		n.leave(0)
	})
}
