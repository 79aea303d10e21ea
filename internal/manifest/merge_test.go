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

package manifest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

func TestMerge(t *testing.T) {
	type spec = v1alpha1.GatewayParametersSpec
	quantity := resource.MustParse
	cases := map[string]struct {
		reason         string
		class, gateway *spec
		want           spec
	}{
		"neither": {
			reason: "no parametersRef anywhere is the common case",
		},
		"class only": {
			reason: "the class's values are defaults",
			class:  &spec{Replicas: new(int32(3)), LogLevel: new(v1alpha1.LogLevelDebug)},
			want:   spec{Replicas: new(int32(3)), LogLevel: new(v1alpha1.LogLevelDebug)},
		},
		"scalars": {
			reason:  "the Gateway's value wins and leaves the others",
			class:   &spec{Replicas: new(int32(3)), LogLevel: new(v1alpha1.LogLevelDebug)},
			gateway: &spec{Replicas: new(int32(5))},
			want:    spec{Replicas: new(int32(5)), LogLevel: new(v1alpha1.LogLevelDebug)},
		},
		"traffic": {
			reason: "limits and backends are merged field by field, so that a Gateway can loosen one limit of its class",
			class: &spec{
				Limits:      &v1alpha1.Limits{MaxFields: new(int32(10)), HeaderTimeout: new(v1alpha1.Timeout("1s"))},
				Backends:    &v1alpha1.Backends{Balancing: new(v1alpha1.BalancingLeastRequest)},
				TrustedHops: new(int32(1)),
			},
			gateway: &spec{
				Limits:      &v1alpha1.Limits{MaxFields: new(int32(20)), StreamTimeout: new(v1alpha1.Duration("0s"))},
				Backends:    &v1alpha1.Backends{MaxConnections: new(int32(5))},
				TrustedHops: new(int32(0)),
			},
			want: spec{
				Limits:      &v1alpha1.Limits{MaxFields: new(int32(20)), HeaderTimeout: new(v1alpha1.Timeout("1s")), StreamTimeout: new(v1alpha1.Duration("0s"))},
				Backends:    &v1alpha1.Backends{Balancing: new(v1alpha1.BalancingLeastRequest), MaxConnections: new(int32(5))},
				TrustedHops: new(int32(0)),
			},
		},
		"replicas over autoscaling": {
			reason:  "two valid objects must not merge into an invalid one",
			class:   &spec{Autoscaling: &v1alpha1.Autoscaling{MaxReplicas: 9}},
			gateway: &spec{Replicas: new(int32(1))},
			want:    spec{Replicas: new(int32(1))},
		},
		"autoscaling over replicas": {
			reason:  "and the other way round",
			class:   &spec{Replicas: new(int32(1))},
			gateway: &spec{Autoscaling: &v1alpha1.Autoscaling{MaxReplicas: 9}},
			want:    spec{Autoscaling: &v1alpha1.Autoscaling{MaxReplicas: 9}},
		},
		"nested": {
			reason: "a Gateway that sets one field of a struct keeps its class's others",
			class: &spec{
				Service:     &v1alpha1.Service{Type: new(corev1.ServiceTypeNodePort), Annotations: map[string]v1alpha1.AnnotationValue{"a": "class", "b": "class"}},
				Drain:       &v1alpha1.Drain{Delay: new(v1alpha1.Duration("1s"))},
				Autoscaling: &v1alpha1.Autoscaling{MinReplicas: new(int32(4)), MaxReplicas: 9},
				Resources:   &v1alpha1.Resources{Limits: corev1.ResourceList{"cpu": quantity("1"), "memory": quantity("1Gi")}},
				Image:       &v1alpha1.Image{Reference: new("class"), PullSecrets: []corev1.LocalObjectReference{{Name: "class"}}},
			},
			gateway: &spec{
				Service:     &v1alpha1.Service{Annotations: map[string]v1alpha1.AnnotationValue{"b": "gateway"}},
				Drain:       &v1alpha1.Drain{Timeout: new(v1alpha1.Duration("9s"))},
				Autoscaling: &v1alpha1.Autoscaling{MaxReplicas: 20},
				Resources:   &v1alpha1.Resources{Limits: corev1.ResourceList{"memory": quantity("2Gi")}},
				Image:       &v1alpha1.Image{PullSecrets: []corev1.LocalObjectReference{{Name: "gateway"}}},
			},
			want: spec{
				Service:     &v1alpha1.Service{Type: new(corev1.ServiceTypeNodePort), Annotations: map[string]v1alpha1.AnnotationValue{"a": "class", "b": "gateway"}},
				Drain:       &v1alpha1.Drain{Delay: new(v1alpha1.Duration("1s")), Timeout: new(v1alpha1.Duration("9s"))},
				Autoscaling: &v1alpha1.Autoscaling{MinReplicas: new(int32(4)), MaxReplicas: 20},
				Resources:   &v1alpha1.Resources{Limits: corev1.ResourceList{"cpu": quantity("1"), "memory": quantity("2Gi")}},
				Image:       &v1alpha1.Image{Reference: new("class"), PullSecrets: []corev1.LocalObjectReference{{Name: "gateway"}}},
			},
		},
		"scheduling": {
			reason: "labels of nodes add up; a list that is given is the whole list",
			class: &spec{Scheduling: &v1alpha1.Scheduling{
				NodeSelector: map[string]string{"pool": "edge", "disk": "ssd"},
				Tolerations:  []corev1.Toleration{{Key: "class"}},
			}},
			gateway: &spec{Scheduling: &v1alpha1.Scheduling{
				NodeSelector:      map[string]string{"pool": "core"},
				Tolerations:       []corev1.Toleration{{Key: "gateway"}},
				PriorityClassName: new("high"),
			}},
			want: spec{Scheduling: &v1alpha1.Scheduling{
				NodeSelector:      map[string]string{"pool": "core", "disk": "ssd"},
				Tolerations:       []corev1.Toleration{{Key: "gateway"}},
				PriorityClassName: new("high"),
			}},
		},
		"PROXY protocol": {
			reason: "whom a Gateway believes is what it says alone: its ports with its class's peers would be neither's wish; a list that is given is the whole list",
			class: &spec{ProxyProtocol: &v1alpha1.ProxyProtocol{
				Accept: &v1alpha1.ProxyProtocolAccept{TrustedPeers: []v1alpha1.CIDR{"10.0.0.0/8"}, Ports: []int32{80}},
				Send:   []v1alpha1.ProxyProtocolSend{{Name: "class"}},
			}},
			gateway: &spec{ProxyProtocol: &v1alpha1.ProxyProtocol{
				Accept: &v1alpha1.ProxyProtocolAccept{TrustedPeers: []v1alpha1.CIDR{"192.0.2.0/24"}},
			}},
			want: spec{ProxyProtocol: &v1alpha1.ProxyProtocol{
				Accept: &v1alpha1.ProxyProtocolAccept{TrustedPeers: []v1alpha1.CIDR{"192.0.2.0/24"}},
				Send:   []v1alpha1.ProxyProtocolSend{{Name: "class"}},
			}},
		},
		"patches": {
			reason:  "the Gateway's patches come last, so that they have the last word",
			class:   &spec{Patches: []v1alpha1.Patch{{Patch: "class"}}},
			gateway: &spec{Patches: []v1alpha1.Patch{{Patch: "gateway"}}},
			want:    spec{Patches: []v1alpha1.Patch{{Patch: "class"}, {Patch: "gateway"}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, Merge(tc.class, tc.gateway)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// The arguments come from a cache that must not be changed.
func TestMergeSharesNothing(t *testing.T) {
	class := &v1alpha1.GatewayParametersSpec{
		Labels:   map[string]v1alpha1.LabelValue{"a": "b"},
		Replicas: new(int32(1)),
		Patches:  make([]v1alpha1.Patch, 1, 4),
	}
	before := class.DeepCopy()
	merged := Merge(class, nil)
	merged.Labels["a"] = "changed"
	*merged.Replicas = 9
	merged.Patches[0].Patch = "changed"
	if diff := cmp.Diff(before, class); diff != "" {
		t.Errorf("changing the result changed the class's parameters (-before +after):\n%s", diff)
	}
}
