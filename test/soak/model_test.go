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
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/manifest"
	"github.com/rauta-dev/rauta/internal/topology"
)

// key names an object.
type key struct {
	kind string
	types.NamespacedName
}

func keyOf(object client.Object) key {
	return key{kindOf(object), client.ObjectKeyFromObject(object)}
}

func kindOf(object client.Object) string {
	switch object.(type) {
	case *gatewayv1.Gateway:
		return "Gateway"
	case *gatewayv1.ListenerSet:
		return "ListenerSet"
	case *gatewayv1.BackendTLSPolicy:
		return "BackendTLSPolicy"
	case *gatewayv1.ReferenceGrant:
		return "ReferenceGrant"
	case *corev1.Service:
		return "Service"
	case *corev1.Secret:
		return "Secret"
	case *corev1.ConfigMap:
		return "ConfigMap"
	case *corev1.Namespace:
		return "Namespace"
	case *discoveryv1.EndpointSlice:
		return "EndpointSlice"
	}
	route, is := asRoute(object)
	if !is {
		return fmt.Sprintf("%T", object)
	}
	return string(topology.KindOf(route))
}

// asRoute gives a route of any kind.
func asRoute(object client.Object) (topology.RouteObject, bool) {
	switch object.(type) {
	case *gatewayv1.HTTPRoute, *gatewayv1.GRPCRoute, *gatewayv1.TLSRoute, *gatewayv1.TCPRoute, *gatewayv1.UDPRoute:
		route, is := object.(topology.RouteObject)
		return route, is
	}
	return nil, false
}

// model is what is there by what was asked for, without statuses.
type model struct {
	objects map[key]client.Object
	// named are the names that were ever given or referred to.
	named map[types.NamespacedName]bool
	// concerned counts, for each object that has a status, the changes that may have changed what is said of it.
	concerned map[key]int
}

func newModel() *model {
	return &model{objects: map[key]client.Object{}, named: map[types.NamespacedName]bool{}, concerned: map[key]int{}}
}

// roots are the Gateways that a route or a ListenerSet may belong to.
func (m *model) roots(object client.Object) []types.NamespacedName {
	var roots []types.NamespacedName
	switch object := object.(type) {
	case *gatewayv1.Gateway:
		return []types.NamespacedName{client.ObjectKeyFromObject(object)}
	case *gatewayv1.ListenerSet:
		return []types.NamespacedName{topology.ListenerSetParent(object)}
	}
	if route, is := asRoute(object); is {
		for _, ref := range topology.ParentRefsOf(route) {
			kind, name := topology.ParentOf(&ref, route.GetNamespace())
			if kind != topology.ListenerSetKind {
				roots = append(roots, name)
				continue
			}
			if set := m.objects[key{"ListenerSet", name}]; set != nil {
				roots = append(roots, m.roots(set)...)
			}
		}
	}
	return roots
}

// change notes that an object is about to be another one, or to come or go (nil): which others that concerns.
func (m *model) change(before, after client.Object) {
	for _, changed := range []client.Object{before, after} {
		if changed == nil {
			continue
		}
		m.name(changed)
		m.concerned[keyOf(changed)]++
		for k, object := range m.objects {
			if k != keyOf(changed) && m.concerns(changed, object) {
				m.concerned[k]++
			}
		}
	}
	if after == nil {
		delete(m.objects, keyOf(before))
		return
	}
	m.objects[keyOf(after)] = after
}

// name notes the names that an object has and refers to.
func (m *model) name(object client.Object) {
	m.named[client.ObjectKeyFromObject(object)] = true
	for _, name := range m.roots(object) {
		m.named[name] = true
	}
	for _, name := range serviceNames(object) {
		m.named[name] = true
	}
	for _, name := range secretNames(object) {
		m.named[name] = true
	}
	if policy, is := object.(*gatewayv1.BackendTLSPolicy); is {
		for _, name := range topology.PolicyConfigMaps(policy) {
			m.named[name] = true
		}
	}
	if kindOf(object) == "Gateway" {
		m.named[proxyOf(client.ObjectKeyFromObject(object))] = true
	}
	if route, is := asRoute(object); is {
		for _, ref := range topology.ParentRefsOf(route) {
			_, name := topology.ParentOf(&ref, route.GetNamespace())
			m.named[name] = true
		}
	}
}

// proxyOf names what is made for a Gateway.
func proxyOf(gateway types.NamespacedName) types.NamespacedName {
	return types.NamespacedName{Namespace: gateway.Namespace, Name: manifest.Name(gateway.Name, className)}
}

// concerns reports whether a change of one object may change what is said of another. It errs on the side of yes.
func (m *model) concerns(changed, object client.Object) bool {
	if m.calm(object) && !m.calm(changed) {
		return false
	}
	switch kindOf(changed) {
	case "EndpointSlice":
		// What is said of it is the generation of the table, in the Gateway's message.
		return kindOf(object) == "Gateway"
	case "ConfigMap":
		return kindOf(object) == "Gateway" || m.trusts(object, client.ObjectKeyFromObject(changed))
	case "Secret":
		return m.needs(object, client.ObjectKeyFromObject(changed))
	case "Namespace":
		_, route := asRoute(object)
		return !route || object.GetNamespace() == changed.GetName()
	case "Gateway", "ListenerSet":
		return kindOf(object) == "BackendTLSPolicy" || m.related(changed, object)
	case "ReferenceGrant":
		return kindOf(object) != "HTTPRoute" || m.foreign(object, changed.GetNamespace())
	}
	switch kindOf(object) {
	case "Gateway", "ListenerSet", "Service":
		return kindOf(changed) != "Service" || kindOf(object) == "Gateway"
	case "BackendTLSPolicy":
		return shareServices(changed, object)
	}
	if route, is := asRoute(changed); is {
		return m.rivals(route, object)
	}
	return shareServices(changed, object)
}

// related reports whether two objects belong to one Gateway, or one to the other.
func (m *model) related(changed, object client.Object) bool {
	if route, is := asRoute(object); is {
		for _, ref := range topology.ParentRefsOf(route) {
			if _, name := topology.ParentOf(&ref, route.GetNamespace()); name == client.ObjectKeyFromObject(changed) {
				return true
			}
		}
	}
	roots := m.roots(object)
	return slices.ContainsFunc(m.roots(changed), func(n types.NamespacedName) bool { return slices.Contains(roots, n) })
}

// trusts reports whether an object is a policy that names a ConfigMap, or shares a Service with one.
func (m *model) trusts(object client.Object, authorities types.NamespacedName) bool {
	for _, other := range m.objects {
		policy, is := other.(*gatewayv1.BackendTLSPolicy)
		if is && slices.Contains(topology.PolicyConfigMaps(policy), authorities) && shareServices(policy, object) {
			return true
		}
	}
	return false
}

// needs reports whether an object depends on a Secret, or belongs to what does.
func (m *model) needs(object client.Object, secret types.NamespacedName) bool {
	if slices.Contains(secretNames(object), secret) {
		return true
	}
	for k, other := range m.objects {
		owner := k.kind == "Gateway" || k.kind == "ListenerSet"
		if owner && slices.Contains(secretNames(other), secret) && m.related(other, object) {
			return true
		}
	}
	return false
}

// calm objects are those of which the Gateway, and all that it depends on, does not change.
func (m *model) calm(object client.Object) bool { return strings.HasPrefix(object.GetName(), "calm") }

// foreign reports whether a route depends on what a grant of a namespace permits.
func (m *model) foreign(object client.Object, namespace string) bool {
	if slices.ContainsFunc(serviceNames(object), func(n types.NamespacedName) bool {
		return n.Namespace == namespace && n.Namespace != object.GetNamespace()
	}) {
		return true
	}
	// The listeners of its Gateway may need a Secret of that namespace.
	for k, other := range m.objects {
		owner := k.kind == "Gateway" || k.kind == "ListenerSet"
		if owner && k.Namespace != namespace && slices.ContainsFunc(secretNames(other), func(n types.NamespacedName) bool { return n.Namespace == namespace }) {
			return true
		}
	}
	return false
}

// rivals reports whether two routes may want the same of a Gateway.
func (m *model) rivals(route topology.RouteObject, object client.Object) bool {
	roots := m.roots(object)
	if !slices.ContainsFunc(m.roots(route), func(n types.NamespacedName) bool { return slices.Contains(roots, n) }) {
		return false
	}
	http := []string{"HTTPRoute", "GRPCRoute"}
	if slices.Contains(http, kindOf(route)) != slices.Contains(http, kindOf(object)) {
		return false
	}
	if !slices.Contains(http, kindOf(route)) && kindOf(route) != kindOf(object) {
		return false
	}
	ours, theirs := hostnames(route), hostnames(object)
	return len(ours) == 0 || len(theirs) == 0 || slices.ContainsFunc(ours, func(h gatewayv1.Hostname) bool { return slices.Contains(theirs, h) })
}

func hostnames(object client.Object) []gatewayv1.Hostname {
	switch object := object.(type) {
	case *gatewayv1.HTTPRoute:
		return object.Spec.Hostnames
	case *gatewayv1.GRPCRoute:
		return object.Spec.Hostnames
	case *gatewayv1.TLSRoute:
		return object.Spec.Hostnames
	}
	return nil
}

func shareServices(a, b client.Object) bool {
	services := serviceNames(b)
	return slices.ContainsFunc(serviceNames(a), func(n types.NamespacedName) bool { return slices.Contains(services, n) })
}

// serviceNames are the Services that an object is, names or targets.
func serviceNames(object client.Object) []types.NamespacedName {
	switch object := object.(type) {
	case *corev1.Service:
		return []types.NamespacedName{client.ObjectKeyFromObject(object)}
	case *gatewayv1.BackendTLSPolicy:
		return topology.PolicyServices(object)
	}
	if route, is := asRoute(object); is {
		var names []types.NamespacedName
		for _, ref := range topology.BackendRefsOf(route) {
			namespace := object.GetNamespace()
			if ref.Namespace != nil {
				namespace = string(*ref.Namespace)
			}
			names = append(names, types.NamespacedName{Namespace: namespace, Name: string(ref.Name)})
		}
		return names
	}
	return nil
}

// secretNames are the Secrets that a Gateway or a ListenerSet names.
func secretNames(object client.Object) []types.NamespacedName {
	var names []types.NamespacedName
	add := func(tls *gatewayv1.ListenerTLSConfig) {
		if tls == nil {
			return
		}
		for i := range tls.CertificateRefs {
			if name, is := topology.CertificateSecret(object.GetNamespace(), &tls.CertificateRefs[i]); is {
				names = append(names, name)
			}
		}
	}
	switch object := object.(type) {
	case *gatewayv1.Gateway:
		for i := range object.Spec.Listeners {
			add(object.Spec.Listeners[i].TLS)
		}
	case *gatewayv1.ListenerSet:
		for i := range object.Spec.Listeners {
			add(object.Spec.Listeners[i].TLS)
		}
	}
	return names
}
