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
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var asResult = cmp.AllowUnexported(result{})

const wrkOutput = `Running 1s test @ https://127.0.0.1:28443/
  1 threads and 4 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   348.79us    1.61ms  20.37ms   97.37%
    Req/Sec    32.22k     4.26k   36.83k    80.00%
  Latency Distribution
     50%   98.00us
     75%  124.00us
     90%  192.00us
     99%    9.46ms
  31999 requests in 1.00s, 4.55MB read
Requests/sec:  31981.89
Transfer/sec:      4.54MB
`

func TestParseWrk(t *testing.T) {
	tests := map[string]struct {
		reason string
		out    string
		want   result
		err    string
	}{
		"figures": {
			reason: "they are taken from our own line, not from wrk's rounded ones",
			out:    wrkOutput + "bench requests=31999 us=1000535 p50=98 p99=9461 bytes=4771000 connect=0 read=0 write=0 status=0 timeout=0\n",
			want:   result{requests: 31999, elapsed: 1000535 * time.Microsecond, p50: 98 * time.Microsecond, p99: 9461 * time.Microsecond},
		},
		"errors of all kinds": {
			reason: "each is an error, whoever was at fault",
			out:    wrkOutput + "bench requests=10 us=1000000 p50=1 p99=2 bytes=1000 connect=1 read=2 write=4 status=8 timeout=16\n",
			want:   result{requests: 10, elapsed: time.Second, p50: time.Microsecond, p99: 2 * time.Microsecond, errors: 31},
		},
		"short responses": {
			reason: "200 bytes are at most two responses of 70, whatever their status was",
			out:    wrkOutput + "bench requests=10 us=1000000 p50=1 p99=2 bytes=200 connect=0 read=0 write=0 status=0 timeout=0\n",
			want:   result{requests: 10, elapsed: time.Second, p50: time.Microsecond, p99: 2 * time.Microsecond, errors: 8},
		},
		"nothing": {
			reason: "no response is no figure",
			out:    wrkOutput + "bench requests=0 us=1000000 p50=0 p99=0 bytes=0 connect=0 read=0 write=0 status=0 timeout=0\n",
			err:    "no response",
		},
		"no line":   {reason: "wrk ended before its end", out: wrkOutput, err: "no figures"},
		"half line": {reason: "wrk ended while it wrote", out: wrkOutput + "bench requests=10 us=1000", err: "unexpected EOF"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseWrk(test.out, 70)
			check(t, test.reason, got, test.want, err, test.err)
		})
	}
}

// h2loadOutput is what h2load printed about a server that closed both connections after 1,000 requests each.
const h2loadOutput = `starting benchmark...
spawning thread #0: 2 total client(s). Timing-based test with 0s of warm-up time and 1s of main duration for measurements.
TLS Protocol: TLSv1.3
Application protocol: h2
Process Request Failure:2
Main benchmark duration is over for thread #0. Stopping all clients.

finished in 1.00s, 2000.00 req/s, 132.94KB/s
requests: 2003 total, 2006 started, 2003 done, 2000 succeeded, 3 failed, 3 errored, 0 timeout
status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 132.94KB (136132) total, 93.75KB (96000) headers (space savings 51.02%), 3.91KB (4000) data
                     min         max         mean         sd        +/- sd
time for request:       30us      4.22ms       193us       378us    96.85%
req/s           :   14756.91    15158.64    14957.78      284.07   100.00%
`

func TestParseH2load(t *testing.T) {
	tests := map[string]struct {
		reason string
		out    string
		bytes  int
		want   result
		err    string
	}{
		"failures": {
			reason: "streams that failed are done too, and are errors",
			out:    h2loadOutput, bytes: 2,
			want: result{requests: 2003, elapsed: time.Second, errors: 3},
		},
		"statuses": {
			reason: "a response with another status than 2xx did not succeed, though h2load does not always say that it failed",
			out:    strings.Replace(h2loadOutput, "2003 done, 2000 succeeded, 3 failed", "2003 done, 1900 succeeded, 3 failed", 1), bytes: 2,
			want: result{requests: 2003, elapsed: time.Second, errors: 103},
		},
		"no messages": {
			reason: "gRPC calls that fail have the status 200 and no message",
			out:    h2loadOutput, bytes: 8,
			want: result{requests: 2003, elapsed: time.Second, errors: 1503},
		},
		"milliseconds": {
			reason: "h2load chooses the unit by the value",
			out:    strings.Replace(h2loadOutput, "finished in 1.00s", "finished in 998.50ms", 1), bytes: 2,
			want: result{requests: 2003, elapsed: 998500 * time.Microsecond, errors: 3},
		},
		"nothing": {
			reason: "no response is no figure",
			out:    strings.Replace(h2loadOutput, "2000 succeeded", "0 succeeded", 1), bytes: 2, err: "no response",
		},
		"another program": {reason: "a version with another report must not give zeros", out: "usage: h2load", bytes: 2, err: "not understood"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseH2load(test.out, test.bytes)
			check(t, test.reason, got, test.want, err, test.err)
		})
	}
}

func TestH2loadLatencies(t *testing.T) {
	var log strings.Builder
	log.WriteString("1795405360169236\t-1\t999999\n")
	for range 97 {
		log.WriteString("1795405360169236\t200\t3501\n")
	}
	log.WriteString("1795405360169236\t200\t8000\n1795405360169236\t200\t7000\textra\n1795405360169236\t503\t9000\n")
	p50, p99, err := h2loadLatencies(strings.NewReader(log.String()))
	if err != nil || p50 != 3501*time.Microsecond || p99 != 8*time.Millisecond {
		t.Errorf("p50 %v, p99 %v, %v: want the 50th and the 99th of 100 times, without the stream that failed", p50, p99, err)
	}
	for reason, text := range map[string]string{
		"there is nothing to take a percentile of": "",
		"a line has too few columns":               "1795405360169236\t200\n",
		"a time is not a number":                   "1795405360169236\t200\tfast\n",
	} {
		if _, _, err := h2loadLatencies(strings.NewReader(text)); err == nil {
			t.Errorf("no error, though %s", reason)
		}
	}
}

func TestPercentile(t *testing.T) {
	tests := map[string]struct {
		reason  string
		count   int
		percent int
		want    time.Duration
	}{
		"none":            {"an empty list must not panic", 0, 50, 0},
		"one":             {"the only value is every percentile", 1, 50, 1},
		"median":          {"half of the values do not exceed it", 100, 50, 50},
		"99th of 100":     {"the highest one is above it", 100, 99, 99},
		"99th of few":     {"of fewer than 100 values it is the highest", 10, 99, 10},
		"median of three": {"nearest rank rounds up", 3, 50, 2},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			sorted := make([]time.Duration, test.count)
			for i := range sorted {
				sorted[i] = time.Duration(i + 1)
			}
			if got := percentile(sorted, test.percent); got != test.want {
				t.Errorf("%s: got %d, want %d", test.reason, got, test.want)
			}
		})
	}
}

func TestParseSummary(t *testing.T) {
	tests := map[string]struct {
		reason string
		line   string
		want   result
		err    string
	}{
		"figures": {
			reason: "what the generator's process measured, some errors among it",
			line:   `{"requests":10,"errors":1,"elapsed_us":2000,"p50_us":3,"p99_us":4,"fault":"x"}`,
			want:   result{requests: 10, errors: 1, elapsed: 2 * time.Millisecond, p50: 3 * time.Microsecond, p99: 4 * time.Microsecond},
		},
		"only errors": {reason: "the first error says why", line: `{"requests":10,"errors":10,"fault":"connection refused"}`, err: "connection refused"},
		"not JSON":    {reason: "a process that panics prints something else", line: "panic:", err: "panic:"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := parseSummary([]byte(test.line))
			check(t, test.reason, got, test.want, err, test.err)
		})
	}
}

func check(t *testing.T, reason string, got, want result, err error, message string) {
	t.Helper()
	if message != "" {
		if err == nil || !strings.Contains(err.Error(), message) {
			t.Errorf("%s: error %v, want one with %q", reason, err, message)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", reason, err)
	}
	if diff := cmp.Diff(want, got, asResult); diff != "" {
		t.Errorf("%s (-want +got):\n%s", reason, diff)
	}
}
