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

package main

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/manifest"
)

const (
	className      = "rauta"
	controllerName = "rauta.dev/gateway-controller"
	// replicas of each Gateway's proxy.
	replicas = 2
	// revisionHeader is the field of a response that says which state of the route gave it.
	revisionHeader = "X-Revision"
)

// gateway is one of the Gateways whose proxies are tried.
type gateway struct {
	tenant *tenant
	name   string
	// subject is how clients see it, once it has an address.
	subject *subject
	// revision is the state of its route that is wanted.
	revision int
}

func (g *gateway) String() string { return g.tenant.namespace + "/" + g.name }

func (g *gateway) key() client.ObjectKey {
	return client.ObjectKey{Namespace: g.tenant.namespace, Name: g.name}
}

// resources is the name of what is made for the Gateway.
func (g *gateway) resources() client.ObjectKey {
	return client.ObjectKey{Namespace: g.tenant.namespace, Name: manifest.Name(g.name, className)}
}

func (g *gateway) objects() []client.Object {
	object := &gatewayv1.Gateway{
		ObjectMeta: g.tenant.meta(g.name),
		Spec: gatewayv1.GatewaySpec{
			GatewayClassName: className,
			Listeners: []gatewayv1.Listener{
				{Name: "http", Port: httpPort, Protocol: gatewayv1.HTTPProtocolType},
				{Name: "https", Port: httpsPort, Protocol: gatewayv1.HTTPSProtocolType, TLS: &gatewayv1.ListenerTLSConfig{
					CertificateRefs: []gatewayv1.SecretObjectReference{{Name: certificate}},
				}},
				{Name: "tcp", Port: tcpPort, Protocol: gatewayv1.TCPProtocolType},
				{Name: "udp", Port: udpPort, Protocol: gatewayv1.UDPProtocolType},
				{Name: "tls", Port: tlsPort, Protocol: gatewayv1.TLSProtocolType, TLS: &gatewayv1.ListenerTLSConfig{
					Mode: ptr.To(gatewayv1.TLSModePassthrough),
				}},
			},
			AllowedListeners: &gatewayv1.AllowedListeners{
				Namespaces: &gatewayv1.ListenerNamespaces{From: ptr.To(gatewayv1.NamespacesFromSame)},
			},
			Infrastructure: &gatewayv1.GatewayInfrastructure{ParametersRef: &gatewayv1.LocalParametersReference{
				Group: gatewayv1.Group(v1alpha1.GroupVersion.Group), Kind: v1alpha1.KindGatewayParameters, Name: parameters,
			}},
		},
	}
	return []client.Object{
		object, g.route(g.name, host), g.calls(), g.connections(), g.datagrams(),
		g.passedThrough("-through", through, elastic), g.passedThrough("-held", heldThrough, steady),
		g.more(), g.moreRoute(),
	}
}

func (g *gateway) parent() gatewayv1.CommonRouteSpec {
	return gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: gatewayv1.ObjectName(g.name)}}}
}

func (g *gateway) routeMeta(suffix string) metav1.ObjectMeta { return g.tenant.meta(g.name + suffix) }

func backend(name string, port gatewayv1.PortNumber) gatewayv1.BackendRef {
	return gatewayv1.BackendRef{BackendObjectReference: gatewayv1.BackendObjectReference{
		Kind: ptr.To(gatewayv1.Kind("Service")), Group: ptr.To(gatewayv1.Group(corev1.GroupName)),
		Name: gatewayv1.ObjectName(name), Port: ptr.To(port),
	}}
}

// route sends WebSockets to the steady backend and all else to the elastic one, and says in each answer which revision it is.
func (g *gateway) route(name, hostname string) *gatewayv1.HTTPRoute {
	rule := func(path, to string) gatewayv1.HTTPRouteRule {
		return gatewayv1.HTTPRouteRule{
			Matches: []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{
				Type: ptr.To(gatewayv1.PathMatchPathPrefix), Value: ptr.To(path),
			}}},
			BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: backend(to, 80)}},
		}
	}
	route := &gatewayv1.HTTPRoute{
		ObjectMeta: g.tenant.meta(name),
		Spec: gatewayv1.HTTPRouteSpec{
			CommonRouteSpec: g.parent(), Hostnames: []gatewayv1.Hostname{gatewayv1.Hostname(hostname)},
			Rules: []gatewayv1.HTTPRouteRule{rule("/ws", steady), rule("/", elastic)},
		},
	}
	setRevision(route, g.revision)
	return route
}

func setRevision(route *gatewayv1.HTTPRoute, revision int) {
	last := &route.Spec.Rules[len(route.Spec.Rules)-1]
	last.Filters = []gatewayv1.HTTPRouteFilter{{
		Type: gatewayv1.HTTPRouteFilterResponseHeaderModifier,
		ResponseHeaderModifier: &gatewayv1.HTTPHeaderFilter{
			Set: []gatewayv1.HTTPHeader{{Name: revisionHeader, Value: strconv.Itoa(revision)}},
		},
	}}
}

func (g *gateway) calls() *gatewayv1.GRPCRoute {
	return &gatewayv1.GRPCRoute{
		ObjectMeta: g.routeMeta("-calls"),
		Spec: gatewayv1.GRPCRouteSpec{
			CommonRouteSpec: g.parent(), Hostnames: []gatewayv1.Hostname{calls},
			Rules: []gatewayv1.GRPCRouteRule{{BackendRefs: []gatewayv1.GRPCBackendRef{{BackendRef: backend(steady, 9090)}}}},
		},
	}
}

func (g *gateway) connections() *gatewayv1.TCPRoute {
	return &gatewayv1.TCPRoute{
		ObjectMeta: g.routeMeta("-connections"),
		Spec: gatewayv1.TCPRouteSpec{
			CommonRouteSpec: g.parent(),
			Rules:           []gatewayv1.TCPRouteRule{{BackendRefs: []gatewayv1.BackendRef{backend(steady, 9000)}}},
		},
	}
}
