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
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"
)

// propagation creates routes one after another, each once the one before answers, and asks the proxy for it all the time.
func propagation(ctx context.Context, w *world, r *results) error {
	port, stop, err := backend()
	if err != nil {
		return err
	}
	defer stop()
	if err := w.createService(ctx, serviceName(0), address, port); err != nil {
		return err
	}
	if err := pause(ctx, calm); err != nil {
		return err
	}
	m, err := w.begin(ctx)
	if err != nil {
		return err
	}
	p := &prober{}
	defer p.close()
	n := w.options.sizes.propagation
	var sent, created []time.Duration
	for i := range n {
		began := time.Now()
		answered := make(chan probe, 1)
		go func() { answered <- p.until200(ctx, routeHost(i)) }()
		if err := w.Create(ctx, hostRoute(i, parentGateway, routeHost(i), serviceName(0))); err != nil {
			return err
		}
		returned := time.Now()
		found := <-answered
		if found.err != nil {
			return fmt.Errorf("%s: %w", routeName(i), found.err)
		}
		sent = append(sent, found.at.Sub(began))
		created = append(created, max(found.at.Sub(returned), 0))
	}
	r.lags("create_sent_to_200", sent)
	r.lags("created_to_200", created)
	r.add("answers_neither_404_nor_200", float64(p.others), "answers")
	part := max(n/10, 1)
	first, last := slices.Sorted(slices.Values(sent[:part])), slices.Sorted(slices.Values(sent[n-part:]))
	r.add("first_tenth_p50", quantile(first, 0.5).Seconds()*1e3, "ms")
	r.add("last_tenth_p50", quantile(last, 0.5).Seconds()*1e3, "ms")
	r.add("last_to_first", float64(quantile(last, 0.5))/float64(quantile(first, 0.5)), "times")
	return m.report(ctx, r, false)
}

func routeHost(i int) string { return fmt.Sprintf("r-%d.example.com", i) }

// backend answers 200 to everything.
func backend() (port int32, stop func(), err error) {
	listener, err := net.Listen("tcp", address+":0")
	if err != nil {
		return 0, nil, err
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(out, "here\n") }),
		ReadHeaderTimeout: time.Minute,
	}
	go func() { _ = server.Serve(listener) }()
	return int32(listener.Addr().(*net.TCPAddr).Port), func() { _ = server.Close() }, nil //nolint:gosec // a port
}

// askPause is between two questions of the prober.
const askPause = 500 * time.Microsecond

// prober asks the proxy on one connection.
type prober struct {
	connection net.Conn
	reader     *bufio.Reader
	// others counts the answers that were neither 404 nor 200.
	others int
}

type probe struct {
	at  time.Time
	err error
}

// until200 asks for a path of a host until the answer is 200.
func (p *prober) until200(ctx context.Context, host string) probe {
	path := "/path-" + strings.TrimPrefix(strings.Split(host, ".")[0], "r-")
	for {
		status, err := p.ask(host, path)
		now := time.Now()
		switch {
		case err != nil:
			return probe{err: err}
		case status == http.StatusOK:
			return probe{at: now}
		case status != http.StatusNotFound:
			p.others++
		}
		if err := pause(ctx, askPause); err != nil {
			return probe{err: err}
		}
	}
}

func (p *prober) ask(host, path string) (int, error) {
	if p.connection == nil {
		connection, err := net.Dial("tcp", address+":80")
		if err != nil {
			return 0, err
		}
		p.connection, p.reader = connection, bufio.NewReader(connection)
	}
	if _, err := fmt.Fprintf(p.connection, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(p.reader, nil)
	if err != nil {
		return 0, err
	}
	_, err = io.Copy(io.Discard, response.Body)
	err = errors.Join(err, response.Body.Close())
	if response.Close {
		p.close()
	}
	return response.StatusCode, err
}

func (p *prober) close() {
	if p.connection != nil {
		_ = p.connection.Close()
		p.connection = nil
	}
}
