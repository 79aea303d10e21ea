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

package http1

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

const patience = time.Minute

type handlerFunc func(ctx context.Context, request *message.Request, reply message.Reply)

func (f handlerFunc) Handle(ctx context.Context, request *message.Request, reply message.Reply) {
	f(ctx, request, reply)
}

// serving runs a server, and gives its address.
func serving(t *testing.T, handler handlerFunc, change ...func(*ServerOptions)) (*Server, string) {
	t.Helper()
	options := ServerOptions{
		Handler: handler, Limits: message.Limits{MaxHeaderBytes: 1 << 10, HeaderTimeout: patience, IdleTimeout: patience},
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	for _, apply := range change {
		apply(&options)
	}
	s := NewServer(options)
	return s, accepting(t, s, func(conn net.Conn) net.Conn { return conn })
}

// shutdown does what a port does with its server.
func shutdown(ctx context.Context, s *Server) error {
	defer s.Close()
	left := func() int {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.conns)
	}
	for s.Drain(); left() > 0; time.Sleep(time.Millisecond) {
		s.CloseIdle()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

// accepting gives a server the connections to an address, with something around them.
func accepting(t *testing.T, s *Server, wrap func(net.Conn) net.Conn) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			running.Go(func() { s.ServeConn(wrap(conn), message.From(conn)) })
		}
	})
	t.Cleanup(func() {
		_ = socket.Close()
		s.Close()
		running.Wait()
	})
	return socket.Addr().String()
}

func dial(t *testing.T, at, text string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

func ok(_ context.Context, _ *message.Request, reply message.Reply) {
	_ = reply.Respond(&message.Response{Status: 200})
}

// What can be read in two ways never reaches the handler.
func TestRefusedOnTheWire(t *testing.T) {
	reached := func(context.Context, *message.Request, message.Reply) { t.Error("the handler was reached") }
	_, at := serving(t, reached)
	tests := map[string]struct {
		reason, request string
		status          int
	}{
		"no host":            {"RFC 9112 section 3.2: a request without Host MUST be answered 400", "GET / HTTP/1.1\r\n\r\n", 400},
		"two hosts":          {"and one with more than one Host line", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
		"length twice":       {"two lengths are two messages", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
		"length no number":   {"a length is digits", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na", 400},
		"unknown coding":     {"only chunked frames a message", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", 501},
		"space before colon": {"RFC 9112 section 5.1: MUST be rejected with 400", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
		"control character":  {"a field value holds no control characters", "GET / HTTP/1.1\r\nHost: a\r\nX: a\x01b\r\n\r\n", 400},
		"too large":          {"a head has a limit", "GET / HTTP/1.1\r\nHost: a\r\nX: " + strings.Repeat("x", 16<<10) + "\r\n\r\n", 431},
		"HTTP/2 preface":     {"HTTP/2 without TLS is not spoken", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, answer := dial(t, at, test.request)
			response, err := http.ReadResponse(answer, nil)
			if err != nil {
				t.Fatalf("%s: %v", test.reason, err)
			}
			if response.StatusCode != test.status {
				t.Errorf("%s: got %d, want %d", test.reason, response.StatusCode, test.status)
			}
		})
	}
}

func TestSlowAndIdleClientsAreLetGo(t *testing.T) {
	tests := map[string]struct {
		reason, text string
		change       func(*ServerOptions)
	}{
		"slow head": {
			reason: "a client that sends its head byte by byte must not hold a connection for ever",
			text:   "GET / HTTP/1.1\r\nHost:", change: func(o *ServerOptions) { o.HeaderTimeout = 10 * time.Millisecond },
		},
		"idle": {
			reason: "nor must one that sends nothing after a request",
			text:   "GET / HTTP/1.1\r\nHost: a\r\n\r\n", change: func(o *ServerOptions) { o.IdleTimeout = 10 * time.Millisecond },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, at := serving(t, ok, test.change)
			_, answer := dial(t, at, test.text)
			if _, err := io.ReadAll(answer); err != nil {
				t.Errorf("%s: the connection is not closed: %v", test.reason, err)
			}
		})
	}
}

func TestHandlerWithoutAnswerClosesTheConnection(t *testing.T) {
	_, at := serving(t, func(context.Context, *message.Request, message.Reply) {})
	_, answer := dial(t, at, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if data, err := io.ReadAll(answer); err != nil || len(data) > 0 {
		t.Errorf("got %q, %v, want nothing", data, err)
	}
}

func TestRequestHead(t *testing.T) {
	heads := make(chan message.Request, 1)
	_, at := serving(t, func(ctx context.Context, request *message.Request, reply message.Reply) {
		head := *request
		head.Body, head.Client = nil, netip.AddrPort{}
		heads <- head
		ok(ctx, request, reply)
	})
	tests := map[string]struct {
		reason, text string
		want         message.Request
	}{
		"origin-form": {
			"path and query are kept as they came", "GET /a%20b/?x=1?y HTTP/1.1\r\nHost: a:80\r\n\r\n",
			message.Request{Method: "GET", Authority: "a:80", Path: "/a%20b/", Query: "?x=1?y"},
		},
		"empty query": {
			"a question mark without a query is part of the target", "GET /? HTTP/1.1\r\nHost: a\r\n\r\n",
			message.Request{Method: "GET", Authority: "a", Path: "/", Query: "?"},
		},
		"absolute-form without path": {
			"RFC 9112 section 3.2.1: an empty path is /", "GET http://b?x HTTP/1.1\r\nHost: a\r\n\r\n",
			message.Request{Method: "GET", Authority: "b", Path: "/", Query: "?x"},
		},
		"content": {
			"its framing is no field", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab",
			message.Request{Method: "POST", Authority: "a", Path: "/", Length: 2},
		},
		"chunked": {
			"its length is not known", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			message.Request{Method: "POST", Authority: "a", Path: "/", Length: message.UnknownLength},
		},
		"upgrade": {
			"a switch is asked for with both fields", "GET / HTTP/1.1\r\nHost: a\r\nConnection: a, uPgrade\r\nUpgrade: websocket\r\n\r\n",
			message.Request{Method: "GET", Authority: "a", Path: "/", Upgrade: "websocket"},
		},
		"upgrade without option": {
			"Upgrade alone asks for nothing", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
			message.Request{Method: "GET", Authority: "a", Path: "/"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dial(t, at, test.text)
			var got message.Request
			select {
			case got = <-heads:
			case <-time.After(patience):
				t.Fatal("no request came")
			}
			for _, framing := range []string{"Host", "Content-Length", "Transfer-Encoding"} {
				if _, found := got.Fields.Get(framing); found {
					t.Errorf("%s: %s is among the fields", test.reason, framing)
				}
			}
			same := got.Method == test.want.Method && got.Authority == test.want.Authority && got.Path == test.want.Path &&
				got.Query == test.want.Query && got.Length == test.want.Length && got.Upgrade == test.want.Upgrade
			if !same || got.Scheme != "http" {
				t.Errorf("%s: got %+v", test.reason, got)
			}
		})
	}
}

// A tunnel is a request in flight: a drain waits for it, and cuts it when its time is over.
func TestShutdownCutsTunnels(t *testing.T) {
	opened := make(chan struct{})
	s, at := serving(t, func(_ context.Context, _ *message.Request, reply message.Reply) {
		tunnel, err := reply.Upgrade(&message.Response{Status: 101})
		if err != nil {
			t.Errorf("upgrade: %v", err)
			return
		}
		defer func() { _ = tunnel.Close() }()
		close(opened)
		_, _ = io.Copy(io.Discard, tunnel)
	})
	_, answer := dial(t, at, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	<-opened
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if err := shutdown(ctx, s); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a tunnel that was cut: got %v", err)
	}
	if _, err := io.ReadAll(answer); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the tunnel is still open: %v", err)
	}
}

func newClient(endpoint string) *Client {
	return NewClient(ClientOptions{
		Endpoint: netip.MustParseAddrPort(endpoint),
		ClientLimits: message.ClientLimits{
			ConnectTimeout: patience, HeaderTimeout: patience, IdleTimeout: patience, MaxHeaderBytes: 1 << 20,
		},
		MaxIdle: 4,
	})
}

func TestConnectError(t *testing.T) {
	c := newClient("127.77.0.1:1") // Nothing listens there.
	body := strings.NewReader("content")
	request := &message.Request{Method: "POST", Path: "/", Authority: "a", Body: body, Length: 7}
	_, err := c.RoundTrip(context.Background(), request, nil)
	var connect *message.ConnectError
	if !errors.As(err, &connect) || connect.Timeout {
		t.Fatalf("got %v, want a ConnectError that is no timeout", err)
	}
	if body.Len() != 7 {
		t.Errorf("%d bytes of the content are left: it must be whole for the next endpoint", body.Len())
	}
}

// The client's 100 comes when its content is wanted, and once.
func TestContinueIsSentOnce(t *testing.T) {
	wanting, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	backend := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.Copy(w, r.Body)
	})}
	go func() { _ = backend.Serve(wanting) }()
	t.Cleanup(func() { _ = backend.Close() })
	c := newClient(wanting.Addr().String())
	t.Cleanup(c.Close)
	_, at := serving(t, func(ctx context.Context, request *message.Request, reply message.Reply) {
		response, err := c.RoundTrip(ctx, request, reply.Inform)
		if err != nil {
			t.Errorf("round trip: %v", err)
			return
		}
		defer response.Close()
		if err := reply.Respond(response); err != nil {
			t.Errorf("respond: %v", err)
		}
	})
	head := func(path string) string {
		return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
	}
	conn, answer := dial(t, at, head("/take"))
	if line, err := answer.ReadString('\n'); err != nil || line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	_, _ = answer.ReadString('\n')
	if _, err := io.WriteString(conn, "ab"); err != nil {
		t.Fatal(err)
	}
	if line, err := answer.ReadString('\n'); err != nil || line != "HTTP/1.1 200 OK\r\n" {
		t.Errorf("after the content: %q, %v", line, err)
	}
	_, answer = dial(t, at, head("/refuse"))
	if line, err := answer.ReadString('\n'); err != nil || line != "HTTP/1.1 403 Forbidden\r\n" {
		t.Errorf("an endpoint that does not want the content: %q, %v", line, err)
	}
}
