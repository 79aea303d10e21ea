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
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/testca"
)

// churn gives the tables of a day in a second: each differs from the one before in listeners, certificates, endpoints,
// protocols of backends, rules and settings, and all of them serve what the clients ask for.
func churn(t testing.TB, ca *testca.CA, first, second []string) []*table {
	var tables []*table
	for i := range 12 {
		certificate := []string{"one", "two", "three"}[i%3]
		b := new(table).listener("plain", 80, "").certificate(t, ca, certificate, "a.test").secured("secured", 443, "", certificate).
			backend("h1", first[i%3:i%3+1+i%2]...).second("h2", second[i%2:]...).
			route("rp", "plain", "/", "h1=1", "h2=1").route("rs", "secured", "/", "h2=2", "h1=1").
			route("other", "plain", "/other", "h1=1")
		if i%2 == 0 {
			b.listener("comes-and-goes", 81, "").route("rc", "comes-and-goes", "/", "h1=1")
		}
		if i%4 == 1 {
			b.listener("comes-and-goes", 82, "b.test").secured("more", 443, "b.test", certificate)
		}
		if i%5 == 2 {
			b.settings(&adminv1.Settings{TrustedHops: uint32(i)})
		}
		tables = append(tables, b)
	}
	return tables
}

// descriptors counts those that are open. Pipes that are kept for the next content are no leak: the collector closes them.
func descriptors(t testing.TB) int {
	t.Helper()
	runtime.GC()
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("there is no list of descriptors here")
	}
	return len(open)
}

// Tables change 100 times a second, with listeners, certificates and endpoints, under clients of each kind: no request
// fails, each is counted once, and nothing is left behind.
func TestNothingFailsUnderChurn(t *testing.T) {
	ca := testca.New(t)
	first := []string{echo(t, "a"), echo(t, "b"), echo(t, "c"), echo(t, "d")}
	answer := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "h2") }
	second := []string{serveSecond(t, answer), serveSecond(t, answer)}
	tables := churn(t, ca, first, second)
	round := func(t *testing.T) { underChurn(t, tables, ca) }
	t.Run("once", round) // What is made once in a process is made by now.
	goroutines, open := runtime.NumGoroutine(), descriptors(t)
	t.Run("again", round)
	eventually(t, "as few goroutines as before", func() bool { return runtime.NumGoroutine() <= goroutines })
	eventually(t, "as few descriptors as before", func() bool { return descriptors(t) <= open })
}

func underChurn(t *testing.T, tables []*table, ca *testca.CA) {
	p := start(t, tables[0].resources)
	plain, secured := address(t, p, 80), address(t, p, 443)
	dial := func(ctx context.Context, _, addr string) (net.Conn, error) {
		at := plain
		if strings.HasSuffix(addr, ":443") {
			at = secured
		}
		return (&net.Dialer{}).DialContext(ctx, "tcp", at)
	}
	trusting := &tls.Config{RootCAs: roots(ca), ServerName: "a.test"}
	kinds := map[string]*http.Transport{
		"http://a.test/":                  {DialContext: dial},
		"https://a.test/":                 {DialContext: dial, TLSClientConfig: trusting},
		"https://a.test/?new-connections": {DialContext: dial, TLSClientConfig: trusting, DisableKeepAlives: true},
		"http://a.test/?2":                secondClient(plain, nil),
		"https://a.test/?2":               secondClient(secured, roots(ca)),
	}
	var requests atomic.Int64
	var stopped atomic.Bool
	var workers sync.WaitGroup
	for url, transport := range kinds {
		for worker := range 2 {
			workers.Go(func() {
				for !stopped.Load() {
					request, _ := http.NewRequest(http.MethodPost, url, strings.NewReader(strings.Repeat("x", 1000*worker)))
					response, err := transport.RoundTrip(request)
					if err != nil {
						t.Errorf("%s: %v", url, err)
						return
					}
					_, err = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
					if err != nil || response.StatusCode != 200 {
						t.Errorf("%s: %d, %v", url, response.StatusCode, err)
						return
					}
					requests.Add(1)
				}
			})
		}
	}
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for i := 0; (i < 200 || requests.Load() < 1000) && !t.Failed(); i++ {
		<-ticker.C
		load(t, p, tables[i%len(tables)])
	}
	stopped.Store(true)
	workers.Wait()
	for _, transport := range kinds {
		transport.CloseIdleConnections()
	}
	// A request is counted when its handler returns, which may be after its client has the whole response.
	eventually(t, "each request is counted once", func() bool {
		total := uint64(0)
		for _, count := range p.Requests() {
			total += count
		}
		return total == uint64(requests.Load())
	})
	p.Close()
	t.Logf("%d requests", requests.Load())
}
