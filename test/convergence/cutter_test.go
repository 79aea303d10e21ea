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

package convergence

import (
	"io"
	"net"
	"sync"
	"testing"
)

// cutter is a relay that cuts one connection after an exact number of bytes towards the target, and no other.
type cutter struct {
	listener net.Listener
	target   func() string
	running  sync.WaitGroup

	mu       sync.Mutex
	next     int64
	accepted int
}

func newCutter(t *testing.T, target func() string) *cutter {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: listener, target: target}
	c.running.Go(c.accept)
	t.Cleanup(func() {
		_ = listener.Close()
		c.running.Wait()
	})
	return c
}

func (c *cutter) address() string { return c.listener.Addr().String() }

// cutOnceAt makes the next connection end after that many bytes.
func (c *cutter) cutOnceAt(bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next = bytes
}

// connections counts those that were relayed so far.
func (c *cutter) connections() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accepted
}

func (c *cutter) take() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	bytes := c.next
	c.next = 0
	c.accepted++
	return bytes
}

func (c *cutter) accept() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", c.target())
		if err != nil {
			_ = client.Close()
			continue
		}
		limit := c.take()
		c.running.Go(func() { relayUntil(server, client, limit) })
		c.running.Go(func() { relayUntil(client, server, 0) })
	}
}

// relayUntil copies until the source ends or the limit is reached; 0 is no limit.
func relayUntil(to, from net.Conn, limit int64) {
	source := io.Reader(from)
	if limit > 0 {
		source = io.LimitReader(from, limit)
	}
	_, _ = io.Copy(to, source)
	_ = to.Close()
	_ = from.Close()
}
