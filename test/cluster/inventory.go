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

package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/metadata"
)

// fleeting are the kinds that come and go by themselves, whatever the operator does.
var fleeting = []string{"events", "leases", "nodes", "namespaces", "componentstatuses", "ipaddresses", "csinodes"}

// Inventory is the metadata of objects, by "resource/namespace/name".
type Inventory map[string]metav1.ObjectMeta

// Inventory lists every object of the cluster that is in one of the namespaces, or in none. All kinds are asked for, so that
// nothing can be left behind in one that nobody thought of.
func (c *Connection) Inventory(ctx context.Context, namespaces ...string) (Inventory, error) {
	lists, err := discovery.ServerPreferredResources(c.Clientset.Discovery())
	if err != nil {
		return nil, fmt.Errorf("list the kinds of the cluster: %w", err)
	}
	all, err := metadata.NewForConfig(c.Config)
	if err != nil {
		return nil, fmt.Errorf("make a client of metadata: %w", err)
	}
	objects := Inventory{}
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, fmt.Errorf("read the kinds of the cluster: %w", err)
		}
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") || slices.Contains(fleeting, resource.Name) {
				continue
			}
			found, err := all.Resource(version.WithResource(resource.Name)).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, fmt.Errorf("list %s: %w", resource.Name, err)
			}
			objects.add(resource.Name, found.Items, namespaces)
		}
	}
	return objects, nil
}

func (i Inventory) add(resource string, found []metav1.PartialObjectMetadata, namespaces []string) {
	for _, object := range found {
		if object.Namespace == "" || slices.Contains(namespaces, object.Namespace) {
			i[resource+"/"+object.Namespace+"/"+object.Name] = object.ObjectMeta
		}
	}
}

// Lost are the objects that are no longer in another, later inventory, or are there as another object of the same name.
func (i Inventory) Lost(later Inventory) []string {
	var lost []string
	for _, name := range slices.Sorted(maps.Keys(i)) {
		object, found := later[name]
		switch {
		case !found:
			lost = append(lost, name+" is gone")
		case object.UID != i[name].UID:
			lost = append(lost, name+" was deleted and made again")
		}
	}
	return lost
}
