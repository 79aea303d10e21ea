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

package manifest

import (
	"cmp"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// The proxy's ports beside its listeners', where no listener wants the number.
const (
	defaultAdminPort  = 19443
	defaultHealthPort = 19080
	defaultPeersPort  = 19444
)

// The names of these ports in the container.
const (
	adminPortName  = "admin"
	healthPortName = "health"
	peersPortName  = "peers"
)

const maxPort = 65535

// ownPorts chooses the admin, the health and the peers' port: the default, or the next number upwards that no listener wants and
// that is none of the others. UDP listeners count too, so that a change of protocol moves nothing.
func ownPorts(listeners []ListenerPort) (admin, health, peers int32) {
	taken := make(map[int32]bool, len(listeners)+3)
	for _, l := range listeners {
		taken[l.Port] = true
	}
	for _, own := range []struct {
		port  *int32
		usual int32
	}{{&admin, defaultAdminPort}, {&health, defaultHealthPort}, {&peers, defaultPeersPort}} {
		*own.port = nextFree(own.usual, taken)
		taken[*own.port] = true
	}
	return admin, health, peers
}

// nextFree is the first number from start on that is not taken. A Gateway has at most 64 listeners (and their sets a few
// hundred), so there always is one; past the last port the search goes on from start downwards all the same.
func nextFree(start int32, taken map[int32]bool) int32 {
	for p := start; p <= maxPort; p++ {
		if !taken[p] {
			return p
		}
	}
	for p := start - 1; p > 1024; p-- {
		if !taken[p] {
			return p
		}
	}
	return start
}

// servicePort is a port of the Service with its final name.
type servicePort struct {
	ListenerPort
	name string
}

// servicePorts sorts the listeners' ports by number and protocol, drops repetitions, and names them: after their
// listener where that is a free DNS label, else port-<number>.
func servicePorts(listeners []ListenerPort) []servicePort {
	sorted := slices.Clone(listeners)
	for i := range sorted {
		sorted[i].Protocol = cmp.Or(sorted[i].Protocol, corev1.ProtocolTCP)
	}
	slices.SortStableFunc(sorted, func(a, b ListenerPort) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Protocol, b.Protocol))
	})
	sorted = slices.CompactFunc(sorted, func(a, b ListenerPort) bool {
		return a.Port == b.Port && a.Protocol == b.Protocol
	})

	used := make(map[string]bool, len(sorted))
	ports := make([]servicePort, 0, len(sorted))
	for _, l := range sorted {
		name := l.Name
		if !isLabel(name) || used[name] {
			name = uniquePortName(l, used)
		}
		used[name] = true
		ports = append(ports, servicePort{ListenerPort: l, name: name})
	}
	return ports
}

// uniquePortName is port-<number>, with more behind it as long as a listener carries just that name.
func uniquePortName(l ListenerPort, used map[string]bool) string {
	name := "port-" + strconv.Itoa(int(l.Port))
	for used[name] {
		name += "-x"
	}
	return name
}

// AdminPort is the container port of the admin API in a Deployment that was rendered earlier; 0 where it has none.
func AdminPort(deployment *appsv1.Deployment) int32 {
	for _, container := range deployment.Spec.Template.Spec.Containers {
		for _, port := range container.Ports {
			if port.Name == adminPortName {
				return port.ContainerPort
			}
		}
	}
	return 0
}
