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

	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/test/fixture"
)

func grpcRouteTo(namespace, name, gateway, service string) *gatewayv1.GRPCRoute {
	return &gatewayv1.GRPCRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: gatewayv1.GRPCRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: gatewayv1.ObjectName(gateway)}}},
			Hostnames:       []gatewayv1.Hostname{"rpc.test"},
			Rules: []gatewayv1.GRPCRouteRule{{BackendRefs: []gatewayv1.GRPCBackendRef{{BackendRef: gatewayv1.BackendRef{
				BackendObjectReference: gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(service), Port: new(gatewayv1.PortNumber(80))},
			}}}}},
		},
	}
}

// grpcParent polls for the conditions of a GRPCRoute's first parent.
func (w *world) grpcParent(t *testing.T, route *gatewayv1.GRPCRoute) func() ([]metav1.Condition, error) {
	return func() ([]metav1.Condition, error) {
		current := &gatewayv1.GRPCRoute{}
		err := w.Get(t.Context(), client.ObjectKeyFromObject(route), current)
		if err != nil || len(current.Status.Parents) == 0 {
			return nil, err
		}
		return current.Status.Parents[0].Conditions, nil
	}
}

// names polls for what a replica's table holds.
func names(replica *fixture.Replica) func() map[string]string {
	return func() map[string]string {
		_, table := replica.Table()
		return table
	}
}

func TestGRPCRouteIsServed(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway, route := httpGateway(namespace, "web"), grpcRouteTo(namespace, "calls", "web", "rpc")
	service, slice := backendService(namespace, "rpc")
	w.create(t, gateway, route)
	replica := w.run(t, gateway)
	g.Eventually(w.grpcParent(t, route)).WithTimeout(patient).Should(ContainElement(HaveField("Reason", "BackendNotFound")))

	// Services, endpoints and grants find their way to GRPCRoutes as they do to HTTPRoutes.
	w.create(t, service, slice)
	g.Eventually(names(replica)).WithTimeout(patient).Should(And(HaveKey("route/grpcroute/"+namespace+"/calls"),
		HaveKey("backend/service/"+namespace+"/rpc/80/h2c"), HaveKey("endpoints/service/"+namespace+"/rpc/80")))
	g.Eventually(func() bool {
		conditions, _ := w.grpcParent(t, route)()
		return apimeta.IsStatusConditionTrue(conditions, "Accepted") && apimeta.IsStatusConditionTrue(conditions, "ResolvedRefs") &&
			apimeta.IsStatusConditionTrue(conditions, "rauta.dev/Programmed")
	}).WithTimeout(patient).Should(BeTrue())

	w.takesTheShortWay(t, replica, slice, "endpoints/service/"+namespace+"/rpc/80")

	g.Expect(w.Delete(t.Context(), gateway)).To(Succeed())
	g.Eventually(w.grpcParent(t, route)).WithTimeout(patient).Should(BeEmpty(), "entries go with their Gateway")
}

// Routes of the kinds that are not needed are read while their CRDs are there; without them everything else goes on.
func TestRouteCRDsComeAndGo(t *testing.T) {
	g, w := NewWithT(t), emptyWorld(t)
	install := func() {
		t.Helper()
		if _, err := envtest.InstallCRDs(w.config, envtest.CRDInstallOptions{Paths: crdDirectories(t), MaxTime: patient}); err != nil {
			t.Fatal(err)
		}
	}
	uninstall := func() {
		t.Helper()
		for _, name := range []string{grpcRouteCRD, tlsRouteCRD, tcpRouteCRD, udpRouteCRD} {
			crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}}
			g.Expect(w.Delete(t.Context(), crd)).To(Succeed())
			g.Eventually(func() bool {
				return apierrors.IsNotFound(w.Get(t.Context(), client.ObjectKeyFromObject(crd), crd))
			}).WithTimeout(patient).Should(BeTrue())
		}
	}
	install()
	uninstall()
	operator := startOperator(t, w)
	defer operator.stop(t)
	w.create(t, gatewayClass(className, DefaultControllerName))
	namespace := w.tenant(t)
	gateway := httpGateway(namespace, "web")
	service, slice := backendService(namespace, "cart")
	w.create(t, service, slice, gateway, routeTo(namespace, "first", "web", "cart"))
	replica := w.run(t, gateway)
	g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey("route/httproute/" + namespace + "/first"))

	for _, round := range []string{"once", "twice"} {
		install()
		// The HTTPRoute takes every host, and is older.
		other := httpGateway(namespace, "rpc-"+round)
		route := grpcRouteTo(namespace, "calls", other.Name, "cart")
		g.Eventually(func() error { return w.Create(t.Context(), route) }).WithTimeout(patient).Should(Succeed())
		datagrams := udpRouteTo(namespace, "datagrams", other.Name, "cart")
		g.Eventually(func() error { return w.Create(t.Context(), datagrams) }).WithTimeout(patient).Should(Succeed())
		other.Spec.Listeners = append(other.Spec.Listeners, gatewayv1.Listener{Name: "dns", Port: 53, Protocol: gatewayv1.UDPProtocolType})
		w.create(t, other)
		rpc := w.run(t, other)
		both := And(HaveKey("route/grpcroute/"+namespace+"/calls"), HaveKey("route/udproute/"+namespace+"/datagrams"))
		neither := Not(Or(HaveKey("route/grpcroute/"+namespace+"/calls"), HaveKey("route/udproute/"+namespace+"/datagrams")))
		g.Eventually(names(rpc)).WithTimeout(patient).Should(both, round)

		uninstall()
		g.Eventually(names(rpc)).WithTimeout(patient).Should(neither, round)
		w.create(t, routeTo(namespace, "after-"+round, "web", "cart"))
		g.Eventually(names(replica)).WithTimeout(patient).Should(HaveKey("route/httproute/" + namespace + "/after-" + round))
	}
}
