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
	"fmt"
	"slices"
	"strings"
)

// test is one part of the benchmark.
type test struct {
	name string
	run  func(ctx context.Context, w *world, r *results) error
}

var tests = []test{
	{"attached-1000", attached(1000)},
	{"attached-5000", attached(5000)},
	{"propagation", propagation},
	{"churn", churn},
	{"listenersets", listenerSets},
}

func testNames() string {
	names := make([]string, len(tests))
	for i := range tests {
		names[i] = tests[i].name
	}
	return strings.Join(names, ", ")
}

// selected are the tests of a list of names, in their own order; all for an empty list.
func selected(names string) ([]test, error) {
	chosen := strings.FieldsFunc(names, func(r rune) bool { return r == ',' || r == ' ' })
	if len(chosen) == 0 {
		return tests, nil
	}
	var found []test
	for _, t := range tests {
		if slices.Contains(chosen, t.name) {
			found = append(found, t)
		}
	}
	for _, name := range chosen {
		if !slices.ContainsFunc(tests, func(t test) bool { return t.name == name }) {
			return nil, fmt.Errorf("no test is called %q; there are %s", name, testNames())
		}
	}
	return found, nil
}
