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

package admin

import (
	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/config"
)

func decodeStreamRoute(name string, r *adminv1.StreamRoute) *config.StreamRoute {
	route := &config.StreamRoute{Name: name, Origin: decodeOrigin(r.GetOrigin()), Unsupported: unknownHere(r)}
	var reason string
	if route.Attachments, reason = decodeAttachments(r.GetAttachments()); reason != "" {
		route.Unsupported = reason
	}
	for _, b := range r.GetBackends() {
		route.Backends = append(route.Backends, config.WeightedBackend{
			Backend: b.GetBackend(), Weight: b.GetWeight(), Filters: decodeFilters(b.GetFilters()),
		})
		if reason := unknown(b); reason != "" {
			route.Unsupported = "backends: " + reason
		}
	}
	return route
}
