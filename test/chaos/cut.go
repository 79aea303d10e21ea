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
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
)

// cut drops packets in the network namespace of a process, until it is healed. With addresses, those to and from them alone.
func cut(ctx context.Context, pid int, addresses ...netip.Addr) error {
	names := make([]string, 0, len(addresses))
	for _, address := range addresses {
		names = append(names, address.String())
	}
	from, to := "drop", "drop"
	if len(names) > 0 {
		set := "{ " + strings.Join(names, ", ") + " }"
		from, to = "ip saddr "+set+" drop", "ip daddr "+set+" drop"
	}
	return rules(ctx, pid, fmt.Sprintf(`table inet chaos {
	chain in { type filter hook input priority -10; policy accept; %s; }
	chain out { type filter hook output priority -10; policy accept; %s; }
}
`, from, to))
}

// heal ends a cut. It does so also when the program is about to end.
func heal(ctx context.Context, pid int) error {
	return rules(context.WithoutCancel(ctx), pid, "delete table inet chaos\n")
}

func rules(ctx context.Context, pid int, text string) error {
	cmd := exec.CommandContext(ctx, "nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", pid), "nft", "-f", "-") //nolint:gosec // a process of the cluster
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("change the packet filter of process %d: %w: %s", pid, err, out)
	}
	return nil
}
