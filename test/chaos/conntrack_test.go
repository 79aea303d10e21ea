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

package main

import (
	"net/netip"
	"testing"
)

func TestReplicaIn(t *testing.T) {
	const list = `ipv4     2 tcp      6 86396 ESTABLISHED src=127.0.0.1 dst=127.0.0.1 sport=56942 dport=2379 src=127.0.0.1 dst=127.0.0.1 sport=2379 dport=56942 [ASSURED] mark=0 zone=0 use=2
ipv4     2 tcp      6 57 SYN_SENT src=198.18.0.2 dst=198.18.1.1 sport=40001 dport=80 [UNREPLIED] src=198.19.64.7 dst=198.18.0.2 sport=80 dport=40001 mark=0 zone=0 use=2
ipv4     2 tcp      6 86396 ESTABLISHED src=198.18.0.2 dst=198.18.1.1 sport=4000 dport=443 src=198.19.64.8 dst=198.18.0.2 sport=443 dport=4000 [ASSURED] mark=0 zone=0 use=2
`
	cases := map[string]struct {
		reason string
		port   uint16
		to     string
		want   string
	}{
		"Established": {"the pod is who answers", 4000, "198.18.1.1:443", "198.19.64.8"},
		"Unanswered":  {"a pod that says nothing is known too", 40001, "198.18.1.1:80", "198.19.64.7"},
		"OtherPort":   {"the port must be the whole port", 4000, "198.18.1.1:80", ""},
		"OtherPlace":  {"a port is one of many to other places", 40001, "198.18.1.2:80", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := replicaIn([]byte(list), tc.port, netip.MustParseAddrPort(tc.to))
			if want, _ := netip.ParseAddr(tc.want); got != want {
				t.Errorf("%s: got %s, want %s", tc.reason, got, want)
			}
		})
	}
}
