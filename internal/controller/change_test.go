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
	"testing"
	"time"
)

func TestUntilChange(t *testing.T) {
	now := time.Date(2026, time.May, 1, 0, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		reason string
		at     time.Time
		want   time.Duration
	}{
		"never":            {reason: "nothing is looked at again for the time alone"},
		"soon":             {reason: "a certificate is valid to the end of its last second", at: now.Add(time.Minute), want: time.Minute + time.Second},
		"now":              {reason: "the second is over when it is looked at", at: now, want: time.Second},
		"overdue":          {reason: "what was late is made up for", at: now.Add(-time.Hour), want: time.Second},
		"in a year":        {reason: "a long pause is taken in parts", at: now.AddDate(1, 0, 0), want: longestPause + time.Second},
		"at the end of it": {reason: "9999 says that a certificate does not expire (RFC 5280, section 4.1.2.5), and is further than a duration goes", at: time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC), want: longestPause + time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := untilChange(c.at, now); got != c.want {
				t.Errorf("%s: %s, want %s", c.reason, got, c.want)
			}
		})
	}
}
