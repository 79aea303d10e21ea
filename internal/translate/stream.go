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
	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
)

// routeResources renders a route: as one resource, and a TLSRoute as one for the listeners that end TLS and one for those that
// pass it through, as far as it is attached to them.
func routeResources(route *topology.Route) []*adminv1.Resource {
	switch topology.KindOf(route.Object) {
	case topology.HTTPRouteKind, topology.GRPCRouteKind:
		return []*adminv1.Resource{routeResource(route)}
	}
	var ends, passes []topology.Attachment
	for _, attachment := range route.Attachments {
		if attachment.Passthrough {
			passes = append(passes, attachment)
			continue
		}
		ends = append(ends, attachment)
	}
	names := route.ResourceNames()
	var resources []*adminv1.Resource
	if len(ends) > 0 {
		resources = append(resources, streamResource(names[0], route.Object, ends, route.Rules))
	}
	if len(passes) > 0 {
		resources = append(resources, streamResource(names[len(names)-1], route.Object, passes, route.Passthrough))
	}
	return resources
}

// streamResource renders the rule of a stream route, of which the first is the one that is served.
//
// "If unspecified or invalid (refers to a nonexistent resource or a Service with no endpoints), the underlying implementation MUST
// actively reject connection attempts to this backend. Connection rejections must respect weight" (TCPRouteRule.backendRefs): what
// is not resolved keeps its weight, and its name is left out.
func streamResource(name string, object topology.RouteObject, at []topology.Attachment, rules []topology.Rule) *adminv1.Resource {
	spec := &adminv1.StreamRoute{Attachments: attachments(at), Origin: origin(object)}
	if len(rules) > 0 {
		for i := range rules[0].Backends {
			backend := &rules[0].Backends[i]
			weighted := &adminv1.WeightedBackend{Weight: backend.Weight}
			if backend.Reachable() {
				weighted.Backend = topology.BackendName(backend.BackendRef)
			}
			spec.Backends = append(spec.Backends, weighted)
		}
	}
	return &adminv1.Resource{Name: name, Spec: &adminv1.Resource_StreamRoute{StreamRoute: spec}}
}
