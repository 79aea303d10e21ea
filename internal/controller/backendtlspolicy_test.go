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
	"fmt"
	"testing"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

func policyFor(namespace, name, service, configMap string) *gatewayv1.BackendTLSPolicy {
	target := gatewayv1.LocalPolicyTargetReferenceWithSectionName{}
	target.Kind, target.Name = "Service", gatewayv1.ObjectName(service)
	return &gatewayv1.BackendTLSPolicy{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: gatewayv1.BackendTLSPolicySpec{
			TargetRefs: []gatewayv1.LocalPolicyTargetReferenceWithSectionName{target},
			Validation: gatewayv1.BackendTLSPolicyValidation{
				Hostname:          "cart.test",
				CACertificateRefs: []gatewayv1.LocalObjectReference{{Kind: "ConfigMap", Name: gatewayv1.ObjectName(configMap)}},
			},
		},
	}
}

// ancestors polls for the reasons of a policy's conditions, by ancestor and type.
func (w *world) ancestors(t *testing.T, policy *gatewayv1.BackendTLSPolicy) func() (map[string]string, error) {
	return func() (map[string]string, error) {
		current := &gatewayv1.BackendTLSPolicy{}
		if err := w.Get(t.Context(), client.ObjectKeyFromObject(policy), current); err != nil {
			return nil, err
		}
		reasons := map[string]string{}
		for _, entry := range current.Status.Ancestors {
			for _, condition := range entry.Conditions {
				if condition.ObservedGeneration != current.Generation {
					return nil, nil
				}
				reasons[string(entry.AncestorRef.Name)+" "+condition.Type] = condition.Reason
			}
		}
		return reasons, nil
	}
}

// A policy, its authorities, its target and the routes find their way to the Gateway's table and to the policy's status.
func TestBackendTLSPolicyIsFollowed(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway := httpGateway(namespace, "web")
	service, slice := backendService(namespace, "cart")
	route := routeTo(namespace, "cart", "web", "cart")
	w.create(t, gateway, service, slice, route)
	replica := w.run(t, gateway)
	backend := func() string { return names(replica)()["backend/service/"+namespace+"/cart/80"] }
	g.Eventually(backend).WithTimeout(patient).ShouldNot(BeEmpty())
	plain := backend()

	policy := policyFor(namespace, "secured", "cart", "ca")
	ancestors := w.ancestors(t, policy)
	w.create(t, policy)
	g.Eventually(ancestors).WithTimeout(patient).Should(Equal(map[string]string{"web Accepted": "NoValidCACertificate", "web ResolvedRefs": "InvalidCACertificateRef"}))
	g.Eventually(backend).WithTimeout(patient).Should(BeEmpty(), "nothing is sent in clear text")

	bundle := authoritiesIn(t, namespace, "ca")
	w.create(t, bundle)
	fine := map[string]string{"web Accepted": "Accepted", "web ResolvedRefs": "ResolvedRefs"}
	g.Eventually(ancestors).WithTimeout(patient).Should(Equal(fine))
	g.Eventually(backend).WithTimeout(patient).ShouldNot(Or(BeEmpty(), Equal(plain)))
	first := backend()

	bundle.Data = authoritiesIn(t, namespace, "ca").Data
	g.Expect(w.Update(t.Context(), bundle)).To(Succeed())
	g.Eventually(backend).WithTimeout(patient).ShouldNot(Or(BeEmpty(), Equal(plain), Equal(first)))

	newer := policyFor(namespace, "unwanted", "cart", "ca")
	w.create(t, newer)
	g.Eventually(w.ancestors(t, newer)).WithTimeout(patient).Should(HaveKeyWithValue("web Accepted", "Conflicted"))
	g.Expect(w.Delete(t.Context(), newer)).To(Succeed())

	// Another Gateway has an entry of its own, which goes with its route.
	other, second := httpGateway(namespace, "other"), routeTo(namespace, "second", "other", "cart")
	w.create(t, other, second)
	w.run(t, other)
	g.Eventually(ancestors).WithTimeout(patient).Should(And(HaveLen(4), HaveKeyWithValue("other Accepted", "Accepted")))
	g.Expect(w.Delete(t.Context(), second)).To(Succeed())
	g.Eventually(ancestors).WithTimeout(patient).Should(Equal(fine))

	current := &gatewayv1.BackendTLSPolicy{}
	g.Expect(w.Get(t.Context(), client.ObjectKeyFromObject(policy), current)).To(Succeed())
	current.Spec.TargetRefs[0].Name = "elsewhere"
	g.Expect(w.Update(t.Context(), current)).To(Succeed())
	g.Eventually(ancestors).WithTimeout(patient).Should(BeEmpty(), "a policy that goes elsewhere leaves no entry")
	g.Eventually(backend).WithTimeout(patient).Should(Equal(plain))

	current.Spec.TargetRefs[0].Name = "cart"
	g.Eventually(func() error {
		if err := w.Get(t.Context(), client.ObjectKeyFromObject(policy), current); err != nil {
			return err
		}
		current.Spec.TargetRefs[0].Name = "cart"
		return w.Update(t.Context(), current)
	}).WithTimeout(patient).Should(Succeed())
	g.Eventually(ancestors).WithTimeout(patient).Should(Equal(fine))
	g.Expect(w.Delete(t.Context(), gateway)).To(Succeed())
	g.Eventually(ancestors).WithTimeout(patient).Should(BeEmpty(), "entries go with their Gateway")
}

// Gateways that are told of a policy at the same time do not take each other's entries away, nor wait for ever for room to write theirs.
func TestPolicyOfSeveralGateways(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	service, slice := backendService(namespace, "cart")
	bundle := authoritiesIn(t, namespace, "ca")
	w.create(t, service, slice, bundle)
	want := map[string]string{}
	for i := range 8 {
		name := fmt.Sprintf("web-%d", i)
		w.create(t, httpGateway(namespace, name), routeTo(namespace, name, name, "cart"))
		want[name+" Accepted"], want[name+" ResolvedRefs"] = "Accepted", "ResolvedRefs"
	}
	for round := range 3 {
		policy := policyFor(namespace, fmt.Sprintf("secured-%d", round), "cart", "ca")
		w.create(t, policy)
		g.Eventually(w.ancestors(t, policy)).WithTimeout(patient).Should(Equal(want))
		g.Expect(w.Delete(t.Context(), policy)).To(Succeed())
	}
}

// A policy whose status is full lets a Gateway send as soon as there is room.
func TestFullPolicyGetsRoom(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	policy := policyFor(namespace, "full", "cart", "ca")
	w.create(t, policy)
	for range topology.MaxAncestors {
		policy.Status.Ancestors = append(policy.Status.Ancestors, gatewayv1.PolicyAncestorStatus{
			ControllerName: "example.com/other", AncestorRef: gatewayv1.ParentReference{Name: "other"},
			Conditions: []metav1.Condition{{
				Type: "Accepted", Status: metav1.ConditionTrue, Reason: "Accepted", ObservedGeneration: policy.Generation, LastTransitionTime: metav1.Now(),
			}},
		})
	}
	g.Expect(w.Status().Update(t.Context(), policy)).To(Succeed())
	gateway := httpGateway(namespace, "web")
	service, slice := backendService(namespace, "cart")
	route := routeTo(namespace, "cart", "web", "cart")
	w.create(t, authoritiesIn(t, namespace, "ca"), service, slice, gateway, route)
	replica := w.run(t, gateway)
	g.Eventually(names(replica)).WithTimeout(patient).Should(And(HaveKey("route/httproute/"+namespace+"/cart"), Not(HaveKey("backend/service/"+namespace+"/cart/80"))))

	policy.Status.Ancestors = policy.Status.Ancestors[1:]
	g.Expect(w.Status().Update(t.Context(), policy)).To(Succeed())
	g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey("backend/service/" + namespace + "/cart/80"))
	g.Eventually(w.ancestors(t, policy)).WithTimeout(patient).Should(HaveKeyWithValue("web Accepted", "Accepted"))
}

// The Gateway's certificate for backends follows its Secret, and is pushed where a backend asks for TLS alone.
func TestBackendClientCertificateIsPushed(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway := httpGateway(namespace, "web")
	gateway.Spec.TLS = &gatewayv1.GatewayTLSConfig{Backend: &gatewayv1.GatewayBackendTLS{ClientCertificateRef: &gatewayv1.SecretObjectReference{Name: "own"}}}
	service, slice := backendService(namespace, "cart")
	secret := tlsSecret(t, namespace, "own")
	w.create(t, secret, gateway, service, slice, routeTo(namespace, "cart", "web", "cart"))
	replica := w.run(t, gateway)
	certificate := "certificate/secret/" + namespace + "/own"
	g.Eventually(names(replica)).WithTimeout(patient).Should(And(HaveKey("route/httproute/"+namespace+"/cart"), Not(HaveKey(certificate))))

	w.create(t, authoritiesIn(t, namespace, "ca"), policyFor(namespace, "secured", "cart", "ca"))
	g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey(certificate))
	first := names(replica)()[certificate]
	secret.Data = tlsSecret(t, namespace, "own").Data
	g.Expect(w.Update(t.Context(), secret)).To(Succeed())
	g.Eventually(func() string { return names(replica)()[certificate] }).WithTimeout(patient).ShouldNot(Or(BeEmpty(), Equal(first)))
}

// An operator that begins pushes nothing before it has read the policies: what it pushed would be in clear text.
func TestPoliciesAreReadBeforeAnythingIsPushed(t *testing.T) {
	g, w := NewWithT(t), emptyWorld(t)
	if _, err := envtest.InstallCRDs(w.config, envtest.CRDInstallOptions{Paths: crdDirectories(t), MaxTime: patient}); err != nil {
		t.Fatal(err)
	}
	operator := startOperator(t, w)
	w.create(t, gatewayClass(className, DefaultControllerName))
	namespace := w.tenant(t)
	gateway := httpGateway(namespace, "web")
	service, slice := backendService(namespace, "cart")
	policy := policyFor(namespace, "secured", "cart", "ca")
	route := func(name string) *gatewayv1.HTTPRoute {
		route := routeTo(namespace, name, "web", "cart")
		route.Spec.Hostnames = []gatewayv1.Hostname{"http.test"}
		return route
	}
	w.create(t, service, slice, authoritiesIn(t, namespace, "ca"), policy, gateway, route("first"), grpcRouteTo(namespace, "calls", "web", "cart"))
	replica := w.run(t, gateway)
	g.Eventually(w.ancestors(t, policy)).WithTimeout(patient).Should(HaveKeyWithValue("web Accepted", "Accepted"))
	g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey("route/grpcroute/" + namespace + "/calls"))
	for i := range 3 {
		operator.stop(t)
		before := len(replica.Seen().Names)
		operator = startOperator(t, w)
		name := fmt.Sprintf("after-%d", i)
		w.create(t, route(name))
		g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey("route/httproute/" + namespace + "/" + name))
		g.Expect(replica.Seen().Names[before:]).To(Equal([]string{"route/httproute/" + namespace + "/" + name}))
	}
	operator.stop(t)
}

// BackendTLSPolicies are read while their CRD is there; without it everything else goes on.
func TestBackendTLSPolicyCRDComesAndGoes(t *testing.T) {
	g, w := NewWithT(t), emptyWorld(t)
	install := func() {
		t.Helper()
		if _, err := envtest.InstallCRDs(w.config, envtest.CRDInstallOptions{Paths: crdDirectories(t), MaxTime: patient}); err != nil {
			t.Fatal(err)
		}
	}
	uninstall := func() {
		t.Helper()
		crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: backendTLSPolicyCRD}}
		g.Expect(w.Delete(t.Context(), crd)).To(Succeed())
		g.Eventually(func() bool {
			return apierrors.IsNotFound(w.Get(t.Context(), client.ObjectKeyFromObject(crd), crd))
		}).WithTimeout(patient).Should(BeTrue())
	}
	install()
	uninstall()
	operator := startOperator(t, w)
	defer operator.stop(t)
	w.create(t, gatewayClass(className, DefaultControllerName))
	namespace := w.tenant(t)
	gateway := httpGateway(namespace, "web")
	service, slice := backendService(namespace, "cart")
	w.create(t, service, slice, authoritiesIn(t, namespace, "ca"), gateway, routeTo(namespace, "first", "web", "cart"))
	replica := w.run(t, gateway)
	backend := func() string { return names(replica)()["backend/service/"+namespace+"/cart/80"] }
	g.Eventually(backend).WithTimeout(patient).ShouldNot(BeEmpty())
	plain := backend()

	for _, round := range []string{"once", "twice"} {
		install()
		policy := policyFor(namespace, "secured", "cart", "ca")
		g.Eventually(func() error { return w.Create(t.Context(), policy) }).WithTimeout(patient).Should(Succeed())
		g.Eventually(w.ancestors(t, policy)).WithTimeout(patient).Should(HaveKeyWithValue("web Accepted", "Accepted"), round)
		g.Eventually(backend).WithTimeout(patient).ShouldNot(Or(BeEmpty(), Equal(plain)), round)
		uninstall()
		g.Eventually(backend).WithTimeout(patient).Should(Equal(plain), round)
		w.create(t, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "after-" + round}}, routeTo(namespace, "after-"+round, "web", "cart"))
		g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey("route/httproute/" + namespace + "/after-" + round))
	}
}
