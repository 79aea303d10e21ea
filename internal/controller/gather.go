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
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// gathering is what changed of a Gateway, while it is read. What routes refer to is added to what the topology was built from.
type gathering struct {
	*loader
	known    *record
	change   topology.Change
	routes   map[topology.RouteID]bool
	services map[types.NamespacedName]bool
	// shows are the ListenerSets that name a Secret which changed.
	shows map[types.NamespacedName]bool
	// proves is whether ListenerSets that changed name certificates, or did.
	proves bool
	// whole is set where the topology cannot be carried on.
	whole bool
}

// change reads routes, Services, ListenerSets and Secrets that changed, with what they refer to and are referred to by. It reports false where
// more changed than that.
func (l *loader) change(ctx context.Context, known *record, taken taken) (topology.Change, bool, error) {
	g := &gathering{loader: l, known: known, routes: map[topology.RouteID]bool{}, services: map[types.NamespacedName]bool{}}
	for _, key := range g.withSecrets(taken) {
		if err := g.listenerSet(ctx, key); err != nil {
			return g.change, false, err
		}
	}
	if err := errors.Join(g.left(ctx), g.certificates(ctx)); err != nil {
		return g.change, false, err
	}
	for _, id := range taken.routes {
		if err := g.named(ctx, id); err != nil {
			return g.change, false, err
		}
	}
	for _, key := range taken.services {
		if err := g.service(ctx, key); err != nil {
			return g.change, false, err
		}
	}
	return g.change, !g.whole && known.grown() <= known.room, nil
}

// named adds a route that is to be looked at, whether or not it is there.
func (g *gathering) named(ctx context.Context, id topology.RouteID) error {
	if g.whole || g.routes[id] {
		return nil
	}
	route, err := g.kinds.get(ctx, id)
	if err != nil {
		return err
	}
	if route != nil {
		return g.route(ctx, route)
	}
	g.routes[id] = true
	g.change.Gone = append(g.change.Gone, id)
	return nil
}

// route adds a route.
func (g *gathering) route(ctx context.Context, route topology.RouteObject) error {
	if id := topology.IDOf(route); g.whole || g.routes[id] {
		return nil
	}
	g.routes[topology.IDOf(route)] = true
	g.change.Routes = append(g.change.Routes, route)
	if err := g.namespace(ctx, g.known.input.Namespaces, route.GetNamespace()); err != nil {
		return err
	}
	services := routeServices(route)
	for _, namespace := range otherNamespaces(route.GetNamespace(), services) {
		if err := g.granted(ctx, namespace); err != nil {
			return err
		}
	}
	for _, key := range services {
		if err := g.service(ctx, key); err != nil {
			return err
		}
		if err := g.policies(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// service adds a Service, with the routes that name it, where it is another than the topology knows.
func (g *gathering) service(ctx context.Context, key types.NamespacedName) error {
	if g.whole || g.services[key] {
		return nil
	}
	g.services[key] = true
	found := map[types.NamespacedName]*corev1.Service{}
	if err := g.loader.service(ctx, found, key); err != nil {
		return err
	}
	before, now := g.known.input.Services[key], found[key]
	if before == nil && now == nil {
		return nil
	}
	if now != nil {
		g.known.input.Services[key] = now
	} else {
		delete(g.known.input.Services, key)
	}
	if before != nil && now != nil && apiequality.Semantic.DeepEqual(before.Spec, now.Spec) {
		return nil
	}
	g.change.Services = append(g.change.Services, key)
	routes, err := g.kinds.list(ctx, client.MatchingFields{routeByService: key.String()})
	if err != nil {
		return fmt.Errorf("routes to Service %s: %w", key, err)
	}
	for _, route := range routes {
		// One that the topology does not know has changed itself, and is looked at for that.
		if g.known.decided.Find(topology.IDOf(route)) == nil {
			continue
		}
		if err := g.route(ctx, route); err != nil {
			return err
		}
	}
	return nil
}

// granted adds the grants of a namespace that nothing referred to. What became of them while nothing did, nobody was told.
func (g *gathering) granted(ctx context.Context, namespace string) error {
	if g.whole {
		return nil
	}
	found, err := g.grants(ctx, map[string]bool{namespace: true})
	if err != nil {
		return err
	}
	if !g.known.granting[namespace] {
		g.known.granting[namespace] = true
		g.known.input.Grants = append(g.known.input.Grants, found...)
		g.change.Grants = append(g.change.Grants, found...)
		return nil
	}
	known := 0
	for _, grant := range g.known.input.Grants {
		if grant.Namespace == namespace {
			known++
		}
	}
	same := func(grant *gatewayv1.ReferenceGrant) bool {
		return slices.ContainsFunc(g.known.input.Grants, func(k *gatewayv1.ReferenceGrant) bool {
			return k.UID == grant.UID && k.Generation == grant.Generation && k.Namespace == namespace && k.Name == grant.Name
		})
	}
	for _, grant := range found {
		g.whole = g.whole || !same(grant)
	}
	g.whole = g.whole || known != len(found)
	return nil
}

// policies has everything decided again where there are policies for a Service that nothing names yet, or were: of what becomes of
// those, nobody is told.
func (g *gathering) policies(ctx context.Context, service types.NamespacedName) error {
	if g.whole {
		return nil
	}
	found, err := g.backendPolicies.list(ctx, client.MatchingFields{policyByService: service.String()})
	if err != nil {
		return fmt.Errorf("policies of Service %s: %w", service, err)
	}
	g.whole = (len(found) > 0 || g.known.policed[service]) && !g.known.decided.Names(service)
	return nil
}
