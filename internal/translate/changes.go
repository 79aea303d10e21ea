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
	"fmt"
	"slices"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/topology"
)

// Changes gives what a change does to the table: the resources that are new or may be others, hashes set, and the
// names of those that go, of which the table may have had some never. The endpoints are asked for what was added alone.
func (m *Memo) Changes(
	t *topology.Topology, d *topology.Difference, endpoints EndpointSource, options ...Option,
) (upserts []*adminv1.Resource, removals []string, err error) {
	var more extras
	for _, option := range options {
		option(&more)
	}
	add := func(resource *adminv1.Resource, err error) error {
		if err != nil {
			return fmt.Errorf("translate Gateway %s: %w", t.Gateway, err)
		}
		upserts = append(upserts, resource)
		return nil
	}
	for _, id := range d.Gone {
		m.drop(id)
	}
	for _, id := range d.Decided {
		route := t.Find(id)
		if len(route.Attachments) == 0 {
			m.drop(id)
			continue
		}
		resources, err := m.route(route)
		if err != nil {
			return nil, nil, fmt.Errorf("translate Gateway %s: %w", t.Gateway, err)
		}
		upserts = append(upserts, resources...)
	}
	for _, id := range slices.Concat(d.Gone, d.Decided) {
		removals = append(removals, id.ResourceNames()...)
	}
	for _, resource := range opened(t, d, more.parameters) {
		if err := add(sealed(resource)); err != nil {
			return nil, nil, err
		}
	}
	removals = append(removals, closed(d)...)
	for _, ref := range d.Added {
		if err := add(sealed(backendResource(t, ref, more.parameters))); err != nil {
			return nil, nil, err
		}
		if err := add(sealed(endpointsResource(ref, endpoints[ref.Service]))); err != nil {
			return nil, nil, err
		}
	}
	for _, ref := range d.Dropped {
		removals = append(removals, topology.BackendName(ref))
		if !t.SharesEndpoints(ref) {
			removals = append(removals, topology.EndpointsName(ref))
		}
	}
	// A Service's port that has another name is the same backend.
	stay := make(map[string]bool, len(upserts))
	for _, resource := range upserts {
		stay[resource.GetName()] = true
	}
	return upserts, slices.DeleteFunc(removals, func(name string) bool { return stay[name] }), nil
}

// opened are the listeners that are served now, or as others, and what they prove themselves with.
func opened(t *topology.Topology, d *topology.Difference, parameters *v1alpha1.GatewayParametersSpec) []*adminv1.Resource {
	resources := make([]*adminv1.Resource, 0, len(d.Opened)+len(d.Shown))
	for _, key := range d.Opened {
		resources = append(resources, listenerResource(t.FindListener(key), parameters))
	}
	for i := range d.Shown {
		resources = append(resources, certificateResource(&d.Shown[i]))
	}
	return resources
}

// closed are the names of the listeners and certificates that go, or are others.
func closed(d *topology.Difference) []string {
	names := make([]string, 0, len(d.Closed)+len(d.Withdrawn))
	for _, key := range d.Closed {
		names = append(names, topology.ListenerName(key))
	}
	for _, secret := range d.Withdrawn {
		names = append(names, topology.CertificateName(secret))
	}
	return names
}

// drop forgets a route.
func (m *Memo) drop(id topology.RouteID) {
	delete(m.routes, routeKey{kind: id.Kind, namespace: id.Namespace, name: id.Name})
}
