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
	"context"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// routes reads the routes of all kinds whose CRDs are there from the cache. What it returns must not be changed.
type routes struct {
	client client.Reader
	// kinds in the order in which they are listed.
	kinds []*routeKind
}

// routeKind is one kind of routes.
type routeKind struct {
	*presence
	crd string
	// found lists the routes of the kind.
	found func(context.Context, client.Reader, *presence, []client.ListOption) ([]topology.RouteObject, error)
}

// newRoutes reads HTTPRoutes, whose CRD is needed, from the start.
func newRoutes(reader client.Reader) *routes {
	return &routes{client: reader, kinds: []*routeKind{
		{
			presence: &presence{kind: &gatewayv1.HTTPRoute{}, plural: "HTTPRoutes", there: true},
			found:    found(func(l *gatewayv1.HTTPRouteList) []gatewayv1.HTTPRoute { return l.Items }),
		},
		{
			presence: &presence{kind: &gatewayv1.GRPCRoute{}, plural: "GRPCRoutes"}, crd: grpcRouteCRD,
			found: found(func(l *gatewayv1.GRPCRouteList) []gatewayv1.GRPCRoute { return l.Items }),
		},
		{
			presence: &presence{kind: &gatewayv1.TLSRoute{}, plural: "TLSRoutes"}, crd: tlsRouteCRD,
			found: found(func(l *gatewayv1.TLSRouteList) []gatewayv1.TLSRoute { return l.Items }),
		},
		{
			presence: &presence{kind: &gatewayv1.TCPRoute{}, plural: "TCPRoutes"}, crd: tcpRouteCRD,
			found: found(func(l *gatewayv1.TCPRouteList) []gatewayv1.TCPRoute { return l.Items }),
		},
		{
			presence: &presence{kind: &gatewayv1.UDPRoute{}, plural: "UDPRoutes"}, crd: udpRouteCRD,
			found: found(func(l *gatewayv1.UDPRouteList) []gatewayv1.UDPRoute { return l.Items }),
		},
	}}
}

func (r *routes) list(ctx context.Context, options ...client.ListOption) ([]topology.RouteObject, error) {
	var all []topology.RouteObject
	for _, kind := range r.kinds {
		found, err := kind.found(ctx, r.client, kind.presence, options)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// get gives a route; nil where there is none, or its kind is not read.
func (r *routes) get(ctx context.Context, id topology.RouteID) (topology.RouteObject, error) {
	for _, kind := range r.kinds {
		route, is := kind.kind.DeepCopyObject().(topology.RouteObject)
		if !is || topology.KindOf(route) != id.Kind {
			continue
		}
		there, err := kind.get(ctx, r.client, types.NamespacedName{Namespace: id.Namespace, Name: id.Name}, route)
		if err != nil || !there {
			return nil, err
		}
		return route, nil
	}
	return nil, nil
}

// found gives the function that lists the routes of a kind.
func found[L, T any, LP interface {
	*L
	client.ObjectList
}, P interface {
	*T
	topology.RouteObject
}](items func(LP) []T) func(context.Context, client.Reader, *presence, []client.ListOption) ([]topology.RouteObject, error) {
	return func(ctx context.Context, reader client.Reader, kind *presence, options []client.ListOption) ([]topology.RouteObject, error) {
		list := LP(new(L))
		if err := kind.list(ctx, reader, list, options...); err != nil {
			return nil, err
		}
		routes := make([]topology.RouteObject, 0, len(items(list)))
		for i := range items(list) {
			routes = append(routes, P(&items(list)[i]))
		}
		return routes, nil
	}
}

// optionalRoutes are the kinds of routes that come and go.
func (o *operator) optionalRoutes() []*optionalKind {
	name := gatewayv1.GatewayController(o.options.ControllerName)
	var kinds []*optionalKind
	for _, kind := range o.routes.kinds {
		if kind.crd == "" {
			continue
		}
		kinds = append(kinds, &optionalKind{
			presence: kind.presence,
			crd:      kind.crd,
			index: func(ctx context.Context, indexer client.FieldIndexer) error {
				return addRouteIndexes(ctx, indexer, kind.kind, name)
			},
			watch: func() error {
				if err := o.watched(o.routeChanges, kind.kind, o.changes.byRoute, specChanged); err != nil {
					return err
				}
				return o.repair(kind.kind)
			},
		})
	}
	return kinds
}
