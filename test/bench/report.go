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
	"strings"
)

// figures are the medians of one subject's rounds in one scenario, as they are written to the JSON file.
type figures struct {
	Scenario          string  `json:"scenario"`
	Subject           string  `json:"subject"`
	RequestsPerSecond float64 `json:"requests_per_second"`
	P50MS             float64 `json:"p50_ms"`
	P99MS             float64 `json:"p99_ms"`
	CPUUSPerRequest   float64 `json:"cpu_us_per_request"`
	RSSMiB            float64 `json:"rss_mib"`
	// Errors of all rounds.
	Errors int64 `json:"errors"`
	// KiBPerConnection is resident memory for each connection that is held; in idle scenarios alone.
	KiBPerConnection float64 `json:"kib_per_connection,omitempty"`

	// lowest and highest CPU time per request of the rounds.
	lowest, highest float64
}

// figuresOf sums up a measurement that has samples.
func figuresOf(m measurement) figures {
	of := func(value func(s sample) float64) float64 {
		values := make([]float64, 0, len(m.samples))
		for _, s := range m.samples {
			values = append(values, value(s))
		}
		return median(values)
	}
	f := figures{
		Scenario:          m.scenario.name,
		Subject:           m.subject,
		RequestsPerSecond: rounded(of(sample.requestsPerSecond), 1),
		P50MS:             rounded(of(func(s sample) float64 { return s.p50.Seconds() * 1e3 }), 3),
		P99MS:             rounded(of(func(s sample) float64 { return s.p99.Seconds() * 1e3 }), 3),
		CPUUSPerRequest:   rounded(of(sample.cpuPerRequest), 2),
		RSSMiB:            rounded(of(func(s sample) float64 { return float64(s.rss) / (1 << 20) }), 1),
		KiBPerConnection:  rounded(of(func(s sample) float64 { return s.perConnection / (1 << 10) }), 2),
		lowest:            math.Inf(1),
	}
	for _, s := range m.samples {
		f.Errors += s.errors
		f.lowest, f.highest = min(f.lowest, s.cpuPerRequest()), max(f.highest, s.cpuPerRequest())
	}
	return f
}

// median of values in any order; the mean of the middle two when their number is even, 0 for none.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return sorted[n/2]
	default:
		return (sorted[n/2-1] + sorted[n/2]) / 2
	}
}

func rounded(value float64, digits int) float64 {
	scale := math.Pow10(digits)
	return math.Round(value*scale) / scale
}

// summed gives the figures of what was measured, in order.
func summed(measured []measurement) []figures {
	all := []figures{} // An empty list is [] in JSON.
	for _, m := range measured {
		if len(m.samples) > 0 {
			all = append(all, figuresOf(m))
		}
	}
	return all
}

// writeJSON replaces the file with the figures.
func writeJSON(file string, all []figures) error {
	data, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(data, '\n'), 0o644) //nolint:gosec // for anybody to read
}

// writeMarkdown prints the tables: the figures, and the ratios of CPU time per request.
func writeMarkdown(out io.Writer, measured []measurement) {
	fmt.Fprintln(out, "| scenario | subject | requests/s | p50 ms | p99 ms | CPU us/request (lowest to highest) | RSS MiB | errors |")
	fmt.Fprintln(out, "| --- | --- | --- | --- | --- | --- | --- | --- |")
	var notes []string
	for _, m := range measured {
		if m.unsupported != "" {
			fmt.Fprintf(out, "| %s | %s | not supported | | | | | |\n", m.scenario.name, m.subject)
			notes = append(notes, fmt.Sprintf("- %s, %s: %s", m.scenario.name, m.subject, oneLine(m.unsupported)))
			continue
		}
		f := figuresOf(m)
		rss := fmt.Sprintf("%.1f", f.RSSMiB)
		if m.scenario.load == loadHold {
			rss += fmt.Sprintf(" (%.2f KiB per connection)", f.KiBPerConnection)
		}
		fmt.Fprintf(out, "| %s | %s | %.0f | %.2f | %.2f | %.2f (%.2f to %.2f) | %s | %d |\n",
			f.Scenario, f.Subject, f.RequestsPerSecond, f.P50MS, f.P99MS, f.CPUUSPerRequest, f.lowest, f.highest, rss, f.Errors)
	}
	all := summed(measured)
	writeRatios(out, all)
	if len(notes) > 0 {
		fmt.Fprintf(out, "\nNot supported:\n\n%s\n", strings.Join(notes, "\n"))
	}
}

// writeRatios prints how rauta's CPU time per request compares with the others', and what 5,000 routes cost each.
func writeRatios(out io.Writer, all []figures) {
	cpu := make(map[[2]string]float64)
	for _, f := range all {
		cpu[[2]string{f.Scenario, f.Subject}] = f.CPUUSPerRequest
	}
	var rows []string
	for _, f := range all {
		if f.Subject != "rauta" {
			continue
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", f.Scenario,
			ratio(f.CPUUSPerRequest, cpu[[2]string{f.Scenario, "nginx"}]), ratio(f.CPUUSPerRequest, cpu[[2]string{f.Scenario, "haproxy"}])))
	}
	if len(rows) > 0 {
		fmt.Fprintf(out, "\n| CPU per request | rauta / nginx | rauta / haproxy |\n| --- | --- | --- |\n%s\n", strings.Join(rows, "\n"))
	}
	var routes []string
	for _, name := range []string{"rauta", "nginx", "haproxy"} {
		if many, one := cpu[[2]string{"routes-5000", name}], cpu[[2]string{"routes-1", name}]; many > 0 && one > 0 {
			routes = append(routes, fmt.Sprintf("| %s | %s |", name, ratio(many, one)))
		}
	}
	if len(routes) > 0 {
		fmt.Fprintf(out, "\n| CPU per request | 5,000 routes / 1 route |\n| --- | --- |\n%s\n", strings.Join(routes, "\n"))
	}
}

// ratio of two figures; "-" when there is nothing to compare with.
func ratio(a, b float64) string {
	if b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", a/b)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
