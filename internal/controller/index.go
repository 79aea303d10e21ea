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
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/topology"
)

// The indexes answer "whom does this object concern" without listing everything. Keys are "namespace/name" unless said
// otherwise.
const (
	// gatewayByClass: Gateway -> name of its GatewayClass.
	gatewayByClass = "gateway.class"
	// gatewayByParameters: Gateway -> its GatewayParameters.
	gatewayByParameters = "gateway.parameters"
	// gatewayBySecret: Gateway -> the Secrets that it and its listeners name as certificates.
	gatewayBySecret = "gateway.secret"
	// gatewayByConfigMap: Gateway -> the ConfigMaps that it names as certificate authorities.
	gatewayByConfigMap = "gateway.config-map"
	// gatewayByForeignNamespace: Gateway -> the other namespaces that it refers to, which is where grants matter.
	gatewayByForeignNamespace = "gateway.foreign-namespace"
	// classByParameters: GatewayClass -> its GatewayParameters.
	classByParameters = "class.parameters"
	// listenerSetByGateway: ListenerSet -> its Gateway.
	listenerSetByGateway = "listener-set.gateway"
	// listenerSetBySecret: ListenerSet -> the Secrets that its listeners name as certificates.
	listenerSetBySecret = "listener-set.secret"
	// listenerSetByForeignNamespace: ListenerSet -> the other namespaces that it refers to, which is where grants matter.
	listenerSetByForeignNamespace = "listener-set.foreign-namespace"
	// routeByGateway: route -> the Gateways that it names as parents, or once named and still has our status for.
	routeByGateway = "route.gateway"
	// routeByListenerSet: route -> the ListenerSets, likewise.
	routeByListenerSet = "route.listener-set"
	// routeByService: route -> the Services that it names as backends.
	routeByService = "route.service"
	// routeByForeignNamespace: route -> the other namespaces that it refers to, which is where grants matter.
	routeByForeignNamespace = "route.foreign-namespace"
	// sliceByService: EndpointSlice -> name of the Service whose endpoints it lists.
	sliceByService = "slice.service"
)

func addIndexes(ctx context.Context, indexer client.FieldIndexer, controllerName gatewayv1.GatewayController) error {
	for _, index := range []struct {
		object client.Object
		field  string
		keys   client.IndexerFunc
	}{
		{&gatewayv1.Gateway{}, gatewayByClass, func(o client.Object) []string {
			return []string{string(o.(*gatewayv1.Gateway).Spec.GatewayClassName)}
		}},
		{&gatewayv1.Gateway{}, gatewayByParameters, func(o client.Object) []string {
			return optionalKey(gatewayParametersKey(o.(*gatewayv1.Gateway)))
		}},
		{&gatewayv1.Gateway{}, gatewayBySecret, func(o client.Object) []string {
			return keyStrings(gatewaySecrets(o.(*gatewayv1.Gateway)))
		}},
		{&gatewayv1.Gateway{}, gatewayByForeignNamespace, func(o client.Object) []string {
			return gatewayForeignNamespaces(o.(*gatewayv1.Gateway))
		}},
		{&gatewayv1.Gateway{}, gatewayByConfigMap, func(o client.Object) []string {
			return keyStrings(gatewayConfigMaps(o.(*gatewayv1.Gateway)))
		}},
		{&gatewayv1.GatewayClass{}, classByParameters, func(o client.Object) []string {
			return optionalKey(classParametersKey(o.(*gatewayv1.GatewayClass)))
		}},
		{&discoveryv1.EndpointSlice{}, sliceByService, func(o client.Object) []string {
			service, ok := serviceOf(o)
			if !ok {
				return nil
			}
			return []string{service.Name}
		}},
	} {
		if err := indexer.IndexField(ctx, index.object, index.field, index.keys); err != nil {
			return fmt.Errorf("index %T by %s: %w", index.object, index.field, err)
		}
	}
	return addRouteIndexes(ctx, indexer, &gatewayv1.HTTPRoute{}, controllerName)
}

// addRouteIndexes indexes a kind of routes.
func addRouteIndexes(ctx context.Context, indexer client.FieldIndexer, kind client.Object, controllerName gatewayv1.GatewayController) error {
	for field, keys := range map[string]func(topology.RouteObject) []string{
		routeByGateway: func(r topology.RouteObject) []string {
			return keyStrings(routeParents(r, controllerName, gatewayKind))
		},
		routeByListenerSet: func(r topology.RouteObject) []string {
			return keyStrings(routeParents(r, controllerName, topology.ListenerSetKind))
		},
		routeByService:          func(r topology.RouteObject) []string { return keyStrings(routeServices(r)) },
		routeByForeignNamespace: func(r topology.RouteObject) []string { return otherNamespaces(r.GetNamespace(), routeServices(r)) },
	} {
		indexed := func(o client.Object) []string { return keys(o.(topology.RouteObject)) }
		if err := indexer.IndexField(ctx, kind, field, indexed); err != nil {
			return fmt.Errorf("index %T by %s: %w", kind, field, err)
		}
	}
	return nil
}

// gatewayParametersKey is the GatewayParameters that a Gateway refers to, if it refers to one of this kind.
func gatewayParametersKey(gateway *gatewayv1.Gateway) (types.NamespacedName, bool) {
	if gateway.Spec.Infrastructure == nil || gateway.Spec.Infrastructure.ParametersRef == nil {
		return types.NamespacedName{}, false
	}
	ref := gateway.Spec.Infrastructure.ParametersRef
	ours := isParameters(ref.Group, ref.Kind)
	return types.NamespacedName{Namespace: gateway.Namespace, Name: ref.Name}, ours
}

// classParametersKey is the GatewayParameters that a GatewayClass refers to, if it refers to one of this kind.
func classParametersKey(class *gatewayv1.GatewayClass) (types.NamespacedName, bool) {
	ref := class.Spec.ParametersRef
	if ref == nil || ref.Namespace == nil || !isParameters(ref.Group, ref.Kind) {
		return types.NamespacedName{}, false
	}
	return types.NamespacedName{Namespace: string(*ref.Namespace), Name: ref.Name}, true
}

func isParameters(group gatewayv1.Group, kind gatewayv1.Kind) bool {
	return string(group) == v1alpha1.GroupVersion.Group && kind == v1alpha1.KindGatewayParameters
}

// routeParents are the Gateways, or the ListenerSets, that a route concerns: its parents, and those that our own status entries
// still name, so that an entry goes when its parentRef does.
func routeParents(route topology.RouteObject, controllerName gatewayv1.GatewayController, kind gatewayv1.Kind) []types.NamespacedName {
	var keys []types.NamespacedName
	add := func(ref *gatewayv1.ParentReference) {
		if parent, key := topology.ParentOf(ref, route.GetNamespace()); parent == kind {
			keys = appendNew(keys, key)
		}
	}
	for _, ref := range topology.ParentRefsOf(route) {
		add(&ref)
	}
	for _, parent := range topology.StatusOf(route).Parents {
		if parent.ControllerName == controllerName {
			add(&parent.ParentRef)
		}
	}
	return keys
}

// entered reports whether a route carries an entry of ours for the Gateway, or for a ListenerSet, which may be of that.
func entered(route topology.RouteObject, controllerName gatewayv1.GatewayController, gateway types.NamespacedName) bool {
	return slices.ContainsFunc(topology.StatusOf(route).Parents, func(entry gatewayv1.RouteParentStatus) bool {
		kind, parent := topology.ParentOf(&entry.ParentRef, route.GetNamespace())
		return entry.ControllerName == controllerName && (kind == topology.ListenerSetKind || parent == gateway)
	})
}

// routeServices are the Services that the rules of a route name as backends or mirrors, whether or not they exist or may be
// used.
func routeServices(route topology.RouteObject) []types.NamespacedName {
	var keys []types.NamespacedName
	for _, backend := range topology.BackendRefsOf(route) {
		if backend.Group != nil && *backend.Group != "" || backend.Kind != nil && *backend.Kind != "Service" {
			continue
		}
		namespace := route.GetNamespace()
		if backend.Namespace != nil {
			namespace = string(*backend.Namespace)
		}
		keys = appendNew(keys, types.NamespacedName{Namespace: namespace, Name: string(backend.Name)})
	}
	return keys
}

// gatewaySecrets are the Secrets that a Gateway and its listeners name as certificates, whether or not they exist or may be used.
func gatewaySecrets(gateway *gatewayv1.Gateway) []types.NamespacedName {
	var keys []types.NamespacedName
	if ref := topology.ClientCertificateRef(gateway); ref != nil {
		if key, ok := topology.CertificateSecret(gateway.Namespace, ref); ok {
			keys = append(keys, key)
		}
	}
	for i := range gateway.Spec.Listeners {
		keys = appendCertificates(keys, gateway.Namespace, gateway.Spec.Listeners[i].TLS)
	}
	return keys
}

// listenerSetSecrets are those that a ListenerSet's listeners name as certificates.
func listenerSetSecrets(set *gatewayv1.ListenerSet) []types.NamespacedName {
	var keys []types.NamespacedName
	for i := range set.Spec.Listeners {
		keys = appendCertificates(keys, set.Namespace, set.Spec.Listeners[i].TLS)
	}
	return keys
}

// namedSecrets are those that a Gateway and its ListenerSets name, each once.
func namedSecrets(gateway *gatewayv1.Gateway, sets []*gatewayv1.ListenerSet) []types.NamespacedName {
	keys, seen := gatewaySecrets(gateway), map[types.NamespacedName]bool{}
	for _, key := range keys {
		seen[key] = true
	}
	for _, set := range sets {
		for _, key := range listenerSetSecrets(set) {
			if !seen[key] {
				seen[key] = true
				keys = append(keys, key)
			}
		}
	}
	return keys
}

func appendCertificates(keys []types.NamespacedName, namespace string, config *gatewayv1.ListenerTLSConfig) []types.NamespacedName {
	if config == nil {
		return keys
	}
	for i := range config.CertificateRefs {
		if key, ok := topology.CertificateSecret(namespace, &config.CertificateRefs[i]); ok {
			keys = appendNew(keys, key)
		}
	}
	return keys
}

// gatewayConfigMaps are the ConfigMaps that a Gateway names as certificate authorities of its clients.
func gatewayConfigMaps(gateway *gatewayv1.Gateway) []types.NamespacedName {
	var keys []types.NamespacedName
	for _, validation := range topology.FrontendValidations(gateway) {
		for i := range validation.CACertificateRefs {
			if key, ok := topology.AuthoritiesConfigMap(gateway.Namespace, &validation.CACertificateRefs[i]); ok {
				keys = appendNew(keys, key)
			}
		}
	}
	return keys
}

func gatewayForeignNamespaces(gateway *gatewayv1.Gateway) []string {
	return otherNamespaces(gateway.Namespace, append(gatewaySecrets(gateway), gatewayConfigMaps(gateway)...))
}

// otherNamespaces are those of the keys that are not the given one.
func otherNamespaces(namespace string, keys []types.NamespacedName) []string {
	var namespaces []string
	for _, key := range keys {
		if key.Namespace != namespace {
			namespaces = appendNew(namespaces, key.Namespace)
		}
	}
	return namespaces
}

func appendNew[T comparable](to []T, item T) []T {
	for _, have := range to {
		if have == item {
			return to
		}
	}
	return append(to, item)
}

// gatewayKind is the kind of a route's parent that is no ListenerSet.
const gatewayKind = gatewayv1.Kind("Gateway")

func optionalKey(key types.NamespacedName, ok bool) []string {
	if !ok {
		return nil
	}
	return []string{key.String()}
}

func keyStrings(keys []types.NamespacedName) []string {
	strings := make([]string, 0, len(keys))
	for _, key := range keys {
		strings = append(strings, key.String())
	}
	return strings
}
