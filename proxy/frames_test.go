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
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// script is what one side of an HTTP/2 connection sends, frame for frame.
type script struct {
	sent   bytes.Buffer
	framer *http2.Framer
	// ends are where the frames end.
	ends []int
}

func newScript() *script {
	s := &script{}
	s.framer = http2.NewFramer(&s.sent, nil)
	s.framer.AllowIllegalWrites = true
	return s
}

// opened begins as a client does.
func opened(settings ...http2.Setting) *script {
	s := newScript()
	s.sent.WriteString(http2.ClientPreface)
	_ = s.framer.WriteSettings(settings...)
	return s.mark()
}

func (s *script) mark() *script {
	s.ends = append(s.ends, s.sent.Len())
	return s
}

// block encodes fields so that no block depends on another.
func block(fields ...string) []byte {
	var encoded bytes.Buffer
	encoder := hpack.NewEncoder(&encoded)
	for i := 0; i < len(fields); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1], Sensitive: true})
	}
	return encoded.Bytes()
}

func (s *script) head(id uint32, end bool, fields ...string) *script {
	_ = s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block(fields...), EndStream: end, EndHeaders: true})
	return s.mark()
}

// asks begins a request.
func (s *script) asks(id uint32, method, path string, end bool, more ...string) *script {
	return s.head(id, end, append([]string{":method", method, ":scheme", "http", ":path", path, ":authority", "a.test"}, more...)...)
}

func (s *script) data(id uint32, end bool, content string) *script {
	_ = s.framer.WriteData(id, end, []byte(content))
	return s.mark()
}

func (s *script) reset(id uint32, code http2.ErrCode) *script {
	_ = s.framer.WriteRSTStream(id, code)
	return s.mark()
}

func (s *script) raw(kind http2.FrameType, flags http2.Flags, id uint32, payload []byte) *script {
	_ = s.framer.WriteRawFrame(kind, flags, id, payload)
	return s.mark()
}

func (s *script) text() string { return s.sent.String() }

// got is what has come for one stream.
type got struct {
	status  string
	content string
	trailer string
	// ended by END_STREAM, or by a reset with its code.
	ended, reset bool
	code         http2.ErrCode
}

// answers are what a client of HTTP/2 was sent, by stream.
type answers struct {
	streams map[uint32]*got
	// left is the code of a GOAWAY, told whether there was one.
	told bool
	left http2.ErrCode
}

func (a *answers) of(id uint32) *got {
	if a.streams[id] == nil {
		a.streams[id] = &got{}
	}
	return a.streams[id]
}

func (a *answers) over(ids []uint32) bool {
	for _, id := range ids {
		if s := a.of(id); !s.ended && !s.reset {
			return false
		}
	}
	return len(ids) > 0
}

func (a *answers) take(frame http2.Frame) {
	switch f := frame.(type) {
	case *http2.MetaHeadersFrame:
		s := a.of(f.StreamID)
		if status := f.PseudoValue("status"); status != "" {
			s.status = status
		}
		for _, field := range f.RegularFields() {
			if field.Name == "x-sum" {
				s.trailer = field.Value
			}
		}
		s.ended = s.ended || f.StreamEnded()
	case *http2.DataFrame:
		s := a.of(f.StreamID)
		s.content += string(f.Data())
		s.ended = s.ended || f.StreamEnded()
	case *http2.RSTStreamFrame:
		s := a.of(f.StreamID)
		s.reset, s.code = true, f.ErrCode
	case *http2.GoAwayFrame:
		a.told, a.left = true, f.ErrCode
	}
}

// collector reads what a client of HTTP/2 is sent.
type collector struct {
	answers
	conn   net.Conn
	framer *http2.Framer
}

func newCollector(conn net.Conn) *collector {
	c := &collector{answers{streams: make(map[uint32]*got)}, conn, http2.NewFramer(io.Discard, conn)}
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	return c
}

// collect reads until the streams are over, or the connection; without streams, until the connection is. The error is
// that of the connection.
func (c *collector) collect(ids ...uint32) error {
	_ = c.conn.SetReadDeadline(time.Now().Add(patience)) // So that what never comes fails the test.
	for !c.over(ids) {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return err
		}
		c.take(frame)
	}
	return nil
}

// dial connects as clients of a kind do: with TLS where trusted is given, and then for a protocol.
func dial(t testing.TB, at string, trusted *x509.CertPool, protocol string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if trusted == nil {
		return conn
	}
	secured := tls.Client(conn, &tls.Config{RootCAs: trusted, ServerName: "a.test", NextProtos: []string{protocol}})
	if err := secured.Handshake(); err != nil {
		t.Fatal(err)
	}
	return secured
}

// speaker is an endpoint's side of one connection with HTTP/2.
type speaker struct {
	conn   net.Conn
	framer *http2.Framer
	mu     sync.Mutex // held while frames are written
	asked  map[uint32]*asked
	half   uint32 // a stream whose response is half sent
}

// asked is one request that an endpoint has received.
type asked struct {
	id      uint32
	path    string
	content strings.Builder
	// begun is true before the request's content has come.
	begun bool
}

// send writes a script.
func (s *speaker) send(what *script) { s.sendText(what.text()) }

func (s *speaker) sendText(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	say(s.conn, text)
}

// secondEndpoint is a backend with HTTP/2 that a test writes frame for frame. Each request comes to talk when its head
// has come, and again when it has ended, if those are two times; talk says whether the connection goes on.
func secondEndpoint(t testing.TB, talk func(s *speaker, a *asked) bool) string {
	t.Helper()
	return endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
		if _, err := reader.Discard(len(http2.ClientPreface)); err != nil {
			return
		}
		s := &speaker{conn: conn, framer: http2.NewFramer(nil, reader), asked: make(map[uint32]*asked)}
		s.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		hello := newScript()
		_ = hello.framer.WriteSettings(http2.Setting{ID: http2.SettingEnableConnectProtocol, Val: 1})
		s.send(hello)
		for s.listen(talk) {
		}
	})
}

// listen takes one frame.
func (s *speaker) listen(talk func(*speaker, *asked) bool) bool {
	frame, err := s.framer.ReadFrame()
	if err != nil {
		return false
	}
	ended := false
	id := frame.Header().StreamID
	switch f := frame.(type) {
	case *http2.MetaHeadersFrame:
		if s.asked[id] == nil {
			s.asked[id] = &asked{id: id, path: f.PseudoValue("path"), begun: true}
		}
		ended = f.StreamEnded()
		if !ended && !talk(s, s.asked[id]) {
			return false
		}
	case *http2.DataFrame:
		if s.asked[id] == nil {
			return true // It was given up.
		}
		s.asked[id].content.Write(f.Data())
		ended = f.StreamEnded()
		if size := f.Length; size > 0 {
			more := newScript()
			_ = more.framer.WriteWindowUpdate(0, size)
			_ = more.framer.WriteWindowUpdate(id, size)
			s.send(more)
		}
	case *http2.RSTStreamFrame:
		delete(s.asked, id)
	}
	if !ended || s.asked[id] == nil {
		return true
	}
	a := s.asked[id]
	a.begun = false
	delete(s.asked, id)
	return talk(s, a)
}
