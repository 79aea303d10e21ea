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
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/http2"
	"github.com/rauta-dev/rauta/proxy/message"
)

// second adds a backend whose endpoints speak HTTP/2 without TLS.
func (b *table) second(name string, ready ...string) *table {
	b.backend(name, ready...)
	b.resources[len(b.resources)-1].GetBackend().Protocol = adminv1.BackendProtocol_BACKEND_PROTOCOL_H2C
	return b
}

// serveSecond is a backend with HTTP/2 and prior knowledge.
func serveSecond(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func behindSecond(t testing.TB, at ...string) (*Proxy, string) {
	t.Helper()
	p := start(t, new(table).listener("l", 80, "").second("b", at...).route("r", "l", "/", "b=1").resources)
	return p, address(t, p, 80)
}

// Requests of both versions reach a backend with HTTP/2, with content and trailers in both directions.
func TestH2CBackend(t *testing.T) {
	_, at := behindSecond(t, serveSecond(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Grpc-Status")
		w.Header().Set("X-Proto", r.Proto+" "+r.Host)
		_ = http.NewResponseController(w).Flush() // So that it has no length, and may have trailers with HTTP/1.1.
		_, _ = io.Copy(w, r.Body)
		w.Header().Set("Grpc-Status", r.Trailer.Get("Grpc-Status")+"!")
	}))
	first := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", at)
	}}
	for name, client := range map[string]*http.Transport{"HTTP/1.1": first, "HTTP/2": secondClient(at, nil)} {
		t.Cleanup(client.CloseIdleConnections)
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				content := strings.Repeat(fmt.Sprint(i, " "), 1+i*i*50)
				var body io.Reader = strings.NewReader(content)
				if i%2 == 0 {
					body = io.MultiReader(body)
				}
				request, _ := http.NewRequest(http.MethodPost, "http://a.test/", body)
				if i%2 == 0 {
					request.Trailer = http.Header{"Grpc-Status": {fmt.Sprint(i)}}
				}
				response, err := client.RoundTrip(request)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				got, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				want := "!"
				if i%2 == 0 {
					want = fmt.Sprint(i, "!")
				}
				if string(got) != content || err != nil || response.Trailer.Get("Grpc-Status") != want ||
					response.Header.Get("X-Proto") != "HTTP/2.0 a.test" {
					t.Errorf("%s: %d: got %d of %d bytes, %v, %v, %v", name, i, len(got), len(content), err, response.Header, response.Trailer)
				}
			})
		}
		all.Wait()
	}
}

// gRPC: unary calls, statuses without a message, and streams that outlive many of them.
func TestGRPC(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, healths := grpc.NewServer(), health.NewServer()
	healthv1.RegisterHealthServer(server, healths)
	healths.SetServingStatus("a", healthv1.HealthCheckResponse_SERVING)
	go func() { _ = server.Serve(socket) }()
	t.Cleanup(server.Stop)
	_, at := behindSecond(t, socket.Addr().String())
	conn, err := grpc.NewClient(at, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	client := healthv1.NewHealthClient(conn)
	watch, err := client.Watch(ctx, &healthv1.HealthCheckRequest{Service: "a"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []healthv1.HealthCheckResponse_ServingStatus{1, 2, 1} {
		healths.SetServingStatus("a", want)
		update, err := watch.Recv()
		if err != nil || update.GetStatus() != want {
			t.Fatalf("the stream gave %v, %v, want %v", update, err, want)
		}
		for range 20 {
			answer, err := client.Check(ctx, &healthv1.HealthCheckRequest{Service: "a"})
			if err != nil || answer.GetStatus() != want {
				t.Fatalf("got %v, %v, want %v", answer, err, want)
			}
		}
	}
	_, err = client.Check(ctx, &healthv1.HealthCheckRequest{Service: "unknown"})
	if status.Code(err) != codes.NotFound {
		t.Errorf("a status without a message: got %v", err)
	}
}

// An endpoint that leaves and comes back costs no request: those that it has not processed are sent again.
func TestH2CEndpointThatLeaves(t *testing.T) {
	var served atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if served.Add(1)%20 == 0 {
			w.Header().Set("Connection", "close") // With HTTP/2: GOAWAY.
		}
		_, _ = io.WriteString(w, "b")
	}))
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	_, at := behindSecond(t, server.Listener.Addr().String())
	client := secondClient(at, nil)
	t.Cleanup(client.CloseIdleConnections)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				request, _ := http.NewRequest(http.MethodGet, "http://a.test/", nil)
				response, err := client.RoundTrip(request)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if response.StatusCode != 200 {
					t.Errorf("got %d", response.StatusCode)
				}
			}
		})
	}
	all.Wait()
}

// RFC 8441: a WebSocket of a client with HTTP/1.1 reaches a backend with HTTP/2.
func TestWebSocketToH2C(t *testing.T) {
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	backend := http2.NewServer(http2.ServerOptions{Handler: chatter{}})
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { backend.ServeConn(conn, message.From(conn)) })
		}
	})
	t.Cleanup(func() {
		_ = socket.Close()
		backend.Close()
		serving.Wait()
	})
	_, at := behindSecond(t, netip.MustParseAddrPort(socket.Addr().String()).String())
	conn, reader := raw(t, at, "GET /chat HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != 101 || response.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("got %v, %v", response, err)
	}
	say(conn, "ping\n")
	if got, err := bufio.NewReader(reader).ReadString('\n'); got != "ping\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

// chatter gives back what comes through a tunnel.
type chatter struct{}

func (chatter) Handle(_ context.Context, request *message.Request, reply message.Reply) {
	if request.Upgrade != "websocket" || request.Path != "/chat" {
		_ = reply.Respond(&message.Response{Status: 400})
		return
	}
	tunnel, err := reply.Upgrade(&message.Response{Status: 101})
	if err != nil {
		return
	}
	_, _ = io.Copy(tunnel, tunnel)
	_ = tunnel.Close()
}
