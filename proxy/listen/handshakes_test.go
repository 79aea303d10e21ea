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
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// securedSockets serve one port of TLS, and one without.
func securedSockets(t *testing.T, places int) (*Sockets, *x509.CertPool) {
	t.Helper()
	ca, trusted := testca.New(t), x509.NewCertPool()
	trusted.AppendCertsFromPEM(ca.PEM)
	s := newSockets(t, places)
	if failed := s.Open(append(securedPort(t, ca), config.Port{Number: 80})); len(failed) > 0 {
		t.Fatal(failed)
	}
	s.Serve()
	return s, trusted
}

// waiting counts the handshakes whose client is waited for after as many bytes, and all of them.
func (h *handshakes) waiting(read int) (those, all int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for one := h.oldest; one != nil; one = one.newer {
		if one.waiting.Load() && one.read.Load() == int64(read) {
			those++
		}
	}
	return those, h.count
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

// halfHello is the beginning of a record that announces the most that one may hold.
const halfHello = "\x16\x03\x01\x40\x00\x01"

// Whoever opens handshakes and goes on with none takes neither the port's places nor another client's handshake.
func TestSilentHandshakesGiveWay(t *testing.T) {
	s, trusted := securedSockets(t, 64)
	s.handshakes.patient = 0
	var silent []net.Conn
	for range 100 {
		conn := dial(t, s, 443)
		_, _ = io.WriteString(conn, halfHello)
		silent = append(silent, conn)
		eventually(t, "it is waited for", func() bool {
			those, all := s.handshakes.waiting(len(halfHello))
			return those == all && all+int(s.Unsecured()) == len(silent)
		})
		if _, all := s.handshakes.waiting(0); all > s.handshakes.most {
			t.Fatalf("there are %d handshakes", all)
		}
	}
	shakesHands(t, s, trusted)
	if !greeted(dial(t, s, 80), patience) {
		t.Error("a client of another port is not served")
	}
	cut := 0
	for _, conn := range silent[:len(silent)-s.handshakes.most] {
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if _, err := conn.Read(make([]byte, 1)); errors.Is(err, syscall.ECONNRESET) {
			cut++
		}
	}
	if want := len(silent) - s.handshakes.most; cut != want {
		t.Errorf("%d of them were cut, want %d", cut, want)
	}
	for _, conn := range silent {
		_ = conn.Close()
	}
	eventually(t, "nothing is left of them", func() bool {
		_, all := s.handshakes.waiting(0)
		return all == 0 && s.handshakes.shared.Load() == sharedBytes
	})
}

// shakesHands shows that a client as they are is served.
func shakesHands(t *testing.T, s *Sockets, trusted *x509.CertPool) {
	t.Helper()
	client := tls.Client(dial(t, s, 443), &tls.Config{RootCAs: trusted, ServerName: "a.test"})
	_ = client.SetDeadline(time.Now().Add(patience))
	if err := client.HandshakeContext(t.Context()); err != nil {
		t.Errorf("a client beside them: %v", err)
	}
}

// Where the proxy is the one who is waited for, or not for long yet, nobody gives way.
func TestWhoGivesWay(t *testing.T) {
	for name, test := range map[string]struct {
		waiting bool
		sent    string
		age     time.Duration
		stays   bool
		reason  string
	}{
		"silent":        {true, "", time.Second, false, "the proxy waits for the client"},
		"not for long":  {true, "", time.Second - 1, true, "a client may be far away"},
		"busy":          {false, "", time.Hour, true, "the proxy computes"},
		"not yet woken": {true, "x", time.Hour, true, "what the client has sent has not been read"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSockets(t, 2*oneOf)
			if failed := s.Open(plain(80)); len(failed) > 0 {
				t.Fatal(failed)
			}
			of, begun := s.open[80], time.Now()
			client := dial(t, s, 80)
			server, err := of.socket.Accept()
			if err != nil {
				t.Fatal(err)
			}
			first, _ := s.handshakes.begin(of, server, begun)
			first.waiting.Store(test.waiting)
			second, crowded := s.handshakes.begin(of, &net.TCPConn{}, begun.Add(test.age))
			if crowded {
				t.Error("two are not too many")
			}
			if _, err := io.WriteString(client, test.sent); err != nil {
				t.Fatal(err)
			}
			if test.sent != "" {
				_ = server.SetReadDeadline(time.Now().Add(patience))
				_, _ = server.Read(nil)
				eventually(t, "it has come", func() bool { return readable(t, server) })
			}
			third, crowded := s.handshakes.begin(of, &net.TCPConn{}, begun.Add(test.age))
			if !crowded {
				t.Error("three are too many")
			}
			if first.gone.Load() == test.stays {
				t.Errorf("it stays: %v, want %v: %s", !first.gone.Load(), test.stays, test.reason)
			}
			if _, crowded := s.handshakes.begin(of, &net.TCPConn{}, begun.Add(test.age)); crowded {
				t.Error("it is told twice")
			}
			if err := first.end(io.EOF); errors.Is(err, errGaveWay) == test.stays {
				t.Errorf("it ends with %v", err)
			}
			_, _ = second.end(nil), third.end(nil)
			if _, all := s.handshakes.waiting(0); all != 1 {
				t.Errorf("%d are left, want the last", all)
			}
			_ = server.Close()
		})
	}
}

// readable looks at a socket without the code that is under test.
func readable(t *testing.T, conn net.Conn) bool {
	t.Helper()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	_ = raw.Control(func(fd uintptr) { n, _, _ = syscall.Recvfrom(int(fd), make([]byte, 1), syscall.MSG_PEEK) })
	return n > 0
}

// What clients send in their handshakes has a bound for all of them together, and is given back.
func TestLongHandshakesShareTheirMemory(t *testing.T) {
	s, trusted := securedSockets(t, 1000)
	const room, long = 64 << 10, ownBytes + 24<<10
	s.handshakes.shared.Store(room)
	hello := split(handshakeMessage(messageHello, make([]byte, 40<<10)...), maxRecord)
	var conns []net.Conn
	for range 20 {
		conn := dial(t, s, 443)
		if _, err := conn.Write(hello[:long]); err != nil && !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, syscall.EPIPE) {
			t.Fatal(err)
		}
		conns = append(conns, conn)
		eventually(t, "it is waited for, or over", func() bool {
			those, all := s.handshakes.waiting(long)
			return those == all && all+int(s.Unsecured()) == len(conns)
		})
	}
	if _, all := s.handshakes.waiting(long); all != room/(long-ownBytes) {
		t.Errorf("%d are waited for, and there is room for %d", all, room/(long-ownBytes))
	}
	if left := s.handshakes.shared.Load(); left < 0 || left > room {
		t.Errorf("%d bytes are left of %d", left, room)
	}
	shakesHands(t, s, trusted)
	for _, conn := range conns {
		_ = conn.Close()
	}
	eventually(t, "all is given back", func() bool { return s.handshakes.shared.Load() == room })
}

// Whoever announces much gets little: crypto/tls alone would hold 16 KiB and more for each of these.
func TestAnnouncedRecordsAreNotHeld(t *testing.T) {
	s, _ := securedSockets(t, 10_000)
	const count, bound = 400, 10 << 10
	held := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := held()
	for range count {
		_, _ = io.Copy(dial(t, s, 443), bytes.NewReader([]byte(halfHello)))
	}
	eventually(t, "all are waited for", func() bool {
		those, _ := s.handshakes.waiting(len(halfHello))
		return those == count
	})
	each := (held() - before) / count
	t.Logf("%d bytes each", each)
	if each > bound {
		t.Errorf("%d bytes are held for each, want at most %d", each, bound)
	}
}
