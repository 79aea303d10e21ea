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

package listen

import (
	"errors"
	"net"
	"sync"

	"github.com/rauta-dev/rauta/proxy/socket"
)

// limited is a socket that gives connections only as long as there are free places, and files. Each connection holds one until it
// is closed. A place is taken after a connection has come, so that ports without clients hold none; the one that waits
// for a place is the only one that left the kernel's queue.
type limited struct {
	net.Listener
	share, files *share
	closed       chan struct{}
	once         sync.Once
}

func newLimited(socket net.Listener, all, files *places) *limited {
	return &limited{Listener: socket, share: all.join(), files: files.join(), closed: make(chan struct{})}
}

// Accept waits for a connection, then for a place.
func (l *limited) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	plain, ok := conn.(socket.Plain)
	if !ok {
		_ = conn.Close()
		return nil, errForeign
	}
	for !takeBoth(l.share, l.files) {
		select {
		case <-l.share.freed:
		case <-l.files.freed:
		case <-l.closed:
			_ = conn.Close()
			return nil, net.ErrClosed
		}
	}
	return &counted{Plain: plain, share: l.share, files: l.files}, nil
}

// Close closes the socket and wakes Accept. It may be called more than once.
func (l *limited) Close() error {
	var err error
	l.once.Do(func() {
		close(l.closed)
		l.share.leave()
		l.files.leave()
		err = l.Listener.Close()
	})
	return err
}

var errForeign = errors.New("the listener gives connections that are not plain")

// counted gives its place back when it is closed.
type counted struct {
	socket.Plain
	share, files *share

	mu     sync.Mutex
	closed bool
	// second is true when it has another file, which is that of a connection to an endpoint.
	second bool
}

// another takes one more file; false when there is none, or the connection is closed.
func (c *counted) another() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.second = !c.closed && (c.second || c.files.take())
	return c.second
}

// Close closes the connection.
func (c *counted) Close() error {
	c.free()
	return c.Plain.Close()
}

func (c *counted) free() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	c.share.give()
	c.files.give()
	if c.second {
		c.files.give()
	}
}
