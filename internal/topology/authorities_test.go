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

package topology_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// Authorities that have ended vouch for nobody: of clients, which the listener says, and of endpoints, which the policy says.
func TestAuthoritiesOutOfTheirTime(t *testing.T) {
	to := time.Date(2026, time.July, 1, 0, 0, 0, 0, time.UTC)
	sooner, _ := topologytest.KeyPairBetween(t, to.Add(-48*time.Hour), to.Add(-24*time.Hour), "a.test")
	later, _ := topologytest.KeyPairBetween(t, to.Add(-48*time.Hour), to, "a.test")
	chain, key := topologytest.KeyPairBetween(t, to.Add(-480*time.Hour), to.Add(24*365*time.Hour), "a.test")
	bundle := func(name string, content []byte) string {
		return fmt.Sprintf("kind: ConfigMap\nmetadata: {namespace: shop, name: %s}\ndata: {ca.crt: %q}", name, content)
	}
	const (
		both     = `[{group: "", kind: ConfigMap, name: sooner}, {group: "", kind: ConfigMap, name: later}]`
		listener = "the Gateway's spec.tls.frontend.default.validation.caCertificateRefs: the last of its certificate authorities expired at 2026-07-01T00:00:00Z, so that no client can prove itself"
		policy   = "spec.validation.caCertificateRefs: the last of its certificate authorities expired at 2026-07-01T00:00:00Z, so that no endpoint can prove itself; requests answer 502"
	)
	world := topologytest.Parse(t,
		"kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {gatewayClassName: rauta, tls: {frontend: {default: {validation: {caCertificateRefs: "+both+"}}}}, listeners: [{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}]}",
		topologytest.Secret("shop", "tls", chain, key), bundle("sooner", sooner), bundle("later", later),
		"kind: Service\nmetadata: {namespace: shop, name: bank}\nspec: {ports: [{port: 443}]}",
		`{kind: BackendTLSPolicy, metadata: {namespace: shop, name: p}, spec: {targetRefs: [{group: "", kind: Service, name: bank}], validation: {hostname: bank.test, caCertificateRefs: `+both+"}}}",
		"kind: HTTPRoute\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: bank, port: 443}]}]}")
	cases := map[string]struct {
		reason           string
		now              time.Time
		listener, policy string
		changes          time.Time
	}{
		"valid":                {reason: "nothing to say", now: to.Add(-30 * time.Hour), changes: to},
		"one of two":           {reason: "a bundle may keep what it no longer needs", now: to.Add(-time.Hour), changes: to},
		"in its last moment":   {reason: "a certificate is valid until that time, and at it", now: to, changes: to},
		"all of them":          {reason: "everybody is refused, which nobody sees from here", now: to.Add(time.Second), listener: "Expired " + listener, policy: "Expired " + policy, changes: to.Add(24 * 365 * time.Hour)},
		"at no time":           {reason: "who does not say what time it is wants to hear nothing of it"},
		"what is shown, later": {reason: "that has its own time", now: to.Add(24 * time.Hour), listener: "Expired " + listener, policy: "Expired " + policy, changes: to.Add(24 * 365 * time.Hour)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world.Now = c.now
			built := topology.Build(world.Input)
			said := func(d *topology.Decision) string {
				if d == nil {
					return ""
				}
				return d.Reason + " " + d.Message
			}
			if diff := cmp.Diff([]string{c.listener, c.policy}, []string{said(built.Own[0].InvalidCertificate), said(built.BackendTLSPolicies[0].InvalidCertificate)}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if !built.Changes.Equal(c.changes) {
				t.Errorf("%s: changes at %s, want %s", c.reason, built.Changes, c.changes)
			}
			if !built.Own[0].Served() || !built.BackendTLSPolicies[0].Accepted.True() {
				t.Error("what is asked for stays asked for")
			}
		})
	}
}
