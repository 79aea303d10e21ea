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

package engine

import (
	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/stream"
)

// streamRoutes builds the table of the plan's stream routes, which come in the order of their precedence.
func (e *Engine) streamRoutes(before map[splitKey]splitState) *stream.Routes {
	routes := stream.NewRoutes()
	for i := range e.plan.StreamRoutes {
		planned := &e.plan.StreamRoutes[i]
		route := e.streamRoute(planned, before)
		for _, a := range planned.Attachments {
			routes.Add(a.Listener, a.Hostnames, route)
		}
	}
	return routes
}

func (e *Engine) streamRoute(planned *config.PlannedStreamRoute, before map[splitKey]splitState) *stream.Route {
	route := &stream.Route{Name: planned.Name}
	if len(planned.Shares) == 0 {
		return route
	}
	weights, names := make([]int, len(planned.Shares)), make([]string, len(planned.Shares))
	route.Shares = make([]int, len(planned.Shares))
	for i, share := range planned.Shares {
		weights[i], route.Shares[i] = share.Weight, stream.NoBackend
		if share.Backend != config.NoBackend {
			route.Shares[i], names[i] = share.Backend, e.plan.Backends[share.Backend].Name
		}
	}
	route.Split = e.split(splitKey{route: planned.Name}, weights, names, before)
	return route
}
