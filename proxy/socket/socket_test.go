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

package socket

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"
)

func listenOn(t *testing.T, address string) net.Listener {
	t.Helper()
	l, err := Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// pair gives both ends of a connection, the accepted one first.
func pair(t *testing.T) (Plain, *net.TCPConn) {
	t.Helper()
	l := listenOn(t, "127.0.0.1:0")
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = accepted.Close(), dialled.Close() })
	return accepted.(Plain), dialled.(*net.TCPConn)
}

func TestPeer(t *testing.T) {
	tests := map[string]struct {
		reason string
		bind   string
		dial   string
	}{
		"IPv4":        {reason: "the usual", bind: "127.0.0.1:0", dial: "127.0.0.1"},
		"IPv6":        {reason: "has another form of address", bind: "[::1]:0", dial: "::1"},
		"both of one": {reason: "a socket for all addresses sees IPv4 clients as IPv6; they are to be named in their own form", bind: ":0", dial: "127.0.0.1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := listenOn(t, test.bind)
			port := l.Addr().(*net.TCPAddr).AddrPort().Port()
			dialled, err := net.Dial("tcp", netip.AddrPortFrom(netip.MustParseAddr(test.dial), port).String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = dialled.Close() }()
			accepted, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = accepted.Close() }()
			got := accepted.RemoteAddr().(*net.TCPAddr).AddrPort()
			got = netip.AddrPortFrom(got.Addr().Unmap(), got.Port())
			if want := dialled.LocalAddr().(*net.TCPAddr).AddrPort(); got != want {
				t.Errorf("the peer is %s, want %s: %s", got, want, test.reason)
			}
		})
	}
}

// Options come from the listening socket: without them small writes wait for acknowledgements, and peers that vanish are
// never noticed.
func TestOptions(t *testing.T) {
	accepted, _ := pair(t)
	raw, err := accepted.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]struct{ level, name int }{
		"TCP_NODELAY":  {syscall.IPPROTO_TCP, syscall.TCP_NODELAY},
		"SO_KEEPALIVE": {syscall.SOL_SOCKET, syscall.SO_KEEPALIVE},
	} {
		value := 0
		if err := raw.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), option.level, option.name) }); err != nil {
			t.Fatal(err)
		}
		if err != nil || value == 0 {
			t.Errorf("%s is %d, %v", name, value, err)
		}
	}
}

// More than both sockets' buffers hold goes through, each way, whoever has to wait.
func TestLargeContent(t *testing.T) {
	accepted, dialled := pair(t)
	content := make([]byte, 16<<20)
	_, _ = rand.Read(content)
	for name, way := range map[string]struct{ from, to net.Conn }{
		"sent":     {accepted, dialled},
		"received": {dialled, accepted},
	} {
		sent := make(chan error, 1)
		go func() {
			n, err := way.from.Write(content)
			if err == nil && n != len(content) {
				err = io.ErrShortWrite
			}
			sent <- err
		}()
		got := make([]byte, len(content))
		if _, err := io.ReadFull(way.to, got); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: %v, equal: %t", name, err, bytes.Equal(got, content))
		}
		if err := <-sent; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEnds(t *testing.T) {
	read := func(c net.Conn) error {
		_, err := c.Read(make([]byte, 1))
		return err
	}
	tests := map[string]struct {
		reason string
		act    func(accepted Plain, dialled *net.TCPConn) error
		right  func(error) bool
	}{
		"deadline": {
			reason: "crypto/tls goes on after an error that is temporary",
			act: func(accepted Plain, _ *net.TCPConn) error {
				_ = accepted.SetReadDeadline(time.Unix(1, 0))
				return read(accepted)
			},
			right: func(err error) bool {
				timeout, ok := err.(net.Error)                        //nolint:errorlint // that is how crypto/tls asks
				return ok && timeout.Timeout() && timeout.Temporary() //nolint:staticcheck // crypto/tls asks it
			},
		},
		"after a deadline": {
			reason: "a connection is of use when its deadline was moved",
			act: func(accepted Plain, dialled *net.TCPConn) error {
				_ = accepted.SetReadDeadline(time.Unix(1, 0))
				_ = read(accepted)
				_ = accepted.SetReadDeadline(time.Time{})
				_, _ = dialled.Write([]byte("x"))
				return read(accepted)
			},
			right: func(err error) bool { return err == nil },
		},
		"closed while it is read": {
			reason: "whoever waits has to wake",
			act: func(accepted Plain, _ *net.TCPConn) error {
				time.AfterFunc(10*time.Millisecond, func() { _ = accepted.Close() })
				return read(accepted)
			},
			right: func(err error) bool { return errors.Is(err, net.ErrClosed) },
		},
		"the peer's end": {
			reason: "readers compare with io.EOF itself",
			act: func(accepted Plain, dialled *net.TCPConn) error {
				_ = dialled.CloseWrite()
				return read(accepted)
			},
			right: func(err error) bool { return err == io.EOF }, //nolint:errorlint // that is how readers ask
		},
		"own end of sending": {
			reason: "the peer sees the end",
			act: func(accepted Plain, dialled *net.TCPConn) error {
				_ = accepted.CloseWrite()
				return read(dialled)
			},
			right: func(err error) bool { return errors.Is(err, io.EOF) },
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			accepted, dialled := pair(t)
			if err := test.act(accepted, dialled); !test.right(err) {
				t.Errorf("%v: %s", err, test.reason)
			}
		})
	}
}

func TestClosedListener(t *testing.T) {
	l := listenOn(t, "127.0.0.1:0")
	time.AfterFunc(10*time.Millisecond, func() { _ = l.Close() })
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept: %v, want that it is closed", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("the socket still listens")
	}
}

// What is sent last arrives whole and is followed by the end, also when the peer has sent what nobody reads.
func TestWriteLast(t *testing.T) {
	accepted, dialled := pair(t)
	if _, err := dialled.Write([]byte("never read")); err != nil {
		t.Fatal(err)
	}
	raw, err := accepted.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Write(func(fd uintptr) bool {
		n, number := WriteLast(fd, []byte("the last"))
		if n != len("the last") || number != 0 {
			t.Errorf("wrote %d: %v", n, number)
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	_ = accepted.CloseWrite() // Where one segment cannot hold both, it is still to be closed.
	if got, err := io.ReadAll(dialled); string(got) != "the last" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}
