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
	_ "embed"
	"fmt"
	"strings"
)

// dnsManifest is the cluster's DNS server; its Service has dnsAddress, its image corednsImage.
//
//go:embed dns.yaml
var dnsManifest string

// applyDNS installs the DNS server. Validation would only fetch the API's schema for a manifest that never changes.
func (s *supervisor) applyDNS(ctx context.Context) error {
	cmd := s.command(ctx, "kubectl", "create", "--validate=false", "-f", "-")
	cmd.Stdin = strings.NewReader(dnsManifest)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("installing the cluster's DNS: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
