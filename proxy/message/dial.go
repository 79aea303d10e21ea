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

package message

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// Dial connects a client to its endpoint, over TLS unless secured is nil. What goes wrong is a *ConnectError; connecting and
// the handshake have the timeout together.
func Dial(ctx context.Context, host string, secured *tls.Config, timeout time.Duration) (net.Conn, error) {
	return DialWith(ctx, host, secured, timeout, nil)
}

// DialWith does what Dial does, and sends something before all else, TLS included.
func DialWith(ctx context.Context, host string, secured *tls.Config, timeout time.Duration, opening []byte) (net.Conn, error) {
	by := time.Now().Add(timeout)
	dialer := net.Dialer{Deadline: by, KeepAlive: 30 * time.Second}
	conn, err := dialer.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, &ConnectError{Timeout: IsTimeout(err), Err: err}
	}
	if len(opening) > 0 {
		_ = conn.SetWriteDeadline(by)
		if _, err := conn.Write(opening); err != nil {
			_ = conn.Close()
			return nil, &ConnectError{Timeout: IsTimeout(err), Err: err}
		}
		_ = conn.SetWriteDeadline(time.Time{})
	}
	if secured == nil {
		return conn, nil
	}
	if plain, ok := conn.(*net.TCPConn); ok {
		conn = &underTLS{plain}
	}
	over := &secureConn{Conn: tls.Client(conn, secured)}
	limited, cancel := context.WithDeadline(ctx, by)
	defer cancel()
	if err := over.HandshakeContext(limited); err != nil {
		_ = conn.Close()
		return nil, &ConnectError{TLS: true, Timeout: IsTimeout(err), Err: err}
	}
	return over, nil
}

// underTLS is a socket below TLS, of which an end that TLS has not announced is an error. crypto/tls lets it pass between two
// records; RFC 9112 section 9.8 has it that a response which only the connection's end delimits is then not whole: anybody
// on the way could have cut it.
type underTLS struct{ *net.TCPConn }

var errIncompleteClose = errors.New("the connection ended without saying so")

func (u *underTLS) Read(p []byte) (int, error) {
	n, err := u.TCPConn.Read(p)
	if errors.Is(err, io.EOF) {
		err = errIncompleteClose
	}
	return n, err
}

// secureConn is a connection over TLS whose closing waits for nobody.
type secureConn struct {
	*tls.Conn
	closed atomic.Bool
}

// Close closes the connection. The alert that says so (RFC 8446 section 6.1) is given five seconds by crypto/tls, which would
// hold up whoever closes connections under a lock, when the endpoint does not read.
func (c *secureConn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	_ = c.SetReadDeadline(time.Unix(1, 0)) // Whoever reads stops at once.
	go func() { _ = c.Conn.Close() }()
	return nil
}
