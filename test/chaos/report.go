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
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// result is what came of one fault.
type result struct {
	Fault   string    `json:"fault"`
	Class   class     `json:"class"`
	Expects string    `json:"expects"`
	Begin   time.Time `json:"begin"`
	// Seconds are those of the fault itself, Converged those until everything was as it should be again.
	Seconds   float64 `json:"seconds"`
	Converged float64 `json:"converged"`
	// Slowest is how long the slowest request or message took that was answered meanwhile.
	Slowest float64 `json:"slowest"`
	// Hashes are those of the tables that all replicas of a Gateway serve afterwards.
	Hashes map[string]string `json:"hashes"`
	// Explained and Unexplained count the failures that this fault explains, and those since it began that none does.
	Explained   int    `json:"explained"`
	Unexplained int    `json:"unexplained"`
	Error       string `json:"error,omitempty"`
}

func (r *result) passed() bool { return r.Error == "" && r.Unexplained == 0 }

// report is all that a run has to say.
type report struct {
	Seed      uint64          `json:"seed"`
	Seconds   float64         `json:"seconds"`
	Succeeded map[traffic]int `json:"succeeded"`
	Results   []*result       `json:"results"`
	Failures  []*failure      `json:"failures"`
	Passed    int             `json:"passed"`
	Failed    int             `json:"failed"`
}

// attribute counts each failure where it belongs, which may be seen later: a lost datagram is missed when its time is over.
func (r *report) attribute() {
	for _, one := range r.Results {
		one.Explained, one.Unexplained = 0, 0
	}
	for _, f := range r.Failures {
		if f.Explanation == "" {
			r.since(f.Begin).Unexplained++
			continue
		}
		for _, one := range r.Results {
			if explanation(one.Fault, one.Begin) == f.Explanation {
				one.Explained++
			}
		}
	}
}

// since is the last fault that had begun at a moment, or the first.
func (r *report) since(moment time.Time) *result {
	last := r.Results[0]
	for _, one := range r.Results {
		if !one.Begin.After(moment) {
			last = one
		}
	}
	return last
}

// explanation names a fault as it happened.
func explanation(fault string, begin time.Time) string {
	return fmt.Sprintf("%s at %s", fault, begin.Format(time.TimeOnly))
}

// write puts the report into a file.
func (r *report) write(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("make the directory of the report: %w", err)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the report: %w", err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o600); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// print writes the table, what was served and what is not explained.
func (r *report) print(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nFAULT\tTIMES\tSECONDS\tCONVERGED IN\tSLOWEST\tEXPLAINED\tUNEXPLAINED\tRESULT")
	for _, name := range r.names() {
		var n, explained, unexplained int
		var longest, converged, slowest float64
		verdict := "passed"
		for _, one := range r.Results {
			if one.Fault != name {
				continue
			}
			n, explained, unexplained = n+1, explained+one.Explained, unexplained+one.Unexplained
			longest, converged, slowest = max(longest, one.Seconds), max(converged, one.Converged), max(slowest, one.Slowest)
			if !one.passed() {
				verdict = "FAILED"
			}
		}
		fmt.Fprintf(table, "%s\t%d\t%.1f\t%.1f\t%.1f\t%d\t%d\t%s\n", name, n, longest, converged, slowest, explained, unexplained, verdict)
	}
	_ = table.Flush() // It is a table for people.
	served := make([]string, 0, len(r.Succeeded))
	for t, n := range r.Succeeded {
		served = append(served, fmt.Sprintf("%s %d", t, n))
	}
	slices.Sort(served)
	fmt.Fprintf(out, "\nserved: %s\n", strings.Join(served, ", "))
	fmt.Fprintf(out, "failed and explained: %s\n", r.explained())
	for _, one := range r.Results {
		if one.Error != "" {
			fmt.Fprintf(out, "FAILED %s at %s: %s\n", one.Fault, one.Begin.Format(time.TimeOnly), one.Error)
		}
	}
	fmt.Fprintf(out, "\nseed %d, %.0f s: %d passed, %d failed\n", r.Seed, r.Seconds, r.Passed, r.Failed)
}

// names are those of the faults that happened, in the order of the list of all.
func (r *report) names() []string {
	var names []string
	for _, f := range faults() {
		if slices.ContainsFunc(r.Results, func(one *result) bool { return one.Fault == f.name }) {
			names = append(names, f.name)
		}
	}
	return names
}

// explained counts the failures that are explained, by kind.
func (r *report) explained() string {
	counts := map[string]int{}
	for _, f := range r.Failures {
		if f.Explanation == "" {
			continue
		}
		kind := string(f.Traffic)
		if f.Held {
			kind += " cut"
		}
		counts[kind]++
	}
	out := make([]string, 0, len(counts))
	for kind, n := range counts {
		out = append(out, fmt.Sprintf("%s %d", kind, n))
	}
	if len(out) == 0 {
		return "none"
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// show writes one line about a failure.
func (f *failure) show(out io.Writer) {
	kind := "request"
	if f.Held {
		kind = "session"
	}
	fmt.Fprintf(out, "  UNEXPLAINED %s of %s at %s, replica %s, %s to %s: %s\n", f.Traffic, kind, f.Gateway, f.Replica,
		f.Begin.Format("15:04:05.000"), f.End.Format("15:04:05.000"), f.Message)
}
