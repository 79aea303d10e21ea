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
	"strconv"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// corsProblem says what is wrong with a CORS filter, and where in it.
func corsProblem(f *gatewayv1.HTTPCORSFilter) string {
	for i, origin := range f.AllowOrigins {
		if !isOrigin(string(origin)) || origin == "*" && len(f.AllowOrigins) > 1 {
			return fmt.Sprintf(".allowOrigins[%d]: %q is no origin, nor \"*\" alone", i, origin)
		}
	}
	for i, method := range f.AllowMethods {
		if !isToken(string(method)) || method == "*" && len(f.AllowMethods) > 1 {
			return fmt.Sprintf(".allowMethods[%d]: %q is no method, nor \"*\" alone", i, method)
		}
	}
	for _, list := range []struct {
		name  string
		names []gatewayv1.HTTPHeaderName
	}{{"allowHeaders", f.AllowHeaders}, {"exposeHeaders", f.ExposeHeaders}} {
		for i, name := range list.names {
			if !isToken(string(name)) || name == "*" && len(list.names) > 1 {
				return fmt.Sprintf(".%s[%d]: %q is no header name, nor \"*\" alone", list.name, i, name)
			}
		}
	}
	if f.MaxAge < 0 {
		return fmt.Sprintf(".maxAge: %d is less than 1", f.MaxAge)
	}
	return ""
}

// isOrigin: "takes the form `<scheme>://<host>(:<port>)`. Valid values for scheme are: `http` and `https`. [...] The host
// part of the origin may contain the wildcard character `*`." (HTTPCORSFilter.allowOrigins) The schema lets it stand in the
// place of a host and of its first labels.
func isOrigin(origin string) bool {
	if origin == "*" {
		return true
	}
	scheme, authority, found := strings.Cut(strings.ToLower(origin), "://")
	if !found || scheme != "http" && scheme != "https" {
		return false
	}
	host, port, given := strings.Cut(authority, ":")
	if number, err := strconv.ParseUint(port, 10, 16); given && (err != nil || number == 0) {
		return false
	}
	return host == "*" || isHostname(strings.TrimPrefix(host, "*."))
}
