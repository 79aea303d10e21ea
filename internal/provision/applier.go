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
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// FieldManager owns every field that the operator applies.
const FieldManager = "rauta"

// Applier makes the cluster hold what was rendered for a Gateway.
type Applier struct {
	// Client reads (from its cache where it has one) and writes.
	Client client.Client
	// Live reads past any cache. It is asked before an object is created, because a cache that is filtered by labels
	// does not show the object of somebody else that has the name. Nil means Client.
	Live client.Reader
}

// CollisionError says that an object of a wanted name exists and is not controlled by the Gateway. It is never adopted.
type CollisionError struct {
	Kind, Namespace, Name string
}

// Error names the object in the way.
func (e *CollisionError) Error() string {
	return fmt.Sprintf("%s %s/%s exists and does not belong to this Gateway", e.Kind, e.Namespace, e.Name)
}

// Apply makes the cluster hold objects for their owner, the Gateway, and nothing else that was once made for it.
func (a *Applier) Apply(ctx context.Context, owner client.Object, objects []*unstructured.Unstructured) error {
	return fmt.Errorf("applying %d objects of %s/%s: not written yet", len(objects), owner.GetNamespace(), owner.GetName())
}
