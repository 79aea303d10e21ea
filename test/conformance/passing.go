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

// Package conformance runs the official Gateway API conformance suite against RAUTA, and holds the list of its tests that
// are meant to pass at this stage. docs/conformance.md tells how to run it.
package conformance

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
)

// PassingList is the set of the suite's tests, by short name, that are meant to pass.
type PassingList []string

// ParsePassingList reads one short name a line; text after '#' and empty lines are ignored. A name that is written twice,
// or that is not among known (the suite's tests), is an error: a list with a misspelt name would check less than it says.
func ParsePassingList(r io.Reader, known []string) (PassingList, error) {
	var list PassingList
	scanner := bufio.NewScanner(r)
	for line := 1; scanner.Scan(); line++ {
		name, _, _ := strings.Cut(scanner.Text(), "#")
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("line %d: the suite has no test %q", line, name)
		}
		if slices.Contains(list, name) {
			return nil, fmt.Errorf("line %d: %q is listed twice", line, name)
		}
		list = append(list, name)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("reading the list of passing tests: %w", err)
	}
	return list, nil
}

// Others returns the known tests that are not in the list, in their order.
func (l PassingList) Others(known []string) []string {
	var others []string
	for _, name := range known {
		if !slices.Contains(l, name) {
			others = append(others, name)
		}
	}
	return others
}
