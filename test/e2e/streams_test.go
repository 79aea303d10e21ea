//go:build e2e

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

package e2e

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"golang.org/x/net/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
)

// stream is a long-lived exchange with an echo server: each message is answered by one.
type stream interface {
	// exchange sends a message and waits for its answer.
	exchange() error
	// end ends the stream as its client does, and waits for the server's end of it.
	end() error
}

// patienceOfStreams bounds one exchange.
const patienceOfStreams = 10 * time.Second

// socket is a WebSocket.
type socket struct{ conn *websocket.Conn }

func openSocket(address, host string) (stream, error) {
	config, err := websocket.NewConfig("ws://"+host+"/ws", "http://"+host+"/")
	if err != nil {
		return nil, fmt.Errorf("configure a WebSocket: %w", err)
	}
	raw, err := net.DialTimeout("tcp", address, patienceOfStreams)
	if err != nil {
		return nil, fmt.Errorf("connect a WebSocket: %w", err)
	}
	conn, err := websocket.NewClient(config, raw)
	if err != nil {
		return nil, fmt.Errorf("open a WebSocket: %w", err)
	}
	return &socket{conn}, nil
}

func (s *socket) exchange() error {
	if err := s.conn.SetDeadline(time.Now().Add(patienceOfStreams)); err != nil {
		return err
	}
	const said = "are you there?"
	if err := websocket.Message.Send(s.conn, said); err != nil {
		return err
	}
	var heard string
	if err := websocket.Message.Receive(s.conn, &heard); err != nil {
		return err
	}
	if heard != said {
		return fmt.Errorf("the echo of %q is %q", said, heard)
	}
	return nil
}

func (s *socket) end() error { return s.conn.Close() }

// call is a bidirectional gRPC stream, of the one such method that the echo server has: it describes itself.
type call struct {
	connection *grpc.ClientConn
	stream     grpc.BidiStreamingClient[reflectionv1.ServerReflectionRequest, reflectionv1.ServerReflectionResponse]
	cancel     context.CancelFunc
}

func dialCalls(address, host string) (*grpc.ClientConn, error) {
	return grpc.NewClient("passthrough:///"+address, grpc.WithAuthority(host), grpc.WithTransportCredentials(insecure.NewCredentials()))
}

func openCall(connection *grpc.ClientConn) (*call, error) {
	ctx, cancel := context.WithCancel(context.Background())
	stream, err := reflectionv1.NewServerReflectionClient(connection).ServerReflectionInfo(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	return &call{connection: connection, stream: stream, cancel: cancel}, nil
}

func (c *call) exchange() error {
	// An answer that does not come ends the stream.
	timer := time.AfterFunc(patienceOfStreams, c.cancel)
	defer timer.Stop()
	err := c.stream.Send(&reflectionv1.ServerReflectionRequest{
		MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{},
	})
	if err != nil {
		return err
	}
	answer, err := c.stream.Recv()
	if err != nil {
		return err
	}
	if len(answer.GetListServicesResponse().GetService()) == 0 {
		return fmt.Errorf("the answer names no service: %v", answer)
	}
	return nil
}

// end half-closes the stream, after which the server ends it with its status: nil for OK.
func (c *call) end() error {
	defer c.cancel()
	if err := c.stream.CloseSend(); err != nil {
		return err
	}
	if answer, err := c.stream.Recv(); err == nil {
		return fmt.Errorf("after its end the stream says %v", answer)
	} else if err.Error() != "EOF" {
		return err
	}
	return nil
}

// held is a stream that is kept busy until it is cut.
type held struct {
	name string
	// cut is closed when the stream has failed.
	cut chan struct{}
	// at and why are when and how it failed.
	at  time.Time
	why error
}

// hold keeps a stream busy until it fails, or the spec ends.
func hold(name string, s stream) *held {
	h := &held{name: name, cut: make(chan struct{})}
	ctx, stop := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() {
		for ctx.Err() == nil {
			if err := s.exchange(); err != nil {
				h.at, h.why = time.Now(), err
				close(h.cut)
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	})
	DeferCleanup(func() {
		stop()
		done.Wait()
		_ = s.end() // it may have been cut
	})
	return h
}

func (h *held) isCut() bool {
	select {
	case <-h.cut:
		return true
	default:
		return false
	}
}

// startCalls is load of gRPC: half of its workers keep their connection, half open one for each stream.
func startCalls(address, host string) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{cancel: cancel, answers: map[answer]int{}}
	for worker := range 4 {
		l.done.Go(func() {
			kept, err := dialCalls(address, host)
			defer func() { _ = kept.Close() }()
			for ctx.Err() == nil {
				start, connection := time.Now(), kept
				if worker%2 == 1 {
					connection, err = dialCalls(address, host)
				}
				if err == nil {
					err = exchangeOnce(connection)
				}
				l.note(start, err)
				if connection != kept {
					_ = connection.Close()
				}
				time.Sleep(10 * time.Millisecond)
			}
		})
	}
	DeferCleanup(l.end)
	return l
}

func exchangeOnce(connection *grpc.ClientConn) error {
	c, err := openCall(connection)
	if err != nil {
		return err
	}
	defer c.cancel()
	if err := c.exchange(); err != nil {
		return err
	}
	return c.end()
}

// note takes in what became of one call.
func (l *load) note(start time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failures = append(l.failures, fmt.Sprintf("%s after %s: %v", start.Format(time.TimeOnly+".000"), time.Since(start), err))
		return
	}
	l.answers[answer{status: 200}]++
}

// opened fails the spec where a stream could not be opened.
func opened[T stream](s T, err error) T {
	GinkgoHelper()
	Expect(err).NotTo(HaveOccurred())
	Expect(s.exchange()).To(Succeed())
	return s
}

func openedCall(address, host string) stream {
	GinkgoHelper()
	connection, err := dialCalls(address, host)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { _ = connection.Close() })
	return opened(openCall(connection))
}
