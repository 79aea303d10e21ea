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

// redirectStatuses are those that a redirect may have, with the features that they implement beside the core.
var redirectStatuses = map[int][]features.FeatureName{
	301: nil,
	302: nil,
	303: {features.SupportHTTPRoute303RedirectStatusCode},
	307: {features.SupportHTTPRoute307RedirectStatusCode},
	308: {features.SupportHTTPRoute308RedirectStatusCode},
}

// redirectProblem says what is wrong with a redirect, and where in it.
//
// "Unknown values here must result in the implementation setting the Accepted Condition for the Route to `status:
// False`, with a Reason of `UnsupportedValue`." (HTTPRequestRedirectFilter.scheme and .statusCode)
func redirectProblem(f *gatewayv1.HTTPRequestRedirectFilter, matches []gatewayv1.HTTPRouteMatch) string {
	if f.Scheme != nil && *f.Scheme != "http" && *f.Scheme != "https" {
		return fmt.Sprintf(".scheme: %q is not supported; supported are http and https", *f.Scheme)
	}
	if problem := hostnameProblem(f.Hostname); problem != "" {
		return problem
	}
	if f.Port != nil && (*f.Port < 1 || *f.Port > 65535) {
		return fmt.Sprintf(".port: %d is not between 1 and 65535", *f.Port)
	}
	if f.StatusCode != nil {
		if _, known := redirectStatuses[*f.StatusCode]; !known {
			return fmt.Sprintf(".statusCode: %d is not supported; supported are 301, 302, 303, 307 and 308", *f.StatusCode)
		}
	}
	return prefixed(".path", modifierProblem(f.Path, matches))
}

func rewriteProblem(f *gatewayv1.HTTPURLRewriteFilter, matches []gatewayv1.HTTPRouteMatch) string {
	if problem := hostnameProblem(f.Hostname); problem != "" {
		return problem
	}
	return prefixed(".path", modifierProblem(f.Path, matches))
}

func hostnameProblem(hostname *gatewayv1.PreciseHostname) string {
	if hostname == nil || *hostname == "" || isHostname(string(*hostname)) {
		return ""
	}
	return fmt.Sprintf(".hostname: %q is not a hostname in lower case without a wildcard", *hostname)
}

// modifierProblem: "ReplacePrefixMatch is only compatible with a `PathPrefix` HTTPRouteMatch. Using any other HTTPRouteMatch
// type on the same HTTPRouteRule will result in the implementation setting the Accepted Condition for the Route to
// `status: False`." (HTTPPathModifier.replacePrefixMatch)
func modifierProblem(m *gatewayv1.HTTPPathModifier, matches []gatewayv1.HTTPRouteMatch) string {
	switch {
	case m == nil:
		return ""
	case m.Type == gatewayv1.FullPathHTTPPathModifier && m.ReplaceFullPath != nil:
		return prefixed(".replaceFullPath: ", replacementProblem(*m.ReplaceFullPath))
	case m.Type != gatewayv1.PrefixMatchHTTPPathModifier && m.Type != gatewayv1.FullPathHTTPPathModifier:
		return fmt.Sprintf(".type: %q is not supported; supported are ReplaceFullPath and ReplacePrefixMatch", m.Type)
	case m.Type == gatewayv1.FullPathHTTPPathModifier || m.ReplacePrefixMatch == nil:
		return fmt.Sprintf(".type: %s needs the field of that name", m.Type)
	}
	for i := range matches {
		if !isPrefix(matches[i].Path) || prefixOf(matches[i].Path) != prefixOf(matches[0].Path) {
			return ".replacePrefixMatch: the matches of the rule must be one PathPrefix"
		}
	}
	return prefixed(".replacePrefixMatch: ", replacementProblem(*m.ReplacePrefixMatch))
}

func isPrefix(path *gatewayv1.HTTPPathMatch) bool {
	return path == nil || path.Type == nil || *path.Type == gatewayv1.PathMatchPathPrefix
}

// prefixOf is the prefix of a match, "/" being the default, without its trailing slash.
func prefixOf(path *gatewayv1.HTTPPathMatch) string {
	if path == nil || path.Value == nil {
		return ""
	}
	return strings.TrimSuffix(*path.Value, "/")
}

// replacementProblem says why a path cannot stand in the place of another: it may hold what a path may (RFC 3986 section
// 3.3), and nothing that proxy and backend could read in two ways.
func replacementProblem(path string) string {
	switch {
	case path == "":
		return ""
	case len(path) > 1024:
		return fmt.Sprintf("has %d bytes, at most 1024 are allowed", len(path))
	case path[0] != '/' || strings.Contains(path, "//"):
		return fmt.Sprintf("%q must begin with \"/\" and not contain \"//\"", path)
	case !isPath(path):
		return fmt.Sprintf("%q holds what has to be percent-encoded in a path", path)
	}
	plain := strings.NewReplacer("%2e", ".", "%2E", ".", "%2f", "/", "%2F", "/", "%5c", "/", "%5C", "/").Replace(path)
	for segment := range strings.SplitSeq(plain, "/") {
		if segment == "." || segment == ".." {
			return fmt.Sprintf("%q has segments of dots", path)
		}
	}
	return ""
}

func isPath(path string) bool {
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', strings.IndexByte("/-._~!$&'()*+,;=:@", c) >= 0:
		case c == '%' && i+2 < len(path) && strings.Trim(path[i+1:i+3], "0123456789abcdefABCDEF") == "":
			i += 2
		default:
			return false
		}
	}
	return true
}
