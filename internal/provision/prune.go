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
	"k8s.io/apimachinery/pkg/runtime/schema"
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

// prune deletes what was made for owner and is unwanted. Both must be true of it: our label, by which
// it is found, and owner's control, without which nothing is ever deleted. The cache finds what may have to go; whether it has to is
// asked of the API server itself.
func (a *Applier) prune(ctx context.Context, owner client.Object, unwanted func(identity, client.Object) bool, basis []client.Object) error {
	surplus, failure := a.surplus(ctx, owner, unwanted)
	if len(surplus) == 0 {
		return failure
	}
	if err := a.confirm(ctx, basis); err != nil {
		return errors.Join(failure, err)
	}
	failures := []error{failure}
	for _, object := range surplus {
		failures = append(failures, a.remove(ctx, owner, object))
	}
	return errors.Join(failures...)
}

// found is an object that exists, by its kind, which those of a cache do not name.
type found struct {
	identity
	client.Object
}

// surplusOf tells what is not among the wanted objects.
func surplusOf(wanted []*unstructured.Unstructured) func(identity, client.Object) bool {
	keep := make(map[identity]bool, len(wanted))
	for _, object := range wanted {
		keep[identify(object)] = true
	}
	return func(id identity, _ client.Object) bool { return !keep[id] }
}

// surplus is what exists for owner and is not wanted, in the order in which it is to go.
func (a *Applier) surplus(ctx context.Context, owner client.Object, unwanted func(identity, client.Object) bool) ([]found, error) {
	var (
		surplus  []found
		failures []error
	)
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
			if unwanted(id, object) && object.GetDeletionTimestamp().IsZero() {
				surplus = append(surplus, found{identity: id, Object: object})
			}
			return nil
		})
		if err != nil {
			failures = append(failures, err)
		}
	}
	return surplus, errors.Join(failures...)
}

// confirm holds when each object of basis exists, and says what it said when it was read.
func (a *Applier) confirm(ctx context.Context, basis []client.Object) error {
	for _, read := range basis {
		kind, err := a.Client.GroupVersionKindFor(read)
		if err != nil {
			return fmt.Errorf("%T %s: %w", read, client.ObjectKeyFromObject(read), err)
		}
		live, err := a.live(ctx, kind, client.ObjectKeyFromObject(read))
		if err != nil {
			return err
		}
		if live == nil || live.UID != read.GetUID() || live.Generation != read.GetGeneration() {
			group := schema.GroupResource{Group: kind.Group, Resource: kind.Kind}
			return apierrors.NewConflict(group, read.GetName(), errors.New("it has changed since it was decided what to delete"))
		}
	}
	return nil
}

// live reads an object's metadata past the cache; nil where there is none.
func (a *Applier) live(ctx context.Context, kind schema.GroupVersionKind, key client.ObjectKey) (*metav1.PartialObjectMetadata, error) {
	reader := a.Live
	if reader == nil {
		reader = a.Client
	}
	live := &metav1.PartialObjectMetadata{}
	live.SetGroupVersionKind(kind)
	err := reader.Get(ctx, key, live)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s %s past the cache: %w", kind.Kind, key, err)
	}
	return live, nil
}

// remove deletes just this object, if it is still owner's: if another has taken its name meanwhile, or it has been given to somebody
// else, it is left alone.
func (a *Applier) remove(ctx context.Context, owner client.Object, object found) error {
	kind, err := a.Client.GroupVersionKindFor(object.Object)
	if err != nil {
		return fmt.Errorf("%s %s: %w", object.kind, client.ObjectKeyFromObject(object), err)
	}
	live, err := a.live(ctx, kind, client.ObjectKeyFromObject(object))
	if err != nil {
		return err
	}
	if live != nil && live.UID == object.GetUID() && metav1.IsControlledBy(live, owner) && live.Labels[labelManagedBy] == managedBy {
		err = a.Client.Delete(ctx, live, client.Preconditions{UID: &live.UID, ResourceVersion: &live.ResourceVersion},
			client.PropagationPolicy(metav1.DeletePropagationBackground))
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("deleting %s %s: %w", object.kind, client.ObjectKeyFromObject(object), err)
	}
	a.memory.drop(client.ObjectKeyFromObject(owner), object.identity)
	return nil
}
