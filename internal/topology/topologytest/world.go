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

// Package topologytest reads worlds for tests: a Gateway with what its topology depends on, written as YAML.
package topologytest

import (
	"bytes"
	"math/rand/v2"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/rauta-dev/rauta/internal/topology"
)

// World is a topology's input with the EndpointSlices of its Services.
type World struct {
	topology.Input
	Slices map[types.NamespacedName][]*discoveryv1.EndpointSlice
}

// Parse reads objects from YAML documents: one Gateway, and any of the other kinds. Unknown kinds and fields fail the
// test. The schema's defaults are not applied, so that a world can leave out what older schemas left out.
func Parse(tb testing.TB, documents ...string) *World {
	tb.Helper()
	world := &World{
		Input: topology.Input{
			ControllerName: "rauta.dev/gateway-controller",
			Namespaces:     map[string]*corev1.Namespace{},
			Services:       map[types.NamespacedName]*corev1.Service{},
			Secrets:        map[types.NamespacedName]*topology.TLSSecret{},
			ConfigMaps:     map[types.NamespacedName]*corev1.ConfigMap{},
		},
		Slices: map[types.NamespacedName][]*discoveryv1.EndpointSlice{},
	}
	for _, text := range documents {
		for _, document := range bytes.Split([]byte(text), []byte("\n---\n")) {
			if len(bytes.TrimSpace(document)) > 0 {
				world.add(tb, document)
			}
		}
	}
	if world.Gateway == nil {
		tb.Fatal("the world has no Gateway")
	}
	return world
}

func (w *World) add(tb testing.TB, document []byte) {
	tb.Helper()
	var meta metav1.TypeMeta
	if err := yaml.Unmarshal(document, &meta); err != nil {
		tb.Fatalf("read %s: %v", document, err)
	}
	switch meta.Kind {
	case "GatewayClass":
		w.GatewayClass = decode[gatewayv1.GatewayClass](tb, document)
	case "Gateway":
		w.Gateway = decode[gatewayv1.Gateway](tb, document)
	case "ListenerSet":
		w.ListenerSets = append(w.ListenerSets, decode[gatewayv1.ListenerSet](tb, document))
	case "HTTPRoute":
		w.HTTPRoutes = append(w.HTTPRoutes, decode[gatewayv1.HTTPRoute](tb, document))
	case "GRPCRoute":
		w.GRPCRoutes = append(w.GRPCRoutes, decode[gatewayv1.GRPCRoute](tb, document))
	case "TLSRoute":
		w.TLSRoutes = append(w.TLSRoutes, decode[gatewayv1.TLSRoute](tb, document))
	case "TCPRoute":
		w.TCPRoutes = append(w.TCPRoutes, decode[gatewayv1.TCPRoute](tb, document))
	case "UDPRoute":
		w.UDPRoutes = append(w.UDPRoutes, decode[gatewayv1.UDPRoute](tb, document))
	case "ReferenceGrant":
		w.Grants = append(w.Grants, decode[gatewayv1.ReferenceGrant](tb, document))
	case "BackendTLSPolicy":
		w.BackendTLSPolicies = append(w.BackendTLSPolicies, decode[gatewayv1.BackendTLSPolicy](tb, document))
	case "Namespace":
		namespace := decode[corev1.Namespace](tb, document)
		w.Namespaces[namespace.Name] = namespace
	case "Service":
		service := decode[corev1.Service](tb, document)
		w.Services[types.NamespacedName{Namespace: service.Namespace, Name: service.Name}] = service
	case "Secret":
		secret := decode[corev1.Secret](tb, document)
		w.Secrets[types.NamespacedName{Namespace: secret.Namespace, Name: secret.Name}] = topology.ReadTLSSecret(secret)
	case "ConfigMap":
		configMap := decode[corev1.ConfigMap](tb, document)
		w.ConfigMaps[types.NamespacedName{Namespace: configMap.Namespace, Name: configMap.Name}] = configMap
	case "EndpointSlice":
		slice := decode[discoveryv1.EndpointSlice](tb, document)
		key := types.NamespacedName{Namespace: slice.Namespace, Name: slice.Labels[discoveryv1.LabelServiceName]}
		w.Slices[key] = append(w.Slices[key], slice)
	default:
		tb.Fatalf("kind %q is not part of a world:\n%s", meta.Kind, document)
	}
}

func decode[T any](tb testing.TB, document []byte) *T {
	tb.Helper()
	object := new(T)
	if err := yaml.UnmarshalStrict(document, object); err != nil {
		tb.Fatalf("read %s: %v", document, err)
	}
	return object
}

// Clone copies the world deeply.
func (w *World) Clone() *World {
	c := &World{Input: w.Input, Slices: map[types.NamespacedName][]*discoveryv1.EndpointSlice{}}
	c.GatewayClass = w.GatewayClass.DeepCopy()
	c.Gateway = w.Gateway.DeepCopy()
	c.ListenerSets = cloneAll(w.ListenerSets)
	c.HTTPRoutes = cloneAll(w.HTTPRoutes)
	c.GRPCRoutes = cloneAll(w.GRPCRoutes)
	c.TLSRoutes, c.TCPRoutes, c.UDPRoutes = cloneAll(w.TLSRoutes), cloneAll(w.TCPRoutes), cloneAll(w.UDPRoutes)
	c.Grants = cloneAll(w.Grants)
	c.BackendTLSPolicies = cloneAll(w.BackendTLSPolicies)
	c.Namespaces = map[string]*corev1.Namespace{}
	for name, namespace := range w.Namespaces {
		c.Namespaces[name] = namespace.DeepCopy()
	}
	c.Services = map[types.NamespacedName]*corev1.Service{}
	for name, service := range w.Services {
		c.Services[name] = service.DeepCopy()
	}
	c.ConfigMaps = map[types.NamespacedName]*corev1.ConfigMap{}
	for name, configMap := range w.ConfigMaps {
		c.ConfigMaps[name] = configMap.DeepCopy()
	}
	c.Secrets = map[types.NamespacedName]*topology.TLSSecret{}
	for name, secret := range w.Secrets {
		c.Secrets[name] = &topology.TLSSecret{Chain: bytes.Clone(secret.Chain), Key: bytes.Clone(secret.Key), Fault: secret.Fault, Validity: secret.Validity}
	}
	for name, slices := range w.Slices {
		c.Slices[name] = cloneAll(slices)
	}
	return c
}

func cloneAll[T interface{ DeepCopy() T }](objects []T) []T {
	if objects == nil {
		return nil
	}
	copies := make([]T, 0, len(objects))
	for _, object := range objects {
		copies = append(copies, object.DeepCopy())
	}
	return copies
}

// Shuffle gives the world with everything whose order has no meaning in another order.
func (w *World) Shuffle(random *rand.Rand) *World {
	c := w.Clone()
	shuffle(random, c.ListenerSets)
	shuffle(random, c.HTTPRoutes)
	shuffle(random, c.GRPCRoutes)
	shuffle(random, c.TLSRoutes)
	shuffle(random, c.TCPRoutes)
	shuffle(random, c.UDPRoutes)
	shuffle(random, c.Grants)
	shuffle(random, c.BackendTLSPolicies)
	for _, slices := range c.Slices {
		shuffle(random, slices)
		for _, slice := range slices {
			shuffle(random, slice.Endpoints)
		}
	}
	return c
}

func shuffle[T any](random *rand.Rand, items []T) {
	random.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
}
