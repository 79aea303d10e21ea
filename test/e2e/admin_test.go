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
	"crypto/tls"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/manifest"
	"github.com/rauta-dev/rauta/internal/pki"
)

// greeted opens the admin stream with the certificates given, and returns nil when the proxy sent its inventory.
func greeted(ctx context.Context, address string, certificates ...tls.Certificate) error {
	// Whether the proxy is the right one is not the question here: it is whom the proxy lets in.
	config := &tls.Config{Certificates: certificates, InsecureSkipVerify: true, MinVersion: tls.VersionTLS13} //nolint:gosec // see above
	connection, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(credentials.NewTLS(config)))
	if err != nil {
		return fmt.Errorf("making a client for %s: %w", address, err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	stream, err := adminv1.NewAdminClient(connection).Sync(ctx)
	if err != nil {
		return fmt.Errorf("opening the stream: %w", err)
	}
	response, err := stream.Recv()
	if err != nil {
		return fmt.Errorf("waiting for the inventory: %w", err)
	}
	if response.GetInventory() == nil {
		return fmt.Errorf("the proxy opened with %v", response)
	}
	return nil
}

var _ = Describe("A proxy's admin port", Ordered, ContinueOnFailure, func() {
	var (
		mine, other *tenant
		authority   *pki.Authority
		address     string
	)

	BeforeAll(func(ctx SpecContext) {
		mine, other = newTenant(ctx, "mine"), newTenant(ctx, "other")
		for _, t := range []*tenant{mine, other} {
			t.create(ctx, t.gateway("web"))
			t.programmed(ctx, "web")
		}
		pod := mine.replicas(ctx, Default, "web")[0]
		address = namedPort(&pod, "admin")
		secret := &corev1.Secret{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: "rauta-ca"}, secret)).To(Succeed())
		var err error
		authority, err = pki.Decode(secret.Data)
		Expect(err).NotTo(HaveOccurred())
	})

	issued := func(by *pki.Authority, at time.Time) tls.Certificate {
		GinkgoHelper()
		certificate, err := by.IssueOperator(at)
		Expect(err).NotTo(HaveOccurred())
		return *certificate
	}
	ofGateway := func(ctx SpecContext, t *tenant) tls.Certificate {
		GinkgoHelper()
		secret := &corev1.Secret{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: t.namespace, Name: manifest.Name("web", className)}, secret)).To(Succeed())
		pair, err := tls.X509KeyPair(secret.Data[corev1.TLSCertKey], secret.Data[corev1.TLSPrivateKeyKey])
		Expect(err).NotTo(HaveOccurred())
		return pair
	}
	// refused tells a refusal from a port that cannot be reached, which would time out or refuse the operator as well.
	refused := func(err error) {
		GinkgoHelper()
		Expect(err).To(HaveOccurred())
		Expect(status.Code(err)).To(BeElementOf(codes.Unavailable, codes.Unauthenticated, codes.PermissionDenied), "%v", err)
	}

	It("lets in who has the operator's identity", func(ctx SpecContext) {
		Expect(greeted(ctx, address, issued(authority, time.Now()))).To(Succeed())
	})

	It("refuses who has no certificate", func(ctx SpecContext) {
		refused(greeted(ctx, address))
	})

	It("refuses another Gateway's certificate, and its own", func(ctx SpecContext) {
		refused(greeted(ctx, address, ofGateway(ctx, other)))
		refused(greeted(ctx, address, ofGateway(ctx, mine)))
	})

	It("refuses an expired certificate of the operator", func(ctx SpecContext) {
		refused(greeted(ctx, address, issued(authority, time.Now().Add(-2*pki.LeafLifetime))))
	})

	It("refuses the operator's identity from another authority", func(ctx SpecContext) {
		stranger, err := pki.New(time.Now())
		Expect(err).NotTo(HaveOccurred())
		refused(greeted(ctx, address, issued(stranger, time.Now())))
	})

	It("is not on the Service", func(ctx SpecContext) {
		service := &corev1.Service{}
		Expect(k8s.Get(ctx, client.ObjectKey{Namespace: mine.namespace, Name: manifest.Name("web", className)}, service)).To(Succeed())
		for _, port := range service.Spec.Ports {
			Expect(port.Port).To(BeEquivalentTo(80), "port %s", port.Name)
		}
	})
})
