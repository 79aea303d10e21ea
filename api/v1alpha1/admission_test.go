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

package v1alpha1_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

// server is a client of an API server that has the CRD.
var server client.Client

func TestMain(m *testing.M) {
	os.Exit(withAPIServer(m))
}

func withAPIServer(m *testing.M) int {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		fmt.Fprintln(os.Stderr, "KUBEBUILDER_ASSETS is not set: these tests need etcd and kube-apiserver; run `make test`, which builds them")
		return 1
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing: true,
		// As long as a busy machine may take.
		ControlPlaneStartTimeout: 2 * time.Minute, ControlPlaneStopTimeout: 2 * time.Minute,
		CRDInstallOptions: envtest.CRDInstallOptions{MaxTime: 2 * time.Minute},
	}
	config, err := environment.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, "starting the API server with the CRD:", err)
		return 1
	}
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	server, err = client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if err := environment.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the API server:", err)
		return 1
	}
	return code
}

// tryCreate sends a GatewayParameters with the given spec as a dry run. Unknown fields are refused, as kubectl asks for.
func tryCreate(ctx context.Context, t *testing.T, spec string) error {
	t.Helper()
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte("spec: "+spec), &object.Object); err != nil {
		t.Fatal(err)
	}
	object.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(v1alpha1.KindGatewayParameters))
	object.SetNamespace("default")
	object.SetName("test")
	return server.Create(ctx, object, client.DryRunAll, client.FieldValidation("Strict"))
}

func TestAdmissionAccepts(t *testing.T) {
	cases := map[string]struct{ reason, spec string }{
		"nothing": {
			"every field is optional", "{}",
		},
		"replicas": {
			"one of the two ways to set the number", "{replicas: 3}",
		},
		"autoscaling": {
			"the other", "{autoscaling: {minReplicas: 3, maxReplicas: 3, targetCPUUtilizationPercentage: 50}}",
		},
		"autoscaling from the maximum": {
			"the minimum has a default", "{autoscaling: {maxReplicas: 1}}",
		},
		"everything else": {
			"each field as its documentation shows it", `
  image: {reference: "registry.example.com:5000/proxy@sha256:abc", pullPolicy: Always, pullSecrets: [{name: mirror}]}
  resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 1Gi}}
  scheduling:
    nodeSelector: {pool: edge}
    tolerations: [{key: edge, operator: Exists}]
    affinity: {nodeAffinity: {preferredDuringSchedulingIgnoredDuringExecution: [{weight: 1, preference: {matchExpressions: [{key: a, operator: Exists}]}}]}}
    topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule}]
    priorityClassName: high
  service:
    type: LoadBalancer
    annotations: {example.com/internal: "true"}
    externalTrafficPolicy: Local
    loadBalancerClass: example.com/lb
    loadBalancerSourceRanges: [192.0.2.0/24, "2001:db8::/32"]
  labels: {example.com/team: shop, cost-centre: "17"}
  annotations: {example.com/note: free text}
  logLevel: debug
  drain: {delay: 500ms, timeout: 1m30s}
  disruption: {maxUnavailable: 2}
  limits:
    {maxRequestLineBytes: 1024, maxHeaderBytes: 1048576, maxFields: 1, maxBodyBytes: 1099511627776, maxTrailerBytes: 0, maxConcurrentStreams: 10000,
     headerTimeout: 1ms, idleTimeout: 1h, bodyTimeout: 1m30s, writeTimeout: 5s, connectTimeout: 500ms, responseTimeout: 0s, streamTimeout: 0s,
     streamIdleTimeout: 0s, datagramIdleTimeout: 10s, maxDatagramSessions: 1000000}
  backends: {balancing: LeastRequest, maxConnections: 100}
  trustedHops: 2
  proxyProtocol:
    accept: {trustedPeers: [10.0.0.0/8, "2001:db8::/32"], ports: [80, 443]}
    send: [{name: db, namespace: data, port: 5432, version: V1}, {name: cache}]
  patches:
  - target: {kind: Deployment, group: apps, version: v1, name: ".*"}
    patch: "{spec: {revisionHistoryLimit: 1}}"
`,
		},
		"traffic policy without a type": {
			"the type may come from the class", "{service: {externalTrafficPolicy: Local}}",
		},
		"the most of everything": {
			"the documented bounds are inside what the API server can check and store", largest(),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := tryCreate(t.Context(), t, tc.spec); err != nil {
				t.Errorf("%s: refused: %v", tc.reason, err)
			}
		})
	}
}

func TestAdmissionRefuses(t *testing.T) {
	cases := map[string]struct{ reason, spec, says string }{
		"replicas and autoscaling": {
			"they would fight over one number", "{replicas: 3, autoscaling: {maxReplicas: 3}}", "exclude each other",
		},
		"no replica":             {"that is no Gateway", "{replicas: 0}", "spec.replicas"},
		"bounds":                 {"there is no such number", "{autoscaling: {minReplicas: 4, maxReplicas: 3}}", "must not exceed maxReplicas"},
		"no maximum":             {"an autoscaler needs one", "{autoscaling: {minReplicas: 4}}", "maxReplicas"},
		"traffic policy":         {"a ClusterIP has no traffic from outside", "{service: {type: ClusterIP, externalTrafficPolicy: Local}}", "externalTrafficPolicy needs"},
		"a class of no balancer": {"only a load balancer has a class", "{service: {type: NodePort, loadBalancerClass: a}}", "loadBalancerClass needs"},
		"ranges of no balancer":  {"only a load balancer filters", "{service: {type: NodePort, loadBalancerSourceRanges: [192.0.2.0/24]}}", "loadBalancerSourceRanges needs"},
		"an ExternalName":        {"it has no pods behind it", "{service: {type: ExternalName}}", "spec.service.type"},
		"no network":             {"a slip that would lock everybody out", "{service: {loadBalancerSourceRanges: [192.0.2.0]}}", "must be a network"},
		"an empty patch":         {"it says nothing", "{patches: [{target: {kind: Service}, patch: \" \\n \"}]}", "must not be empty"},
		"no target":              {"a patch without a target fits nothing", "{patches: [{patch: a}]}", "target"},
		"a target not generated": {"it would never do anything", "{patches: [{target: {kind: Secret}, patch: a}]}", "target.kind"},
		"a long patch":           {"objects must stay far from the size that etcd stores", "{patches: [{target: {kind: Service}, patch: " + strings.Repeat("a", 16385) + "}]}", "patches"},
		"many patches":           {"likewise", "{patches: [" + strings.Repeat("{target: {kind: Service}, patch: a},", 33) + "]}", "patches"},
		"our label":              {"it tells what is the operator's", "{labels: {app.kubernetes.io/instance: a}}", "RAUTA sets itself"},
		"a label's form":         {"the API server would refuse every generated object", "{labels: {-a: b}}", "DNS subdomain"},
		"a label's value":        {"likewise", "{labels: {a: \"b c\"}}", "spec.labels"},
		"our annotation":         {"it would be overwritten", "{annotations: {gateway.rauta.dev/bootstrap-hash: a}}", "RAUTA sets itself"},
		"a log level":            {"a proxy would not start with it", "{logLevel: loud}", "spec.logLevel"},
		"a duration":             {"it is no duration as of GEP-2257", "{drain: {delay: 5 seconds}}", "spec.drain.delay"},
		"a long duration":        {"the drain would hold a node for hours", "{drain: {timeout: 61m}}", "one hour"},
		"a small request line":   {"ordinary requests would be refused", "{limits: {maxRequestLineBytes: 100}}", "spec.limits.maxRequestLineBytes"},
		"a body of nothing":      {"0 would look like no limit", "{limits: {maxBodyBytes: 0}}", "spec.limits.maxBodyBytes"},
		"a timeout of nothing":   {"no head could arrive in time", "{limits: {headerTimeout: 0s}}", "between 1ms and one hour"},
		"a long timeout":         {"it would not be one", "{limits: {connectTimeout: 2h}}", "between 1ms and one hour"},
		"no datagram in time":    {"every session would end at once", "{limits: {datagramIdleTimeout: 0s}}", "between 1ms and one hour"},
		"no sessions":            {"0 would look like no limit", "{limits: {maxDatagramSessions: 0}}", "spec.limits.maxDatagramSessions"},
		"a long response":        {"likewise", "{limits: {responseTimeout: 2h}}", "one hour"},
		"another balancing":      {"what is not there cannot be chosen", "{backends: {balancing: Random}}", "spec.backends.balancing"},
		"many hops":              {"the proxy would refuse it", "{trustedHops: 33}", "spec.trustedHops"},
		"nobody is trusted":      {"everybody and nobody would both be guesses", "{proxyProtocol: {accept: {trustedPeers: []}}}", "trustedPeers"},
		"no peers":               {"likewise", "{proxyProtocol: {accept: {ports: [80]}}}", "trustedPeers"},
		"a peer's address":       {"how many bits count is not guessed", "{proxyProtocol: {accept: {trustedPeers: [10.0.0.1]}}}", "must be a network"},
		"a mapped network":       {"no peer has such an address", "{proxyProtocol: {accept: {trustedPeers: [\"::ffff:10.0.0.0/104\"]}}}", "must be a network"},
		"many peers":             {"they are looked through for each connection", "{proxyProtocol: {accept: {trustedPeers: [" + strings.Repeat("10.0.0.0/8,", 257) + "]}}}", "trustedPeers"},
		"no port":                {"there is no such listener", "{proxyProtocol: {accept: {trustedPeers: [10.0.0.0/8], ports: [0]}}}", "spec.proxyProtocol.accept.ports"},
		"another version":        {"there are two", "{proxyProtocol: {send: [{name: db, version: V3}]}}", "spec.proxyProtocol.send[0].version"},
		"a send to nobody":       {"a slip that would do nothing", "{proxyProtocol: {send: [{port: 53}]}}", "name"},
		"an unknown field":       {"a slip must not go unread", "{replica: 3}", "replica"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := tryCreate(t.Context(), t, tc.spec)
			if !apierrors.IsInvalid(err) && !apierrors.IsBadRequest(err) {
				t.Fatalf("%s: got error %v, want a refusal", tc.reason, err)
			}
			if !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%s: the message %q does not tell %q", tc.reason, err, tc.says)
			}
		})
	}
}

// largest is a spec at its documented bounds.
func largest() string {
	var spec strings.Builder
	spec.WriteString("\n  labels:\n")
	for i := range 16 {
		fmt.Fprintf(&spec, "    %s.example.com/%s-%d: %s\n", strings.Repeat("a", 50), strings.Repeat("b", 50), i, strings.Repeat("c", 63))
	}
	spec.WriteString("  annotations:\n")
	for i := range 32 {
		fmt.Fprintf(&spec, "    example.com/%s-%d: %s\n", strings.Repeat("b", 50), i, strings.Repeat("c", 4096))
	}
	spec.WriteString("  proxyProtocol:\n    accept:\n      trustedPeers:\n")
	for i := range 256 {
		fmt.Fprintf(&spec, "      - 2001:db8:%x::/48\n", i)
	}
	spec.WriteString("      ports:\n")
	for i := range 64 {
		fmt.Fprintf(&spec, "      - %d\n", 1+i)
	}
	spec.WriteString("    send:\n")
	for i := range 64 {
		fmt.Fprintf(&spec, "    - {name: %s, namespace: %s, port: %d}\n", strings.Repeat("a", 253), strings.Repeat("b", 63), 1+i)
	}
	spec.WriteString("  patches:\n")
	for range 32 {
		fmt.Fprintf(&spec, "  - {target: {kind: Service}, patch: %s}\n", strings.Repeat("a", 16384))
	}
	return spec.String()
}
