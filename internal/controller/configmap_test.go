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
	"strings"
	"testing"
	"unsafe"

	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

func authoritiesIn(t *testing.T, namespace, name string) *corev1.ConfigMap {
	t.Helper()
	bundle, _ := topologytest.KeyPair(t, "ca")
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string]string{"ca.crt": string(bundle)},
	}
}

// A listener follows the authorities of its clients: without any it is not served, and lets nobody in.
func TestListenerFollowsItsAuthorities(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace, vault := w.tenant(t), w.tenant(t)
	gateway := httpsGateway(namespace, "web", gatewayv1.SecretObjectReference{Name: "tls"})
	gateway.Spec.Listeners = append(gateway.Spec.Listeners, gatewayv1.Listener{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType})
	gateway.Spec.TLS = &gatewayv1.GatewayTLSConfig{Frontend: &gatewayv1.FrontendTLSConfig{Default: gatewayv1.TLSConfig{
		Validation: &gatewayv1.FrontendTLSValidation{
			Mode:              gatewayv1.AllowInsecureFallback,
			CACertificateRefs: []gatewayv1.ObjectReference{{Kind: "ConfigMap", Name: "ca", Namespace: new(gatewayv1.Namespace(vault))}},
		},
	}}}
	bundle := authoritiesIn(t, vault, "ca")
	w.create(t, tlsSecret(t, namespace, "tls"), bundle, gateway)
	accepted := w.listenerCondition(t, gateway, gatewayv1.ListenerConditionAccepted)
	g.Eventually(accepted).WithTimeout(patient).Should(HaveField("Reason", "NoValidCACertificate"))
	g.Eventually(w.listenerCondition(t, gateway, gatewayv1.ListenerConditionResolvedRefs)).WithTimeout(patient).Should(HaveField("Reason", "RefNotPermitted"))
	replica := w.run(t, gateway)
	listener := func() string { return names(replica)()["listener/https"] }
	g.Expect(listener()).To(BeEmpty())

	grant := &gatewayv1.ReferenceGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: vault, Name: "open"},
		Spec: gatewayv1.ReferenceGrantSpec{
			From: []gatewayv1.ReferenceGrantFrom{{Group: gatewayv1.GroupName, Kind: "Gateway", Namespace: gatewayv1.Namespace(namespace)}},
			To:   []gatewayv1.ReferenceGrantTo{{Kind: "ConfigMap"}},
		},
	}
	w.create(t, grant)
	g.Eventually(listener).WithTimeout(patient).ShouldNot(BeEmpty())
	g.Eventually(accepted).WithTimeout(patient).Should(isTrue())
	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionInsecureFrontendValidationMode)).WithTimeout(patient).Should(isTrue())
	first := listener()

	bundle.Data = authoritiesIn(t, vault, "ca").Data
	g.Expect(w.Update(t.Context(), bundle)).To(Succeed())
	g.Eventually(listener).WithTimeout(patient).ShouldNot(Or(BeEmpty(), Equal(first)))

	g.Expect(w.Delete(t.Context(), bundle)).To(Succeed())
	g.Eventually(listener).WithTimeout(patient).Should(BeEmpty())
	g.Eventually(accepted).WithTimeout(patient).Should(HaveField("Reason", "NoValidCACertificate"))
}

func TestOnlyAuthoritiesAreKeptOfConfigMaps(t *testing.T) {
	g := NewWithT(t)
	foreign := authoritiesIn(t, "shop", "ca")
	foreign.Data["large"], foreign.BinaryData = "x", map[string][]byte{"y": nil}
	foreign.Labels, foreign.Annotations = map[string]string{"a": "b"}, map[string]string{"c": "d"}
	foreign.OwnerReferences = []metav1.OwnerReference{{Kind: "Gateway"}}
	kept, err := authoritiesOnly(foreign)
	g.Expect(err).NotTo(HaveOccurred())
	configMap := kept.(*corev1.ConfigMap)
	g.Expect(configMap.Data).To(And(HaveLen(1), HaveKey("ca.crt")))
	g.Expect([]any{configMap.BinaryData, configMap.Labels, configMap.Annotations}).To(HaveEach(BeEmpty()))
	g.Expect(configMap.OwnerReferences).To(HaveLen(1), "whose it is decides whether its name is taken")

	another := configMap.DeepCopy()
	another.Data["ca.crt"] = strings.Clone(another.Data["ca.crt"])
	kept, err = authoritiesOnly(another)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(unsafe.StringData(kept.(*corev1.ConfigMap).Data["ca.crt"])).To(BeIdenticalTo(unsafe.StringData(configMap.Data["ca.crt"])), "each namespace has the cluster's own")

	own := authoritiesIn(t, "shop", "web-rauta")
	own.Data["bootstrap.yaml"], own.Labels = "a: b", map[string]string{"app.kubernetes.io/managed-by": "rauta"}
	kept, err = authoritiesOnly(own)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(kept).To(Equal(own.DeepCopy()))
}
