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
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// FieldManager owns every field that the operator applies.
const FieldManager = "rauta"

// Applier makes the cluster hold what was rendered for a Gateway. It may be used by several goroutines, for different
// Gateways.
type Applier struct {
	// Client reads (from its cache where it has one) and writes. Its scheme must know every kind that is applied.
	Client client.Client
	// Live reads past any cache. It is asked before an object is created, because a cache that is filtered by labels
	// does not show the object of somebody else that has the name. Nil means Client.
	Live client.Reader

	memory memory
}

// Apply makes the cluster hold objects for their owner, the Gateway, and nothing else that was once made for it: what
// is labelled as ours and controlled by this Gateway, and not among objects, is deleted.
//
// Nothing is deleted unless each object of basis, by which it was decided what is wanted, is still as it was read: what a cache is
// behind with, or an operator that was overtaken remembers, must not cost anybody their proxy. The error is a conflict then.
//
// Nothing is written if an object of a wanted name is not controlled by owner: the error is then a *CollisionError. An object that the
// API server refuses for its content gives a *RejectedError; the others are applied all the same, and nothing is
// pruned. Errors are joined.
func (a *Applier) Apply(ctx context.Context, owner client.Object, objects []*unstructured.Unstructured, basis ...client.Object) error {
	current, err := a.current(ctx, owner, objects)
	if err != nil {
		return err
	}

	ordered := slices.Clone(objects)
	slices.SortStableFunc(ordered, func(x, y *unstructured.Unstructured) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x.GetKind(), y.GetKind()), cmp.Compare(x.GetName(), y.GetName()))
	})
	var failures []error
	for _, object := range ordered {
		if err := a.applyOne(ctx, client.ObjectKeyFromObject(owner), object, current[identify(object)]); err != nil {
			failures = append(failures, err)
		}
	}
	if len(failures) > 0 {
		return errors.Join(failures...)
	}
	return a.prune(ctx, owner, surplusOf(objects), basis)
}

// Release deletes what was made for a Gateway that is another controller's now, on the same conditions as Apply. What has the labels of
// spared stays: another installation of this operator, under another name, labels what it makes just as this one does, but for them.
func (a *Applier) Release(ctx context.Context, owner client.Object, spared map[string]string, basis ...client.Object) error {
	stays := labels.SelectorFromSet(spared)
	return a.prune(ctx, owner, func(_ identity, object client.Object) bool { return !stays.Matches(labels.Set(object.GetLabels())) }, basis)
}

// Forget drops what is remembered of a Gateway that is gone.
func (a *Applier) Forget(owner types.NamespacedName) { a.memory.forget(owner) }

// identity names an object of one namespace.
type identity struct{ kind, name string }

func identify(object client.Object) identity {
	return identity{kind: object.GetObjectKind().GroupVersionKind().Kind, name: object.GetName()}
}

// current reads what exists of the wanted objects, and refuses what is not controlled by owner.
func (a *Applier) current(ctx context.Context, owner client.Object, objects []*unstructured.Unstructured) (map[identity]client.Object, error) {
	current := make(map[identity]client.Object, len(objects))
	for _, object := range objects {
		existing, err := a.read(ctx, object)
		if err != nil {
			return nil, err
		}
		if existing == nil {
			continue
		}
		if !metav1.IsControlledBy(existing, owner) {
			return nil, &CollisionError{Kind: object.GetKind(), Namespace: object.GetNamespace(), Name: object.GetName()}
		}
		current[identify(object)] = existing
	}
	return current, nil
}

// read gives the object as it exists, or nil.
func (a *Applier) read(ctx context.Context, object *unstructured.Unstructured) (client.Object, error) {
	key := client.ObjectKeyFromObject(object)
	existing, err := a.newTyped(object)
	if err != nil {
		return nil, err
	}
	// Typed, so that the read shares the cache of the controller's watches.
	err = a.Client.Get(ctx, key, existing)
	if err == nil {
		return existing, nil
	}
	if !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("reading %s %s: %w", object.GetKind(), key, err)
	}
	if a.Live == nil {
		return nil, nil
	}

	live, err := a.live(ctx, object.GroupVersionKind(), key)
	if live == nil || err != nil {
		return nil, err // and no typed nil
	}
	return live, nil
}

func (a *Applier) newTyped(object *unstructured.Unstructured) (client.Object, error) {
	typed, err := a.Client.Scheme().New(object.GroupVersionKind())
	if err != nil {
		return nil, fmt.Errorf("%s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
	}
	result, isObject := typed.(client.Object)
	if !isObject {
		return nil, fmt.Errorf("%s is no object of an API", object.GetKind())
	}
	return result, nil
}

// applyOne applies one object unless it is what was applied last and nobody has touched it since.
func (a *Applier) applyOne(ctx context.Context, owner types.NamespacedName, object *unstructured.Unstructured, existing client.Object) error {
	wanted, err := hashOf(object.Object)
	if err != nil {
		return fmt.Errorf("%s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
	}
	if existing != nil && a.memory.unchanged(owner, identify(object), wanted, existing) {
		return nil
	}

	applied, err := a.send(ctx, object, existing)
	if err != nil {
		return err
	}
	a.memory.remember(owner, identify(object), wanted, applied)
	return nil
}

// rank orders what is applied: what pods need before the pods, and their number last.
func rank(object *unstructured.Unstructured) int {
	switch object.GetKind() {
	case "ServiceAccount", "ConfigMap", "Secret", "NetworkPolicy":
		return 0
	case "Service":
		return 1
	case "Deployment":
		return 2
	}
	return 3
}
