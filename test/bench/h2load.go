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
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// runH2load loads a subject with h2load. Its report has no percentiles, its log has the time of each request.
func runH2load(ctx context.Context, s scenario, at target, d time.Duration) (result, error) {
	log := filepath.Join(at.folder, "h2load.log")
	if err := os.Remove(log); err != nil && !errors.Is(err, os.ErrNotExist) {
		return result{}, err
	}
	scheme := "http"
	if s.tls {
		scheme = "https"
	}
	args := []string{
		"--threads=1", fmt.Sprintf("--clients=%d", s.connections), fmt.Sprintf("--max-concurrent-streams=%d", s.streams),
		"--duration=" + wholeSeconds(d), "--log-file=" + log, fmt.Sprintf("--connect-to=127.0.0.1:%d", at.port),
	}
	if s.grpc {
		body := filepath.Join(at.folder, "call")
		// One empty message: not compressed, no bytes.
		if err := os.WriteFile(body, make([]byte, 5), 0o600); err != nil {
			return result{}, err
		}
		args = append(args, "--data="+body, "--header=content-type: application/grpc", "--header=te: trailers")
	}
	out, err := execute(ctx, "h2load", at.cpus, "h2load", append(args, fmt.Sprintf("%s://%s%s", scheme, routeOf(0).host, s.path))...)
	if err != nil {
		return result{}, err
	}
	measured, err := parseH2load(out, s.responseBytes)
	if err != nil {
		return result{}, err
	}
	opened, err := os.Open(log)
	if err != nil {
		return result{}, err
	}
	defer func() { _ = opened.Close() }()
	measured.p50, measured.p99, err = h2loadLatencies(opened)
	return measured, err
}

var (
	h2loadFinished = regexp.MustCompile(`(?m)^finished in ([0-9.]+(?:us|ms|s|m)), `)
	h2loadRequests = regexp.MustCompile(`(?m)^requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout`)
	h2loadTraffic  = regexp.MustCompile(`(?m)^traffic: .* \((\d+)\) data$`)
)

// parseH2load reads h2load's report. Requests that did not succeed are errors, and so are responses that together are
// shorter than their number says: a gRPC call that failed has the status 200 too, but no message.
func parseH2load(out string, responseBytes int) (result, error) {
	finished := h2loadFinished.FindStringSubmatch(out)
	requests := h2loadRequests.FindStringSubmatch(out)
	traffic := h2loadTraffic.FindStringSubmatch(out)
	if finished == nil || requests == nil || traffic == nil {
		return result{}, fmt.Errorf("h2load's report was not understood: %s", out)
	}
	elapsed, err := time.ParseDuration(finished[1])
	if err != nil {
		return result{}, fmt.Errorf("h2load's duration: %w", err)
	}
	var numbers [5]int64
	for i, text := range append(requests[1:3:3], requests[3], traffic[1]) {
		if numbers[i], err = strconv.ParseInt(text, 10, 64); err != nil {
			return result{}, fmt.Errorf("h2load's count: %w", err)
		}
	}
	done, succeeded, failed, data := numbers[0], numbers[1], numbers[2], numbers[3]
	if succeeded == 0 || elapsed <= 0 {
		return result{}, fmt.Errorf("h2load: %w: %s", errNoResponse, out)
	}
	return result{requests: done, elapsed: elapsed, errors: max(failed, done-succeeded) + missing(succeeded, data, responseBytes)}, nil
}

// h2loadLatencies reads h2load's log: per request its start, its status, and the microseconds that it took, separated
// by tabs.
func h2loadLatencies(log io.Reader) (p50, p99 time.Duration, err error) {
	var took []time.Duration
	lines := bufio.NewScanner(log)
	for line := 1; lines.Scan(); line++ {
		fields := strings.Split(lines.Text(), "\t")
		if len(fields) < 3 {
			return 0, 0, fmt.Errorf("h2load's log: line %d: %q has no three columns", line, lines.Text())
		}
		if fields[1] == "-1" {
			continue // The stream failed, and is counted as an error.
		}
		us, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("h2load's log: line %d: %w", line, err)
		}
		took = append(took, time.Duration(us)*time.Microsecond)
	}
	if err := lines.Err(); err != nil {
		return 0, 0, fmt.Errorf("h2load's log: %w", err)
	}
	if len(took) == 0 {
		return 0, 0, errors.New("h2load's log is empty")
	}
	slices.Sort(took)
	return percentile(took, 50), percentile(took, 99), nil
}

// percentile is the value that p percent of the sorted values do not exceed (nearest rank).
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*p+99)/100-1)]
}
