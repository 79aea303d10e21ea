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

package conformance

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/translate"
)

// objectKey names an object of a cluster.
type objectKey struct {
	kind string
	types.NamespacedName
}

func keyOf(object *unstructured.Unstructured) objectKey {
	return objectKey{object.GetKind(), types.NamespacedName{Namespace: object.GetNamespace(), Name: object.GetName()}}
}

func compareKeys(a, b objectKey) int {
	return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// kinds makes an empty object of each kind that a topology depends on.
var kinds = map[string]func() metav1.Object{
	"Gateway":          func() metav1.Object { return &gatewayv1.Gateway{} },
	"ListenerSet":      func() metav1.Object { return &gatewayv1.ListenerSet{} },
	"HTTPRoute":        func() metav1.Object { return &gatewayv1.HTTPRoute{} },
	"GRPCRoute":        func() metav1.Object { return &gatewayv1.GRPCRoute{} },
	"TLSRoute":         func() metav1.Object { return &gatewayv1.TLSRoute{} },
	"TCPRoute":         func() metav1.Object { return &gatewayv1.TCPRoute{} },
	"UDPRoute":         func() metav1.Object { return &gatewayv1.UDPRoute{} },
	"ReferenceGrant":   func() metav1.Object { return &gatewayv1.ReferenceGrant{} },
	"BackendTLSPolicy": func() metav1.Object { return &gatewayv1.BackendTLSPolicy{} },
	"Namespace":        func() metav1.Object { return &corev1.Namespace{} },
	"Service":          func() metav1.Object { return &corev1.Service{} },
	"Secret":           func() metav1.Object { return &corev1.Secret{} },
	"ConfigMap":        func() metav1.Object { return &corev1.ConfigMap{} },
	"EndpointSlice":    func() metav1.Object { return &discoveryv1.EndpointSlice{} },
}

// cluster holds objects, and gives them the identities and generations that an API server would.
type cluster struct {
	objects map[objectKey]metav1.Object
	made    int
	// history has what was applied or deleted, in its order.
	history []objectKey
	// read are the Secrets' contents, each read once.
	read map[*corev1.Secret]*topology.TLSSecret
}

func newCluster() *cluster {
	return &cluster{objects: map[objectKey]metav1.Object{}, read: map[*corev1.Secret]*topology.TLSSecret{}}
}

// apply creates an object or changes it. What the object is created with decides its age, whenever that is.
func (c *cluster) apply(t *testing.T, desired *unstructured.Unstructured) {
	t.Helper()
	key := keyOf(desired)
	empty, known := kinds[key.kind]
	if !known {
		t.Fatalf("%v is of a kind that the replay does not know: topology depends on it, or it is foreign", key)
	}
	object := empty()
	if err := runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(desired.Object, object, true); err != nil {
		t.Fatalf("%v: %v", key, err)
	}
	object.SetCreationTimestamp(metav1.NewTime(age(key)))
	before, exists := c.objects[key]
	if exists {
		object.SetUID(before.GetUID())
		object.SetGeneration(before.GetGeneration() + 1)
	} else {
		c.made++
		object.SetUID(types.UID(fmt.Sprint("uid-", c.made)))
		object.SetGeneration(1)
	}
	c.objects[key] = object
	c.history = append(c.history, key)
}

func (c *cluster) remove(key objectKey) {
	delete(c.objects, key)
	c.history = append(c.history, key)
}

func isRoute(key objectKey) bool { return strings.HasSuffix(key.kind, "Route") }

// routesSince gives the routes that were applied and deleted since a point in the history; false where anything else was.
func (c *cluster) routesSince(point int) (changed []topology.RouteObject, gone []topology.RouteID, only bool) {
	seen := map[objectKey]bool{}
	for _, key := range c.history[point:] {
		if !isRoute(key) {
			return nil, nil, false
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		if object, there := c.objects[key]; there {
			changed = append(changed, object.(topology.RouteObject))
			continue
		}
		gone = append(gone, topology.RouteID{Kind: gatewayv1.Kind(key.kind), Namespace: key.Namespace, Name: key.Name})
	}
	return changed, gone, true
}

// age is when an object was made: some have the same, so that names decide between them.
func age(key objectKey) time.Time {
	return time.Date(2026, time.January, 1+len(key.Name)%3, 0, 0, 0, 0, time.UTC)
}

// input is what the topology of a Gateway depends on, its lists in random order: all objects of most kinds, but of routes those that name
// the Gateway or one of its ListenerSets, and of policies those of the Services that these name.
func (c *cluster) input(gateway types.NamespacedName, random *rand.Rand) (topology.Input, translate.EndpointSource) {
	in := topology.Input{
		ControllerName: "rauta.dev/gateway-controller",
		GatewayClass:   &gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: className}},
		Namespaces:     map[string]*corev1.Namespace{},
		Services:       map[types.NamespacedName]*corev1.Service{},
		Secrets:        map[types.NamespacedName]*topology.TLSSecret{},
		ConfigMaps:     map[types.NamespacedName]*corev1.ConfigMap{},
	}
	endpoints := translate.EndpointSource{}
	keys := make([]objectKey, 0, len(c.objects))
	for key := range c.objects {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, compareKeys)
	random.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	for _, key := range keys {
		switch object := c.objects[key].(type) {
		case *gatewayv1.Gateway:
			if key.NamespacedName == gateway {
				in.Gateway = object
			}
		case *gatewayv1.ListenerSet:
			in.ListenerSets = append(in.ListenerSets, object)
		case *gatewayv1.ReferenceGrant:
			in.Grants = append(in.Grants, object)
		case *gatewayv1.BackendTLSPolicy:
			in.BackendTLSPolicies = append(in.BackendTLSPolicies, object)
		case *corev1.Namespace:
			in.Namespaces[key.Name] = object
		case *corev1.Service:
			in.Services[key.NamespacedName] = object
		case *corev1.Secret:
			if c.read[object] == nil {
				c.read[object] = topology.ReadTLSSecret(object)
			}
			in.Secrets[key.NamespacedName] = c.read[object]
		case *corev1.ConfigMap:
			in.ConfigMaps[key.NamespacedName] = object
		case *discoveryv1.EndpointSlice:
			service := types.NamespacedName{Namespace: key.Namespace, Name: object.Labels[discoveryv1.LabelServiceName]}
			endpoints[service] = append(endpoints[service], object)
		case topology.RouteObject:
			if isRoute(key) {
				in.AddRoute(object)
			}
		}
	}
	narrow(&in)
	return in, endpoints
}

func narrow(in *topology.Input) {
	parents := map[types.NamespacedName]bool{}
	for _, set := range in.ListenerSets {
		if topology.ListenerSetParent(set) == (types.NamespacedName{Namespace: in.Gateway.Namespace, Name: in.Gateway.Name}) {
			parents[types.NamespacedName{Namespace: set.Namespace, Name: set.Name}] = true
		}
	}
	named := func(route topology.RouteObject) bool {
		return slices.ContainsFunc(topology.ParentRefsOf(route), func(ref gatewayv1.ParentReference) bool {
			kind, key := topology.ParentOf(&ref, route.GetNamespace())
			return kind == topology.ListenerSetKind && parents[key] ||
				kind == "Gateway" && key == types.NamespacedName{Namespace: in.Gateway.Namespace, Name: in.Gateway.Name}
		})
	}
	routes := in.Routes()
	in.HTTPRoutes, in.GRPCRoutes, in.TLSRoutes, in.TCPRoutes, in.UDPRoutes = nil, nil, nil, nil, nil
	for _, route := range routes {
		if named(route) {
			in.AddRoute(route)
		}
	}
	services := map[types.NamespacedName]bool{}
	for _, route := range in.Routes() {
		for _, ref := range topology.BackendRefsOf(route) {
			namespace := route.GetNamespace()
			if ref.Namespace != nil {
				namespace = string(*ref.Namespace)
			}
			services[types.NamespacedName{Namespace: namespace, Name: string(ref.Name)}] = true
		}
	}
	in.BackendTLSPolicies = slices.DeleteFunc(in.BackendTLSPolicies, func(p *gatewayv1.BackendTLSPolicy) bool {
		return !slices.ContainsFunc(topology.PolicyServices(p), func(s types.NamespacedName) bool { return services[s] })
	})
}

// gateways are the Gateways that there are, sorted.
func (c *cluster) gateways() []types.NamespacedName {
	var names []types.NamespacedName
	for key := range c.objects {
		if key.kind == "Gateway" {
			names = append(names, key.NamespacedName)
		}
	}
	slices.SortFunc(names, func(a, b types.NamespacedName) int { return cmp.Compare(a.String(), b.String()) })
	return names
}
