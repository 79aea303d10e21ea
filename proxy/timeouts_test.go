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
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/forward"
)

// soon is a timeout that is over at once for whoever waits without end, as everybody in these tests does.
const soon = 50 * time.Millisecond

// inTime runs a test with a time that is over soon. Where the machine took longer than that for what has to come within it, which the
// test says, it is run again with twice as much.
func inTime(t *testing.T, test func(limit time.Duration) bool) {
	t.Helper()
	for limit := soon; !test(limit); limit *= 2 {
		if limit > patience {
			t.Fatalf("it did not come within %v", limit)
		}
	}
}

func timeouts(request, backend time.Duration) func(*adminv1.Rule) {
	return func(r *adminv1.Rule) {
		r.Timeouts = &adminv1.Timeouts{Request: durationpb.New(request), BackendRequest: durationpb.New(backend)}
	}
}

// Nothing was sent, so the client is told, whatever it is that takes so long.
func TestTimeoutsBeforeTheResponse(t *testing.T) {
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		b := add(new(table).listener("l", 80, ""), "b", func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		p := start(t, b.route("request", "l", "/request", "b").with(timeouts(soon, 0)).
			route("backend", "l", "/backend", "b").with(timeouts(time.Hour, soon)).resources)
		at := address(t, p, 80)
		c := connect(at)
		for _, path := range []string{"/request", "/backend"} {
			endless, write := io.Pipe()
			t.Cleanup(func() { _ = write.Close() })
			for method, body := range map[string]io.Reader{"GET": nil, "POST": strings.NewReader("content"), "PUT": endless} {
				request, err := http.NewRequest(method, "http://"+at+path, body)
				if err != nil {
					t.Fatal(err)
				}
				if response, got := sent(t, c, request); response.StatusCode != 504 || got != "Gateway Timeout\n" {
					t.Errorf("%s %s: got %d %q", method, path, response.StatusCode, got)
				}
			}
		}
		eventually(t, "they are counted as timeouts", func() bool {
			return p.Requests()[forward.Outcome{Status: 504, Reason: forward.ReasonTimeout}] == 6
		})
	})
}

// Timeouts count to the last byte: a response that has begun is broken off, and never looks whole.
func TestTimeoutsWithinTheResponse(t *testing.T) {
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		inTime(t, func(limit time.Duration) bool {
			b := add(new(table).listener("l", 80, ""), "b", func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Query().Has("length") {
					w.Header().Set("Content-Length", "100")
				}
				_, _ = io.WriteString(w, "beginning")
				_ = http.NewResponseController(w).Flush()
				<-r.Context().Done()
			})
			p := start(t, b.route("request", "l", "/request", "b").with(timeouts(limit, 0)).
				route("backend", "l", "/backend", "b").with(timeouts(0, limit)).resources)
			at := address(t, p, 80)
			c := connect(at)
			for _, path := range []string{"/request", "/backend", "/request?length", "/backend?length"} {
				response, err := c.Get("http://" + at + path)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				if response.StatusCode == 504 {
					return false // It had not begun.
				}
				if string(got) != "beginning" || err == nil {
					t.Errorf("%s: read %q, %v", path, got, err)
				}
			}
			eventually(t, "they are counted as timeouts", func() bool {
				return p.Requests()[forward.Outcome{Status: 200, Reason: forward.ReasonTimeout}] == 4
			})
			return true
		})
	})
}

// Content that never stops coming, however slowly, is no progress that a rule's time would wait for: neither a request's, which
// is answered 504, nor a response's, which is broken off.
func TestTimeoutsOfTricklingContent(t *testing.T) {
	trickle := func(ctx context.Context, to io.Writer, flush func() error) {
		for ctx.Err() == nil {
			if _, err := io.WriteString(to, "x"); err != nil || flush() != nil {
				return
			}
			time.Sleep(soon / 50)
		}
	}
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		inTime(t, func(limit time.Duration) bool {
			b := add(new(table).listener("l", 80, ""), "b", func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					_, _ = io.Copy(io.Discard, r.Body)
					return
				}
				trickle(r.Context(), w, http.NewResponseController(w).Flush)
			})
			p := start(t, b.route("request", "l", "/request", "b").with(timeouts(6*limit, 0)).
				route("backend", "l", "/backend", "b").with(timeouts(0, 6*limit)).
				route("again", "l", "/again", "b").with(timeouts(0, 6*limit)).with(retrying(3, 503)).resources)
			at := address(t, p, 80)
			c := connect(at)
			var late atomic.Bool
			t.Run("trickles", func(t *testing.T) {
				for _, path := range []string{"/request", "/backend", "/again"} {
					t.Run("response of "+path, func(t *testing.T) {
						t.Parallel()
						response, err := c.Get("http://" + at + path)
						if err != nil {
							t.Fatal(err)
						}
						got, err := io.ReadAll(response.Body)
						_ = response.Body.Close()
						if response.StatusCode == 504 {
							late.Store(true)
							return
						}
						if response.StatusCode != 200 || len(got) == 0 || err == nil {
							t.Errorf("got %d and %d bytes, %v", response.StatusCode, len(got), err)
						}
					})
					t.Run("request to "+path, func(t *testing.T) {
						t.Parallel()
						content, write := io.Pipe()
						defer func() { _ = content.Close() }()
						go trickle(t.Context(), write, func() error { return nil })
						request := requestTo(t, http.MethodPut, "http://"+at+path)
						request.Body, request.ContentLength = content, -1
						if response, got := sent(t, c, request); response.StatusCode != 504 {
							t.Errorf("got %d %q", response.StatusCode, got)
						}
					})
				}
			})
			if late.Load() {
				return false // A response had not begun.
			}
			eventually(t, "all are counted as timeouts", func() bool {
				counts := p.Requests()
				return counts[forward.Outcome{Status: 200, Reason: forward.ReasonTimeout}] == 3 && counts[forward.Outcome{Status: 504, Reason: forward.ReasonTimeout}] == 3
			})
			return true
		})
	})
}

// A client that does not read must not hold a request beyond its time.
func TestTimeoutOfAClientThatDoesNotRead(t *testing.T) {
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		b := add(new(table).listener("l", 80, ""), "b", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("length") {
				w.Header().Set("Content-Length", fmt.Sprint(1<<40))
			}
			piece := make([]byte, 1<<16)
			for r.Context().Err() == nil {
				if _, err := w.Write(piece); err != nil {
					return
				}
			}
		})
		resources := b.route("r", "l", "/", "b").resources
		inTime(t, func(limit time.Duration) bool {
			b.with(timeouts(10*limit, 0))
			p := start(t, resources)
			at := address(t, p, 80)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			for _, path := range []string{"/", "/?length"} {
				request, err := http.NewRequestWithContext(ctx, "GET", "http://"+at+path, nil)
				if err != nil {
					t.Fatal(err)
				}
				response, err := connect(at).Do(request)
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = response.Body.Close() }()
				if response.StatusCode == 504 {
					return false
				}
			}
			eventually(t, "both are counted as timeouts", func() bool {
				return p.Requests()[forward.Outcome{Status: 200, Reason: forward.ReasonTimeout}] == 2
			})
			return true
		})
	})
}

// 0s disables the timeout completely: also those that the proxy has by itself.
func TestNoTimeout(t *testing.T) {
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		b := add(new(table).listener("l", 80, ""), "b", func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				<-r.Context().Done()
				return
			}
			time.Sleep(4 * soon)
			_ = http.NewResponseController(w).Flush()
			time.Sleep(4 * soon)
			_, _ = io.WriteString(w, "late")
		})
		p := start(t, b.route("bound", "l", "/", "b").route("free", "l", "/free", "b").with(timeouts(0, 0)).
			route("long", "l", "/long", "b").with(timeouts(time.Hour, time.Hour)).resources,
			limits(func(l *bootstrap.Limits) {
				l.ResponseTimeout, l.StreamTimeout = bootstrap.Duration(soon), bootstrap.Duration(soon)
			}))
		at := address(t, p, 80)
		c := connect(at)
		for path, want := range map[string]string{"/": "504 Gateway Timeout\n", "/free": "200 late", "/long": "200 late"} {
			response, body := sent(t, c, requestTo(t, "GET", "http://"+at+path))
			if got := fmt.Sprint(response.StatusCode, " ", body); got != want {
				t.Errorf("%s: got %q, want %q", path, got, want)
			}
		}
	})
}

// What was switched to is no response, and may take as long as it likes.
func TestTimeoutsOfWebSockets(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		defer func() { _ = conn.Close() }()
		say(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		line, _ := buffered.ReadString('\n')
		say(conn, "got "+line)
	})
	inTime(t, func(limit time.Duration) bool {
		p := start(t, new(table).listener("l", 80, "").backend("b", at).route("r", "l", "/", "b").with(timeouts(4*limit, 4*limit)).resources)
		conn, reader := raw(t, address(t, p, 80), "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		response, err := http.ReadResponse(reader, nil)
		if err == nil && response.StatusCode == 504 {
			return false
		}
		if err != nil || response.StatusCode != 101 {
			t.Fatalf("got %v, %v", response, err)
		}
		time.Sleep(8 * limit)
		say(conn, "hello\n")
		if line, err := reader.ReadString('\n'); line != "got hello\n" {
			t.Errorf("got %q, %v", line, err)
		}
		return true
	})
}
