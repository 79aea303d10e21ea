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
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/forward"
)

// unendingContent is of a client that sends as much as it may.
type unendingContent struct{}

func (unendingContent) Read(p []byte) (int, error) { return len(p), nil }

// A request is over when its client gives it up, also when its endpoint has opened all windows and reads nothing: nobody
// waits for the endpoint until writeTimeout.
func TestClientThatLeavesAnEndpointThatDoesNotRead(t *testing.T) {
	const maxWindow = 1<<31 - 1
	begun := make(chan struct{})
	hold := make(chan struct{})
	defer close(hold)
	at := endpoint(t, func(_ int, conn net.Conn, reader *bufio.Reader) {
		_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		_, _ = io.ReadFull(reader, make([]byte, len(http2.ClientPreface)))
		say(conn, opened(http2.Setting{ID: http2.SettingInitialWindowSize, Val: maxWindow}).
			raw(http2.FrameWindowUpdate, 0, 0, []byte{0x7f, 0xff, 0, 0}).text()[len(http2.ClientPreface):])
		close(begun)
		<-hold
	})
	p := start(t, new(table).listener("l", 80, "").second("b", at).route("r", "l", "/", "b=1").resources,
		limits(func(l *bootstrap.Limits) { l.WriteTimeout = bootstrap.Duration(time.Hour) }))
	client := secondClient(address(t, p, 80), nil)
	defer client.CloseIdleConnections()
	ctx, leave := context.WithCancel(t.Context())
	request, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://a.test/", unendingContent{})
	left := make(chan error)
	go func() {
		_, err := client.RoundTrip(request)
		left <- err
	}()
	<-begun
	time.Sleep(300 * time.Millisecond) // By then nothing moves any more, on most machines.
	leave()
	if err := <-left; err == nil {
		t.Error("a request that was given up was answered")
	}
	eventually(t, "the request is over", func() bool { return p.Requests()[forward.Outcome{Reason: forward.ReasonClient}] == 1 })
}
