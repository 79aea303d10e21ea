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

package status

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/test/fixture"
)

// apiServer is a real API server with the Gateway API's CRDs, whose schemas and rules the statuses have to pass.
func apiServer(t *testing.T) client.Client {
	t.Helper()
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Fatal("KUBEBUILDER_ASSETS is not set: run these tests through `make test`")
	}
	environment := &envtest.Environment{
		CRDDirectoryPaths:     []string{filepath.Join(fixture.ModuleDirectory(t, "sigs.k8s.io/gateway-api"), "config", "crd", "standard")},
		ErrorIfCRDPathMissing: true,
		// As long as a busy machine may take.
		ControlPlaneStartTimeout: 2 * time.Minute, ControlPlaneStopTimeout: 2 * time.Minute,
		CRDInstallOptions: envtest.CRDInstallOptions{MaxTime: 2 * time.Minute},
	}
	config, err := environment.Start()
	if err != nil {
		t.Fatalf("start API server: %v", err)
	}
	t.Cleanup(func() {
		if err := environment.Stop(); err != nil {
			t.Errorf("stop API server: %v", err)
		}
	})
	scheme := runtime.NewScheme()
	if err := errors.Join(gatewayv1.Install(scheme), corev1.AddToScheme(scheme)); err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestStatusesPassTheAPI writes statuses with every kind of condition, and writes them again from what is read back: what
// the API server fills in or leaves out must not look like a change, or each reconcile would write.
func TestStatusesPassTheAPI(t *testing.T) {
	c := apiServer(t)
	world := topologytest.Parse(t, `
kind: GatewayClass
metadata: {name: rauta}
spec: {controllerName: rauta.dev/gateway-controller}
---
kind: Gateway
metadata: {namespace: shop, name: web}
spec: {gatewayClassName: rauta, listeners: [{name: http, port: 80, protocol: HTTP}, {name: sctp, port: 81, protocol: example.com/sctp}, {name: kinds, port: 82, protocol: HTTP, allowedRoutes: {kinds: [{kind: TLSRoute}]}}]}
---
kind: HTTPRoute
metadata: {namespace: shop, name: cart}
spec: {parentRefs: [{name: web, sectionName: http}, {name: web, sectionName: gone}, {name: other, sectionName: x}], rules: [{backendRefs: [{name: gone, port: 80}]}, {filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [Upgrade]}}]}]}
`)
	objects := []client.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, world.GatewayClass, world.Gateway, world.HTTPRoutes[0]}
	for _, object := range objects {
		if err := c.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	w := writer(t, c)
	delivery := served()
	delivery.Refused = map[string]string{"listener/http": "port 80: in use"}
	facts := &GatewayFacts{Addresses: address("192.0.2.1"), Delivery: delivery}
	write := func() {
		t.Helper()
		for _, object := range objects[1:] {
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
				t.Fatal(err)
			}
		}
		built := topology.Build(world.Input)
		err := errors.Join(
			w.GatewayClass(t.Context(), world.GatewayClass, GatewayClass(world.GatewayClass, &ClassFacts{CRDVersions: map[string]string{"gateways": "v1.6.3"}}, now)),
			w.Gateway(t.Context(), world.Gateway, Gateway(world.Gateway, built, facts, now)),
			w.Routes(t.Context(), []RouteUpdate{{Route: world.HTTPRoutes[0], Status: Route(&built.Routes[0], built, &delivery, now)}}),
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	counts := func() [3]float64 {
		return [3]float64{writes(t, w, "GatewayClass"), writes(t, w, "Gateway"), writes(t, w, "HTTPRoute")}
	}
	for range 3 {
		write()
		if diff := cmp.Diff([3]float64{1, 1, 1}, counts()); diff != "" {
			t.Errorf("writes of GatewayClass, Gateway and HTTPRoute: the first round has something to say, the others nothing (-want +got):\n%s", diff)
		}
	}
	delete(delivery.Refused, "listener/http")
	write()
	if diff := cmp.Diff([3]float64{1, 2, 1}, counts()); diff != "" {
		t.Errorf("what changed for the Gateway alone is written to the Gateway alone (-want +got):\n%s", diff)
	}
	if got := world.HTTPRoutes[0].Status.Parents; len(got) != 2 || len(got[0].Conditions) != 5 {
		t.Errorf("both parentRefs to the Gateway have an entry with Accepted, ResolvedRefs, PartiallyInvalid, rauta.dev/Shadowed and rauta.dev/Programmed; got %+v", got)
	}
}
