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
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

func retrying(attempts uint32, codes ...uint32) func(*adminv1.Rule) {
	return func(r *adminv1.Rule) {
		r.Retry = &adminv1.Retry{Attempts: attempts, Codes: codes, Backoff: durationpb.New(time.Millisecond)}
	}
}

func TestRetriesOnCodes(t *testing.T) {
	tests := map[string]struct {
		reason   string
		method   string
		size     int
		chunked  bool
		code     int // of the first answers
		failures int32
		want     string
		asked    int32
	}{
		"recovers":             {reason: "as often as the rule says", method: "GET", code: 503, failures: 2, want: "200 GET 0 ", asked: 3},
		"does not recover":     {reason: "the last response is the client's", method: "GET", code: 503, failures: 9, want: "503 failed", asked: 3},
		"another code":         {reason: "codes that are not named are no reason", method: "GET", code: 500, failures: 9, want: "500 failed", asked: 1},
		"POST":                 {reason: "a proxy MUST NOT automatically retry non-idempotent requests", method: "POST", size: 1, code: 503, failures: 1, want: "503 failed", asked: 1},
		"PUT":                  {reason: "small content is kept", method: "PUT", size: 60 << 10, code: 503, failures: 2, want: "200 PUT 61440 ", asked: 3},
		"PUT in pieces":        {reason: "of whatever framing, with its trailers", method: "PUT", size: 1000, chunked: true, code: 503, failures: 2, want: "200 PUT 1000 sum", asked: 3},
		"PUT of much":          {reason: "large content is gone", method: "PUT", size: 1 << 20, code: 503, failures: 1, want: "503 failed", asked: 1},
		"PUT of much, at once": {reason: "and is passed on whole", method: "PUT", size: 1 << 20, code: 503, failures: 0, want: "200 PUT 1048576 ", asked: 1},
		"DELETE":               {reason: "is idempotent", method: "DELETE", code: 503, failures: 1, want: "200 DELETE 0 ", asked: 2},
	}
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		var asked, failures, code atomic.Int32
		b := add(new(table).listener("l", 80, ""), "b", func(w http.ResponseWriter, r *http.Request) {
			n, err := io.Copy(io.Discard, r.Body)
			if asked.Add(1) <= failures.Load() || err != nil {
				w.WriteHeader(int(code.Load()))
				_, _ = io.WriteString(w, "failed")
				return
			}
			fmt.Fprint(w, r.Method, " ", n, " ", r.Trailer.Get("X-Sum"))
		})
		at := address(t, start(t, b.route("r", "l", "/", "b").with(retrying(2, 503, 504)).resources), 80)
		c := connect(at)
		for name, test := range tests {
			asked.Store(0)
			failures.Store(test.failures)
			code.Store(int32(test.code))
			request := requestTo(t, test.method, "http://"+at)
			if test.size > 0 {
				request.Body, request.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", test.size))), int64(test.size)
			}
			if test.chunked {
				request.ContentLength, request.Trailer = -1, http.Header{"X-Sum": {"sum"}}
			}
			response, body := sent(t, c, request)
			if got := fmt.Sprint(response.StatusCode, " ", body); got != test.want || asked.Load() != test.asked {
				t.Errorf("%s: %s: got %q after %d attempts, want %q after %d", name, test.reason, got, asked.Load(), test.want, test.asked)
			}
		}
	})
}

// An endpoint that breaks off is asked again, and a code is no reason for a rule without codes.
func TestRetriesOnConnectionErrors(t *testing.T) {
	var asked atomic.Int32
	at := endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
		head(reader)
		if asked.Add(1) > 2 {
			say(conn, answer(200, "served"))
		}
	})
	p := start(t, new(table).listener("l", 80, "").backend("b", at).backend("refusing", refusing).
		route("r", "l", "/", "b").with(retrying(3)).route("x", "l", "/refusing", "refusing").with(retrying(3)).resources)
	c := client(t)
	for _, test := range []struct {
		method, path, want string
		asked              int32
	}{
		{"GET", "/", "200 served", 3}, {"POST", "/", "502 Bad Gateway\n", 1},
		{"POST", "/refusing", "502 Bad Gateway\n", 0},
	} {
		asked.Store(0)
		response, body := sent(t, c, requestTo(t, test.method, "http://"+address(t, p, 80)+test.path))
		if got := fmt.Sprint(response.StatusCode, " ", body); got != test.want || asked.Load() != test.asked {
			t.Errorf("%s %s: got %q after %d attempts", test.method, test.path, got, asked.Load())
		}
	}
	if counts := p.Retries(); counts.Sent != 5 || counts.Denied != 0 {
		t.Errorf("two retries for the first, three where nothing was sent: %+v", counts)
	}
}

// A backend's time is for each attempt, the request's for all of them.
func TestRetriesOnTimeouts(t *testing.T) {
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		var asked atomic.Int32
		b := add(new(table).listener("l", 80, ""), "b", func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) < 3 || r.URL.Path != "/backend" {
				<-r.Context().Done()
				return
			}
			_, _ = io.WriteString(w, "served")
		})
		p := start(t, b.route("backend", "l", "/backend", "b").with(timeouts(0, 4*soon)).with(retrying(50)). // On a slow machine it is a later attempt that is in time.

															route("whole", "l", "/whole", "b").with(timeouts(4*soon, soon)).with(retrying(1000)).resources)
		c := connect(address(t, p, 80))
		for path, want := range map[string]string{"/backend": "200 served", "/whole": "504 Gateway Timeout\n"} {
			asked.Store(0)
			response, body := sent(t, c, requestTo(t, "GET", "http://"+address(t, p, 80)+path))
			if got := fmt.Sprint(response.StatusCode, " ", body); got != want {
				t.Errorf("%s: got %q after %d attempts", path, got, asked.Load())
			}
		}
	})
}

// A backend that fails for everybody gets a bounded share of requests on top.
func TestRetryBudget(t *testing.T) {
	var asked atomic.Int64
	failing := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(503)
	})
	p := start(t, new(table).listener("l", 80, "").backend("b", failing).route("r", "l", "/", "b").with(retrying(3, 503)).resources)
	c := client(t)
	began := time.Now()
	const requests = 500
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			for range requests / 10 {
				if status, _ := get(t, c, address(t, p, 80), "h", "/"); status != 503 {
					t.Errorf("got %d", status)
				}
			}
		})
	}
	all.Wait()
	allowed := 100 + requests/5 + uint64(10*time.Since(began).Seconds()) + 1
	counts := p.Retries()
	if counts.Denied == 0 || counts.Sent > allowed || uint64(asked.Load()) != requests+counts.Sent {
		t.Errorf("%d requests were sent %d times, with %d allowed: %+v", requests, asked.Load(), allowed, counts)
	}
}

// Whatever goes wrong, and with whatever content: what a request that is not idempotent does is done once. RFC 9110 section
// 9.2.2: "A proxy MUST NOT automatically retry non-idempotent requests."
func TestRetriesLeaveAloneWhatIsNotSafe(t *testing.T) {
	const attempts = 2
	failures := map[string]http.HandlerFunc{
		"code": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(503)
		},
		"code before the content": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) },
		"broken off":              func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"broken off after the content": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			panic(http.ErrAbortHandler)
		},
		"broken off within the response": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "10")
			if r.Method == http.MethodHead { // Its response is whole with its head, and who uses the connection again meets its end.
				w.Header().Set("Connection", "close")
			}
			_, _ = io.WriteString(w, "begun")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"silent": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		},
	}
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		var asked sync.Map // counters by what was asked
		b := add(new(table).listener("l", 80, ""), "b", func(w http.ResponseWriter, r *http.Request) {
			count, _ := asked.LoadOrStore(r.URL.RawQuery, new(atomic.Int32))
			count.(*atomic.Int32).Add(1)
			failures[r.Header.Get("X-Failure")](w, r)
		})
		at := address(t, start(t, b.route("r", "l", "/", "b").with(retrying(attempts, 503)).
			route("s", "l", "/silent", "b").with(retrying(attempts, 503)).with(timeouts(0, 2*soon)).resources), 80)
		c := connect(at)
		again := 0
		for failure := range failures {
			for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "MOVE"} {
				for _, size := range []int{0, 10, 1 << 20} {
					if failure == "silent" && size != 10 { // It takes its time.
						continue
					}
					name := fmt.Sprintf("%s-%s-%d", strings.ReplaceAll(failure, " ", "-"), method, size)
					request := requestTo(t, method, "http://"+at+"/"+strings.ReplaceAll(failure, " ", "-")+"?"+name, "X-Failure", failure)
					var count any
					there := false
					// One whose time was over before it was sent tells nothing. Each has a name of its own.
					for try := 0; !there && (try == 0 || failure == "silent" && try < 100); try++ {
						name := fmt.Sprint(name, "-", try)
						request.URL.RawQuery = name
						if size > 0 {
							request.Body, request.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", size))), int64(size)
						}
						response, err := c.Do(request)
						if err == nil {
							_ = response.Body.Close()
						}
						count, there = asked.Load(name)
					}
					if !there {
						t.Errorf("%s was not sent", name)
						continue
					}
					got := count.(*atomic.Int32).Load()
					safe := method == "GET" || method == "HEAD" || method == "PUT" || method == "DELETE"
					if !safe && got != 1 || got > 2*(1+attempts) { // A connection that was kept may turn out to be closed each time.
						t.Errorf("%s was sent %d times", name, got)
					}
					if got > 1 {
						again++
					}
				}
			}
		}
		if again < 4*len(failures)/2 {
			t.Errorf("only %d requests were sent again, and more may be", again)
		}
	})
}
