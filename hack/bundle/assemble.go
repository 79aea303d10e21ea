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
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// semantic is the shape of a version that OLM can order (semver.org).
var semantic = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)

// bundle is a ClusterServiceVersion with the objects that are installed beside it.
type bundle struct {
	csv       *unstructured.Unstructured
	crds      []*unstructured.Unstructured
	others    []*unstructured.Unstructured // sorted by kind and name
	scorecard *unstructured.Unstructured   // nil where none was rendered
}

// assemble moves the operator's Deployments and what is bound to their ServiceAccounts into the base
// ClusterServiceVersion, describes the CRDs in it, and keeps the rest as it is. The Namespace and the operator's ServiceAccounts are left
// out: OLM makes them.
func assemble(objects []*unstructured.Unstructured, version string) (*bundle, error) {
	if !semantic.MatchString(version) {
		return nil, fmt.Errorf("%q is not a semantic version", version)
	}
	b := &bundle{}
	var deployments, samples []*unstructured.Unstructured
	rbac := bindings{}
	for _, object := range objects {
		switch object.GetKind() {
		case "ClusterServiceVersion":
			b.csv = object.DeepCopy()
		case "CustomResourceDefinition":
			b.crds = append(b.crds, object)
		case "Deployment":
			deployments = append(deployments, object)
		case "Configuration":
			b.scorecard = object
		case "GatewayParameters":
			samples = append(samples, object)
		case "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding", "ServiceAccount":
			rbac = append(rbac, object)
		case "Service", "ConfigMap", "PodDisruptionBudget", "PriorityClass", "ServiceMonitor", "PrometheusRule", "NetworkPolicy":
			b.others = append(b.others, object)
		case "Namespace":
		default:
			// Samples of the Gateway API need CRDs that the bundle does not bring: they are no part of it.
			if !strings.HasSuffix(object.GroupVersionKind().Group, "gateway.networking.k8s.io") {
				return nil, fmt.Errorf("%s %s: a bundle cannot hold this kind", object.GetKind(), object.GetName())
			}
		}
	}
	if b.csv == nil {
		return nil, errors.New("config/manifests renders no ClusterServiceVersion")
	}
	if len(deployments) == 0 {
		return nil, errors.New("config/manifests renders no Deployment")
	}
	return b, b.complete(deployments, samples, rbac, version)
}

func (b *bundle) complete(deployments, samples []*unstructured.Unstructured, rbac bindings, version string) error {
	base, _, _ := strings.Cut(b.csv.GetName(), ".v")
	b.csv.SetName(base + ".v" + version)
	b.csv.SetNamespace("")
	install := map[string]any{}
	used := map[string]bool{}
	for _, deployment := range deployments {
		account, _, err := unstructured.NestedString(deployment.Object, "spec", "template", "spec", "serviceAccountName")
		if err != nil {
			return fmt.Errorf("reading the ServiceAccount of Deployment %s: %w", deployment.GetName(), err)
		}
		if account == "" {
			return fmt.Errorf("no permissions can be given to Deployment %s: it has no spec.template.spec.serviceAccountName", deployment.GetName())
		}
		used[account] = true
		entry := map[string]any{"name": deployment.GetName(), "spec": deployment.Object["spec"]}
		if labels := deployment.GetLabels(); len(labels) > 0 {
			entry["label"] = anyMap(labels)
		}
		install["deployments"] = append(anyList(install["deployments"]), entry)
	}
	permissions, rest := rbac.split(used)
	for field, list := range permissions {
		install[field] = list
	}
	b.others = append(b.others, rest...)
	sortObjects(b.others)
	sortObjects(b.crds)
	examples, err := almExamples(samples)
	if err != nil {
		return err
	}
	annotations := b.csv.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations["alm-examples"] = examples
	b.csv.SetAnnotations(annotations)
	for _, set := range []struct {
		value any
		path  []string
	}{
		{version, []string{"spec", "version"}},
		{"deployment", []string{"spec", "install", "strategy"}},
		{install, []string{"spec", "install", "spec"}},
		{b.owned(), []string{"spec", "customresourcedefinitions", "owned"}},
	} {
		if err := unstructured.SetNestedField(b.csv.Object, set.value, set.path...); err != nil {
			return fmt.Errorf("setting %s of the ClusterServiceVersion: %w", strings.Join(set.path, "."), err)
		}
	}
	return nil
}

// owned describes the CRDs as a ClusterServiceVersion does, keeping what the base says of them for humans.
func (b *bundle) owned() []any {
	said, _, _ := unstructured.NestedSlice(b.csv.Object, "spec", "customresourcedefinitions", "owned")
	var owned []any
	for _, crd := range b.crds {
		kind, _, _ := unstructured.NestedString(crd.Object, "spec", "names", "kind")
		versions, _, _ := unstructured.NestedSlice(crd.Object, "spec", "versions")
		for _, version := range versions {
			v, _ := version.(map[string]any)
			entry := map[string]any{"name": crd.GetName(), "kind": kind, "version": v["name"], "displayName": kind}
			for _, other := range said {
				o, _ := other.(map[string]any)
				if o["name"] == entry["name"] && o["version"] == entry["version"] {
					entry = o
				}
			}
			owned = append(owned, entry)
		}
	}
	return owned
}

// almExamples renders the samples as the JSON that consoles offer as a start.
func almExamples(samples []*unstructured.Unstructured) (string, error) {
	list := make([]any, 0, len(samples))
	for _, sample := range samples {
		copied := sample.DeepCopy()
		copied.SetNamespace("")
		list = append(list, copied.Object)
	}
	text, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encoding the samples: %w", err)
	}
	return string(text), nil
}

func sortObjects(objects []*unstructured.Unstructured) {
	slices.SortFunc(objects, func(a, b *unstructured.Unstructured) int {
		return strings.Compare(a.GetKind()+"/"+a.GetName(), b.GetKind()+"/"+b.GetName())
	})
}

func anyList(value any) []any {
	list, _ := value.([]any)
	return list
}

func anyMap(labels map[string]string) map[string]any {
	out := make(map[string]any, len(labels))
	for key, value := range labels {
		out[key] = value
	}
	return out
}
