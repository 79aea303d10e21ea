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
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// wrapped runs a server with something around its connections.
func wrapped(t *testing.T, handler handlerFunc, wrap func(net.Conn) net.Conn) (*Server, string) {
	t.Helper()
	server := NewServer(ServerOptions{Handler: handler})
	return server, accepting(t, server, wrap)
}

// opaque hides that a connection is a socket, as TLS does.
func opaque(conn net.Conn) net.Conn { return struct{ net.Conn }{conn} }

func done(reply message.Reply) { _ = reply.Respond(&message.Response{Status: 204}) }

func expect(t *testing.T, reader *bufio.Reader, status int) {
	t.Helper()
	r, err := http.ReadResponse(reader, nil)
	if err != nil || r.StatusCode != status {
		t.Fatalf("got %v, %v, want %d", r, err, status)
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		t.Fatal(err)
	}
}

func TestPanicEndsOneConnection(t *testing.T) {
	_, at := serving(t, func(_ context.Context, request *message.Request, reply message.Reply) {
		if request.Path == "/panic" {
			panic("in a handler")
		}
		done(reply)
	})
	neighbour, answers := dial(t, at, get+"\r\n")
	expect(t, answers, 204)
	_, broken := dial(t, at, "GET /panic HTTP/1.1\r\nHost: h\r\n\r\n")
	if _, err := broken.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("the connection ends with %v", err)
	}
	_, _ = io.WriteString(neighbour, get+"\r\n")
	expect(t, answers, 204)
}

func TestShutdown(t *testing.T) {
	reached, finish := make(chan struct{}), make(chan struct{})
	server, at := serving(t, func(_ context.Context, request *message.Request, reply message.Reply) {
		if request.Path == "/slow" {
			close(reached)
			<-finish
		}
		done(reply)
	})
	_, idle := dial(t, at, get+"\r\n")
	expect(t, idle, 204)
	_, slow := dial(t, at, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	<-reached
	fresh, freshAnswers := dial(t, at, "")
	accepted := func() int {
		server.mu.Lock()
		defer server.mu.Unlock()
		return len(server.conns)
	}
	for deadline := time.Now().Add(patience); accepted() < 3 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	ended := make(chan error, 1)
	go func() { ended <- shutdown(context.Background(), server) }()
	if _, err := idle.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("an idle connection ends with %v", err)
	}
	// Its request may be on the way.
	_, _ = io.WriteString(fresh, get+"\r\n")
	expect(t, freshAnswers, 204)
	select {
	case err := <-ended:
		t.Fatalf("ended with %v before the request did", err)
	default:
	}
	close(finish)
	expect(t, slow, 204)
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestShutdownCutsWhatTakesTooLong(t *testing.T) {
	reached, cancelled := make(chan struct{}), make(chan struct{})
	server, at := serving(t, func(ctx context.Context, _ *message.Request, _ message.Reply) {
		close(reached)
		<-ctx.Done()
		close(cancelled)
	})
	_, reader := dial(t, at, get+"\r\n")
	<-reached
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := shutdown(ctx, server); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-cancelled
	if _, err := reader.ReadByte(); err == nil {
		t.Error("the connection goes on")
	}
}

// What is not a plain socket, as with TLS, behaves the same.
func TestOpaqueConnections(t *testing.T) {
	cancelled := make(chan struct{})
	slow := make(chan struct{})
	_, at := wrapped(t, func(ctx context.Context, request *message.Request, reply message.Reply) {
		switch request.Path {
		case "/wait":
			<-ctx.Done()
			close(cancelled)
			return
		case "/slow":
			<-slow
		}
		done(reply)
	}, opaque)
	conn, reader := dial(t, at, get+"\r\n"+get+"\r\n")
	expect(t, reader, 204)
	expect(t, reader, 204)
	_, _ = io.WriteString(conn, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	// While the connection is watched, the next request arrives: nothing of it is lost.
	time.AfterFunc(3*watchInterval, func() { _, _ = io.WriteString(conn, get+"\r\n") })
	time.AfterFunc(4*watchInterval, func() { close(slow) })
	expect(t, reader, 204)
	expect(t, reader, 204)
	_, _ = io.WriteString(conn, "GET /wait HTTP/1.1\r\nHost: h\r\n\r\n")
	_ = conn.Close()
	select {
	case <-cancelled:
	case <-time.After(patience):
		t.Fatal("the handler was not told that the client is gone")
	}
}

// An idle connection holds no buffer and no exchange.
func TestIdleConnectionsHoldNothing(t *testing.T) {
	server := NewServer(ServerOptions{Handler: handlerFunc(ok)})
	c := newConn(server, &memory{sent: []byte("POST / HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 3*bufferSize) + "\r\n\r\n")}, message.Arrival{Scheme: "http"})
	if !c.await() || !c.exchange() {
		t.Fatal("the request was not served")
	}
	if c.state.Load()&phaseMask != phaseIdle || c.x != nil || c.data != nil || c.head != nil {
		t.Errorf("it does: %v %v %v", c.x, c.data, c.head)
	}
}

// echoing is an endpoint of a client's tests.
func echoing(t *testing.T) (netip.AddrPort, *atomic.Int32) {
	t.Helper()
	var connections atomic.Int32
	_, at := wrapped(t, func(_ context.Context, request *message.Request, reply message.Reply) {
		_ = reply.Respond(&message.Response{Status: 200, Length: request.Length, Body: request.Body})
	}, func(conn net.Conn) net.Conn {
		connections.Add(1)
		return conn
	})
	return netip.MustParseAddrPort(at), &connections
}

func TestClientKeepsConnections(t *testing.T) {
	at, connections := echoing(t)
	client := NewClient(ClientOptions{Endpoint: at, MaxIdle: 1, ClientLimits: message.ClientLimits{IdleTimeout: 50 * time.Millisecond}})
	trip := func() *message.Response {
		t.Helper()
		body := strings.NewReader("abc")
		response, err := client.RoundTrip(context.Background(), &message.Request{
			Method: "POST", Authority: "h", Path: "/", Body: body, Length: 3,
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return response
	}
	finish := func(response *message.Response) {
		t.Helper()
		if got, err := io.ReadAll(response.Body); err != nil || string(got) != "abc" {
			t.Fatalf("got %q, %v", got, err)
		}
		response.Close()
	}
	kept := func() int {
		client.mu.Lock()
		defer client.mu.Unlock()
		return len(client.idle)
	}
	first, second := trip(), trip()
	finish(first)
	finish(second)
	if kept() > 1 || connections.Load() != 2 {
		t.Errorf("%d connections were made, %d kept, want 2 and 1", connections.Load(), kept())
	}
	for deadline := time.Now().Add(patience); kept() > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if kept() > 0 {
		t.Error("an unused connection is kept for ever")
	}
	unread := trip()
	unread.Close()
	if kept() != 0 {
		t.Error("a connection with a response that was not read is kept")
	}
}

// The end of any context ends an exchange, not only that of a context of this package's server.
func TestContextEndsExchange(t *testing.T) {
	reached := make(chan struct{})
	_, at := serving(t, func(ctx context.Context, _ *message.Request, _ message.Reply) {
		close(reached)
		<-ctx.Done()
	})
	client := NewClient(ClientOptions{Endpoint: netip.MustParseAddrPort(at), MaxIdle: 1})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-reached
		cancel()
	}()
	_, err := client.RoundTrip(ctx, &message.Request{Method: "GET", Authority: "h", Path: "/"}, nil)
	if !errors.Is(err, errInterrupted) || len(client.idle) > 0 {
		t.Errorf("got %v, %d connections kept", err, len(client.idle))
	}
}

func TestInterims(t *testing.T) {
	data := "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nX: b\r\nContent-Length: 0\r\n\r\n"
	response, interims, _, err := readBytes(ClientOptions{}, &message.Request{Method: "GET"}, []byte(data), 0)
	if err != nil || interims != 1 || fmt.Sprint(response.Fields) != "[{X b}]" {
		t.Errorf("100 ends here, 103 passes: got %+v, %d interim responses, %v", response, interims, err)
	}
}

// A head that is sent in several pieces is whole, also when its connection ends with it.
func TestLastResponseOfSeveralPieces(t *testing.T) {
	long := strings.Repeat("0123456789abcdef", 12<<10)
	_, at := serving(t, func(_ context.Context, _ *message.Request, reply message.Reply) {
		response := message.Response{Status: 200}
		response.Fields.Add("Long", long)
		_ = reply.Respond(&response)
	})
	_, reader := dial(t, at, "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
	r, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Header.Get("Long"); got != long {
		t.Errorf("got %d of %d bytes", len(got), len(long))
	}
}
