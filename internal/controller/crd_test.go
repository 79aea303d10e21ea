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
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// An operator on a cluster without the Gateway API must wait, say so where a person looks, and begin by itself.
func TestWaitsForCRDs(t *testing.T) {
	g := NewWithT(t)
	environment, w, err := startAPI()
	if environment != nil {
		t.Cleanup(func() {
			if err := environment.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	g.Expect(err).NotTo(HaveOccurred())
	w.create(t, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: "operator-0"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "manager", Image: "operator:test"}}},
	})
	operator := startOperator(t, w)
	defer operator.stop(t)

	g.Eventually(func() (notes []string, err error) {
		events := &eventsv1.EventList{}
		err = w.List(t.Context(), events, client.InNamespace(operatorNamespace))
		for _, event := range events.Items {
			if event.Reason == "WaitingForCRDs" && event.Regarding.Name == "operator-0" {
				notes = append(notes, event.Note)
			}
		}
		return notes, err
	}).WithTimeout(patient).Should(ContainElement(And(
		ContainSubstring("gateways.gateway.networking.k8s.io is not installed"),
		ContainSubstring("gatewayparameters.gateway.rauta.dev is not installed"),
	)), "the Event must name what is missing")
	g.Consistently(operator.ended).WithTimeout(2*time.Second).ShouldNot(Receive(), "waiting is not a crash")

	_, err = envtest.InstallCRDs(w.config, envtest.CRDInstallOptions{Paths: crdDirectories(t)})
	g.Expect(err).NotTo(HaveOccurred())
	class := gatewayClass(className, DefaultControllerName)
	w.create(t, class)
	g.Eventually(func() (*metav1.Condition, error) {
		err := w.Get(t.Context(), client.ObjectKeyFromObject(class), class)
		return apimeta.FindStatusCondition(class.Status.Conditions, string(gatewayv1.GatewayClassConditionStatusAccepted)), err
	}).WithTimeout(patient).Should(HaveField("Status", metav1.ConditionTrue), "work begins by itself once the CRDs are there")
	g.Expect(class.Status.SupportedFeatures).NotTo(BeEmpty())
	version := apimeta.FindStatusCondition(class.Status.Conditions, string(gatewayv1.GatewayClassConditionStatusSupportedVersion))
	g.Expect(version).To(HaveField("Status", metav1.ConditionTrue))
}
