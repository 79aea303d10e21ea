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
	"bytes"
	"net"
	"syscall"
	"testing"
	"time"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// answering is an endpoint that costs as little as it can: it answers each head that it reads.
func answering(t testing.TB, answer string) string {
	t.Helper()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	go func() {
		for {
			conn, err := socket.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				buffer, answer := make([]byte, 16<<10), []byte(answer)
				for filled := 0; ; {
					n, err := conn.Read(buffer[filled:])
					if err != nil {
						return
					}
					if filled += n; !bytes.HasSuffix(buffer[:filled], []byte("\r\n\r\n")) {
						continue
					}
					filled = 0
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return socket.Addr().String()
}

const smallAnswer = "HTTP/1.1 200 OK\r\nDate: Mon, 02 Jan 2006 15:04:05 GMT\r\nContent-Type: text/plain\r\nContent-Length: 70\r\n\r\n" +
	"0123456789012345678901234567890123456789012345678901234567890123456789"

// One request after the other over one connection, through listen, http1, route, forward, upstream and http1 again; all
// that is allocated between them counts, the endpoint's and the client's share is nothing.
func BenchmarkKeepAliveGet(b *testing.B) {
	benchmarkGet(b, start(b, new(table).listener("listener/http", 80, "").
		backend("b", answering(b, smallAnswer)).route("r", "listener/http", "/", "b").resources))
}

// What copies of all requests cost the process, which is client, proxy and endpoints at once: compare the CPU of each with that
// of none.
func BenchmarkMirror(b *testing.B) {
	over := make(chan struct{})
	defer close(over)
	silent := endpoint(b, func(_ int, _ net.Conn, reader *bufio.Reader) {
		head(reader)
		<-over
	})
	for _, mirror := range []struct{ name, at string }{{"none", ""}, {"good", answering(b, smallAnswer)}, {"silent", silent}, {"dead", refusing}} {
		b.Run(mirror.name, func(b *testing.B) {
			t := new(table).listener("listener/http", 80, "").backend("b", answering(b, smallAnswer))
			if mirror.at != "" {
				t.backend("mirror", mirror.at)
			}
			t.route("r", "listener/http", "/", "b")
			if mirror.at != "" {
				t.with(func(r *adminv1.Rule) { r.Filters = []*adminv1.Filter{mirroring("mirror", 0, 0)} })
			}
			benchmarkGet(b, start(b, t.resources))
		})
	}
}

func benchmarkGet(b *testing.B, p *Proxy) {
	conn, err := net.Dial("tcp", address(b, p, 80))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	request := []byte("GET /path?query HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: benchmark\r\nAccept: */*\r\n\r\n")
	answer := make([]byte, 16<<10)
	round := func() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		for filled := 0; !bytes.HasSuffix(answer[:filled], []byte("456789")); {
			n, err := conn.Read(answer[filled:])
			if err != nil {
				b.Fatalf("%q: %v", answer[:filled], err)
			}
			filled += n
		}
	}
	for range 100 {
		round()
	}
	b.ReportAllocs()
	b.ResetTimer()
	began := cpuTime(b)
	for range b.N {
		round()
	}
	b.ReportMetric(float64(cpuTime(b)-began)/float64(b.N), "cpu-ns/op")
}

// cpuTime is what the process has used of the processors.
func cpuTime(t testing.TB) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
