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

package soak

import (
	"fmt"
	"math/rand/v2"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// maker makes objects at random, and marks each of them.
type maker struct {
	*rand.Rand
	mark int32
	// pairs are certificates with their keys.
	pairs []pair
}

type pair struct{ chain, key []byte }

func (m *maker) pick(of ...string) string { return of[m.IntN(len(of))] }

func (m *maker) oneIn(n int) bool { return m.IntN(n) == 0 }

func (m *maker) next() *int32 {
	m.mark++
	return new(1 + m.mark%999_983)
}

func (m *maker) tenant() string { return m.pick("red", "blue") }

func meta(namespace, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

func (m *maker) parents(sections ...string) gatewayv1.CommonRouteSpec {
	var refs []gatewayv1.ParentReference
	for _, to := range m.Perm(6)[:1+m.IntN(2)] {
		ref := gatewayv1.ParentReference{Name: "web", Namespace: new(gatewayv1.Namespace("red"))}
		switch to {
		case 0, 1:
			ref.Name, ref.Namespace = "edge", new(gatewayv1.Namespace("blue"))
		case 2:
			ref.Name, ref.Namespace = gatewayv1.ObjectName(m.pick("fleeting", "foreign", "gone")), new(gatewayv1.Namespace("blue"))
		case 3:
			ref.Kind, ref.Name, ref.Namespace = new(gatewayv1.Kind("ListenerSet")), gatewayv1.ObjectName(m.pick("set-0", "set-1", "set-2")), new(gatewayv1.Namespace(m.tenant()))
		}
		if section := m.pick(append(sections, "")...); section != "" {
			ref.SectionName = new(gatewayv1.SectionName(section))
		}
		if len(refs) > 0 && refs[0].Name == ref.Name && *refs[0].Namespace == *ref.Namespace {
			continue
		}
		refs = append(refs, ref)
	}
	return gatewayv1.CommonRouteSpec{ParentRefs: refs}
}

func (m *maker) backend(port int32) gatewayv1.BackendRef {
	ref := gatewayv1.BackendRef{
		BackendObjectReference: gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(m.pick("s-0", "s-1", "s-2", "s-3", "s-4", "gone")), Port: new(port)},
		Weight:                 m.next(),
	}
	if m.oneIn(4) {
		ref.Namespace = new(gatewayv1.Namespace(m.tenant()))
	}
	return ref
}

func (m *maker) hosts(own string) []gatewayv1.Hostname {
	switch m.IntN(6) {
	case 0:
		return []gatewayv1.Hostname{gatewayv1.Hostname(m.pick("one.test", "two.test"))}
	case 1:
		return []gatewayv1.Hostname{gatewayv1.Hostname(own), "three.test"}
	}
	return []gatewayv1.Hostname{gatewayv1.Hostname(own)}
}

func (m *maker) httpRoute(namespace, name string) client.Object {
	route := &gatewayv1.HTTPRoute{ObjectMeta: meta(namespace, name), Spec: gatewayv1.HTTPRouteSpec{
		CommonRouteSpec: m.parents("http", "http", "https", "extra", "gone"), Hostnames: m.hosts(name + "." + namespace + ".test"),
		Rules: []gatewayv1.HTTPRouteRule{{BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: m.backend(80)}}}},
	}}
	if m.oneIn(5) {
		route.Spec.Rules = append(route.Spec.Rules, gatewayv1.HTTPRouteRule{
			Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: new(gatewayv1.PathMatchPathPrefix), Value: new("/bad")}}},
			Filters: []gatewayv1.HTTPRouteFilter{{Type: gatewayv1.HTTPRouteFilterRequestHeaderModifier, RequestHeaderModifier: &gatewayv1.HTTPHeaderFilter{Remove: []string{"Upgrade"}}}},
		})
	}
	return route
}

func (m *maker) grpcRoute(namespace, name string) client.Object {
	return &gatewayv1.GRPCRoute{ObjectMeta: meta(namespace, name), Spec: gatewayv1.GRPCRouteSpec{
		CommonRouteSpec: m.parents("http", "https", "extra"), Hostnames: m.hosts(name + "." + namespace + ".test"),
		Rules: []gatewayv1.GRPCRouteRule{{BackendRefs: []gatewayv1.GRPCBackendRef{{BackendRef: m.backend(int32(80 + m.IntN(2)))}}}},
	}}
}

func (m *maker) tlsRoute(namespace, name string) client.Object {
	return &gatewayv1.TLSRoute{ObjectMeta: meta(namespace, name), Spec: gatewayv1.TLSRouteSpec{
		CommonRouteSpec: m.parents("tls", "pass"), Hostnames: m.hosts(name + "." + namespace + ".test"),
		Rules: []gatewayv1.TLSRouteRule{{BackendRefs: []gatewayv1.BackendRef{m.backend(80)}}},
	}}
}

func (m *maker) tcpRoute(namespace, name string) client.Object {
	return &gatewayv1.TCPRoute{ObjectMeta: meta(namespace, name), Spec: gatewayv1.TCPRouteSpec{
		CommonRouteSpec: m.parents("tcp"), Rules: []gatewayv1.TCPRouteRule{{BackendRefs: []gatewayv1.BackendRef{m.backend(80)}}},
	}}
}

func (m *maker) udpRoute(namespace, name string) client.Object {
	return &gatewayv1.UDPRoute{ObjectMeta: meta(namespace, name), Spec: gatewayv1.UDPRouteSpec{
		CommonRouteSpec: m.parents("udp"), Rules: []gatewayv1.UDPRouteRule{{BackendRefs: []gatewayv1.BackendRef{m.backend(53)}}},
	}}
}

func (m *maker) service(namespace, name string) client.Object {
	service := &corev1.Service{ObjectMeta: meta(namespace, name), Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{
		{Name: "web", Port: 80, Protocol: corev1.ProtocolTCP}, {Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP},
	}}}
	if m.oneIn(2) {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: "calls", Port: 81, Protocol: corev1.ProtocolTCP})
	}
	if m.oneIn(4) {
		service.Spec.Ports[0].AppProtocol = new(m.pick("kubernetes.io/h2c", "https", "http"))
	}
	for i := range service.Spec.Ports {
		service.Spec.Ports[i].TargetPort = intstr.FromInt32(8000 + service.Spec.Ports[i].Port)
	}
	return service
}

func (m *maker) slice(namespace, name string) client.Object {
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta: meta(namespace, name), AddressType: discoveryv1.AddressTypeIPv4,
		Ports: []discoveryv1.EndpointPort{
			{Name: new("web"), Port: new(int32(8080)), Protocol: new(corev1.ProtocolTCP)}, {Name: new("dns"), Port: new(int32(8053)), Protocol: new(corev1.ProtocolUDP)},
		},
	}
	slice.Labels = map[string]string{discoveryv1.LabelServiceName: name}
	for range m.IntN(4) {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{fmt.Sprintf("203.0.113.%d", 1+m.IntN(250))}, Conditions: discoveryv1.EndpointConditions{Ready: new(!m.oneIn(5))},
		})
	}
	return slice
}

func (m *maker) grant(namespace, name string) client.Object {
	other := map[string]string{"red": "blue", "blue": "red"}[namespace]
	grant := &gatewayv1.ReferenceGrant{ObjectMeta: meta(namespace, name), Spec: gatewayv1.ReferenceGrantSpec{
		To: []gatewayv1.ReferenceGrantTo{{Kind: gatewayv1.Kind(m.pick("Service", "Service", "Secret"))}},
	}}
	for _, kind := range []string{"Gateway", "ListenerSet", "HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute"} {
		if !m.oneIn(3) || len(grant.Spec.From) == 0 {
			grant.Spec.From = append(grant.Spec.From, gatewayv1.ReferenceGrantFrom{Group: gatewayv1.GroupName, Kind: gatewayv1.Kind(kind), Namespace: gatewayv1.Namespace(other)})
		}
	}
	return grant
}

func (m *maker) set(namespace, name string) client.Object {
	set := &gatewayv1.ListenerSet{ObjectMeta: meta(namespace, name), Spec: gatewayv1.ListenerSetSpec{
		ParentRef: gatewayv1.ParentGatewayReference{Name: "web", Namespace: new(gatewayv1.Namespace("red"))},
		Listeners: []gatewayv1.ListenerEntry{{Name: "extra", Port: 20_000 + *m.next()%200, Protocol: gatewayv1.HTTPProtocolType, AllowedRoutes: fromAll()}},
	}}
	if m.oneIn(5) {
		set.Spec.ParentRef = gatewayv1.ParentGatewayReference{Name: gatewayv1.ObjectName(m.pick("edge", "fleeting", "gone")), Namespace: new(gatewayv1.Namespace("blue"))}
	}
	if m.oneIn(4) {
		set.Spec.Listeners[0].Port = 80 // The Gateway's own has it.
	}
	if m.oneIn(3) {
		set.Spec.Listeners = append(set.Spec.Listeners, gatewayv1.ListenerEntry{
			Name: "https", Port: 20_443, Protocol: gatewayv1.HTTPSProtocolType, Hostname: new(gatewayv1.Hostname(name + "." + namespace + ".test")),
			TLS: m.tls(), AllowedRoutes: fromAll(),
		})
	}
	return set
}

func fromAll() *gatewayv1.AllowedRoutes {
	return &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: new(gatewayv1.NamespacesFromAll)}}
}

func (m *maker) tls() *gatewayv1.ListenerTLSConfig {
	ref := gatewayv1.SecretObjectReference{Name: gatewayv1.ObjectName(m.pick("tls-0", "tls-1"))}
	if m.oneIn(3) {
		ref.Namespace = new(gatewayv1.Namespace(m.tenant()))
	}
	return &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{ref}}
}

func (m *maker) policy(namespace, name string) client.Object {
	policy := &gatewayv1.BackendTLSPolicy{ObjectMeta: meta(namespace, name), Spec: gatewayv1.BackendTLSPolicySpec{
		TargetRefs: []gatewayv1.LocalPolicyTargetReferenceWithSectionName{{LocalPolicyTargetReference: gatewayv1.LocalPolicyTargetReference{
			Kind: "Service", Name: gatewayv1.ObjectName(m.pick("s-0", "s-1", "gone")),
		}}},
		Validation: gatewayv1.BackendTLSPolicyValidation{Hostname: gatewayv1.PreciseHostname(m.pick("a.test", "b.test")), WellKnownCACertificates: new(gatewayv1.WellKnownCACertificatesSystem)},
	}}
	if m.oneIn(2) {
		policy.Spec.Validation.WellKnownCACertificates = nil
		policy.Spec.Validation.CACertificateRefs = []gatewayv1.LocalObjectReference{{Kind: "ConfigMap", Name: gatewayv1.ObjectName(m.pick("ca-0", "ca-1"))}}
	}
	if m.oneIn(4) {
		policy.Spec.Options = map[gatewayv1.AnnotationKey]gatewayv1.AnnotationValue{"stranger.test/option": "1"}
	}
	return policy
}

func (m *maker) secret(namespace, name string) client.Object {
	chosen := m.pairs[m.IntN(len(m.pairs))]
	return &corev1.Secret{ObjectMeta: meta(namespace, name), Type: corev1.SecretTypeTLS, Data: map[string][]byte{
		corev1.TLSCertKey: chosen.chain, corev1.TLSPrivateKeyKey: chosen.key,
	}}
}

// authorities are usable two times out of three.
func (m *maker) authorities(namespace, name string) client.Object {
	bundle := string(m.pairs[m.IntN(len(m.pairs))].chain)
	if m.oneIn(3) {
		bundle = "nonsense"
	}
	return &corev1.ConfigMap{ObjectMeta: meta(namespace, name), Data: map[string]string{"ca.crt": bundle}}
}

// gateway has one listener of each protocol, and others that come and go.
func (m *maker) gateway(namespace, name string) client.Object {
	listener := func(name string, port int32, protocol gatewayv1.ProtocolType, tls *gatewayv1.ListenerTLSConfig) gatewayv1.Listener {
		return gatewayv1.Listener{Name: gatewayv1.SectionName(name), Port: port, Protocol: protocol, TLS: tls, AllowedRoutes: fromAll()}
	}
	gateway := &gatewayv1.Gateway{ObjectMeta: meta(namespace, name), Spec: gatewayv1.GatewaySpec{
		GatewayClassName: className,
		AllowedListeners: &gatewayv1.AllowedListeners{Namespaces: &gatewayv1.ListenerNamespaces{From: new(gatewayv1.NamespacesFromAll)}},
		Listeners: []gatewayv1.Listener{
			listener("http", 80, gatewayv1.HTTPProtocolType, nil), listener("https", 443, gatewayv1.HTTPSProtocolType, m.tls()),
			listener("tcp", 9000, gatewayv1.TCPProtocolType, nil), listener("udp", 9001, gatewayv1.UDPProtocolType, nil),
			listener("pass", 8443, gatewayv1.TLSProtocolType, &gatewayv1.ListenerTLSConfig{Mode: new(gatewayv1.TLSModePassthrough)}),
		},
	}}
	if m.oneIn(2) {
		gateway.Spec.Listeners = append(gateway.Spec.Listeners, listener("extra", 10_000+*m.next()%200, gatewayv1.HTTPProtocolType, nil))
	}
	if m.oneIn(3) {
		gateway.Spec.Listeners = append(gateway.Spec.Listeners, listener("tls", 8444, gatewayv1.TLSProtocolType, m.tls()))
	}
	if m.oneIn(3) {
		gateway.Spec.Listeners[0].AllowedRoutes = &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{
			From: new(gatewayv1.NamespacesFromSelector), Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"open": "yes"}},
		}}
	}
	return gateway
}

func (m *maker) namespace(name string) client.Object {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"open": m.pick("yes", "yes", "no")}}}
}
