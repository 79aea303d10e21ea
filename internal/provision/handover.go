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

package provision

import (
	"context"
	"encoding/json"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// handoverManager holds a Deployment's replicas from the moment that the operator lets go of them until an autoscaler
// sets them.
const handoverManager = FieldManager + "-handover"

// handOverReplicas keeps a Deployment's number of replicas when it is about to be left to an autoscaler. Server-side
// apply removes a field that its only owner no longer applies, and a Deployment without replicas is scaled to 1: ten
// replicas under load would become one. So another manager applies the present number first.
//
// It gives the version of the object after that.
func (a *Applier) handOverReplicas(ctx context.Context, wanted *unstructured.Unstructured, existing client.Object) (string, error) {
	deployment, isDeployment := existing.(*appsv1.Deployment)
	if !isDeployment || deployment.Spec.Replicas == nil || !ownsReplicas(deployment) {
		return existing.GetResourceVersion(), nil
	}
	_, given, err := unstructured.NestedFieldNoCopy(wanted.Object, "spec", "replicas")
	if err != nil || given {
		return existing.GetResourceVersion(), err
	}

	holder := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{"replicas": int64(*deployment.Spec.Replicas)},
	}}
	holder.SetGroupVersionKind(wanted.GroupVersionKind())
	holder.SetNamespace(wanted.GetNamespace())
	holder.SetName(wanted.GetName())
	holder.SetUID(existing.GetUID())
	holder.SetResourceVersion(existing.GetResourceVersion())
	err = a.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(holder), client.FieldOwner(handoverManager), client.ForceOwnership)
	if err != nil {
		return "", fmt.Errorf("handing over the replicas of Deployment %s/%s: %w", wanted.GetNamespace(), wanted.GetName(), err)
	}
	return holder.GetResourceVersion(), nil
}

// ownsReplicas reports whether spec.replicas is among the fields that the operator applied.
func ownsReplicas(deployment *appsv1.Deployment) bool {
	entry, found := appliedBy(deployment, FieldManager)
	if !found {
		return false
	}
	var owned struct {
		Spec map[string]any `json:"f:spec"`
	}
	if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &owned); err != nil {
		return false
	}
	_, owns := owned.Spec["f:replicas"]
	return owns
}
