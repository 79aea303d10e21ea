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

package translate

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/topology"
)

// EndpointSource holds the EndpointSlices of each Service.
type EndpointSource map[types.NamespacedName][]*discoveryv1.EndpointSlice

// Resources gives the table of a Gateway's proxy: its served listeners with their certificates, the routes attached to them, and the backends
// that those use with their endpoints. Sorted by name, hashes set. An error names the resource that cannot be encoded.
func Resources(t *topology.Topology, endpoints EndpointSource, options ...Option) ([]*adminv1.Resource, error) {
	return (*Memo)(nil).Resources(t, endpoints, options...)
}

// Option adds to what a table is made from.
type Option func(*extras)

type extras struct {
	parameters *v1alpha1.GatewayParametersSpec
}

// WithParameters has the table say what the Gateway's merged parameters ask of its proxies: limits, balancing, trusted hops,
// the PROXY protocol.
func WithParameters(parameters *v1alpha1.GatewayParametersSpec) Option {
	return func(e *extras) { e.parameters = parameters }
}

// Resources is the function of that name, with the routes remembered from one call to the next.
func (m *Memo) Resources(t *topology.Topology, endpoints EndpointSource, options ...Option) ([]*adminv1.Resource, error) {
	m.begin()
	defer m.forget()
	var more extras
	for _, option := range options {
		option(&more)
	}
	table := make([]*adminv1.Resource, 0, len(t.Listeners)+len(t.Routes))
	add := func(resource *adminv1.Resource, err error) error {
		if err != nil {
			return fmt.Errorf("translate Gateway %s: %w", t.Gateway, err)
		}
		table = append(table, resource)
		return nil
	}
	settings, err := settingsResource(more.parameters)
	if err != nil {
		return nil, fmt.Errorf("translate Gateway %s: %w", t.Gateway, err)
	}
	if settings != nil {
		if err := add(sealed(settings)); err != nil {
			return nil, err
		}
	}
	for _, resource := range entrances(t, more.parameters) {
		if err := add(sealed(resource)); err != nil {
			return nil, err
		}
	}
	for i := range t.Routes {
		if len(t.Routes[i].Attachments) == 0 {
			continue
		}
		resources, err := m.route(&t.Routes[i])
		if err != nil {
			return nil, fmt.Errorf("translate Gateway %s: %w", t.Gateway, err)
		}
		table = append(table, resources...)
	}
	backends := t.Backends()
	for i, ref := range backends {
		if err := add(sealed(backendResource(t, ref, more.parameters))); err != nil {
			return nil, err
		}
		// One port may be spoken to in several ways; its endpoints are the same.
		if i > 0 && topology.EndpointsName(backends[i-1]) == topology.EndpointsName(ref) {
			continue
		}
		if err := add(sealed(endpointsResource(ref, endpoints[ref.Service]))); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(table, func(a, b *adminv1.Resource) int { return cmp.Compare(a.GetName(), b.GetName()) })
	return table, nil
}

// entrances are the served listeners, and what they prove themselves with.
func entrances(t *topology.Topology, parameters *v1alpha1.GatewayParametersSpec) []*adminv1.Resource {
	var resources []*adminv1.Resource
	for i := range t.Listeners {
		if t.Listeners[i].Served() {
			resources = append(resources, listenerResource(&t.Listeners[i], parameters))
		}
	}
	certificates := t.Certificates()
	for i := range certificates {
		resources = append(resources, certificateResource(&certificates[i]))
	}
	return resources
}

// EndpointsOf gives the endpoints resource of one port of a Service, hash set: the short way for a change of
// EndpointSlices, which changes nothing else. A port that the Service does not have has no endpoints.
func EndpointsOf(service *corev1.Service, port int32, protocol corev1.Protocol, slices []*discoveryv1.EndpointSlice) *adminv1.Resource {
	name, ok := topology.PortName(service, port, protocol)
	if !ok {
		slices = nil
	}
	ref := topology.BackendRef{Service: types.NamespacedName{Namespace: service.Namespace, Name: service.Name}, Port: port, PortName: name}
	if protocol == corev1.ProtocolUDP {
		ref.Protocol = topology.UDP
	}
	resource, err := sealed(endpointsResource(ref, slices))
	if err != nil {
		// Only text that is not UTF-8 cannot be encoded, and all text here is formatted by net/netip.
		panic(fmt.Sprintf("endpoints of Service %s: %v", ref.Service, err))
	}
	return resource
}

func allSealed(resources []*adminv1.Resource) ([]*adminv1.Resource, error) {
	for _, resource := range resources {
		if _, err := sealed(resource); err != nil {
			return nil, err
		}
	}
	return resources, nil
}

// sealed sets the resource's hash.
func sealed(resource *adminv1.Resource) (*adminv1.Resource, error) {
	hash, err := adminv1.Hash(resource)
	if err != nil {
		return nil, err
	}
	resource.Hash = hash
	return resource, nil
}
