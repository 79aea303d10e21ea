//go:build e2e

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

package e2e

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// inventory lists every object of the cluster that is in one of the namespaces, or in none.
func inventory(ctx context.Context, g Gomega, namespaces ...string) map[string]metav1.ObjectMeta {
	objects, err := connection.Inventory(ctx, namespaces...)
	g.Expect(err).NotTo(HaveOccurred())
	return objects
}

// settledInventory waits until nothing is written any more, and lists what there is.
func settledInventory(ctx context.Context, namespaces ...string) map[string]metav1.ObjectMeta {
	GinkgoHelper()
	// Namespaces of earlier specs may be about to go.
	Eventually(func(g Gomega) {
		list := &corev1.NamespaceList{}
		g.Expect(k8s.List(ctx, list)).To(Succeed())
		for _, namespace := range list.Items {
			g.Expect(namespace.Status.Phase).To(Equal(corev1.NamespaceActive), "namespace %s", namespace.Name)
		}
	}).Should(Succeed())
	// The operator may still be telling of the last change: it may take two seconds to name the newest table.
	settled := inventory(ctx, Default, namespaces...)
	Eventually(func() []string {
		time.Sleep(3 * time.Second)
		earlier := settled
		settled = inventory(ctx, Default, namespaces...)
		return written(earlier, settled)
	}).Should(BeEmpty())
	return settled
}

// written are the objects of before that were written since. Pods and their endpoints are left out: they live on.
func written(before, now map[string]metav1.ObjectMeta) []string {
	var names []string
	for name, object := range before {
		if !isEndpointSlice(name) && !isPod(name) && now[name].ResourceVersion != object.ResourceVersion {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// sortedNames returns the objects' names. Names that begin with one of the prefixes are left out.
func sortedNames(objects map[string]metav1.ObjectMeta, without ...string) []string {
	names := slices.Sorted(maps.Keys(objects))
	return slices.DeleteFunc(names, func(name string) bool {
		return slices.ContainsFunc(without, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	})
}

// ownedBy returns the names of the objects of which the controller has that UID.
func ownedBy(objects map[string]metav1.ObjectMeta, uid string) []string {
	owned := map[string]metav1.ObjectMeta{}
	for name, object := range objects {
		if owner := metav1.GetControllerOf(&object); owner != nil && string(owner.UID) == uid {
			owned[name] = object
		}
	}
	return sortedNames(owned)
}
