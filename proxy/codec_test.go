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
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/forward"
)

// endpoint is a backend that a test writes byte for byte: talk is called for each connection, counted from 0, which is
// closed when it returns.
func endpoint(t testing.TB, talk func(n int, conn net.Conn, reader *bufio.Reader)) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	go func() {
		for n := 0; ; n++ {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go func() {
				defer func() { _ = conn.Close() }()
				talk(n, conn, bufio.NewReader(conn))
			}()
		}
	}()
	return socket.Addr().String()
}

// behind is a proxy in front of one endpoint.
func behind(t testing.TB, at string, change ...func(*Config)) (*Proxy, string) {
	t.Helper()
	p := start(t, new(table).listener("listener/http", 80, "").
		backend("b", at).route("r", "listener/http", "/", "b").resources, change...)
	return p, address(t, p, 80)
}

// head reads a request's head; false at the connection's end.
func head(reader *bufio.Reader) bool {
	for {
		line, err := reader.ReadString('\n')
		if err != nil || line == "\r\n" {
			return err == nil
		}
	}
}

func answer(status int, body string) string {
	return fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

func say(conn net.Conn, text string) { _, _ = io.WriteString(conn, text) }

// response reads one, whole.
func response(t testing.TB, reader *bufio.Reader, method string) (*http.Response, string) {
	t.Helper()
	r, err := http.ReadResponse(reader, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("read response: %v", err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatalf("read response body: %v", err)
	}
	return r, string(body)
}

const plainGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

func limits(change func(*bootstrap.Limits)) func(*Config) {
	return func(c *Config) { change(&c.Bootstrap.Limits) }
}

func TestContinue(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusExpectationFailed)
			return
		}
		_, _ = io.Copy(w, r.Body)
	})
	conn, reader := raw(t, at, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
	if r, err := http.ReadResponse(reader, nil); err != nil || r.StatusCode != 100 {
		t.Fatalf("the content is asked for: got %v, %v", r, err)
	}
	say(conn, "abc")
	if r, body := response(t, reader, "POST"); r.StatusCode != 200 || body != "abc" || r.Close {
		t.Errorf("got %v %q", r, body)
	}
	say(conn, "POST /refuse HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
	r, _ := response(t, reader, "POST")
	if r.StatusCode != 417 || !r.Close {
		t.Errorf("whether content follows is not known, so the connection ends: got %v", r)
	}
	if _, err := reader.ReadByte(); err == nil {
		t.Error("the connection goes on")
	}
}

func TestAnswerBeforeTheRequestEnded(t *testing.T) {
	at := endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
		head(reader)
		say(conn, answer(401, "no"))
	})
	_, proxied := behind(t, at)
	conn, reader := raw(t, proxied, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000\r\n\r\n")
	go func() {
		piece := make([]byte, 1<<10)
		for range 1000 {
			if _, err := conn.Write(piece); err != nil {
				return
			}
		}
	}()
	if r, body := response(t, reader, "POST"); r.StatusCode != 401 || body != "no" || !r.Close {
		t.Errorf("got %v %q", r, body)
	}
}

func TestPipelining(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.URL.Path, body)
	})
	var requests strings.Builder
	for i := range 50 {
		fmt.Fprintf(&requests, "GET /%d HTTP/1.1\r\nHost: h\r\n\r\n", i)
		fmt.Fprintf(&requests, "POST /p%d HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nx%d\r\n0\r\n\r\n", i, i%10)
	}
	_, reader := raw(t, at, requests.String())
	for i := range 50 {
		if _, body := response(t, reader, "GET"); body != fmt.Sprintf("/%d ", i) {
			t.Fatalf("answer %d is %q", i, body)
		}
		if _, body := response(t, reader, "POST"); body != fmt.Sprintf("/p%d x%d", i, i%10) {
			t.Fatalf("answer %d to POST is %q", i, body)
		}
	}
}

func TestOldClient(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "one")
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, "two")
	})
	_, reader := raw(t, at, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
	r, body := response(t, reader, "GET")
	if body != "onetwo" || !r.Close || len(r.TransferEncoding) > 0 {
		t.Errorf("HTTP/1.0 knows no chunks: got %v %q", r, body)
	}
}

func TestConnectIsRefused(t *testing.T) {
	_, at := one(t, func(http.ResponseWriter, *http.Request) { t.Error("reached the endpoint") })
	_, reader := raw(t, at, "CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\n\r\n"+plainGet)
	if r, _ := response(t, reader, "CONNECT-refused"); r.StatusCode != 501 || !r.Close {
		t.Errorf("got %v", r)
	}
	if _, err := reader.ReadByte(); err == nil {
		t.Error("what was meant for a tunnel was answered")
	}
}

func TestHalfClose(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	conn, reader := raw(t, at, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc"+plainGet)
	_ = conn.(*net.TCPConn).CloseWrite()
	if _, body := response(t, reader, "POST"); body != "abc" {
		t.Errorf("got %q", body)
	}
	if r, _ := response(t, reader, "GET"); r.StatusCode != 200 {
		t.Errorf("got %v", r)
	}
	if _, err := reader.ReadByte(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v", err)
	}
}

func TestClientThatLeavesAStream(t *testing.T) {
	cancelled := make(chan struct{})
	p, at := one(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(cancelled)
	})
	conn, reader := raw(t, at, plainGet)
	if _, err := http.ReadResponse(reader, nil); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	select {
	case <-cancelled:
	case <-time.After(patience):
		t.Fatal("the endpoint was not told")
	}
	eventually(t, "it is counted as the client's doing", func() bool {
		return p.Requests()[forward.Outcome{Status: 200, Reason: forward.ReasonClient}] == 1
	})
}

// A client that sends its next request while it waits is still there, and is answered.
func TestRequestWhileTheLastIsSlow(t *testing.T) {
	var asked atomic.Int32
	finish := make(chan struct{})
	_, at := one(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			<-finish
		}
		_, _ = io.WriteString(w, "x")
	})
	conn, reader := raw(t, at, plainGet)
	// Long enough for the connection to be watched.
	time.AfterFunc(700*time.Millisecond, func() { say(conn, plainGet) })
	time.AfterFunc(1000*time.Millisecond, func() { close(finish) })
	for range 2 {
		if r, body := response(t, reader, "GET"); r.StatusCode != 200 || body != "x" {
			t.Errorf("got %v %q", r, body)
		}
	}
	say(conn, plainGet)
	response(t, reader, "GET")
}

func TestTunnelKeepsEarlyBytes(t *testing.T) {
	_, proxied := behind(t, endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
		head(reader)
		say(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfrom endpoint\n")
		line, _ := reader.ReadString('\n')
		say(conn, "got "+line)
	}))
	_, reader := raw(t, proxied, "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfrom client\n")
	if r, err := http.ReadResponse(reader, nil); err != nil || r.StatusCode != 101 {
		t.Fatalf("got %v, %v", r, err)
	}
	if all, err := io.ReadAll(reader); err != nil || string(all) != "from endpoint\ngot from client\n" {
		t.Errorf("got %q, %v", all, err)
	}
}

// Content of any size and framing arrives as it was sent, both ways.
func TestContentIsWhole(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(500)
			return
		}
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		}
		for len(body) > 0 {
			n := min(len(body), 1+rand.IntN(100<<10))
			_, _ = w.Write(body[:n])
			if body = body[n:]; r.URL.Path == "/pieces" {
				_ = http.NewResponseController(w).Flush()
			}
		}
	})
	c := client(t)
	for _, size := range []int{0, 1, 4095, 4096, 8191, 8192, 8193, 65535, 65536, 65537, 1 << 20, 5 << 20} {
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(rand.Uint32())
		}
		for _, path := range []string{"/length", "/pieces", "/"} {
			for _, chunked := range []bool{false, true} {
				var sent io.Reader = bytes.NewReader(content)
				if chunked {
					sent = struct{ io.Reader }{sent}
				}
				r, err := c.Post("http://"+at+path, "", sent)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r.Body)
				_ = r.Body.Close()
				if err != nil || sha256.Sum256(got) != sha256.Sum256(content) {
					t.Fatalf("%d bytes to %s, chunked %t: got %d bytes, %v", size, path, chunked, len(got), err)
				}
			}
		}
	}
}

// Heads that fill more than one buffer keep their content and their neighbours apart.
func TestLargeHeads(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Large", r.Header.Get("X-Large"))
		_, _ = w.Write(body)
	})
	conn, reader := raw(t, at, "")
	for _, size := range []int{10, 3 << 10, 4 << 10, 8<<10 - 100, 8 << 10, 20 << 10, 50 << 10} {
		large := strings.Repeat("l", size)
		for _, body := range []string{"", "abc", strings.Repeat("b", 30<<10)} {
			say(conn, fmt.Sprintf("POST / HTTP/1.1\r\nHost: h\r\nX-Large: %s\r\nTransfer-Encoding: chunked\r\n\r\n", large))
			if body != "" {
				say(conn, fmt.Sprintf("%x\r\n%s\r\n", len(body), body))
			}
			say(conn, "0\r\n\r\n")
			r, got := response(t, reader, "POST")
			if r.StatusCode != 200 || r.Header.Get("X-Large") != large || got != body {
				t.Fatalf("head of %d, content of %d bytes: got %d, %d, %d bytes", size, len(body), r.StatusCode,
					len(r.Header.Get("X-Large")), len(got))
			}
		}
	}
}

// A connection that begins in another protocol is closed without an answer; a bad version of HTTP gets one.
func TestOtherProtocol(t *testing.T) {
	_, at := behind(t, echo(t, "x"))
	for request, want := range map[string]string{
		"INVALID CONNECTION PREFACE\r\n\r\n": "",
		"GET / HTTP/9\r\nHost: a\r\n\r\n":    "HTTP/1.1 400",
		"GET / http/1.1\r\nHost: a\r\n\r\n":  "HTTP/1.1 400",
	} {
		conn, reader := raw(t, at, request)
		if got, _ := io.ReadAll(reader); !strings.HasPrefix(string(got), want) || want == "" && len(got) > 0 {
			t.Errorf("%q: got %q", request, got)
		}
		_ = conn.Close()
	}
}
