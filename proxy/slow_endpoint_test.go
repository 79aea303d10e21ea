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
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// delay is an endpoint that takes too long, and what comes of it.
type delay struct {
	limit  string // which ends it, or which do so one after the other
	reason string
	does   func(conn net.Conn)
	status int // 200 for a response that breaks off
	upload int // bytes of the request's content
	deaf   bool
}

// drip sends a piece again and again, as long as it is taken.
func drip(conn net.Conn, piece string, pause time.Duration) {
	for {
		if _, err := io.WriteString(conn, piece); err != nil {
			return
		}
		time.Sleep(pause)
	}
}

// delays with HTTP/1.1, when the request's head has come.
func delays() map[string]delay {
	return map[string]delay{
		"silence":        {"response", "nothing comes", func(net.Conn) {}, 504, 10, false},
		"half a head":    {"response", "the same", func(conn net.Conn) { say(conn, "HTTP/1.1 200 OK\r\nA") }, 504, 10, false},
		"half a content": {"stream", "the rest never comes", func(conn net.Conn) { say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") }, 200, 10, false},
		"half a chunk": {"stream", "in chunks too", func(conn net.Conn) {
			say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf")
		}, 200, 10, false},
		"a head byte by byte": {"response", "it is for all of it, not for each byte", func(conn net.Conn) {
			say(conn, "HTTP/1.1 200 OK\r\nA: ")
			drip(conn, "b", time.Millisecond)
		}, 504, 10, false},
		"interim responses for ever": {"none", "they have an end", func(conn net.Conn) {
			drip(conn, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 0)
		}, 502, 10, false},
		"nothing is taken": {"write, response", "it may have answered all the same", func(net.Conn) {}, 504, 20 << 20, true},
	}
}

// secondDelays are those with HTTP/2, for the first stream of a connection.
func secondDelays() map[string]delay {
	sends := func(s *script) func(net.Conn) { return func(conn net.Conn) { say(conn, s.text()) } }
	hello := func(settings ...http2.Setting) *script {
		s := newScript()
		_ = s.framer.WriteSettings(settings...)
		return s
	}
	return map[string]delay{
		"never a word":   {"connect", "a connection has settings", func(net.Conn) {}, 504, 10, false},
		"silence":        {"response", "its stream has no head", sends(hello()), 504, 10, false},
		"half a head":    {"write", "a header section holds everybody up", sends(hello().raw(http2.FrameHeaders, 0, 1, block(":status", "200"))), 504, 10, false},
		"half a frame":   {"response", "no frame comes after it", func(conn net.Conn) { say(conn, hello().text()+"\x00\x00\x0a\x01") }, 504, 10, false},
		"half a content": {"stream", "the rest never comes", sends(hello().head(1, false, ":status", "200").data(1, false, "half")), 200, 10, false},
		"no window":      {"write, response", "nothing may be sent", sends(hello(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})), 504, 10, false},
		"half a window":  {"write, response", "for its next part as well", sends(hello(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 5})), 504, 10, false},
		"no window for all": {"write", "the connection has one of its own", sends(hello(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30})),
			504, 200 << 10, false},
		"nothing is taken": {"write", "though the windows are open", func(conn net.Conn) {
			say(conn, hello(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30}).raw(http2.FrameWindowUpdate, 0, 0, []byte{0x3f, 0, 0, 0}).text())
		}, 504, 20 << 20, true},
		"pings for ever": {"response", "they do not make a response", func(conn net.Conn) {
			say(conn, hello().text())
			drip(conn, newScript().raw(http2.FramePing, 0, 0, make([]byte, 8)).text(), 10*time.Millisecond)
		}, 504, 10, false},
		"a head byte by byte": {"write", "a frame at a time", func(conn net.Conn) {
			say(conn, hello().raw(http2.FrameHeaders, 0, 1, block(":status", "200")).text())
			drip(conn, newScript().raw(http2.FrameContinuation, 0, 1, nil).text(), 50*time.Millisecond)
		}, 504, 10, false},
	}
}

// lazy is an endpoint with a delay; one that is deaf is so until the test is over.
func lazy(t testing.TB, d delay, over chan struct{}) string {
	return endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
		if _, err := reader.Peek(1); err != nil {
			return
		}
		var doing sync.WaitGroup
		doing.Go(func() { d.does(conn) })
		if d.deaf {
			<-over
		}
		_, _ = io.Copy(io.Discard, reader)
		_ = conn.Close()
		doing.Wait()
	})
}

// shortened are the limits with those that end a delay so short that a test can wait for them. No other ends anything, so that it does not
// matter how fast the machine is.
func shortened(limit string) func(*bootstrap.Limits) {
	return func(l *bootstrap.Limits) {
		all := map[string]*bootstrap.Duration{
			"connect": &l.ConnectTimeout, "response": &l.ResponseTimeout, "stream": &l.StreamTimeout, "write": &l.WriteTimeout,
		}
		for name, value := range all {
			if *value = bootstrap.Duration(patience); strings.Contains(limit, name) {
				*value = bootstrap.Duration(time.Second)
			}
		}
	}
}

// Endpoints that take too long cost those who ask them the time that the limits give, and nothing is left of it.
func TestSlowEndpoints(t *testing.T) {
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		var asking sync.WaitGroup
		places, over := make(chan struct{}, 16), make(chan struct{})
		for _, limit := range []string{"connect", "none", "response", "stream", "write", "write, response"} {
			all, first, second := map[string]delay{}, map[string]string{}, map[string]string{}
			for i := range 5 { // Each kind of client has endpoints of its own.
				add := func(version string, delays map[string]delay, endpoints map[string]string) {
					for name, d := range delays {
						if d.limit == limit {
							name = fmt.Sprint(i, "/", version, "/", strings.ReplaceAll(name, " ", "-"))
							all[name], endpoints[name] = d, lazy(t, d, over)
						}
					}
				}
				add("first", delays(), first)
				add("second", secondDelays(), second)
			}
			n := found(t, ca, first, second, limits(shortened(limit)))
			kinds := slices.Sorted(maps.Keys(n.kinds))
			for name, d := range all {
				kind := kinds[name[0]-'0']
				alone := n.clients()[kind] // What one of them cannot send must not be what another waits for.
				asking.Go(func() {
					places <- struct{}{}
					defer func() { <-places }()
					defer alone.CloseIdleConnections()
					n.wait(alone, kind, name, d)
				})
			}
			defer n.leave(0)
		}
		asking.Wait()
		close(over)
	})
}

// wait asks an endpoint with a delay, and expects what comes of it.
func (n *town) wait(by *http.Transport, kind, name string, d delay) {
	status, got, err := n.post(by, "/"+name, strings.Repeat("x", d.upload))
	if d.deaf && err != nil {
		return // Who still sends may be reset before the answer is read.
	}
	if cut := err != nil; cut != (d.status == 200) || !cut && status != d.status {
		n.Errorf("%s: %s: %s timeout: %s: got %d, %.20q, %v, want %d", kind, name, d.limit, d.reason, status, got, err, d.status)
	}
}
