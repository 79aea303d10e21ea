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

package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestLost(t *testing.T) {
	before := Inventory{"services/a/web": {UID: "1"}, "secrets/a/web": {UID: "2"}}
	cases := map[string]struct {
		reason string
		later  Inventory
		want   []string
	}{
		"Unchanged": {"the same objects, written again, are all there", Inventory{
			"services/a/web": {UID: "1", ResourceVersion: "9"}, "secrets/a/web": {UID: "2"}}, nil},
		"More": {"what was added is no loss", Inventory{"services/a/web": {UID: "1"}, "secrets/a/web": {UID: "2"}, "pods/a/x": {}}, nil},
		"Gone": {"an object that is missing is named", Inventory{"secrets/a/web": {UID: "2"}}, []string{"services/a/web is gone"}},
		"Replaced": {"a Service that was made again has lost its address", Inventory{
			"services/a/web": metav1.ObjectMeta{UID: "3"}, "secrets/a/web": {UID: "2"}}, []string{"services/a/web was deleted and made again"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, before.Lost(tc.later)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
