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
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/forward"
)

// mirroring sends a share of the requests to a backend as well.
func mirroring(backend string, numerator, denominator uint32) *adminv1.Filter {
	return &adminv1.Filter{Filter: &adminv1.Filter_Mirror{Mirror: &adminv1.Mirror{
		Backend: "backend/" + backend, Numerator: numerator, Denominator: denominator,
	}}}
}

// received are what backends have received, by name.
type received struct {
	mu  sync.Mutex
	all map[string][]string
}

func (r *received) handler(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		content, err := io.ReadAll(request.Body)
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.all == nil {
			r.all = make(map[string][]string)
		}
		r.all[name] = append(r.all[name], fmt.Sprint(request.Method, " ", request.Host, request.RequestURI, " ", request.Header.Get("X-Set"), " ", len(content),
			" ", request.ContentLength, " ", request.Trailer.Get("X-Sum"), " ", err))
		_, _ = io.WriteString(w, name)
	}
}

func (r *received) count(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.all[name])
}

// Several mirrors get what the backend gets: heads as they are where the filter stands, content and trailers.
func TestMirrors(t *testing.T) {
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		var got received
		b := new(table).listener("l", 80, "")
		for _, name := range []string{"main", "one", "two"} {
			b = add(b, name, got.handler(name))
		}
		p := start(t, b.route("r", "l", "/", "main").with(func(r *adminv1.Rule) {
			r.Filters = []*adminv1.Filter{mirroring("one", 0, 0), onRequest(setting("X-Set", "s", "Host", "h")), mirroring("two", 1, 1), mirroring("one", 0, 100)}
		}).resources)
		at := address(t, p, 80)
		c := connect(at)
		for i, size := range []int{0, 10, 100 << 10} {
			request := requestTo(t, "POST", "http://"+at+fmt.Sprint("/a%2Fb?", i))
			request.Host = "a.test"
			if size > 0 {
				request.Body, request.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", size))), int64(size)
			}
			if size == 10 {
				request.ContentLength = -1
				request.Trailer = http.Header{"X-Sum": {"sum"}}
			}
			if _, body := sent(t, c, request); body != "main" {
				t.Errorf("the client got %q", body)
			}
			eventually(t, "both mirrors have it", func() bool { return got.count("one") == i+1 && got.count("two") == i+1 })
		}
		want := map[string][]string{}
		for name, to := range map[string][2]string{"main": {"h", "s"}, "one": {"a.test", ""}, "two": {"h", "s"}} {
			want[name] = []string{
				"POST " + to[0] + "/a%2Fb?0 " + to[1] + " 0 0  <nil>", "POST " + to[0] + "/a%2Fb?1 " + to[1] + " 10 -1 sum <nil>",
				"POST " + to[0] + "/a%2Fb?2 " + to[1] + " 102400 102400  <nil>",
			}
		}
		if diff := cmp.Diff(want, got.all); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		eventually(t, "all are counted", func() bool { return p.Mirrors() == forward.MirrorCounts{Sent: 6} })
	})
}

// The bounds are six standard deviations away: a right share fails once in a billion runs.
func TestShareOfMirrors(t *testing.T) {
	var got received
	p := start(t, new(table).listener("l", 80, "").backend("main", serve(t, got.handler("main"))).
		backend("fifth", serve(t, got.handler("fifth"))).backend("half", serve(t, got.handler("half"))).
		route("r", "l", "/", "main").with(func(r *adminv1.Rule) {
		r.Filters = []*adminv1.Filter{mirroring("fifth", 20, 100), mirroring("half", 1, 2)}
	}).resources)
	c := client(t)
	const requests = 2000
	for range requests {
		get(t, c, address(t, p, 80), "h", "/")
	}
	eventually(t, "all copies have arrived", func() bool {
		counts := p.Mirrors()
		return counts.Dropped == 0 && counts.Failed == 0 && counts.Sent == uint64(got.count("fifth")+got.count("half"))
	})
	for name, share := range map[string]float64{"fifth": 0.2, "half": 0.5} {
		if margin := 6 * math.Sqrt(requests*share*(1-share)); math.Abs(float64(got.count(name))-requests*share) > margin {
			t.Errorf("%s got %d of %d", name, got.count(name), requests)
		}
	}
}

// A mirror that is dead, silent or broken costs no client anything; what it cannot take is dropped, and counted.
func TestMirrorsThatAreNoGood(t *testing.T) {
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	})
	over := make(chan struct{})
	defer close(over)
	deaf := endpoint(t, func(_ int, _ net.Conn, reader *bufio.Reader) {
		head(reader)
		<-over
	})
	broken := endpoint(t, func(_ int, conn net.Conn, _ *bufio.Reader) { say(conn, "nonsense\r\n\r\n") })
	main := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	})
	for name, at := range map[string]string{"dead": refusing, "silent": silent, "deaf": deaf, "broken": broken, "empty": ""} {
		t.Run(name, func(t *testing.T) {
			b := new(table).listener("l", 80, "").backend("main", main)
			if at == "" {
				b.backend("mirror")
			} else {
				b.backend("mirror", at)
			}
			p := start(t, b.route("r", "l", "/", "main").with(func(r *adminv1.Rule) {
				r.Filters = []*adminv1.Filter{mirroring("mirror", 0, 0), mirroring("not-there", 0, 0)}
			}).resources)
			c := client(t)
			const requests, size = 100, 1 << 20
			for range requests {
				request := requestTo(t, "POST", "http://"+address(t, p, 80))
				request.Body, request.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", size))), size
				if response, body := sent(t, c, request); response.StatusCode != 200 || body != fmt.Sprint(size) {
					t.Fatalf("got %d %q", response.StatusCode, body)
				}
			}
			if name == "silent" || name == "deaf" { // Some copies wait for an answer, as long as they may.
				if counts := p.Mirrors(); counts.Sent > 0 {
					t.Errorf("it answers nothing: %+v", counts)
				}
				return
			}
			eventually(t, "all copies are counted, and none was answered", func() bool {
				counts := p.Mirrors()
				return counts.Dropped+counts.Failed == requests && counts.Sent == 0
			})
		})
	}
}

// What waits for a mirror that never answers is bounded, and the rest is dropped.
func TestCopiesUnderWayAreBounded(t *testing.T) {
	silent := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	var got received
	p := start(t, new(table).listener("l", 80, "").backend("main", echo(t, "main")).backend("silent", silent).
		backend("good", serve(t, got.handler("good"))).
		route("r", "l", "/", "main").with(func(r *adminv1.Rule) {
		r.Filters = []*adminv1.Filter{mirroring("silent", 0, 0)}
	}).
		route("s", "l", "/good", "main").with(func(r *adminv1.Rule) { r.Filters = []*adminv1.Filter{mirroring("good", 0, 0)} }).resources)
	c := client(t)
	for range 100 {
		if status, body := get(t, c, address(t, p, 80), "h", "/"); status != 200 || body != "main" {
			t.Fatalf("got %d %q", status, body)
		}
	}
	if counts := p.Mirrors(); counts != (forward.MirrorCounts{Dropped: 36}) {
		t.Errorf("of 100 copies, 64 may be under way: %+v", counts)
	}
	get(t, c, address(t, p, 80), "h", "/good")
	eventually(t, "another mirror is not concerned", func() bool { return got.count("good") == 1 })
}

// A mirror that cannot be reached gets nothing for a while, then it is tried again; one of whose endpoints one is dead gets
// its copies all the same.
func TestDeadMirrorsAreLeftAlone(t *testing.T) {
	socket, err := net.Listen("tcp", "127.77.0.2:0") // Nobody else binds this address while it is closed.
	if err != nil {
		t.Fatal(err)
	}
	at := socket.Addr().String()
	_ = socket.Close()
	var got received
	p := start(t, new(table).listener("l", 80, "").backend("main", echo(t, "main")).backend("mirror", at).
		backend("half", refusing, serve(t, got.handler("half"))).
		route("r", "l", "/", "main").with(func(r *adminv1.Rule) { r.Filters = []*adminv1.Filter{mirroring("mirror", 0, 0)} }).
		route("h", "l", "/half", "main").with(func(r *adminv1.Rule) { r.Filters = []*adminv1.Filter{mirroring("half", 0, 0)} }).resources)
	c := client(t)
	ask := func(path string) {
		t.Helper()
		if status, body := get(t, c, address(t, p, 80), "h", path); status != 200 || body != "main" {
			t.Fatalf("got %d %q", status, body)
		}
	}
	ask("/")
	eventually(t, "the mirror is found dead", func() bool { return p.Mirrors().Failed == 1 })
	eventually(t, "the next copies are dropped", func() bool {
		ask("/")
		return p.Mirrors().Dropped > 0
	})
	eventually(t, "it is tried again", func() bool {
		ask("/")
		return p.Mirrors().Failed > 1
	})
	if socket, err = net.Listen("tcp", at); err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: got.handler("mirror"), ReadHeaderTimeout: patience}
	t.Cleanup(func() { _ = server.Close() })
	go func() { _ = server.Serve(socket) }()
	eventually(t, "it is there again", func() bool {
		ask("/")
		return got.count("mirror") > 0
	})
	before := p.Mirrors()
	for range 10 {
		ask("/half")
	}
	eventually(t, "all copies arrive", func() bool { return got.count("half") == 10 })
	if after := p.Mirrors(); after.Dropped != before.Dropped {
		t.Errorf("%d copies were dropped", after.Dropped-before.Dropped)
	}
}

// A switch of protocols is passed on, and not mirrored.
func TestWebSocketIsNotMirrored(t *testing.T) {
	var got received
	at := endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
		head(reader)
		say(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello\n")
	})
	p := start(t, new(table).listener("l", 80, "").backend("b", at).backend("mirror", serve(t, got.handler("mirror"))).
		route("r", "l", "/", "b").with(func(r *adminv1.Rule) { r.Filters = []*adminv1.Filter{mirroring("mirror", 0, 0)} }).resources)
	_, reader := raw(t, address(t, p, 80), "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if all, err := io.ReadAll(reader); err != nil || !strings.HasSuffix(string(all), "hello\n") {
		t.Errorf("got %q, %v", all, err)
	}
	if counts := p.Mirrors(); counts != (forward.MirrorCounts{}) {
		t.Errorf("counted %+v", counts)
	}
}
