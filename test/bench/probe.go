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
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
)

// probePatience is how long a process has to answer as a scenario wants it.
const probePatience = 5 * time.Second

// await asks until a process answers the way the scenario wants it. The error is the last answer, or the process's last
// words when it has ended.
func await(ctx context.Context, s scenario, port int, p *process) error {
	ends := time.Now().Add(probePatience)
	for {
		err := probe(ctx, s, port)
		if err == nil {
			return nil
		}
		if gone := p.gone(); gone != nil {
			return gone
		}
		if time.Now().After(ends) {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// probe makes one request of the scenario for its first route and one for its last, and looks at the protocol, the
// status and the length of what comes back.
func probe(ctx context.Context, s scenario, port int) error {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	if s.load == loadDatagrams {
		return probeDatagram(ctx, port)
	}
	if s.grpc {
		return probeCall(ctx, port)
	}
	for _, n := range []int{0, s.routes - 1} {
		if err := probeRequest(ctx, s, port, routeOf(n)); err != nil {
			return err
		}
	}
	return nil
}

func probeRequest(ctx context.Context, s scenario, port int, r route) error {
	transport := &http.Transport{
		Protocols: new(http.Protocols), DisableCompression: true, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{ServerName: r.host, InsecureSkipVerify: true, MinVersion: tls.VersionTLS13}, //nolint:gosec // made for this run
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
		},
	}
	defer transport.CloseIdleConnections()
	major, scheme, method := 1, "http", http.MethodGet
	if s.tls {
		scheme = "https"
	}
	if s.load == loadH2 {
		major = 2
	}
	transport.Protocols.SetHTTP1(major == 1)
	transport.Protocols.SetHTTP2(major == 2)
	var content []byte
	if s.upload {
		method, content = http.MethodPost, make([]byte, uploadBytes)
	}
	path := s.path
	if s.spread {
		path = r.prefix + path
	}
	request, err := http.NewRequestWithContext(ctx, method, scheme+"://"+r.host+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	got, err := io.Copy(io.Discard, response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || response.ProtoMajor != major || got != int64(s.responseBytes) {
		return fmt.Errorf("%s%s: %s with status %d and %d bytes, want HTTP/%d with status 200 and %d bytes",
			r.host, path, response.Proto, response.StatusCode, got, major, s.responseBytes)
	}
	return nil
}

func probeCall(ctx context.Context, port int) error {
	conn, err := grpc.NewClient(fmt.Sprintf("passthrough:///127.0.0.1:%d", port),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(routeOf(0).host))
	if err != nil {
		return err
	}
	defer conn.Close()
	answer, err := healthv1.NewHealthClient(conn).Check(ctx, &healthv1.HealthCheckRequest{})
	if err != nil {
		return err
	}
	if answer.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		return errors.New("the answer is not the backend's: " + answer.GetStatus().String())
	}
	return nil
}
