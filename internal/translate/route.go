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
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
)

func routeResource(route *topology.Route) *adminv1.Resource {
	spec := &adminv1.Route{
		Attachments: attachments(route.Attachments),
		Rules:       make([]*adminv1.Rule, 0, len(route.Rules)),
		Origin:      origin(route.Object),
	}
	for i := range route.Rules {
		// A rule without a match that can be expressed takes no request.
		if len(route.Rules[i].Matches) > 0 {
			spec.Rules = append(spec.Rules, ruleSpec(&route.Rules[i]))
		}
	}
	return &adminv1.Resource{Name: route.ResourceNames()[0], Spec: &adminv1.Resource_Route{Route: spec}}
}

func origin(object topology.RouteObject) *adminv1.Origin {
	spec := &adminv1.Origin{Kind: string(topology.KindOf(object)), Namespace: object.GetNamespace(), Name: object.GetName()}
	if created := object.GetCreationTimestamp(); !created.IsZero() {
		spec.Created = timestamppb.New(created.Time)
	}
	return spec
}

func attachments(of []topology.Attachment) []*adminv1.Route_Attachment {
	specs := make([]*adminv1.Route_Attachment, 0, len(of))
	for _, attachment := range of {
		specs = append(specs, &adminv1.Route_Attachment{
			Listener:  topology.ListenerName(attachment.Listener),
			Hostnames: attachment.Hostnames,
		})
	}
	return specs
}

// ruleSpec renders a rule. One that is not supported keeps its matches and gets no backends, so that it answers 500: left
// out, its requests would fall to broader rules without what it asked for, such as a filter that refuses them.
//
// "If a reference to a custom filter type cannot be resolved, the filter MUST NOT be skipped. Instead, requests that
// would have been processed by that filter MUST receive a HTTP error response." (HTTPRouteFilter.extensionRef)
func ruleSpec(rule *topology.Rule) *adminv1.Rule {
	spec := &adminv1.Rule{Name: rule.Name, Matches: make([]*adminv1.Match, len(rule.Matches))}
	for i := range rule.Matches {
		spec.Matches[i] = matchSpec(&rule.Matches[i])
	}
	if rule.Refuses() {
		return spec
	}
	spec.Filters = filterSpecs(rule.Filters)
	spec.Timeouts = timeoutsSpec(rule.Timeouts)
	spec.Retry = retrySpec(rule.Retry)
	if len(rule.Backends) == 0 {
		return spec
	}
	spec.Backends = make([]*adminv1.WeightedBackend, len(rule.Backends))
	for i := range rule.Backends {
		backend := &rule.Backends[i]
		spec.Backends[i] = &adminv1.WeightedBackend{Weight: backend.Weight}
		// "When a HTTPBackendRef is invalid, 500 status codes MUST be returned for requests that would have otherwise
		// been routed to an invalid backend." (HTTPRouteRule.backendRefs) Its weight stays, its name is left out.
		if !backend.Refuses() {
			spec.Backends[i].Backend = topology.BackendName(backend.BackendRef)
			spec.Backends[i].Filters = filterSpecs(backend.Filters)
		}
	}
	return spec
}

func retrySpec(r *topology.Retry) *adminv1.Retry {
	if r == nil {
		return nil
	}
	return &adminv1.Retry{Codes: r.Codes, Attempts: r.Attempts, Backoff: durationpb.New(r.Backoff)}
}

func timeoutsSpec(t *topology.Timeouts) *adminv1.Timeouts {
	if t == nil {
		return nil
	}
	spec := &adminv1.Timeouts{}
	if t.Request != 0 {
		spec.Request = durationpb.New(t.Request)
	}
	if t.BackendRequest != 0 {
		spec.BackendRequest = durationpb.New(t.BackendRequest)
	}
	return spec
}

func matchSpec(match *gatewayv1.HTTPRouteMatch) *adminv1.Match {
	spec := &adminv1.Match{Path: pathSpec(match.Path)}
	if match.Method != nil {
		spec.Method = string(*match.Method)
	}
	// "If multiple entries specify equivalent header names, only the first entry with an equivalent name MUST be
	// considered for a match. [...] Due to the case-insensitivity of header names, "foo" and "Foo" are considered
	// equivalent." (HTTPHeaderMatch.name)
	for i := range match.Headers {
		header := &match.Headers[i]
		matches := valueSpec(string(header.Name), header.Value, header.Type != nil && *header.Type == gatewayv1.HeaderMatchRegularExpression)
		spec.Headers = appendFirst(spec.Headers, matches, strings.EqualFold)
	}
	// "If multiple entries specify equivalent query param names, only the first entry with an equivalent name MUST be
	// considered for a match." (HTTPQueryParamMatch.name)
	for i := range match.QueryParams {
		param := &match.QueryParams[i]
		matches := valueSpec(string(param.Name), param.Value, param.Type != nil && *param.Type == gatewayv1.QueryParamMatchRegularExpression)
		spec.QueryParameters = appendFirst(spec.QueryParameters, matches, func(a, b string) bool { return a == b })
	}
	return spec
}

func valueSpec(name, value string, expression bool) *adminv1.ValueMatch {
	spec := &adminv1.ValueMatch{Name: name, Type: adminv1.ValueMatchType_VALUE_MATCH_TYPE_EXACT, Value: value}
	if expression {
		spec.Type = adminv1.ValueMatchType_VALUE_MATCH_TYPE_REGULAR_EXPRESSION
	}
	return spec
}

func appendFirst(to []*adminv1.ValueMatch, match *adminv1.ValueMatch, equivalent func(a, b string) bool) []*adminv1.ValueMatch {
	for _, present := range to {
		if equivalent(present.GetName(), match.GetName()) {
			return to
		}
	}
	return append(to, match)
}

// pathSpec renders a path match; without one, or without a part of it, the API's defaults hold: PathPrefix and "/".
func pathSpec(path *gatewayv1.HTTPPathMatch) *adminv1.PathMatch {
	spec := &adminv1.PathMatch{Type: adminv1.PathMatchType_PATH_MATCH_TYPE_PREFIX, Value: "/"}
	if path == nil {
		return spec
	}
	if path.Value != nil {
		spec.Value = *path.Value
	}
	switch matchType := path.Type; {
	case matchType == nil:
	case *matchType == gatewayv1.PathMatchExact:
		spec.Type = adminv1.PathMatchType_PATH_MATCH_TYPE_EXACT
		return spec
	case *matchType == topology.PathMatchMethod:
		spec.Type = adminv1.PathMatchType_PATH_MATCH_TYPE_LAST_ELEMENT
		return spec
	case *matchType == topology.PathMatchMethodExpression:
		spec.Type = adminv1.PathMatchType_PATH_MATCH_TYPE_LAST_ELEMENT_EXPRESSION
		return spec
	case *matchType == gatewayv1.PathMatchRegularExpression:
		spec.Type = adminv1.PathMatchType_PATH_MATCH_TYPE_REGULAR_EXPRESSION
		return spec
	}
	// "A path element refers to the list of labels in the path split by the `/` separator. When specified, a trailing
	// `/` is ignored." (PathMatchPathPrefix)
	if trimmed := strings.TrimSuffix(spec.Value, "/"); trimmed != "" {
		spec.Value = trimmed
	}
	return spec
}
