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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

var _ = Describe("A Gateway under traffic", Ordered, ContinueOnFailure, func() {
	const host = "app.example"
	var (
		t       *tenant
		address string
		route   *gatewayv1.HTTPRoute
		params  *v1alpha1.GatewayParameters
	)

	BeforeAll(func(ctx SpecContext) {
		t = newTenant(ctx, "traffic")
		t.echo(ctx, "red", 1)
		t.echo(ctx, "blue", 1)
		params = &v1alpha1.GatewayParameters{ObjectMeta: t.meta("web")}
		route = t.route("app", "web", host, weighted{"red", 1})
		t.create(ctx, params, parametrised(t.gateway("web"), "web"), route)
		address = t.programmed(ctx, "web")
		eventuallyAnswers(ctx, address, host, answer{200, "red"})
	})

	send := func(ctx SpecContext, backend string) {
		GinkgoHelper()
		patch := client.MergeFrom(route.DeepCopy())
		setBackends(route, weighted{backend, 1})
		Expect(k8s.Patch(ctx, route, patch)).To(Succeed())
	}
	setReplicas := func(ctx SpecContext, n int32) {
		GinkgoHelper()
		patch := client.MergeFrom(params.DeepCopy())
		params.Spec.Replicas = ptr.To(n)
		Expect(k8s.Patch(ctx, params, patch)).To(Succeed())
	}
	// everyReplicaAnswers asks each replica itself, since the Service would hide one that is behind.
	everyReplicaAnswers := func(ctx SpecContext, n int, backend string) {
		GinkgoHelper()
		c := newClient(false)
		Eventually(func(g Gomega) {
			pods := t.replicas(ctx, g, "web")
			g.Expect(pods).To(HaveLen(n))
			for _, pod := range pods {
				g.Expect(podReady(&pod)).To(BeTrue(), "pod %s is ready", pod.Name)
				g.Expect(get(ctx, c, listener(&pod), host, "/")).To(Equal(answer{200, backend}))
			}
		}).Should(Succeed())
	}

	It("follows a change of its route without a failed request", func(ctx SpecContext) {
		traffic := startLoad(address, host)
		for _, backend := range []string{"blue", "red", "blue", "red"} {
			send(ctx, backend)
			everyReplicaAnswers(ctx, 2, backend)
		}
		traffic.endsWithoutFailure()
	})

	It("follows a backend's rollout without a failed request", func(ctx SpecContext) {
		traffic := startLoad(address, host)
		red := &appsv1.Deployment{ObjectMeta: t.meta("red")}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(red), red)).To(Succeed())
		patch := client.MergeFrom(red.DeepCopy())
		red.Spec.Template.Annotations = map[string]string{"e2e/rollout": "1"}
		Expect(k8s.Patch(ctx, red, patch)).To(Succeed())
		Eventually(func(g Gomega) {
			pods := &corev1.PodList{}
			g.Expect(k8s.List(ctx, pods, client.InNamespace(t.namespace), client.MatchingLabels{"backend": "red"})).To(Succeed())
			g.Expect(pods.Items).To(HaveLen(1))
			g.Expect(pods.Items[0].Annotations).To(HaveKey("e2e/rollout"))
		}).Should(Succeed())
		traffic.endsWithoutFailure()
	})

	It("keeps serving without the operator, and catches up when it returns", func(ctx SpecContext) {
		traffic := startLoad(address, host)
		scaleOperator(ctx, 0)
		send(ctx, "blue")
		seen := traffic.served()
		Eventually(traffic.served).Should(BeNumerically(">", seen+100))
		everyReplicaAnswers(ctx, 2, "red")
		scaleOperator(ctx, operators)
		everyReplicaAnswers(ctx, 2, "blue")
		send(ctx, "red")
		everyReplicaAnswers(ctx, 2, "red")
		traffic.endsWithoutFailure()
	})

	It("serves its last good table from a restarted container while the operator is away", func(ctx SpecContext) {
		scaleOperator(ctx, 0)
		for _, pod := range t.replicas(ctx, Default, "web") {
			restartContainer(ctx, &pod)
		}
		everyReplicaAnswers(ctx, 2, "red")
		scaleOperator(ctx, operators)
		send(ctx, "blue")
		everyReplicaAnswers(ctx, 2, "blue")
		send(ctx, "red")
		everyReplicaAnswers(ctx, 2, "red")
		t.programmed(ctx, "web")
	})

	It("replaces every replica while the operator is away, without a failed request", func(ctx SpecContext) {
		traffic := startLoad(address, host)
		scaleOperator(ctx, 0)
		// One after the other, so that none is left in the end that the operator ever spoke to.
		for _, pod := range t.replicas(ctx, Default, "web") {
			Expect(k8s.Delete(ctx, &pod)).To(Succeed())
			everyReplicaAnswers(ctx, 2, "red")
		}
		traffic.endsWithoutFailure()
		scaleOperator(ctx, operators)
		send(ctx, "blue")
		everyReplicaAnswers(ctx, 2, "blue")
		send(ctx, "red")
		everyReplicaAnswers(ctx, 2, "red")
		t.programmed(ctx, "web")
	})

	It("is left alone by an operator that was killed and finds the world unchanged", func(ctx SpecContext) {
		before := settledInventory(ctx, t.namespace)
		old := leadingOperator(ctx, Default)
		Expect(k8s.Delete(ctx, old, client.GracePeriodSeconds(0))).To(Succeed())
		Eventually(func(g Gomega) {
			pod := leadingOperator(ctx, g)
			g.Expect(pod.UID).NotTo(Equal(old.UID))
			g.Expect(podReady(pod)).To(BeTrue())
			// Once all replicas have a session, the new operator has compared what they hold.
			g.Expect(operatorMetric(ctx, g, "rauta_push_sessions")).To(BeNumerically(">=", 2))
		}).Should(Succeed())
		Consistently(func(g Gomega) {
			g.Expect(written(before, inventory(ctx, g, t.namespace))).To(BeEmpty())
		}, 5*time.Second, time.Second).Should(Succeed())
		Expect(operatorMetric(ctx, Default, "rauta_push_resources_total")).To(BeZero(), "resources sent to replicas that have them")
	})

	It("passes from one of two operators to the other without a failed request or a loss", func(ctx SpecContext) {
		before := sortedNames(inventory(ctx, Default, t.namespace), "endpointslices/", "pods/")
		traffic := startLoad(address, host)
		// Stopped, a leader gives its lease back; killed, the lease has to run out.
		for i, grace := range []client.DeleteOption{client.GracePeriodSeconds(10), client.GracePeriodSeconds(0)} {
			leader := leadingOperator(ctx, Default)
			Expect(k8s.Delete(ctx, leader, grace)).To(Succeed())
			Eventually(func(g Gomega) {
				g.Expect(leadingOperator(ctx, g).UID).NotTo(Equal(leader.UID))
			}).Should(Succeed())
			backend := []string{"blue", "red"}[i]
			send(ctx, backend)
			everyReplicaAnswers(ctx, 2, backend)
			t.programmed(ctx, "web")
		}
		traffic.endsWithoutFailure()
		Expect(sortedNames(inventory(ctx, Default, t.namespace), "endpointslices/", "pods/")).To(Equal(before))
	})

	It("replaces a replica that was deleted without a failed request", func(ctx SpecContext) {
		traffic := startLoad(address, host)
		pods := t.replicas(ctx, Default, "web")
		Expect(k8s.Delete(ctx, &pods[0])).To(Succeed())
		everyReplicaAnswers(ctx, 2, "red")
		t.programmed(ctx, "web")
		traffic.endsWithoutFailure()
	})

	It("converges after a replica was killed without warning", func(ctx SpecContext) {
		pods := t.replicas(ctx, Default, "web")
		Expect(k8s.Delete(ctx, &pods[0], client.GracePeriodSeconds(0))).To(Succeed())
		send(ctx, "blue")
		everyReplicaAnswers(ctx, 2, "blue")
		t.programmed(ctx, "web")
		send(ctx, "red")
		everyReplicaAnswers(ctx, 2, "red")
	})

	It("scales up and down without a failed request", func(ctx SpecContext) {
		traffic := startLoad(address, host)
		setReplicas(ctx, 4)
		everyReplicaAnswers(ctx, 4, "red")
		t.programmed(ctx, "web")
		setReplicas(ctx, 2)
		everyReplicaAnswers(ctx, 2, "red")
		t.programmed(ctx, "web")
		traffic.endsWithoutFailure()
	})

	It("rolls its proxies out after a change of parameters without a failed request", func(ctx SpecContext) {
		old := map[string]bool{}
		for _, pod := range t.replicas(ctx, Default, "web") {
			old[pod.Name] = true
		}
		traffic := startLoad(address, host)
		patch := client.MergeFrom(params.DeepCopy())
		params.Spec.LogLevel = ptr.To(v1alpha1.LogLevelDebug)
		Expect(k8s.Patch(ctx, params, patch)).To(Succeed())
		Eventually(func(g Gomega) {
			pods := &corev1.PodList{}
			g.Expect(k8s.List(ctx, pods, client.InNamespace(t.namespace),
				client.MatchingLabels{"app.kubernetes.io/name": "rauta-proxy"})).To(Succeed())
			for _, pod := range pods.Items {
				g.Expect(old).NotTo(HaveKey(pod.Name), "a replica with the old parameters is left")
			}
		}).Should(Succeed())
		everyReplicaAnswers(ctx, 2, "red")
		t.programmed(ctx, "web")
		traffic.endsWithoutFailure()
	})
})
