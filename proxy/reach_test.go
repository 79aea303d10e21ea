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
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/forward"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// probing has endpoints probed as soon as a test needs it, and what is found logged.
func probing(j *logged) func(*Config) {
	return func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(j, nil))
		c.ProbePause = 50 * time.Millisecond
	}
}

// odd is a backend of two endpoints over TLS, of which one has the wrong certificate until it is mended.
type odd struct {
	address            string
	shown              atomic.Pointer[tls.Certificate]
	good               tls.Certificate
	handshakes, served atomic.Int64
	ask                func()
}

func newOdd(t *testing.T, change ...func(*Config)) *odd {
	t.Helper()
	ca := testca.New(t)
	o := &odd{good: ca.Issue(t, "", issuedFor("a.test")).TLS(t)}
	other := ca.Issue(t, "", issuedFor("other.test")).TLS(t)
	o.shown.Store(&other)
	show := func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		o.handshakes.Add(1)
		return o.shown.Load(), nil
	}
	o.address = serveOver(t, &tls.Config{GetCertificate: show}, func(w http.ResponseWriter, _ *http.Request) {
		o.served.Add(1)
		_, _ = io.WriteString(w, "ok")
	})
	well := serveOver(t, &tls.Config{Certificates: []tls.Certificate{o.good}}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok")
	})
	p := start(t, new(table).listener("l", 80, "").backend("b", o.address, well).over(trusting(ca, "a.test")).
		route("r", "l", "/", "b").resources, change...)
	c := client(t)
	o.ask = func() {
		t.Helper()
		if status, body := get(t, c, address(t, p, 80), "h", "/"); status != 200 {
			t.Fatalf("got %d %q", status, body)
		}
	}
	return o
}

// Without ejection every other request would begin with a handshake that fails.
func TestEjectedEndpointIsLeftAlone(t *testing.T) {
	o := newOdd(t)
	for range 50 {
		o.ask()
	}
	if count := o.handshakes.Load(); count != 1 {
		t.Errorf("%d handshakes with the endpoint that has another certificate, want 1", count)
	}
}

func TestEndpointWithTheRightCertificateIsTakenBack(t *testing.T) {
	log := &logged{}
	o := newOdd(t, probing(log))
	for o.handshakes.Load() < 3 { // A request's, and those of probes.
		o.ask()
	}
	told := log.lines("level=WARN", "endpoint ejected", "endpoint="+o.address, "backends=[backend/b]", "none of the names")
	if len(told) != 1 {
		t.Errorf("told %d times, want once: %q", len(told), log.lines("endpoint"))
	}
	o.shown.Store(&o.good)
	eventually(t, "requests for the endpoint that has the right certificate now", func() bool {
		o.ask()
		return o.served.Load() > 0
	})
	if len(log.lines("level=INFO", "endpoint taken back", "endpoint="+o.address)) != 1 {
		t.Errorf("told: %q", log.lines("endpoint"))
	}
}

// Kept connections to an endpoint that is gone without a word say nothing. The first request that waits in vain has it
// probed.
func TestEndpointThatIsGoneWithoutAWord(t *testing.T) {
	gone := make(chan struct{})
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-gone:
			<-release
		default:
			_, _ = io.WriteString(w, "one")
		}
	}))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(release) })
	log := &logged{}
	at := silent.Listener.Addr().String()
	p := start(t, new(table).listener("l", 80, "").backend("b", at, echo(t, "two")).
		route("patient", "l", "/", "b").route("late", "l", "/late", "b").with(timeouts(0, soon)).resources, probing(log))
	c := client(t)
	for heard := ""; heard != "one"; {
		_, heard = get(t, c, address(t, p, 80), "h", "/")
	}
	close(gone)
	_ = silent.Listener.Close() // The connection that is kept stays.
	eventually(t, "a request to wait in vain, and the endpoint to be ejected", func() bool {
		_, _ = get(t, c, address(t, p, 80), "h", "/late")
		return len(log.lines("endpoint ejected", "endpoint="+at)) == 1
	})
	if counts(p, forward.ReasonTimeout) == 0 {
		t.Error("ejected, and no request was late")
	}
	// What is known of an endpoint is known to all routes. The other one would wait for long.
	for range 20 {
		if status, body := get(t, c, address(t, p, 80), "h", "/"); status != 200 || body != "two" {
			t.Fatalf("got %d %q once it was ejected", status, body)
		}
	}
}

// bound is an address that refuses connections until the socket listens.
func bound(t *testing.T) (at string, listen func() net.Listener) {
	t.Helper()
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Bind(socket, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(socket), "bound")
	t.Cleanup(func() { _ = file.Close() })
	name, err := syscall.Getsockname(socket)
	if err != nil {
		t.Fatal(err)
	}
	address := net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*syscall.SockaddrInet4).Port}
	return address.String(), func() net.Listener {
		t.Helper()
		if err := syscall.Listen(socket, 128); err != nil {
			t.Fatal(err)
		}
		listener, err := net.FileListener(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		return listener
	}
}

// Streams too go elsewhere, and come back.
func TestStreamsLeaveEndpointsThatRefuse(t *testing.T) {
	at, listen := bound(t)
	log := &logged{}
	p := start(t, toTCP(at, greeting(t, "well")).resources, probing(log))
	heard := func() string {
		t.Helper()
		conn := connectTo(t, address(t, p, 5432))
		defer func() { _ = conn.Close() }()
		return hear(t, conn, 4)
	}
	for range 20 {
		if name := heard(); name != "well" {
			t.Fatalf("heard %q", name)
		}
	}
	if told := log.lines("endpoint ejected", "endpoint="+at, "backends=[backend/b]", "connection refused"); len(told) != 1 {
		t.Errorf("told %d times, want once: %q", len(told), log.lines("endpoint"))
	}
	listener := listen()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			say(conn, "back")
			_ = conn.Close()
		}
	}()
	eventually(t, "connections to the endpoint that listens now", func() bool { return heard() == "back" })
	if len(log.lines("endpoint taken back", "endpoint="+at)) != 1 {
		t.Errorf("told: %q", log.lines("endpoint"))
	}
}
