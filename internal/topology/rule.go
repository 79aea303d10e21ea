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
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// everyRequest is the match of a rule that has none: "If no matches are specified, the default is a prefix path match on
// "/", which has the effect of matching every HTTP request." (HTTPRouteRule.matches)
var everyRequest = []gatewayv1.HTTPRouteMatch{{}}

// ruleFeatures are those of an HTTPRoute's rules, beside their filters, timeouts and retries.
var ruleFeatures = []features.FeatureName{
	features.SupportHTTPRoute,
	features.SupportHTTPRouteMethodMatching,
	features.SupportHTTPRouteNamedRouteRule,
	features.SupportHTTPRouteQueryParamMatching,
}

// Rule is one rule of an HTTPRoute.
type Rule struct {
	// Name of the rule; empty when it has none.
	Name string
	// Matches that can be expressed: all of them in a supported rule. A match without a path takes every path. They
	// are the route's own and must not be changed.
	Matches []gatewayv1.HTTPRouteMatch
	// Backends in the route's order. Those of an unsupported rule are not to be used.
	Backends []Backend
	// Filters in the order in which they are applied; none in an unsupported rule.
	Filters []Filter
	// Timeouts; nil when the rule has none.
	Timeouts *Timeouts
	// Retry; nil when the rule has none.
	Retry *Retry
	// Unsupported names the field that is not supported and why; empty when the rule is served as written.
	Unsupported string
}

func (r *resolver) buildRule(namespace string, spec *gatewayv1.HTTPRouteRule) Rule {
	rule := Rule{}
	if spec.Name != nil {
		rule.Name = string(*spec.Name)
	}
	rule.Matches, rule.Unsupported = supportedMatches(spec.Matches)
	if rule.Unsupported == "" {
		rule.Unsupported = unsupported(spec)
	}
	scope := filterScope{resolver: r, namespace: namespace, matches: spec.Matches}
	if rule.Unsupported == "" {
		rule.Timeouts, rule.Unsupported = buildTimeouts(spec.Timeouts)
	}
	if rule.Unsupported == "" {
		rule.Retry, rule.Unsupported = buildRetry(spec.Retry)
	}
	if rule.Unsupported == "" {
		rule.Filters, rule.Unsupported = scope.buildFilters(spec.Filters)
	}
	if len(spec.BackendRefs) == 0 {
		return rule
	}
	rule.Backends = make([]Backend, len(spec.BackendRefs))
	for i := range spec.BackendRefs {
		rule.Backends[i] = r.resolve(namespace, &spec.BackendRefs[i].BackendRef)
		filters, problem := scope.buildFilters(spec.BackendRefs[i].Filters)
		rule.Backends[i].Filters = filters
		if problem != "" && rule.Unsupported == "" {
			rule.Unsupported = fmt.Sprintf("backendRefs[%d].%s", i, problem)
		}
	}
	return rule
}

// Refuses reports whether the rule answers 500, whatever its backends are: it is not supported, or one of its filters cannot be
// resolved.
func (r *Rule) Refuses() bool { return r.Unsupported != "" || refuses(r.Filters) }

// unsupported names the first part of a rule, other than its matches and filters, that this implementation does not support yet.
func unsupported(spec *gatewayv1.HTTPRouteRule) string {
	if spec.SessionPersistence != nil {
		return "sessionPersistence: not supported"
	}
	return ""
}

// supportedMatches gives the matches that can be expressed, and what is wrong with the first that cannot. The slice is
// the given one when all can.
func supportedMatches(matches []gatewayv1.HTTPRouteMatch) (supported []gatewayv1.HTTPRouteMatch, reason string) {
	if len(matches) == 0 {
		return everyRequest, ""
	}
	for i := range matches {
		problem := matchProblem(&matches[i])
		switch {
		case problem == "" && reason == "":
			continue
		case problem == "":
			supported = append(supported, matches[i])
		case reason == "":
			reason = fmt.Sprintf("matches[%d].%s", i, problem)
			supported = append(supported, matches[:i]...)
		}
	}
	if reason == "" {
		return matches, ""
	}
	return supported, reason
}

// matchProblem names what cannot be matched on.
//
// "Unknown values here must result in the implementation setting the Accepted Condition for the Route to `status:
// False`, with a Reason of `UnsupportedValue`." (PathMatchType, HeaderMatchType, QueryParamMatchType, HTTPMethod)
func matchProblem(match *gatewayv1.HTTPRouteMatch) string {
	if problem := pathProblem(match.Path); problem != "" {
		return problem
	}
	for i := range match.Headers {
		header := &match.Headers[i]
		if problem := valueMatchProblem(header.Type, header.Value); problem != "" {
			return fmt.Sprintf("headers[%d].%s", i, problem)
		}
	}
	for i := range match.QueryParams {
		param := &match.QueryParams[i]
		if problem := valueMatchProblem(param.Type, param.Value); problem != "" {
			return fmt.Sprintf("queryParams[%d].%s", i, problem)
		}
	}
	if match.Method == nil {
		return ""
	}
	switch *match.Method {
	case gatewayv1.HTTPMethodGet, gatewayv1.HTTPMethodHead, gatewayv1.HTTPMethodPost, gatewayv1.HTTPMethodPut, gatewayv1.HTTPMethodDelete,
		gatewayv1.HTTPMethodConnect, gatewayv1.HTTPMethodOptions, gatewayv1.HTTPMethodTrace, gatewayv1.HTTPMethodPatch:
		return ""
	default:
		return fmt.Sprintf("method: %q is not supported", *match.Method)
	}
}

// valueMatchProblem names what is wrong with the match of a header or query parameter, whose types have the same values.
func valueMatchProblem[T ~string](matchType *T, value string) string {
	switch {
	case matchType == nil || string(*matchType) == string(gatewayv1.HeaderMatchExact):
		return ""
	case string(*matchType) != string(gatewayv1.HeaderMatchRegularExpression):
		return fmt.Sprintf("type: %q is not supported; supported are Exact and RegularExpression", *matchType)
	}
	if problem := patternProblem(value); problem != "" {
		return "value: " + problem
	}
	return ""
}

func pathProblem(path *gatewayv1.HTTPPathMatch) string {
	if path == nil {
		return ""
	}
	switch matchType := path.Type; {
	case matchType == nil || *matchType == gatewayv1.PathMatchExact || *matchType == gatewayv1.PathMatchPathPrefix:
		return literalPathProblem(path.Value)
	case *matchType == PathMatchMethod || *matchType == PathMatchMethodExpression:
		return "" // They were looked at as what they are made from.
	case *matchType != gatewayv1.PathMatchRegularExpression:
		return fmt.Sprintf("path.type: %q is not supported; supported are Exact, PathPrefix and RegularExpression", *matchType)
	case path.Value == nil:
		return ""
	}
	if problem := patternProblem(*path.Value); problem != "" {
		return "path.value: " + problem
	}
	return ""
}

// literalPathProblem checks an exact path or a prefix.
//
// "PathPrefix and Exact paths must be syntactically valid: Must begin with the `/` character. Must not contain
// consecutive `/` characters" (PathMatchType)
func literalPathProblem(value *string) string {
	if value == nil || (strings.HasPrefix(*value, "/") && !strings.Contains(*value, "//")) {
		return ""
	}
	return fmt.Sprintf("path.value: %q must begin with \"/\" and not contain \"//\"", *value)
}
