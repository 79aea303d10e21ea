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
	"context"
	"strings"
	"testing"
	"time"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// An operator on a cluster without the Gateway API must wait, say so where a person looks, and begin by itself.
func TestWaitsForCRDs(t *testing.T) {
	g, w := NewWithT(t), emptyWorld(t)
	operator := startOperator(t, w)
	defer operator.stop(t)

	g.Eventually(w.waitingNotes(t)).WithTimeout(patient).Should(ContainElement(And(
		ContainSubstring("gateways.gateway.networking.k8s.io is not installed"),
		ContainSubstring("gatewayparameters.gateway.rauta.dev is not installed"),
	)), "the Event must name what is missing")
	g.Consistently(operator.ended).WithTimeout(2*time.Second).ShouldNot(Receive(), "waiting is not a crash")

	_, err := envtest.InstallCRDs(w.config, envtest.CRDInstallOptions{Paths: crdDirectories(t), MaxTime: patient})
	g.Expect(err).NotTo(HaveOccurred())
	class := gatewayClass(className, DefaultControllerName)
	w.create(t, class)
	g.Eventually(w.classCondition(t, class, gatewayv1.GatewayClassConditionStatusAccepted)).WithTimeout(patient).
		Should(isTrue(), "work begins by itself once the CRDs are there")
	g.Eventually(w.classCondition(t, class, gatewayv1.GatewayClassConditionStatusSupportedVersion)).WithTimeout(patient).Should(isTrue())
	g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(class), class)).To(Succeed())
	g.Expect(class.Status.SupportedFeatures).NotTo(BeEmpty())
}

// CRDs of another release may lack a version that the operator reads, or have all of them and still differ.
func TestCRDsOfAnotherVersion(t *testing.T) {
	g, w := NewWithT(t), emptyWorld(t)
	_, err := envtest.InstallCRDs(w.config, envtest.CRDInstallOptions{Paths: crdDirectories(t), MaxTime: patient})
	g.Expect(err).NotTo(HaveOccurred())
	w.changeCRD(t, "referencegrants.gateway.networking.k8s.io", func(crd *apiextensionsv1.CustomResourceDefinition) {
		for i := range crd.Spec.Versions {
			crd.Spec.Versions[i].Served = crd.Spec.Versions[i].Name != "v1"
		}
	})
	w.changeCRD(t, "gateways.gateway.networking.k8s.io", func(crd *apiextensionsv1.CustomResourceDefinition) {
		crd.Annotations[consts.BundleVersionAnnotation] = "v1.2.0"
	})
	operator := startOperator(t, w)
	defer operator.stop(t)
	g.Eventually(w.waitingNotes(t)).WithTimeout(patient).Should(ContainElement(
		ContainSubstring("referencegrants.gateway.networking.k8s.io does not serve version v1")))
	g.Consistently(operator.ended).WithTimeout(2*time.Second).ShouldNot(Receive(), "waiting is not a crash")

	w.changeCRD(t, "referencegrants.gateway.networking.k8s.io", func(crd *apiextensionsv1.CustomResourceDefinition) {
		for i := range crd.Spec.Versions {
			crd.Spec.Versions[i].Served = true
		}
	})
	class := gatewayClass(className, DefaultControllerName)
	w.create(t, class)
	g.Eventually(w.classCondition(t, class, gatewayv1.GatewayClassConditionStatusSupportedVersion)).WithTimeout(patient).
		Should(And(HaveField("Status", metav1.ConditionFalse), HaveField("Message", ContainSubstring("v1.2.0"))))
	g.Eventually(w.classCondition(t, class, gatewayv1.GatewayClassConditionStatusAccepted)).WithTimeout(patient).
		Should(isTrue(), "other releases are served as far as they agree")

	retries := HaveField("Status.SupportedFeatures", ContainElement(gatewayv1.SupportedFeature{Name: gatewayv1.FeatureName(features.SupportHTTPRouteRetry)}))
	current := func(g Gomega) *gatewayv1.GatewayClass {
		g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(class), class)).To(Succeed())
		return class
	}
	g.Eventually(current).WithTimeout(patient).ShouldNot(retries, "the standard channel has no field for them")
	w.changeCRD(t, "httproutes.gateway.networking.k8s.io", func(crd *apiextensionsv1.CustomResourceDefinition) {
		crd.Annotations[consts.ChannelAnnotation] = "experimental"
	})
	g.Eventually(current).WithTimeout(patient).Should(retries)
}

// lagging is discovery that does not know of a kind yet.
type lagging struct {
	apimeta.RESTMapper
	unknown string
}

func (l *lagging) RESTMapping(kind schema.GroupKind, _ ...string) (*apimeta.RESTMapping, error) {
	if kind.Kind == l.unknown {
		return nil, &apimeta.NoKindMatchError{GroupKind: kind}
	}
	return &apimeta.RESTMapping{}, nil
}

// A CRD is established a moment before its kind is served, and the more so the busier the API server is.
func TestStartWaitsForDiscovery(t *testing.T) {
	builder := fake.NewClientBuilder().WithScheme(Scheme())
	for name, version := range neededCRDs {
		plural, group, _ := strings.Cut(name, ".")
		builder = builder.WithObjects(&apiextensionsv1.CustomResourceDefinition{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: apiextensionsv1.CustomResourceDefinitionSpec{
				Group: group, Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: plural},
				Versions: []apiextensionsv1.CustomResourceDefinitionVersion{{Name: version, Served: true}},
			},
			Status: apiextensionsv1.CustomResourceDefinitionStatus{Conditions: []apiextensionsv1.CustomResourceDefinitionCondition{
				{Type: apiextensionsv1.Established, Status: apiextensionsv1.ConditionTrue},
			}},
		})
	}
	started := 0
	mapper := &lagging{unknown: "referencegrants"}
	gate := &crdGate{client: builder.Build(), mapper: mapper, failed: make(chan error, 1), start: func(context.Context) error {
		started++
		return nil
	}}
	result, err := gate.Reconcile(t.Context(), reconcile.Request{})
	if err != nil || started != 0 || result.RequeueAfter != discoveryPause || !gate.waits.Load() {
		t.Errorf("started %d times before the kind is served: %+v, %v", started, result, err)
	}
	if want := "referencegrants.gateway.networking.k8s.io is not served yet"; gate.said != want {
		t.Errorf("it says %q, want %q", gate.said, want)
	}
	mapper.unknown = ""
	result, err = gate.Reconcile(t.Context(), reconcile.Request{})
	if err != nil || started != 1 || result.RequeueAfter != 0 || gate.waits.Load() {
		t.Errorf("started %d times once it is: %+v, %v", started, result, err)
	}
}

// emptyWorld is an API server of the test's own, without CRDs, with a pod that stands for the operator's.
func emptyWorld(t *testing.T) *world {
	t.Helper()
	environment, w, err := startAPI()
	if environment != nil {
		t.Cleanup(func() {
			if err := environment.Stop(); err != nil {
				t.Error(err)
			}
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	w.create(t, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: operatorNamespace, Name: "operator-0"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "manager", Image: "operator:test"}}},
	})
	return w
}

// waitingNotes polls for what the operator's pod is said to wait for.
func (w *world) waitingNotes(t *testing.T) func() ([]string, error) {
	return func() (notes []string, err error) {
		events := &eventsv1.EventList{}
		err = w.List(t.Context(), events, client.InNamespace(operatorNamespace))
		for _, event := range events.Items {
			if event.Reason == "WaitingForCRDs" && event.Regarding.Name == "operator-0" {
				notes = append(notes, event.Note)
			}
		}
		return notes, err
	}
}

func (w *world) classCondition(t *testing.T, class *gatewayv1.GatewayClass, conditionType gatewayv1.GatewayClassConditionType) func() (*metav1.Condition, error) {
	return func() (*metav1.Condition, error) {
		current := &gatewayv1.GatewayClass{}
		err := w.Get(t.Context(), client.ObjectKeyFromObject(class), current)
		return apimeta.FindStatusCondition(current.Status.Conditions, string(conditionType)), err
	}
}

func (w *world) changeCRD(t *testing.T, name string, change func(*apiextensionsv1.CustomResourceDefinition)) {
	t.Helper()
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := w.Get(t.Context(), client.ObjectKey{Name: name}, crd); err != nil {
			return err
		}
		change(crd)
		return w.Update(t.Context(), crd)
	})
	if err != nil {
		t.Fatal(err)
	}
}
