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
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/gateway-api/conformance/tests"
	"sigs.k8s.io/gateway-api/pkg/features"

	"github.com/rauta-dev/rauta/internal/topology"
)

// untested are the features that no test of the suite needs, with the test that this repository has instead.
var untested = map[features.FeatureName]string{
	features.SupportHTTPRouteRetryBackendTimeout:  "proxy/retry_test.go",
	features.SupportHTTPRouteRetryConnectionError: "proxy/retry_test.go",
}

// What is claimed and what is meant to pass go together: the suite runs the tests whose features are all claimed.
func TestFeaturesHaveTests(t *testing.T) {
	known := make([]string, 0, len(tests.ConformanceTests))
	for i := range tests.ConformanceTests {
		known = append(known, tests.ConformanceTests[i].ShortName)
	}
	text, err := os.ReadFile("passing.txt")
	if err != nil {
		t.Fatal(err)
	}
	passing, err := ParsePassingList(bytes.NewReader(text), known)
	if err != nil {
		t.Fatal(err)
	}
	claimed := topology.Features(true)
	tested := map[features.FeatureName]bool{}
	for i := range tests.ConformanceTests {
		test := &tests.ConformanceTests[i]
		missing := slices.DeleteFunc(slices.Clone(test.Features), func(name features.FeatureName) bool { return slices.Contains(claimed, name) })
		passes := slices.Contains(passing, test.ShortName)
		// Tests of other profiles need no feature of these.
		other := slices.ContainsFunc(test.Features, func(name features.FeatureName) bool { return strings.HasPrefix(string(name), "Mesh") })
		switch {
		case passes && len(missing) > 0:
			t.Errorf("%s is meant to pass, and is not run while %v are not claimed", test.ShortName, missing)
		case !passes && !other && len(missing) == 0:
			t.Errorf("%s is run, as all its features are claimed, and is not listed as meant to pass", test.ShortName)
		case passes:
			for _, name := range test.Features {
				tested[name] = true
			}
		}
	}
	for _, name := range claimed {
		if (untested[name] != "") == tested[name] {
			t.Errorf("%s is claimed, and no test that is meant to pass has to do with it, or one has and %q is not needed any more", name, untested[name])
		}
	}
}
