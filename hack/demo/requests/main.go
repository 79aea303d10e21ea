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

// Command requests sends requests for one host to one address and counts which backend answered, for `make demo`:
//
//	requests -n 200 -host shop.example -want checkout-v1=90,checkout-v2=10 192.0.2.1:80
//
// It exits with 1 unless every answer was a 200 of one of the wanted backends, each of which got its share within a
// tolerance.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// share is the percentage of answers that a backend should give.
type share struct {
	backend string
	percent float64
}

// outcome counts answers by backend, and everything else by what it was.
type outcome struct {
	backends map[string]int
	failures map[string]int
}

func main() {
	n := flag.Int("n", 100, "how many requests")
	host := flag.String("host", "", "host that is asked for")
	path := flag.String("path", "/", "path that is asked for")
	want := flag.String("want", "", "backends and their percentages: name=90,other=10")
	wait := flag.Duration("wait", 30*time.Second, "how long the first good answer may take")
	flag.Parse()
	shares, err := parseShares(*want)
	if err != nil || flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "requests: -want and one address are needed:", err)
		os.Exit(2)
	}
	ask := asker{url: "http://" + flag.Arg(0) + *path, host: *host, client: &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second,
	}}
	ask.untilAnswered(*wait)
	got := outcome{backends: map[string]int{}, failures: map[string]int{}}
	for range *n {
		backend, err := ask.once()
		if err != nil {
			got.failures[err.Error()]++
			continue
		}
		got.backends[backend]++
	}
	if !report(os.Stdout, got, shares, *n) {
		os.Exit(1)
	}
}

func parseShares(text string) ([]share, error) {
	var shares []share
	for part := range strings.SplitSeq(text, ",") {
		name, percent, ok := strings.Cut(part, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not name=percentage", part)
		}
		value, err := strconv.ParseFloat(percent, 64)
		if err != nil {
			return nil, fmt.Errorf("reading the percentage of %s: %w", name, err)
		}
		shares = append(shares, share{name, value})
	}
	return shares, nil
}

// asker sends one kind of request.
type asker struct {
	url, host string
	client    *http.Client
}

// once sends one request and returns the backend whose echo server answered.
func (a asker) once() (string, error) {
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, a.url, nil)
	if err != nil {
		return "", fmt.Errorf("making the request: %w", err)
	}
	if a.host != "" {
		request.Host = a.host
	}
	response, err := a.client.Do(request)
	if err != nil {
		return "", fmt.Errorf("sending the request: %w", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", fmt.Errorf("reading the answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %s", response.Status)
	}
	var echo struct {
		Pod string `json:"pod"`
	}
	if err := json.Unmarshal(body, &echo); err != nil {
		return "", fmt.Errorf("decoding the answer: %w", err)
	}
	return backendOf(echo.Pod), nil
}

// backendOf returns the Deployment that a pod's name was made from.
func backendOf(pod string) string {
	parts := strings.Split(pod, "-")
	return strings.Join(parts[:max(0, len(parts)-2)], "-")
}

// untilAnswered waits for the first good answer: an address that was assigned this moment may take one to work.
func (a asker) untilAnswered(limit time.Duration) {
	deadline := time.Now().Add(limit)
	for time.Now().Before(deadline) {
		if _, err := a.once(); err == nil {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// report prints what came back, and says whether it was as wanted. A share may be off by 10 percentage points: more
// than three standard deviations of 100 random choices at any weight that the demo uses.
func report(w io.Writer, got outcome, shares []share, n int) bool {
	const tolerance = 10.0
	right := len(got.failures) == 0
	for _, s := range shares {
		count := got.backends[s.backend]
		delete(got.backends, s.backend)
		percent := 100 * float64(count) / float64(n)
		mark := "ok"
		if percent < s.percent-tolerance || percent > s.percent+tolerance || (count == 0 && s.percent > 0) {
			mark, right = "WRONG", false
		}
		bar := strings.Repeat("#", int(percent/2.5))
		fmt.Fprintf(w, "    %-20s %4d of %d  %5.1f %% (weight %3.0f %%)  %-40s %s\n", s.backend, count, n, percent, s.percent, bar, mark)
	}
	for _, name := range sortedKeys(got.backends) {
		fmt.Fprintf(w, "    %-20s %4d of %d  WRONG: no backend of this route\n", name, got.backends[name], n)
		right = false
	}
	for _, failure := range sortedKeys(got.failures) {
		fmt.Fprintf(w, "    FAILED %d times: %s\n", got.failures[failure], failure)
	}
	return right
}

func sortedKeys(m map[string]int) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
