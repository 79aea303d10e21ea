//go:build linux

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
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

const (
	// largePath is where the nginx backend has largeBytes to give.
	largePath = "/p0/1mib"
	// healthService and healthMethod are gRPC's own health check: an empty message is answered with one of two bytes.
	healthService = "grpc.health.v1.Health"
	healthMethod  = "/" + healthService + "/Check"
)

// backends are what all subjects forward to. nginx answers where it can: it leaves the generators most of the CPU that
// they share. The other process is this program: it reads contents to their end before it answers, which nginx does not,
// and it is a gRPC server.
type backends struct {
	nginx, own         *process
	http, upload, grpc int
	// secured is http over TLS 1.3.
	secured   int
	datagrams int
}

func (b *backends) portFor(s scenario) int {
	switch {
	case s.load == loadDatagrams:
		return b.datagrams
	case s.grpc:
		return b.grpc
	case s.passesThrough() || s.secured:
		return b.secured
	case s.upload:
		return b.upload
	default:
		return b.http
	}
}

func startBackends(ctx context.Context, folder, cpus string, shown certificateFiles) (_ *backends, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	ports, err := freePorts(5)
	if err != nil {
		return nil, err
	}
	b := &backends{http: ports[0], upload: ports[1], grpc: ports[2], datagrams: ports[3], secured: ports[4]}
	defer func() {
		if err != nil {
			b.stop()
		}
	}()
	args, err := nginxBackend(folder, b.http, b.secured, shown)
	if err != nil {
		return nil, err
	}
	if b.nginx, err = start("backend nginx", cpus, nil, "nginx", args...); err != nil {
		return nil, err
	}
	b.own, err = start("backend", cpus, nil, self, "backend", fmt.Sprintf("-http=%d", b.upload), fmt.Sprintf("-grpc=%d", b.grpc), fmt.Sprintf("-udp=%d", b.datagrams))
	if err != nil {
		return nil, err
	}
	for _, s := range []scenario{
		{path: "/p0/small", routes: 1, responseBytes: len(smallBody)},
		{path: largePath, routes: 1, responseBytes: largeBytes},
		{path: "/p0/small", stream: true, tls: true, routes: 1, responseBytes: len(smallBody)},
		{path: "/", upload: true, routes: 1, responseBytes: len(smallBody)},
		{path: healthMethod, grpc: true, routes: 1},
		{load: loadDatagrams},
	} {
		p := b.nginx
		if s.grpc || s.upload || s.load == loadDatagrams {
			p = b.own
		}
		if err := await(ctx, s, b.portFor(s), p); err != nil {
			return nil, fmt.Errorf("backend: %w", err)
		}
	}
	return b, nil
}

func (b *backends) stop() {
	for _, p := range []*process{b.nginx, b.own} {
		if p != nil {
			p.stop()
		}
	}
}

// backendMain is the process that reads contents, and the gRPC server. It runs until it is stopped.
func backendMain(args []string) error {
	flags := flag.NewFlagSet("backend", flag.ContinueOnError)
	httpPort := flags.Int("http", 0, "port on 127.0.0.1 for HTTP")
	grpcPort := flags.Int("grpc", 0, "port on 127.0.0.1 for gRPC")
	udpPort := flags.Int("udp", 0, "port on 127.0.0.1 for datagrams, which are sent back")
	if err := flags.Parse(args); err != nil {
		return err
	}
	plain, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *httpPort))
	if err != nil {
		return err
	}
	calls, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *grpcPort))
	if err != nil {
		return errors.Join(err, plain.Close())
	}
	datagrams, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: *udpPort})
	if err != nil {
		return errors.Join(err, plain.Close(), calls.Close())
	}
	server := grpc.NewServer()
	healthv1.RegisterHealthServer(server, health.NewServer())
	failed := make(chan error, 3)
	go func() { failed <- repeatDatagrams(datagrams) }()
	go func() { failed <- server.Serve(calls) }()
	go func() {
		failed <- (&http.Server{Handler: http.HandlerFunc(consume), ReadHeaderTimeout: time.Minute}).Serve(plain)
	}()
	return <-failed
}

// consume answers when it has read all of a request.
func consume(w http.ResponseWriter, r *http.Request) {
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		http.Error(w, "the content ended early", http.StatusBadRequest)
		return
	}
	_, _ = io.WriteString(w, smallBody) // The client may have gone.
}

// freePorts gives ports of 127.0.0.1 that nothing listens on.
func freePorts(count int) ([]int, error) {
	ports := make([]int, 0, count)
	for range count {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = listener.Close() }() // Only at the end, so that no port is given twice.
		ports = append(ports, listener.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// folderFor makes a folder below the run's own.
func folderFor(parent, name string) (string, error) {
	folder := filepath.Join(parent, name)
	return folder, os.MkdirAll(folder, 0o700)
}
