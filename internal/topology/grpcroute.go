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

// PathMatchMethod takes the calls of one gRPC method, of whatever service. It is this room's own: no schema admits it in a route.
const PathMatchMethod = gatewayv1.PathMatchType("rauta.dev/Method")

// PathMatchMethodExpression is the same with an expression for the method.
const PathMatchMethodExpression = gatewayv1.PathMatchType("rauta.dev/MethodExpression")

var grpcRouteFeatures = []features.FeatureName{
	features.SupportGRPCRoute,
	features.SupportGRPCRouteNamedRouteRule,
}

// buildRules gives the rules of a route. A gRPC request is an HTTP request for "/service/method", so that a GRPCRoute's rules
// become those of an HTTPRoute that takes the same requests.
func (r *resolver) buildRules(object RouteObject) []Rule {
	route, is := object.(*gatewayv1.GRPCRoute)
	if !is {
		specs := object.(*gatewayv1.HTTPRoute).Spec.Rules
		rules := make([]Rule, len(specs))
		for i := range specs {
			rules[i] = r.buildRule(object.GetNamespace(), &specs[i])
		}
		return rules
	}
	rules := make([]Rule, len(route.Spec.Rules))
	for i := range route.Spec.Rules {
		spec, problem := httpRule(&route.Spec.Rules[i])
		rules[i] = r.buildRule(object.GetNamespace(), spec)
		if problem == "" {
			continue
		}
		rules[i].Unsupported, rules[i].Filters = problem, nil
		if len(spec.Matches) == 0 {
			// Without a match that can be expressed it would take everything.
			rules[i].Matches = nil
		}
	}
	return rules
}

// httpRule is a GRPCRoute's rule in HTTP's words, and what of it cannot be said so.
func httpRule(spec *gatewayv1.GRPCRouteRule) (rule *gatewayv1.HTTPRouteRule, problem string) {
	rule = &gatewayv1.HTTPRouteRule{
		Name: spec.Name, Filters: httpFilters(spec.Filters), SessionPersistence: spec.SessionPersistence,
		BackendRefs: make([]gatewayv1.HTTPBackendRef, len(spec.BackendRefs)),
	}
	for i := range spec.BackendRefs {
		rule.BackendRefs[i].BackendRef = spec.BackendRefs[i].BackendRef
		rule.BackendRefs[i].Filters = httpFilters(spec.BackendRefs[i].Filters)
	}
	for i := range spec.Matches {
		match := &spec.Matches[i]
		path, wrong := httpPath(match.Method)
		if wrong != "" {
			if problem == "" {
				problem = fmt.Sprintf("matches[%d].method.%s", i, wrong)
			}
			continue
		}
		rule.Matches = append(rule.Matches, gatewayv1.HTTPRouteMatch{Path: path, Headers: httpHeaders(match.Headers)})
	}
	return rule, problem
}

// httpPath is the path of the requests that a method match takes. "If left empty or omitted, will match any service"
// (GRPCMethodMatch.service), and so for the method.
func httpPath(match *gatewayv1.GRPCMethodMatch) (path *gatewayv1.HTTPPathMatch, problem string) {
	if match == nil {
		return nil, ""
	}
	service, method := text(match.Service), text(match.Method)
	switch matchType := match.Type; {
	case matchType == nil || *matchType == gatewayv1.GRPCMethodMatchExact:
		return exactMethod(service, method), ""
	case *matchType != gatewayv1.GRPCMethodMatchRegularExpression:
		return nil, fmt.Sprintf("type: %q is not supported; supported are Exact and RegularExpression", *matchType)
	}
	if problem := patternProblem(service); problem != "" {
		return nil, "service: " + problem
	}
	if problem := patternProblem(method); problem != "" {
		return nil, "method: " + problem
	}
	if service == "" && method == "" {
		return nil, ""
	}
	if service == "" {
		// "Characters in a matching service" come first (GRPCRouteRule.matches): here there are none.
		return pathOf(PathMatchMethodExpression, method), ""
	}
	return pathOf(gatewayv1.PathMatchRegularExpression, "/"+anyUnless(service)+"/"+anyUnless(method)), ""
}

func exactMethod(service, method string) *gatewayv1.HTTPPathMatch {
	switch {
	case service == "" && method == "":
		return nil
	case method == "":
		return pathOf(gatewayv1.PathMatchPathPrefix, "/"+service)
	case service == "":
		return pathOf(PathMatchMethod, method)
	default:
		return pathOf(gatewayv1.PathMatchExact, "/"+service+"/"+method)
	}
}

func pathOf(matchType gatewayv1.PathMatchType, value string) *gatewayv1.HTTPPathMatch {
	return &gatewayv1.HTTPPathMatch{Type: &matchType, Value: &value}
}

// anyUnless is an expression for one path element.
func anyUnless(expression string) string {
	if expression == "" {
		return "[^/]+"
	}
	return "(?:" + expression + ")"
}

func text(value *string) string {
	if value == nil {
		return ""
	}
	return *value
}

func httpHeaders(matches []gatewayv1.GRPCHeaderMatch) []gatewayv1.HTTPHeaderMatch {
	headers := make([]gatewayv1.HTTPHeaderMatch, len(matches))
	for i := range matches {
		headers[i] = gatewayv1.HTTPHeaderMatch{
			Type: (*gatewayv1.HeaderMatchType)(matches[i].Type), Name: gatewayv1.HTTPHeaderName(matches[i].Name), Value: matches[i].Value,
		}
	}
	return headers
}

// httpFilters are the filters in HTTP's words, whose types have the same names.
func httpFilters(filters []gatewayv1.GRPCRouteFilter) []gatewayv1.HTTPRouteFilter {
	if len(filters) == 0 {
		return nil
	}
	translated := make([]gatewayv1.HTTPRouteFilter, len(filters))
	for i := range filters {
		f := &filters[i]
		translated[i] = gatewayv1.HTTPRouteFilter{
			Type:                  gatewayv1.HTTPRouteFilterType(f.Type),
			RequestHeaderModifier: f.RequestHeaderModifier, ResponseHeaderModifier: f.ResponseHeaderModifier,
			RequestMirror: f.RequestMirror, ExtensionRef: f.ExtensionRef,
		}
	}
	return translated
}
