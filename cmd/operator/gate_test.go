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
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// gate is one operator's way to the API server, which notes what the operator writes and can be shut.
type gate struct {
	kubeconfig string
	server     *httptest.Server

	mu sync.Mutex
	// writes are the requests that were not just for reading, but for those of leases and Events.
	writes []string
	// open is closed while requests pass, and leases while those of leases do.
	open, leases chan struct{}
}

func newGate(t *testing.T, to *rest.Config) *gate {
	t.Helper()
	target, err := url.Parse(to.Host)
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(to)
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{open: passing(), leases: passing()}
	onward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport, FlushInterval: -1,
		// A client that leaves is no piece of news.
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	g.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.pass(r) {
			onward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(g.server.Close)
	// A server that is closed waits for the requests that it holds up.
	t.Cleanup(func() { g.server.CloseClientConnections(); g.reopen() })
	g.kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	err = clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"gate": {Server: g.server.URL}},
		Contexts:       map[string]*clientcmdapi.Context{"gate": {Cluster: "gate"}},
		CurrentContext: "gate",
	}, g.kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func passing() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// pass waits until a request may pass; false when its client does not wait so long.
func (g *gate) pass(r *http.Request) bool {
	g.mu.Lock()
	ways := []chan struct{}{g.open}
	lease := strings.Contains(r.URL.Path, "/leases")
	if lease {
		ways = append(ways, g.leases)
	}
	g.mu.Unlock()
	for _, way := range ways {
		select {
		case <-way:
		case <-r.Context().Done():
			return false
		}
	}
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if reads || lease || strings.Contains(r.URL.Path, "/events") {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.writes = append(g.writes, r.Method+" "+r.URL.Path)
	return true
}

// shut cuts what is under way, and holds up everything that comes.
func (g *gate) shut() {
	g.mu.Lock()
	g.open = make(chan struct{})
	g.mu.Unlock()
	g.server.CloseClientConnections()
}

// holdLeases holds up what has to do with leases.
func (g *gate) holdLeases() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.leases = make(chan struct{})
}

// reopen lets everything pass again.
func (g *gate) reopen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, way := range []chan struct{}{g.open, g.leases} {
		select {
		case <-way:
		default:
			close(way)
		}
	}
}

// written are the writes since it was asked last.
func (g *gate) written() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	writes := slices.Clone(g.writes)
	g.writes = nil
	return writes
}

// environment is that of a process which goes through the gate.
func (g *gate) environment() []string { return append(os.Environ(), "KUBECONFIG="+g.kubeconfig) }
