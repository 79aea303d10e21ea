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
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/testca"
)

// dice are thrown in the same way each time, and tell how.
func dice(t testing.TB) *rand.Rand {
	t.Helper()
	seed := uint64(20261125)
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// sort of a client, and where it connects.
type way struct {
	name     string
	at       string
	trusted  *x509.CertPool
	protocol string
}

func (n *town) ways() []way {
	return []way{
		{"HTTP/1.1", n.plain, nil, ""}, {"HTTP/1.1 over TLS", n.secured, n.trusted, "http/1.1"},
		{"HTTP/2", n.plain, nil, "h2"}, {"HTTP/2 over TLS", n.secured, n.trusted, "h2"},
	}
}

// upload is one request with content in pieces and a trailer, behind what the connection begins with. The header section
// ends at heads.
func (w way) upload(path string) (text string, begins, heads int) {
	if w.protocol == "h2" {
		s := opened().asks(1, "POST", path, false).data(1, false, "hello").data(1, false, " world").head(1, true, "x-sum", "11")
		return s.text(), s.ends[0], s.ends[1]
	}
	head := "POST " + path + " HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
	return head + "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n", 0, len(head)
}

// greeted sends what a connection begins with, and waits for what the proxy begins with. While that is on its way, a reset
// may have the proxy write to nobody, and then close the connection without reading what has come.
func (w way) greeted(conn net.Conn, begin string) error {
	if begin == "" {
		return nil
	}
	if _, err := io.WriteString(conn, begin); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	framer := http2.NewFramer(io.Discard, conn)
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return err
		}
		if settings, ok := frame.(*http2.SettingsFrame); ok && settings.IsAck() {
			return nil
		}
	}
}

// below is the connection that carries another.
func below(conn net.Conn) net.Conn {
	if secured, ok := conn.(*tls.Conn); ok {
		return secured.NetConn()
	}
	return conn
}

// breakOff ends a connection in one of the ways in which that happens.
func breakOff(conn net.Conn, how int) {
	switch how {
	case 0:
		_ = conn.Close()
	case 1:
		abort(below(conn))
	default:
		if half, ok := conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		_, _ = io.Copy(io.Discard, conn)
		_ = conn.Close()
	}
}

// Clients of each kind that end their connection after any number of bytes, in each way, cost their neighbours nothing.
// Each request whose head had come is counted.
func TestClientsThatBreakOffAnywhere(t *testing.T) {
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		first, second := givesBack(t)
		n := found(t, ca, map[string]string{"first": first}, map[string]string{"second": second})
		n.settle("first", "second")
		chance := dice(t)
		strange := int64(0)
		for _, w := range n.ways() {
			for _, name := range []string{"first", "second"} {
				text, begins, heads := w.upload("/" + name + "/cut")
				for size := range len(text) + 1 {
					conn, from := dial(t, w.at, w.trusted, w.protocol), 0
					if size > begins {
						from = begins
						if err := w.greeted(conn, text[:from]); err != nil {
							t.Fatal(err)
						}
					}
					say(conn, text[from:size])
					breakOff(conn, chance.IntN(3))
					if size >= heads {
						strange++
					}
				}
			}
		}
		n.leave(strange)
	})
}

// rationed is a connection that is reset when so many bytes have been written.
type rationed struct {
	net.Conn
	left int
}

func (r *rationed) Write(p []byte) (int, error) {
	if len(p) <= r.left {
		r.left -= len(p)
		return r.Conn.Write(p)
	}
	_, _ = r.Conn.Write(p[:r.left])
	abort(r.Conn)
	return 0, errors.New("nothing is left")
}

// The same for the bytes of TLS, from the first of the handshake on.
func TestSecuredClientsThatBreakOffAnywhere(t *testing.T) {
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		first, second := givesBack(t)
		n := found(t, ca, map[string]string{"first": first}, map[string]string{"second": second})
		n.settle("first", "second")
		chance := dice(t)
		strange := int64(0)
		for _, w := range n.ways() {
			if w.trusted == nil {
				continue
			}
			text, begins, heads := w.upload("/first/cut")
			for size, whole := 0, false; !whole; size += 1 + chance.IntN(3) {
				conn, err := net.Dial("tcp", w.at)
				if err != nil {
					t.Fatal(err)
				}
				secured := tls.Client(&rationed{conn, size}, &tls.Config{RootCAs: w.trusted, ServerName: "a.test", NextProtos: []string{w.protocol}})
				if err = w.greeted(secured, text[:begins]); err == nil {
					_, err = io.WriteString(secured, text[begins:heads])
				}
				if err == nil {
					strange++
					_, err = io.WriteString(secured, text[heads:])
				}
				whole = err == nil
				_ = conn.Close()
			}
		}
		n.leave(strange)
	})
}

// Streams that are reset after any number of their frames cost the other streams of the connection nothing.
func TestStreamsThatAreResetAnywhere(t *testing.T) {
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		first, second := givesBack(t)
		n := found(t, ca, map[string]string{"first": first}, map[string]string{"second": second})
		n.settle("first", "second")
		chance := dice(t)
		strange := int64(0)
		for _, w := range n.ways()[2:] {
			conn := dial(t, w.at, w.trusted, w.protocol)
			say(conn, opened().text())
			reader := newCollector(conn)
			for id, i := uint32(1), 0; i < 60; id, i = id+4, i+1 {
				path := fmt.Sprintf("/%s/mine/%d", []string{"first", "second"}[i%2], i)
				s := newScript().asks(id, "POST", path+"/reset", false).data(id, false, "hello").data(id, true, "")
				cut := s.text()[:s.ends[i%3]]
				other := newScript().asks(id+2, "POST", path, false).data(id+2, false, "my ").data(id+2, true, "own")
				// The reset comes before, between and behind the frames of the neighbour.
				at := append([]int{0}, other.ends...)[chance.IntN(4)]
				say(conn, cut+other.text()[:at]+newScript().reset(id, http2.ErrCode(chance.IntN(14))).text()+other.text()[at:])
				strange += 2
				if err := reader.collect(id + 2); err != nil {
					t.Fatalf("%s: %v", path, err)
				}
				if s := reader.of(id + 2); s.status != "200" || s.content != path+"|my own" || !s.ended {
					t.Fatalf("a neighbour got %+v", s)
				}
				if s := reader.of(id); s.content != "" && !strings.HasPrefix(path+"/reset|hello", s.content) {
					t.Fatalf("foreign bytes: %+v", s)
				}
			}
			_ = conn.Close()
		}
		n.leave(strange)
	})
}
