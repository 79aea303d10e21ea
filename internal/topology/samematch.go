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
	"hash/maphash"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// mixed spreads the bits of a sum, so that sums of parts tell which part is which.
func mixed(sum uint64) uint64 {
	sum ^= sum >> 32
	sum *= 0x9e3779b97f4a7c15
	return sum ^ sum>>29
}

// matchSum is equal for matches that take the same requests as written: the order of headers and parameters has no meaning.
func (s *shadows) matchSum(match *gatewayv1.HTTPRouteMatch) uint64 {
	pathType, path := comparedPath(match)
	s.text = append(append(append(s.text[:0], pathType...), path...), 0)
	if match.Method != nil {
		s.text = append(s.text, *match.Method...)
	}
	sum := maphash.Bytes(s.seed, s.text)
	for i := range match.Headers {
		if firstHeader(match.Headers, i) {
			s.text = appendLower(append(s.text[:0], 'h'), string(match.Headers[i].Name))
			s.text = append(append(s.text, 0), match.Headers[i].Value...)
			sum += mixed(maphash.Bytes(s.seed, s.text))
		}
	}
	for i := range match.QueryParams {
		if firstParam(match.QueryParams, i) {
			s.text = append(append(s.text[:0], 'q'), match.QueryParams[i].Name...)
			s.text = append(append(s.text, 0), match.QueryParams[i].Value...)
			sum += mixed(maphash.Bytes(s.seed, s.text))
		}
	}
	return sum
}

// appendLower appends a name of ASCII in lower case.
func appendLower(to []byte, name string) []byte {
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

// sameMatch reports whether two matches take the same requests as written.
func sameMatch(a, b *gatewayv1.HTTPRouteMatch) bool {
	typeA, pathA := comparedPath(a)
	typeB, pathB := comparedPath(b)
	if typeA != typeB || pathA != pathB || methodOf(a) != methodOf(b) {
		return false
	}
	return sameHeaders(a.Headers, b.Headers) && sameHeaders(b.Headers, a.Headers) &&
		sameParams(a.QueryParams, b.QueryParams) && sameParams(b.QueryParams, a.QueryParams)
}

// comparedPath is a match's path with the API's defaults. "When specified, a trailing `/` is ignored." (PathMatchPathPrefix)
func comparedPath(match *gatewayv1.HTTPRouteMatch) (gatewayv1.PathMatchType, string) {
	pathType, value := gatewayv1.PathMatchPathPrefix, "/"
	if match.Path != nil && match.Path.Type != nil {
		pathType = *match.Path.Type
	}
	if match.Path != nil && match.Path.Value != nil {
		value = *match.Path.Value
	}
	if pathType == gatewayv1.PathMatchPathPrefix {
		value = strings.TrimSuffix(value, "/")
	}
	return pathType, value
}

func methodOf(match *gatewayv1.HTTPRouteMatch) gatewayv1.HTTPMethod {
	if match.Method == nil {
		return ""
	}
	return *match.Method
}

// firstHeader: "If multiple entries specify equivalent header names, only the first entry with an equivalent name MUST be
// considered for a match." (HTTPHeaderMatch.name)
func firstHeader(headers []gatewayv1.HTTPHeaderMatch, i int) bool {
	for j := range i {
		if strings.EqualFold(string(headers[j].Name), string(headers[i].Name)) {
			return false
		}
	}
	return true
}

func firstParam(params []gatewayv1.HTTPQueryParamMatch, i int) bool {
	for j := range i {
		if params[j].Name == params[i].Name {
			return false
		}
	}
	return true
}

// sameHeaders reports whether the second list asks for all that the first does.
func sameHeaders(a, b []gatewayv1.HTTPHeaderMatch) bool {
	for i := range a {
		if !firstHeader(a, i) {
			continue
		}
		found := false
		for j := range b {
			if strings.EqualFold(string(a[i].Name), string(b[j].Name)) && firstHeader(b, j) {
				found = a[i].Value == b[j].Value && expression(a[i].Type) == expression(b[j].Type)
			}
		}
		if !found {
			return false
		}
	}
	return true
}

func sameParams(a, b []gatewayv1.HTTPQueryParamMatch) bool {
	for i := range a {
		if !firstParam(a, i) {
			continue
		}
		found := false
		for j := range b {
			if a[i].Name == b[j].Name && firstParam(b, j) {
				found = a[i].Value == b[j].Value && expression(a[i].Type) == expression(b[j].Type)
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// expression reports whether a match of a header or parameter is one; their types have the same values.
func expression[T ~string](matchType *T) bool {
	return matchType != nil && string(*matchType) == string(gatewayv1.HeaderMatchRegularExpression)
}
