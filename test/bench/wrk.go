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
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// result is what a generator measured.
type result struct {
	requests int64
	elapsed  time.Duration
	p50, p99 time.Duration
	errors   int64
}

// errNoResponse says that a generator got none in all its time: the machine was too busy, or the subject hangs.
var errNoResponse = errors.New("no response")

// wrkReport has wrk print its figures as numbers in fixed units on one line, after its own report, which rounds them.
const wrkReport = `
function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format("bench requests=%d us=%d p50=%d p99=%d bytes=%d connect=%d read=%d write=%d status=%d timeout=%d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), summary.bytes,
    e.connect, e.read, e.write, e.status, e.timeout))
end
`

// wrkSpread sends each request to another route. All requests are made beforehand, 5,000 of them however many routes
// there are, so that the generator's own cost is the same.
const wrkSpread = `
local requests, turn = {}, 0
function init(args)
  for n = 0, 4999 do
    local m = n %% %[1]d
    local host = string.format("h%%04d.bench.test", m %% %[2]d)
    requests[n] = wrk.format("GET", string.format("/p%%d%[3]s", math.floor(m / %[2]d)), {["Host"] = host})
  end
end
function request()
  turn = (turn + 1009) %% 5000
  return requests[turn]
end
`

const wrkUpload = `
wrk.method = "POST"
wrk.body = string.rep("x", %d)
`

// wrkScript is the Lua script of a scenario.
func wrkScript(s scenario) string {
	script := wrkReport
	if s.spread {
		script += fmt.Sprintf(wrkSpread, s.routes, hostCount, s.path)
	}
	if s.upload {
		script += fmt.Sprintf(wrkUpload, uploadBytes)
	}
	return script
}

// runWrk loads a subject with wrk.
func runWrk(ctx context.Context, s scenario, at target, d time.Duration) (result, error) {
	script := filepath.Join(at.folder, "wrk.lua")
	if err := os.WriteFile(script, []byte(wrkScript(s)), 0o600); err != nil {
		return result{}, err
	}
	scheme, host, path := "http", "127.0.0.1", s.path
	if s.tls {
		scheme = "https"
	}
	if s.passesThrough() {
		host = wrkHost
	}
	args := []string{
		"--threads", "1", "--connections", fmt.Sprint(s.connections), "--duration", wholeSeconds(d), "--timeout", "10s",
		"--latency", "--script", script, "--header", "Host: " + routeOf(0).host,
	}
	if s.closing {
		args = append(args, "--header", "Connection: close")
	}
	out, err := execute(ctx, "wrk", at.cpus, "wrk", append(args, fmt.Sprintf("%s://%s:%d%s", scheme, host, at.port, path))...)
	if err != nil {
		return result{}, err
	}
	return parseWrk(out, s.responseBytes)
}

// parseWrk reads the line that wrkReport printed. Responses that together are shorter than their number says count as
// errors.
func parseWrk(out string, responseBytes int) (result, error) {
	_, line, found := strings.Cut(out, "\nbench ")
	if !found {
		return result{}, fmt.Errorf("wrk printed no figures: %s", out)
	}
	var requests, us, p50, p99, bytes, connect, read, write, status, timeout int64
	if _, err := fmt.Sscanf(line, "requests=%d us=%d p50=%d p99=%d bytes=%d connect=%d read=%d write=%d status=%d timeout=%d",
		&requests, &us, &p50, &p99, &bytes, &connect, &read, &write, &status, &timeout); err != nil {
		return result{}, fmt.Errorf("wrk's figures %q: %w", strings.TrimSpace(line), err)
	}
	if requests == 0 {
		return result{}, fmt.Errorf("wrk: %w", errNoResponse)
	}
	return result{
		requests: requests,
		elapsed:  time.Duration(us) * time.Microsecond,
		p50:      time.Duration(p50) * time.Microsecond,
		p99:      time.Duration(p99) * time.Microsecond,
		errors:   connect + read + write + status + timeout + missing(requests, bytes, responseBytes),
	}, nil
}

// missing is how many of the responses cannot have been whole.
func missing(responses, bytes int64, responseBytes int) int64 {
	return max(0, responses-bytes/int64(responseBytes))
}

// wholeSeconds is a duration as the generators take it: in seconds, at least one.
func wholeSeconds(d time.Duration) string {
	return fmt.Sprint(max(1, int64((d+time.Second/2)/time.Second)))
}
