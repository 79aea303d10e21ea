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
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/test/fixture"
)

func httpsGateway(namespace, name string, refs ...gatewayv1.SecretObjectReference) *gatewayv1.Gateway {
	gateway := httpGateway(namespace, name)
	gateway.Spec.Listeners[0] = gatewayv1.Listener{
		Name: "https", Port: 443, Protocol: gatewayv1.HTTPSProtocolType, TLS: &gatewayv1.ListenerTLSConfig{CertificateRefs: refs},
	}
	return gateway
}

func tlsSecret(t *testing.T, namespace, name string) *corev1.Secret {
	t.Helper()
	chain, key := topologytest.KeyPair(t, "a.test")
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Type: corev1.SecretTypeTLS,
		Data: map[string][]byte{corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: key},
	}
}

// certificateHash polls for the hash of a certificate in a replica's table; empty when it has none.
func certificateHash(replica *fixture.Replica, namespace, name string) func() string {
	return func() string {
		_, table := replica.Table()
		return table["certificate/secret/"+namespace+"/"+name]
	}
}

// listenerCondition polls for one condition of a Gateway's first listener.
func (w *world) listenerCondition(t *testing.T, gateway *gatewayv1.Gateway, conditionType gatewayv1.ListenerConditionType) func() (*metav1.Condition, error) {
	return func() (*metav1.Condition, error) {
		current := &gatewayv1.Gateway{}
		err := w.Get(t.Context(), client.ObjectKeyFromObject(gateway), current)
		if err != nil || len(current.Status.Listeners) == 0 {
			return nil, err
		}
		return apimeta.FindStatusCondition(current.Status.Listeners[0].Conditions, string(conditionType)), nil
	}
}

// A certificate follows its Secret: it appears, changes, breaks, vanishes and is mended.
func TestCertificateFollowsItsSecret(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway := httpsGateway(namespace, "web", gatewayv1.SecretObjectReference{Name: "tls"})
	w.create(t, gateway)
	resolved := w.listenerCondition(t, gateway, gatewayv1.ListenerConditionResolvedRefs)
	programmed := w.listenerCondition(t, gateway, gatewayv1.ListenerConditionProgrammed)
	g.Eventually(resolved).WithTimeout(patient).Should(HaveField("Reason", "InvalidCertificateRef"))

	opaque := tlsSecret(t, namespace, "opaque")
	opaque.Type = corev1.SecretTypeOpaque
	secret := tlsSecret(t, namespace, "tls")
	w.create(t, opaque, secret)
	g.Eventually(resolved).WithTimeout(patient).Should(isTrue())
	replica := w.run(t, gateway)
	g.Eventually(programmed).WithTimeout(patient).Should(isTrue())
	hash := certificateHash(replica, namespace, "tls")
	first := hash()
	g.Expect(first).NotTo(BeEmpty())

	secret.Data = tlsSecret(t, namespace, "tls").Data
	g.Expect(w.Update(t.Context(), secret)).To(Succeed())
	g.Eventually(hash).WithTimeout(patient).ShouldNot(Equal(first))
	second := hash()

	// Broken, then gone: what it held last goes on serving, and the listener says so.
	secret.Data[corev1.TLSPrivateKeyKey] = []byte("nonsense")
	g.Expect(w.Update(t.Context(), secret)).To(Succeed())
	g.Eventually(resolved).WithTimeout(patient).Should(And(HaveField("Reason", "InvalidCertificateRef"),
		HaveField("Message", ContainSubstring("Secret "+namespace+"/tls tls.crt and tls.key are no certificate"))))
	g.Expect(w.Delete(t.Context(), secret)).To(Succeed())
	g.Eventually(resolved).WithTimeout(patient).Should(HaveField("Message", ContainSubstring("does not exist any more")))
	g.Expect(hash()).To(Equal(second), "nothing of it is pushed")
	g.Expect(programmed()).To(isTrue())

	// An operator that starts in this world knows no certificate, and leaves the proxies what they hold.
	w.operator.stop(t)
	w.operator = startOperator(t, w)
	g.Eventually(resolved).WithTimeout(patient).Should(HaveField("Message", ContainSubstring("there is no Secret")))
	g.Eventually(hash).WithTimeout(patient).ShouldNot(Or(Equal(second), BeEmpty()))
	g.Expect(programmed()).To(isTrue())

	w.create(t, tlsSecret(t, namespace, "tls"))
	g.Eventually(resolved).WithTimeout(patient).Should(isTrue())
}

// A proxy that holds nothing of a missing Secret refuses the listener, which must not look as if it were served.
func TestListenerThatNoProxyCanServe(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway := httpsGateway(namespace, "web", gatewayv1.SecretObjectReference{Name: "absent"})
	w.create(t, gateway)
	replica := w.run(t, gateway)
	g.Eventually(w.listenerCondition(t, gateway, gatewayv1.ListenerConditionProgrammed)).WithTimeout(patient).Should(isTrue())
	replica.Quarantine("listener/https", adminv1.ErrorCode_ERROR_CODE_INVALID, "certificates: none of them can be used")
	w.create(t, routeTo(namespace, "shop", "web", "cart")) // another generation, which the proxy acknowledges with its errors
	g.Eventually(w.listenerCondition(t, gateway, gatewayv1.ListenerConditionProgrammed)).WithTimeout(patient).Should(And(
		HaveField("Reason", "Invalid"), HaveField("Message", ContainSubstring("there is no Secret"))))
	g.Eventually(w.gatewayCondition(t, gateway, gatewayv1.GatewayConditionProgrammed)).WithTimeout(patient).Should(And(
		HaveField("Reason", "Invalid"), HaveField("Message", ContainSubstring("there is no Secret"))))
}

// A grant opens another namespace's Secret, and its end closes it at once.
func TestGrantForACertificate(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace, vault := w.tenant(t), w.tenant(t)
	gateway := httpsGateway(namespace, "web", gatewayv1.SecretObjectReference{Name: "shared", Namespace: new(gatewayv1.Namespace(vault))})
	// A second listener keeps the proxy there while the first has no certificate.
	gateway.Spec.Listeners = append(gateway.Spec.Listeners, gatewayv1.Listener{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType})
	w.create(t, tlsSecret(t, vault, "shared"), gateway)
	resolved := w.listenerCondition(t, gateway, gatewayv1.ListenerConditionResolvedRefs)
	g.Eventually(resolved).WithTimeout(patient).Should(HaveField("Reason", "RefNotPermitted"))
	replica := w.run(t, gateway)
	hash := certificateHash(replica, vault, "shared")

	grant := &gatewayv1.ReferenceGrant{
		ObjectMeta: metav1.ObjectMeta{Namespace: vault, Name: "open"},
		Spec: gatewayv1.ReferenceGrantSpec{
			From: []gatewayv1.ReferenceGrantFrom{{Group: gatewayv1.GroupName, Kind: "Gateway", Namespace: gatewayv1.Namespace(namespace)}},
			To:   []gatewayv1.ReferenceGrantTo{{Kind: "Secret"}},
		},
	}
	w.create(t, grant)
	g.Eventually(hash).WithTimeout(patient).ShouldNot(BeEmpty())
	g.Eventually(resolved).WithTimeout(patient).Should(isTrue())
	service := &corev1.Service{}
	key := client.ObjectKey{Namespace: namespace, Name: "web-" + className}
	ports := func() ([]int32, error) {
		err := w.Get(t.Context(), key, service)
		var ports []int32
		for _, port := range service.Spec.Ports {
			ports = append(ports, port.Port)
		}
		return ports, err
	}
	g.Eventually(ports).WithTimeout(patient).Should(ConsistOf(int32(80), int32(443)))

	g.Expect(w.Delete(t.Context(), grant)).To(Succeed())
	g.Eventually(hash).WithTimeout(patient).Should(BeEmpty())
	g.Eventually(resolved).WithTimeout(patient).Should(HaveField("Reason", "RefNotPermitted"))
	g.Eventually(ports).WithTimeout(patient).Should(ConsistOf(int32(80)))
}

func TestOnlyCertificatesAreKeptOfSecrets(t *testing.T) {
	g := NewWithT(t)
	foreign := tlsSecret(t, "shop", "tls")
	foreign.Data["notes"] = []byte("large")
	foreign.Annotations, foreign.Labels = map[string]string{"a": "b"}, map[string]string{"c": "d"}
	foreign.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "somebody"}}
	foreign.OwnerReferences = []metav1.OwnerReference{{Kind: "Gateway"}}
	kept, err := certificateOnly(foreign)
	g.Expect(err).NotTo(HaveOccurred())
	secret := kept.(*corev1.Secret)
	g.Expect(secret.Data).To(And(HaveLen(2), HaveKey(corev1.TLSCertKey), HaveKey(corev1.TLSPrivateKeyKey)))
	g.Expect([]any{secret.Annotations, secret.Labels, secret.ManagedFields}).To(HaveEach(BeEmpty()))
	g.Expect(secret.OwnerReferences).To(HaveLen(1), "whose it is decides whether its name is taken")

	own := tlsSecret(t, "shop", "web-rauta")
	own.Data["ca.crt"], own.Labels = []byte("bundle"), map[string]string{"app.kubernetes.io/managed-by": "rauta"}
	own.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "rauta"}}
	kept, err = certificateOnly(own)
	g.Expect(err).NotTo(HaveOccurred())
	g.Expect(kept).To(Equal(own.DeepCopy()), "an identity is compared and applied as a whole")
}

// A certificate expires although no object changes, and the listener says so; it stays in use.
func TestExpiryIsReportedWhenItComes(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway := httpsGateway(namespace, "web", gatewayv1.SecretObjectReference{Name: "tls"})
	secret := tlsSecret(t, namespace, "tls")
	chain, key := topologytest.KeyPairBetween(t, time.Now().Add(-time.Hour), time.Now().Add(4*time.Second), "a.test")
	secret.Data = map[string][]byte{corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: key}
	w.create(t, secret, gateway)
	replica := w.run(t, gateway)
	invalid := w.listenerCondition(t, gateway, topology.ConditionInvalidCertificate)
	g.Eventually(invalid).WithTimeout(patient).Should(And(isTrue(), HaveField("Reason", topology.ReasonExpired)))
	g.Expect(w.listenerCondition(t, gateway, gatewayv1.ListenerConditionResolvedRefs)()).To(isTrue())
	g.Eventually(certificateHash(replica, namespace, "tls")).WithTimeout(patient).ShouldNot(BeEmpty())

	secret.Data = tlsSecret(t, namespace, "tls").Data
	g.Expect(w.Update(t.Context(), secret)).To(Succeed())
	g.Eventually(invalid).WithTimeout(patient).Should(BeNil())
}
