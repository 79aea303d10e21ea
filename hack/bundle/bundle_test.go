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

package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const rendered = `
apiVersion: operators.coreos.com/v1alpha1
kind: ClusterServiceVersion
metadata: {name: rauta.v0.0.0, namespace: placeholder}
spec:
  displayName: RAUTA
  customresourcedefinitions:
    owned: [{name: things.example.com, kind: Thing, version: v1, displayName: A thing}]
---
apiVersion: v1
kind: Namespace
metadata: {name: rauta-system}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec: {group: example.com, names: {kind: Thing}, versions: [{name: v1}, {name: v2}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: manager, namespace: rauta-system}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: manager-role}
rules: [{apiGroups: [""], resources: [services], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: viewer}
rules: []
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: manager-binding}
roleRef: {kind: ClusterRole, name: manager-role}
subjects: [{kind: ServiceAccount, name: manager, namespace: rauta-system}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: election, namespace: rauta-system}
rules: [{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: election-binding, namespace: rauta-system}
roleRef: {kind: Role, name: election}
subjects: [{kind: ServiceAccount, name: manager, namespace: rauta-system}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: manager, namespace: rauta-system, labels: {app: rauta}}
spec: {replicas: 1, template: {spec: {serviceAccountName: manager}}}
---
apiVersion: v1
kind: Service
metadata: {name: metrics, namespace: rauta-system}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: sample, namespace: tenant}
---
apiVersion: gateway.rauta.dev/v1alpha1
kind: GatewayParameters
metadata: {name: sample, namespace: tenant}
`

func assembled(t *testing.T, text string) *bundle {
	t.Helper()
	objects, err := read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	b, err := assemble(objects, "0.1.0")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestClusterServiceVersion(t *testing.T) {
	csv := assembled(t, rendered).csv
	if csv.GetName() != "rauta.v0.1.0" {
		t.Errorf("name %q: OLM orders a package's versions by it", csv.GetName())
	}
	var want map[string]any
	if err := yaml.Unmarshal([]byte(`
displayName: RAUTA
version: 0.1.0
customresourcedefinitions:
  owned:
  - {name: things.example.com, kind: Thing, version: v1, displayName: A thing}
  - {name: things.example.com, kind: Thing, version: v2, displayName: Thing}
install:
  strategy: deployment
  spec:
    deployments:
    - {name: manager, label: {app: rauta}, spec: {replicas: 1, template: {spec: {serviceAccountName: manager}}}}
    clusterPermissions:
    - {serviceAccountName: manager, rules: [{apiGroups: [""], resources: [services], verbs: [get]}]}
    permissions:
    - {serviceAccountName: manager, rules: [{apiGroups: [coordination.k8s.io], resources: [leases], verbs: [get]}]}
`), &want); err != nil {
		t.Fatal(err)
	}
	spec, _, _ := unstructured.NestedMap(csv.Object, "spec")
	if diff := cmp.Diff(plain(t, want), plain(t, spec)); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
	if examples := csv.GetAnnotations()["alm-examples"]; !strings.Contains(examples, "GatewayParameters") || strings.Contains(examples, `"Gateway"`) {
		t.Errorf("alm-examples must hold the bundle's own kinds alone:\n%s", examples)
	}
}

// plain gives both sides of a comparison the same number types.
func plain(t *testing.T, value any) any {
	t.Helper()
	text, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := yaml.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFiles(t *testing.T) {
	files, err := assembled(t, rendered).files("alpha")
	if err != nil {
		t.Fatal(err)
	}
	// Neither the Namespace nor the operator's account and bindings: OLM makes those. Nothing of the Gateway API: its CRDs are a prerequisite.
	want := []string{
		"bundle.Dockerfile",
		"manifests/example.com_things.yaml",
		"manifests/metrics_v1_service.yaml",
		"manifests/rauta.clusterserviceversion.yaml",
		"manifests/viewer_rbac.authorization.k8s.io_v1_clusterrole.yaml",
		"metadata/annotations.yaml",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if text := string(files["metadata/annotations.yaml"]); !strings.Contains(text, "bundle.package.v1: rauta\n") {
		t.Errorf("the package is missing in\n%s", text)
	}
}

func TestAssembleRefuses(t *testing.T) {
	cases := map[string]struct {
		reason, text, version, fails string
	}{
		"version":    {"OLM cannot order it", rendered, "dev", "semantic version"},
		"kind":       {"an object that OLM would refuse must fail here, not at an administrator's", rendered + "---\napiVersion: batch/v1\nkind: Job\nmetadata: {name: j}\n", "0.1.0", "Job j"},
		"no csv":     {"the base is what describes the operator to humans", "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n", "0.1.0", "no ClusterServiceVersion"},
		"deployment": {"a bundle without an operator installs nothing", strings.ReplaceAll(rendered, "kind: Deployment", "kind: Service"), "0.1.0", "no Deployment"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			objects, err := read(strings.NewReader(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := assemble(objects, tc.version); err == nil || !strings.Contains(err.Error(), tc.fails) {
				t.Errorf("%s: error %v, want one with %q", tc.reason, err, tc.fails)
			}
		})
	}
}
