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
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// setUpNetwork makes the node's network in this process's network namespace: a bridge without ports carries the node's
// address and the default route. A packet to any cluster address (a Service, a load balancer's) needs only some route to
// be sent at all; kube-proxy's rules then send it to a pod. What is for the rest of the world ends at the bridge.
func setUpNetwork() error {
	steps := []string{
		"link set lo up",
		"link add node0 type bridge",
		"addr add " + nodeAddress + nodePrefix + " dev node0",
		"link set node0 up",
		"route add default via " + nodeGateway + " dev node0",
	}
	for _, step := range steps {
		if out, err := exec.Command("ip", strings.Fields(step)...).CombinedOutput(); err != nil {
			return fmt.Errorf("running ip %s: %w: %s", step, err, strings.TrimSpace(string(out)))
		}
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("forwarding between pods: %w", err)
	}
	return nil
}

// podNetwork is the CNI configuration. Pods hang on routed point-to-point links, not on a bridge: packets between pods
// of one node then always pass the node's rules, so that the answer of a Service is translated back without the kernel's
// bridge filter module.
func podNetwork() string {
	return fmt.Sprintf(`{
  "cniVersion": "1.0.0",
  "name": "pods",
  "plugins": [{
    "type": "ptp",
    "mtu": 1500,
    "ipMasq": false,
    "ipam": {"type": "host-local", "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}
  }]
}
`, podRange)
}
