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
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/manifest"
	"github.com/rauta-dev/rauta/internal/topology"
)

func udpRouteTo(namespace, name, gateway, service string) *gatewayv1.UDPRoute {
	return &gatewayv1.UDPRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: gatewayv1.UDPRouteSpec{
			CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: gatewayv1.ObjectName(gateway)}}},
			Rules: []gatewayv1.UDPRouteRule{{BackendRefs: []gatewayv1.BackendRef{{
				BackendObjectReference: gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(service), Port: new(gatewayv1.PortNumber(53))},
			}}}},
		},
	}
}

// streamWorldObjects are a Gateway with listeners of all stream protocols, a Service of both protocols with endpoints, and a
// route of each kind.
func streamObjects(namespace string) (*gatewayv1.Gateway, *discoveryv1.EndpointSlice, []client.Object) {
	gateway := httpGateway(namespace, "web")
	passthrough := gatewayv1.TLSModePassthrough
	gateway.Spec.Listeners = []gatewayv1.Listener{
		{Name: "dns-tcp", Port: 53, Protocol: gatewayv1.TCPProtocolType},
		{Name: "dns", Port: 53, Protocol: gatewayv1.UDPProtocolType},
		{Name: "tls", Port: 443, Protocol: gatewayv1.TLSProtocolType, TLS: &gatewayv1.ListenerTLSConfig{Mode: &passthrough}},
	}
	service, slice := backendService(namespace, "dns")
	service.Spec.Ports = []corev1.ServicePort{{Name: "tcp", Port: 53}, {Name: "udp", Port: 53, Protocol: corev1.ProtocolUDP}}
	udp := corev1.ProtocolUDP
	slice.Ports = []discoveryv1.EndpointPort{{Name: new("tcp"), Port: new(int32(5300))}, {Name: new("udp"), Port: new(int32(5353)), Protocol: &udp}}
	datagrams := udpRouteTo(namespace, "datagrams", "web", "dns")
	connections := &gatewayv1.TCPRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "connections"},
		Spec:       gatewayv1.TCPRouteSpec{CommonRouteSpec: datagrams.Spec.CommonRouteSpec, Rules: []gatewayv1.TCPRouteRule{{BackendRefs: datagrams.Spec.Rules[0].BackendRefs}}},
	}
	names := &gatewayv1.TLSRoute{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "names"},
		Spec: gatewayv1.TLSRouteSpec{
			CommonRouteSpec: datagrams.Spec.CommonRouteSpec, Hostnames: []gatewayv1.Hostname{"a.test"},
			Rules: []gatewayv1.TLSRouteRule{{BackendRefs: datagrams.Spec.Rules[0].BackendRefs}},
		},
	}
	return gateway, slice, []client.Object{gateway, service, slice, datagrams, connections, names}
}

// routeConditions polls for the conditions of a route's first parent.
func (w *world) routeConditions(t *testing.T, route topology.RouteObject) func() []metav1.Condition {
	return func() []metav1.Condition {
		object := route.(client.Object)
		if err := w.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			t.Log(err)
			return nil
		}
		if parents := topology.StatusOf(route).Parents; len(parents) > 0 {
			return parents[0].Conditions
		}
		return nil
	}
}

func TestStreamRoutesAreServed(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway, slice, objects := streamObjects(namespace)
	w.create(t, objects...)
	replica := w.run(t, gateway)
	held := func(name string) string { return fmt.Sprintf(name, namespace) }
	g.Eventually(names(replica)).WithTimeout(patient).Should(And(
		HaveKey("listener/dns"), HaveKey("listener/dns-tcp"), HaveKey("listener/tls"),
		HaveKey(held("route/udproute/%s/datagrams")), HaveKey(held("route/tcproute/%s/connections")), HaveKey(held("route/tlsroute/%s/names/passthrough")),
		HaveKey(held("backend/service/%s/dns/53/udp")), HaveKey(held("backend/service/%s/dns/53/tcp")), HaveKey(held("backend/service/%s/dns/53/passthrough")),
		HaveKey(held("endpoints/service/%s/dns/53/udp")), HaveKey(held("endpoints/service/%s/dns/53")),
	))
	for _, object := range objects[3:] {
		route := object.(topology.RouteObject)
		g.Eventually(func() bool {
			conditions := w.routeConditions(t, route)()
			return apimeta.IsStatusConditionTrue(conditions, "Accepted") && apimeta.IsStatusConditionTrue(conditions, "ResolvedRefs") &&
				apimeta.IsStatusConditionTrue(conditions, "rauta.dev/Programmed")
		}).WithTimeout(patient).Should(BeTrue(), "%T", object)
	}

	key := types.NamespacedName{Namespace: namespace, Name: manifest.Name("web", className)}
	service, policy := &corev1.Service{}, &networkingv1.NetworkPolicy{}
	g.Expect(w.Get(t.Context(), key, service)).To(Succeed())
	var ports []string
	for _, port := range service.Spec.Ports {
		ports = append(ports, fmt.Sprintf("%s %d %s", port.Name, port.Port, port.Protocol))
	}
	g.Expect(ports).To(ConsistOf("dns-tcp 53 TCP", "dns 53 UDP", "tls 443 TCP"))
	g.Expect(w.Get(t.Context(), key, policy)).To(Succeed())
	var open []string
	for _, port := range policy.Spec.Ingress[0].Ports {
		open = append(open, fmt.Sprintf("%s %s", port.Port, *port.Protocol))
	}
	g.Expect(open).To(ConsistOf("53 TCP", "53 UDP", "443 TCP"))

	w.takesTheShortWay(t, replica, slice, held("endpoints/service/%s/dns/53"), held("endpoints/service/%s/dns/53/udp"))

	g.Expect(w.Delete(t.Context(), gateway)).To(Succeed())
	for _, object := range objects[3:] {
		g.Eventually(w.routeConditions(t, object.(topology.RouteObject))).WithTimeout(patient).Should(BeEmpty(), "entries go with their Gateway")
	}
}
