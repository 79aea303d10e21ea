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

package topology

import (
	"fmt"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

var streamFeatures = []features.FeatureName{
	features.SupportTCPRoute,
	features.SupportTLSRoute,
	features.SupportTLSRouteModeMixed,
	features.SupportTLSRouteModeTerminate,
	features.SupportUDPRoute,
}

// streamRule is a rule of a TLSRoute, a TCPRoute or a UDPRoute, which are alike.
type streamRule struct {
	name        *gatewayv1.SectionName
	backendRefs []gatewayv1.BackendRef
}

func streamRules(object RouteObject) []streamRule {
	var rules []streamRule
	switch route := object.(type) {
	case *gatewayv1.TLSRoute:
		for i := range route.Spec.Rules {
			rules = append(rules, streamRule{route.Spec.Rules[i].Name, route.Spec.Rules[i].BackendRefs})
		}
	case *gatewayv1.TCPRoute:
		for i := range route.Spec.Rules {
			rules = append(rules, streamRule{route.Spec.Rules[i].Name, route.Spec.Rules[i].BackendRefs})
		}
	case *gatewayv1.UDPRoute:
		for i := range route.Spec.Rules {
			rules = append(rules, streamRule{route.Spec.Rules[i].Name, route.Spec.Rules[i].BackendRefs})
		}
	}
	return rules
}

// buildStreamRules gives the rules of a TLSRoute, TCPRoute or UDPRoute. The API admits one, as there is nothing that would choose
// between several.
func (r *resolver) buildStreamRules(object RouteObject) []Rule {
	specs := streamRules(object)
	rules := make([]Rule, len(specs))
	for i := range specs {
		if specs[i].name != nil {
			rules[i].Name = string(*specs[i].name)
		}
		if i > 0 {
			rules[i].Unsupported = fmt.Sprintf("backendRefs: %ss are served with one rule, the first", r.kind)
		}
		rules[i].Backends = make([]Backend, len(specs[i].backendRefs))
		for j := range specs[i].backendRefs {
			rules[i].Backends[j] = r.resolve(object.GetNamespace(), &specs[i].backendRefs[j])
		}
	}
	return rules
}

// passing resolves the backends of connections that are passed through: "When a TLSRoute is attached to a listener in Terminate
// mode, a BackendTLSPolicy can be used to enable re-encryption of the traffic to the backends." (TLSRouteRule.backendRefs) What
// is passed through is encrypted already.
func (r *resolver) passing() *resolver {
	passing := *r
	passing.policies, passing.passthrough = nil, true
	return &passing
}

// rules gives the rules of the route at hand, once it is known where it is attached, and those for listeners that pass TLS
// through.
func (b *routeBuilder) rules(object RouteObject) (rules, passthrough []Rule) {
	kind := KindOf(object)
	resolver := b.resolvers[kind]
	if !carriesStreams(kind) {
		return resolver.buildRules(object), nil
	}
	var ends, passes bool
	for _, i := range b.reached {
		ends = ends || b.wanted[i] && !b.listeners[i].Passthrough
		passes = passes || b.wanted[i] && b.listeners[i].Passthrough
	}
	if passes {
		passthrough = resolver.passing().buildStreamRules(object)
	}
	if passes && !ends {
		return passthrough, passthrough
	}
	return resolver.buildStreamRules(object), passthrough
}
