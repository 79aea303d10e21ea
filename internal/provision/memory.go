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
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// digest is a SHA-256 over canonical JSON.
type digest [sha256.Size]byte

// mark is what is known of an object since it was last applied.
type mark struct {
	uid     types.UID
	version string // resource version of the last copy that was found unchanged
	wanted  digest // of what was applied
	owned   digest // of the fields that the API server then said were ours
}

// memory holds the marks of each owner's objects. The zero value is ready.
type memory struct {
	mu    sync.Mutex
	marks map[types.NamespacedName]map[identity]mark
}

// unchanged reports whether existing is what was applied last, the wanted object is still the same, and nobody has changed a field
// of ours since.
func (m *memory) unchanged(owner types.NamespacedName, id identity, wanted digest, existing client.Object) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	known, found := m.marks[owner][id]
	if !found || known.wanted != wanted || known.uid != existing.GetUID() {
		return false
	}
	if known.version == existing.GetResourceVersion() {
		return true
	}
	owned, found := ownedFields(existing)
	if !found || owned != known.owned {
		return false
	}
	known.version = existing.GetResourceVersion()
	m.marks[owner][id] = known
	return true
}

// remember notes what was applied and the API server's answer.
func (m *memory) remember(owner types.NamespacedName, id identity, wanted digest, applied client.Object) {
	owned, found := ownedFields(applied)
	if !found {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.marks == nil {
		m.marks = make(map[types.NamespacedName]map[identity]mark)
	}
	if m.marks[owner] == nil {
		m.marks[owner] = make(map[identity]mark)
	}
	m.marks[owner][id] = mark{
		uid:     applied.GetUID(),
		version: applied.GetResourceVersion(),
		wanted:  wanted,
		owned:   owned,
	}
}

// drop forgets one object.
func (m *memory) drop(owner types.NamespacedName, id identity) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.marks[owner], id)
}

// forget forgets an owner.
func (m *memory) forget(owner types.NamespacedName) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.marks, owner)
}

// ownedFields is a digest of the fields that this field manager applied, as the object's managedFields list them. What
// another changes or removes is no longer in the list.
func ownedFields(object client.Object) (digest, bool) {
	entry, found := appliedBy(object, FieldManager)
	if !found {
		return digest{}, false
	}
	// The order of keys differs with the way an object was decoded.
	var content any
	if err := json.Unmarshal(entry.FieldsV1.GetRawBytes(), &content); err != nil {
		return digest{}, false
	}
	owned, err := hashOf(content)
	return owned, err == nil
}

// appliedBy is the entry of managedFields for what a field manager applied to the object itself.
func appliedBy(object client.Object, manager string) (metav1.ManagedFieldsEntry, bool) {
	for _, entry := range object.GetManagedFields() {
		applied := entry.Operation == metav1.ManagedFieldsOperationApply && entry.Subresource == ""
		if entry.Manager == manager && applied && entry.FieldsV1 != nil {
			return entry, true
		}
	}
	return metav1.ManagedFieldsEntry{}, false
}

func hashOf(content any) (digest, error) {
	text, err := json.Marshal(content)
	if err != nil {
		return digest{}, fmt.Errorf("encoding for its hash: %w", err)
	}
	return sha256.Sum256(text), nil
}
