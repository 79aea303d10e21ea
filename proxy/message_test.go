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
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/forward"
)

// one is a proxy in front of one backend.
func one(t testing.TB, handler http.HandlerFunc) (*Proxy, string) {
	t.Helper()
	p := start(t, new(table).listener("listener/http", 80, "").
		backend("b", serve(t, handler)).route("r", "listener/http", "/", "b").resources)
	return p, address(t, p, 80)
}

// raw sends bytes and gives a reader of the answer.
func raw(t testing.TB, at, request string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	return conn, bufio.NewReader(conn)
}

func TestWhatABackendReceives(t *testing.T) {
	type received struct {
		Method, Target, Host string
		Header               http.Header
	}
	var last atomic.Pointer[received]
	_, at := one(t, func(_ http.ResponseWriter, r *http.Request) {
		last.Store(&received{r.Method, r.RequestURI, r.Host, r.Header})
	})
	tests := map[string]struct {
		reason  string
		request string
		want    received
	}{
		"plain": {
			reason:  "nothing is added but the forwarding fields, not even a user agent or an accepted coding",
			request: "GET /a?b HTTP/1.1\r\nHost: Shop.example:80\r\n\r\n",
			want: received{"GET", "/a?b", "Shop.example:80", http.Header{
				"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"Shop.example:80"},
				"X-Forwarded-Port": {"80"}, "Forwarded": {`for=127.0.0.1;host="Shop.example:80";proto=http`},
			}},
		},
		"forwarding fields of the client": {
			reason: "nobody in front of the proxy is believed: what the client claims is replaced",
			request: "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1, 2.2.2.2\r\nx-forwarded-for: 3.3.3.3\r\n" +
				"X-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n\r\n",
			want: received{"GET", "/", "h", http.Header{
				"X-Forwarded-For":   {"127.0.0.1"},
				"X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"h"},
				"X-Forwarded-Port": {"80"}, "Forwarded": {`for=127.0.0.1;host=h;proto=http`},
			}},
		},
		"fields of the connection": {
			reason: "RFC 9110 section 7.6.1: they end here, with those that Connection names",
			request: "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n" +
				"Proxy-Connection: close\r\nProxy-Authorization: x\r\nTE: trailers, deflate\r\nUpgrade: h2c\r\nKept: 1\r\n\r\n",
			want: received{"GET", "/", "h", http.Header{
				"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"h"},
				"X-Forwarded-Port": {"80"}, "Forwarded": {`for=127.0.0.1;host=h;proto=http`},
				"Te": {"trailers"}, "Kept": {"1"},
			}},
		},
		"nominated forwarding field": {
			reason:  "a client must not be able to have the proxy's own fields removed",
			request: "GET / HTTP/1.1\r\nHost: h\r\nConnection: X-Forwarded-For, close\r\n\r\n",
			want: received{"GET", "/", "h", http.Header{
				"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"h"},
				"X-Forwarded-Port": {"80"}, "Forwarded": {`for=127.0.0.1;host=h;proto=http`},
			}},
		},
		"target byte for byte": {
			reason:  "escapes pass as they came",
			request: "GET /a%2Fb//c%41?q=%zz&?x HTTP/1.1\r\nHost: h\r\n\r\n",
			want: received{"GET", "/a%2Fb//c%41?q=%zz&?x", "h", http.Header{
				"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"h"},
				"X-Forwarded-Port": {"80"}, "Forwarded": {`for=127.0.0.1;host=h;proto=http`},
			}},
		},
		"path of slashes": {
			reason:  "a path that begins with // is no authority",
			request: "GET //evil.example/x?y=1 HTTP/1.1\r\nHost: h\r\n\r\n",
			want: received{"GET", "//evil.example/x?y=1", "h", http.Header{
				"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"h"},
				"X-Forwarded-Port": {"80"}, "Forwarded": {`for=127.0.0.1;host=h;proto=http`},
			}},
		},
		"absolute form": {
			reason:  "RFC 9112 section 3.2.2: a server MUST accept the absolute-form, and its authority is the host",
			request: "GET http://real.example/x?y HTTP/1.1\r\nHost: other\r\n\r\n",
			want: received{"GET", "/x?y", "real.example", http.Header{
				"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"real.example"},
				"X-Forwarded-Port": {"80"}, "Forwarded": {`for=127.0.0.1;host=real.example;proto=http`},
			}},
		},
		"asterisk form": {
			reason:  "OPTIONS * passes as it is",
			request: "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
			want: received{"OPTIONS", "*", "h", http.Header{
				"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Host": {"h"},
				"X-Forwarded-Port": {"80"}, "Forwarded": {`for=127.0.0.1;host=h;proto=http`},
			}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			last.Store(nil)
			_, answer := raw(t, at, test.request)
			response, err := http.ReadResponse(answer, nil)
			if err != nil || response.StatusCode != 200 && name != "asterisk form" {
				t.Fatalf("%s: got %v, %v", test.reason, response, err)
			}
			if name == "asterisk form" {
				return // net/http as a backend answers it without the handler; that it came is seen by the status.
			}
			if diff := cmp.Diff(&test.want, last.Load()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestWhatAClientReceives(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/fields":
			w.Header().Set("Connection", "X-Hop")
			w.Header().Set("X-Hop", "1")
			w.Header().Set("Keep-Alive", "timeout=5")
			w.Header()["Set-Cookie"] = []string{"a=1", "b=2"}
			w.Header()["Content-Type"] = nil
			w.Header().Set("Date", "d")
			_, _ = io.WriteString(w, "<html>")
		case "/redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, "not really")
		case "/no-content":
			w.WriteHeader(http.StatusNoContent)
		case "/not-modified":
			w.Header().Set("Etag", `"x"`)
			w.WriteHeader(http.StatusNotModified)
		}
	})
	tests := map[string]struct {
		reason, request string
		status          int
		header          http.Header
		length          int64
		body            string
	}{
		"fields": {
			reason:  "fields of the connection end here; lines of one name stay apart; no content type is guessed",
			request: "GET /fields", status: 200, length: 6, body: "<html>",
			header: http.Header{"Set-Cookie": {"a=1", "b=2"}, "Date": {"d"}, "Content-Length": {"6"}},
		},
		"HEAD": {
			reason:  "HEAD has the length and no content",
			request: "HEAD /fields", status: 200, length: 6,
			header: http.Header{"Set-Cookie": {"a=1", "b=2"}, "Date": {"d"}, "Content-Length": {"6"}},
		},
		"redirect": {reason: "redirects are the client's to follow", request: "HEAD /redirect", status: 302, length: -1},
		"coding":   {reason: "codings are the client's to undo", request: "GET /gzip", status: 200, length: 10, body: "not really"},
		"204":      {reason: "204 has no content and no length", request: "GET /no-content", status: 204},
		"304":      {reason: "304 has no content", request: "GET /not-modified", status: 304},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, answer := raw(t, at, test.request+" HTTP/1.1\r\nHost: h\r\n\r\n")
			method, _, _ := strings.Cut(test.request, " ")
			response, err := http.ReadResponse(answer, &http.Request{Method: method})
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			if err != nil || response.StatusCode != test.status || string(body) != test.body {
				t.Errorf("%s: got %d %q %v", test.reason, response.StatusCode, body, err)
			}
			if test.length >= 0 && response.ContentLength != test.length {
				t.Errorf("%s: length %d, want %d", test.reason, response.ContentLength, test.length)
			}
			if diff := cmp.Diff(test.header, response.Header); test.header != nil && diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}

func TestStreamsBothWays(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, r *http.Request) {
		controller := http.NewResponseController(w)
		_ = controller.EnableFullDuplex()
		w.WriteHeader(200)
		_ = controller.Flush()
		lines := bufio.NewScanner(r.Body)
		for lines.Scan() {
			fmt.Fprintf(w, "%s!\n", lines.Text())
			_ = controller.Flush()
		}
	})
	content, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	time.AfterFunc(patience, func() { _ = writer.Close() })
	request, err := http.NewRequest(http.MethodPost, "http://"+at+"/", content)
	if err != nil {
		t.Fatal(err)
	}
	// The head of the response must come while the request's content is still open, and each line at once.
	response, err := client(t).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	answer := bufio.NewReader(response.Body)
	for _, line := range []string{"one", "two", "three"} {
		if _, err := fmt.Fprintln(writer, line); err != nil {
			t.Fatal(err)
		}
		got, err := answer.ReadString('\n')
		if err != nil || got != line+"!\n" {
			t.Fatalf("sent %q, got %q, %v", line, got, err)
		}
	}
	_ = writer.Close()
	if rest, err := io.ReadAll(answer); err != nil || len(rest) > 0 {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

func TestTrailers(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		_, _ = io.Copy(w, r.Body)
		w.Header().Set("X-Sum", "got "+r.Trailer.Get("X-Client-Sum"))
	})
	_, answer := raw(t, at, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: X-Client-Sum\r\n\r\n"+
		"3\r\nabc\r\n0\r\nX-Client-Sum: 294\r\n\r\n")
	response, err := http.ReadResponse(answer, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "abc" || response.Trailer.Get("X-Sum") != "got 294" {
		t.Errorf("got %q, trailers %v, %v", body, response.Trailer, err)
	}
}

func TestInterimResponses(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		w.Header().Del("Link")
		w.WriteHeader(http.StatusOK)
	})
	_, answer := raw(t, at, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	reader := textproto.NewReader(answer)
	status, err := reader.ReadLine()
	if err != nil || status != "HTTP/1.1 103 Early Hints" {
		t.Fatalf("got %q, %v", status, err)
	}
	hints, err := reader.ReadMIMEHeader()
	if err != nil || hints.Get("Link") == "" {
		t.Errorf("hints %v, %v", hints, err)
	}
	response, err := http.ReadResponse(answer, nil)
	if err != nil || response.StatusCode != 200 || response.Header.Get("Link") != "" {
		t.Errorf("got %v, %v", response, err)
	}
}

// A response that breaks off must not look whole.
func TestCutResponseIsSeenAsCut(t *testing.T) {
	p, at := one(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "beginning")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	response, err := client(t).Get("http://" + at + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("read %q without an error", body)
	}
	eventually(t, "the request is counted as broken off by the endpoint", func() bool {
		return p.Requests()[forward.Outcome{Status: 200, Reason: forward.ReasonUpstream}] == 1
	})
}

func TestClientThatGoesAwayCancelsTheRequest(t *testing.T) {
	reached, cancelled := make(chan struct{}), make(chan struct{})
	p, at := one(t, func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
		close(cancelled)
	})
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, _ := raw(t, at, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	for _, step := range []chan struct{}{reached, cancelled} {
		select {
		case <-step:
		case <-ctx.Done():
			t.Fatal("the endpoint did not see it")
		}
		_ = conn.Close()
	}
	eventually(t, "the request is counted once, as the client's doing", func() bool {
		return p.Requests()[forward.Outcome{Reason: forward.ReasonClient}] == 1
	})
}

func TestWebSocket(t *testing.T) {
	p, at := one(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Connection") != "Upgrade" {
			http.Error(w, "no upgrade", http.StatusBadRequest)
			return
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-Websocket-Accept: x\r\n\r\n")
		line, _ := buffered.ReadString('\n')
		_, _ = io.WriteString(conn, "echo "+line)
	})
	conn, answer := raw(t, at, "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n")
	response, err := http.ReadResponse(answer, nil)
	if err != nil || response.StatusCode != 101 || response.Header.Get("Sec-Websocket-Accept") != "x" {
		t.Fatalf("got %v, %v", response, err)
	}
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := answer.ReadString('\n'); err != nil || line != "echo hello\n" {
		t.Errorf("got %q, %v", line, err)
	}
	if _, err := answer.ReadByte(); err != io.EOF {
		t.Errorf("the end of one side ends the other: got %v", err)
	}
	eventually(t, "a tunnel is counted when it ends", func() bool {
		return p.Requests()[forward.Outcome{Status: 101, Reason: forward.ReasonOK}] == 1
	})
}

// Nor must one whose end is the connection's, to a client that knows no other: its connection is reset.
func TestCutResponseIsSeenAsCutByOldClients(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "beginning")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	})
	_, reader := raw(t, at, "GET / HTTP/1.0\r\nHost: h\r\n\r\n")
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return // The reset was quicker than the beginning.
	}
	if body, err := io.ReadAll(response.Body); err == nil {
		t.Errorf("read %q without an error", body)
	}
}

// One that is whole ends as a connection does that nobody has broken off.
func TestWholeResponseToOldClients(t *testing.T) {
	_, at := one(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "beginning")
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, " and end")
	})
	_, reader := raw(t, at, "GET / HTTP/1.0\r\nHost: h\r\n\r\n")
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "beginning and end" {
		t.Errorf("got %q, %v", body, err)
	}
}
