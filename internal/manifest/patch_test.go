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
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

func patch(kind, text string) v1alpha1.Patch {
	return v1alpha1.Patch{Target: v1alpha1.PatchTarget{Kind: kind}, Patch: text}
}

func TestPatches(t *testing.T) {
	cases := map[string]struct {
		reason  string
		patches []v1alpha1.Patch
		want    map[at]any
	}{
		"table in memory": {
			reason: "whose nodes' disks are not encrypted may want no keys on them",
			patches: []v1alpha1.Patch{patch("Deployment", `
spec:
  template:
    spec:
      volumes:
      - name: state
        emptyDir: {medium: Memory}
`)},
			want: map[at]any{
				{"Deployment", "spec.template.spec.volumes.0.name"}:               "state",
				{"Deployment", "spec.template.spec.volumes.0.emptyDir.medium"}:    "Memory",
				{"Deployment", "spec.template.spec.volumes.0.emptyDir.sizeLimit"}: "640Mi",
			},
		},
		"strategic merge": {
			reason: "a sidecar is added beside the proxy, which is found by its name",
			patches: []v1alpha1.Patch{patch("Deployment", `
spec:
  template:
    spec:
      containers:
      - name: logs
        image: example.com/logs:1
      - name: proxy
        env:
        - {name: TZ, value: UTC}
`)},
			want: map[at]any{
				{"Deployment", "spec.template.spec.containers.0.name"}:       "logs",
				{"Deployment", "spec.template.spec.containers.1.env.0.name"}: "TZ",
				{"Deployment", "spec.template.spec.containers.1.env.1.name"}: "GOMEMLIMIT",
				{"Deployment", "spec.template.spec.containers.1.image"}:      "rauta.dev/rauta-proxy:test",
			},
		},
		"complete strategic merge": {
			reason:  "a patch out of somebody's kustomization names what it patches",
			patches: []v1alpha1.Patch{patch("Service", "{apiVersion: v1, kind: Service, metadata: {name: whatever}, spec: {internalTrafficPolicy: Local}}")},
			want: map[at]any{
				{"Service", "spec.internalTrafficPolicy"}: "Local",
				{"Service", "metadata.name"}:              "web-rauta",
			},
		},
		"JSON patch": {
			reason:  "a node port of one's own choice is a classic need",
			patches: []v1alpha1.Patch{patch("Service", `[{"op": "add", "path": "/spec/ports/0/nodePort", "value": 30080}]`)},
			want:    map[at]any{{"Service", "spec.ports.0.nodePort"}: int64(30080)},
		},
		"in order": {
			reason: "the later patch sees what the earlier one made",
			patches: []v1alpha1.Patch{
				patch("ServiceAccount", "{metadata: {annotations: {a: one}}}"),
				patch("ServiceAccount", "[{op: test, path: /metadata/annotations/a, value: one}, {op: replace, path: /metadata/annotations/a, value: two}]"),
			},
			want: map[at]any{{"ServiceAccount", "metadata.annotations.a"}: "two"},
		},
		"deletion of the network policy": {
			reason:  "in some clusters other policies do its work",
			patches: []v1alpha1.Patch{patch("NetworkPolicy", "$patch: delete")},
			want:    map[at]any{{"NetworkPolicy", "kind"}: nil, {"Service", "kind"}: "Service"},
		},
		"object that is not generated": {
			reason:  "a class's patch of autoscalers must not break the Gateways that have none",
			patches: []v1alpha1.Patch{patch("HorizontalPodAutoscaler", "{spec: {behavior: {scaleDown: {stabilizationWindowSeconds: 9}}}}")},
			want:    map[at]any{{"HorizontalPodAutoscaler", "kind"}: nil},
		},
		"name that matches": {
			reason: "a target may be narrowed, as in kustomize",
			patches: []v1alpha1.Patch{
				{Target: v1alpha1.PatchTarget{Kind: "Service", Name: "web-.*"}, Patch: "{metadata: {annotations: {hit: yes-it-is}}}"},
				{Target: v1alpha1.PatchTarget{Kind: "Service", Name: "other"}, Patch: "{metadata: {annotations: {miss: yes-it-is}}}"},
			},
			want: map[at]any{
				{"Service", "metadata.annotations.hit"}:  "yes-it-is",
				{"Service", "metadata.annotations.miss"}: nil,
			},
		},
		"memory of the container": {
			reason:  "the Go runtime's limit follows the limit that a patch set",
			patches: []v1alpha1.Patch{patch("Deployment", "{spec: {template: {spec: {containers: [{name: proxy, resources: {limits: {memory: 100Mi}}}]}}}}")},
			want:    map[at]any{{"Deployment", "spec.template.spec.containers.0.env.0.value"}: "94371840"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := testInput()
			in.Parameters.Patches = tc.patches
			objects := mustRender(t, in)
			for where, want := range tc.want {
				if diff := cmp.Diff(want, field(objects, where)); diff != "" {
					t.Errorf("%s: %s %s (-want +got):\n%s", tc.reason, where.kind, where.path, diff)
				}
			}
		})
	}
}

func TestPatchesThatAreRefused(t *testing.T) {
	const podSpec = "{spec: {template: {spec: %}}}"
	inPod := func(text string) v1alpha1.Patch {
		return patch("Deployment", strings.Replace(podSpec, "%", text, 1))
	}
	cases := map[string]struct {
		reason string
		patch  v1alpha1.Patch
		says   string // a piece of the message that tells what to mend
	}{
		"no YAML":            {"a typing error", patch("Service", "{"), "neither YAML nor JSON"},
		"a scalar":           {"neither kind of patch", patch("Service", "hello"), "must be an object"},
		"an empty object":    {"it would silently do nothing", patch("Service", "{}"), "is empty"},
		"an empty list":      {"it would silently do nothing", patch("Service", "[]"), "no operation"},
		"two documents":      {"the second would go unread", patch("Service", "a: b\n---\nc: d"), "several YAML documents"},
		"a key twice":        {"one of the two would be lost", patch("Service", "{spec: {type: ClusterIP, type: NodePort}}"), "type"},
		"another kind":       {"the target and the patch disagree", patch("Service", "{kind: Secret}"), "kind Secret"},
		"another version":    {"kustomize would not find it", patch("Deployment", "{apiVersion: apps/v1beta1}"), "apiVersion apps/v1beta1"},
		"a missing path":     {"the patch was written for another version", patch("Service", "[{op: remove, path: /spec/nothing}]"), "nothing"},
		"an unknown field":   {"a typing error that the API server would report without the patch's name", patch("Service", "{spec: {typ: NodePort}}"), "typ"},
		"a wrong type":       {"likewise", patch("Deployment", "{spec: {replicas: many}}"), "replicas"},
		"a metadata scalar":  {"odd input must not panic", patch("Service", "{metadata: 3}"), "metadata"},
		"another name":       {"the object would not be found again", patch("Service", "[{op: replace, path: /metadata/name, value: x}]"), "metadata.name"},
		"another kind made":  {"an object of another kind is a new object", patch("ConfigMap", "[{op: replace, path: /kind, value: Secret}]"), "only generated objects"},
		"a new API version":  {"the object would be written to another API", patch("Deployment", "[{op: replace, path: /apiVersion, value: v1}]"), ""},
		"a namespace":        {"a tenant must not reach into another's namespace", patch("Service", "[{op: add, path: /metadata/namespace, value: kube-system}]"), "metadata.namespace"},
		"an owner":           {"what another owner owns survives the Gateway", patch("Service", "{metadata: {ownerReferences: []}}"), "ownerReferences"},
		"a finalizer":        {"deletion would hang", patch("Service", "{metadata: {finalizers: [example.com/x]}}"), "finalizers"},
		"a status":           {"it belongs to others", patch("Service", "{status: {loadBalancer: {}}}"), "status"},
		"our label":          {"without it the object is never pruned", patch("Service", "{metadata: {labels: {app.kubernetes.io/managed-by: me}}}"), "managed-by"},
		"a Service's pods":   {"traffic would go to somebody else's pods", patch("Service", "{spec: {selector: {app: other}}}"), "spec.selector"},
		"a budget's pods":    {"somebody else's pods would be held", patch("PodDisruptionBudget", "{spec: {selector: {matchLabels: {app: other}}}}"), "spec.selector"},
		"a policy's pods":    {"somebody else's pods would be opened or shut", patch("NetworkPolicy", "{spec: {podSelector: {matchLabels: {app: other}}}}"), "spec.podSelector"},
		"the selector":       {"it cannot be changed in the cluster", patch("Deployment", "{spec: {selector: {matchLabels: {app: other}}}}"), "spec.selector"},
		"the pods' label":    {"the selector would not match", patch("Deployment", "{spec: {template: {metadata: {labels: {app.kubernetes.io/instance: x}}}}}"), "app.kubernetes.io/instance"},
		"a service account":  {"its rights would become the proxy's", inPod("{serviceAccountName: admin}"), "serviceAccountName"},
		"the old field":      {"it means the same", inPod("{serviceAccount: admin}"), "serviceAccount"},
		"a token in the pod": {"no proxy talks to the Kubernetes API", inPod("{automountServiceAccountToken: true}"), "automountServiceAccountToken"},
		"a token by absence": {"the default is to mount it", inPod("{automountServiceAccountToken: null}"), "automountServiceAccountToken"},
		"a token in the account": {
			"a sidecar's pod would get it", patch("ServiceAccount", "{automountServiceAccountToken: true}"), "automountServiceAccountToken",
		},
		"no proxy container":    {"then there is no proxy", inPod("{containers: [{name: proxy, $patch: delete}, {name: other, image: x}]}"), "\"proxy\""},
		"a nameless container":  {"it cannot be applied", patch("Deployment", "[{op: add, path: /spec/template/spec/containers/-, value: {image: x}}]"), "names"},
		"deletion of the pods":  {"then there is no proxy", patch("Deployment", "$patch: delete"), "removes the Deployment"},
		"local configuration":   {"kustomize would drop the object", patch("ConfigMap", "{metadata: {annotations: {config.kubernetes.io/local-config: \"true\"}}}"), "ConfigMap"},
		"a bad name expression": {"a regular expression of the user's", v1alpha1.Patch{Target: v1alpha1.PatchTarget{Kind: "Service", Name: "("}, Patch: "{spec: {}}"}, ""},
		"a copy bomb":           {"each copy doubles the object", patch("ConfigMap", copyBomb()), "copy"},
		"an alias bomb":         {"a tenant's patch must not eat the operator's memory", patch("ConfigMap", aliasBomb()), ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			in := testInput()
			good := patch("Service", "{metadata: {annotations: {good: patch}}}")
			in.Parameters.Patches = []v1alpha1.Patch{good, tc.patch, good}
			got := wantParametersError(t, in, tc.reason, "spec.patches[1]", false)
			if !strings.Contains(got, tc.says) {
				t.Errorf("%s: the message %q does not tell %q", tc.reason, got, tc.says)
			}
		})
	}
}

// The user looks for the patch in the object that holds it, not in the merged list.
func TestBadPatchIsNamedWhereItStands(t *testing.T) {
	good, bad := patch("Service", "{metadata: {annotations: {good: patch}}}"), patch("Service", "[{op: remove, path: /nothing}]")
	in := testInput()
	in.ClassPatches = 2

	in.Parameters.Patches = []v1alpha1.Patch{good, bad, good}
	wantParametersError(t, in, "the class's second patch", "spec.patches[1]", true)

	in.Parameters.Patches = []v1alpha1.Patch{good, good, bad}
	wantParametersError(t, in, "the Gateway's first patch", "spec.patches[0]", false)
}

// With an autoscaler a patch is the last way in which replicas could be fought over.
func TestPatchOfReplicasUnderAnAutoscaler(t *testing.T) {
	in := testInput()
	in.Parameters.Patches = []v1alpha1.Patch{patch("Deployment", "{spec: {replicas: 3}}")}
	mustRender(t, in)
	in.Parameters.Autoscaling = &v1alpha1.Autoscaling{MaxReplicas: 3}
	wantParametersError(t, in, "the autoscaler owns the number", "spec.patches[0]", false)
}

func wantParametersError(t *testing.T, in Input, reason, field string, fromClass bool) (message string) {
	t.Helper()
	_, err := Render(in)
	var got *ParametersError
	if !errors.As(err, &got) {
		t.Fatalf("%s: got error %v, want a ParametersError", reason, err)
	}
	if got.Field != field || got.FromClass != fromClass {
		t.Errorf("%s: the error names %s (of the class: %v), want %s (%v)", reason, got.Field, got.FromClass, field, fromClass)
	}
	if got.Message == "" || len(got.Message) > maxMessage+len(" ...") {
		t.Errorf("%s: a message of %d bytes: %q", reason, len(got.Message), got.Message)
	}
	return got.Message
}

// aliasBomb is YAML whose aliases multiply into gigabytes.
func aliasBomb() string {
	var text strings.Builder
	text.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 9 {
		text.WriteString(strings.NewReplacer("N", string(rune('1'+i)), "P", string(rune('0'+i))).
			Replace("aN: &aN [*aP, *aP, *aP, *aP, *aP, *aP, *aP, *aP, *aP, *aP]\n"))
	}
	return text.String()
}

// copyBomb is a JSON patch of which each operation doubles the object's annotations.
func copyBomb() string {
	var text strings.Builder
	text.WriteString("- {op: add, path: /metadata/annotations, value: {a: b}}\n")
	for i := range 200 {
		fmt.Fprintf(&text, "- {op: copy, from: /metadata/annotations, path: /metadata/annotations/%d}\n", i)
	}
	return text.String()
}
