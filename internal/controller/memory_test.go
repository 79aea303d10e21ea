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

package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// memory is a client without an API server, whose reads cost what those of the operator's cache do: its objects are in the
// same indexers, and are handed out without copies. A status that is written is encoded, and is in the cache at once.
type memory struct {
	client.Client
	scheme  *runtime.Scheme
	kinds   map[reflect.Type]toolscache.Indexer
	version int
	// written counts statuses.
	written int
}

func newMemory() *memory {
	return &memory{scheme: Scheme(), kinds: map[reflect.Type]toolscache.Indexer{}}
}

func (m *memory) kind(object runtime.Object) toolscache.Indexer {
	t := reflect.TypeOf(object)
	if m.kinds[t] == nil {
		m.kinds[t] = toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, toolscache.Indexers{})
	}
	return m.kinds[t]
}

// IndexField adds an index.
func (m *memory) IndexField(_ context.Context, object client.Object, field string, keys client.IndexerFunc) error {
	return m.kind(object).AddIndexers(toolscache.Indexers{field: func(o any) ([]string, error) { return keys(o.(client.Object)), nil }})
}

// put stores an object, which must not be changed any more.
func (m *memory) put(object client.Object) {
	m.version++
	object.SetResourceVersion(strconv.Itoa(m.version))
	_ = m.kind(object).Add(object) // fails only where an object has no name
}

// remove has an object gone.
func (m *memory) remove(object client.Object) {
	_ = m.kind(object).Delete(object) // fails only where an object has no name
}

// Get finds an object.
func (m *memory) Get(_ context.Context, key client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	name := key.String()
	if key.Namespace == "" {
		name = key.Name
	}
	found, is, err := m.kind(into).GetByKey(name)
	if err != nil {
		return err
	}
	if !is {
		return apierrors.NewNotFound(schema.GroupResource{Resource: fmt.Sprintf("%T", into)}, name)
	}
	reflect.ValueOf(into).Elem().Set(reflect.ValueOf(found).Elem())
	return nil
}

// List finds objects by one index, or all.
func (m *memory) List(_ context.Context, into client.ObjectList, options ...client.ListOption) error {
	asked := client.ListOptions{}
	asked.ApplyOptions(options)
	gvk, err := m.GroupVersionKindFor(into)
	if err != nil {
		return err
	}
	gvk.Kind = gvk.Kind[:len(gvk.Kind)-len("List")]
	one, err := m.scheme.New(gvk)
	if err != nil {
		return err
	}
	found, err := m.find(one, asked.FieldSelector)
	if err != nil {
		return err
	}
	objects := make([]runtime.Object, 0, len(found))
	for _, object := range found {
		if asked.Namespace == "" || object.(client.Object).GetNamespace() == asked.Namespace {
			objects = append(objects, object.(runtime.Object))
		}
	}
	return apimeta.SetList(into, objects)
}

func (m *memory) find(one runtime.Object, selector fields.Selector) ([]any, error) {
	if selector == nil {
		return m.kind(one).List(), nil
	}
	by := selector.Requirements()[0]
	return m.kind(one).ByIndex(by.Field, by.Value)
}

// GroupVersionKindFor is what the scheme says.
func (m *memory) GroupVersionKindFor(object runtime.Object) (schema.GroupVersionKind, error) {
	found, _, err := m.scheme.ObjectKinds(object)
	if err != nil {
		return schema.GroupVersionKind{}, err
	}
	return found[0], nil
}

// Status writes statuses.
func (m *memory) Status() client.SubResourceWriter { return memoryStatus{memory: m} }

type memoryStatus struct {
	client.SubResourceWriter
	memory *memory
}

// Update encodes an object as it would be sent, and has its status in the cache.
func (s memoryStatus) Update(_ context.Context, object client.Object, _ ...client.SubResourceUpdateOption) error {
	if _, err := json.Marshal(object); err != nil {
		return err
	}
	s.memory.written++
	stored, is, err := s.memory.kind(object).GetByKey(client.ObjectKeyFromObject(object).String())
	if err != nil || !is {
		return err
	}
	updated := stored.(runtime.Object).DeepCopyObject().(client.Object)
	reflect.ValueOf(updated).Elem().FieldByName("Status").Set(reflect.ValueOf(object.DeepCopyObject()).Elem().FieldByName("Status"))
	s.memory.put(updated)
	return nil
}
