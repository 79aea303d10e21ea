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
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// hostnameFeatures are those of listeners that tell requests apart.
var hostnameFeatures = []features.FeatureName{
	features.SupportGatewayHTTPListenerIsolation,
}

// intersecting gives those of a route's hostnames that intersect with a listener's, as the route has them, and whether
// the route matches the listener at all. A listener or a route without hostnames takes any.
//
// "If both the Listener and HTTPRoute have specified hostnames, any HTTPRoute hostnames that do not match the Listener
// hostname MUST be ignored." (HTTPRouteSpec.hostnames)
func intersecting(listener string, route []gatewayv1.Hostname) (hostnames []string, ok bool) {
	if len(route) == 0 {
		return nil, true
	}
	for _, hostname := range route {
		if listener == "" || intersect(listener, string(hostname)) {
			hostnames = append(hostnames, string(hostname))
		}
	}
	return hostnames, len(hostnames) > 0
}

// intersect reports whether some name matches both hostnames, each exact or "*.suffix".
//
// "Hostnames that are prefixed with a wildcard label (`*.`) are interpreted as a suffix match. That means that a match
// for `*.example.com` would match both `test.example.com`, and `foo.test.example.com`, but not `example.com`."
func intersect(a, b string) bool {
	if a == b {
		return true
	}
	return covers(a, b) || covers(b, a)
}

// covers reports whether the wildcard matches everything that the other hostname, exact or a longer wildcard, matches.
func covers(wildcard, other string) bool {
	suffix, ok := strings.CutPrefix(wildcard, "*")
	if !ok {
		return false
	}
	return strings.HasSuffix(strings.TrimPrefix(other, "*"), suffix)
}
