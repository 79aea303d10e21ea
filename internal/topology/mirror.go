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
)

// buildMirror gives a mirror, or what is wrong with its share: the rest of the field's path, and why. A reference that is not
// resolved is said in the mirror.
//
// "Only one of Fraction or Percent may be specified. If neither field is specified, 100% of requests will be mirrored."
// (HTTPRequestMirrorFilter.percent)
func (s *filterScope) buildMirror(spec *gatewayv1.HTTPRequestMirrorFilter) (*Mirror, string) {
	m := &Mirror{Backend: s.resolver.resolve(s.namespace, &gatewayv1.BackendRef{BackendObjectReference: spec.BackendRef})}
	switch {
	case spec.Percent != nil && spec.Fraction != nil:
		return nil, ".fraction: only one of percent and fraction may be given"
	case spec.Percent != nil:
		if *spec.Percent < 0 || *spec.Percent > 100 {
			return nil, fmt.Sprintf(".percent: %d is not between 0 and 100", *spec.Percent)
		}
		m.Numerator, m.Denominator = uint32(*spec.Percent), 100
	case spec.Fraction != nil:
		denominator := int32(100) // The API's default.
		if spec.Fraction.Denominator != nil {
			denominator = *spec.Fraction.Denominator
		}
		if denominator < 1 || spec.Fraction.Numerator < 0 || spec.Fraction.Numerator > denominator {
			return nil, fmt.Sprintf(".fraction: %d of %d is no share", spec.Fraction.Numerator, denominator)
		}
		m.Numerator, m.Denominator = uint32(spec.Fraction.Numerator), uint32(denominator)
	}
	return m, ""
}

// Mirrors gives the backends of the rule's mirrors, and of those of its backendRefs, in a fixed order.
func (r *Rule) Mirrors(yield func(*Backend) bool) {
	each := func(filters []Filter) bool {
		for i := range filters {
			if filters[i].Mirror != nil && !yield(&filters[i].Mirror.Backend) {
				return false
			}
		}
		return true
	}
	if !each(r.Filters) {
		return
	}
	for i := range r.Backends {
		if !each(r.Backends[i].Filters) {
			return
		}
	}
}

// unresolved gives the reference of a filter that is not resolved, and why; nil when there is none.
func (f *Filter) unresolved() (at string, problem *Problem) {
	if f.Extension != nil {
		return "extensionRef", f.Extension
	}
	if f.Mirror != nil {
		return "requestMirror.backendRef", f.Mirror.Backend.Problem
	}
	return "", nil
}
