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
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/forward"
)

// with changes the rule of the route that was added last.
func (b *table) with(change func(*adminv1.Rule)) *table {
	change(b.resources[len(b.resources)-1].GetRoute().Rules[0])
	return b
}

func setting(pairs ...string) *adminv1.HeaderModifier {
	m := &adminv1.HeaderModifier{}
	for i := 0; i < len(pairs); i += 2 {
		m.Set = append(m.Set, &adminv1.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	return m
}

func adding(pairs ...string) *adminv1.HeaderModifier {
	m := setting(pairs...)
	return &adminv1.HeaderModifier{Add: m.Set}
}

func onRequest(m *adminv1.HeaderModifier) *adminv1.Filter {
	return &adminv1.Filter{Filter: &adminv1.Filter_RequestHeaders{RequestHeaders: m}}
}

func onResponse(m *adminv1.HeaderModifier) *adminv1.Filter {
	return &adminv1.Filter{Filter: &adminv1.Filter_ResponseHeaders{ResponseHeaders: m}}
}

// bothWays calls test with clients and backends of both versions: a client, and how a backend is added to a table.
func bothWays(t *testing.T, test func(t *testing.T, client func(at string) *http.Client, add func(*table, string, http.HandlerFunc) *table)) {
	t.Helper()
	clients := map[string]func(at string) *http.Client{
		"HTTP1": func(string) *http.Client { return client(t) },
		"HTTP2": func(at string) *http.Client {
			transport := secondClient(at, nil)
			t.Cleanup(transport.CloseIdleConnections)
			return &http.Client{Transport: transport, Timeout: patience, CheckRedirect: client(t).CheckRedirect}
		},
	}
	backends := map[string]func(*table, string, http.HandlerFunc) *table{
		"HTTP1": func(b *table, name string, handler http.HandlerFunc) *table {
			return b.backend(name, serve(t, handler))
		},
		"HTTP2": func(b *table, name string, handler http.HandlerFunc) *table {
			return b.second(name, serveSecond(t, handler))
		},
	}
	for from, client := range clients {
		for to, backend := range backends {
			t.Run(from+"To"+to, func(t *testing.T) { test(t, client, backend) })
		}
	}
}

// sent sends a request and gives the response with its content.
func sent(t testing.TB, c *http.Client, request *http.Request) (*http.Response, string) {
	t.Helper()
	response, err := c.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", request.Method, request.URL, err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: read: %v", request.Method, request.URL, err)
	}
	return response, string(body)
}

func requestTo(t testing.TB, method, url string, headers ...string) *http.Request {
	t.Helper()
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	return request
}

func TestHeaderModifiers(t *testing.T) {
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		b := add(new(table).listener("l", 80, ""), "b", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Seen", fmt.Sprint(r.Host, " set=", r.Header["X-Set"], " add=", r.Header["X-Add"],
				" gone=", r.Header["X-Gone"], " for=", r.Header["X-Forwarded-For"], " order=", r.Header["X-Order"]))
			w.Header()["X-Set"], w.Header()["X-Gone"] = []string{"1", "2"}, []string{"1"}
			w.Header()["Set-Cookie"] = []string{"a=1"}
			_, _ = io.Copy(w, r.Body)
		})
		p := start(t, b.route("r", "l", "/", "b").with(func(r *adminv1.Rule) {
			gone := setting("X-Set", "s", "host", "other.example", "X-Forwarded-For", "hidden", "X-Order", "rule")
			gone.Remove = []string{"x-gone"}
			gone.Add = adding("X-Add", "a,b").Add
			back := adding("Set-Cookie", "b=2")
			back.Remove, back.Set = []string{"X-GONE"}, setting("x-set", "s", "X-Order", "rule").Set
			r.Filters = []*adminv1.Filter{onRequest(gone), onResponse(back)}
			r.Backends[0].Filters = []*adminv1.Filter{onRequest(setting("X-Order", "backend")), onResponse(setting("X-Order", "backend", "X-Backend", "b"))}
		}).resources)
		at := address(t, p, 80)
		request := requestTo(t, "POST", "http://"+at+"/", "X-Set", "1", "X-Set", "2", "X-Add", "0", "X-Gone", "1")
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader("content")), 7
		response, body := sent(t, connect(at), request)
		got := []string{
			body, response.Header.Get("Seen"), fmt.Sprint(response.Header["X-Set"], response.Header["X-Gone"], response.Header["Set-Cookie"]),
			fmt.Sprint(response.Header["X-Order"], response.Header["X-Backend"], response.ContentLength),
		}
		want := []string{
			"content", "other.example set=[s] add=[0 a,b] gone=[] for=[hidden] order=[backend]", "[s] [] [a=1 b=2]", "[rule] [b] 7",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("requests pass the rule's filters first, responses last (-want +got):\n%s", diff)
		}
	})
}

// Each share has the filters of its own backend; answers of the proxy itself pass those of the rule.
func TestFiltersOfShares(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Header.Get("Backend")) }
	p := start(t, new(table).listener("l", 80, "").backend("a", serve(t, echo)).backend("b", serve(t, echo)).backend("empty").
		route("r", "l", "/", "a", "b", "empty", "").with(func(r *adminv1.Rule) {
		r.Filters = []*adminv1.Filter{onResponse(setting("X-Rule", "r"))}
		for i, name := range []string{"a", "b", "c", "d"} {
			r.Backends[i].Filters = []*adminv1.Filter{onRequest(setting("Backend", name))}
		}
	}).resources)
	got := map[string]int{}
	c := client(t)
	for range 8 {
		response, body := sent(t, c, requestTo(t, "GET", "http://"+address(t, p, 80)+"/"))
		got[fmt.Sprint(response.StatusCode, strings.TrimSpace(body), response.Header["X-Rule"])]++
	}
	want := map[string]int{"200a[r]": 2, "200b[r]": 2, "503Service Unavailable[r]": 2, "500Internal Server Error[r]": 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A switch of protocols is a response like others.
func TestHeaderModifiersOfWebSockets(t *testing.T) {
	at := serve(t, func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Errorf("hijack: %v", err)
			return
		}
		defer func() { _ = conn.Close() }()
		say(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Gone: 1\r\n\r\n"+r.Header.Get("X-Set")+"\n")
	})
	p := start(t, new(table).listener("l", 80, "").backend("b", at).route("r", "l", "/", "b").with(func(r *adminv1.Rule) {
		r.Filters = []*adminv1.Filter{
			onRequest(setting("X-Set", "set")), onResponse(&adminv1.HeaderModifier{Add: adding("X-Add", "a").Add, Remove: []string{"X-Gone"}}),
		}
	}).resources)
	_, reader := raw(t, address(t, p, 80), "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != 101 || response.Header.Get("X-Add") != "a" || response.Header.Get("X-Gone") != "" ||
		response.Header.Get("Upgrade") != "websocket" {
		t.Fatalf("got %v, %v", response, err)
	}
	if line, err := bufio.NewReader(reader).ReadString('\n'); line != "set\n" {
		t.Errorf("got %q, %v", line, err)
	}
}

// A filter that cannot be applied makes its rule answer 500, and leaves its neighbours alone.
func TestFilterThatIsNotKnown(t *testing.T) {
	at := echo(t, "served")
	p := start(t, new(table).listener("l", 80, "").backend("b", at).
		route("bad", "l", "/bad", "b").with(func(r *adminv1.Rule) { r.Filters = []*adminv1.Filter{{}} }).
		route("good", "l", "/", "b").resources)
	c := client(t)
	for path, want := range map[string]string{"/bad": "500 Internal Server Error\n", "/": "200 served"} {
		status, body := get(t, c, address(t, p, 80), "h", path)
		if got := fmt.Sprint(status, " ", body); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
}

func redirecting(r *adminv1.Redirect) *adminv1.Filter {
	return &adminv1.Filter{Filter: &adminv1.Filter_Redirect{Redirect: r}}
}

func rewriting(r *adminv1.Rewrite) *adminv1.Filter {
	return &adminv1.Filter{Filter: &adminv1.Filter_Rewrite{Rewrite: r}}
}

func full(path string) *adminv1.PathModifier {
	return &adminv1.PathModifier{Modifier: &adminv1.PathModifier_Full{Full: path}}
}

func prefix(path string) *adminv1.PathModifier {
	return &adminv1.PathModifier{Modifier: &adminv1.PathModifier_Prefix{Prefix: path}}
}

func TestRewrites(t *testing.T) {
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		b := add(new(table).listener("l", 80, ""), "b", func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, r.Host+r.RequestURI+" "+r.Header.Get("X-Forwarded-Host"))
		})
		p := start(t, b.
			route("prefix", "l", "/a/b", "b").with(func(r *adminv1.Rule) {
			r.Filters = []*adminv1.Filter{rewriting(&adminv1.Rewrite{Hostname: "other.example", Path: prefix("/x")})}
		}).
			route("full", "l", "/full", "b").with(func(r *adminv1.Rule) {
			r.Backends[0].Filters = []*adminv1.Filter{rewriting(&adminv1.Rewrite{Path: full("/one")})}
		}).resources)
		at := address(t, p, 80)
		c := connect(at)
		for path, want := range map[string]string{
			"/a/b": "other.example/x ", "/%61/b/c%2Fd/%41?q=%zz&/": "other.example/x/c%2Fd/%41?q=%zz&/ ", "/full/y?z": at + "/one?z ",
			// What a rule does not take is none of its business, however it is written.
			"/a%2Fb/c": "404", "/a/b/../c": "400", "/a/b/%2e%2E/c": "400",
		} {
			request := requestTo(t, "GET", "http://"+at)
			request.URL.Opaque = "//" + at + path
			if _, isHTTP2 := c.Transport.(*http.Transport); isHTTP2 {
				request.URL.Opaque = path
			}
			request.Host = at
			response, body := sent(t, c, request)
			if len(want) == 3 {
				body = fmt.Sprint(response.StatusCode)
			} else {
				want += at
			}
			if body != want {
				t.Errorf("%s: got %q, want %q", path, body, want)
			}
		}
	})
}

func TestRedirects(t *testing.T) {
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		b := add(new(table).listener("l", 8080, ""), "b", func(http.ResponseWriter, *http.Request) { t.Error("reached the backend") })
		for _, status := range []uint32{301, 302, 303, 307, 308} {
			b.route(fmt.Sprint(status), "l", fmt.Sprint("/", status), "b").with(func(r *adminv1.Rule) {
				r.Filters = []*adminv1.Filter{onResponse(setting("X-Set", "s")), redirecting(&adminv1.Redirect{Hostname: "a.test", Status: status, Path: prefix("/x")})}
			})
		}
		p := start(t, b.resources)
		at := address(t, p, 8080)
		c := connect(at)
		for _, status := range []int{301, 302, 303, 307, 308} {
			for _, method := range []string{"GET", "HEAD", "POST"} {
				request := requestTo(t, method, fmt.Sprint("http://", at, "/", status, "/y?z"))
				if method == "POST" {
					request.Body, request.ContentLength = io.NopCloser(strings.NewReader("content")), 7
				}
				response, body := sent(t, c, request)
				got := fmt.Sprint(response.StatusCode, response.Header["Location"], response.Header["X-Set"], body)
				if want := fmt.Sprint(status, " [http://a.test:8080/x/y?z] [s]"); got != want {
					t.Errorf("%s: got %s, want %s", method, got, want)
				}
			}
		}
		eventually(t, "each is counted as answered by a filter", func() bool { return counts(p, forward.ReasonFilter) == 15 })
	})
}
