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
	"slices"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// filterFeatures has the types of filters that are served, with the features that each implements beside those of the routes' core.
var filterFeatures = map[gatewayv1.HTTPRouteFilterType][]features.FeatureName{
	gatewayv1.HTTPRouteFilterRequestHeaderModifier:  {features.SupportHTTPRouteBackendRequestHeaderModification},
	gatewayv1.HTTPRouteFilterResponseHeaderModifier: {features.SupportHTTPRouteResponseHeaderModification},
	gatewayv1.HTTPRouteFilterRequestRedirect: {
		features.SupportHTTPRoutePathRedirect, features.SupportHTTPRoutePortRedirect, features.SupportHTTPRouteSchemeRedirect,
	},
	gatewayv1.HTTPRouteFilterURLRewrite: {features.SupportHTTPRouteHostRewrite, features.SupportHTTPRoutePathRewrite},
	gatewayv1.HTTPRouteFilterRequestMirror: {
		features.SupportHTTPRouteRequestMirror, features.SupportHTTPRouteRequestMultipleMirrors, features.SupportHTTPRouteRequestPercentageMirror,
	},
	gatewayv1.HTTPRouteFilterCORS:         {features.SupportHTTPRouteCORS},
	gatewayv1.HTTPRouteFilterExtensionRef: nil,
}

// Filter is one filter of a rule or of a backendRef that can be served. One of its parts is set; they are the route's own
// and must not be changed.
type Filter struct {
	RequestHeaders, ResponseHeaders *gatewayv1.HTTPHeaderFilter
	Redirect                        *gatewayv1.HTTPRequestRedirectFilter
	Rewrite                         *gatewayv1.HTTPURLRewriteFilter
	Mirror                          *Mirror
	CORS                            *gatewayv1.HTTPCORSFilter
	// Extension is why a reference to a custom filter is not resolved. Requests that the filter would have seen answer 500.
	Extension *Problem
}

// Mirror is where copies of requests go. One whose Backend has a Problem goes nowhere: "If the referent cannot be found, this
// BackendRef is invalid and must be dropped from the Gateway." (HTTPRequestMirrorFilter.backendRef)
type Mirror struct {
	Backend Backend
	// Numerator of Denominator is the share of the requests; all with a denominator of 0.
	Numerator, Denominator uint32
}

// filterScope is what filters are built with: the namespace of their route, and the matches of their rule.
type filterScope struct {
	resolver  *resolver
	namespace string
	matches   []gatewayv1.HTTPRouteMatch
}

// buildFilters gives the filters in their order, and what is wrong with the first that cannot be served. Then none is of
// use. "If a reference to a custom filter type cannot be resolved, the filter MUST NOT be skipped." (HTTPRouteFilter)
func (s *filterScope) buildFilters(specs []gatewayv1.HTTPRouteFilter) ([]Filter, string) {
	if len(specs) == 0 {
		return nil, ""
	}
	filters := make([]Filter, len(specs))
	seen := map[gatewayv1.HTTPRouteFilterType]bool{}
	for i := range specs {
		at := fmt.Sprintf("filters[%d]", i)
		// "Specifying the same filter multiple times is not supported unless explicitly indicated in the filter."
		// (HTTPRouteRule.filters)
		if t := specs[i].Type; seen[t] && !mayRepeat(t) {
			return nil, fmt.Sprintf("%s.type: %s is there twice", at, t)
		}
		seen[specs[i].Type] = true
		// "All filters are expected to be compatible with each other except for the URLRewrite and RequestRedirect filters,
		// which may not be combined." (HTTPRouteRule.filters)
		if seen[gatewayv1.HTTPRouteFilterURLRewrite] && seen[gatewayv1.HTTPRouteFilterRequestRedirect] {
			return nil, at + ".type: URLRewrite and RequestRedirect may not be combined"
		}
		filter, problem := s.buildFilter(&specs[i])
		if problem != "" {
			return nil, at + problem
		}
		filters[i] = filter
	}
	return filters, ""
}

// buildFilter gives a filter, or what is wrong with it: the rest of the field's path, and why.
//
// "Unknown values here must result in the implementation setting the Accepted Condition for the Route to `status:
// False`, with a Reason of `UnsupportedValue`." (HTTPRouteFilter.type)
func (s *filterScope) buildFilter(spec *gatewayv1.HTTPRouteFilter) (Filter, string) {
	if _, served := filterFeatures[spec.Type]; !served {
		return Filter{}, fmt.Sprintf(".type: %q is not supported", spec.Type)
	}
	switch {
	case spec.Type == gatewayv1.HTTPRouteFilterRequestHeaderModifier && spec.RequestHeaderModifier != nil:
		return Filter{RequestHeaders: spec.RequestHeaderModifier},
			prefixed(".requestHeaderModifier", headerProblem(spec.RequestHeaderModifier, true))
	case spec.Type == gatewayv1.HTTPRouteFilterResponseHeaderModifier && spec.ResponseHeaderModifier != nil:
		return Filter{ResponseHeaders: spec.ResponseHeaderModifier},
			prefixed(".responseHeaderModifier", headerProblem(spec.ResponseHeaderModifier, false))
	case spec.Type == gatewayv1.HTTPRouteFilterRequestRedirect && spec.RequestRedirect != nil:
		return Filter{Redirect: spec.RequestRedirect}, prefixed(".requestRedirect", redirectProblem(spec.RequestRedirect, s.matches))
	case spec.Type == gatewayv1.HTTPRouteFilterURLRewrite && spec.URLRewrite != nil:
		return Filter{Rewrite: spec.URLRewrite}, prefixed(".urlRewrite", rewriteProblem(spec.URLRewrite, s.matches))
	case spec.Type == gatewayv1.HTTPRouteFilterExtensionRef && spec.ExtensionRef != nil:
		return Filter{Extension: extensionProblem(spec.ExtensionRef)}, ""
	case spec.Type == gatewayv1.HTTPRouteFilterCORS && spec.CORS != nil:
		return Filter{CORS: spec.CORS}, prefixed(".cors", corsProblem(spec.CORS))
	case spec.Type == gatewayv1.HTTPRouteFilterRequestMirror && spec.RequestMirror != nil:
		mirror, problem := s.buildMirror(spec.RequestMirror)
		return Filter{Mirror: mirror}, prefixed(".requestMirror", problem)
	}
	return Filter{}, fmt.Sprintf(".type: %s needs the field of that name", spec.Type)
}

// mayRepeat: of both types it is said that "this filter can be used multiple times within the same rule".
func mayRepeat(t gatewayv1.HTTPRouteFilterType) bool {
	return t == gatewayv1.HTTPRouteFilterRequestMirror || t == gatewayv1.HTTPRouteFilterExtensionRef
}

// extensionProblem says that a custom filter is of a kind that is not known, as all of them are: "used with the "ResolvedRefs"
// condition when one of the Route's rules has a reference to an unknown or unsupported Group and/or Kind"
// (RouteReasonInvalidKind).
func extensionProblem(ref *gatewayv1.LocalObjectReference) *Problem {
	return problem(gatewayv1.RouteReasonInvalidKind, "%s %q is not supported as a filter; no kind is", qualified(ref.Group, ref.Kind), ref.Name)
}

// refuses reports whether a filter stands in the way of all requests. "If a reference to a custom filter type cannot be
// resolved, the filter MUST NOT be skipped. Instead, requests that would have been processed by that filter MUST receive a
// HTTP error response." (HTTPRouteFilter.extensionRef)
func refuses(filters []Filter) bool {
	return slices.ContainsFunc(filters, func(f Filter) bool { return f.Extension != nil })
}

func prefixed(path, problem string) string {
	if problem == "" {
		return ""
	}
	return path + problem
}
