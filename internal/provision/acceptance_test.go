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

package provision_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/manifest"
	"github.com/rauta-dev/rauta/internal/provision"
)

// What is rendered must be what Kubernetes takes, whatever is asked for.
func TestKubernetesAcceptsWhatIsRendered(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(in *manifest.Input)
	}{
		"default": {
			reason: "a Gateway without parameters",
			change: func(*manifest.Input) {},
		},
		"long names": {
			reason: "a Gateway's name may have 253 characters, and dots; a Service's 63, and none",
			change: func(in *manifest.Input) {
				in.Gateway.Name = longName()
				in.ClassName = longName()
				in.Ports = []manifest.ListenerPort{{Name: longName(), Port: 80}, {Name: "admin", Port: 19443}}
			},
		},
		"no listener": {
			reason: "no Service, and the rest waits for a listener",
			change: func(in *manifest.Input) { in.Ports = nil },
		},
		"every parameter": {
			reason: "each typed field ends in a field that Kubernetes knows",
			change: func(in *manifest.Input) {
				in.Parameters = v1alpha1.GatewayParametersSpec{
					Autoscaling: &v1alpha1.Autoscaling{MaxReplicas: 9},
					Image:       &v1alpha1.Image{Reference: new("example.com/proxy:1"), PullPolicy: new(corev1.PullAlways), PullSecrets: []corev1.LocalObjectReference{{Name: "a"}}},
					Resources:   &v1alpha1.Resources{Limits: corev1.ResourceList{"cpu": resource.MustParse("1500m")}},
					Scheduling: &v1alpha1.Scheduling{
						NodeSelector:              map[string]string{"pool": "edge"},
						Tolerations:               []corev1.Toleration{{Key: "edge", Operator: corev1.TolerationOpExists}},
						Affinity:                  &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{}},
						TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{MaxSkew: 1, TopologyKey: "rack", WhenUnsatisfiable: corev1.DoNotSchedule}},
						PriorityClassName:         new("high"),
					},
					Service: &v1alpha1.Service{
						Annotations:              map[string]v1alpha1.AnnotationValue{"example.com/lb": "internal"},
						ExternalTrafficPolicy:    new(corev1.ServiceExternalTrafficPolicyLocal),
						LoadBalancerClass:        new("example.com/lb"),
						LoadBalancerSourceRanges: []v1alpha1.CIDR{"192.0.2.0/24"},
					},
					Labels:      map[string]v1alpha1.LabelValue{"example.com/team": "shop"},
					Annotations: map[string]v1alpha1.AnnotationValue{"example.com/note": "text"},
					LogLevel:    new(v1alpha1.LogLevelDebug),
					Drain:       &v1alpha1.Drain{Delay: new(v1alpha1.Duration("0s"))},
					Disruption:  &v1alpha1.Disruption{MaxUnavailable: new(int32(2))},
				}
				in.Ports = []manifest.ListenerPort{{Name: "http", Port: 80, AppProtocol: "http"}, {Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP}}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			in := input(c.gateway("web"))
			tc.change(&in)
			objects := render(t, in)
			if err := (&provision.Applier{Client: c.client}).Apply(t.Context(), in.Gateway, objects); err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			// What was applied is found again as it was: an operator that restarts changes nothing.
			before := c.versions(objects)
			if err := (&provision.Applier{Client: c.client}).Apply(t.Context(), in.Gateway, render(t, in)); err != nil {
				t.Fatal(err)
			}
			for kind, version := range c.versions(objects) {
				if version != before[kind] {
					t.Errorf("%s: applying the same %s again changed it", tc.reason, kind)
				}
			}
		})
	}
}

// The restricted Pod Security Standard is checked by the API server itself, as in a namespace that enforces it.
func TestPodsPassTheRestrictedStandard(t *testing.T) {
	c := newCluster(t)
	namespace := &corev1.Namespace{}
	if err := c.client.Get(t.Context(), client.ObjectKey{Name: c.namespace}, namespace); err != nil {
		t.Fatal(err)
	}
	namespace.Labels["pod-security.kubernetes.io/enforce"] = "restricted"
	if err := c.client.Update(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}

	gateway := c.gateway("web")
	if err := (&provision.Applier{Client: c.client}).Apply(t.Context(), gateway, render(t, input(gateway))); err != nil {
		t.Fatal(err)
	}
	deployment := &appsv1.Deployment{}
	c.mustGet("web-rauta", deployment)
	template := deployment.Spec.Template
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: c.namespace, Name: "web", Labels: template.Labels},
		Spec:       template.Spec,
	}
	c.create(pod)

	privileged := pod.DeepCopy()
	privileged.ObjectMeta = metav1.ObjectMeta{Namespace: c.namespace, Name: "privileged"}
	privileged.Spec.Containers[0].SecurityContext.AllowPrivilegeEscalation = new(true)
	if err := c.client.Create(t.Context(), privileged); err == nil {
		t.Error("the namespace admits a pod that may escalate: nothing was checked")
	}
}

// longName is as long as the name of a Gateway may be, and no DNS label.
func longName() string {
	name := make([]byte, 0, gatewayNameLength)
	for len(name) < gatewayNameLength-1 {
		name = append(name, "9a."[len(name)%3])
	}
	return string(append(name, 'z'))
}

const gatewayNameLength = 253
