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
// over TLS with a certificate of its own as well, and gives back what comes over WebSockets at /ws, gRPC streams and TCP connections,
// and in datagrams, of which each says in its second word which pod gave it back.
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
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
	udpAddress  = ":9001"
	tlsAddress  = ":8443"
	// grace is how long requests are still answered after the signal to end, as a backend has to for which endpoints are
	// withdrawn with some delay.
	grace = 8 * time.Second
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
	failed := make(chan error, 5)
	own, err := tls.X509KeyPair([]byte(os.Getenv("TLS_CERTIFICATE")), []byte(os.Getenv("TLS_KEY")))
	if err != nil {
		return fmt.Errorf("TLS_CERTIFICATE and TLS_KEY: %w", err)
	}
	var ending atomic.Bool
	pod := os.Getenv("POD_NAME")
	web := &http.Server{Addr: httpAddress, Handler: handler(pod, &ending), ReadHeaderTimeout: time.Minute}
	go func() { failed <- web.ListenAndServe() }()
	sealed := &http.Server{
		Addr: tlsAddress, Handler: handler(pod, &ending), ReadHeaderTimeout: time.Minute,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{own}, MinVersion: tls.VersionTLS12},
	}
	go func() { failed <- sealed.ListenAndServeTLS("", "") }()

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

	datagrams, err := net.ListenPacket("udp", udpAddress)
	if err != nil {
		return err
	}
	go func() { failed <- returnDatagrams(datagrams, pod) }()

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	// Whoever sends datagrams is told by nobody that they go to what ends: it has to be unready before.
	ending.Store(true)
	time.Sleep(grace)
	finishing, cancel := context.WithTimeout(context.Background(), finish)
	defer cancel()
	// What does not end by itself, such as a WebSocket, is cut when the process ends.
	_ = web.Shutdown(finishing)
	_ = sealed.Shutdown(finishing)
	calls.Stop()
	return nil
}

func handler(pod string, ending *atomic.Bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/ready", func(w http.ResponseWriter, _ *http.Request) {
		if ending.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
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

// returnDatagrams answers every datagram with what it says, and who answers.
func returnDatagrams(socket net.PacketConn, pod string) error {
	text := make([]byte, 1<<16)
	for {
		n, from, err := socket.ReadFrom(text)
		if err != nil {
			return err
		}
		_, _ = socket.WriteTo(append(text[:n:n], " "+pod...), from) // The client sees what is lost.
	}
}
