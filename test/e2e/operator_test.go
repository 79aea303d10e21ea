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
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// operatorDeployment is the operator's Deployment.
func operatorDeployment(ctx context.Context) *appsv1.Deployment {
	GinkgoHelper()
	list := &appsv1.DeploymentList{}
	Expect(k8s.List(ctx, list, client.InNamespace(operatorNamespace), client.MatchingLabels{"control-plane": "controller-manager"})).To(Succeed())
	Expect(list.Items).To(HaveLen(1), "Deployments of the operator")
	return &list.Items[0]
}

// operatorPods are all of them, those that are about to end as well.
func operatorPods(ctx context.Context, g Gomega) []corev1.Pod {
	pods := &corev1.PodList{}
	g.Expect(k8s.List(ctx, pods, client.InNamespace(operatorNamespace), client.MatchingLabels{"control-plane": "controller-manager"})).To(Succeed())
	return pods.Items
}

// scaleOperator sets the number of the operator's pods, and waits until it has exactly that many.
func scaleOperator(ctx context.Context, n int32) {
	GinkgoHelper()
	deployment := operatorDeployment(ctx)
	patch := client.MergeFrom(deployment.DeepCopy())
	deployment.Spec.Replicas = ptr.To(n)
	Expect(k8s.Patch(ctx, deployment, patch)).To(Succeed())
	Eventually(func(g Gomega) {
		pods := operatorPods(ctx, g)
		g.Expect(pods).To(HaveLen(int(n)))
		for i := range pods {
			g.Expect(podReady(&pods[i])).To(BeTrue())
		}
	}).Should(Succeed())
}

// operatorLease is the lease of whoever leads.
const operatorLease = "operator.rauta.dev"

// operators is how many there are by default: one leads, the others stand by.
const operators = 2

// leadingOperator is the pod of the operator that holds the lease, as long as it is there to stay.
func leadingOperator(ctx context.Context, g Gomega) *corev1.Pod {
	lease := &coordinationv1.Lease{}
	g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: operatorLease}, lease)).To(Succeed())
	// A holder is called by its host, which is its pod, and a random part.
	name, _, _ := strings.Cut(ptr.Deref(lease.Spec.HolderIdentity, ""), "_")
	g.Expect(name).NotTo(BeEmpty(), "nobody leads")
	pod := &corev1.Pod{}
	g.Expect(k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: name}, pod)).To(Succeed())
	g.Expect(pod.DeletionTimestamp).To(BeNil(), "the leader is about to end")
	return pod
}

// metricsReader is the operator's ClusterRole for those who scrape it.
const metricsReader = "rauta-metrics-reader"

// scrape asks the operator's metrics endpoint as a ServiceAccount, or as nobody when the token is empty.
func scrape(ctx context.Context, g Gomega, token string) (int, string) {
	address := leadingOperator(ctx, g).Status.PodIP + ":8443"
	// The endpoint's certificate is its own; what is tested here is whom it lets in.
	c := &http.Client{
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}, //nolint:gosec // see above
		Timeout:   10 * time.Second,
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+address+"/metrics", nil)
	g.Expect(err).NotTo(HaveOccurred())
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.Do(request)
	g.Expect(err).NotTo(HaveOccurred())
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	g.Expect(err).NotTo(HaveOccurred())
	return response.StatusCode, string(body)
}

// account creates a ServiceAccount and returns a token of it. It may read metrics when reader is set.
func account(ctx context.Context, name string, reader bool) string {
	GinkgoHelper()
	object := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-" + name + "-", Namespace: operatorNamespace}}
	Expect(k8s.Create(ctx, object)).To(Succeed())
	DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, object)).To(Succeed()) })
	if reader {
		binding := &rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: object.Name},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: metricsReader},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: operatorNamespace, Name: object.Name}},
		}
		Expect(k8s.Create(ctx, binding)).To(Succeed())
		DeferCleanup(func(ctx SpecContext) { Expect(k8s.Delete(ctx, binding)).To(Succeed()) })
	}
	request, err := clientset.CoreV1().ServiceAccounts(operatorNamespace).CreateToken(ctx, object.Name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	Expect(err).NotTo(HaveOccurred())
	return request.Status.Token
}

// scraper is a token that may read metrics, made on first use in a spec.
var scraper string

// operatorMetric returns the sum of a metric's series.
func operatorMetric(ctx context.Context, g Gomega, name string) float64 {
	if scraper == "" {
		scraper = account(ctx, "scraper", true)
		DeferCleanup(func() { scraper = "" })
	}
	status, body := scrape(ctx, g, scraper)
	g.Expect(status).To(Equal(http.StatusOK))
	sum, err := sumSeries(body, name)
	g.Expect(err).NotTo(HaveOccurred())
	return sum
}

// sumSeries adds up a metric's series in the text that Prometheus scrapes. A metric without series, other than one whose
// TYPE is given, is an error: a renamed metric must not read as zero.
func sumSeries(text, name string) (float64, error) {
	var sum float64
	known := strings.Contains(text, "# TYPE "+name+" ")
	scanner := bufio.NewScanner(strings.NewReader(text))
	for scanner.Scan() {
		line := scanner.Text()
		rest, ok := strings.CutPrefix(line, name)
		if !ok || rest == "" || (rest[0] != '{' && rest[0] != ' ') {
			continue
		}
		value, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:], 64)
		if err != nil {
			return 0, fmt.Errorf("reading %q: %w", line, err)
		}
		sum, known = sum+value, true
	}
	if !known {
		return 0, fmt.Errorf("there is no metric %s", name)
	}
	return sum, nil
}

func isEndpointSlice(name string) bool { return strings.HasPrefix(name, "endpointslices/") }
func isPod(name string) bool           { return strings.HasPrefix(name, "pods/") }

var _ = Describe("The operator", func() {
	It("shows its metrics to those alone who may read them", func(ctx SpecContext) {
		status, _ := scrape(ctx, Default, "")
		Expect(status).To(Equal(http.StatusUnauthorized), "without a token")
		status, _ = scrape(ctx, Default, account(ctx, "stranger", false))
		Expect(status).To(Equal(http.StatusForbidden), "with a token that may do nothing")
		reader := account(ctx, "reader", true)
		Eventually(func(g Gomega) {
			status, body := scrape(ctx, g, reader)
			g.Expect(status).To(Equal(http.StatusOK), "with a token that may read metrics")
			g.Expect(body).To(ContainSubstring("# TYPE rauta_push_sessions gauge"))
		}).Should(Succeed())
	})
})
