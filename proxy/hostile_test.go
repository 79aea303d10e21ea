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
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/forward"
)

// An endpoint that sends more than it was asked for must not answer the next request with it.
func TestExtraBytesAreNobodysResponse(t *testing.T) {
	for name, wait := range map[string]time.Duration{"at once": 0, "later": 20 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			sent := make(chan struct{}, 100)
			_, proxied := behind(t, endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
				for head(reader) {
					if wait == 0 {
						say(conn, answer(200, "right")+answer(200, "wrong"))
						sent <- struct{}{}
						continue
					}
					say(conn, answer(200, "right"))
					time.Sleep(wait)
					say(conn, answer(200, "wrong"))
					sent <- struct{}{}
				}
			}))
			conn, reader := raw(t, proxied, "")
			for i := range 5 {
				say(conn, plainGet)
				if _, body := response(t, reader, "GET"); body != "right" {
					t.Fatalf("request %d: got %q", i, body)
				}
				<-sent
			}
		})
	}
}

// Connections that the endpoint closed while they were kept cost no request. Where that is seen only after the request
// was sent, it is sent again if it may.
func TestStaleConnections(t *testing.T) {
	tests := map[string]struct {
		reason string
		// reads is true when the endpoint reads a second request before it closes.
		reads   bool
		request string
		status  int
	}{
		"GET, closed before":  {"nothing was sent", false, plainGet, 200},
		"POST, closed before": {"nothing was sent, so any method may be", false, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 200},
		"GET, closed after":   {"RFC 9110 section 9.2.2: idempotent requests can be repeated", true, plainGet, 200},
		"POST, closed after":  {"RFC 9110 section 9.2.2: MUST NOT automatically retry", true, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 502},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			closed := make(chan struct{})
			_, proxied := behind(t, endpoint(t, func(n int, conn net.Conn, reader *bufio.Reader) {
				for head(reader) {
					say(conn, answer(200, "x"))
					if n > 0 {
						continue
					}
					if test.reads {
						head(reader)
					}
					_ = conn.Close()
					close(closed)
					return
				}
			}))
			conn, reader := raw(t, proxied, plainGet)
			response(t, reader, "GET")
			if !test.reads {
				<-closed
			}
			say(conn, test.request)
			if r, _ := response(t, reader, "GET"); r.StatusCode != test.status {
				t.Errorf("%s: got %d, want %d", test.reason, r.StatusCode, test.status)
			}
		})
	}
}

func TestBrokenEndpoints(t *testing.T) {
	tests := map[string]struct{ reason, sent string }{
		"not HTTP":       {"something else listens there", "SSH-2.0-x\r\n\r\n"},
		"both framings":  {"it could be read in two ways", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"},
		"endless head":   {"a head must end", "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 300<<10) + "\r\n\r\n"},
		"many fields":    {"and not have too many fields", "HTTP/1.1 200 OK\r\n" + strings.Repeat("A:\r\n", 300) + "\r\n"},
		"unasked switch": {"nobody asked for it", "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			ended := make(chan struct{})
			p, proxied := behind(t, endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
				defer close(ended)
				head(reader)
				say(conn, test.sent)
				_, _ = io.Copy(io.Discard, reader)
			}))
			conn, reader := raw(t, proxied, plainGet)
			if r, _ := response(t, reader, "GET"); r.StatusCode != 502 {
				t.Errorf("%s: got %d", test.reason, r.StatusCode)
			}
			select {
			case <-ended:
			case <-time.After(patience):
				t.Error("the endpoint's connection is still open")
			}
			if count := p.Requests()[forward.Outcome{Status: 502, Reason: forward.ReasonUpstream}]; count != 1 {
				t.Errorf("counted %v", p.Requests())
			}
			_ = conn.Close()
		})
	}
}

func TestSlowClients(t *testing.T) {
	tests := map[string]struct {
		reason string
		sent   string
		status int  // 0 when the connection just ends
		ends   bool // with the response
	}{
		"no request":   {"who says nothing is told nothing", "", 0, true},
		"half a head":  {"RFC 9110 section 15.5.9", "GET / HTTP/1.1\r\nHo", 408, true},
		"half content": {"the same for content", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc", 408, true},
		"half a chunk": {"in chunks too", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nf\r\nabc", 408, true},
		"idle":         {"one that has asked, and asks nothing more", plainGet, 200, false},
	}
	backend := serve(t, func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			inTime(t, func(limit time.Duration) bool {
				quick := bootstrap.Duration(limit)
				_, proxied := behind(t, backend, limits(func(l *bootstrap.Limits) { l.HeaderTimeout, l.BodyTimeout, l.IdleTimeout = quick, quick, quick }))
				_, reader := raw(t, proxied, test.sent)
				if test.status > 0 {
					if _, err := reader.Peek(1); err != nil {
						return false // It was idle before it said anything.
					}
					if r, _ := response(t, reader, "GET"); r.StatusCode != test.status || r.Close != test.ends {
						t.Errorf("%s: got %v", test.reason, r)
					}
				}
				if _, err := reader.ReadByte(); !errors.Is(err, io.EOF) {
					t.Errorf("%s: the connection ends with %v", test.reason, err)
				}
				return true
			})
		})
	}
}

// A head that never ends byte by byte is cut by the time that a head may take, not by that between bytes.
func TestByteByByte(t *testing.T) {
	backend := echo(t, "x")
	_, proxied := behind(t, backend, limits(func(l *bootstrap.Limits) { l.HeaderTimeout = bootstrap.Duration(200 * time.Millisecond) }))
	conn, reader := raw(t, proxied, "GET / HTTP/1.1\r\nX: ")
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				if _, err := conn.Write([]byte("a")); err != nil {
					return
				}
			}
		}
	}()
	if r, _ := response(t, reader, "GET"); r.StatusCode != 408 {
		t.Errorf("got %v", r)
	}
}

// A client that does not read costs its own connection and the endpoint's.
func TestClientThatDoesNotRead(t *testing.T) {
	ended := make(chan struct{})
	backend := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		defer close(ended)
		piece := make([]byte, 64<<10)
		for {
			if _, err := w.Write(piece); err != nil {
				return
			}
		}
	})
	p, proxied := behind(t, backend, limits(func(l *bootstrap.Limits) { l.WriteTimeout = bootstrap.Duration(50 * time.Millisecond) }))
	raw(t, proxied, plainGet)
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("the endpoint still sends")
	}
	eventually(t, "it is counted as the client's doing", func() bool {
		return p.Requests()[forward.Outcome{Status: 200, Reason: forward.ReasonClient}] == 1
	})
}

// abort closes a connection with a reset.
func abort(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// Clients and endpoints that break off at any point cost their own exchange: whoever does not is answered with what is
// meant for it, and nothing is left behind.
func TestStormOfResets(t *testing.T) {
	respond := func(conn net.Conn, reader *bufio.Reader) bool {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return false
		}
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return false
		}
		text := request.URL.Path + string(body)
		sent := answer(200, text)
		if len(body)%2 == 1 {
			sent = fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(text), text)
		}
		if strings.HasPrefix(request.URL.Path, "/cut") {
			say(conn, sent[:rand.IntN(len(sent))])
			if rand.IntN(2) == 0 {
				abort(conn)
			}
			return false
		}
		say(conn, sent)
		return true
	}
	at := endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
		for respond(conn, reader) {
		}
	})
	_, proxied := behind(t, at)
	storm := func(worker, i int) {
		path := fmt.Sprintf("/ok/%d/%d/", worker, i)
		if i%3 == 1 {
			path = "/cut" + path
		}
		body := strings.Repeat("b", rand.IntN(20<<10))
		request := fmt.Sprintf("POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
		conn, err := net.Dial("tcp", proxied)
		if err != nil {
			t.Errorf("dial: %v", err)
			return
		}
		defer func() { _ = conn.Close() }()
		if i%3 == 2 {
			say(conn, request[:rand.IntN(len(request))])
			abort(conn)
			return
		}
		say(conn, request)
		r, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			if i%3 == 0 {
				t.Errorf("%s: %v", path, err)
			}
			return
		}
		got, err := io.ReadAll(r.Body)
		if i%3 == 0 && (err != nil || string(got) != path+body) || err == nil && r.StatusCode == 200 && string(got) != path+body {
			t.Errorf("%s: got %d %.60q, %v", path, r.StatusCode, got, err)
		}
	}
	done := make(chan struct{})
	for worker := range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range 90 {
				storm(worker, i)
			}
		}()
	}
	for range 8 {
		<-done
	}
	// Every exchange has ended: what is open now belongs to kept connections alone.
	eventually(t, "no connection of a client is left", func() bool { return openTo(proxied) == 0 })
}

// openTo counts this process's sockets that a listener's address has accepted.
func openTo(at string) int {
	count := 0
	for fd := range 4096 {
		local, err := syscall.Getsockname(fd)
		if err != nil {
			continue
		}
		peer, err := syscall.Getpeername(fd)
		if in, ok := local.(*syscall.SockaddrInet4); err == nil && ok && peer != nil {
			if fmt.Sprintf("127.0.0.1:%d", in.Port) == at {
				count++
			}
		}
	}
	return count
}

// Content that was at hand goes with the request to the next connection when the kept one turns out to be closed: nothing
// of it was sent.
func TestStaleConnectionsKeepContent(t *testing.T) {
	for _, size := range []int{5, 6 << 10, 200 << 10} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			closed := make(chan struct{})
			_, proxied := behind(t, endpoint(t, func(n int, conn net.Conn, reader *bufio.Reader) {
				for {
					request, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					content, _ := io.ReadAll(request.Body)
					say(conn, answer(200, fmt.Sprint(len(content))))
					if n == 0 {
						_ = conn.Close()
						close(closed)
						return
					}
				}
			}))
			conn, reader := raw(t, proxied, plainGet)
			response(t, reader, "GET")
			<-closed
			say(conn, fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n%s", size, strings.Repeat("x", size)))
			if r, content := response(t, reader, "POST"); r.StatusCode != 200 || content != fmt.Sprint(size) {
				t.Errorf("got %d %q, want that the endpoint has read %d bytes", r.StatusCode, content, size)
			}
		})
	}
}
