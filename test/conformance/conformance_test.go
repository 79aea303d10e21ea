//go:build conformance

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

package conformance

import (
	"bytes"
	"flag"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	official "sigs.k8s.io/gateway-api/conformance"
	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/conformance/utils/suite"
)

var (
	passingFile = flag.String("passing", "passing.txt", "File with the short names of the tests that are meant to pass.")
	onlyPassing = flag.Bool("only-passing", false, "Run the tests of -passing alone, and fail when one of them was skipped.")
)

// outcomes notes how each test of the suite ended. Tests of the suite may run in parallel.
type outcomes struct {
	mu     sync.Mutex
	byName map[string]string
}

func (o *outcomes) note(t *testing.T, test suite.ConformanceTest, _ *suite.ConformanceTestSuite) {
	outcome := "passed"
	switch {
	case t.Failed():
		outcome = "failed"
	case t.Skipped():
		outcome = "skipped"
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.byName[test.ShortName] = outcome
}

// names returns the tests that ended so, sorted.
func (o *outcomes) names(outcome string) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	var names []string
	for name, got := range o.byName {
		if got == outcome {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestConformance runs the official suite. The suite's own flags apply (-gateway-class, -conformance-profiles, -run-test,
// -report-output, ...).
func TestConformance(t *testing.T) {
	known := make([]string, 0, len(tests.ConformanceTests))
	for _, test := range tests.ConformanceTests {
		known = append(known, test.ShortName)
	}
	text, err := os.ReadFile(*passingFile)
	if err != nil {
		t.Fatalf("reading the list of passing tests: %v", err)
	}
	passing, err := ParsePassingList(bytes.NewReader(text), known)
	if err != nil {
		t.Fatalf("%s: %v", *passingFile, err)
	}

	opts := official.DefaultOptions(t)
	ended := &outcomes{byName: map[string]string{}}
	opts.Hook = ended.note
	if *onlyPassing {
		opts.SkipTests = append(opts.SkipTests, passing.Others(known)...)
	}
	// Cleanup, since the suite's parallel tests end after this function has returned.
	t.Cleanup(func() {
		t.Logf("PASSED: %s", strings.Join(ended.names("passed"), " "))
		t.Logf("FAILED: %s", strings.Join(ended.names("failed"), " "))
		if opts.RunTest != "" {
			return
		}
		passed := ended.names("passed")
		for _, name := range passing {
			if !slices.Contains(passed, name) {
				t.Errorf("%s is meant to pass, and did not (failed, or skipped since a feature it needs is not claimed any more)", name)
			}
		}
	})
	official.RunConformanceWithOptions(t, opts)
}
