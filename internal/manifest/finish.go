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
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// memoryLimitVariable is read by the Go runtime: it collects harder before the kernel kills the process.
const memoryLimitVariable = "GOMEMLIMIT"

// finish adds what follows from the patched objects: namespace and owner, the bootstrap's hash, the runtime's memory
// limit, the Service of the replicas, which no patch may change; and sorts them.
func finish(in Input, s settings, objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	if ofKind(objects, kindDeployment) != nil {
		peers, err := peersService(in, s)
		if err != nil {
			return nil, err
		}
		objects = append(objects, peers)
	}
	for _, object := range objects {
		object.SetNamespace(in.Gateway.Namespace)
		object.SetOwnerReferences([]metav1.OwnerReference{OwnerReference(in.Gateway)})
	}
	slices.SortFunc(objects, func(a, b *unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(a.GetKind(), b.GetKind()), cmp.Compare(a.GetName(), b.GetName()))
	})

	deployment := ofKind(objects, kindDeployment)
	if deployment == nil {
		return objects, nil // no listener, no pods
	}
	if err := annotateBootstrap(deployment, ofKind(objects, kindConfigMap)); err != nil {
		return nil, fmt.Errorf("finishing Deployment %s: %w", deployment.GetName(), err)
	}
	if err := limitMemory(deployment); err != nil {
		return nil, fmt.Errorf("finishing Deployment %s: %w", deployment.GetName(), err)
	}
	return objects, nil
}

// OwnerReference makes a Gateway the controlling owner, with which the garbage collector removes what it owned.
func OwnerReference(gateway *gatewayv1.Gateway) metav1.OwnerReference {
	return metav1.OwnerReference{
		APIVersion:         gatewayv1.GroupVersion.String(),
		Kind:               "Gateway",
		Name:               gateway.Name,
		UID:                gateway.UID,
		Controller:         new(true),
		BlockOwnerDeletion: new(true),
	}
}

// ofKind is the one object of a kind, nil where none is wanted; verify made sure that no wanted one is missing.
func ofKind(objects []*unstructured.Unstructured, kind string) *unstructured.Unstructured {
	for _, object := range objects {
		if object.GetKind() == kind {
			return object
		}
	}
	return nil
}

// annotateBootstrap puts the hash of the ConfigMap's content on the pods. A proxy reads its bootstrap once, so another
// bootstrap needs other pods.
func annotateBootstrap(deployment, configMap *unstructured.Unstructured) error {
	content, err := json.Marshal(map[string]any{
		"data":       configMap.Object["data"],
		"binaryData": configMap.Object["binaryData"],
	})
	if err != nil {
		return fmt.Errorf("encoding the bootstrap: %w", err)
	}
	sum := sha256.Sum256(content)
	hash := hex.EncodeToString(sum[:])[:16]
	return unstructured.SetNestedField(deployment.Object, hash,
		"spec", "template", "metadata", "annotations", AnnotationBootstrapHash)
}

// limitMemory tells the Go runtime nine tenths of the container's memory limit, unless a patch has told it otherwise. CPU
// needs no such help: the runtime reads its own limit.
func limitMemory(deployment *unstructured.Unstructured) error {
	containers, _, err := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "containers")
	if err != nil {
		return fmt.Errorf("reading the containers: %w", err)
	}
	for _, entry := range containers {
		container, isObject := entry.(map[string]any)
		if !isObject || container["name"] != containerName {
			continue
		}
		if err := limitContainerMemory(container); err != nil {
			return err
		}
	}
	return unstructured.SetNestedSlice(deployment.Object, containers, "spec", "template", "spec", "containers")
}

func limitContainerMemory(container map[string]any) error {
	text, found, err := unstructured.NestedFieldNoCopy(container, "resources", "limits", "memory")
	if err != nil || !found {
		return err
	}
	limit, err := resource.ParseQuantity(fmt.Sprint(text))
	if err != nil {
		return fmt.Errorf("resources.limits.memory %v: %w", text, err)
	}
	env, _, err := unstructured.NestedSlice(container, "env")
	if err != nil {
		return fmt.Errorf("reading env: %w", err)
	}
	given := slices.ContainsFunc(env, func(entry any) bool {
		variable, isObject := entry.(map[string]any)
		return isObject && variable["name"] == memoryLimitVariable
	})
	if given {
		return nil
	}
	env = append(env, map[string]any{
		"name":  memoryLimitVariable,
		"value": strconv.FormatInt(limit.Value()/10*9, 10),
	})
	return unstructured.SetNestedSlice(container, env, "env")
}
