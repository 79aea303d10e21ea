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
	"io"
	"net/http"
	"sync/atomic"
	"testing"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// With least-request, an endpoint that hangs gets nothing more while another is free.
func TestLeastRequestLeavesASlowEndpointAlone(t *testing.T) {
	release, hanging := make(chan struct{}), make(chan struct{}, 1)
	slow := func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hang" {
			hanging <- struct{}{}
			<-release
		}
		_, _ = io.WriteString(w, "ok")
	}
	var served [2]atomic.Int64
	b := new(table).listener("l", 80, "").backend("b", serve(t, func(w http.ResponseWriter, r *http.Request) {
		served[0].Add(1)
		slow(w, r)
	}), serve(t, func(w http.ResponseWriter, r *http.Request) {
		served[1].Add(1)
		slow(w, r)
	})).route("r", "l", "/", "b=1")
	for _, resource := range b.resources {
		if backend := resource.GetBackend(); backend != nil {
			backend.Balancing = adminv1.Balancing_BALANCING_LEAST_REQUEST
		}
	}
	p := start(t, b.resources)
	ended := make(chan error, 1)
	go func() {
		response, err := http.Get("http://" + address(t, p, 80) + "/hang")
		if err == nil {
			_ = response.Body.Close()
		}
		ended <- err
	}()
	<-hanging
	busy := 0
	if served[1].Load() == 1 {
		busy = 1
	}
	for range 50 {
		response, err := http.Get("http://" + address(t, p, 80) + "/")
		if err != nil || response.StatusCode != 200 {
			t.Fatal(response, err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
	}
	close(release)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if hung, free := served[busy].Load(), served[1-busy].Load(); hung != 1 || free != 50 {
		t.Errorf("the endpoint that hung got %d requests and the free one %d, want 1 and 50", hung, free)
	}
}

// Backend.max_connections: "A request that would need one more goes to another endpoint, or is answered 503." For HTTP/2
// it bounds connections, not streams.
func TestMaxConnections(t *testing.T) {
	arrived, release := make(chan struct{}, 10), make(chan struct{})
	slow := func(w http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		_, _ = io.WriteString(w, "slow")
	}
	limited := func(b *table) *table {
		b.resources[len(b.resources)-1].GetBackend().MaxConnections = 1
		return b
	}
	b := limited(new(table).listener("l", 80, "").backend("b", serve(t, slow), serve(t, slow)))
	limited(b.second("h2", serveSecond(t, slow)))
	p := start(t, b.route("r", "l", "/", "b=1").route("r2", "l", "/h2", "h2=1").resources)
	ask := func(path string) chan int {
		answered := make(chan int, 1)
		go func() {
			response, err := client(t).Get("http://" + address(t, p, 80) + path)
			if err != nil {
				answered <- 0
				return
			}
			_ = response.Body.Close()
			answered <- response.StatusCode
		}()
		return answered
	}
	first := ask("/")
	<-arrived
	second := ask("/")
	<-arrived // The other endpoint has it.
	if got := <-ask("/"); got != 503 {
		t.Errorf("with both endpoints full: got %d", got)
	}
	third := ask("/h2")
	<-arrived
	fourth := ask("/h2")
	<-arrived // They share the connection.
	close(release)
	for i, answered := range []chan int{first, second, third, fourth, ask("/"), ask("/h2")} {
		if got := <-answered; got != 200 {
			t.Errorf("request %d: got %d", i, got)
		}
	}
}
