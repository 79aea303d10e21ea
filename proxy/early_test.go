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
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/testca"
)

// dialNarrow connects with room for little that has not been read.
func dialNarrow(t *testing.T, at string) net.Conn {
	t.Helper()
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		refused := raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
		return errors.Join(refused, err)
	}}
	conn, err := dialer.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// An answer that comes before the request was read has to arrive, also at a client that is slow to read what it was sent: a
// connection that is closed with unread bytes is reset, and what waits to be sent on it is lost. What waits here is the end
// of the response before.
func TestEarlyAnswerBehindAnother(t *testing.T) {
	ca := testca.New(t)
	before := strings.Repeat("before ", 5_000)
	at := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, before) })
	b := new(table).certificate(t, ca, "c", "a.test").listener("plain", 80, "").secured("secured", 443, "", "c").backend("b", at)
	p := start(t, b.route("plain", "plain", "/before", "b").route("secured", "secured", "/before", "b").resources)
	ways := map[string]func() net.Conn{
		"plain": func() net.Conn { return dialNarrow(t, address(t, p, 80)) },
		"TLS": func() net.Conn {
			return tls.Client(dialNarrow(t, address(t, p, 443)), &tls.Config{ServerName: "a.test", RootCAs: roots(ca)})
		},
	}
	answered := func() (total uint64) {
		for _, count := range p.Requests() {
			total += count
		}
		return total
	}
	for name, connect := range ways {
		t.Run(name, func(t *testing.T) {
			conn, earlier := connect(), answered()
			say(conn, "GET /before HTTP/1.1\r\nHost: a.test\r\n\r\n"+
				"POST /nowhere HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1000000\r\n\r\n"+strings.Repeat("x", 100_000))
			eventually(t, "both are answered", func() bool { return answered() == earlier+2 })
			reader := bufio.NewReader(conn)
			if r, body := response(t, reader, "GET"); r.StatusCode != 200 || body != before {
				t.Errorf("got %d with %d bytes, want all %d", r.StatusCode, len(body), len(before))
			}
			if r, _ := response(t, reader, "POST"); r.StatusCode != 404 || !r.Close {
				t.Errorf("got %d, closed: %t", r.StatusCode, r.Close)
			}
			if _, err := reader.ReadByte(); !errors.Is(err, io.EOF) {
				t.Errorf("the connection ends with %v", err)
			}
		})
	}
}

// A response without content that comes before the request's content says that the connection ends, also where it does not say how
// long its content would be: whoever sent another request on it would not know whether that was read.
func TestEarlyAnswersToHEADSayThatItEnds(t *testing.T) {
	at := accepting(t, func(conn *net.TCPConn) {
		reader := bufio.NewReader(conn)
		if _, err := http.ReadRequest(reader); err != nil { // what comes before a request is no answer to it
			return
		}
		say(conn, "HTTP/1.1 503 Busy\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
	})
	p := start(t, new(table).listener("l", 80, "").backend("b", at).route("r", "l", "/", "b").resources)
	_, reader := raw(t, address(t, p, 80), "HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
	answer, _ := response(t, reader, "HEAD")
	if answer.StatusCode != 503 || !answer.Close {
		t.Errorf("got %d, and closed %t", answer.StatusCode, answer.Close)
	}
}

// An endpoint whose answer makes no sense is told of as such, also where it came before the client had sent all: that the rest is not
// waited for is not the client's fault.
func TestNonsenseBeforeTheContentIsTheEndpoints(t *testing.T) {
	at := accepting(t, func(conn *net.TCPConn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		say(conn, "nonsense\r\n\r\n")
		_, _ = io.Copy(io.Discard, conn)
	})
	p := start(t, new(table).listener("l", 80, "").backend("b", at).route("r", "l", "/", "b").resources)
	for _, begun := range []string{"Content-Length: 10\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"} {
		_, reader := raw(t, address(t, p, 80), "POST / HTTP/1.1\r\nHost: a\r\n"+begun)
		if answer, _ := response(t, reader, "POST"); answer.StatusCode != 502 || !answer.Close {
			t.Errorf("%q: got %d, and closed %t", begun, answer.StatusCode, answer.Close)
		}
	}
}
