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
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// Timeouts of a rule; 0 for none: "Setting a timeout to the zero duration (e.g. "0s") SHOULD disable the timeout
// completely." (HTTPRouteTimeouts)
type Timeouts struct {
	Request, BackendRequest time.Duration
}

var timeoutFeatures = []features.FeatureName{
	features.SupportHTTPRouteBackendTimeout,
	features.SupportHTTPRouteRequestTimeout,
}

// buildTimeouts gives the timeouts of a rule, or what is wrong with them.
func buildTimeouts(spec *gatewayv1.HTTPRouteTimeouts) (*Timeouts, string) {
	if spec == nil {
		return nil, ""
	}
	t := &Timeouts{}
	for _, given := range []struct {
		name string
		from *gatewayv1.Duration
		to   *time.Duration
	}{
		{"request", spec.Request, &t.Request},
		{"backendRequest", spec.BackendRequest, &t.BackendRequest},
	} {
		if given.from == nil {
			continue
		}
		parsed, ok := duration(*given.from)
		if !ok {
			return nil, fmt.Sprintf("timeouts.%s: %q is not a duration", given.name, *given.from)
		}
		*given.to = parsed
	}
	// "the value of BackendRequest must be no more than the value of the Request timeout" (HTTPRouteTimeouts.backendRequest)
	if t.Request > 0 && t.BackendRequest > t.Request {
		return nil, fmt.Sprintf("timeouts.backendRequest: %s is longer than request", *spec.BackendRequest)
	}
	return t, ""
}

// duration reads one of GEP-2257, which is a subset of Go's.
func duration(text gatewayv1.Duration) (time.Duration, bool) {
	parsed, err := time.ParseDuration(string(text))
	return parsed, err == nil && parsed >= 0
}
