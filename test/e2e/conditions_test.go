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
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/manifest"
)

var _ = Describe("Bad input", Ordered, ContinueOnFailure, func() {
	var t *tenant

	BeforeAll(func(ctx SpecContext) { t = newTenant(ctx, "input") })

	// says waits until a condition of the Gateway has the status and reason, with a message that contains each of the parts.
	says := func(ctx SpecContext, name, conditionType, want string, parts ...string) {
		GinkgoHelper()
		gateway := &gatewayv1.Gateway{}
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: name}, gateway)).To(Succeed())
			g.Expect(conditionsOf(gateway)).To(HaveKeyWithValue(conditionType, want))
			for _, part := range parts {
				g.Expect(message(gateway, conditionType)).To(ContainSubstring(part))
			}
		}).Should(Succeed())
	}

	It("in parameters that are missing is named, and mended by creating them", func(ctx SpecContext) {
		t.create(ctx, parametrised(t.gateway("lost"), "nowhere"))
		says(ctx, "lost", "Accepted", "False/InvalidParameters", "nowhere")
		t.create(ctx, &v1alpha1.GatewayParameters{ObjectMeta: t.meta("nowhere"), Spec: v1alpha1.GatewayParametersSpec{Replicas: ptr.To[int32](1)}})
		t.programmed(ctx, "lost")
	})

	It("in a patch is named by its field", func(ctx SpecContext) {
		params := &v1alpha1.GatewayParameters{ObjectMeta: t.meta("broken")}
		params.Spec.Patches = []v1alpha1.Patch{{
			Target: v1alpha1.PatchTarget{Kind: "Deployment"},
			Patch:  `[{"op": "remove", "path": "/spec/template/spec/doesNotExist"}]`,
		}}
		t.create(ctx, params, parametrised(t.gateway("patched"), "broken"))
		says(ctx, "patched", "Accepted", "False/InvalidParameters", "broken", "spec.patches[0]")
	})

	It("that contradicts itself is refused by the API server", func(ctx SpecContext) {
		params := &v1alpha1.GatewayParameters{ObjectMeta: t.meta("contradiction")}
		params.Spec.Replicas = ptr.To[int32](2)
		params.Spec.Autoscaling = &v1alpha1.Autoscaling{MaxReplicas: 3}
		err := k8s.Create(ctx, params)
		Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
		Expect(err).To(MatchError(ContainSubstring("replicas and autoscaling exclude each other")))
	})

	It("in one listener is told there, and does not keep its neighbour from serving", func(ctx SpecContext) {
		t.echo(ctx, "red", 1)
		gateway := t.gateway("mixed")
		gateway.Spec.Listeners = append(gateway.Spec.Listeners, gatewayv1.Listener{Name: "odd", Port: 7000, Protocol: "example.com/odd"})
		t.create(ctx, gateway, t.route("mixed", "mixed", "mixed.example", weighted{"red", 1}))
		eventuallyAnswers(ctx, t.programmed(ctx, "mixed"), "mixed.example", answer{200, "red"})
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(gateway), gateway)).To(Succeed())
			g.Expect(gateway.Status.Listeners).To(HaveLen(2))
			g.Expect(gateway.Status.Listeners[0].AttachedRoutes).To(BeEquivalentTo(1))
			odd := gateway.Status.Listeners[1]
			g.Expect(odd.Name).To(BeEquivalentTo("odd"))
			reasons := map[string]string{}
			for _, condition := range odd.Conditions {
				reasons[condition.Type] = string(condition.Status) + "/" + condition.Reason
			}
			g.Expect(reasons).To(HaveKeyWithValue("Accepted", "False/UnsupportedProtocol"))
		}).Should(Succeed())
	})

	It("never makes the operator adopt an object of somebody else", func(ctx SpecContext) {
		theirs := &corev1.ConfigMap{ObjectMeta: t.meta(manifest.Name("collides", className)), Data: map[string]string{"whose": "theirs"}}
		t.create(ctx, theirs, t.gateway("collides"))
		says(ctx, "collides", "Programmed", "False/Collision", "ConfigMap", theirs.Name)
		found := &corev1.ConfigMap{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(theirs), found)).To(Succeed())
		Expect(found.ResourceVersion).To(Equal(theirs.ResourceVersion), "the object was written")
		Expect(t.replicas(ctx, Default, "collides")).To(BeEmpty(), "nothing was made beside it")

		Expect(k8s.Delete(ctx, theirs)).To(Succeed())
		t.programmed(ctx, "collides")
	})

	It("of 253 characters in a Gateway's name is no bad input", func(ctx SpecContext) {
		name := strings.Repeat("long.name.", 25) + "end"
		Expect(name).To(HaveLen(253))
		t.create(ctx, t.gateway(name), t.route("long", name, "long.example", weighted{"red", 1}))
		eventuallyAnswers(ctx, t.programmed(ctx, name), "long.example", answer{200, "red"})
	})
})
