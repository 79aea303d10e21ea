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
	"crypto/x509"
	"encoding/pem"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rauta-dev/rauta/internal/manifest"
)

var _ = Describe("Two tenants", Ordered, ContinueOnFailure, func() {
	var (
		north, south               *tenant
		northAddress, southAddress string
	)

	BeforeAll(func(ctx SpecContext) {
		north, south = newTenant(ctx, "north"), newTenant(ctx, "south")
		for _, t := range []*tenant{north, south} {
			t.echo(ctx, "red", 1)
			t.echo(ctx, "blue", 1)
			t.create(ctx, t.gateway("web"))
		}
		north.create(ctx, north.route("app", "web", "north.example", weighted{"red", 9}, weighted{"blue", 1}))
		south.create(ctx, south.route("app", "web", "south.example", weighted{"red", 0}, weighted{"blue", 1}))
		northAddress, southAddress = north.programmed(ctx, "web"), south.programmed(ctx, "web")
	})

	It("answer on port 80 from pods under the restricted Pod Security Standard", func(ctx SpecContext) {
		eventuallyAnswers(ctx, southAddress, "south.example", answer{200, "blue"})
		for _, pod := range south.replicas(ctx, Default, "web") {
			Expect(pod.Spec.ServiceAccountName).NotTo(Equal("default"))
			for _, volume := range pod.Spec.Volumes {
				Expect(volume.Projected).To(BeNil(), "a projected volume would hold an API token")
			}
			Expect(get(ctx, newClient(false), listener(&pod), "south.example", "/")).To(Equal(answer{200, "blue"}), "the proxy itself binds port 80")
		}
	})

	It("get their requests spread by weight", func(ctx SpecContext) {
		eventuallyAnswers(ctx, northAddress, "north.example", answer{200, "red"})
		counts := count(ctx, northAddress, "north.example", 500)
		Expect(counts[answer{200, "red"}]+counts[answer{200, "blue"}]).To(Equal(500), "%v", counts)
		// 9:1 of 500 is 50; 25 is more than three standard deviations (6.7) away.
		Expect(counts[answer{200, "blue"}]).To(BeNumerically("~", 50, 25), "%v", counts)

		Expect(count(ctx, southAddress, "south.example", 50)).To(Equal(map[answer]int{{200, "blue"}: 50}), "weight 0 gets nothing")
	})

	It("do not serve each other's routes", func(ctx SpecContext) {
		c := newClient(false)
		Expect(get(ctx, c, northAddress, "south.example", "/")).To(Equal(answer{status: 404}))
		Expect(get(ctx, c, southAddress, "north.example", "/")).To(Equal(answer{status: 404}))
	})

	It("share no object and no identity", func(ctx SpecContext) {
		Expect(northAddress).NotTo(Equal(southAddress))
		keys := map[string]bool{}
		for _, t := range []*tenant{north, south} {
			secret := &corev1.Secret{}
			Expect(k8s.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: manifest.Name("web", className)}, secret)).To(Succeed())
			block, _ := pem.Decode(secret.Data[corev1.TLSCertKey])
			Expect(block).NotTo(BeNil())
			certificate, err := x509.ParseCertificate(block.Bytes)
			Expect(err).NotTo(HaveOccurred())
			Expect(certificate.URIs).To(HaveLen(1))
			Expect(certificate.URIs[0].String()).To(Equal("spiffe://rauta.dev/gateway/" + t.namespace + "/web"))
			keys[string(secret.Data[corev1.TLSPrivateKeyKey])] = true
		}
		Expect(keys).To(HaveLen(2), "each has a key of its own")
	})
})

var _ = Describe("Deleting a Gateway", func() {
	It("removes everything that was made for it, and nothing else", func(ctx SpecContext) {
		t := newTenant(ctx, "deletion")
		t.echo(ctx, "red", 1)
		t.create(ctx, t.gateway("stays"), t.route("app", "stays", "stays.example", weighted{"red", 1}))
		address := t.programmed(ctx, "stays")
		eventuallyAnswers(ctx, address, "stays.example", answer{200, "red"})
		// Objects of the whole cluster are compared: those of other specs' namespaces are not.
		everywhere := []string{t.namespace, operatorNamespace}
		before := inventory(ctx, Default, everywhere...)

		gateway := t.gateway("goes")
		t.create(ctx, gateway)
		t.programmed(ctx, "goes")
		name := t.namespace + "/" + manifest.Name("goes", className)
		between := inventory(ctx, Default, everywhere...)
		Expect(ownedBy(between, string(gateway.UID))).To(ConsistOf(
			"configmaps/"+name, "deployments/"+name, "networkpolicies/"+name, "poddisruptionbudgets/"+name,
			"secrets/"+name, "serviceaccounts/"+name, "services/"+name, "services/"+name+"-peers"))

		traffic := startLoad(address, "stays.example")
		Expect(k8s.Delete(ctx, gateway)).To(Succeed())
		Eventually(func(g Gomega) {
			g.Expect(sortedNames(inventory(ctx, g, everywhere...))).To(Equal(sortedNames(before)))
		}).Should(Succeed())
		traffic.endsWithoutFailure()

		after := inventory(ctx, Default, everywhere...)
		for name, object := range before {
			Expect(after[name].UID).To(Equal(object.UID), "%s was replaced", name)
			if isEndpointSlice(name) {
				continue // follows its pods, of which the last may have become ready after it was first looked at
			}
			Expect(after[name].Generation).To(Equal(object.Generation), "the specification of %s was changed", name)
		}
	})
})
