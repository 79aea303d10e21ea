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

package http2

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/message"
)

// unreading is an endpoint that has opened its windows, and reads no more than some bytes.
type unreading struct {
	net.Conn
	opening io.Reader
	mu      sync.Mutex
	room    int
	full    chan struct{} // closed when somebody waits for room
	once    sync.Once
	closed  chan struct{}
	ended   sync.Once
}

func (u *unreading) Write(p []byte) (int, error) {
	u.mu.Lock()
	u.room -= len(p)
	fits := u.room >= 0
	u.mu.Unlock()
	if fits {
		return len(p), nil
	}
	u.once.Do(func() { close(u.full) })
	<-u.closed
	return 0, net.ErrClosed
}

func (u *unreading) Read(p []byte) (int, error) {
	if n, err := u.opening.Read(p); err == nil {
		return n, nil
	}
	<-u.closed
	return 0, net.ErrClosed
}

func (u *unreading) Close() error {
	u.ended.Do(func() { close(u.closed) })
	return nil
}

// endless is content that does not end.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

// A request that is given up is over, also when its endpoint takes nothing of what is sent to it. Whoever waits for the
// endpoint would wait for writeTimeout.
func TestGivenUpWithoutBeingRead(t *testing.T) {
	tests := map[string]struct {
		reason  string
		room    int
		calls   int
		request func() *message.Request
	}{
		"content": {"whoever sends it does not wait for the connection", 200_000, 1, func() *message.Request {
			return &message.Request{Method: "POST", Authority: "a.test", Path: "/", Body: endless{}, Length: message.UnknownLength}
		}},
		"head": {"neither does whoever sends a head", 0, 1, get},
		"many heads": {"nor who waits until there is room for one more", 0, 10, func() *message.Request {
			request := get()
			request.Fields.Add("X", strings.Repeat("x", 30_000))
			return request
		}},
		"content at hand": {"what goes with a head is sent in the same way", 0, 1, func() *message.Request {
			return &message.Request{Method: "POST", Authority: "a.test", Path: "/", Body: strings.NewReader("x"), Length: 1}
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var opening bytes.Buffer
			framer := http2.NewFramer(&opening, nil)
			_ = framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: maxWindow})
			_ = framer.WriteWindowUpdate(0, maxWindow-initialWindow)
			conn := &unreading{opening: &opening, room: test.room, full: make(chan struct{}), closed: make(chan struct{})}
			r := newCarrier(NewClient(ClientOptions{}), conn, message.ClientLimits{}.WithDefaults())
			r.reserved = uint32(test.calls)
			var reading sync.WaitGroup
			reading.Go(r.read)
			ctx, leave := context.WithCancel(t.Context())
			over := make(chan error)
			for range test.calls {
				go func() {
					_, err := r.roundTrip(ctx, test.request(), nil)
					over <- err
				}()
			}
			<-conn.full
			waiting := func() bool {
				r.mu.Lock()
				defer r.mu.Unlock()
				return test.calls == 1 || r.out.size() >= outputHigh
			}
			for !waiting() {
				time.Sleep(time.Millisecond)
			}
			leave()
			patience := time.After(time.Minute)
			for range test.calls {
				select {
				case err := <-over:
					if err == nil {
						t.Error("a request that was given up was answered")
					}
				case <-patience:
					_ = conn.Close()
					t.Fatalf("it is still there: %s", test.reason)
				}
			}
			_ = conn.Close()
			reading.Wait()
		})
	}
}
