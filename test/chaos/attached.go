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
	"k8s.io/utils/ptr"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// datagrams is a route for datagrams to the elastic backend: their clients know nothing of its pods.
func (g *gateway) datagrams() *gatewayv1.UDPRoute {
	return &gatewayv1.UDPRoute{
		ObjectMeta: g.routeMeta("-datagrams"),
		Spec: gatewayv1.UDPRouteSpec{
			CommonRouteSpec: g.parent(),
			Rules:           []gatewayv1.UDPRouteRule{{BackendRefs: []gatewayv1.BackendRef{backend(elastic, 9001)}}},
		},
	}
}

// passedThrough is a route for TLS that a backend ends.
func (g *gateway) passedThrough(suffix, hostname, to string) *gatewayv1.TLSRoute {
	return &gatewayv1.TLSRoute{
		ObjectMeta: g.routeMeta(suffix),
		Spec: gatewayv1.TLSRouteSpec{
			CommonRouteSpec: g.parent(), Hostnames: []gatewayv1.Hostname{gatewayv1.Hostname(hostname)},
			Rules: []gatewayv1.TLSRouteRule{{BackendRefs: []gatewayv1.BackendRef{backend(to, 443)}}},
		},
	}
}

// more is a ListenerSet with a listener of its own.
func (g *gateway) more() *gatewayv1.ListenerSet {
	return &gatewayv1.ListenerSet{
		ObjectMeta: g.routeMeta("-more"),
		Spec: gatewayv1.ListenerSetSpec{
			ParentRef: gatewayv1.ParentGatewayReference{Name: gatewayv1.ObjectName(g.name)},
			Listeners: []gatewayv1.ListenerEntry{{Name: "http", Port: morePort, Protocol: gatewayv1.HTTPProtocolType}},
		},
	}
}

// moreRoute is the route of all its listeners.
func (g *gateway) moreRoute() *gatewayv1.HTTPRoute {
	route := g.route(g.name+"-more", host)
	route.Spec.ParentRefs = []gatewayv1.ParentReference{{
		Kind: ptr.To(gatewayv1.Kind("ListenerSet")), Name: gatewayv1.ObjectName(g.more().Name),
	}}
	return route
}
