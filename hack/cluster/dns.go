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
	"net"
	"strings"
	"time"
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

// dnsAnswers is a condition: the DNS server knows the API server's Service, and is reached under its Service address.
func dnsAnswers(ctx context.Context) error {
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(dnsAddress, "53"))
	}}
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond) // a lost query is not worth the resolver's patience
	defer cancel()
	addresses, err := resolver.LookupHost(ctx, "kubernetes.default.svc."+clusterDomain+".")
	if err != nil {
		return err
	}
	if len(addresses) != 1 || addresses[0] != firstService {
		return fmt.Errorf("the kubernetes Service resolves to %v, want %s", addresses, firstService)
	}
	return nil
}
