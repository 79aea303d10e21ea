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

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/manifest"
)

// TestProxyOf looks at each Service that is made for a Gateway: readiness of replicas is told by one of them alone.
func TestProxyOf(t *testing.T) {
	rendered, err := manifest.Render(manifest.Input{
		Gateway:   &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", UID: "1"}},
		ClassName: className,
		Image:     "proxy:test",
		Ports:     []manifest.ListenerPort{{Name: "http", Port: 80}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var services, found int
	for _, object := range rendered.Objects {
		if object.GetKind() != "Service" {
			continue
		}
		services++
		service := &corev1.Service{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, service); err != nil {
			t.Fatal(err)
		}
		owner, ok := proxyOf(service)
		if !ok {
			continue
		}
		found++
		if owner.String() != "shop/web" || service.Name != rendered.Name || service.Spec.PublishNotReadyAddresses {
			t.Errorf("Service %s leads to the proxy of %s", service.Name, owner)
		}
	}
	if services != 2 || found != 1 {
		t.Errorf("%d of %d Services lead to the proxy, want 1 of 2", found, services)
	}
}
