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

// Package config_test holds the kustomize tree to what an API server accepts.
package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/rauta-dev/rauta/test/fixture"
)

// build renders a directory of the tree.
func build(t *testing.T, directory string) []*unstructured.Unstructured {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), directory)
	if err != nil {
		t.Fatalf("building config/%s: %v", directory, err)
	}
	var objects []*unstructured.Unstructured
	for _, resource := range built.Resources() {
		text, err := resource.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		object := &unstructured.Unstructured{}
		if err := object.UnmarshalJSON(text); err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
	return objects
}

func TestEveryKustomizationBuilds(t *testing.T) {
	kustomizations, err := filepath.Glob("*/kustomization.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(kustomizations) < 10 {
		t.Fatalf("only %d kustomizations found", len(kustomizations))
	}
	for _, file := range kustomizations {
		if len(build(t, filepath.Dir(file))) == 0 {
			t.Errorf("config/%s builds to nothing", filepath.Dir(file))
		}
	}
}

// The Gateway API's CRDs belong to the cluster: installing or removing the operator must never touch them.
func TestNothingBringsGatewayAPICRDs(t *testing.T) {
	for _, directory := range []string{"default", "manifests", "samples"} {
		for _, object := range build(t, directory) {
			isCRD := object.GetKind() == "CustomResourceDefinition"
			if isCRD && !strings.HasSuffix(object.GetName(), ".gateway.rauta.dev") {
				t.Errorf("config/%s brings the CRD %s", directory, object.GetName())
			}
		}
	}
}

// An API server with the Gateway API's CRDs takes the operator and the samples, without a field that it does not know.
func TestAnAPIServerAcceptsTheTree(t *testing.T) {
	server := startAPIServer(t)
	for _, directory := range []string{"default", "network-policy", "samples"} {
		objects := build(t, directory)
		for _, object := range objects {
			namespace := object.GetNamespace()
			if directory == "network-policy" {
				object.SetNamespace("rauta-system") // as config/default would
				namespace = "rauta-system"
			}
			err := server.Create(t.Context(), object, client.FieldValidation("Strict"))
			if err != nil {
				t.Errorf("config/%s: %s %s/%s: %v", directory, object.GetKind(), namespace, object.GetName(), err)
			}
		}
	}
}

// Both operator and echo pods run under the restricted standard that their namespaces enforce.
func TestPodsOfTheTreeAreRestricted(t *testing.T) {
	checked := 0
	for _, directory := range []string{"default", "samples"} {
		for _, object := range build(t, directory) {
			if object.GetKind() == "Namespace" && object.GetLabels()["pod-security.kubernetes.io/enforce"] != "restricted" {
				t.Errorf("config/%s: Namespace %s does not enforce the restricted standard", directory, object.GetName())
			}
			if object.GetKind() != "Deployment" {
				continue
			}
			checked++
			nonRoot, _, _ := unstructured.NestedBool(object.Object, "spec", "template", "spec", "securityContext", "runAsNonRoot")
			profile, _, _ := unstructured.NestedString(object.Object, "spec", "template", "spec", "securityContext", "seccompProfile", "type")
			if !nonRoot || profile != string(corev1.SeccompProfileTypeRuntimeDefault) {
				t.Errorf("config/%s: Deployment %s would be refused", directory, object.GetName())
			}
		}
	}
	if checked != 5 {
		t.Errorf("%d Deployments, want the operator and four echo servers", checked)
	}
}

// What takes one operator, a node that is drained or lost, leaves another that stands by.
func TestTwoOperators(t *testing.T) {
	for _, directory := range []string{"default", "manifests"} {
		deployment, budget := (*appsv1.Deployment)(nil), (*policyv1.PodDisruptionBudget)(nil)
		for _, object := range build(t, directory) {
			switch object.GetKind() {
			case "Deployment":
				deployment = convert[appsv1.Deployment](t, object)
			case "PodDisruptionBudget":
				budget = convert[policyv1.PodDisruptionBudget](t, object)
			}
		}
		if deployment == nil || budget == nil {
			t.Fatalf("config/%s: a Deployment %v, a PodDisruptionBudget %v", directory, deployment != nil, budget != nil)
		}
		if *deployment.Spec.Replicas != 2 {
			t.Errorf("config/%s: %d operators, want 2", directory, *deployment.Spec.Replicas)
		}
		pods := labels.Set(deployment.Spec.Template.Labels)
		selectors := []*metav1.LabelSelector{budget.Spec.Selector}
		for _, constraint := range deployment.Spec.Template.Spec.TopologySpreadConstraints {
			selectors = append(selectors, constraint.LabelSelector)
			if constraint.WhenUnsatisfiable != corev1.ScheduleAnyway {
				t.Errorf("config/%s: with one node, or one zone, an operator would not be scheduled for its %s", directory, constraint.TopologyKey)
			}
		}
		if len(selectors) != 3 {
			t.Errorf("config/%s: operators are spread by %d keys, want nodes and zones", directory, len(selectors)-1)
		}
		for _, selector := range selectors {
			matches, err := metav1.LabelSelectorAsSelector(selector)
			if err != nil || !matches.Matches(pods) {
				t.Errorf("config/%s: %v does not select operators (%v)", directory, selector, err)
			}
		}
		if budget.Spec.MinAvailable != nil || budget.Spec.MaxUnavailable.IntValue() != 1 {
			t.Errorf("config/%s: the budget must let one operator go, also if there is but one", directory)
		}
	}
}

func convert[T any](t *testing.T, object *unstructured.Unstructured) *T {
	t.Helper()
	into := new(T)
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, into); err != nil {
		t.Fatal(err)
	}
	return into
}

func startAPIServer(t *testing.T) client.Client {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: this test needs etcd and kube-apiserver; run `make test`, which builds them")
	}
	gatewayAPI := fixture.ModuleDirectory(t, "sigs.k8s.io/gateway-api")
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join(gatewayAPI, "config", "crd", "standard")},
		ErrorIfCRDPathMissing: true,
	}
	config, err := environment.Start()
	if err != nil {
		t.Fatalf("starting the API server: %v", err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Error(fmt.Errorf("stopping the API server: %w", err))
		}
	})
	return newClient(t, config)
}

func newClient(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	server, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return server
}
