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
	"strings"
	"testing"
)

func TestBalancing(t *testing.T) {
	tests := []struct {
		balancing     Balancing
		planned, less bool
		reason        string
	}{
		{BalancingUnset, true, false, "in turn is what a backend has that says nothing"},
		{BalancingRoundRobin, true, false, "in turn"},
		{BalancingLeastRequest, true, true, "by requests under way"},
		{3, false, false, "a way of a later version is not guessed at"},
	}
	for _, test := range tests {
		plan, errs := Compile(&Snapshot{
			Backends:  []*Backend{{Name: "b", Protocol: BackendHTTP1, Endpoints: "e", Balancing: test.balancing}},
			Endpoints: []*Endpoints{{Name: "e"}},
		})
		if test.planned != (len(plan.Backends) == 1) || test.planned != (len(errs) == 0) {
			t.Errorf("%d: got %v, %v: %s", test.balancing, plan.Backends, errs, test.reason)
			continue
		}
		if test.planned && plan.Backends[0].LeastRequest != test.less {
			t.Errorf("%d: least request is %t: %s", test.balancing, !test.less, test.reason)
		}
		if !test.planned && !strings.Contains(errs[0].Error(), "balancing: 3 is not known") {
			t.Errorf("got %v", errs)
		}
	}
}
