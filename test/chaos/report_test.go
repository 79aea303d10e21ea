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
	"testing"
	"time"
)

func TestFailuresAreCountedWhereTheyBelong(t *testing.T) {
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }
	r := &report{
		Results: []*result{
			{Fault: "proxy paused", Begin: at(10)}, {Fault: "route changed", Begin: at(20), Explained: 9, Unexplained: 9},
			{Fault: "proxy paused", Begin: at(30)},
		},
		Failures: []*failure{
			{Begin: at(12), Explanation: explanation("proxy paused", at(10))}, // and missed when the route was changed
			{Begin: at(31), Explanation: explanation("proxy paused", at(30))},
			{Begin: at(32), Explanation: explanation("proxy paused", at(30))},
			{Begin: at(5)},  // before any fault
			{Begin: at(20)}, // as it began
			{Begin: at(29)}, // while it converged
		},
	}
	r.attribute()
	for i, want := range []struct{ explained, unexplained int }{{1, 1}, {0, 2}, {2, 0}} {
		if got := r.Results[i]; got.Explained != want.explained || got.Unexplained != want.unexplained {
			t.Errorf("result %d: %d explained and %d unexplained, want %v", i, got.Explained, got.Unexplained, want)
		}
	}
}
