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
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// answer is what came back for a request.
type answer struct {
	status  int
	backend string // of the echo server; empty where none answered
}

// echoed is the part of an echo server's answer that the suite reads.
type echoed struct {
	Pod string `json:"pod"`
	// Host and Path are as the server received them.
	Host string `json:"host"`
	Path string `json:"path"`
}

// newClient returns an HTTP client for one address. Without keepAlive each request has a connection of its own, and
// so meets the replica that the Service chooses at that moment.
func newClient(keepAlive bool) *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: !keepAlive, MaxIdleConnsPerHost: 8}, Timeout: 10 * time.Second}
}

// get sends one request for the host to the address.
func get(ctx context.Context, c *http.Client, address, host, path string) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return answer{}, fmt.Errorf("making a request for %s%s: %w", host, path, err)
	}
	request.Host = host
	response, err := c.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("requesting %s%s: %w", host, path, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer for %s%s: %w", host, path, err)
	}
	got := answer{status: response.StatusCode}
	var echo echoed
	if response.StatusCode == http.StatusOK {
		if err := json.Unmarshal(body, &echo); err != nil {
			return answer{}, fmt.Errorf("decoding the answer for %s%s: %w", host, path, err)
		}
		got.backend = backendOf(echo.Pod)
	}
	return got, nil
}

// eventuallyAnswers waits until the address answers for the host as wanted.
func eventuallyAnswers(ctx context.Context, address, host string, want answer) {
	GinkgoHelper()
	c := newClient(false)
	Eventually(func() (answer, error) { return get(ctx, c, address, host, "/") }).Should(Equal(want))
}

// count sends n requests, each on its own connection, and counts the answers.
func count(ctx context.Context, address, host string, n int) map[answer]int {
	GinkgoHelper()
	c := newClient(false)
	counts := map[answer]int{}
	for range n {
		got, err := get(ctx, c, address, host, "/")
		Expect(err).NotTo(HaveOccurred())
		counts[got]++
	}
	return counts
}

// load is traffic that goes on in the background until it is ended.
type load struct {
	cancel   context.CancelFunc
	done     sync.WaitGroup
	mu       sync.Mutex
	answers  map[answer]int
	failures []string
}

// startLoad sends requests to the address: half of its workers keep their connection, half open one for each request.
func startLoad(address, host string) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{cancel: cancel, answers: map[answer]int{}}
	for worker := range 4 {
		c := newClient(worker%2 == 0)
		l.done.Go(func() {
			defer c.CloseIdleConnections()
			ticker := time.NewTicker(10 * time.Millisecond)
			defer ticker.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case <-ticker.C:
					l.request(c, address, host)
				}
			}
		})
	}
	DeferCleanup(l.end)
	return l
}

// request is sent with a context of its own, so that ending the load cuts none.
func (l *load) request(c *http.Client, address, host string) {
	start := time.Now()
	got, err := get(context.Background(), c, address, host, "/")
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		l.failures = append(l.failures, fmt.Sprintf("%s after %s: %v", start.Format(time.TimeOnly+".000"), time.Since(start), err))
		return
	}
	l.answers[got]++
	if got.status != http.StatusOK {
		l.failures = append(l.failures, fmt.Sprintf("%s: status %d", start.Format(time.TimeOnly+".000"), got.status))
	}
}

// served is the number of requests that were answered so far.
func (l *load) served() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for _, count := range l.answers {
		n += count
	}
	return n
}

func (l *load) end() {
	l.cancel()
	l.done.Wait()
}

// endsWithoutFailure ends the load, and holds when there was traffic and each request was answered with 200.
func (l *load) endsWithoutFailure() {
	GinkgoHelper()
	before := l.served()
	Eventually(l.served).Should(BeNumerically(">", before+50), "traffic goes on")
	l.end()
	Expect(l.failures).To(BeEmpty(), "of %d requests", l.served()+len(l.failures))
	GinkgoWriter.Printf("%d requests, none failed\n", l.served())
}
