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
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/rauta-dev/rauta/proxy/message"
)

type handler func(ctx context.Context, request *message.Request, reply message.Reply)

func (h handler) Handle(ctx context.Context, request *message.Request, reply message.Reply) {
	h(ctx, request, reply)
}

// failing fails its test with what is logged as an error.
type failing struct {
	slog.Handler
	t testing.TB
}

func (f failing) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

func (f failing) Handle(_ context.Context, record slog.Record) error {
	text := record.Message
	record.Attrs(func(a slog.Attr) bool {
		text += " " + a.String()
		return true
	})
	f.t.Error(text)
	return nil
}

// serving starts a server, and checks at the end of the test that no connection outlives it.
func serving(t testing.TB, h handler, limits message.Limits) (*Server, string) {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(ServerOptions{Handler: h, Limits: limits, Logger: slog.New(failing{slog.DiscardHandler, t})})
	var running sync.WaitGroup
	running.Go(func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			running.Go(func() { server.ServeConn(conn, message.From(conn)) })
		}
	})
	t.Cleanup(func() {
		_ = socket.Close()
		server.Close()
		running.Wait()
	})
	return server, socket.Addr().String()
}

// client speaks in frames.
type client struct {
	testing.TB
	conn    net.Conn
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer
}

func connect(t testing.TB, at string) *client {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(time.Minute)) // So that a test which waits for ever fails.
	c := &client{TB: t, conn: conn, framer: http2.NewFramer(conn, conn)}
	c.encoder = hpack.NewEncoder(&c.block)
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.framer.AllowIllegalWrites = true
	_, _ = io.WriteString(conn, http2.ClientPreface)
	_ = c.framer.WriteSettings()
	return c
}

func (c *client) encode(fields ...string) []byte {
	c.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = c.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return c.block.Bytes()
}

// usual are the pseudo-fields of a request.
func usual(method, path string, more ...string) []string {
	return append([]string{":method", method, ":scheme", "http", ":path", path, ":authority", "a.test"}, more...)
}

func (c *client) head(id uint32, end bool, fields ...string) {
	_ = c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: c.encode(fields...), EndStream: end, EndHeaders: true,
	})
}

// until reads frames until one is wanted.
func (c *client) until(what string, wanted func(http2.Frame) bool) http2.Frame {
	c.Helper()
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			c.Fatalf("waiting for %s: %v", what, err)
		}
		if wanted(frame) {
			return frame
		}
	}
}

func (c *client) status(id uint32) string {
	c.Helper()
	f := c.until("a response", func(f http2.Frame) bool {
		h, ok := f.(*http2.MetaHeadersFrame)
		return ok && h.StreamID == id
	})
	return f.(*http2.MetaHeadersFrame).PseudoValue("status")
}

func (c *client) reset(id uint32) http2.ErrCode {
	c.Helper()
	f := c.until("a reset", func(f http2.Frame) bool {
		r, ok := f.(*http2.RSTStreamFrame)
		return ok && r.StreamID == id
	})
	return f.(*http2.RSTStreamFrame).ErrCode
}

func (c *client) goAway() *http2.GoAwayFrame {
	c.Helper()
	f := c.until("GOAWAY", func(f http2.Frame) bool {
		_, ok := f.(*http2.GoAwayFrame)
		return ok
	})
	return f.(*http2.GoAwayFrame)
}

// content reads a response's content to its end.
func (c *client) content(id uint32) string {
	c.Helper()
	var all []byte
	for {
		f := c.until("content", func(f http2.Frame) bool {
			return f.Header().StreamID == id
		})
		if d, ok := f.(*http2.DataFrame); ok {
			all = append(all, d.Data()...)
		}
		if f.Header().Type != http2.FrameWindowUpdate && f.Header().Flags.Has(http2.FlagDataEndStream) {
			return string(all)
		}
	}
}

// say answers with a text.
func say(reply message.Reply, text string) {
	_ = reply.Respond(&message.Response{Status: 200, Length: int64(len(text)), Body: strings.NewReader(text)})
}

// echoed answers with what the server made of the request, and its content.
func echoed(_ context.Context, r *message.Request, reply message.Reply) {
	var content []byte
	if r.Body != nil {
		var err error
		if content, err = io.ReadAll(r.Body); err != nil {
			var wrong *message.ContentError
			if errors.As(err, &wrong) {
				_ = reply.Respond(&message.Response{Status: wrong.Status})
			}
			return
		}
	}
	text := fmt.Sprintf("%s %s %s|", r.Method, r.Authority, r.Target())
	for i := range r.Fields.Len() {
		name, value := r.Fields.Line(i)
		text += name + "=" + value + "|"
	}
	text += string(content)
	for i := range r.Trailers.Len() {
		name, value := r.Trailers.Line(i)
		text += "|" + name + "=" + value
	}
	say(reply, text)
}

func TestRequests(t *testing.T) {
	_, at := serving(t, echoed, message.Limits{})
	tests := map[string]struct {
		reason string
		fields []string
		want   string
	}{
		"plain":     {"as it was sent", usual("GET", "/a?b", "x", "1"), "GET a.test /a?b|x=1|"},
		"host":      {"an authority may be in Host alone", []string{":method", "GET", ":scheme", "http", ":path", "/", "host", "h"}, "GET h /|"},
		"same host": {"and in both", usual("GET", "/", "host", "A.test"), "GET a.test /|"},
		"cookies": {"RFC 9113 section 8.2.3: crumbs are joined", usual("GET", "/", "cookie", "a=1", "x", "y", "cookie", "b=2"),
			"GET a.test /|cookie=a=1; b=2|x=y|"},
		"asterisk": {"for OPTIONS", usual("OPTIONS", "*"), "OPTIONS a.test *|"},
		"te":       {"trailers may be asked for", usual("GET", "/", "te", "trailers"), "GET a.test /|te=trailers|"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := connect(t, at)
			c.head(1, true, test.fields...)
			if got := c.content(1); got != test.want {
				t.Errorf("%s: got %q, want %q", test.reason, got, test.want)
			}
		})
	}
}

// RFC 9113 section 8.1.1: "Malformed requests [...] MUST be treated as a stream error of type PROTOCOL_ERROR." The
// connection goes on, and its header compression with it.
func TestMalformedRequests(t *testing.T) {
	_, at := serving(t, echoed, message.Limits{})
	without := func(drop string) []string {
		all := usual("GET", "/")
		for i := 0; i < len(all); i += 2 {
			if all[i] == drop {
				return append(all[:i:i], all[i+2:]...)
			}
		}
		return all
	}
	tests := map[string][]string{
		"upper case":                  usual("GET", "/", "X-Upper", "1"),
		"space in a name":             usual("GET", "/", "a b", "1"),
		"empty name":                  usual("GET", "/", "", "1"),
		"line feed in a value":        usual("GET", "/", "a", "1\n2"),
		"value with space in front":   usual("GET", "/", "a", " 1"),
		"connection":                  usual("GET", "/", "connection", "close"),
		"transfer-encoding":           usual("GET", "/", "transfer-encoding", "chunked"),
		"upgrade":                     usual("GET", "/", "upgrade", "x"),
		"keep-alive":                  usual("GET", "/", "keep-alive", "1"),
		"proxy-connection":            usual("GET", "/", "proxy-connection", "1"),
		"te":                          usual("GET", "/", "te", "gzip"),
		"no method":                   without(":method"),
		"no scheme":                   without(":scheme"),
		"no path":                     without(":path"),
		"empty path":                  usual("GET", ""),
		"method is no token":          usual("G T", "/"),
		"two methods":                 usual("GET", "/", ":method", "GET")[:10],
		"pseudo-field behind a field": append([]string{"a", "1"}, usual("GET", "/")...),
		"pseudo-field of a response":  append(usual("GET", "/"), ":status", "200"),
		"protocol without CONNECT":    append(usual("GET", "/"), ":protocol", "websocket"),
		"CONNECT with a path":         usual("CONNECT", "/"),
		"lengths that differ":         usual("GET", "/", "content-length", "0", "content-length", "1"),
		"length that is no number":    usual("GET", "/", "content-length", "+1"),
		"length without content":      usual("GET", "/", "content-length", "1"),
	}
	for name, fields := range tests {
		t.Run(name, func(t *testing.T) {
			c := connect(t, at)
			c.head(1, true, fields...)
			if code := c.reset(1); code != http2.ErrCodeProtocol {
				t.Errorf("got %v", code)
			}
			c.head(3, true, usual("GET", "/after", "x", "1")...)
			if got := c.content(3); got != "GET a.test /after|x=1|" {
				t.Errorf("the next request: got %q", got)
			}
		})
	}
}

// What is clear, but not served, is answered; the connection goes on.
func TestRefusedRequests(t *testing.T) {
	_, at := serving(t, echoed, message.Limits{MaxHeaderBytes: 2000, MaxRequestLine: 1000, MaxFields: 10, MaxBodyBytes: 100})
	many := usual("GET", "/")
	for i := range 10 {
		many = append(many, fmt.Sprint("n", i), "1")
	}
	tests := map[string]struct {
		fields []string
		want   string
	}{
		"large head":        {usual("GET", "/", "a", strings.Repeat("x", 2000)), "431"},
		"many fields":       {many, "431"},
		"long target":       {usual("GET", "/"+strings.Repeat("x", 1000)), "414"},
		"other expectation": {usual("GET", "/", "expect", "x"), "417"},
		"other scheme":      {[]string{":method", "GET", ":scheme", "ftp", ":path", "/", ":authority", "a"}, "400"},
		"hosts that differ": {usual("GET", "/", "host", "b.test"), "400"},
		"no host":           {[]string{":method", "GET", ":scheme", "http", ":path", "/"}, "400"},
		"user in authority": {[]string{":method", "GET", ":scheme", "http", ":path", "/", ":authority", "u@a"}, "400"},
		"asterisk":          {usual("GET", "*"), "400"},
		"no slash":          {usual("GET", "a"), "400"},
		"broken escape":     {usual("GET", "/%2"), "400"},
		"fragment":          {usual("GET", "/#a"), "400"},
		"unknown protocol":  {append(usual("CONNECT", "/"), ":protocol", "other"), "501"},
		"large content":     {usual("POST", "/", "content-length", "101"), "413"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := connect(t, at)
			c.head(1, test.fields[1] != "POST" && test.fields[1] != "CONNECT", sorted(test.fields)...)
			if got := c.status(1); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
			c.head(3, true, usual("GET", "/after", "x", "1")...)
			if got := c.content(3); got != "GET a.test /after|x=1|" {
				t.Errorf("the next request: got %q", got)
			}
		})
	}
}

// sorted puts pseudo-fields first.
func sorted(fields []string) []string {
	var pseudo, others []string
	for i := 0; i < len(fields); i += 2 {
		if strings.HasPrefix(fields[i], ":") {
			pseudo = append(pseudo, fields[i:i+2]...)
		} else {
			others = append(others, fields[i:i+2]...)
		}
	}
	return append(pseudo, others...)
}

func TestContent(t *testing.T) {
	_, at := serving(t, echoed, message.Limits{MaxBodyBytes: 100})
	c := connect(t, at)
	c.head(1, false, usual("POST", "/", "content-length", "4")...)
	_ = c.framer.WriteData(1, false, []byte("ab"))
	_ = c.framer.WriteDataPadded(1, true, []byte("cd"), make([]byte, 7))
	if got := c.content(1); got != "POST a.test /|abcd" {
		t.Errorf("got %q", got)
	}
	c.head(3, false, usual("POST", "/")...)
	_ = c.framer.WriteData(3, false, []byte("ab"))
	c.head(3, true, "grpc-status", "0", "host", "evil")
	if got := c.content(3); got != "POST a.test /|ab|grpc-status=0" {
		t.Errorf("with trailers, without those that belong into a head: got %q", got)
	}
	c.head(5, false, usual("POST", "/")...)
	_ = c.framer.WriteData(5, true, make([]byte, 101))
	if got := c.status(5); got != "413" {
		t.Errorf("more than is allowed: got %s", got)
	}
	for name, send := range map[string]func(c *client){
		"less than declared":            func(c *client) { _ = c.framer.WriteData(1, true, []byte("a")) },
		"more than declared":            func(c *client) { _ = c.framer.WriteData(1, false, []byte("abcde")) },
		"less, with trailers":           func(c *client) { c.head(1, true, "t", "1") },
		"pseudo-field in trailers":      func(c *client) { c.head(1, true, ":path", "/") },
		"trailers that are not the end": func(c *client) { c.head(1, false, "t", "1") },
	} {
		c := connect(t, at)
		c.head(1, false, usual("POST", "/", "content-length", "4")...)
		send(c)
		if code := c.reset(1); code != http2.ErrCodeProtocol {
			t.Errorf("%s: got %v", name, code)
		}
	}
}
