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
	"fmt"
	"net"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
)

var _ = Describe("A rollout under traffic", Ordered, ContinueOnFailure, func() {
	const (
		host, calls  = "app.example", "calls.example"
		drainDelay   = 5 * time.Second
		drainTimeout = 30 * time.Second
	)
	var (
		t       *tenant
		address string
		params  *v1alpha1.GatewayParameters
	)

	BeforeAll(func(ctx SpecContext) {
		t = newTenant(ctx, "rollout")
		t.echo(ctx, "red", 2)
		t.echo(ctx, "grpc", 2, corev1.EnvVar{Name: "GRPC_ECHO_SERVER", Value: "1"})
		speaksGRPC(ctx, t, "grpc")
		params = &v1alpha1.GatewayParameters{ObjectMeta: t.meta("web"), Spec: v1alpha1.GatewayParametersSpec{
			Drain: &v1alpha1.Drain{
				Delay: ptr.To(v1alpha1.Duration(drainDelay.String())), Timeout: ptr.To(v1alpha1.Duration(drainTimeout.String())),
			},
		}}
		t.create(ctx, params, parametrised(t.gateway("web"), "web"), t.route("app", "web", host, weighted{"red", 1}), &gatewayv1.GRPCRoute{
			ObjectMeta: t.meta("calls"),
			Spec: gatewayv1.GRPCRouteSpec{
				CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: "web"}}},
				Hostnames:       []gatewayv1.Hostname{calls},
				Rules: []gatewayv1.GRPCRouteRule{{BackendRefs: []gatewayv1.GRPCBackendRef{{BackendRef: gatewayv1.BackendRef{
					BackendObjectReference: gatewayv1.BackendObjectReference{Name: "grpc", Port: ptr.To[gatewayv1.PortNumber](80)},
				}}}}},
			},
		})
		allReady(ctx, t, "red", 2)
		allReady(ctx, t, "grpc", 2)
		address = t.programmed(ctx, "web")
		eventuallyAnswers(ctx, address, host, answer{200, "red"})
		Eventually(func() error {
			connection, err := dialCalls(address, calls)
			if err != nil {
				return err
			}
			defer func() { _ = connection.Close() }()
			return exchangeOnce(connection)
		}).Should(Succeed())
	})

	It("of the operator cuts no stream, fails no request, and writes and sends nothing", func(ctx SpecContext) {
		before := settledInventory(ctx, t.namespace)
		requests, unary := startLoad(address, host), startCalls(address, calls)
		sockets := hold("the WebSocket", opened(openSocket(address, host)))
		streams := hold("the gRPC stream", openedCall(address, calls))

		old := map[string]bool{}
		for _, pod := range operatorPods(ctx, Default) {
			old[pod.Name] = true
		}
		deployment := operatorDeployment(ctx)
		patch := client.MergeFrom(deployment.DeepCopy())
		// As `kubectl rollout restart` does it: a field that is in no manifest, so that whoever applies one afterwards meets no other owner.
		deployment.Spec.Template.Annotations = map[string]string{
			"kubectl.kubernetes.io/default-container": deployment.Spec.Template.Annotations["kubectl.kubernetes.io/default-container"],
			"kubectl.kubernetes.io/restartedAt":       time.Now().Format(time.RFC3339),
		}
		Expect(k8s.Patch(ctx, deployment, patch)).To(Succeed())
		Eventually(func(g Gomega) {
			pods := operatorPods(ctx, g)
			g.Expect(pods).To(HaveLen(operators))
			for _, pod := range pods {
				g.Expect(old).NotTo(HaveKey(pod.Name), "an old operator is left")
				g.Expect(podReady(&pod)).To(BeTrue())
			}
			g.Expect(old).NotTo(HaveKey(leadingOperator(ctx, g).Name))
			g.Expect(operatorMetric(ctx, g, "rauta_push_sessions")).To(BeNumerically(">=", 2))
		}).Should(Succeed())

		after := settledInventory(ctx, t.namespace)
		Expect(written(before, after)).To(BeEmpty(), "what was written")
		Expect(operatorMetric(ctx, Default, "rauta_push_resources_total")).To(BeZero(), "resources sent to replicas that have them")
		for _, h := range []*held{sockets, streams} {
			Expect(h.isCut()).To(BeFalse(), "%s was cut: %v", h.name, h.why)
		}
		requests.endsWithoutFailure()
		unary.endsWithoutFailure()
	})

	It("of proxies fails no request, and leaves streams until they end or the drain does", func(ctx SpecContext) {
		old := t.replicas(ctx, Default, "web")
		Expect(old).To(HaveLen(2))
		requests, unary := startLoad(address, host), startCalls(address, calls)
		// Of each replica's streams one of each kind ends by itself while its replica drains, and one never does.
		ending, endless := map[string][]stream{}, map[string][]*held{}
		for _, pod := range old {
			at := listener(&pod)
			ending[pod.Name] = []stream{opened(openSocket(at, host)), openedCall(at, calls)}
			endless[pod.Name] = []*held{
				hold("the WebSocket of "+pod.Name, opened(openSocket(at, host))), hold("the gRPC stream of "+pod.Name, openedCall(at, calls)),
			}
		}
		patch := client.MergeFrom(params.DeepCopy())
		params.Spec.LogLevel = ptr.To(v1alpha1.LogLevelDebug)
		Expect(k8s.Patch(ctx, params, patch)).To(Succeed())

		eachDrains(ctx, old, func(pod *corev1.Pod, began time.Time) {
			Expect(time.Now()).To(BeTemporally(">=", began.Add(drainDelay)), "%s refused connections before its delay was over", pod.Name)
			end(pod, ending[pod.Name])
			for _, h := range endless[pod.Name] {
				Eventually(h.isCut).Should(BeTrue(), h.name)
				Expect(h.at).To(BeTemporally(">=", began.Add(drainDelay+drainTimeout)), "%s was cut before its time: %v", h.name, h.why)
			}
		})
		t.programmed(ctx, "web")
		requests.endsWithoutFailure()
		unary.endsWithoutFailure()
	})

	It("of an operator that wants another proxy replaces all replicas and fails no request, there and back", func(ctx SpecContext) {
		if nextInstall == "" {
			Skip("no manifest with another proxy image: NEXT_PROXY_IMG has to name one that the cluster can pull")
		}
		// Another tenant's Gateway is the operator's as well.
		beside := newTenant(ctx, "beside")
		beside.echo(ctx, "blue", 1)
		beside.create(ctx, beside.gateway("web"), beside.route("app", "web", host, weighted{"blue", 1}))
		addressBeside := beside.programmed(ctx, "web")
		eventuallyAnswers(ctx, addressBeside, host, answer{200, "blue"})
		old := t.replicas(ctx, Default, "web")
		Expect(old).To(HaveLen(2))
		usual := wantedProxy(ctx)
		loads := []*load{startLoad(address, host), startCalls(address, calls), startLoad(addressBeside, host)}
		streams := map[string][]stream{}
		for _, pod := range old {
			at := listener(&pod)
			streams[pod.Name] = []stream{opened(openSocket(at, host)), openedCall(at, calls)}
		}

		DeferCleanup(func(ctx SpecContext) {
			Expect(connection.ApplyFile(ctx, installFile)).To(Succeed())
			allRun(ctx, usual, t, beside)
		})
		Expect(connection.ApplyFile(ctx, nextInstall)).To(Succeed())
		next := wantedProxy(ctx)
		Expect(next).NotTo(Equal(usual), "the other manifest wants the same image")
		eachDrains(ctx, old, func(pod *corev1.Pod, began time.Time) {
			Expect(time.Now()).To(BeTemporally(">=", began.Add(drainDelay)), "%s refused connections before its delay was over", pod.Name)
			end(pod, streams[pod.Name])
		})
		allRun(ctx, next, t, beside)
		Expect(connection.ApplyFile(ctx, installFile)).To(Succeed())
		allRun(ctx, usual, t, beside)
		for _, l := range loads {
			l.endsWithoutFailure()
		}
	})
})

// eachDrains waits until the replicas, all at the same time, have been told to end and accept no connections any more, which is when
// their delay is over. What runs goes on, and is then looked at.
func eachDrains(ctx context.Context, replicas []corev1.Pod, look func(pod *corev1.Pod, began time.Time)) {
	GinkgoHelper()
	var drains sync.WaitGroup
	for _, pod := range replicas {
		drains.Go(func() {
			defer GinkgoRecover()
			began := terminates(ctx, &pod)
			Eventually(func() error { return connects(listener(&pod)) }).ShouldNot(Succeed())
			look(&pod, began)
		})
	}
	drains.Wait()
}

// end ends the streams of a replica that drains.
func end(pod *corev1.Pod, streams []stream) {
	GinkgoHelper()
	for i, s := range streams {
		Expect(s.exchange()).To(Succeed(), "stream %d of %s goes on while it drains", i, pod.Name)
		Expect(s.end()).To(Succeed(), "stream %d of %s ends as its client wants it", i, pod.Name)
	}
}

// proxyVariable is where the operator is told which image proxies have.
const proxyVariable = "RELATED_IMAGE_PROXY"

// wantedProxy is the image of proxies that the operator's Deployment asks for.
func wantedProxy(ctx context.Context) string {
	GinkgoHelper()
	for _, variable := range operatorDeployment(ctx).Spec.Template.Spec.Containers[0].Env {
		if variable.Name == proxyVariable {
			return variable.Value
		}
	}
	Fail("the operator's Deployment names no image of proxies")
	return ""
}

// allRun waits until all operators want the image of proxies, the tenants' Gateways called web have replicas that run it and no others, and
// say that they are programmed.
func allRun(ctx context.Context, image string, tenants ...*tenant) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		pods := operatorPods(ctx, g)
		g.Expect(pods).To(HaveLen(operators))
		for i := range pods {
			g.Expect(pods[i].Spec.Containers[0].Env).To(ContainElement(corev1.EnvVar{Name: proxyVariable, Value: image}))
			g.Expect(podReady(&pods[i])).To(BeTrue(), pods[i].Name)
		}
	}).Should(Succeed())
	for _, t := range tenants {
		Eventually(func(g Gomega) {
			replicas := t.replicas(ctx, g, "web")
			g.Expect(replicas).To(HaveLen(2), t.namespace)
			for i := range replicas {
				g.Expect(replicas[i].Spec.Containers[0].Image).To(Equal(image), replicas[i].Name)
				g.Expect(podReady(&replicas[i])).To(BeTrue(), replicas[i].Name)
			}
		}).Should(Succeed())
		t.programmed(ctx, "web")
	}
}

// speaksGRPC says of a Service of echo servers that they do.
func speaksGRPC(ctx context.Context, t *tenant, name string) {
	GinkgoHelper()
	service := &corev1.Service{ObjectMeta: t.meta(name)}
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(service), service)).To(Succeed())
	patch := client.MergeFrom(service.DeepCopy())
	service.Spec.Ports[0].AppProtocol = ptr.To("kubernetes.io/h2c")
	Expect(k8s.Patch(ctx, service, patch)).To(Succeed())
}

// allReady holds when all of an echo server's pods are ready: until then endpoints change, and tables with them.
func allReady(ctx context.Context, t *tenant, name string, n int) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		pods := &corev1.PodList{}
		g.Expect(k8s.List(ctx, pods, client.InNamespace(t.namespace), client.MatchingLabels{"backend": name})).To(Succeed())
		g.Expect(pods.Items).To(HaveLen(n))
		for i := range pods.Items {
			g.Expect(podReady(&pods.Items[i])).To(BeTrue(), pods.Items[i].Name)
		}
	}).Should(Succeed())
}

// terminates waits until a pod is told to end, and gives the time, which the API server knows to the second.
func terminates(ctx context.Context, pod *corev1.Pod) time.Time {
	GinkgoHelper()
	var began time.Time
	Eventually(func(g Gomega) {
		current := &corev1.Pod{}
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod), current)).To(Succeed())
		g.Expect(current.DeletionTimestamp).NotTo(BeNil())
		began = current.DeletionTimestamp.Add(-time.Duration(*current.DeletionGracePeriodSeconds) * time.Second)
	}).Should(Succeed())
	return began
}

// connects is nil when something accepts connections at the address.
func connects(address string) error {
	conn, err := net.DialTimeout("tcp", address, patienceOfStreams)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", address, err)
	}
	return conn.Close()
}
