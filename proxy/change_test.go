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
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/forward"
)

// load gives the proxy another table, as a commit would.
func load(t testing.TB, p *Proxy, b *table) []config.Error {
	t.Helper()
	quarantined, err := p.table.Load(b.resources)
	if err != nil {
		t.Fatalf("load: %v", err)
	}
	return quarantined
}

// Tables change as fast as they can while requests run: routes, weights, backends, endpoints and other listeners come
// and go, and no request fails.
func TestNoRequestFailsWhileTablesChange(t *testing.T) {
	a, b := echo(t, "a"), echo(t, "b")
	tables := []*table{
		new(table).listener("listener/http", 80, "").backend("x", a).route("r", "listener/http", "/", "x"),
		new(table).listener("listener/http", 80, "").backend("x", b).route("r", "listener/http", "/", "x"),
		new(table).listener("listener/http", 80, "").backend("x", a, b).backend("y", b).route("r", "listener/http", "/", "x=3", "y=1"),
		new(table).listener("listener/http", 80, "").listener("listener/more", 81, "").backend("y", b).
			route("s", "listener/http", "/", "y").route("bad", "listener/more", "/", "not-there"),
		new(table).listener("listener/renamed", 80, "").backend("x", a).route("r", "listener/renamed", "/", "x"),
	}
	p := start(t, tables[0].resources)
	at := address(t, p, 80)
	c := client(t)
	var requests atomic.Int64
	var stopped atomic.Bool
	var workers sync.WaitGroup
	for worker := range 8 {
		workers.Go(func() {
			for !stopped.Load() {
				response, err := c.Post("http://"+at+"/", "text/plain", strings.NewReader("x"))
				if err != nil {
					t.Errorf("worker %d: %v", worker, err)
					return
				}
				_, err = io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if err != nil || response.StatusCode != 200 {
					t.Errorf("worker %d: %d, %v", worker, response.StatusCode, err)
					return
				}
				requests.Add(1)
			}
		})
	}
	for i := 0; (i < 300 || requests.Load() < 500) && !t.Failed(); i++ {
		load(t, p, tables[i%len(tables)])
	}
	stopped.Store(true)
	workers.Wait()
	if sum := p.Requests()[forward.Outcome{Status: 200, Reason: forward.ReasonOK}]; sum != uint64(requests.Load()) {
		t.Errorf("counted %d requests, want %d", sum, requests.Load())
	}
}

// A request runs to its end on the table that it began with, though its route, backend and listener are gone.
func TestRequestsInFlightOutliveTheirTable(t *testing.T) {
	reached, finish := make(chan struct{}), make(chan struct{})
	slow := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		close(reached)
		<-finish
		_, _ = io.WriteString(w, "whole")
	})
	p := start(t, new(table).listener("listener/http", 80, "").backend("slow", slow).
		route("r", "listener/http", "/", "slow").resources)
	at := address(t, p, 80)
	answered := make(chan string, 1)
	c := client(t)
	go func() {
		response, err := c.Get("http://" + at + "/")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, _ := io.ReadAll(response.Body)
		answered <- string(body)
	}()
	<-reached
	load(t, p, new(table).listener("listener/other", 81, ""))
	if _, open := p.ListenerAddr(80); open {
		t.Error("the port of a removed listener is still open")
	}
	if conn, err := net.Dial("tcp", at); err == nil {
		_ = conn.Close()
		t.Error("the port of a removed listener still accepts")
	}
	close(finish)
	if body := <-answered; body != "whole" {
		t.Errorf("got %q", body)
	}
}

// Connections that clients and endpoints hold survive a table in which they are still wanted.
func TestConnectionsSurviveTables(t *testing.T) {
	var connections atomic.Int32
	backend := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") }),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		},
	}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = backend.Serve(socket) }()
	t.Cleanup(func() { _ = backend.Close() })

	tables := func(i int) *table {
		return new(table).listener("listener/http", 80, "").backend("x", socket.Addr().String()).
			route(fmt.Sprintf("r%d", i), "listener/http", "/", "x")
	}
	p := start(t, tables(0).resources)
	conn, err := net.Dial("tcp", address(t, p, 80))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	answer := make([]byte, 4096)
	for i := range 20 {
		load(t, p, tables(i))
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			t.Fatalf("table %d: the client's connection is gone: %v", i, err)
		}
		if n, err := conn.Read(answer); err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 200") {
			t.Fatalf("table %d: %q, %v", i, answer[:n], err)
		}
	}
	if count := connections.Load(); count != 1 {
		t.Errorf("%d connections to the endpoint, want 1", count)
	}
}

func TestPortInUseIsReportedAndTaken(t *testing.T) {
	blocker, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	bind := func(c *Config) {
		c.BindAddress = func(port uint16) string {
			if port == 81 {
				return blocker.Addr().String()
			}
			return "127.0.0.1:0"
		}
	}
	b := new(table).listener("listener/a", 80, "").listener("listener/b", 81, "").backend("x", echo(t, "x")).
		route("a", "listener/a", "/", "x").route("b", "listener/b", "/", "x")
	p := start(t, nil, bind)
	failed := load(t, p, b)
	if len(failed) != 1 || failed[0].Resource != "listener/b" || failed[0].Code != config.CodeListenFailed {
		t.Fatalf("errors %v, want one of listener/b", failed)
	}
	if status, _ := get(t, client(t), address(t, p, 80), "h", "/"); status != 200 {
		t.Errorf("the other listener answers %d", status)
	}
	_ = blocker.Close()
	eventually(t, "the port is taken once it is free", func() bool {
		_, open := p.ListenerAddr(81)
		return open
	})
	if status, _ := get(t, client(t), address(t, p, 81), "h", "/"); status != 200 {
		t.Errorf("the listener whose port came free answers %d", status)
	}
	if failed := load(t, p, b); len(failed) != 0 {
		t.Errorf("the same table again: %v, want no errors", failed)
	}
}

func TestReadiness(t *testing.T) {
	p := start(t, nil)
	probe := func(path string) int {
		status, _ := get(t, client(t), p.HealthAddr(), "h", path)
		return status
	}
	if status := probe("/healthz"); status != 200 {
		t.Errorf("a running proxy is healthy: got %d", status)
	}
	if status := probe("/readyz"); status != 503 {
		t.Errorf("a proxy without a table is not ready: got %d", status)
	}
	load(t, p, new(table).listener("listener/http", 80, ""))
	if status := probe("/readyz"); status != 200 {
		t.Errorf("a proxy with a table is ready: got %d", status)
	}
}

// SIGTERM: new connections are served and readiness stays until the delay is over; then the port closes and what is in
// flight finishes.
func TestDrain(t *testing.T) {
	inTime(t, func(limit time.Duration) bool { return drains(t, 10*limit) })
}

// drains says whether the machine was quick enough to look at everything during the delay.
func drains(t *testing.T, delay time.Duration) bool {
	reached, finish := make(chan struct{}), make(chan struct{})
	slow := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		close(reached)
		<-finish
		_, _ = io.WriteString(w, "whole")
	})
	p, stop := startWithStop(t, new(table).listener("listener/http", 80, "").
		backend("slow", slow).backend("x", echo(t, "x")).
		route("slow", "listener/http", "/slow", "slow").route("x", "listener/http", "/", "x").resources,
		func(c *Config) { c.Bootstrap.Drain.Delay = bootstrap.Duration(delay) })
	end := sync.OnceFunc(func() { close(finish) })
	defer end()
	at, health := address(t, p, 80), p.HealthAddr()
	_, before := raw(t, at, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n")
	<-reached

	began := time.Now()
	stop()
	late := func() bool { return time.Since(began) > delay }
	// Asked until the answer shows that the drain has begun: it says so in Connection.
	c := client(t)
	eventually(t, "responses ask the client to connect anew, while the port still accepts", func() bool {
		response, err := c.Get("http://" + at + "/")
		if err != nil {
			if !late() {
				t.Fatalf("during the delay: %v", err)
			}
			return true
		}
		_ = response.Body.Close()
		return response.Close
	})
	status, _ := get(t, c, health, "h", "/readyz")
	if late() {
		return false
	}
	if status != 200 {
		t.Errorf("readiness during the delay: %d, want 200", status)
	}
	eventually(t, "the port closes after the delay", func() bool {
		conn, err := net.Dial("tcp", at)
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	})
	if status, _ := get(t, c, health, "h", "/readyz"); status != 503 {
		t.Errorf("readiness after the delay: %d, want 503", status)
	}
	end()
	response, err := http.ReadResponse(before, nil)
	if err != nil {
		t.Fatalf("the request that was in flight: %v", err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "whole" {
		t.Errorf("the request that was in flight: %q, %v", body, err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("a drain in which all finished: %v", err)
	}
	return true
}

func TestDrainTimeout(t *testing.T) {
	reached := make(chan struct{})
	slow := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		close(reached)
		<-r.Context().Done()
	})
	p, stop := startWithStop(t, new(table).listener("listener/http", 80, "").backend("slow", slow).
		route("slow", "listener/http", "/", "slow").resources,
		func(c *Config) {
			c.Bootstrap.Drain.Delay, c.Bootstrap.Drain.Timeout = 0, bootstrap.Duration(20*time.Millisecond)
		})
	raw(t, address(t, p, 80), "GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	<-reached
	stop()
	if err := p.Wait(); !errors.Is(err, ErrCut) {
		t.Errorf("a drain that had to cut a request says so: got %v", err)
	}
}

func TestStartFailsAsAWhole(t *testing.T) {
	taken := echo(t, "x")
	settings := bootstrap.Default()
	settings.Health.Address = "127.0.0.1:0"
	settings.Admin = &bootstrap.Admin{Address: taken, Certificate: "/nowhere"}
	p, err := Start(context.Background(), Config{Bootstrap: settings})
	if err == nil {
		p.Close()
		t.Fatal("started without an identity")
	}
	if !strings.Contains(err.Error(), "/nowhere") {
		t.Errorf("the error must name the file: %v", err)
	}
}
