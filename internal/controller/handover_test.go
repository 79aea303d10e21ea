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

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rauta-dev/rauta/internal/push"
)

func TestReplicasOf(t *testing.T) {
	pod := func(uid types.UID, address string, ready *bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{
			Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: ready},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", UID: uid},
		}
	}
	slice := func(name string, endpoints ...discoveryv1.Endpoint) *discoveryv1.EndpointSlice {
		return &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Name: name}, Endpoints: endpoints}
	}
	cases := map[string]struct {
		reason string
		found  []*discoveryv1.EndpointSlice
		want   []push.Replica
	}{
		"NotReady": {
			reason: "a replica becomes ready by being given its table, so it needs a session before",
			found:  []*discoveryv1.EndpointSlice{slice("a", pod("2", "192.0.2.2", new(false)), pod("1", "192.0.2.1", new(true)))},
			want:   []push.Replica{{ID: "1", Address: "192.0.2.1:19443", Ready: true}, {ID: "2", Address: "192.0.2.2:19443"}},
		},
		"Unknown": {
			reason: "nothing is claimed of a replica whose readiness nobody has told",
			found:  []*discoveryv1.EndpointSlice{slice("a", pod("1", "192.0.2.1", nil))},
			want:   []push.Replica{{ID: "1", Address: "192.0.2.1:19443"}},
		},
		"TwoFamilies": {
			reason: "a pod of two address families is one replica, at the same address whatever the order",
			found:  []*discoveryv1.EndpointSlice{slice("b", pod("1", "2001:db8::1", new(true))), slice("a", pod("1", "192.0.2.1", new(true)))},
			want:   []push.Replica{{ID: "1", Address: "192.0.2.1:19443", Ready: true}},
		},
		"IPv6": {
			reason: "an IPv6 address needs brackets before its port",
			found:  []*discoveryv1.EndpointSlice{slice("a", pod("1", "2001:db8::1", new(true)))},
			want:   []push.Replica{{ID: "1", Address: "[2001:db8::1]:19443", Ready: true}},
		},
		"NoPod": {
			reason: "an endpoint that somebody wrote by hand is no replica of ours",
			found:  []*discoveryv1.EndpointSlice{slice("a", discoveryv1.Endpoint{Addresses: []string{"192.0.2.1"}})},
			want:   []push.Replica{},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, replicasOf(tc.found, 19443)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
