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
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/forward"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// quiet is for servers of tests that are meant to see handshakes fail.
var quiet = log.New(io.Discard, "", 0)

// A connection that was kept is looked at before it is used again: one that has been closed costs no request, also none that
// must not be sent twice, and what was sent without being asked for is nobody's response.
func TestBackendTLSKeptConnections(t *testing.T) {
	ca := testca.New(t)
	pair := ca.Issue(t, "", issuedFor("a.test"))
	tests := map[string]struct {
		reason string
		behind string
		then   func(conn *tls.Conn)
	}{
		"closed":         {"the alert that says so is waiting", "", func(conn *tls.Conn) { _ = conn.Close() }},
		"cut":            {"the connection's end is", "", func(conn *tls.Conn) { _ = conn.NetConn().Close() }},
		"more in one":    {"bytes behind a response are nobody's", answer(200, "foreign"), func(*tls.Conn) {}},
		"more in others": {"wherever TLS has them", "", func(conn *tls.Conn) { say(conn, answer(200, "foreign")) }},
		"kept":           {"the neighbour of all these", "", func(*tls.Conn) {}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			done := make(chan struct{}, 64)
			var opened atomic.Int64
			at := overTLS(t, pair, func(_ int, conn *tls.Conn, reader *bufio.Reader) {
				opened.Add(1)
				for {
					request, err := http.ReadRequest(reader)
					if err != nil {
						return
					}
					content, _ := io.ReadAll(request.Body)
					say(conn, answer(200, string(content))+test.behind)
					test.then(conn)
					done <- struct{}{}
				}
			})
			p := start(t, new(table).listener("l", 80, "").backend("b", at).over(trusting(ca, "a.test")).route("r", "l", "/", "b").resources)
			c := client(t)
			for i := range 8 {
				content := fmt.Sprint("content ", i)
				status, body := post(t, c, "http://"+address(t, p, 80)+"/", content)
				if status != 200 || body != content {
					t.Fatalf("%s: got %d, %q", test.reason, status, body)
				}
				<-done
			}
			if kept := opened.Load() == 1; kept != (name == "kept") {
				t.Errorf("%s: %d connections for 8 requests", test.reason, opened.Load())
			}
		})
	}
}

func post(t testing.TB, c *http.Client, url, content string) (status int, body string) {
	t.Helper()
	response, err := c.Post(url, "text/plain", strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return response.StatusCode, string(got)
}

// The session of an endpoint goes on with the next connection to it.
func TestBackendTLSSessions(t *testing.T) {
	ca := testca.New(t)
	var resumed atomic.Int64
	at := serveOver(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "", issuedFor("a.test")).TLS(t)}}, func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.DidResume {
			resumed.Add(1)
		}
		w.Header().Set("Connection", "close")
	})
	p := start(t, new(table).listener("l", 80, "").backend("b", at).over(trusting(ca, "a.test")).route("r", "l", "/", "b").resources)
	for range 5 {
		get(t, client(t), address(t, p, 80), "h", "/")
	}
	if resumed.Load() != 4 {
		t.Errorf("%d of 4 connections resumed the session of the one before", resumed.Load())
	}
}

// The same holds for streams, whose connections are each their own; what was proved by other authorities is not gone on with.
func TestBackendTLSSessionsOfStreams(t *testing.T) {
	ca, other := testca.New(t), testca.New(t)
	shown := &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "", issuedFor("a.test")).TLS(t)}}
	at := accepting(t, func(conn *net.TCPConn) {
		secured := tls.Server(conn, shown)
		if secured.Handshake() != nil {
			return
		}
		_, _ = fmt.Fprintf(secured, "%5t", secured.ConnectionState().DidResume)
		_ = secured.CloseWrite()
	})
	relay := func(wanted *adminv1.BackendTls) *table {
		b := toTCP(at)
		b.resources[2].GetBackend().Tls = wanted
		return b
	}
	p := start(t, relay(trusting(ca, "a.test")).resources)
	for i := range 4 {
		conn := connectTo(t, address(t, p, 5432))
		if got, want := hear(t, conn, 5), fmt.Sprintf("%5t", i > 0); got != want {
			t.Errorf("connection %d goes on with a session: %s, want %s", i, got, want)
		}
		// The ticket comes with what the endpoint says; it is kept once the end has been read.
		_, _ = io.Copy(io.Discard, conn)
	}
	if quarantined := load(t, p, relay(trusting(other, "a.test"))); len(quarantined) > 0 {
		t.Fatal(quarantined)
	}
	if !refused(t, address(t, p, 5432)) {
		t.Error("a session that other authorities vouched for goes on")
	}
}

// A WebSocket reaches an endpoint over TLS.
func TestBackendTLSWebSocket(t *testing.T) {
	ca := testca.New(t)
	at := overTLS(t, ca.Issue(t, "", issuedFor("a.test")), func(_ int, conn *tls.Conn, reader *bufio.Reader) {
		if request, err := http.ReadRequest(reader); err != nil || request.Header.Get("Upgrade") != "websocket" {
			return
		}
		say(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nearly\n")
		_, _ = io.Copy(conn, reader)
	})
	p := start(t, new(table).listener("l", 80, "").backend("b", at).over(trusting(ca, "a.test")).route("r", "l", "/", "b").resources)
	conn, reader := raw(t, address(t, p, 80), "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != 101 {
		t.Fatalf("got %v, %v", response, err)
	}
	say(conn, "ping\n")
	for _, want := range []string{"early\n", "ping\n"} {
		if got, err := reader.ReadString('\n'); got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

// How endpoints prove themselves, and what the proxy does, changes under load: no request fails, nothing that was proved by
// other rules counts, and nothing is left behind.
func TestBackendTLSReplacedUnderLoad(t *testing.T) {
	ca, other := testca.New(t), testca.New(t)
	with := &tls.Config{
		Certificates: []tls.Certificate{ca.Issue(t, "", issuedFor("a.test")).TLS(t)}, ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: roots(ca),
	}
	finish := make(chan struct{})
	var slow atomic.Int64
	at := serveOver(t, with, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/slow") {
			slow.Add(1)
			<-finish
		}
		_, _ = io.Copy(w, r.Body)
	})
	variant := func(i int) *table {
		wanted := trusting(ca, "a.test")
		if i%3 > 0 {
			wanted.Authorities = append(append([]byte(nil), ca.PEM...), other.PEM...)
		}
		if i%3 > 1 {
			wanted.Certificate = "mine"
		}
		return new(table).listener("l", 80, "").certificate(t, ca, "mine", "gateway.test").backend("b1", at).over(wanted).
			second("b2", at).over(wanted).route("r1", "l", "/1", "b1").route("r2", "l", "/2", "b2")
	}
	round := func(t *testing.T) {
		finish, slow = make(chan struct{}), atomic.Int64{}
		p := start(t, variant(0).resources)
		to, c := "http://"+address(t, p, 80), client(t)
		c.Timeout = 0 // What is under way is so for as long as the machine takes for all the others.
		var clients sync.WaitGroup
		for _, path := range []string{"/1/slow", "/2/slow"} {
			clients.Go(func() {
				if status, body := post(t, c, to+path, path); status != 200 || body != path {
					t.Errorf("a request that was under way: %d, %q", status, body)
				}
			})
		}
		eventually(t, "both are under way", func() bool { return slow.Load() == 2 })
		var stopped atomic.Bool
		var served atomic.Int64
		for _, path := range []string{"/1", "/2", "/1", "/2"} {
			clients.Go(func() {
				for !stopped.Load() {
					if status, body := post(t, c, to+path, path); status != 200 || body != path {
						t.Errorf("%s: %d, %q", path, status, body)
						return
					}
					served.Add(1)
				}
			})
		}
		for i := 0; (i < 60 || served.Load() < 400) && !t.Failed(); i++ {
			if quarantined := load(t, p, variant(i)); len(quarantined) > 0 {
				t.Fatal(quarantined)
			}
			runtime.Gosched()
		}
		stopped.Store(true)
		close(finish)
		clients.Wait()
		strict := trusting(other, "a.test")
		load(t, p, new(table).listener("l", 80, "").backend("b1", at).over(strict).second("b2", at).over(strict).
			route("r1", "l", "/1", "b1").route("r2", "l", "/2", "b2"))
		for _, path := range []string{"/1", "/2"} {
			if status, _ := post(t, c, to+path, path); status != 502 {
				t.Errorf("%s: got %d from an endpoint whose authority is trusted no more", path, status)
			}
		}
		if counts(p, forward.ReasonTLS) != 2 {
			t.Errorf("counted %v", p.Requests())
		}
		c.CloseIdleConnections()
		p.Close()
	}
	t.Run("once", round) // What is made once in a process is made by now.
	goroutines, open := runtime.NumGoroutine(), descriptors(t)
	t.Run("again", round)
	eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "as few descriptors as before", func() bool { return descriptors(t) <= open })
}

// RFC 9112 section 9.8: a response that only the connection's end delimits is not whole unless TLS says that it ends.
func TestBackendTLSIncompleteClose(t *testing.T) {
	ca := testca.New(t)
	at := overTLS(t, ca.Issue(t, "", issuedFor("a.test")), func(_ int, conn *tls.Conn, reader *bufio.Reader) {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		say(conn, "HTTP/1.1 200 OK\r\n\r\nas far as this")
		if request.URL.Path == "/cut" {
			_ = conn.NetConn().Close()
		}
	})
	p := start(t, new(table).listener("l", 80, "").backend("b", at).over(trusting(ca, "a.test")).route("r", "l", "/", "b").resources)
	for path, whole := range map[string]bool{"/whole": true, "/cut": false} {
		response, err := client(t).Get("http://" + address(t, p, 80) + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if string(body) != "as far as this" || (err == nil) != whole {
			t.Errorf("%s: got %q, %v", path, body, err)
		}
	}
}

// Endpoints over TLS are cut off after any number of bytes, of the handshake and of the response: what comes is whole, or it
// fails; nobody gets another's bytes, and nothing is left behind.
func TestBackendTLSCuts(t *testing.T) {
	ca := testca.New(t)
	behindCut := serveOver(t, &tls.Config{Certificates: []tls.Certificate{ca.Issue(t, "", issuedFor("a.test")).TLS(t)}},
		func(w http.ResponseWriter, r *http.Request) {
			content, _ := io.ReadAll(r.Body)
			_, _ = w.Write(content)
		})
	const least, most, step = 0, 2500, 37
	round := func(t *testing.T) {
		var limit atomic.Int64
		at := endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
			to, err := net.Dial("tcp", behindCut)
			if err != nil {
				return
			}
			defer func() { _ = to.Close() }()
			go func() {
				_, _ = io.Copy(to, reader)
				_ = to.Close()
			}()
			_, _ = io.CopyN(conn, to, limit.Load())
		})
		p := start(t, new(table).listener("l", 80, "").backend("b1", at).over(trusting(ca, "a.test")).
			second("b2", at).over(trusting(ca, "a.test")).route("r1", "l", "/1", "b1").route("r2", "l", "/2", "b2").resources)
		c := client(t)
		asked, failed := uint64(0), 0
		for limit.Store(least); limit.Load() < most; limit.Add(step) {
			for _, path := range []string{"/1", "/2"} {
				asked++
				content := fmt.Sprint(path, " ", limit.Load())
				response, err := c.Post("http://"+address(t, p, 80)+path, "text/plain", strings.NewReader(content))
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				switch {
				case response.StatusCode == 502, err != nil:
					failed++
				case response.StatusCode != 200 || string(body) != content:
					t.Errorf("cut after %d bytes: %d, %q", limit.Load(), response.StatusCode, body)
				}
			}
		}
		if failed == 0 || failed == int(asked) {
			t.Errorf("%d of %d requests failed: the cuts are not where they should be", failed, asked)
		}
		c.CloseIdleConnections()
		eventually(t, "each request is counted once", func() bool {
			total := uint64(0)
			for _, count := range p.Requests() {
				total += count
			}
			return total == asked
		})
		p.Close()
	}
	t.Run("once", round)
	goroutines, open := runtime.NumGoroutine(), descriptors(t)
	t.Run("again", round)
	eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "as few descriptors as before", func() bool { return descriptors(t) <= open })
}
