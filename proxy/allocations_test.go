//go:build !race

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

// With the race detector, pools lose things on purpose.

package proxy

import (
	"bufio"
	"net"
	"testing"
)

// The steady state allocates nothing; a collection may empty the pools in between, which is what the margin is for.
func TestKeepAliveGetAllocatesNothing(t *testing.T) {
	p := start(t, new(table).listener("listener/http", 80, "").
		backend("b", answering(t, smallAnswer)).route("r", "listener/http", "/", "b").resources)
	conn, err := net.Dial("tcp", address(t, p, 80))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	request := []byte("GET /path?query HTTP/1.1\r\nHost: shop.example.com\r\nUser-Agent: test\r\n\r\n")
	reader := bufio.NewReader(conn)
	round := func() {
		if _, err := conn.Write(request); err != nil {
			t.Fatal(err)
		}
		for {
			line, err := reader.ReadSlice('\n')
			if err != nil {
				t.Fatal(err)
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := reader.Discard(70); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		round()
	}
	if allocations := testing.AllocsPerRun(2000, round); allocations >= 1 {
		t.Errorf("%v allocations per request", allocations)
	}
}
