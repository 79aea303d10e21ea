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

// Command backend is what stands behind the Gateways of the chaos tests: it answers HTTP requests with the name of its pod,
// and gives back what comes over WebSockets at /ws, gRPC streams and TCP connections.
package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/net/websocket"
	"google.golang.org/grpc"

	"github.com/rauta-dev/rauta/test/chaos/echo"
)

const (
	httpAddress = ":8080"
	grpcAddress = ":9090"
	tcpAddress  = ":9000"
	// grace is how long requests are still answered after the signal to end, as a backend has to for which endpoints are
	// withdrawn with some delay.
	grace = 6 * time.Second
	// finish is how long what is under way then may take.
	finish = 3 * time.Second
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "backend:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	failed := make(chan error, 3)
	web := &http.Server{Addr: httpAddress, Handler: handler(os.Getenv("POD_NAME")), ReadHeaderTimeout: time.Minute}
	go func() { failed <- web.ListenAndServe() }()

	calls := grpc.NewServer()
	echo.Register(calls)
	socket, err := net.Listen("tcp", grpcAddress)
	if err != nil {
		return err
	}
	go func() { failed <- calls.Serve(socket) }()

	bytes, err := net.Listen("tcp", tcpAddress)
	if err != nil {
		return err
	}
	go func() { failed <- giveBack(bytes) }()

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	time.Sleep(grace)
	ending, cancel := context.WithTimeout(context.Background(), finish)
	defer cancel()
	// What does not end by itself, such as a WebSocket, is cut when the process ends.
	_ = web.Shutdown(ending)
	calls.Stop()
	return nil
}

func handler(pod string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, pod) })
	// Whoever asks for a WebSocket may do so from anywhere.
	mux.Handle("/ws", websocket.Server{Handler: func(c *websocket.Conn) { _, _ = io.Copy(c, c) }})
	return mux
}

// giveBack answers every connection with what it says.
func giveBack(socket net.Listener) error {
	for {
		connection, err := socket.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer connection.Close()
			_, _ = io.Copy(connection, connection) // The client sees how it ended.
		}()
	}
}
