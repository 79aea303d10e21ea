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
	"testing"

	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// The cache does not keep all of an object, and a status is written with what it kept: nothing may be lost by that.
func TestStatusesLeaveTheRestOfAnObject(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	class, gateway, route, set := gatewayClass("noted-"+namespace, DefaultControllerName), openGateway(namespace, "web"), routeTo(namespace, "first", "web", "cart"), listenerSetOf(namespace, "extra", "web")
	gateway.Spec.GatewayClassName = gatewayv1.ObjectName(class.Name)
	for _, object := range []client.Object{class, gateway, route, set} {
		object.SetAnnotations(map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{}", "example.com/a": "b"})
		object.SetLabels(map[string]string{"example.com/a": "b"})
		w.create(t, object)
		before := object.DeepCopyObject().(client.Object)
		written := func() (map[string]string, error) {
			err := w.Get(t.Context(), client.ObjectKeyFromObject(object), object)
			managers := map[string]string{}
			for _, entry := range object.GetManagedFields() {
				managers[entry.Manager] = entry.Subresource
			}
			return managers, err
		}
		g.Eventually(written).WithTimeout(patient).Should(HaveKeyWithValue(DefaultControllerName, "status"))
		g.Expect([]any{object.GetAnnotations(), object.GetLabels()}).To(Equal([]any{before.GetAnnotations(), before.GetLabels()}))
		g.Expect(object.GetGeneration()).To(Equal(before.GetGeneration()))
		g.Expect(len(object.GetManagedFields())).To(Equal(1+len(before.GetManagedFields())), "whoever made it still has its fields")
	}
}
