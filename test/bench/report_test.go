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
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// taken is a sample of a thousand requests in a second.
func taken(cpu time.Duration, p50, p99 time.Duration, rssMiB, errors int64) sample {
	return sample{
		result: result{requests: 1000, elapsed: time.Second, p50: p50, p99: p99, errors: errors},
		cpu:    cpu, rss: rssMiB << 20,
	}
}

func measuredForTest() []measurement {
	small, h2 := scenario{name: "h1-small"}, scenario{name: "h2-tls"}
	one, many := scenario{name: "routes-1"}, scenario{name: "routes-5000"}
	const ms = time.Millisecond
	return []measurement{
		{scenario: small, subject: "rauta", samples: []sample{taken(9*ms, 3*ms, 8*ms, 12, 1), taken(30*ms, ms, 9*ms, 10, 0), taken(8*ms, 2*ms, 7*ms, 11, 2)}},
		{scenario: small, subject: "nginx", samples: []sample{taken(10*ms, ms, ms, 20, 0)}},
		{scenario: h2, subject: "rauta", unsupported: "rauta has ended:\n unknown field"},
		{scenario: h2, subject: "haproxy", samples: []sample{taken(5*ms, ms, ms, 20, 0)}},
		{scenario: one, subject: "rauta", samples: []sample{taken(10*ms, ms, ms, 20, 0)}},
		{scenario: many, subject: "rauta", samples: []sample{taken(11*ms, ms, ms, 20, 0)}},
	}
}

func TestSummed(t *testing.T) {
	got := summed(measuredForTest())
	want := []figures{
		{Scenario: "h1-small", Subject: "rauta", RequestsPerSecond: 1000, P50MS: 2, P99MS: 8, CPUUSPerRequest: 9, RSSMiB: 11, Errors: 3, lowest: 8, highest: 30},
		{Scenario: "h1-small", Subject: "nginx", RequestsPerSecond: 1000, P50MS: 1, P99MS: 1, CPUUSPerRequest: 10, RSSMiB: 20, lowest: 10, highest: 10},
		{Scenario: "h2-tls", Subject: "haproxy", RequestsPerSecond: 1000, P50MS: 1, P99MS: 1, CPUUSPerRequest: 5, RSSMiB: 20, lowest: 5, highest: 5},
	}
	if diff := cmp.Diff(want, got[:3], cmp.AllowUnexported(figures{}), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("each figure is its own median, errors add up, and what is not supported has none (-want +got):\n%s", diff)
	}
}

func TestJSON(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bench", "proxy.json")
	if err := writeJSON(file, summed(measuredForTest())); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"scenario": "h1-small", "subject": "rauta", "requests_per_second": 1000.0, "p50_ms": 2.0, "p99_ms": 8.0,
		"cpu_us_per_request": 9.0, "rss_mib": 11.0, "errors": 3.0,
	}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		t.Errorf("the fields that others read (-want +got):\n%s", diff)
	}
	if err := writeJSON(file, summed(nil)); err != nil {
		t.Fatal(err)
	}
	if data, err = os.ReadFile(file); err != nil || string(data) != "[]\n" {
		t.Errorf("%q, %v: an empty list is a list, not null", data, err)
	}
}

func TestMarkdown(t *testing.T) {
	var out strings.Builder
	writeMarkdown(&out, measuredForTest())
	for reason, line := range map[string]string{
		"medians with their spread":                        "| h1-small | rauta | 1000 | 2.00 | 8.00 | 9.00 (8.00 to 30.00) | 11.0 | 3 |",
		"no figures for what is not supported":             "| h2-tls | rauta | not supported | | | | | |",
		"the reason is on one line":                        "- h2-tls, rauta: rauta has ended: unknown field",
		"a ratio with nginx, none with whom was not there": "| h1-small | 0.90 | - |",
		"the cost of many routes for whom both were taken": "| rauta | 1.10 |",
	} {
		if !strings.Contains(out.String(), line) {
			t.Errorf("%s: no line %q in\n%s", reason, line, out.String())
		}
	}
	if strings.Contains(out.String(), "| h2-tls | - |") || strings.Contains(out.String(), "| haproxy | - |") {
		t.Errorf("a ratio of nothing in\n%s", out.String())
	}
}

func TestMedian(t *testing.T) {
	tests := map[string]struct {
		reason string
		values []float64
		want   float64
	}{
		"none": {"no samples, no figure", nil, 0},
		"odd":  {"the middle one, in whatever order they came", []float64{9, 1, 5}, 5},
		"even": {"the mean of the two in the middle", []float64{4, 1, 2, 9}, 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := median(test.values); got != test.want {
				t.Errorf("%s: got %v, want %v", test.reason, got, test.want)
			}
		})
	}
}
