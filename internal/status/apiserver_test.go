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
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/test/fixture"
)

// apiServer is a real API server with the Gateway API's CRDs, whose schemas and rules the statuses have to pass.
func apiServer(t *testing.T) (client.Client, Sender) {
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
	connections, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme, HTTPClient: connections})
	if err != nil {
		t.Fatal(err)
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, connections)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := NewSender(config, scheme, mapper)
	if err != nil {
		t.Fatal(err)
	}
	return c, sender
}

// TestStatusesPassTheAPI writes statuses with every kind of condition, and writes them again from what is read back: what
// the API server fills in or leaves out must not look like a change, or each reconcile would write.
func TestStatusesPassTheAPI(t *testing.T) {
	c, sender := apiServer(t)
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
	w := writer(t, sender)
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

// TestStatusesLeaveTheRest writes a status of each kind with nothing but which object it is of: the API server keeps all else of the object
// as it is, also what its schema wants, and refuses what is written on an older version.
func TestStatusesLeaveTheRest(t *testing.T) {
	c, sender := apiServer(t)
	world := topologytest.Parse(t, `
kind: GatewayClass
metadata: {name: rauta, labels: {team: shop}}
spec: {controllerName: rauta.dev/gateway-controller}
---
kind: Gateway
metadata: {namespace: shop, name: web, labels: {team: shop}, annotations: {example.com/note: kept}, finalizers: [example.com/kept]}
spec: {gatewayClassName: rauta, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: ListenerSet
metadata: {namespace: shop, name: more}
spec: {parentRef: {name: web}, listeners: [{name: http, port: 81, protocol: HTTP}]}
---
kind: HTTPRoute
metadata: {namespace: shop, name: http, annotations: {example.com/note: kept}}
spec: {parentRefs: [{name: web}], hostnames: [a.example.com], rules: [{matches: [{path: {type: Exact, value: /a}}], backendRefs: [{name: a, port: 80}]}]}
---
kind: GRPCRoute
metadata: {namespace: shop, name: grpc}
spec: {parentRefs: [{name: web}], rules: [{matches: [{method: {service: a.B}}], backendRefs: [{name: a, port: 80}]}]}
---
kind: TLSRoute
metadata: {namespace: shop, name: tls}
spec: {parentRefs: [{name: web}], hostnames: [a.example.com], rules: [{backendRefs: [{name: a, port: 80}]}]}
---
kind: TCPRoute
metadata: {namespace: shop, name: tcp}
spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: a, port: 80}]}]}
---
kind: UDPRoute
metadata: {namespace: shop, name: udp}
spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: a, port: 80}]}]}
---
kind: BackendTLSPolicy
metadata: {namespace: shop, name: tls}
spec: {targetRefs: [{group: "", kind: Service, name: a}], validation: {hostname: a.example.com, wellKnownCACertificates: System}}
`)
	w := writer(t, sender)
	parents := someRouteStatus("web").Parents
	conditions := parents[0].Conditions
	route := func(object topology.RouteObject) func() error {
		return func() error { return w.Route(t.Context(), object, gatewayv1.RouteStatus{Parents: parents}) }
	}
	cases := []struct {
		object client.Object
		write  func() error
	}{
		{world.GatewayClass, func() error {
			return w.GatewayClass(t.Context(), world.GatewayClass, gatewayv1.GatewayClassStatus{Conditions: conditions})
		}},
		{world.Gateway, func() error {
			return w.Gateway(t.Context(), world.Gateway, gatewayv1.GatewayStatus{Conditions: conditions})
		}},
		{world.ListenerSets[0], func() error {
			return w.ListenerSet(t.Context(), world.ListenerSets[0], gatewayv1.ListenerSetStatus{Conditions: conditions})
		}},
		{world.HTTPRoutes[0], route(world.HTTPRoutes[0])},
		{world.GRPCRoutes[0], route(world.GRPCRoutes[0])},
		{world.TLSRoutes[0], route(world.TLSRoutes[0])},
		{world.TCPRoutes[0], route(world.TCPRoutes[0])},
		{world.UDPRoutes[0], route(world.UDPRoutes[0])},
		{world.BackendTLSPolicies[0], func() error {
			ancestors := []gatewayv1.PolicyAncestorStatus{{AncestorRef: gatewayv1.ParentReference{Name: "web"}, ControllerName: ours, Conditions: conditions}}
			return w.Policies(t.Context(), []PolicyUpdate{{Policy: world.BackendTLSPolicies[0], Status: gatewayv1.PolicyStatus{Ancestors: ancestors}}})
		}},
	}
	if err := c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}); err != nil {
		t.Fatal(err)
	}
	for _, one := range cases {
		t.Run(fmt.Sprintf("%T", one.object), func(t *testing.T) {
			if err := c.Create(t.Context(), one.object); err != nil {
				t.Fatal(err)
			}
			if err := one.write(); err != nil {
				t.Fatal(err)
			}
			got := one.object.DeepCopyObject().(client.Object)
			if err := c.Get(t.Context(), client.ObjectKeyFromObject(one.object), got); err != nil {
				t.Fatal(err)
			}
			before, _ := apart(t, one.object)
			after, status := apart(t, got)
			if diff := cmp.Diff(before, after); diff != "" {
				t.Errorf("a status is nothing but a status (-before +after):\n%s", diff)
			}
			if len(status) == 0 {
				t.Error("the status is there")
			}
			if err := one.write(); !apierrors.IsConflict(err) {
				t.Errorf("what was written on an older version is refused; got %v", err)
			}
		})
	}
}

// apart takes an object apart: all that its status leaves as it is, and the status.
func apart(t *testing.T, object client.Object) (rest, status map[string]any) {
	t.Helper()
	rest, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	status, _ = rest["status"].(map[string]any)
	delete(rest, "status")
	unstructured.RemoveNestedField(rest, "metadata", "managedFields")
	unstructured.RemoveNestedField(rest, "metadata", "resourceVersion")
	return rest, status
}
