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
	"os"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/test/cluster"
)

const (
	operatorNamespace = "rauta-system"
	className         = "rauta"
	controllerName    = "rauta.dev/gateway-controller"
	// patience bounds every wait for something that takes the cluster seconds.
	patience = 2 * time.Minute
	interval = 250 * time.Millisecond
)

// What the Makefile hands over.
var (
	installFile = os.Getenv("E2E_INSTALL")      // the operator and its CRDs in one file
	crdFolder   = os.Getenv("E2E_GATEWAY_CRDS") // the Gateway API CRDs, one a file
	echoImage   = os.Getenv("E2E_ECHO_IMAGE")
	mustBeFresh = os.Getenv("E2E_FRESH") != "" // the cluster is new: Gateway API CRDs on it are a mistake
	// The operator with another image for proxies; empty where the cluster has no other.
	nextInstall, nextIsSet = os.LookupEnv("E2E_NEXT_INSTALL")
)

var (
	connection *cluster.Connection
	k8s        client.Client
	clientset  *kubernetes.Clientset
)

func TestE2E(t *testing.T) {
	RegisterFailHandler(Fail)
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(interval)
	log.SetLogger(GinkgoLogr)
	RunSpecs(t, "RAUTA on a real cluster")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	connect()
	fresh := !hasGatewayAPI(ctx)
	if mustBeFresh {
		Expect(fresh).To(BeTrue(), "a new cluster has Gateway API CRDs already")
	}

	By("installing the operator")
	Expect(connection.ApplyFile(ctx, installFile)).To(Succeed())
	if fresh {
		By("seeing that the operator waits for the Gateway API CRDs, and says so")
		operatorWaits(ctx)
	} else {
		GinkgoWriter.Println("the Gateway API CRDs are on this cluster already: how the operator waits for them is not tested")
	}

	By("installing the Gateway API CRDs and the GatewayClass")
	Expect(connection.ApplyFolder(ctx, crdFolder)).To(Succeed())
	class := &gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: className}, Spec: gatewayv1.GatewayClassSpec{ControllerName: controllerName}}
	Eventually(func() error {
		err := k8s.Create(ctx, class.DeepCopy())
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	}).Should(Succeed())
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(class), class)).To(Succeed())
		g.Expect(conditionsOf(class)).To(HaveKeyWithValue("Accepted", "True/Accepted"))
		g.Expect(class.Status.SupportedFeatures).NotTo(BeEmpty())
	}).Should(Succeed())
}, NodeTimeout(5*time.Minute))

var _ = ReportAfterEach(func(report SpecReport) {
	if report.Failed() {
		describeCluster(context.Background())
	}
})

func connect() {
	for name, value := range map[string]string{"E2E_INSTALL": installFile, "E2E_GATEWAY_CRDS": crdFolder, "E2E_ECHO_IMAGE": echoImage} {
		Expect(value).NotTo(BeEmpty(), "%s is not set: run the suite with `make test-e2e`", name)
	}
	Expect(nextIsSet).To(BeTrue(), "E2E_NEXT_INSTALL is not set: run the suite with `make test-e2e`")
	var err error
	connection, err = cluster.Connect()
	Expect(err).NotTo(HaveOccurred())
	k8s, clientset = connection.Client, connection.Clientset
}

func hasGatewayAPI(ctx context.Context) bool {
	err := k8s.Get(ctx, client.ObjectKey{Name: "gateways." + gatewayv1.GroupName}, &apiextensionsv1.CustomResourceDefinition{})
	if !apierrors.IsNotFound(err) {
		Expect(err).NotTo(HaveOccurred())
	}
	return err == nil
}

// operatorWaits holds when the operator runs without the Gateway API CRDs, names one that it waits for, and does not
// crash over it.
func operatorWaits(ctx context.Context) {
	Eventually(func(g Gomega) {
		pod := leadingOperator(ctx, g)
		g.Expect(podReady(pod)).To(BeTrue(), "an operator that waits is healthy")
		text := podLog(ctx, pod)
		g.Expect(text).To(ContainSubstring("waiting for CRDs"))
		g.Expect(text).To(ContainSubstring("gateways.gateway.networking.k8s.io is not installed"))
	}).Should(Succeed())
	Eventually(func(g Gomega) {
		list := &corev1.EventList{}
		g.Expect(k8s.List(ctx, list, client.InNamespace(operatorNamespace))).To(Succeed())
		var messages []string
		for _, event := range list.Items {
			messages = append(messages, event.Reason+": "+event.Message)
		}
		g.Expect(messages).To(ContainElement(HavePrefix("WaitingForCRDs: Waiting for CRDs: ")))
	}).Should(Succeed())
	Consistently(func(g Gomega) {
		g.Expect(restarts(leadingOperator(ctx, g))).To(BeZero())
	}, 5*time.Second, time.Second).Should(Succeed())
}

func podReady(pod *corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func restarts(pod *corev1.Pod) int32 {
	var n int32
	for _, status := range pod.Status.ContainerStatuses {
		n += status.RestartCount
	}
	return n
}

// podLog returns the pod's log, or why it could not be read.
func podLog(ctx context.Context, pod *corev1.Pod) string {
	text, err := clientset.CoreV1().Pods(pod.Namespace).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
	if err != nil {
		return fmt.Sprintf("reading the log of pod %s/%s: %v", pod.Namespace, pod.Name, err)
	}
	return string(text)
}

// describeCluster writes what someone needs who looks for the cause of a failure.
func describeCluster(ctx context.Context) {
	pods := &corev1.PodList{}
	if err := k8s.List(ctx, pods); err != nil {
		GinkgoWriter.Printf("listing pods: %v\n", err)
		return
	}
	for i := range pods.Items {
		pod := &pods.Items[i]
		if !strings.HasPrefix(pod.Namespace, "e2e-") && pod.Namespace != operatorNamespace {
			continue
		}
		GinkgoWriter.Printf("--- pod %s/%s: %s, ready %t, %d restarts\n", pod.Namespace, pod.Name, pod.Status.Phase, podReady(pod), restarts(pod))
		if pod.Labels["app"] == "echo" {
			continue
		}
		lines := strings.Split(podLog(ctx, pod), "\n")
		GinkgoWriter.Println(strings.Join(lines[max(0, len(lines)-40):], "\n"))
	}
	gateways := &gatewayv1.GatewayList{}
	if err := k8s.List(ctx, gateways); err != nil {
		GinkgoWriter.Printf("listing Gateways: %v\n", err)
		return
	}
	for i := range gateways.Items {
		gateway := &gateways.Items[i]
		GinkgoWriter.Printf("--- gateway %s/%s: %v\n", gateway.Namespace, gateway.Name, gateway.Status.Conditions)
	}
}
