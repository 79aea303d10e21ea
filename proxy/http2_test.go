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
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/rauta-dev/rauta/proxy/testca"
)

// secondClient speaks HTTP/2: by prior knowledge, or where trusted is set by ALPN.
func secondClient(at string, trusted *x509.CertPool) *http.Transport {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", at)
	}
	client := &http.Transport{
		DialContext: dial, Protocols: new(http.Protocols), TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "a.test"},
	}
	client.Protocols.SetUnencryptedHTTP2(trusted == nil)
	client.Protocols.SetHTTP2(trusted != nil)
	return client
}

// Both ways to HTTP/2 carry requests, content and trailers in both directions, and responses that are ready together.
func TestHTTP2(t *testing.T) {
	at := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "Grpc-Status")
		w.Header().Set("X-Proto", r.Proto+" "+r.Header.Get("X-Forwarded-Proto"))
		content, _ := io.ReadAll(r.Body)
		_, _ = w.Write(content)
		w.Header().Set("Grpc-Status", r.Trailer.Get("Grpc-Status")+"!")
	}))
	ca := testca.New(t)
	p := start(t, new(table).certificate(t, ca, "c", "a.test").secured("s", 443, "", "c").listener("l", 80, "").
		backend("b", at).route("rs", "s", "/", "b=1").route("rl", "l", "/", "b=1").resources)
	for scheme, client := range map[string]*http.Transport{
		"http": secondClient(address(t, p, 80), nil), "https": secondClient(address(t, p, 443), roots(ca)),
	} {
		t.Cleanup(client.CloseIdleConnections)
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				content := strings.Repeat(fmt.Sprint(i, " "), 1+i*i*20)
				request, _ := http.NewRequest(http.MethodPost, scheme+"://a.test/", io.MultiReader(strings.NewReader(content)))
				request.Trailer = http.Header{"Grpc-Status": {fmt.Sprint(i)}}
				response, err := client.RoundTrip(request)
				if err != nil {
					t.Errorf("%s: %v", scheme, err)
					return
				}
				got, err := io.ReadAll(response.Body)
				_ = response.Body.Close()
				// One trailer of the client goes to the endpoint, and comes back.
				if string(got) != content || err != nil || response.Trailer.Get("Grpc-Status") != fmt.Sprint(i, "!") ||
					!strings.HasSuffix(response.Header.Get("X-Proto"), scheme) {
					t.Errorf("%s: %d: got %d of %d bytes, %v, %v, %v", scheme, i, len(got), len(content), err, response.Header, response.Trailer)
				}
			})
		}
		all.Wait()
	}
}

// A client that has HTTP/2 and a drain: no request fails, and the connection is told to go.
func TestHTTP2Drain(t *testing.T) {
	ca := testca.New(t)
	p := start(t, new(table).certificate(t, ca, "c", "a.test").secured("s", 443, "", "c").
		backend("b", echo(t, "b")).route("r", "s", "/", "b=1").resources)
	client := secondClient(address(t, p, 443), roots(ca))
	var failed, served atomic.Int64
	stop := make(chan struct{})
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				request, _ := http.NewRequest(http.MethodGet, "https://a.test/", nil)
				response, err := client.RoundTrip(request)
				if err != nil {
					failed.Add(1)
					return
				}
				_, _ = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				served.Add(1)
			}
		})
	}
	for served.Load() < 100 && failed.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	p.sockets.Drain()
	before := served.Load()
	for served.Load() < before+200 && failed.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	close(stop)
	all.Wait()
	client.CloseIdleConnections()
	if failed.Load() > 0 {
		t.Errorf("%d requests failed of %d", failed.Load(), served.Load())
	}
}

// RFC 8441: a WebSocket of a client with HTTP/2 reaches a backend that speaks HTTP/1.1.
func TestWebSocketOverHTTP2(t *testing.T) {
	at := endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
		request, err := http.ReadRequest(reader)
		if err != nil {
			return
		}
		if request.Method != "GET" || request.Header.Get("Upgrade") != "websocket" || len(request.Header.Get("Sec-WebSocket-Key")) != 24 {
			say(conn, answer(400, "no handshake"))
			return
		}
		say(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")
		_, _ = io.Copy(conn, reader)
	})
	_, to := behind(t, at)
	conn, err := net.Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	_, _ = io.WriteString(conn, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = framer.WriteSettings()
	var block strings.Builder
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{
		{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/"}, {":authority", "a.test"},
	} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(block.String()), EndHeaders: true})
	_ = framer.WriteData(1, false, []byte("through"))
	got := ""
	for got != "through" {
		frame, err := framer.ReadFrame()
		if err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			if f.PseudoValue("status") != "200" {
				t.Fatalf("got %v", f.Fields)
			}
		case *http2.DataFrame:
			got += string(f.Data())
		}
	}
}
