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
	"github.com/rauta-dev/rauta/proxy/datagram"
)

// datagramPorts gives the ports of the plan's listeners of UDP. Of several routes on one the first by precedence serves.
func datagramPorts(plan *config.Plan) []datagram.Port {
	shares := make(map[string][]datagram.Share)
	for i := range plan.StreamRoutes {
		route := &plan.StreamRoutes[i]
		for _, a := range route.Attachments {
			if _, taken := shares[a.Listener]; !taken {
				shares[a.Listener] = datagramShares(plan, route)
			}
		}
	}
	var ports []datagram.Port
	for i := range plan.Listeners {
		if l := &plan.Listeners[i]; l.Protocol == config.ProtocolUDP {
			ports = append(ports, datagram.Port{Number: l.Port, Shares: shares[l.Name]})
		}
	}
	return ports
}

func datagramShares(plan *config.Plan, route *config.PlannedStreamRoute) []datagram.Share {
	shares := make([]datagram.Share, len(route.Shares))
	for i, share := range route.Shares {
		shares[i].Weight = share.Weight
		if share.Backend == config.NoBackend {
			continue
		}
		b := &plan.Backends[share.Backend]
		shares[i].Backend = &datagram.Backend{
			Name: b.Name, LeastSessions: b.LeastRequest, MaxSessions: b.MaxConnections, Ready: b.Ready, Draining: b.Draining,
		}
	}
	return shares
}
