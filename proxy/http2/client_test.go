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

package http2

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/rauta-dev/rauta/proxy/message"
)

// endpoint talks with each connection of a client in frames; n is the number of the connection, from 1.
func endpoint(t testing.TB, limits message.ClientLimits, talk func(n int, c *client)) *Client {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	go func() {
		for n := 1; ; n++ {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				_ = conn.SetDeadline(time.Now().Add(time.Minute))
				preface := make([]byte, len(http2.ClientPreface))
				if _, err := io.ReadFull(conn, preface); err != nil {
					return
				}
				c := &client{TB: t, conn: conn, framer: http2.NewFramer(conn, conn)}
				c.encoder = hpack.NewEncoder(&c.block)
				c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
				c.framer.AllowIllegalWrites = true
				_ = c.framer.WriteSettings()
				talk(n, c)
			}()
		}
	}()
	made := NewClient(ClientOptions{Endpoint: netip.MustParseAddrPort(socket.Addr().String()), ClientLimits: limits})
	t.Cleanup(made.Close)
	return made
}

// request waits for the next request; 0 when there is none.
func (c *client) request() uint32 {
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return 0
		}
		if f, ok := frame.(*http2.MetaHeadersFrame); ok {
			return f.StreamID
		}
	}
}

// drained reads until the connection ends.
func (c *client) drained() { _, _ = io.Copy(io.Discard, c.conn) }

func get() *message.Request {
	return &message.Request{Method: "GET", Authority: "a.test", Path: "/"}
}

func content(response *message.Response) (string, error) {
	defer response.Close()
	if response.Body == nil {
		return "", nil
	}
	all, err := io.ReadAll(response.Body)
	return string(all), err
}

// RFC 9113 section 8.7: what was not processed is sent again; what may have been only if that does no harm.
func TestRepeats(t *testing.T) {
	tests := map[string]struct {
		reason string
		first  func(c *client, id uint32)
		method string
		want   bool
	}{
		"refused":    {"REFUSED_STREAM says that it was not processed", func(c *client, id uint32) { _ = c.framer.WriteRSTStream(id, http2.ErrCodeRefusedStream) }, "POST", true},
		"leaving":    {"GOAWAY says so of higher streams", func(c *client, _ uint32) { _ = c.framer.WriteGoAway(0, http2.ErrCodeNo, nil) }, "POST", true},
		"gone, GET":  {"nobody knows, and it does no harm", func(c *client, _ uint32) { _ = c.conn.Close() }, "GET", true},
		"gone, POST": {"nobody knows, and it may", func(c *client, _ uint32) { _ = c.conn.Close() }, "POST", false},
		"reset":      {"the endpoint has decided", func(c *client, id uint32) { _ = c.framer.WriteRSTStream(id, http2.ErrCodeInternal) }, "GET", false},
		"not HTTP/2": {"it will not be with another connection", func(c *client, _ uint32) {
			_, _ = io.WriteString(c.conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
			c.drained()
		}, "POST", false},
		"pushed streams": {"a connection error", func(c *client, id uint32) {
			_ = c.framer.WriteRawFrame(http2.FramePushPromise, http2.FlagPushPromiseEndHeaders, id, []byte{0, 0, 0, 2, 0x82})
			c.drained()
		}, "POST", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var requests atomic.Int64
			client := endpoint(t, message.ClientLimits{}, func(_ int, c *client) {
				for id := c.request(); id != 0; id = c.request() {
					if requests.Add(1) == 1 {
						test.first(c, id)
						continue
					}
					c.head(id, true, ":status", "200")
				}
			})
			request := get()
			request.Method = test.method
			response, err := client.RoundTrip(t.Context(), request, nil)
			if (err == nil) != test.want {
				t.Errorf("%s: got %v after %d requests", test.reason, err, requests.Load())
			}
			if err == nil {
				response.Close()
			}
		})
	}
}

func TestBrokenResponses(t *testing.T) {
	var late interface{ Timeout() bool }
	tests := map[string]struct {
		reason string
		answer func(c *client, id uint32)
		late   bool
	}{
		"no status":          {"RFC 9113 section 8.3.2", func(c *client, id uint32) { c.head(id, true, "a", "b") }, false},
		"bad status":         {"three digits", func(c *client, id uint32) { c.head(id, true, ":status", "20") }, false},
		"upper case":         {"RFC 9113 section 8.2.1", func(c *client, id uint32) { c.head(id, true, ":status", "200", "A", "b") }, false},
		"line feed":          {"it would end a line with HTTP/1.1", func(c *client, id uint32) { c.head(id, true, ":status", "200", "a", "b\nc: d") }, false},
		"connection":         {"RFC 9113 section 8.2.2", func(c *client, id uint32) { c.head(id, true, ":status", "200", "connection", "close") }, false},
		"switch":             {"RFC 9113 section 8.6", func(c *client, id uint32) { c.head(id, false, ":status", "101") }, false},
		"too large":          {"the limit", func(c *client, id uint32) { c.head(id, true, ":status", "200", "a", strings.Repeat("x", 5000)) }, false},
		"length, no content": {"they differ", func(c *client, id uint32) { c.head(id, true, ":status", "200", "content-length", "1") }, false},
		"less": {"than declared", func(c *client, id uint32) {
			c.head(id, false, ":status", "200", "content-length", "2")
			_ = c.framer.WriteData(id, true, []byte("a"))
		}, false},
		"more": {"than declared", func(c *client, id uint32) {
			c.head(id, false, ":status", "200", "content-length", "2")
			_ = c.framer.WriteData(id, true, []byte("abc"))
		}, false},
		"cut": {"by a reset", func(c *client, id uint32) {
			c.head(id, false, ":status", "200")
			_ = c.framer.WriteRSTStream(id, http2.ErrCodeInternal)
		}, false},
		"gone":          {"with its connection", func(c *client, id uint32) { c.head(id, false, ":status", "200"); _ = c.conn.Close() }, false},
		"content first": {"before its head", func(c *client, id uint32) { _ = c.framer.WriteData(id, false, []byte("a")) }, false},
		"silence":       {"no head in time", func(*client, uint32) {}, true},
		"silence later": {"no content in time", func(c *client, id uint32) { c.head(id, false, ":status", "200") }, true},
		"interims": {"too many", func(c *client, id uint32) {
			for range 40 {
				c.head(id, false, ":status", "103")
			}
		}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client := endpoint(t, message.ClientLimits{
				HeaderTimeout: 300 * time.Millisecond, BodyTimeout: 300 * time.Millisecond, MaxHeaderBytes: 4000,
			}, func(_ int, c *client) {
				for id := c.request(); id != 0; id = c.request() {
					test.answer(c, id)
				}
			})
			request := get()
			request.Method = "POST"
			response, err := client.RoundTrip(t.Context(), request, nil)
			if err == nil {
				_, err = content(response)
			}
			if err == nil {
				t.Fatalf("%s: taken for whole", test.reason)
			}
			if got := errors.As(err, &late) && late.Timeout(); got != test.late {
				t.Errorf("%s: got %v", test.reason, err)
			}
		})
	}
}

// Requests share a connection as far as the endpoint lets them, and go to another where it does not.
func TestEndpointsStreamLimit(t *testing.T) {
	var connections atomic.Int64
	release := make(chan struct{})
	client := endpoint(t, message.ClientLimits{}, func(_ int, c *client) {
		connections.Add(1)
		_ = c.framer.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 2})
		for id := c.request(); id != 0; id = c.request() {
			c.head(id, false, ":status", "200")
			go func() {
				<-release
				_, _ = c.conn.Write(append(appendFrameHead(nil, 1, http2.FrameData, http2.FlagDataEndStream, id), 'x'))
			}()
		}
	})
	var open []*message.Response
	for range 6 {
		response, err := client.RoundTrip(t.Context(), get(), nil)
		if err != nil {
			t.Fatal(err)
		}
		open = append(open, response)
	}
	if got := connections.Load(); got != 3 {
		t.Errorf("6 requests, 2 to a connection: got %d connections", got)
	}
	close(release)
	for _, response := range open {
		if got, err := content(response); got != "x" || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	}
}

// A request that is given up is reset, and costs its neighbours nothing.
func TestGivenUp(t *testing.T) {
	resets := make(chan uint32, 10)
	client := endpoint(t, message.ClientLimits{}, func(_ int, c *client) {
		for {
			frame, err := c.framer.ReadFrame()
			if err != nil {
				return
			}
			switch f := frame.(type) {
			case *http2.MetaHeadersFrame:
				if f.PseudoValue("path") == "/" {
					c.head(f.StreamID, true, ":status", "200")
				}
			case *http2.RSTStreamFrame:
				resets <- f.StreamID
			}
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() {
		request := get()
		request.Path = "/slow"
		_, err := client.RoundTrip(ctx, request, nil)
		ended <- err
	}()
	for range 5 {
		response, err := client.RoundTrip(t.Context(), get(), nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Close()
	}
	cancel()
	if err := <-ended; err == nil {
		t.Error("a request that was given up was answered")
	}
	<-resets
	response, err := client.RoundTrip(t.Context(), get(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Close()
}

func TestNoConnection(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(socket.Addr().String())
	_ = socket.Close()
	_, err = NewClient(ClientOptions{Endpoint: at}).RoundTrip(t.Context(), get(), nil)
	var connect *message.ConnectError
	if !errors.As(err, &connect) || connect.Timeout {
		t.Errorf("got %v", err)
	}
}

// Connections that nobody uses are closed after their time.
func TestIdleConnections(t *testing.T) {
	closed := make(chan struct{})
	client := endpoint(t, message.ClientLimits{IdleTimeout: 200 * time.Millisecond}, func(_ int, c *client) {
		defer close(closed)
		for id := c.request(); id != 0; id = c.request() {
			c.head(id, true, ":status", "200")
		}
	})
	response, err := client.RoundTrip(t.Context(), get(), nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Close()
	<-closed
}

// An endpoint that never sends its settings ends a switch of protocols that waits for them; so does whoever gives it up.
func TestSilentEndpoint(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	for _, limit := range []time.Duration{200 * time.Millisecond, time.Hour} {
		client := NewClient(ClientOptions{
			Endpoint: netip.MustParseAddrPort(socket.Addr().String()), ClientLimits: message.ClientLimits{ConnectTimeout: limit},
		})
		request := get()
		request.Upgrade = "websocket"
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			_, err := client.RoundTrip(ctx, request, nil)
			ended <- err
		}()
		if limit == time.Hour {
			cancel()
		}
		if err := <-ended; err == nil {
			t.Error("a switch of protocols that nobody agreed to")
		}
		cancel()
		client.Close()
	}
}

// RFC 9110 section 9.2.2: "A client SHOULD NOT automatically retry a failed automatic retry." A request that ends every
// connection which it comes by must not end many.
func TestRepeatsOnceOnSuspicion(t *testing.T) {
	var requests atomic.Int64
	client := endpoint(t, message.ClientLimits{}, func(_ int, c *client) {
		if c.request() != 0 {
			requests.Add(1)
		}
	})
	if response, err := client.RoundTrip(t.Context(), get(), nil); err == nil {
		response.Close()
		t.Error("there was no response")
	}
	if requests.Load() != 2 {
		t.Errorf("sent %d times, want twice", requests.Load())
	}
}

// An endpoint that accepts connections and never speaks is late, and is not asked again.
func TestEndpointThatNeverSpeaks(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	var connections atomic.Int64
	go func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			go func() {
				_, _ = io.Copy(io.Discard, conn)
				_ = conn.Close()
			}()
		}
	}()
	client := NewClient(ClientOptions{Endpoint: netip.MustParseAddrPort(socket.Addr().String()), ClientLimits: message.ClientLimits{
		ConnectTimeout: 200 * time.Millisecond,
	}})
	t.Cleanup(client.Close)
	response, err := client.RoundTrip(t.Context(), get(), nil)
	if err == nil {
		response.Close()
	}
	if !message.IsTimeout(err) || connections.Load() != 1 {
		t.Errorf("got %v after %d connections, want a timeout after one", err, connections.Load())
	}
}

// answeredAndGone is an endpoint that has answered and gone: writes fail from the second on, and then there is an answer to read.
type answeredAndGone struct {
	net.Conn
	writes  atomic.Int64
	refused chan struct{}
	closed  chan struct{}
	ended   sync.Once
	answer  io.Reader
}

func (a *answeredAndGone) Write(p []byte) (int, error) {
	switch a.writes.Add(1) {
	case 1:
		return len(p), nil
	case 2:
		close(a.refused)
	}
	return 0, syscall.EPIPE
}

func (a *answeredAndGone) Read(p []byte) (int, error) {
	select {
	case <-a.closed:
		return 0, net.ErrClosed
	case <-a.refused:
	}
	select {
	case <-a.closed:
		return 0, net.ErrClosed
	case <-time.After(10 * time.Millisecond): // A Close that follows the refused write comes first.
		return a.answer.Read(p)
	}
}

func (a *answeredAndGone) Close() error {
	a.ended.Do(func() { close(a.closed) })
	return nil
}

// An answer that has come is an answer, also when its connection turns out to be closed while something is written.
func TestAnswerBehindAWriteThatFails(t *testing.T) {
	var sent bytes.Buffer
	c := &client{TB: t, framer: http2.NewFramer(&sent, nil)}
	c.encoder = hpack.NewEncoder(&c.block)
	_ = c.framer.WriteSettings()
	c.head(1, false, ":status", "200")
	_ = c.framer.WriteData(1, true, []byte("right"))
	conn := &answeredAndGone{refused: make(chan struct{}), closed: make(chan struct{}), answer: &sent}
	r := newCarrier(NewClient(ClientOptions{}), conn, message.ClientLimits{}.WithDefaults())
	r.reserved = 1
	var reading sync.WaitGroup
	reading.Go(r.read)
	body, writer := io.Pipe()
	request := get()
	request.Method, request.Body, request.Length = "POST", body, message.UnknownLength
	go func() {
		for {
			if _, err := writer.Write([]byte("more")); err != nil {
				return
			}
		}
	}()
	response, err := r.roundTrip(t.Context(), request, nil)
	if err != nil {
		t.Fatalf("the answer is lost: %v", err)
	}
	got, err := io.ReadAll(response.Body)
	_ = body.Close()
	response.Close()
	reading.Wait()
	if string(got) != "right" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
