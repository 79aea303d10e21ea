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

package config

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestSettings(t *testing.T) {
	lines, none := uint32(5), uint32(0)
	tests := map[string]struct {
		settings []*Settings
		hops     int
		errors   []string
		reason   string
	}{
		"none":     {nil, 0, nil, "nobody is believed"},
		"hops":     {[]*Settings{{Name: "s", TrustedHops: 2}}, 2, nil, "as many as are told"},
		"too many": {[]*Settings{{Name: "s", TrustedHops: 33}}, 0, []string{"s: invalid: trusted_hops: 33 is more than 32"}, "a list has an end"},
		"two": {
			[]*Settings{{Name: "t", TrustedHops: 2}, {Name: "s", TrustedHops: 1}}, 1,
			[]string{"t: invalid: settings: those of s serve; a table has at most one"}, "the first by name serves",
		},
		"limits": {
			[]*Settings{{Name: "s", TrustedHops: 1, Limits: Limits{MaxFields: &lines}}}, 1,
			nil, "what is within bounds serves",
		},
		"limits out of bounds": {
			[]*Settings{{Name: "s", TrustedHops: 1, Limits: Limits{MaxFields: &none, MaxHeaderBytes: &lines, MaxBodyBytes: new(uint64), IdleTimeout: new(time.Duration), StreamTimeout: new(time.Duration)}}}, 1,
			[]string{
				"s: invalid: limits.max_header_bytes: 5 is not between 1024 and 1048576",
				"s: invalid: limits.max_fields: 0 is not between 1 and 10000",
				"s: invalid: limits.max_body_bytes: 0 is not between 1 and 9223372036854775807",
				"s: invalid: limits.idle_timeout: 0s is not between 1ms and 24h0m0s",
			}, "each is named, and the rest serves",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan, errs := Compile(&Snapshot{Settings: test.settings})
			var got []string
			for _, e := range errs {
				got = append(got, e.Error())
			}
			if diff := cmp.Diff(test.errors, got); diff != "" || plan.TrustedHops != test.hops {
				t.Errorf("%s: %d hops, want %d (-want +got):\n%s", test.reason, plan.TrustedHops, test.hops, diff)
			}
		})
	}
}
