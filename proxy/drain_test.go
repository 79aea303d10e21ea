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
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
)

// exchange is something that is under way for long: what is said in it comes back.
type exchange struct {
	// say says a word, and waits for it to come back.
	say func(word string) error
	// end ends it as its client may, and waits for the other's end.
	end func() error
	// rest waits for the end; nil for one that cannot be told from what the endpoint meant.
	rest func() error
}

// longExchanges are the kinds of them that clients of HTTP have, each begun at a port.
var longExchanges = map[string]func(t *testing.T, at string) exchange{
	"content both ways, HTTP/1.1": func(t *testing.T, at string) exchange { return streamed(t, &http.Transport{}, at) },
	"content both ways, HTTP/2 (a gRPC stream)": func(t *testing.T, at string) exchange {
		transport := &http.Transport{Protocols: new(http.Protocols)}
		transport.Protocols.SetUnencryptedHTTP2(true)
		return streamed(t, transport, at)
	},
	"WebSocket, HTTP/1.1": tunnelled,
	"WebSocket, HTTP/2":   tunnelledInStream,
}

// repeating answers with what comes, as it comes, also after a switch of protocols.
func repeating(t *testing.T) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		flow := http.NewResponseController(w)
		if r.Header.Get("Upgrade") != "" {
			conn, rest, err := flow.Hijack()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n")
			_, _ = io.Copy(conn, rest)
			return
		}
		if flow.EnableFullDuplex() != nil || flow.Flush() != nil {
			return
		}
		word := make([]byte, 64)
		for {
			n, err := r.Body.Read(word)
			if n > 0 {
				_, _ = w.Write(word[:n])
				_ = flow.Flush()
			}
			if err != nil {
				return
			}
		}
	})
}

// returns reads a word.
func returns(from io.Reader, word string) error {
	got := make([]byte, len(word))
	if _, err := io.ReadFull(from, got); err != nil || string(got) != word {
		return fmt.Errorf("got %q, %w", got, err)
	}
	return nil
}

func streamed(t *testing.T, transport http.RoundTripper, at string) exchange {
	reads, writes := io.Pipe()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+at+"/", reads)
	if err != nil {
		t.Fatal(err)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	rest := func() error { _, err := io.Copy(io.Discard, response.Body); return err }
	return exchange{
		say: func(word string) error {
			if _, err := io.WriteString(writes, word); err != nil {
				return err
			}
			return returns(response.Body, word)
		},
		end:  func() error { _ = writes.Close(); return rest() },
		rest: rest,
	}
}

func tunnelled(t *testing.T, at string) exchange {
	conn, reader := raw(t, at, "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
	response, err := http.ReadResponse(reader, nil)
	if err != nil || response.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %v, %v", response, err)
	}
	return exchange{
		say: func(word string) error {
			if _, err := io.WriteString(conn, word); err != nil {
				return err
			}
			return returns(reader, word)
		},
		// The closing handshake is the endpoints' own; then the client's end is its connection's.
		end: func() error {
			_ = conn.(*net.TCPConn).CloseWrite()
			_, err := io.Copy(io.Discard, reader)
			return err
		},
		// Whoever has seen no Close frame knows that it was cut.
		rest: func() error {
			_, err := io.Copy(io.Discard, reader)
			return errors.Join(err, errors.New("no Close frame"))
		},
	}
}

func tunnelledInStream(t *testing.T, at string) exchange {
	conn, err := net.Dial("tcp", at)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(conn, http2.ClientPreface)
	framer := http2.NewFramer(conn, bufio.NewReader(conn))
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	_ = framer.WriteSettings()
	var block strings.Builder
	encoder := hpack.NewEncoder(&block)
	for _, field := range [][2]string{{":method", "CONNECT"}, {":protocol", "websocket"}, {":scheme", "http"}, {":path", "/"}, {":authority", "h"}} {
		_ = encoder.WriteField(hpack.HeaderField{Name: field[0], Value: field[1]})
	}
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte(block.String()), EndHeaders: true})
	// hear reads until enough was heard, or the stream has ended.
	hear := func(enough func(heard string, ended bool) bool) error {
		heard := ""
		for {
			frame, err := framer.ReadFrame()
			if err != nil {
				return err
			}
			switch f := frame.(type) {
			case *http2.RSTStreamFrame:
				return fmt.Errorf("the stream was reset: %v", f.ErrCode)
			case *http2.PingFrame:
				if !f.IsAck() {
					_ = framer.WritePing(true, f.Data)
				}
			case *http2.DataFrame:
				heard += string(f.Data())
				if enough(heard, f.StreamEnded()) {
					return nil
				}
			}
		}
	}
	whole := func(_ string, ended bool) bool { return ended }
	return exchange{
		say: func(word string) error {
			_ = framer.WriteData(1, false, []byte(word))
			return hear(func(heard string, _ bool) bool { return heard == word })
		},
		end:  func() error { _ = framer.WriteData(1, true, nil); return hear(whole) },
		rest: func() error { return hear(whole) },
	}
}

func isRefused(at string) bool {
	conn, err := net.Dial("tcp", at)
	if err == nil {
		_ = conn.Close()
	}
	return err != nil
}

// A response that had begun before the drain could not say that it is the last one on its connection: the next request, which may be on
// its way already, is answered, and that answer says it.
func TestDrainAnswersWhoWasNotTold(t *testing.T) {
	p, stop := startWithStop(t, new(table).listener("l", 80, "").backend("b", repeating(t)).route("r", "l", "/", "b=1").resources,
		func(c *Config) {
			c.Bootstrap.Drain.Delay, c.Bootstrap.Drain.Timeout = bootstrap.Duration(10*patience), bootstrap.Duration(patience)
		})
	at := address(t, p, 80)
	conn, reader := raw(t, at, "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nbefore\r\n")
	begun, err := http.ReadResponse(reader, nil)
	if err != nil || begun.Close {
		t.Fatalf("got %v, %v", begun, err)
	}
	if err := returns(begun.Body, "before"); err != nil {
		t.Fatal(err)
	}
	stop()
	eventually(t, "others are told", func() bool {
		_, other := raw(t, at, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
		told, _ := response(t, other, "GET")
		return told.Close
	})
	say(conn, "0\r\n\r\n")
	if _, err := io.Copy(io.Discard, begun.Body); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond) // Long enough for a connection that was taken for idle to be closed.
	say(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if next, _ := response(t, reader, "GET"); next.StatusCode != 200 || !next.Close {
		t.Errorf("got %d, and closed %t", next.StatusCode, next.Close)
	}
}

// What is under way when the port closes goes on, whatever it is, and ends as its client wants it; then the proxy has stopped,
// before the timeout.
func TestDrainLeavesWhatRuns(t *testing.T) {
	for name, begin := range longExchanges {
		t.Run(name, func(t *testing.T) {
			p, stop := startWithStop(t, new(table).listener("l", 80, "").backend("b", repeating(t)).route("r", "l", "/", "b=1").resources,
				func(c *Config) {
					c.Bootstrap.Drain.Delay, c.Bootstrap.Drain.Timeout = 0, bootstrap.Duration(2*patience)
				})
			at := address(t, p, 80)
			runs := begin(t, at)
			if err := runs.say("before"); err != nil {
				t.Fatal(err)
			}
			stop()
			eventually(t, "the port closes", func() bool { return isRefused(at) })
			for _, word := range []string{"during", "the", "drain"} {
				if err := runs.say(word); err != nil {
					t.Fatalf("%q: %v", word, err)
				}
			}
			if err := runs.end(); err != nil {
				t.Errorf("its end: %v", err)
			}
			if err := p.Wait(); err != nil {
				t.Errorf("a drain in which all finished: %v", err)
			}
		})
	}
}

// What goes on until the timeout is cut, and its client can tell that from an end.
func TestDrainCutsVisibly(t *testing.T) {
	for name, begin := range longExchanges {
		t.Run(name, func(t *testing.T) {
			p, stop := startWithStop(t, new(table).listener("l", 80, "").backend("b", repeating(t)).route("r", "l", "/", "b=1").resources,
				func(c *Config) {
					c.Bootstrap.Drain.Delay, c.Bootstrap.Drain.Timeout = 0, bootstrap.Duration(10*time.Millisecond)
				})
			runs := begin(t, address(t, p, 80))
			if err := runs.say("before"); err != nil {
				t.Fatal(err)
			}
			stop()
			if err := runs.rest(); err == nil {
				t.Error("the client takes what it has for the whole")
			}
			if err := p.Wait(); !errors.Is(err, ErrCut) {
				t.Errorf("got %v, want it to be said that something was cut", err)
			}
		})
	}
}

// A client of HTTP/1.0 knows no other end of a response without a length than that of its connection. Where that was cut it must
// be a reset.
func TestDrainCutsVisiblyForOldClients(t *testing.T) {
	slow := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "half")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	p, stop := startWithStop(t, new(table).listener("l", 80, "").backend("b", slow).route("r", "l", "/", "b=1").resources,
		func(c *Config) {
			c.Bootstrap.Drain.Delay, c.Bootstrap.Drain.Timeout = 0, bootstrap.Duration(10*time.Millisecond)
		})
	_, reader := raw(t, address(t, p, 80), "GET / HTTP/1.0\r\nHost: h\r\n\r\n")
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := returns(response.Body, "half"); err != nil {
		t.Fatal(err)
	}
	stop()
	if _, err := io.Copy(io.Discard, response.Body); err == nil {
		t.Error("the client takes what it has for the whole")
	}
	if err := p.Wait(); !errors.Is(err, ErrCut) {
		t.Errorf("got %v, want it to be said that something was cut", err)
	}
}
