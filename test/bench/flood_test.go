//go:build linux

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

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// What is flooded is a real socket: connections are held to their number, and begin as they are to.
func TestCrowd(t *testing.T) {
	accepting, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = accepting.Close() }()
	c := &crowd{address: accepting.Addr().String(), says: halfHello, held: 2}
	var peers []net.Conn
	for range 3 {
		if err := c.replace(); err != nil {
			t.Fatal(err)
		}
		peer, err := accepting.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		peers = append(peers, peer)
	}
	if len(c.conns) != 2 {
		t.Errorf("%d connections are held, want 2", len(c.conns))
	}
	if said, err := io.ReadAll(peers[0]); err != nil || string(said) != halfHello {
		t.Errorf("the oldest said %q and then %v, and is to be closed after half a hello", said, err)
	}
	if said, err := bufio.NewReader(peers[2]).Peek(len(halfHello)); err != nil || string(said) != halfHello {
		t.Errorf("the newest says %q, %v", said, err)
	}
	for _, conn := range c.conns {
		_ = conn.Close()
	}
}

func TestDatagramsFromElsewhere(t *testing.T) {
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	sources := map[string]bool{}
	for range 20 {
		if err := fromElsewhere(conn.LocalAddr().(*net.UDPAddr).Port); err != nil {
			t.Fatal(err)
		}
		_, from, err := conn.ReadFromUDP(make([]byte, 1<<10))
		if err != nil {
			t.Fatal(err)
		}
		sources[fmt.Sprint(from)] = true
	}
	if len(sources) < 15 {
		t.Errorf("20 datagrams are of %d sources", len(sources))
	}
}

func TestFloodOfNoKind(t *testing.T) {
	if err := floodMain([]string{"-kind=none"}, io.Discard); err == nil || !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("got %v", err)
	}
}
