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
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/testca"
)

// A tunnel over HTTP/2 (RFC 8441) that either side breaks off ends on the other, and the streams beside it go on.
func TestTunnelsOverHTTP2ThatBreakOff(t *testing.T) {
	ca := testca.New(t)
	leavesNothing(t, func(t *testing.T) {
		ended := make(chan struct{}, 1)
		at := mirror(t, func(conn net.Conn, request *http.Request, _ string) bool {
			say(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfrom endpoint")
			switch ordered(request.URL.Path).kind {
			case "endpoint":
				abort(conn)
			case "client":
				_, _ = io.Copy(io.Discard, conn)
				ended <- struct{}{}
			default:
				_, _ = io.Copy(io.Discard, conn)
			}
			return false
		})
		n := found(t, ca, map[string]string{"first": at}, nil)
		n.settle("first")
		strange := int64(0)
		for _, w := range n.ways()[2:] {
			conn := dial(t, w.at, w.trusted, w.protocol)
			say(conn, opened().text())
			c := newCollector(conn)
			for id, i := uint32(1), 0; i < 40; id, i = id+4, i+1 {
				kind := []string{"endpoint", "client", "endpoint", "reset"}[i%4]
				s := newScript().head(id, false, ":method", "CONNECT", ":protocol", "websocket", ":scheme", "http",
					":path", order{"first", kind, i, 0}.path(), ":authority", "a.test")
				for range i % 4 {
					s.data(id, false, "from client")
				}
				switch kind {
				case "reset":
					s.reset(id, http2.ErrCodeCancel) // It may come before the endpoint has been asked.
				case "client":
					s.data(id, true, "")
				}
				path := fmt.Sprintf("/first/mine/%d", i)
				say(conn, s.asks(id+2, "POST", path, false).data(id+2, true, "own").text())
				strange += 2
				if err := c.collect(id + 2); err != nil {
					t.Fatalf("%s: %v", w.name, err)
				}
				if s := c.of(id + 2); s.status != "200" || s.content != path+"|own" {
					t.Fatalf("%s: a neighbour got %+v", w.name, s)
				}
				if kind == "client" {
					<-ended
				}
				if kind == "endpoint" {
					if err := c.collect(id); err != nil {
						t.Fatalf("%s: the tunnel does not end: %v", w.name, err)
					}
				}
			}
			_ = conn.Close()
		}
		n.leave(strange)
	})
}
