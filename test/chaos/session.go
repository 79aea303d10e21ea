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
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/rauta-dev/rauta/test/chaos/echo"
)

// session is something that is held open, and on which numbers come back.
type session interface {
	exchange(number int64) error
	close()
}

// holder holds one session open, and opens another when it ends.
type holder struct {
	load    *load
	subject *subject
	kind    traffic
	dialer  dialer
	// at is the replica that serves the session, while it is open.
	at atomic.Pointer[netip.Addr]
}

func (h *holder) run(ctx context.Context) {
	for ctx.Err() == nil {
		to := h.subject.at(httpPort)
		switch h.kind {
		case tcpSession:
			to = h.subject.at(tcpPort)
		case passedSocket:
			to = h.subject.at(tlsPort)
		}
		begin := time.Now()
		opened, err := h.open(context.WithoutCancel(ctx), to)
		replica := h.dialer.replica(h.load.conntrack, 0, to)
		if err != nil {
			h.fail(begin, replica, false, err)
			wait(ctx, sessionPause)
			continue
		}
		h.at.Store(&replica)
		h.hold(ctx, opened, replica)
		h.at.Store(nil)
		opened.close()
	}
}

// hold exchanges numbers until the session ends, or is not needed any more.
func (h *holder) hold(ctx context.Context, opened session, replica netip.Addr) {
	for number := int64(1); wait(ctx, sessionPause); number++ {
		begin := time.Now()
		if err := opened.exchange(number); err != nil {
			h.fail(begin, replica, true, fmt.Errorf("message %d: %w", number, err))
			return
		}
		h.load.ledger.succeed(h.kind, time.Since(begin))
	}
}

func (h *holder) fail(begin time.Time, replica netip.Addr, held bool, err error) {
	h.load.ledger.fail(&failure{
		Traffic: h.kind, Gateway: h.subject.name, Held: held, Replica: replica, Begin: begin, End: time.Now(), Message: err.Error(),
	})
}

func (h *holder) open(ctx context.Context, to netip.AddrPort) (session, error) {
	if h.kind == grpcStream {
		return h.openStream(ctx, to)
	}
	dialing, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	connection, err := h.dialer.dial(dialing, to.String())
	if err != nil {
		return nil, err
	}
	if h.kind == tcpSession {
		return &lines{connection: connection, reader: bufio.NewReader(connection)}, nil
	}
	if h.kind == passedSocket {
		// Over TLS that the backend ends: the Gateway has no certificate for this name.
		connection = tls.Client(connection, &tls.Config{ServerName: heldThrough, RootCAs: h.subject.sealed, MinVersion: tls.VersionTLS12})
	}
	config, err := websocket.NewConfig("ws://"+host+"/ws", "http://"+host)
	if err != nil {
		return nil, err
	}
	if err := connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return nil, err
	}
	upgraded, err := websocket.NewClient(config, connection)
	if err != nil {
		connection.Close()
		return nil, err
	}
	return &socket{upgraded}, nil
}

// lines are numbers in lines of text over TCP.
type lines struct {
	connection net.Conn
	reader     *bufio.Reader
}

func (l *lines) exchange(number int64) error {
	if err := l.connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(l.connection, number); err != nil {
		return err
	}
	line, err := l.reader.ReadString('\n')
	if err != nil {
		return err
	}
	return same(number, strings.TrimSpace(line))
}

func (l *lines) close() { l.connection.Close() }

// socket is a WebSocket with a number in each message.
type socket struct{ connection *websocket.Conn }

func (s *socket) exchange(number int64) error {
	if err := s.connection.SetDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	if err := websocket.Message.Send(s.connection, strconv.FormatInt(number, 10)); err != nil {
		return err
	}
	var text string
	if err := websocket.Message.Receive(s.connection, &text); err != nil {
		return err
	}
	return same(number, text)
}

func (s *socket) close() { _ = s.connection.Close() } // It may be closed already.

// same holds when what came back is what was sent: nothing was lost, doubled or mixed up.
func same(number int64, text string) error {
	if text != strconv.FormatInt(number, 10) {
		return fmt.Errorf("%.40q came back for %d", text, number)
	}
	return nil
}

// stream is a gRPC stream on a connection of its own.
type stream struct {
	connection *grpc.ClientConn
	numbers    *echo.Stream
	cancel     context.CancelFunc
}

func (h *holder) openStream(ctx context.Context, to netip.AddrPort) (session, error) {
	connection, err := grpc.NewClient("passthrough:///"+to.String(), grpc.WithAuthority(calls), grpc.WithNoProxy(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithContextDialer(h.dialer.dial))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	s := &stream{connection: connection, cancel: cancel}
	// Opening waits for nothing but the connection; the first number shows that the stream is there.
	s.numbers, err = echo.Open(ctx, connection)
	if err == nil {
		err = s.exchange(0)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *stream) exchange(number int64) error {
	timer := time.AfterFunc(limit, s.cancel)
	err := s.numbers.Exchange(number)
	if !timer.Stop() && err != nil {
		return fmt.Errorf("no answer in time: %w", err)
	}
	return err
}

func (s *stream) close() {
	s.cancel()
	s.connection.Close()
}
