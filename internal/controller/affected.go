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
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// affected answers which Gateways, or GatewayClasses, an object concerns. It reads the cache only, and changes nothing
// of what it reads. An object that cannot be looked up is logged and concerns nobody: the index fails only when it was
// never added.
type affected struct {
	client         client.Reader
	controllerName gatewayv1.GatewayController
	routes         *routes
	policies       *policies
	sets           *listenerSets
	records        *records
}

// decided leaves the Gateways about which something was decided. About another there is nothing to decide anew: one that is ours reads
// everything once its own event is looked at, and in a cluster of several controllers most are not.
func (a *affected) decided(gateways []types.NamespacedName) []types.NamespacedName {
	return slices.DeleteFunc(gateways, func(gateway types.NamespacedName) bool { return a.records.known(gateway) == nil })
}

func (a *affected) byClass(ctx context.Context, object client.Object) []reconcile.Request {
	return requests(a.gateways(ctx, gatewayByClass, object.GetName()))
}

func (a *affected) byParameters(ctx context.Context, object client.Object) []reconcile.Request {
	key := client.ObjectKeyFromObject(object).String()
	gateways := a.gateways(ctx, gatewayByParameters, key)
	for _, class := range a.classes(ctx, key) {
		gateways = append(gateways, a.gateways(ctx, gatewayByClass, class.Name)...)
	}
	return requests(a.decided(gateways))
}

func (a *affected) classesByParameters(ctx context.Context, object client.Object) []reconcile.Request {
	return requests(a.classes(ctx, client.ObjectKeyFromObject(object).String()))
}

func (a *affected) allClasses(ctx context.Context, _ client.Object) []reconcile.Request {
	classes := &gatewayv1.GatewayClassList{}
	if !a.list(ctx, classes) {
		return nil
	}
	return requests(objectKeys(classes.Items))
}

func (a *affected) byRoute(ctx context.Context, object client.Object) []reconcile.Request {
	keys, err := a.gatewaysOf(ctx, object.(topology.RouteObject))
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "cannot look up whom a change concerns")
	}
	return requests(keys)
}

// byListenerSet finds the Gateway of a ListenerSet. Where it changed its parent, the event is looked at before and after.
func (a *affected) byListenerSet(_ context.Context, object client.Object) []reconcile.Request {
	return requests(listenerSetGateways([]*gatewayv1.ListenerSet{object.(*gatewayv1.ListenerSet)}))
}

// byOwner finds the Gateway that an object was made for.
func (a *affected) byOwner(_ context.Context, object client.Object) []reconcile.Request {
	return requests(a.owner(object))
}

// owner is the Gateway that an object was made for. One of which nothing was decided has to let go of what looks like ours.
func (a *affected) owner(object client.Object) []types.NamespacedName {
	owner, ok := owningGateway(object)
	if !ok {
		return nil
	}
	if ownLabels.Matches(labels.Set(object.GetLabels())) {
		return []types.NamespacedName{owner}
	}
	return a.decided([]types.NamespacedName{owner})
}

// bySecret finds the Gateways that a Secret matters to: the one whose proxies it identifies, and those that prove themselves
// with it, but for those whose ListenerSets do.
func (a *affected) bySecret(ctx context.Context, object client.Object) []reconcile.Request {
	keys := a.gateways(ctx, gatewayBySecret, client.ObjectKeyFromObject(object).String())
	return requests(append(a.decided(keys), a.owner(object)...))
}

// byConfigMap finds the Gateways that a ConfigMap matters to: the one that it was made for, and those whose clients' or backends'
// certificate authorities it holds.
func (a *affected) byConfigMap(ctx context.Context, object client.Object) []reconcile.Request {
	configMap := client.ObjectKeyFromObject(object).String()
	keys := append(a.gateways(ctx, gatewayByConfigMap, configMap), a.gatewaysOfBundle(ctx, configMap)...)
	return requests(append(a.decided(keys), a.owner(object)...))
}

// byGrant finds the Gateways that, or whose routes, refer to the grant's namespace from another one.
func (a *affected) byGrant(ctx context.Context, object client.Object) []reconcile.Request {
	namespace := object.GetNamespace()
	return requests(a.decided(slices.Concat(
		a.routesOf(ctx, routeByForeignNamespace, namespace),
		a.gateways(ctx, gatewayByForeignNamespace, namespace),
		a.gatewaysOfSets(ctx, client.MatchingFields{listenerSetByForeignNamespace: namespace}),
	)))
}

// byNamespace finds the Gateways that choose routes or ListenerSets by the labels of namespaces.
func (a *affected) byNamespace(ctx context.Context, _ client.Object) []reconcile.Request {
	gateways := &gatewayv1.GatewayList{}
	if !a.list(ctx, gateways) {
		return nil
	}
	var keys []types.NamespacedName
	for i := range gateways.Items {
		if selectsNamespaces(&gateways.Items[i]) {
			keys = append(keys, client.ObjectKeyFromObject(&gateways.Items[i]))
		}
	}
	sets, err := a.sets.list(ctx)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "cannot look up whom a change concerns")
	}
	for _, set := range sets {
		if setSelectsNamespaces(set) {
			keys = append(keys, topology.ListenerSetParent(set))
		}
	}
	return requests(a.decided(keys))
}

func selectsNamespaces(gateway *gatewayv1.Gateway) bool {
	if sets := gateway.Spec.AllowedListeners; sets != nil && sets.Namespaces != nil && sets.Namespaces.Selector != nil {
		return true
	}
	for i := range gateway.Spec.Listeners {
		if selects(gateway.Spec.Listeners[i].AllowedRoutes) {
			return true
		}
	}
	return false
}

func setSelectsNamespaces(set *gatewayv1.ListenerSet) bool {
	return slices.ContainsFunc(set.Spec.Listeners, func(l gatewayv1.ListenerEntry) bool { return selects(l.AllowedRoutes) })
}

func selects(allowed *gatewayv1.AllowedRoutes) bool {
	return allowed != nil && allowed.Namespaces != nil && allowed.Namespaces.Selector != nil
}

func (a *affected) allGateways(ctx context.Context) []reconcile.Request {
	gateways := &gatewayv1.GatewayList{}
	if !a.list(ctx, gateways) {
		return nil
	}
	return requests(objectKeys(gateways.Items))
}

func (a *affected) gateways(ctx context.Context, field, key string) []types.NamespacedName {
	gateways := &gatewayv1.GatewayList{}
	if !a.list(ctx, gateways, client.MatchingFields{field: key}) {
		return nil
	}
	return objectKeys(gateways.Items)
}

func (a *affected) classes(ctx context.Context, parameters string) []types.NamespacedName {
	classes := &gatewayv1.GatewayClassList{}
	if !a.list(ctx, classes, client.MatchingFields{classByParameters: parameters}) {
		return nil
	}
	return objectKeys(classes.Items)
}

// routesOf finds the Gateways of the routes with that key in that index.
func (a *affected) routesOf(ctx context.Context, field, key string) []types.NamespacedName {
	keys, err := a.gatewaysOfRoutes(ctx, field, key)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "cannot look up whom a change concerns")
	}
	return keys
}

func (a *affected) gatewaysOfRoutes(ctx context.Context, field, key string) ([]types.NamespacedName, error) {
	found, err := a.routes.list(ctx, client.MatchingFields{field: key})
	if err != nil {
		return nil, err
	}
	var keys []types.NamespacedName
	for _, route := range found {
		gateways, err := a.gatewaysOf(ctx, route)
		if err != nil {
			return nil, err
		}
		keys = append(keys, gateways...)
	}
	return keys, nil
}

// gatewaysOf are the Gateways that a route concerns, by itself and through its ListenerSets.
func (a *affected) gatewaysOf(ctx context.Context, route topology.RouteObject) ([]types.NamespacedName, error) {
	keys := routeParents(route, a.controllerName, gatewayKind)
	for _, key := range routeParents(route, a.controllerName, topology.ListenerSetKind) {
		set, err := a.sets.get(ctx, key)
		if err != nil {
			return keys, err
		}
		if set != nil {
			keys = append(keys, topology.ListenerSetParent(set))
		}
	}
	return keys, nil
}

// gatewaysOfSets finds the Gateways of the ListenerSets that the options choose.
func (a *affected) gatewaysOfSets(ctx context.Context, options ...client.ListOption) []types.NamespacedName {
	sets, err := a.sets.list(ctx, options...)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "cannot look up whom a change concerns")
		return nil
	}
	return listenerSetGateways(sets)
}

func (a *affected) list(ctx context.Context, list client.ObjectList, options ...client.ListOption) bool {
	if err := a.client.List(ctx, list, append(options, client.UnsafeDisableDeepCopy)...); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "cannot look up whom a change concerns")
		return false
	}
	return true
}

// owningGateway is the Gateway that controls an object.
func owningGateway(object client.Object) (types.NamespacedName, bool) {
	owner := metav1.GetControllerOf(object)
	if owner == nil || owner.Kind != "Gateway" || owner.APIVersion != gatewayv1.GroupVersion.String() {
		return types.NamespacedName{}, false
	}
	return types.NamespacedName{Namespace: object.GetNamespace(), Name: owner.Name}, true
}

// serviceOf is the Service whose endpoints a slice lists.
func serviceOf(slice client.Object) (types.NamespacedName, bool) {
	name := slice.GetLabels()[discoveryv1.LabelServiceName]
	return types.NamespacedName{Namespace: slice.GetNamespace(), Name: name}, name != ""
}

func objectKeys[T any, P interface {
	*T
	client.Object
}](items []T) []types.NamespacedName {
	keys := make([]types.NamespacedName, 0, len(items))
	for i := range items {
		keys = append(keys, client.ObjectKeyFromObject(P(&items[i])))
	}
	return keys
}

// requests makes one request for each different key.
func requests(keys []types.NamespacedName) []reconcile.Request {
	seen := make(map[types.NamespacedName]bool, len(keys))
	requests := make([]reconcile.Request, 0, len(keys))
	for _, key := range keys {
		if seen[key] {
			continue
		}
		seen[key] = true
		requests = append(requests, reconcile.Request{NamespacedName: key})
	}
	return requests
}
