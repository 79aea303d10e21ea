//go:build linux

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

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// counted is a server that counts its connections and those of them that are open.
func counted(t *testing.T, handler http.HandlerFunc) (server *httptest.Server, made, open *atomic.Int64) {
	t.Helper()
	made, open = new(atomic.Int64), new(atomic.Int64)
	server = httptest.NewUnstartedServer(handler)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			made.Add(1)
			open.Add(1)
		case http.StateClosed, http.StateHijacked:
			open.Add(-1)
		}
	}
	t.Cleanup(server.Close)
	return server, made, open
}

func answerSmall(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, smallBody) }

func connectFlags(server *httptest.Server, more ...string) []string {
	port := server.Listener.Addr().(*net.TCPAddr).Port
	return append([]string{fmt.Sprintf("-port=%d", port), "-host=h0000.bench.test", fmt.Sprintf("-want=%d", len(smallBody))}, more...)
}

func TestHold(t *testing.T) {
	var requests atomic.Int64
	server, made, open := counted(t, func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		answerSmall(w, r)
	})
	server.Start()
	in, release := io.Pipe()
	read, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- connectMain(true, connectFlags(server, "-count=50", "-workers=4"), in, out)
		_ = out.Close()
	}()
	lines := bufio.NewScanner(read)
	next := func() result {
		t.Helper()
		if !lines.Scan() {
			t.Fatalf("no summary: %v", lines.Err())
		}
		got, err := parseSummary(lines.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := next(); got.requests != 50 || got.errors != 0 || got.elapsed <= 0 || got.p99 < got.p50 {
		t.Errorf("opened: %+v", got)
	}
	if open.Load() != 50 || made.Load() != 50 {
		t.Errorf("%d of %d connections are open, want all of 50", open.Load(), made.Load())
	}
	server.CloseClientConnections()
	if err := release.Close(); err != nil {
		t.Fatal(err)
	}
	if !lines.Scan() {
		t.Fatalf("no summary: %v", lines.Err())
	}
	if _, err := parseSummary(lines.Bytes()); err == nil {
		t.Errorf("connections that the server closed were used: %s", lines.Bytes())
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if requests.Load() != 50 {
		t.Errorf("%d requests, want one on each connection", requests.Load())
	}
}

func TestConnect(t *testing.T) {
	tests := map[string]struct {
		reason  string
		tls     bool
		handler http.HandlerFunc
		failing bool
	}{
		"plain":            {reason: "each request has a connection of its own", handler: answerSmall},
		"tls":              {reason: "and a handshake of its own: a resumed one costs the subject far less", tls: true, handler: answerSmall},
		"another status":   {reason: "a 503 is fast, and no success", handler: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, failing: true},
		"another content":  {reason: "half a response is no success", handler: func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "half") }, failing: true},
		"no response":      {reason: "nor is none", handler: func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, failing: true},
		"a chunked answer": {reason: "how a response is delimited is the subject's choice", handler: func(w http.ResponseWriter, r *http.Request) { w.(http.Flusher).Flush(); answerSmall(w, r) }},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var resumed, requests atomic.Int64
			server, made, _ := counted(t, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				if r.TLS != nil && r.TLS.DidResume {
					resumed.Add(1)
				}
				test.handler(w, r)
			})
			if test.tls {
				server.StartTLS()
			} else {
				server.Start()
			}
			var out bytes.Buffer
			flags := connectFlags(server, fmt.Sprintf("-tls=%t", test.tls), "-workers=2", "-duration="+(100*time.Millisecond).String())
			if err := connectMain(false, flags, strings.NewReader(""), &out); err != nil {
				t.Fatal(err)
			}
			var sum summary
			if err := json.Unmarshal(out.Bytes(), &sum); err != nil {
				t.Fatal(err)
			}
			if sum.Requests == 0 || (sum.Errors == sum.Requests) != test.failing || (sum.Errors == 0) == test.failing {
				t.Errorf("%s: %+v", test.reason, sum)
			}
			if made.Load() != sum.Requests || requests.Load() != sum.Requests || resumed.Load() != 0 {
				t.Errorf("%s: %d connections, %d of them resumed, and %d requests for %d that were counted",
					test.reason, made.Load(), resumed.Load(), requests.Load(), sum.Requests)
			}
		})
	}
}
