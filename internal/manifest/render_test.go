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
	"bytes"
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden file instead of comparing with it")

func testInput() Input {
	return Input{
		Gateway:           &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "uid-of-web"}},
		ClassName:         "rauta",
		Image:             "rauta.dev/rauta-proxy:test",
		Ports:             []ListenerPort{{Name: "http", Port: 80}},
		OperatorNamespace: "rauta-system",
		OperatorPodLabels: map[string]string{"control-plane": "controller-manager"},
	}
}

// The whole output for a Gateway without parameters, to be read and reviewed: go test ./internal/manifest -update.
func TestRenderGolden(t *testing.T) {
	const golden = "testdata/default.yaml"
	got := encode(t, mustRender(t, testInput()))
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("rendered otherwise than %s (-want +got):\n%s", golden, diff)
	}
}

// at is a field of an object: a path into the object of a kind. A number is an index.
type at struct {
	kind string
	path string
}

func TestRenderFields(t *testing.T) {
	const container = "spec.template.spec.containers.0."
	cases := map[string]struct {
		reason string
		change func(in *Input)
		want   map[at]any // nil means: not there
	}{
		"replicas": {
			reason: "the number that was asked for, and a budget since there are several",
			change: func(in *Input) { in.Parameters.Replicas = new(int32(4)) },
			want: map[at]any{
				{"Deployment", "spec.replicas"}:                int64(4),
				{"PodDisruptionBudget", "spec.maxUnavailable"}: int64(1),
				{"HorizontalPodAutoscaler", "kind"}:            nil,
			},
		},
		"one replica": {
			reason: "a budget for one replica forbids every eviction or none",
			change: func(in *Input) { in.Parameters.Replicas = new(int32(1)) },
			want: map[at]any{
				{"Deployment", "spec.replicas"}: int64(1),
				{"PodDisruptionBudget", "kind"}: nil,
			},
		},
		"autoscaling": {
			reason: "an autoscaler and an operator that both write replicas undo each other",
			change: func(in *Input) {
				in.Parameters.Autoscaling = &v1alpha1.Autoscaling{MaxReplicas: 9, TargetCPUUtilizationPercentage: new(int32(60))}
			},
			want: map[at]any{
				{"Deployment", "spec.replicas"}:                                                  nil,
				{"HorizontalPodAutoscaler", "spec.minReplicas"}:                                  int64(2),
				{"HorizontalPodAutoscaler", "spec.maxReplicas"}:                                  int64(9),
				{"HorizontalPodAutoscaler", "spec.metrics.0.resource.target.averageUtilization"}: int64(60),
				{"HorizontalPodAutoscaler", "spec.scaleTargetRef.name"}:                          "web-rauta",
				{"PodDisruptionBudget", "spec.maxUnavailable"}:                                   int64(1),
			},
		},
		"autoscaling of one": {
			reason: "the default of two replicas must not exceed the maximum",
			change: func(in *Input) { in.Parameters.Autoscaling = &v1alpha1.Autoscaling{MaxReplicas: 1} },
			want: map[at]any{
				{"HorizontalPodAutoscaler", "spec.minReplicas"}: int64(1),
				{"PodDisruptionBudget", "kind"}:                 nil,
			},
		},
		"disruption": {
			reason: "many replicas may be drained faster",
			change: func(in *Input) {
				in.Parameters.Replicas = new(int32(9))
				in.Parameters.Disruption = &v1alpha1.Disruption{MaxUnavailable: new(int32(3))}
			},
			want: map[at]any{{"PodDisruptionBudget", "spec.maxUnavailable"}: int64(3)},
		},
		"image": {
			reason: "another image, as from a mirror, with its credentials",
			change: func(in *Input) {
				in.Parameters.Image = &v1alpha1.Image{
					Reference:   new("mirror.example.com/proxy@sha256:0"),
					PullPolicy:  new(corev1.PullAlways),
					PullSecrets: []corev1.LocalObjectReference{{Name: "mirror"}},
				}
			},
			want: map[at]any{
				{"Deployment", container + "image"}:                          "mirror.example.com/proxy@sha256:0",
				{"Deployment", container + "imagePullPolicy"}:                "Always",
				{"Deployment", "spec.template.spec.imagePullSecrets.0.name"}: "mirror",
			},
		},
		"resources": {
			reason: "given resources stand beside the other defaults, and the Go runtime is told nine tenths of the memory",
			change: func(in *Input) {
				in.Parameters.Resources = &v1alpha1.Resources{
					Requests: corev1.ResourceList{"cpu": resource.MustParse("2")},
					Limits:   corev1.ResourceList{"memory": resource.MustParse("1000Mi")},
				}
			},
			want: map[at]any{
				{"Deployment", container + "resources.requests.cpu"}:    "2",
				{"Deployment", container + "resources.requests.memory"}: "64Mi",
				{"Deployment", container + "resources.limits.memory"}:   "1000Mi",
				{"Deployment", container + "env.0.name"}:                "GOMEMLIMIT",
				{"Deployment", container + "env.0.value"}:               "943718400",
			},
		},
		"scheduling": {
			reason: "each field reaches the pods; a constraint that counts nothing counts the proxy's own pods",
			change: func(in *Input) {
				in.Parameters.Scheduling = &v1alpha1.Scheduling{
					NodeSelector:      map[string]string{"pool": "edge"},
					Tolerations:       []corev1.Toleration{{Key: "edge", Operator: corev1.TolerationOpExists}},
					PriorityClassName: new("system-cluster-critical"),
					Affinity: &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
						PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{Weight: 7}},
					}},
					TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
						MaxSkew: 2, TopologyKey: "rack", WhenUnsatisfiable: corev1.DoNotSchedule,
					}},
				}
			},
			want: map[at]any{
				{"Deployment", "spec.template.spec.nodeSelector.pool"}:                                                                      "edge",
				{"Deployment", "spec.template.spec.tolerations.0.key"}:                                                                      "edge",
				{"Deployment", "spec.template.spec.priorityClassName"}:                                                                      "system-cluster-critical",
				{"Deployment", "spec.template.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution.0.weight"}:         int64(7),
				{"Deployment", "spec.template.spec.topologySpreadConstraints.0.topologyKey"}:                                                "rack",
				{"Deployment", "spec.template.spec.topologySpreadConstraints.1"}:                                                            nil,
				{"Deployment", "spec.template.spec.topologySpreadConstraints.0.labelSelector.matchLabels.app\x00kubernetes\x00io/instance"}: "web-rauta",
			},
		},
		"service": {
			reason: "the load balancer's settings go on the Service alone",
			change: func(in *Input) {
				in.Parameters.Service = &v1alpha1.Service{
					Annotations:              map[string]v1alpha1.AnnotationValue{"lb": "internal"},
					ExternalTrafficPolicy:    new(corev1.ServiceExternalTrafficPolicyLocal),
					LoadBalancerClass:        new("example.com/lb"),
					LoadBalancerSourceRanges: []v1alpha1.CIDR{"192.0.2.0/24"},
				}
			},
			want: map[at]any{
				{"Service", "metadata.annotations.lb"}:         "internal",
				{"Deployment", "metadata.annotations.lb"}:      nil,
				{"Service", "spec.type"}:                       "LoadBalancer",
				{"Service", "spec.externalTrafficPolicy"}:      "Local",
				{"Service", "spec.loadBalancerClass"}:          "example.com/lb",
				{"Service", "spec.loadBalancerSourceRanges.0"}: "192.0.2.0/24",
			},
		},
		"static address": {
			reason: "a Service asks for one address; what is no IP address cannot be asked for",
			change: func(in *Input) {
				in.Gateway.Spec.Addresses = []gatewayv1.GatewaySpecAddress{
					{Type: new(gatewayv1.HostnameAddressType), Value: "192.0.2.1"}, {Value: ""}, {Value: "192.0.2.2"}, {Value: "192.0.2.3"},
				}
			},
			want: map[at]any{{"Service", "spec.loadBalancerIP"}: "192.0.2.2"},
		},
		"static address without a load balancer": {
			reason: "there is nobody to ask",
			change: func(in *Input) {
				in.Gateway.Spec.Addresses = []gatewayv1.GatewaySpecAddress{{Value: "192.0.2.2"}}
				in.Parameters.Service = &v1alpha1.Service{Type: new(corev1.ServiceTypeClusterIP)}
			},
			want: map[at]any{{"Service", "spec.loadBalancerIP"}: nil},
		},
		"no listener": {
			reason: "a Service needs a port, pods that no Service lists would never get a table, and a rule without ports would open all of them",
			change: func(in *Input) { in.Ports = nil },
			want: map[at]any{
				{"Service", "kind"}:                              nil,
				{"Deployment", "kind"}:                           nil,
				{"PodDisruptionBudget", "kind"}:                  nil,
				{"NetworkPolicy", "spec.ingress.0.ports.0.port"}: int64(19443),
				{"NetworkPolicy", "spec.ingress.3"}:              nil,
			},
		},
		"ports": {
			reason: "each port is in the Service and open, and the admin port is in no Service",
			change: func(in *Input) {
				in.Ports = []ListenerPort{{Name: "https", Port: 443, AppProtocol: "https"}, {Name: "admin", Port: 19443}}
			},
			want: map[at]any{
				{"Service", "spec.ports.0.port"}:                                                 int64(443),
				{"Service", "spec.ports.0.targetPort"}:                                           int64(443),
				{"Service", "spec.ports.0.appProtocol"}:                                          "https",
				{"Service", "spec.ports.1.name"}:                                                 "admin",
				{"Service", "spec.ports.2"}:                                                      nil,
				{"Deployment", container + "ports.0.containerPort"}:                              int64(19444),
				{"NetworkPolicy", "spec.ingress.0.ports.1.port"}:                                 int64(19443),
				{"NetworkPolicy", "spec.ingress.1.ports.0.port"}:                                 int64(19444),
				{"NetworkPolicy", "spec.ingress.1.from.0.podSelector.matchLabels.control-plane"}: "controller-manager",
			},
		},
		"replicas among themselves": {
			reason: "only the proxy's own pods reach the port on which a replica gives its table",
			change: func(in *Input) { in.Ports = append(in.Ports, ListenerPort{Name: "taken", Port: 19444}) },
			want: map[at]any{
				{"Deployment", container + "ports.2.containerPort"}:                                                 int64(19445),
				{"NetworkPolicy", "spec.ingress.2.ports.0.port"}:                                                    int64(19445),
				{"NetworkPolicy", "spec.ingress.2.from.0.podSelector.matchLabels.app\x00kubernetes\x00io/instance"}: "web-rauta",
				{"NetworkPolicy", "spec.ingress.2.from.0.namespaceSelector"}:                                        nil,
				{"NetworkPolicy", "spec.ingress.2.from.1"}:                                                          nil,
			},
		},
		"drain": {
			reason: "the kubelet must wait as long as the proxy drains, rounded up",
			change: func(in *Input) {
				in.Parameters.Drain = &v1alpha1.Drain{Delay: new(v1alpha1.Duration("1500ms")), Timeout: new(v1alpha1.Duration("1m"))}
			},
			want: map[at]any{{"Deployment", "spec.template.spec.terminationGracePeriodSeconds"}: int64(67)},
		},
		"labels": {
			reason: "the Gateway's infrastructure wins over parameters, and the operator's own labels over both",
			change: func(in *Input) {
				in.Parameters.Labels = map[string]v1alpha1.LabelValue{"team": "class", "cost": "1"}
				in.Parameters.Annotations = map[string]v1alpha1.AnnotationValue{"note": "class"}
				in.Gateway.Spec.Infrastructure = &gatewayv1.GatewayInfrastructure{
					Labels:      map[gatewayv1.LabelKey]gatewayv1.LabelValue{"team": "gateway", LabelManagedBy: "else"},
					Annotations: map[gatewayv1.AnnotationKey]gatewayv1.AnnotationValue{"note": "gateway"},
				}
			},
			want: map[at]any{
				{"ServiceAccount", "metadata.labels.team"}:                           "gateway",
				{"ConfigMap", "metadata.labels.cost"}:                                "1",
				{"Deployment", "spec.template.metadata.labels.team"}:                 "gateway",
				{"Deployment", "metadata.labels.app\x00kubernetes\x00io/managed-by"}: "rauta",
				{"Deployment", "spec.selector.matchLabels.team"}:                     nil,
				{"Service", "metadata.annotations.note"}:                             "gateway",
				{"Deployment", "spec.template.metadata.annotations.note"}:            "gateway",
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := testInput()
			tc.change(&in)
			objects := mustRender(t, in)
			for where, want := range tc.want {
				if diff := cmp.Diff(want, field(objects, where)); diff != "" {
					t.Errorf("%s: %s %s (-want +got):\n%s", tc.reason, where.kind, where.path, diff)
				}
			}
		})
	}
}

func TestRenderRefusesContradictions(t *testing.T) {
	cases := map[string]struct {
		reason     string
		parameters v1alpha1.GatewayParametersSpec
		field      string
	}{
		"traffic policy of a ClusterIP": {
			reason: "class and Gateway may each be valid and still not fit",
			parameters: v1alpha1.GatewayParametersSpec{Service: &v1alpha1.Service{
				Type: new(corev1.ServiceTypeClusterIP), ExternalTrafficPolicy: new(corev1.ServiceExternalTrafficPolicyLocal),
			}},
			field: "spec.service.externalTrafficPolicy",
		},
		"class of a NodePort": {
			reason: "only a load balancer has a class",
			parameters: v1alpha1.GatewayParametersSpec{Service: &v1alpha1.Service{
				Type: new(corev1.ServiceTypeNodePort), LoadBalancerClass: new("example.com/lb"),
			}},
			field: "spec.service.loadBalancerClass",
		},
		"ranges of a NodePort": {
			reason: "only a load balancer filters by source",
			parameters: v1alpha1.GatewayParametersSpec{Service: &v1alpha1.Service{
				Type: new(corev1.ServiceTypeNodePort), LoadBalancerSourceRanges: []v1alpha1.CIDR{"192.0.2.0/24"},
			}},
			field: "spec.service.loadBalancerSourceRanges",
		},
		"bounds": {
			reason: "the class's minimum and the Gateway's maximum merge",
			parameters: v1alpha1.GatewayParametersSpec{Autoscaling: &v1alpha1.Autoscaling{
				MinReplicas: new(int32(5)), MaxReplicas: 3,
			}},
			field: "spec.autoscaling.minReplicas",
		},
		"both": {
			reason: "it would be refused at admission, but an older object may be stored",
			parameters: v1alpha1.GatewayParametersSpec{
				Replicas: new(int32(1)), Autoscaling: &v1alpha1.Autoscaling{MaxReplicas: 3},
			},
			field: "spec.replicas",
		},
		"duration": {
			reason:     "an object stored before a rule existed must not crash anything",
			parameters: v1alpha1.GatewayParametersSpec{Drain: &v1alpha1.Drain{Delay: new(v1alpha1.Duration("soon"))}},
			field:      "spec.drain.delay",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := testInput()
			in.Parameters = tc.parameters
			wantParametersError(t, in, tc.reason, tc.field, false)
		})
	}
}

// Reconciles of several Gateways render at once, and kustomize itself is not safe for that.
func TestRenderConcurrentlyAndEqually(t *testing.T) {
	want := string(encode(t, mustRender(t, testInput())))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 3 {
				out, err := Render(testInput())
				if err != nil {
					t.Error(err)
					return
				}
				if got := string(encode(t, out.Objects)); got != want {
					t.Errorf("equal input rendered unequally (-want +got):\n%s", cmp.Diff(want, got))
				}
			}
		})
	}
	group.Wait()
}

// The pods must be replaced when what they read at their start changes, and only then.
func TestBootstrapHashFollowsTheBootstrap(t *testing.T) {
	hash := func(change func(in *Input)) any {
		in := testInput()
		change(&in)
		return field(mustRender(t, in), at{"Deployment", "spec.template.metadata.annotations.gateway\x00rauta\x00dev/bootstrap-hash"})
	}
	before := hash(func(*Input) {})
	if after := hash(func(in *Input) { in.Parameters.LogLevel = new(v1alpha1.LogLevelDebug) }); before == after {
		t.Error("another log level left the hash")
	}
	if after := hash(func(in *Input) { in.Ports = append(in.Ports, ListenerPort{Name: "more", Port: 8080}) }); before != after {
		t.Error("another listener, which is pushed to the pods, replaces them")
	}
}

func mustRender(t *testing.T, in Input) []*unstructured.Unstructured {
	t.Helper()
	out, err := Render(in)
	if err != nil {
		t.Fatal(err)
	}
	return out.Objects
}

func encode(t *testing.T, objects []*unstructured.Unstructured) []byte {
	t.Helper()
	var all bytes.Buffer
	for _, object := range objects {
		text, err := yaml.Marshal(object.Object)
		if err != nil {
			t.Error(err)
			return nil
		}
		all.WriteString("---\n")
		all.Write(text)
	}
	return all.Bytes()
}

// field gives the value at a path, or nil. In a path, NUL stands for the dot of a key.
func field(objects []*unstructured.Unstructured, where at) any {
	i := slices.IndexFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == where.kind })
	if i < 0 {
		return nil
	}
	var value any = objects[i].Object
	for step := range strings.SplitSeq(where.path, ".") {
		value = child(value, strings.ReplaceAll(step, "\x00", "."))
	}
	return value
}

func child(parent any, step string) any {
	switch parent := parent.(type) {
	case map[string]any:
		return parent[step]
	case []any:
		if index, err := strconv.Atoi(step); err == nil && index < len(parent) {
			return parent[index]
		}
	}
	return nil
}
