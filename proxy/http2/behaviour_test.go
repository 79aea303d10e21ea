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
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/message"
)

// waiting handles requests that end when they are told, or cancelled.
type waiting struct {
	begun     chan string
	proceed   chan struct{}
	cancelled chan string
}

func newWaiting() *waiting {
	return &waiting{make(chan string, 1000), make(chan struct{}), make(chan string, 1000)}
}

func (w *waiting) handle(ctx context.Context, r *message.Request, reply message.Reply) {
	path := strings.Clone(r.Path)
	w.begun <- path
	select {
	case <-w.proceed:
		say(reply, path)
	case <-ctx.Done():
		w.cancelled <- path
	}
}

func TestResetCancels(t *testing.T) {
	w := newWaiting()
	_, at := serving(t, w.handle, message.Limits{})
	c := connect(t, at)
	c.head(1, true, usual("GET", "/one")...)
	c.head(3, true, usual("GET", "/two")...)
	<-w.begun
	<-w.begun
	_ = c.framer.WriteRSTStream(1, http2.ErrCodeCancel)
	if got := <-w.cancelled; got != "/one" {
		t.Fatalf("cancelled %s", got)
	}
	close(w.proceed)
	if got := c.content(3); got != "/two" {
		t.Errorf("the neighbour got %q", got)
	}
}

func TestClientThatLeavesCancels(t *testing.T) {
	w := newWaiting()
	_, at := serving(t, w.handle, message.Limits{})
	c := connect(t, at)
	c.head(1, true, usual("GET", "/one")...)
	<-w.begun
	_ = c.conn.Close()
	<-w.cancelled
}

func TestStreamLimit(t *testing.T) {
	w := newWaiting()
	_, at := serving(t, w.handle, message.Limits{MaxConcurrentStreams: 2})
	c := connect(t, at)
	for id := uint32(1); id <= 5; id += 2 {
		c.head(id, true, usual("GET", "/")...)
	}
	if code := c.reset(5); code != http2.ErrCodeRefusedStream {
		t.Fatalf("got %v", code)
	}
	close(w.proceed)
	c.content(1)
}

// CVE-2023-44487: streams that were reset make room for others at once, while their handlers still run.
func TestRapidReset(t *testing.T) {
	running := make(chan struct{}, 10000)
	_, at := serving(t, func(ctx context.Context, _ *message.Request, _ message.Reply) {
		running <- struct{}{}
		<-ctx.Done()
	}, message.Limits{MaxConcurrentStreams: 10})
	c := connect(t, at)
	for id := uint32(1); id < 4000; id += 2 {
		c.head(id, true, usual("GET", "/")...)
		_ = c.framer.WriteRSTStream(id, http2.ErrCodeCancel)
	}
	if code := c.goAway().ErrCode; code != http2.ErrCodeEnhanceYourCalm {
		t.Errorf("got %v", code)
	}
}

func TestFloods(t *testing.T) {
	floods := map[string]func(c *client, i int) error{
		"PING":          func(c *client, _ int) error { return c.framer.WritePing(false, [8]byte{}) },
		"SETTINGS":      func(c *client, _ int) error { return c.framer.WriteSettings() },
		"empty DATA":    func(c *client, _ int) error { return c.framer.WriteData(1, false, nil) },
		"WINDOW_UPDATE": func(c *client, _ int) error { return c.framer.WriteWindowUpdate(0, 1) },
		"PRIORITY": func(c *client, _ int) error {
			return c.framer.WritePriority(1, http2.PriorityParam{StreamDep: 3})
		},
		"unknown": func(c *client, _ int) error { return c.framer.WriteRawFrame(0xbe, 0, 0, nil) },
		"malformed heads": func(c *client, i int) error {
			c.head(uint32(2*i+3), true, "no", "pseudo-fields")
			return nil
		},
	}
	for name, send := range floods {
		t.Run(name, func(t *testing.T) {
			w := newWaiting()
			_, at := serving(t, w.handle, message.Limits{})
			c := connect(t, at)
			c.head(1, false, usual("POST", "/")...)
			<-w.begun
			go func() {
				for i := range 20000 {
					if send(c, i) != nil {
						return
					}
				}
			}()
			if code := c.goAway().ErrCode; code != http2.ErrCodeEnhanceYourCalm {
				t.Errorf("got %v", code)
			}
			<-w.cancelled
		})
	}
}

// CVE-2024-27316: a header section that does not end.
func TestEndlessHead(t *testing.T) {
	_, at := serving(t, echoed, message.Limits{})
	for name, piece := range map[string][]byte{"large": make([]byte, 16000), "empty": nil} {
		c := connect(t, at)
		for i := range piece {
			piece[i] = 0x82 // :method: GET
		}
		_ = c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.encode(usual("GET", "/")...)})
		go func() {
			for range 200 {
				_ = c.framer.WriteContinuation(1, false, piece)
			}
		}()
		if code := c.goAway().ErrCode; code != http2.ErrCodeEnhanceYourCalm {
			t.Errorf("%s: got %v", name, code)
		}
	}
}

// Content flows only as far as the client's windows let it, and on when they open.
func TestFlowControl(t *testing.T) {
	_, at := serving(t, func(_ context.Context, _ *message.Request, reply message.Reply) {
		say(reply, strings.Repeat("x", 100_000))
	}, message.Limits{})
	c := connect(t, at)
	_ = c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
	c.head(1, true, usual("GET", "/")...)
	got := 0
	read := func(until int) {
		t.Helper()
		for got < until {
			f := c.until("content", func(f http2.Frame) bool { return f.Header().Type == http2.FrameData })
			got += len(f.(*http2.DataFrame).Data())
		}
		if got != until {
			t.Fatalf("got %d bytes, want %d", got, until)
		}
	}
	read(10)
	_ = c.framer.WriteWindowUpdate(1, 5)
	read(15)
	_ = c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 20})
	read(25)
	_ = c.framer.WriteWindowUpdate(1, 1_000_000)
	read(initialWindow)
	_ = c.framer.WriteWindowUpdate(0, 1_000_000)
	read(100_000)
}

// What a handler does not read, a client cannot send; what it reads makes room, also for its neighbours.
func TestBackPressure(t *testing.T) {
	read := make(chan struct{})
	_, at := serving(t, func(_ context.Context, r *message.Request, reply message.Reply) {
		<-read
		n, _ := io.Copy(io.Discard, r.Body)
		if n == 2*streamWindow {
			say(reply, "all")
		}
	}, message.Limits{})
	c := connect(t, at)
	c.head(1, false, usual("POST", "/")...)
	piece := make([]byte, 16<<10)
	for range streamWindow / len(piece) {
		_ = c.framer.WriteData(1, false, piece)
	}
	close(read)
	granted := uint32(0)
	for granted < streamWindow/2 {
		f := c.until("a window", func(f http2.Frame) bool {
			return f.Header().Type == http2.FrameWindowUpdate && f.Header().StreamID == 1
		})
		granted += f.(*http2.WindowUpdateFrame).Increment
	}
	for range streamWindow / len(piece) / 2 {
		_ = c.framer.WriteData(1, false, piece)
	}
	for granted < streamWindow {
		f := c.until("a window", func(f http2.Frame) bool {
			return f.Header().Type == http2.FrameWindowUpdate && f.Header().StreamID == 1
		})
		granted += f.(*http2.WindowUpdateFrame).Increment
	}
	for range streamWindow / len(piece) / 2 {
		_ = c.framer.WriteData(1, false, piece)
	}
	_ = c.framer.WriteData(1, true, nil)
	if got := c.content(1); got != "all" {
		t.Errorf("got %q", got)
	}
}

func TestMoreThanTheWindow(t *testing.T) {
	w := newWaiting()
	_, at := serving(t, w.handle, message.Limits{})
	c := connect(t, at)
	c.head(1, false, usual("POST", "/")...)
	<-w.begun
	for range streamWindow/16384 + 1 {
		_ = c.framer.WriteData(1, false, make([]byte, 16384))
	}
	if code := c.reset(1); code != http2.ErrCodeFlowControl {
		t.Errorf("got %v", code)
	}
	<-w.cancelled
}

func TestEarlyAnswer(t *testing.T) {
	_, at := serving(t, func(_ context.Context, _ *message.Request, reply message.Reply) { say(reply, "no") }, message.Limits{})
	c := connect(t, at)
	c.head(1, false, usual("POST", "/")...)
	if got := c.content(1); got != "no" {
		t.Fatalf("got %q", got)
	}
	if code := c.reset(1); code != http2.ErrCodeNo {
		t.Errorf("got %v", code)
	}
	_ = c.framer.WriteData(1, true, []byte("was on its way"))
	c.head(3, true, usual("GET", "/")...)
	c.content(3)
}

func TestHandlerThatFails(t *testing.T) {
	_, at := serving(t, func(_ context.Context, r *message.Request, reply message.Reply) {
		switch r.Path {
		case "/none":
		case "/cut":
			_ = reply.Respond(&message.Response{
				Status: 200, Length: 10, Body: io.MultiReader(strings.NewReader("half"), broken{}),
			})
		case "/short":
			_ = reply.Respond(&message.Response{Status: 200, Length: 10, Body: strings.NewReader("half")})
		default:
			say(reply, "well")
		}
	}, message.Limits{})
	c := connect(t, at)
	for i, path := range []string{"/none", "/cut", "/short"} {
		id := uint32(2*i + 1)
		c.head(id, true, usual("GET", path)...)
		if code := c.reset(id); code != http2.ErrCodeInternal {
			t.Errorf("%s: got %v", path, code)
		}
	}
	c.head(9, true, usual("GET", "/")...)
	if got := c.content(9); got != "well" {
		t.Errorf("the next request: got %q", got)
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("broken") }

func TestContinue(t *testing.T) {
	_, at := serving(t, echoed, message.Limits{})
	c := connect(t, at)
	c.head(1, false, usual("POST", "/", "expect", "100-continue")...)
	if got := c.status(1); got != "100" {
		t.Fatalf("got %s", got)
	}
	_ = c.framer.WriteData(1, true, []byte("content"))
	if got := c.content(1); !strings.HasSuffix(got, "content") {
		t.Errorf("got %q", got)
	}
}

func TestResponses(t *testing.T) {
	_, at := serving(t, func(_ context.Context, r *message.Request, reply message.Reply) {
		response := &message.Response{Status: 200, Length: 3, Body: strings.NewReader("abc")}
		response.Fields.Add("X-Upper", "1")
		response.Fields.Add("Connection", "x")
		response.Fields.Add("Set-Cookie", "c")
		response.Fields.Add("X-"+strings.Repeat("long", 30), strings.Repeat("v", 300))
		switch r.Path {
		case "/204":
			response.Status, response.Body = 204, nil
		case "/trailers":
			response.Length, response.Trailers = message.UnknownLength, &message.Fields{}
			response.Trailers.Add("Grpc-Status", "0")
		case "/inform":
			fields := &message.Fields{}
			fields.Add("Link", "l")
			_ = reply.Inform(103, fields)
		}
		_ = reply.Respond(response)
	}, message.Limits{})
	c := connect(t, at)
	c.head(1, true, usual("HEAD", "/")...)
	f := c.until("a head", func(f http2.Frame) bool { return f.Header().Type == http2.FrameHeaders })
	h := f.(*http2.MetaHeadersFrame)
	got := map[string]string{}
	for _, field := range h.Fields {
		got[field.Name] = field.Value
	}
	if !h.StreamEnded() || got["content-length"] != "3" || got["x-upper"] != "1" || got["connection"] != "" ||
		got["set-cookie"] != "c" || got["date"] == "" || got["x-"+strings.Repeat("long", 30)] == "" {
		t.Errorf("HEAD: got %v, %t", got, h.StreamEnded())
	}
	c.head(3, true, usual("GET", "/204")...)
	f = c.until("a head", func(f http2.Frame) bool { return f.Header().Type == http2.FrameHeaders })
	for _, field := range f.(*http2.MetaHeadersFrame).Fields {
		if field.Name == "content-length" {
			t.Error("204 has a length")
		}
	}
	c.head(5, true, usual("GET", "/trailers")...)
	if got := c.status(5); got != "200" {
		t.Errorf("got %s", got)
	}
	f = c.until("trailers", func(f http2.Frame) bool { return f.Header().Type == http2.FrameHeaders })
	if trailers := f.(*http2.MetaHeadersFrame); !trailers.StreamEnded() || trailers.Fields[0].Name != "grpc-status" {
		t.Errorf("got %v", trailers)
	}
	c.head(7, true, usual("GET", "/inform")...)
	if got := c.status(7); got != "103" {
		t.Errorf("got %s", got)
	}
	if got := c.status(7); got != "200" {
		t.Errorf("got %s", got)
	}
}

// RFC 8441.
func TestExtendedConnect(t *testing.T) {
	_, at := serving(t, func(_ context.Context, r *message.Request, reply message.Reply) {
		if r.Method != "GET" || r.Upgrade != "websocket" || r.Path != "/chat" || r.Body != nil {
			return
		}
		response := &message.Response{Status: 101}
		response.Fields.Add("Upgrade", "websocket")
		response.Fields.Add("Sec-WebSocket-Accept", "x")
		tunnel, err := reply.Upgrade(response)
		if err != nil {
			return
		}
		_, _ = io.Copy(tunnel, tunnel)
		_ = tunnel.Close()
	}, message.Limits{})
	c := connect(t, at)
	settings := c.until("settings", func(f http2.Frame) bool { return f.Header().Type == http2.FrameSettings })
	if value, _ := settings.(*http2.SettingsFrame).Value(http2.SettingEnableConnectProtocol); value != 1 {
		t.Error("extended CONNECT is not announced")
	}
	c.head(1, false, sorted(usual("CONNECT", "/chat", ":protocol", "websocket"))...)
	f := c.until("a head", func(f http2.Frame) bool { return f.Header().Type == http2.FrameHeaders })
	h := f.(*http2.MetaHeadersFrame)
	if h.PseudoValue("status") != "200" || len(h.RegularFields()) != 0 {
		t.Errorf("got %v", h.Fields)
	}
	_ = c.framer.WriteData(1, false, []byte("ping"))
	f = c.until("content", func(f http2.Frame) bool { return f.Header().Type == http2.FrameData })
	if got := string(f.(*http2.DataFrame).Data()); got != "ping" {
		t.Errorf("got %q", got)
	}
	_ = c.framer.WriteData(1, true, nil)
	if got := c.content(1); got != "" {
		t.Errorf("got %q", got)
	}
}

// RFC 9113 section 6.8: requests that were on their way are served, and none after them.
func TestDrain(t *testing.T) {
	w := newWaiting()
	server, at := serving(t, w.handle, message.Limits{})
	c := connect(t, at)
	c.head(1, true, usual("GET", "/one")...)
	<-w.begun
	server.Drain()
	if f := c.goAway(); f.LastStreamID != maxWindow || f.ErrCode != http2.ErrCodeNo {
		t.Fatalf("got %v", f)
	}
	c.head(3, true, usual("GET", "/two")...)
	f := c.until("PING", func(f http2.Frame) bool { return f.Header().Type == http2.FramePing })
	_ = c.framer.WritePing(true, f.(*http2.PingFrame).Data)
	if f := c.goAway(); f.LastStreamID != 3 || f.ErrCode != http2.ErrCodeNo {
		t.Fatalf("got %v", f)
	}
	close(w.proceed)
	c.content(3)
	if _, err := io.Copy(io.Discard, c.conn); err != nil {
		t.Errorf("the connection does not end: %v", err)
	}
}

func TestTimeouts(t *testing.T) {
	_, at := serving(t, echoed, message.Limits{IdleTimeout: 300 * time.Millisecond, HeaderTimeout: 300 * time.Millisecond,
		BodyTimeout: 300 * time.Millisecond, WriteTimeout: 300 * time.Millisecond})
	t.Run("idle", func(t *testing.T) {
		if f := connect(t, at).goAway(); f.ErrCode != http2.ErrCodeNo {
			t.Errorf("got %v", f)
		}
	})
	t.Run("content", func(t *testing.T) {
		c := connect(t, at)
		c.head(1, false, usual("POST", "/")...)
		if got := c.status(1); got != "408" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("head", func(t *testing.T) {
		c := connect(t, at)
		_ = c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: c.encode(usual("GET", "/")...)})
		c.goAway()
	})
	t.Run("window", func(t *testing.T) {
		c := connect(t, at)
		_ = c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		c.head(1, true, usual("GET", "/")...)
		if code := c.reset(1); code != http2.ErrCodeCancel {
			t.Errorf("got %v", code)
		}
	})
	t.Run("preface", func(t *testing.T) {
		c := &client{TB: t}
		other := connect(t, at)
		c.conn = other.conn
		_, _ = io.Copy(io.Discard, c.conn)
	})
}
