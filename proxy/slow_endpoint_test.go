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
		"silence":        {"responseTimeout", func(net.Conn) {}, 504, 10, false},
		"half a head":    {"the same", func(conn net.Conn) { say(conn, "HTTP/1.1 200 OK\r\nA") }, 504, 10, false},
		"half a content": {"streamTimeout", func(conn net.Conn) { say(conn, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf") }, 200, 10, false},
		"half a chunk": {"in chunks too", func(conn net.Conn) {
			say(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhalf")
		}, 200, 10, false},
		"a head byte by byte": {"responseTimeout is for all of it, not for each byte", func(conn net.Conn) {
			say(conn, "HTTP/1.1 200 OK\r\nA: ")
			drip(conn, "b", time.Millisecond)
		}, 504, 10, false},
		"interim responses for ever": {"they have an end", func(conn net.Conn) {
			drip(conn, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 0)
		}, 502, 10, false},
		"nothing is taken": {"writeTimeout", func(net.Conn) {}, 504, 20 << 20, true},
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
		"never a word":   {"connectTimeout", func(net.Conn) {}, 504, 10, false},
		"silence":        {"responseTimeout", sends(hello()), 504, 10, false},
		"half a head":    {"writeTimeout: a header section holds everybody up", sends(hello().raw(http2.FrameHeaders, 0, 1, block(":status", "200"))), 504, 10, false},
		"half a frame":   {"responseTimeout", func(conn net.Conn) { say(conn, hello().text()+"\x00\x00\x0a\x01") }, 504, 10, false},
		"half a content": {"streamTimeout", sends(hello().head(1, false, ":status", "200").data(1, false, "half")), 200, 10, false},
		"no window":      {"writeTimeout", sends(hello(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})), 504, 10, false},
		"half a window":  {"for its next part as well", sends(hello(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 5})), 504, 10, false},
		"no window for all": {"the connection has one of its own", sends(hello(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30})),
			504, 200 << 10, false},
		"nothing is taken": {"writeTimeout, though the windows are open", func(conn net.Conn) {
			say(conn, hello(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30}).raw(http2.FrameWindowUpdate, 0, 0, []byte{0x3f, 0, 0, 0}).text())
		}, 504, 20 << 20, true},
		"pings for ever": {"they do not make a response", func(conn net.Conn) {
			say(conn, hello().text())
			drip(conn, newScript().raw(http2.FramePing, 0, 0, make([]byte, 8)).text(), 10*time.Millisecond)
		}, 504, 10, false},
		"a head byte by byte": {"a frame at a time", func(conn net.Conn) {
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

// Endpoints that take too long cost those who ask them the time that the limits give, and nothing is left of it.
func TestSlowEndpoints(t *testing.T) {
	ca := testca.New(t)
	quick := bootstrap.Duration(time.Second)
	leavesNothing(t, func(t *testing.T) {
		over := make(chan struct{})
		all, first, second := map[string]delay{}, map[string]string{}, map[string]string{}
		for i := range 5 { // Each kind of client has endpoints of its own.
			for name, d := range delays() {
				name = fmt.Sprint(i, "/first/", strings.ReplaceAll(name, " ", "-"))
				all[name], first[name] = d, lazy(t, d, over)
			}
			for name, d := range secondDelays() {
				name = fmt.Sprint(i, "/second/", strings.ReplaceAll(name, " ", "-"))
				all[name], second[name] = d, lazy(t, d, over)
			}
		}
		n := found(t, ca, first, second, limits(func(l *bootstrap.Limits) {
			l.ConnectTimeout, l.ResponseTimeout, l.StreamTimeout, l.WriteTimeout = quick, quick, quick, quick
		}))
		kinds := slices.Sorted(maps.Keys(n.kinds))
		alone := map[string]*http.Transport{} // What one of them cannot send must not be what another waits for.
		for name := range all {
			alone[name] = n.clients()[kinds[name[0]-'0']]
		}
		var asking sync.WaitGroup
		places := make(chan struct{}, 16)
		for name, d := range all {
			kind := kinds[name[0]-'0']
			asking.Go(func() {
				places <- struct{}{}
				defer func() { <-places }()
				defer alone[name].CloseIdleConnections()
				status, got, err := n.post(alone[name], "/"+name, strings.Repeat("x", d.upload))
				if d.deaf && err != nil {
					return // Who still sends may be reset before the answer is read.
				}
				if cut := err != nil; cut != (d.status == 200) || !cut && status != d.status {
					t.Errorf("%s: %s: %s: got %d, %.20q, %v, want %d", kind, name, d.reason, status, got, err, d.status)
				}
			})
		}
		asking.Wait()
		close(over)
		n.leave(0)
	})
}
