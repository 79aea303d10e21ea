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

package controller

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func TestRetriesGoOn(t *testing.T) {
	limiter := atATime(1).RateLimiter
	for range 1000 {
		if pause := limiter.When(reconcile.Request{}); pause < firstRetry || pause > longestRetry {
			t.Fatalf("the next try comes after %s", pause)
		}
	}
}

// Each controller has those retries: one that is added without would be found when something has failed for long.
func TestAllControllersRetryAlike(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	added := regexp.MustCompile(`(?s)NewControllerManagedBy\(.*?(?:Complete|Build)\(`)
	found := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, chain := range added.FindAllString(string(text), -1) {
			found++
			if !strings.Contains(chain, "WithOptions(atATime(") && !strings.Contains(chain, "WithOptions(options)") {
				t.Errorf("%s: a controller does not have the options of atATime: %s", file, chain)
			}
		}
	}
	if found < 7 {
		t.Errorf("%d controllers were found", found)
	}
}
