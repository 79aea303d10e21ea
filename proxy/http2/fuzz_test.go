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
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/rauta-dev/rauta/proxy/message"
)

// FuzzFrames sends anything behind a preface. Whatever comes, the connection ends when its client does, and nothing
// panics.
func FuzzFrames(f *testing.F) {
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		near, far := net.Pipe()
		server := NewServer(ServerOptions{
			Handler: handler(echoed),
			Limits:  message.Limits{MaxHeaderBytes: 4096, MaxBodyBytes: 1 << 20, MaxConcurrentStreams: 8},
			Logger:  slog.New(failing{slog.DiscardHandler, t}),
		})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			server.ServeConn(far, message.Arrival{Scheme: "http"})
		}()
		go func() { _, _ = io.Copy(io.Discard, near) }()
		_ = near.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, _ = near.Write(append([]byte(http2.ClientPreface+"\x00\x00\x00\x04\x00\x00\x00\x00\x00"), data...))
		_ = near.Close()
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Fatal("the connection does not end")
		}
		server.Close()
		if conns := server.all(); len(conns) != 0 {
			t.Fatalf("%d connections are left", len(conns))
		}
	})
}

// seeds are connections with each kind of frame.
func seeds() [][]byte {
	var all [][]byte
	record := func(write func(c *client)) {
		var out bytes.Buffer
		c := &client{framer: http2.NewFramer(&out, nil)}
		c.framer.AllowIllegalWrites = true
		c.encoder = hpack.NewEncoder(&c.block)
		write(c)
		all = append(all, out.Bytes())
	}
	record(func(c *client) { c.head(1, true, usual("GET", "/", "a", "b")...) })
	record(func(c *client) {
		c.head(1, false, usual("POST", "/", "content-length", "3")...)
		_ = c.framer.WriteDataPadded(1, true, []byte("abc"), make([]byte, 5))
		_ = c.framer.WriteWindowUpdate(0, 100)
		_ = c.framer.WriteWindowUpdate(1, 100)
	})
	record(func(c *client) {
		c.head(1, false, usual("POST", "/", "expect", "100-continue")...)
		_ = c.framer.WriteData(1, false, []byte("abc"))
		c.head(1, true, "trailer-x", "1")
		_ = c.framer.WriteRSTStream(1, http2.ErrCodeCancel)
	})
	record(func(c *client) {
		_ = c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}, http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1 << 14})
		_ = c.framer.WriteSettingsAck()
		_ = c.framer.WritePing(false, [8]byte{1})
		_ = c.framer.WritePriority(1, http2.PriorityParam{StreamDep: 3, Weight: 1})
		_ = c.framer.WriteGoAway(0, http2.ErrCodeNo, nil)
		_ = c.framer.WriteRawFrame(0x10, 0, 0, []byte("u=1"))
	})
	record(func(c *client) {
		block := bytes.Clone(c.encode(sorted(usual("CONNECT", "/chat", ":protocol", "websocket"))...))
		_ = c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:4]})
		_ = c.framer.WriteContinuation(1, true, block[4:])
		_ = c.framer.WriteData(1, true, []byte("abc"))
		c.head(3, true, usual("CONNECT", "")...)
	})
	return all
}
