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
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The label that everything generated carries, and its value.
const (
	labelManagedBy = "app.kubernetes.io/managed-by"
	managedBy      = "rauta"
)

// prunedKind is a kind in which objects are made for Gateways.
type prunedKind struct {
	kind string
	list func() client.ObjectList
}

// prunedKinds are all of them, in the order in which they are removed: what changes the number of pods first, then the pods, then
// what they need.
var prunedKinds = []prunedKind{
	{"HorizontalPodAutoscaler", func() client.ObjectList { return &autoscalingv2.HorizontalPodAutoscalerList{} }},
	{"PodDisruptionBudget", func() client.ObjectList { return &policyv1.PodDisruptionBudgetList{} }},
	{"Service", func() client.ObjectList { return &corev1.ServiceList{} }},
	{"Deployment", func() client.ObjectList { return &appsv1.DeploymentList{} }},
	{"NetworkPolicy", func() client.ObjectList { return &networkingv1.NetworkPolicyList{} }},
	{"ConfigMap", func() client.ObjectList { return &corev1.ConfigMapList{} }},
	{"Secret", func() client.ObjectList { return &corev1.SecretList{} }},
	{"ServiceAccount", func() client.ObjectList { return &corev1.ServiceAccountList{} }},
}

// prune deletes what was made for owner and is not wanted any more. Both must be true of it: our label, by which
// it is found, and owner's control, without which nothing is ever deleted.
func (a *Applier) prune(ctx context.Context, owner client.Object, wanted []*unstructured.Unstructured) error {
	keep := make(map[identity]bool, len(wanted))
	for _, object := range wanted {
		keep[identify(object)] = true
	}
	var failures []error
	for _, pruned := range prunedKinds {
		list := pruned.list()
		// Nothing of the list is changed, so it may be the cache's own objects.
		err := a.Client.List(ctx, list, client.InNamespace(owner.GetNamespace()),
			client.MatchingLabels{labelManagedBy: managedBy}, client.UnsafeDisableDeepCopy)
		if err != nil {
			failures = append(failures, fmt.Errorf("listing each %s of namespace %s: %w", pruned.kind, owner.GetNamespace(), err))
			continue
		}
		err = meta.EachListItem(list, func(item runtime.Object) error {
			object, isObject := item.(client.Object)
			if !isObject || !metav1.IsControlledBy(object, owner) {
				return nil
			}
			id := identity{kind: pruned.kind, name: object.GetName()}
			if keep[id] || !object.GetDeletionTimestamp().IsZero() {
				return nil
			}
			return a.remove(ctx, owner, id, object)
		})
		if err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// remove deletes just this object: if another has taken its name meanwhile, the API server refuses.
func (a *Applier) remove(ctx context.Context, owner client.Object, id identity, object client.Object) error {
	uid := object.GetUID()
	err := a.Client.Delete(ctx, object, client.Preconditions{UID: &uid},
		client.PropagationPolicy(metav1.DeletePropagationBackground))
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting %s %s/%s: %w", id.kind, object.GetNamespace(), object.GetName(), err)
	}
	a.memory.drop(client.ObjectKeyFromObject(owner), id)
	return nil
}
