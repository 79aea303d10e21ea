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
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/forward"
	"github.com/rauta-dev/rauta/proxy/http1"
	"github.com/rauta-dev/rauta/proxy/http2"
	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// tunnelTime is what rules give WebSockets for their switch; they are looked at again when it is over.
const tunnelTime = 4 * time.Second

// dressing is what a rule has for a WebSocket to pass, of which each combination is one number.
var dressing = []struct {
	name string
	onto func(rule *adminv1.Rule, add func(...*adminv1.Filter))
}{
	{"CORS", func(_ *adminv1.Rule, add func(...*adminv1.Filter)) {
		add(&adminv1.Filter{Filter: &adminv1.Filter_Cors{Cors: &adminv1.Cors{AllowOrigins: []string{"https://o.test"}, MaxAge: 5}}})
	}},
	{"mirror", func(_ *adminv1.Rule, add func(...*adminv1.Filter)) {
		add(mirroring("first", 0, 0), mirroring("second", 1, 2))
	}},
	{"rewrite", func(_ *adminv1.Rule, add func(...*adminv1.Filter)) {
		add(rewriting(&adminv1.Rewrite{Hostname: "inner.test", Path: prefix("/inner")}))
	}},
	{"request headers", func(_ *adminv1.Rule, add func(...*adminv1.Filter)) {
		m := setting("X-Set", "s")
		m.Remove = []string{"X-Gone"}
		add(onRequest(m))
	}},
	{"response headers", func(_ *adminv1.Rule, add func(...*adminv1.Filter)) {
		m := setting("X-Set", "s")
		m.Remove = []string{"X-Gone"}
		add(onResponse(m))
	}},
	{"retry", func(rule *adminv1.Rule, _ func(...*adminv1.Filter)) { retrying(3, 503)(rule) }},
	{"timeouts", func(rule *adminv1.Rule, _ func(...*adminv1.Filter)) { timeouts(tunnelTime, tunnelTime)(rule) }},
	// Filters may stand on the backend as well as on the rule.
	{"on the backend", func(rule *adminv1.Rule, _ func(...*adminv1.Filter)) {
		rule.Backends[0].Filters, rule.Filters = rule.Filters, nil
	}},
}

// worn says whether a combination has a piece.
func worn(combination int, name string) bool {
	for i := range dressing {
		if dressing[i].name == name {
			return combination>>i&1 == 1
		}
	}
	panic(name)
}

func dressed(combination int) func(*adminv1.Rule) {
	return func(rule *adminv1.Rule) {
		for i, piece := range dressing {
			if combination>>i&1 == 1 {
				piece.onto(rule, func(filters ...*adminv1.Filter) { rule.Filters = append(rule.Filters, filters...) })
			}
		}
	}
}

// echoing accepts every switch to a WebSocket, says what it saw of it, and gives back what comes.
type echoing struct{ asked *atomic.Int32 }

func (e echoing) Handle(_ context.Context, request *message.Request, reply message.Reply) {
	e.asked.Add(1)
	if request.Upgrade != "websocket" {
		_ = reply.Respond(&message.Response{Status: 400})
		return
	}
	saw := fmt.Sprint(request.Authority, request.Target(), " ", valueOf(&request.Fields, "X-Set"), valueOf(&request.Fields, "X-Gone"))
	response := &message.Response{Status: 101}
	for _, field := range [][2]string{{"Connection", "Upgrade"}, {"Upgrade", "websocket"}, {"X-Gone", "endpoint"}, {"X-Saw", saw}} {
		response.Fields.Add(field[0], field[1])
	}
	tunnel, err := reply.Upgrade(response)
	if err != nil {
		return
	}
	_, _ = io.Copy(tunnel, tunnel)
	_ = tunnel.Close()
}

func valueOf(fields *message.Fields, name string) string {
	value, _ := fields.Get(name)
	return strings.Clone(value)
}

// serveWith serves connections by a codec's server.
func serveWith(t testing.TB, serve func(net.Conn, message.Arrival), end func()) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { serve(conn, message.From(conn)) })
		}
	})
	t.Cleanup(func() {
		_ = socket.Close()
		end()
		serving.Wait()
	})
	return socket.Addr().String()
}

// switched is a WebSocket that was switched to, and what was said about it.
type switched struct {
	way         string
	combination int
	response    *message.Response
	// late is how often the time for the switch was over before it came, on a machine that is slow.
	late int
}

// echoes has the tunnel give back a word.
func (s *switched) echoes() error {
	word := fmt.Sprintf("%s %d", s.way, s.combination)
	if _, err := io.WriteString(s.response.Tunnel, word); err != nil {
		return err
	}
	got := make([]byte, len(word))
	if _, err := io.ReadFull(s.response.Tunnel, got); err != nil || string(got) != word {
		return fmt.Errorf("got %q: %w", got, err)
	}
	return nil
}

// switchTo asks for a WebSocket through the rule of a combination, and checks what both ends see of it.
func switchTo(t *testing.T, by upstream.Transport, way string, combination int) *switched {
	t.Helper()
	request := &message.Request{
		Method: "GET", Scheme: "http", Authority: "a.test", Path: fmt.Sprintf("/%d/chat", combination), Query: "?room=1", Upgrade: "websocket",
	}
	for _, field := range [][2]string{
		{"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}, {"Sec-WebSocket-Version", "13"}, {"Origin", "https://o.test"}, {"X-Gone", "client"},
	} {
		request.Fields.Add(field[0], field[1])
	}
	response, err := by.RoundTrip(t.Context(), request, nil)
	late := 0
	for ; err == nil && response.Status == 504 && worn(combination, "timeouts") && late < 100; late++ {
		response.Close()
		response, err = by.RoundTrip(t.Context(), request, nil)
	}
	if err != nil || response.Status != 101 || response.Tunnel == nil {
		t.Fatalf("%s, combination %08b: got %+v, %v", way, combination, response, err)
	}
	want := map[string]string{"X-Saw": fmt.Sprintf("a.test/%d/chat?room=1 client", combination), "X-Gone": "endpoint"}
	if worn(combination, "rewrite") {
		want["X-Saw"] = "inner.test/inner/chat?room=1 client"
	}
	if worn(combination, "request headers") {
		want["X-Saw"] = strings.TrimSuffix(want["X-Saw"], "client") + "s"
	}
	if worn(combination, "response headers") {
		delete(want, "X-Gone")
		want["X-Set"] = "s"
	}
	if worn(combination, "CORS") {
		want["Access-Control-Allow-Origin"] = "https://o.test"
	}
	got := map[string]string{}
	for _, name := range []string{"X-Saw", "X-Gone", "X-Set", "Access-Control-Allow-Origin"} {
		if value, there := response.Fields.Get(name); there {
			got[name] = strings.Clone(value)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s, combination %08b (-want +got):\n%s", way, combination, diff)
	}
	return &switched{way: way, combination: combination, response: response, late: late}
}

// A WebSocket passes every combination of what allows one, between clients and endpoints of both versions (RFC 9110 section
// 7.8, RFC 8441): what filters do to its heads is seen, it is never mirrored or sent twice, and no time of a response is its.
func TestWebSocketThroughAllFilters(t *testing.T) {
	var asked atomic.Int32
	first := http1.NewServer(http1.ServerOptions{Handler: echoing{&asked}})
	second := http2.NewServer(http2.ServerOptions{Handler: echoing{&asked}})
	endpoints := map[string]string{"first": serveWith(t, first.ServeConn, first.Close), "second": serveWith(t, second.ServeConn, second.Close)}
	var open, lasting []*switched
	for version, at := range endpoints {
		b := new(table).listener("l", 80, "").backend("first", endpoints["first"]).second("second", endpoints["second"])
		for combination := range 1 << len(dressing) {
			b.route(fmt.Sprint(combination), "l", fmt.Sprint("/", combination), version).with(dressed(combination))
		}
		p := start(t, b.resources)
		to := netip.MustParseAddrPort(address(t, p, 80))
		for by, client := range map[string]upstream.Transport{
			"first": http1.NewClient(http1.ClientOptions{Endpoint: to}), "second": http2.NewClient(http2.ClientOptions{Endpoint: to}),
		} {
			t.Cleanup(client.Close)
			asked.Store(0)
			least, most := int32(1)<<len(dressing), int32(1)<<len(dressing)
			for combination := range 1 << len(dressing) {
				s := switchTo(t, client, by+" to "+version, combination)
				if err := s.echoes(); err != nil {
					t.Errorf("%s, combination %08b: %v", s.way, combination, err)
				}
				most += int32(s.late)
				if open = append(open, s); worn(combination, "timeouts") {
					lasting = append(lasting, s)
				}
			}
			if got := asked.Load(); got < least || got > most {
				t.Errorf("%s to %s: %s was asked %d times", by, version, at, got)
			}
		}
		if counts := p.Mirrors(); counts != (forward.MirrorCounts{}) {
			t.Errorf("a switch of protocols was mirrored: %+v", counts)
		}
	}
	time.Sleep(tunnelTime) // The last of them was switched to before.
	for _, s := range lasting {
		if err := s.echoes(); err != nil {
			t.Errorf("%s, combination %08b, after its time: %v", s.way, s.combination, err)
		}
	}
	for _, s := range open {
		_ = s.response.Tunnel.Close()
		s.response.Close()
	}
}

// A switch that breaks off is not sent again, whatever the rule's retries are.
func TestWebSocketIsNotSentTwice(t *testing.T) {
	var asked atomic.Int32
	at := endpoint(t, func(_ int, _ net.Conn, reader *bufio.Reader) {
		asked.Add(1)
		head(reader)
	})
	p := start(t, new(table).listener("l", 80, "").backend("b", at).route("r", "l", "/", "b").with(retrying(3, 503)).resources)
	_, reader := raw(t, address(t, p, 80), "GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if response, err := http.ReadResponse(reader, nil); err != nil || response.StatusCode != 502 || asked.Load() != 1 {
		t.Errorf("got %v, %v after %d attempts", response, err, asked.Load())
	}
}

// Until the switch there is a response to wait for, which has its time.
func TestWebSocketThatIsNotAnswered(t *testing.T) {
	over := make(chan struct{})
	wait := waiting{over}
	first := http1.NewServer(http1.ServerOptions{Handler: wait})
	second := http2.NewServer(http2.ServerOptions{Handler: wait})
	p := start(t, new(table).listener("l", 80, "").backend("first", serveWith(t, first.ServeConn, first.Close)).
		second("second", serveWith(t, second.ServeConn, second.Close)).
		route("first", "l", "/first", "first").with(timeouts(soon, 0)).route("second", "l", "/second", "second").with(timeouts(time.Hour, soon)).resources)
	t.Cleanup(func() { close(over) }) // Before the servers wait for their handlers.
	to := netip.MustParseAddrPort(address(t, p, 80))
	for by, client := range map[string]upstream.Transport{
		"first": http1.NewClient(http1.ClientOptions{Endpoint: to}), "second": http2.NewClient(http2.ClientOptions{Endpoint: to}),
	} {
		t.Cleanup(client.Close)
		for _, version := range []string{"first", "second"} {
			request := &message.Request{Method: "GET", Scheme: "http", Authority: "a.test", Path: "/" + version, Upgrade: "websocket"}
			response, err := client.RoundTrip(t.Context(), request, nil)
			if err != nil || response.Status != 504 {
				t.Errorf("%s to %s: got %+v, %v", by, version, response, err)
				continue
			}
			response.Close()
		}
	}
}

// waiting never answers.
type waiting struct{ over chan struct{} }

func (w waiting) Handle(ctx context.Context, _ *message.Request, _ message.Reply) {
	select {
	case <-w.over:
	case <-ctx.Done():
	}
}
