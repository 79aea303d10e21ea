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
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// figure is one measurement, as it is written to the JSON file.
type figure struct {
	Test   string  `json:"test"`
	Metric string  `json:"metric"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
}

type report struct {
	figures []figure
}

// results are the report of one test.
type results struct {
	report *report
	test   string
}

func (r *report) of(test string) *results { return &results{report: r, test: test} }

func (r *results) add(metric string, value float64, unit string) {
	value = math.Round(value*1000) / 1000
	r.report.figures = append(r.report.figures, figure{Test: r.test, Metric: metric, Value: value, Unit: unit})
	progress("  %s: %v %s", metric, value, unit)
}

func (r *results) seconds(metric string, d time.Duration) { r.add(metric, d.Seconds(), "s") }

func (r *results) mib(metric string, bytes int64) { r.add(metric, float64(bytes)/(1<<20), "MiB") }

// lags adds the middle, the 99th percentile and the longest of some times.
func (r *results) lags(metric string, lags []time.Duration) {
	sorted := slices.Sorted(slices.Values(lags))
	r.add(metric+"_p50", quantile(sorted, 0.5).Seconds()*1e3, "ms")
	r.add(metric+"_p99", quantile(sorted, 0.99).Seconds()*1e3, "ms")
	r.add(metric+"_max", quantile(sorted, 1).Seconds()*1e3, "ms")
}

// quantile of times in order: the smallest that the given part of them does not exceed; 0 for none.
func quantile(sorted []time.Duration, part float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	at := int(math.Ceil(part*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)]
}

func (r *report) print(out io.Writer) {
	fmt.Fprintln(out, "| test | metric | value | unit |")
	fmt.Fprintln(out, "| --- | --- | --- | --- |")
	for _, f := range r.figures {
		fmt.Fprintf(out, "| %s | %s | %v | %s |\n", f.Test, f.Metric, f.Value, f.Unit)
	}
}

// write replaces the file with the figures.
func (r *report) write(file string) error {
	data, err := json.MarshalIndent(append([]figure{}, r.figures...), "", "  ") // An empty list is [] in JSON.
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644) //nolint:gosec // for anybody to read
}
