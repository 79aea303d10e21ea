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
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "sigs.k8s.io/json"
)

// What no patch may change, because the operator relies on it:
//   - the set of objects: none more, and none less but the removable kinds;
//   - their API version, kind, name, namespace, owner, finalizers and the operator's labels;
//   - by which pods they select, and that these are the Deployment's own;
//   - the container named proxy, the service account, and that no token of it is mounted;
//   - that an autoscaler alone sets the number of replicas.
//
// Everything else may be changed, and must only be what Kubernetes' types know: an unknown field is refused here, where
// the patch can still be named, and not by the API server.

// metadataKeys are the fields of metadata that a rendered object may have before it is finished.
var metadataKeys = []string{"name", "labels", "annotations"}

// verify checks that objects, as kustomize gave them, are what was generated up to what a patch may change.
func verify(in Input, s settings, generated map[string]fields, objects []*unstructured.Unstructured) error {
	seen := make(map[string]bool, len(objects))
	for _, object := range objects {
		kind := object.GetKind()
		if _, wanted := generated[kind]; !wanted || seen[kind] {
			return fmt.Errorf("makes a %s %s, which is not generated; only generated objects can be changed", kind, object.GetName())
		}
		seen[kind] = true
		if err := verifyObject(in, object); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		if err := verifyContent(in, s, object); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(generated)) {
		if !seen[kind] && !removable[kind] {
			return fmt.Errorf("removes the %s, without which there is no proxy", kind)
		}
	}
	return nil
}

// verifyObject checks what holds for every kind.
func verifyObject(in Input, object *unstructured.Unstructured) error {
	if got, want := object.GetAPIVersion(), apiVersions[object.GetKind()]; got != want {
		return fmt.Errorf("apiVersion is %q and must stay %q", got, want)
	}
	if got, want := object.GetName(), Name(in.Gateway.Name, in.ClassName); got != want {
		return fmt.Errorf("metadata.name is %q and must stay %q", got, want)
	}
	meta, _, err := unstructured.NestedMap(object.Object, "metadata")
	if err != nil {
		return fmt.Errorf("metadata is no object: %w", err)
	}
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		if !slices.Contains(metadataKeys, key) {
			return fmt.Errorf("metadata.%s must not be set", key)
		}
	}
	if _, found := object.Object["status"]; found {
		return fmt.Errorf("status must not be set")
	}
	return verifyLabels("metadata.labels", object.GetLabels(), Labels(in.Gateway.Name, in.ClassName))
}

// verifyLabels checks that got has every label of want.
func verifyLabels(field string, got, want map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if got[key] != want[key] {
			return fmt.Errorf("%s[%s] is %q and must stay %q", field, key, got[key], want[key])
		}
	}
	return nil
}

// verifyContent decodes the object strictly into its type and checks what holds for its kind.
func verifyContent(in Input, s settings, object *unstructured.Unstructured) error {
	typed := newTyped(object.GetKind())
	if typed == nil {
		return fmt.Errorf("is of no kind that is generated")
	}
	if err := decodeStrictly(object, typed); err != nil {
		return err
	}
	want := SelectorLabels(in.Gateway.Name, in.ClassName)
	switch typed := typed.(type) {
	case *appsv1.Deployment:
		return verifyDeployment(in, s, typed)
	case *corev1.Service:
		if !maps.Equal(typed.Spec.Selector, want) {
			return fmt.Errorf("spec.selector must stay the proxy's own pods")
		}
	case *networkingv1.NetworkPolicy:
		return verifySelector("spec.podSelector", &typed.Spec.PodSelector, want)
	case *policyv1.PodDisruptionBudget:
		return verifySelector("spec.selector", typed.Spec.Selector, want)
	case *autoscalingv2.HorizontalPodAutoscaler:
		if target := typed.Spec.ScaleTargetRef; target.Kind != kindDeployment || target.Name != object.GetName() {
			return fmt.Errorf("spec.scaleTargetRef must stay the proxy's own Deployment")
		}
	case *corev1.ServiceAccount:
		return verifyNoToken("automountServiceAccountToken", typed.AutomountServiceAccountToken)
	}
	return nil
}

// decodeStrictly decodes an object into its type. Unknown and repeated fields are errors, and errors name the field.
func decodeStrictly(object *unstructured.Unstructured, into any) error {
	text, err := object.MarshalJSON()
	if err != nil {
		return fmt.Errorf("encoding: %w", err)
	}
	strict, err := kjson.UnmarshalStrict(text, into)
	if err := errors.Join(append(strict, err)...); err != nil {
		return fmt.Errorf("decoding: %w", err)
	}
	return nil
}

func verifyDeployment(in Input, s settings, deployment *appsv1.Deployment) error {
	want := SelectorLabels(in.Gateway.Name, in.ClassName)
	if err := verifySelector("spec.selector", deployment.Spec.Selector, want); err != nil {
		return err
	}
	if s.autoscaling != nil && deployment.Spec.Replicas != nil {
		return fmt.Errorf("spec.replicas must not be set where spec.autoscaling of the parameters is")
	}
	template := deployment.Spec.Template
	if err := verifyLabels("spec.template.metadata.labels", template.Labels, Labels(in.Gateway.Name, in.ClassName)); err != nil {
		return err
	}
	name := Name(in.Gateway.Name, in.ClassName)
	if template.Spec.ServiceAccountName != name {
		return fmt.Errorf("spec.template.spec.serviceAccountName must stay %q", name)
	}
	if deprecated := template.Spec.DeprecatedServiceAccount; deprecated != "" && deprecated != name {
		return fmt.Errorf("spec.template.spec.serviceAccount must stay %q", name)
	}
	err := verifyNoToken("spec.template.spec.automountServiceAccountToken", template.Spec.AutomountServiceAccountToken)
	if err != nil {
		return err
	}
	return verifyContainers(template.Spec.Containers)
}

// verifyContainers checks that the proxy's container is there once, and that each has a name, without which
// server-side apply cannot tell them apart.
func verifyContainers(containers []corev1.Container) error {
	names := make([]string, 0, len(containers))
	for _, c := range containers {
		if c.Name == "" || slices.Contains(names, c.Name) {
			return fmt.Errorf("spec.template.spec.containers need names, each once; there are %s and %q", strings.Join(names, ", "), c.Name)
		}
		names = append(names, c.Name)
	}
	if !slices.Contains(names, containerName) {
		return fmt.Errorf("spec.template.spec.containers must hold the container %q", containerName)
	}
	return nil
}

func verifySelector(field string, got *metav1.LabelSelector, want map[string]string) error {
	if got == nil || len(got.MatchExpressions) > 0 || !maps.Equal(got.MatchLabels, want) {
		return fmt.Errorf("%s must stay the proxy's own pods", field)
	}
	return nil
}

func verifyNoToken(field string, automount *bool) error {
	if automount == nil || *automount {
		return fmt.Errorf("%s must stay false: a proxy never talks to the Kubernetes API", field)
	}
	return nil
}
