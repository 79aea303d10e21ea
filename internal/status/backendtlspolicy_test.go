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

package status

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

func ancestorLines(status gatewayv1.PolicyStatus) []string {
	all := []string{}
	for _, entry := range status.Ancestors {
		all = append(all, fmt.Sprintf("%s %s: %s", entry.ControllerName, entry.AncestorRef.Name, lines(entry.Conditions)))
	}
	return all
}

func TestBackendTLSPolicy(t *testing.T) {
	const (
		world = `
kind: Gateway
metadata: {namespace: shop, name: web}
spec: {gatewayClassName: rauta, listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: Service
metadata: {namespace: shop, name: cart}
spec: {ports: [{name: web, port: 80}]}
---
kind: HTTPRoute
metadata: {namespace: shop, name: cart}
spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: cart, port: 80}]}]}
---
kind: BackendTLSPolicy
metadata: {namespace: shop, name: p, generation: 2}
spec: {targetRefs: [{group: "", kind: Service, name: cart}], validation: {hostname: cart.test, wellKnownCACertificates: System}}
status: {ancestors: [ENTRIES]}
`
		fine = "Accepted=True/Accepted@2 ResolvedRefs=True/ResolvedRefs@2"
	)
	entry := func(controller, ref string, generation int) string {
		return fmt.Sprintf(`{controllerName: %q, ancestorRef: %s, conditions: [{type: Accepted, status: "True", reason: Accepted, message: old, observedGeneration: %d, lastTransitionTime: "2026-01-02T03:04:05Z"}]}`, controller, ref, generation)
	}
	var many []string
	for i := range topology.MaxAncestors {
		many = append(many, entry(theirs, fmt.Sprintf("{name: g%d}", i), 1))
	}
	cases := map[string]struct {
		reason   string
		entries  []string
		want     []string // nil: as it was
		detached []string
	}{
		"new":          {reason: "an entry for the Gateway", want: []string{ours + " web: " + fine}, detached: []string{}},
		"another's":    {reason: "entries of other controllers stay, also for this Gateway", entries: []string{entry(theirs, "{name: web}", 1)}, want: []string{theirs + " web: Accepted=True/Accepted@1", ours + " web: " + fine}, detached: []string{theirs + " web: Accepted=True/Accepted@1"}},
		"another Gate": {reason: "so do our own for other Gateways", entries: []string{entry(ours, "{name: web, namespace: bank}", 1)}, want: []string{ours + " web: Accepted=True/Accepted@1", ours + " web: " + fine}, detached: []string{ours + " web: Accepted=True/Accepted@1"}},
		"old":          {reason: "the own entry follows the generation, in its place", entries: []string{entry(ours, "{name: web}", 1), entry(theirs, "{name: x}", 1)}, want: []string{ours + " web: " + fine, theirs + " x: Accepted=True/Accepted@1"}, detached: []string{theirs + " x: Accepted=True/Accepted@1"}},
		"renewed": {
			reason:  "what is said only while it is so goes with it",
			entries: []string{strings.Replace(entry(ours, "{name: web}", 1), "type: Accepted", "type: rauta.dev/InvalidCertificate", 1)},
			want:    []string{ours + " web: " + fine}, detached: []string{},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			built := topology.Build(topologytest.Parse(t, strings.Replace(world, "ENTRIES", strings.Join(c.entries, ", "), 1)).Input)
			policy := &built.BackendTLSPolicies[0]
			first := BackendTLSPolicy(policy, built, time.Now())
			if diff := cmp.Diff(c.want, ancestorLines(first)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			policy.Object = policy.Object.DeepCopy()
			policy.Object.Status = first
			if again := BackendTLSPolicy(policy, built, time.Now().Add(time.Hour)); !sameSlice(again.Ancestors, first.Ancestors) {
				t.Errorf("%s: a status that says so already is written again", c.reason)
			}
			detached := BackendTLSPolicyDetached(policy.Object, ours, types.NamespacedName{Namespace: "shop", Name: "web"})
			if diff := cmp.Diff(c.detached, ancestorLines(detached)); diff != "" {
				t.Errorf("%s: detached (-want +got):\n%s", c.reason, diff)
			}
		})
	}
	built := topology.Build(topologytest.Parse(t, strings.Replace(world, "ENTRIES", "", 1)).Input)
	policy := built.BackendTLSPolicies[0]
	policy.Object = topologytest.Parse(t, strings.Replace(world, "ENTRIES", strings.Join(many, ", "), 1)).BackendTLSPolicies[0]
	if full := BackendTLSPolicy(&policy, built, time.Now()); !sameSlice(full.Ancestors, policy.Object.Status.Ancestors) {
		t.Error("a full status gets no further entry")
	}
}
