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
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/translate"
)

// loader reads what a Gateway depends on from the cache. Lists are not copied: nothing that it returns may be changed.
type loader struct {
	client         client.Reader
	controllerName gatewayv1.GatewayController
	secrets        *secrets
	kinds          *routes
	// backendPolicies are the BackendTLSPolicies.
	backendPolicies *policies
	sets            *listenerSets
}

// input loads what the topology of a Gateway depends on, and says of which namespaces it has the grants.
func (l *loader) input(ctx context.Context, class *gatewayv1.GatewayClass, gateway *gatewayv1.Gateway) (in topology.Input, granting map[string]bool, err error) {
	in = topology.Input{
		ControllerName: string(l.controllerName),
		GatewayClass:   class,
		Gateway:        gateway,
		Namespaces:     map[string]*corev1.Namespace{},
		Services:       map[types.NamespacedName]*corev1.Service{},
	}
	name := client.ObjectKeyFromObject(gateway)
	if in.ListenerSets, err = l.sets.of(ctx, name); err != nil {
		return in, nil, err
	}
	attached, err := l.routes(ctx, name, in.ListenerSets)
	if err != nil {
		return in, nil, err
	}
	granting = map[string]bool{}
	for _, namespace := range gatewayForeignNamespaces(gateway) {
		granting[namespace] = true
	}
	for _, set := range in.ListenerSets {
		if err := l.namespace(ctx, in.Namespaces, set.Namespace); err != nil {
			return in, nil, err
		}
		for _, key := range listenerSetSecrets(set) {
			granting[key.Namespace] = true
		}
	}
	if in.Secrets, err = l.secrets.of(ctx, name, namedSecrets(gateway, in.ListenerSets)); err != nil {
		return in, nil, err
	}
	return in, granting, l.attach(ctx, &in, attached, granting)
}

// attach adds the routes to the input, with what they depend on, and the grants of the namespaces.
func (l *loader) attach(ctx context.Context, in *topology.Input, routes []topology.RouteObject, granting map[string]bool) error {
	for _, route := range routes {
		in.AddRoute(route)
		if err := l.namespace(ctx, in.Namespaces, route.GetNamespace()); err != nil {
			return err
		}
		for _, key := range routeServices(route) {
			if err := l.service(ctx, in.Services, key); err != nil {
				return err
			}
		}
		for _, namespace := range otherNamespaces(route.GetNamespace(), routeServices(route)) {
			granting[namespace] = true
		}
	}
	if err := l.policies(ctx, in); err != nil {
		return err
	}
	var err error
	in.Grants, err = l.grants(ctx, granting)
	return err
}

// routes are those that name the Gateway or one of its ListenerSets as a parent, or once did and still carry our status for it.
func (l *loader) routes(ctx context.Context, gateway types.NamespacedName, sets []*gatewayv1.ListenerSet) ([]topology.RouteObject, error) {
	found, err := l.kinds.list(ctx, client.MatchingFields{routeByGateway: gateway.String()})
	if err != nil {
		return nil, fmt.Errorf("routes of Gateway %s: %w", gateway, err)
	}
	if len(sets) == 0 {
		return found, nil
	}
	seen := make(map[topology.RouteID]bool, len(found))
	for _, route := range found {
		seen[topology.IDOf(route)] = true
	}
	for _, set := range sets {
		more, err := l.kinds.list(ctx, client.MatchingFields{routeByListenerSet: client.ObjectKeyFromObject(set).String()})
		if err != nil {
			return nil, fmt.Errorf("routes of ListenerSet %s/%s: %w", set.Namespace, set.Name, err)
		}
		for _, route := range more {
			if id := topology.IDOf(route); !seen[id] {
				seen[id] = true
				found = append(found, route)
			}
		}
	}
	return found, nil
}

func (l *loader) namespace(ctx context.Context, into map[string]*corev1.Namespace, name string) error {
	if _, done := into[name]; done {
		return nil
	}
	namespace := &corev1.Namespace{}
	err := l.client.Get(ctx, client.ObjectKey{Name: name}, namespace, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("get Namespace %s: %w", name, err)
	}
	into[name] = namespace
	return nil
}

func (l *loader) service(ctx context.Context, into map[types.NamespacedName]*corev1.Service, key types.NamespacedName) error {
	if _, done := into[key]; done {
		return nil
	}
	service := &corev1.Service{}
	err := l.client.Get(ctx, key, service, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("get Service %s: %w", key, err)
	}
	into[key] = service
	return nil
}

// configMaps are those of the keys that exist.
func (l *loader) configMaps(ctx context.Context, keys []types.NamespacedName) (map[types.NamespacedName]*corev1.ConfigMap, error) {
	found := map[types.NamespacedName]*corev1.ConfigMap{}
	for _, key := range keys {
		object := &corev1.ConfigMap{}
		err := l.client.Get(ctx, key, object, client.UnsafeDisableDeepCopy)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("get ConfigMap %s: %w", key, err)
		}
		found[key] = object
	}
	return found, nil
}

func (l *loader) grants(ctx context.Context, namespaces map[string]bool) ([]*gatewayv1.ReferenceGrant, error) {
	var grants []*gatewayv1.ReferenceGrant
	for namespace := range namespaces {
		list := &gatewayv1.ReferenceGrantList{}
		if err := l.client.List(ctx, list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
			return nil, fmt.Errorf("list ReferenceGrants in %s: %w", namespace, err)
		}
		grants = append(grants, pointers(list.Items)...)
	}
	return grants, nil
}

// slices are the EndpointSlices of the Services that the topology sends to.
func (l *loader) slices(ctx context.Context, backends []topology.BackendRef) (translate.EndpointSource, error) {
	source := translate.EndpointSource{}
	for _, backend := range backends {
		if _, done := source[backend.Service]; done {
			continue
		}
		slices, err := l.slicesOf(ctx, backend.Service)
		if err != nil {
			return nil, err
		}
		source[backend.Service] = slices
	}
	return source, nil
}

func (l *loader) slicesOf(ctx context.Context, service types.NamespacedName) ([]*discoveryv1.EndpointSlice, error) {
	list := &discoveryv1.EndpointSliceList{}
	err := l.client.List(ctx, list, client.InNamespace(service.Namespace),
		client.MatchingFields{sliceByService: service.Name}, client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, fmt.Errorf("list EndpointSlices of Service %s: %w", service, err)
	}
	return pointers(list.Items), nil
}

func pointers[T any](items []T) []*T {
	pointers := make([]*T, 0, len(items))
	for i := range items {
		pointers = append(pointers, &items[i])
	}
	return pointers
}
