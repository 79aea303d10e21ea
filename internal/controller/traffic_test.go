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
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/manifest"
)

// Limits reach the running proxies; no pod is replaced for them, and parameters that become unusable take nothing back.
func TestLimitsArePushed(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	parameters := &v1alpha1.GatewayParameters{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web"},
		Spec:       v1alpha1.GatewayParametersSpec{TrustedHops: new(int32(1))},
	}
	gateway := httpGateway(namespace, "web")
	gateway.Spec.Infrastructure = &gatewayv1.GatewayInfrastructure{ParametersRef: &gatewayv1.LocalParametersReference{
		Group: gatewayv1.Group(v1alpha1.GroupVersion.Group), Kind: v1alpha1.KindGatewayParameters, Name: "web",
	}}
	w.create(t, parameters, gateway)
	replica := w.run(t, gateway)
	settings := func() string {
		_, table := replica.Table()
		return table["settings"]
	}
	g.Eventually(settings).WithTimeout(patient).ShouldNot(BeEmpty())
	first := settings()
	deployment := &appsv1.Deployment{}
	key := client.ObjectKey{Namespace: namespace, Name: manifest.Name("web", className)}
	g.Expect(w.Get(t.Context(), key, deployment)).To(Succeed())
	before := deployment.Generation

	parameters.Spec.Limits = &v1alpha1.Limits{MaxBodyBytes: new(int64(1000))}
	g.Expect(w.Update(t.Context(), parameters)).To(Succeed())
	g.Eventually(settings).WithTimeout(patient).ShouldNot(Equal(first))
	second := settings()

	g.Expect(w.Delete(t.Context(), parameters)).To(Succeed())
	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionAccepted)).WithTimeout(patient).
		Should(HaveField("Reason", "InvalidParameters"))
	g.Expect(settings()).To(Equal(second))
	g.Expect(w.Get(t.Context(), key, deployment)).To(Succeed())
	g.Expect(deployment.Generation).To(Equal(before))
}
