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
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestOwnPorts(t *testing.T) {
	all := make([]ListenerPort, 0, maxPort)
	for port := defaultHealthPort; port <= maxPort; port++ {
		all = append(all, ListenerPort{Port: int32(port)})
	}
	cases := map[string]struct {
		reason               string
		listeners            []ListenerPort
		admin, health, peers int32
	}{
		"free": {
			reason:    "the documented numbers",
			listeners: []ListenerPort{{Port: 80}},
			admin:     19443, health: 19080, peers: 19444,
		},
		"admin wanted": {
			reason:    "a listener may have any port; the admin port gives way",
			listeners: []ListenerPort{{Port: 19443}, {Port: 19444}},
			admin:     19445, health: 19080, peers: 19446,
		},
		"health runs into admin": {
			reason: "they must not meet either",
			listeners: func() []ListenerPort {
				var ports []ListenerPort
				for port := int32(19080); port < 19443; port++ {
					ports = append(ports, ListenerPort{Port: port})
				}
				return ports
			}(),
			admin: 19443, health: 19444, peers: 19445,
		},
		"udp": {
			reason:    "a UDP listener that becomes a TCP one must not move the admin port",
			listeners: []ListenerPort{{Port: 19443, Protocol: corev1.ProtocolUDP}},
			admin:     19444, health: 19080, peers: 19445,
		},
		"all above taken": {
			reason:    "the search never leaves the range of ports",
			listeners: all,
			admin:     19079, health: 19078, peers: 19077,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			admin, health, peers := ownPorts(tc.listeners)
			if admin != tc.admin || health != tc.health || peers != tc.peers {
				t.Errorf("%s: got admin %d, health %d and peers %d, want %d, %d and %d",
					tc.reason, admin, health, peers, tc.admin, tc.health, tc.peers)
			}
		})
	}
}

func TestServicePorts(t *testing.T) {
	type port struct {
		Name     string
		Port     int32
		Protocol corev1.Protocol
	}
	cases := map[string]struct {
		reason    string
		listeners []ListenerPort
		want      []port
	}{
		"sorted": {
			reason:    "the order of listeners must not change the Service",
			listeners: []ListenerPort{{Name: "tls", Port: 443}, {Name: "http", Port: 80}},
			want:      []port{{"http", 80, "TCP"}, {"tls", 443, "TCP"}},
		},
		"not a label": {
			reason:    "a listener's name may hold dots, a port's not",
			listeners: []ListenerPort{{Name: "http.public", Port: 80}},
			want:      []port{{"port-80", 80, "TCP"}},
		},
		"same name": {
			reason:    "a Service's port names are unique",
			listeners: []ListenerPort{{Name: "dns", Port: 53}, {Name: "dns", Port: 53, Protocol: "UDP"}, {Name: "port-53", Port: 54}},
			want:      []port{{"dns", 53, "TCP"}, {"port-53", 53, "UDP"}, {"port-54", 54, "TCP"}},
		},
		"repeated": {
			reason:    "two listeners on one port are one port",
			listeners: []ListenerPort{{Name: "a", Port: 80}, {Name: "b", Port: 80, Protocol: "TCP"}},
			want:      []port{{"a", 80, "TCP"}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []port
			for _, p := range servicePorts(tc.listeners) {
				got = append(got, port{p.name, p.Port, p.Protocol})
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}
