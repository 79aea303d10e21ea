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
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

const (
	bank = `
kind: Service
metadata: {namespace: shop, name: bank}
spec: {ports: [{name: one, port: 443}, {name: two, port: 444, appProtocol: HTTPS}, {name: sockets, port: 445, appProtocol: kubernetes.io/wss}, {name: h2c, port: 446, appProtocol: kubernetes.io/h2c}]}
`
	toBank = `{parentRefs: [{name: web}], rules: [{backendRefs: [{name: bank, port: 443}]}]}`
	// all ports of the Service bank, and the authorities of ConfigMap ca.
	allOfBank = `targetRefs: [{group: "", kind: Service, name: bank}]`
	oneOfBank = `targetRefs: [{group: "", kind: Service, name: bank, sectionName: one}]`
	byCA      = `validation: {hostname: bank.test, caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}`
)

// policyOf is a BackendTLSPolicy; what comes first by name is not what comes first by age.
func policyOf(name, created, fields string) string {
	return fmt.Sprintf("kind: BackendTLSPolicy\nmetadata: {namespace: shop, name: %s, creationTimestamp: %q}\nspec: {%s}", name, created, fields)
}

func configMapOf(tb testing.TB, name, bundle string) string {
	tb.Helper()
	encoded, err := json.Marshal(bundle)
	if err != nil {
		tb.Fatal(err)
	}
	return fmt.Sprintf("kind: ConfigMap\nmetadata: {namespace: shop, name: %s}\ndata: {ca.crt: %s}", name, encoded)
}

func policyLines(t *topology.Topology) []string {
	var lines []string
	for i := range t.BackendTLSPolicies {
		policy := &t.BackendTLSPolicies[i]
		lines = append(lines, policy.Object.Name+": "+shorts(policy.Decisions()))
	}
	return lines
}

func policyMessages(t *topology.Topology) string {
	var messages strings.Builder
	for i := range t.BackendTLSPolicies {
		messages.WriteString(t.BackendTLSPolicies[i].Accepted.Message + "|" + t.BackendTLSPolicies[i].ResolvedRefs.Message + "\n")
	}
	return messages.String()
}

// sentHow is what the first backend of the route gets: plaintext, the hostname of its policy, withheld, or a reason.
func sentHow(built *topology.Topology) string {
	backend := &built.Routes[0].Rules[0].Backends[0]
	switch {
	case backend.Problem != nil:
		return backend.Problem.Reason
	case backend.Withheld:
		return "withheld"
	}
	if secured := built.BackendTLS(backend.BackendRef); secured != nil {
		return secured.Hostname
	}
	return "plaintext"
}

func TestBackendTLSPolicies(t *testing.T) {
	const (
		older, newer = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
		fine         = "Accepted=True/Accepted ResolvedRefs=True/ResolvedRefs"
		conflicted   = "Accepted=False/Conflicted ResolvedRefs=True/ResolvedRefs"
		notFound     = "Accepted=False/TargetNotFound ResolvedRefs=True/ResolvedRefs"
		invalid      = "Accepted=False/Invalid ResolvedRefs=True/ResolvedRefs"
		noAuthority  = "Accepted=False/NoValidCACertificate ResolvedRefs=False/InvalidCACertificateRef"
	)
	validation := func(fields string) string { return "validation: {hostname: bank.test, " + fields + "}" }
	refs := func(refs string) string { return validation("caCertificateRefs: [" + refs + "]") }
	byOther := strings.Replace(byCA, "bank.test", "other.test", 1)
	sealed := func(fields ...string) string { return policyOf("p", older, strings.Join(fields, ", ")) }
	system := validation("wellKnownCACertificates: System")
	cases := map[string]struct {
		reason   string
		policies []string
		route    string
		want     []string
		sent     string
		message  string
	}{
		"none":               {reason: "without a policy clear text is spoken", sent: "plaintext"},
		"all ports":          {reason: "a policy for a Service is one for all its ports", policies: []string{sealed(allOfBank, byCA)}, want: []string{"p: " + fine}, sent: "bank.test"},
		"a port":             {reason: "conformance: sectionName is a port's name", policies: []string{sealed(oneOfBank, byCA)}, want: []string{"p: " + fine}, sent: "bank.test"},
		"system authorities": {reason: "well-known authorities are those of the system", policies: []string{sealed(allOfBank, system)}, want: []string{"p: " + fine}, sent: "bank.test"},
		"another port": {
			reason: "a policy for one port is none for others", policies: []string{sealed(strings.Replace(oneOfBank, "one", "two", 1), byCA)}, want: []string{"p: " + fine}, sent: "plaintext",
		},
		"the port before the Service": {
			reason:   "conformance: the policy of a port wins there, also when it is newer, and both are accepted",
			policies: []string{policyOf("a", older, allOfBank+", "+byCA), policyOf("b", newer, oneOfBank+", "+byOther)}, want: []string{"a: " + fine, "b: " + fine}, sent: "other.test",
		},
		"age": {
			reason:   "the older of two wins, whatever its name",
			policies: []string{policyOf("a", newer, allOfBank+", "+byOther), policyOf("b", older, allOfBank+", "+byCA)}, want: []string{"a: " + conflicted, "b: " + fine}, sent: "bank.test", message: "BackendTLSPolicy shop/b has the same target",
		},
		"names": {
			reason:   "conformance: of two of one age the first by name wins",
			policies: []string{policyOf("b", older, oneOfBank+", "+byOther), policyOf("a", older, oneOfBank+", "+byCA)}, want: []string{"a: " + fine, "b: " + conflicted}, sent: "bank.test",
		},
		"an invalid winner": {
			reason:   "a policy that cannot be followed does not give way to a newer one: what its owner asked for would be lost unseen",
			policies: []string{policyOf("a", older, allOfBank+", "+refs(`{group: "", kind: ConfigMap, name: gone}`)), policyOf("b", newer, allOfBank+", "+byOther)},
			want:     []string{"a: " + noAuthority, "b: " + conflicted}, sent: "withheld",
		},
		"half in conflict": {
			reason:   "a policy that takes effect on one of its targets is accepted, and says where it does not",
			policies: []string{policyOf("a", older, oneOfBank+", "+byCA), policyOf("b", newer, `targetRefs: [{group: "", kind: Service, name: bank, sectionName: one}, {group: "", kind: Service, name: bank, sectionName: two}], `+byOther)},
			want:     []string{"a: " + fine, "b: " + fine}, sent: "bank.test", message: "not everywhere: spec.targetRefs[0]: BackendTLSPolicy shop/a",
		},
		"no such port": {
			reason: "a section that does not exist must not attach", policies: []string{sealed(strings.Replace(oneOfBank, "one", "three", 1), byCA)},
			want: []string{"p: " + notFound}, sent: "plaintext", message: `Service shop/bank has no port with the name "three"`,
		},
		"no such Service": {
			reason: "what does not exist cannot be targeted", policies: []string{sealed(`targetRefs: [{group: "", kind: Service, name: gone}]`, byCA)},
			route: `{parentRefs: [{name: web}], rules: [{backendRefs: [{name: gone, port: 443}]}]}`, want: []string{"p: " + notFound}, sent: "BackendNotFound", message: "Service shop/gone does not exist",
		},
		"another Service": {reason: "the Gateway is no ancestor of a policy whose Service it does not use", policies: []string{sealed(`targetRefs: [{group: "", kind: Service, name: cart}]`, byCA)}, sent: "plaintext"},
		"another kind":    {reason: "a policy is for Services", policies: []string{sealed(`targetRefs: [{group: example.com, kind: Service, name: bank}]`, byCA)}, sent: "plaintext"},
		"a route elsewhere": {
			reason: "a Gateway that does not accept the route does not use the Service", policies: []string{sealed(allOfBank, byCA)},
			route: `{parentRefs: [{name: web, sectionName: none}], rules: [{backendRefs: [{name: bank, port: 443}]}]}`, sent: "bank.test",
		},
		"a missing ConfigMap": {
			reason: "conformance: InvalidCACertificateRef and NoValidCACertificate; nothing is sent", policies: []string{sealed(allOfBank, refs(`{group: "", kind: ConfigMap, name: gone}`))},
			want: []string{"p: " + noAuthority}, sent: "withheld", message: "spec.validation.caCertificateRefs[0]: ConfigMap shop/gone does not exist",
		},
		"a ConfigMap without authorities": {
			reason: "conformance: a malformed one likewise", policies: []string{sealed(allOfBank, refs(`{group: "", kind: ConfigMap, name: bad}`))},
			want: []string{"p: " + noAuthority}, sent: "withheld", message: "ConfigMap shop/bad: ca.crt holds no certificate in PEM",
		},
		"a Secret": {
			reason: "conformance: InvalidKind for what is no ConfigMap", policies: []string{sealed(allOfBank, refs(`{group: "", kind: Secret, name: ca}`))},
			want: []string{"p: Accepted=False/NoValidCACertificate ResolvedRefs=False/InvalidKind"}, sent: "withheld", message: `Secret "ca" is not supported`,
		},
		"one of two authorities": {
			reason: "authorities that can be used are, and the other is named", policies: []string{sealed(allOfBank, refs(`{group: "", kind: ConfigMap, name: gone}, {group: "", kind: ConfigMap, name: ca}`))},
			want: []string{"p: Accepted=True/Accepted ResolvedRefs=False/InvalidCACertificateRef"}, sent: "bank.test", message: "caCertificateRefs[0]",
		},
		"unknown authorities": {
			reason: "a set that is not known is Invalid", policies: []string{sealed(allOfBank, validation("wellKnownCACertificates: example.com/ours"))}, want: []string{"p: " + invalid}, sent: "withheld", message: `wellKnownCACertificates: "example.com/ours"`,
		},
		"both":         {reason: "the schema refuses it, and an older one did not", policies: []string{sealed(allOfBank, validation(`wellKnownCACertificates: System, caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]`))}, want: []string{"p: " + invalid}, sent: "withheld"},
		"neither":      {reason: "likewise", policies: []string{sealed(allOfBank, "validation: {hostname: bank.test}")}, want: []string{"p: " + invalid}, sent: "withheld"},
		"no hostname":  {reason: "likewise: the endpoint could be anybody", policies: []string{sealed(allOfBank, "validation: {wellKnownCACertificates: System}")}, want: []string{"p: " + invalid}, sent: "withheld", message: "spec.validation.hostname"},
		"an option":    {reason: "what was asked for and is not known must not be left out", policies: []string{sealed(allOfBank, system, `options: {example.com/min-version: "1.3"}`)}, want: []string{"p: " + invalid}, sent: "withheld", message: `spec.options: "example.com/min-version"`},
		"a bad name":   {reason: "a name that cannot be compared must not be left out", policies: []string{sealed(allOfBank, validation(`wellKnownCACertificates: System, subjectAltNames: [{type: Hostname, hostname: a.test}, {type: Email}]`))}, want: []string{"p: " + invalid}, sent: "withheld", message: "subjectAltNames[1].type"},
		"a bad URI":    {reason: "a URI has a scheme", policies: []string{sealed(allOfBank, validation(`wellKnownCACertificates: System, subjectAltNames: [{type: URI, uri: a.test}]`))}, want: []string{"p: " + invalid}, sent: "withheld", message: "subjectAltNames[0].uri"},
		"https":        {reason: "an appProtocol over TLS is spoken where a policy says how", route: strings.Replace(toBank, "443", "444", 1), policies: []string{sealed(allOfBank, byCA)}, want: []string{"p: " + fine}, sent: "bank.test"},
		"no policy":    {reason: "and nowhere else", route: strings.Replace(toBank, "443", "444", 1), sent: "UnsupportedProtocol"},
		"sockets":      {reason: "GEP-1911: kubernetes.io/wss with a policy", route: strings.Replace(toBank, "443", "445", 1), policies: []string{sealed(allOfBank, byCA)}, want: []string{"p: " + fine}, sent: "bank.test"},
		"open sockets": {reason: "GEP-1911: and only with one", route: strings.Replace(toBank, "443", "445", 1), sent: "UnsupportedProtocol"},
		"h2c":          {reason: "a policy goes before clear text, and the protocol stays HTTP/2", route: strings.Replace(toBank, "443", "446", 1), policies: []string{sealed(allOfBank, byCA)}, want: []string{"p: " + fine}, sent: "bank.test"},
		"withheld https": {
			reason: "the route's reference is resolved: it is the policy that is wrong", route: strings.Replace(toBank, "443", "444", 1), policies: []string{sealed(allOfBank, refs(`{group: "", kind: ConfigMap, name: gone}`))}, want: []string{"p: " + noAuthority}, sent: "withheld",
		},
	}
	bundle, _ := topologytest.KeyPair(t, "ca")
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if c.route == "" {
				c.route = toBank
			}
			documents := append([]string{plainGateway, services, bank, routeWith(c.route), configMapOf(t, "ca", string(bundle)), configMapOf(t, "bad", "none")}, c.policies...)
			built := topology.Build(topologytest.Parse(t, documents...).Input)
			if diff := cmp.Diff(c.want, policyLines(built)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if sent := sentHow(built); sent != c.sent {
				t.Errorf("%s: requests are sent: %s, want %s", c.reason, sent, c.sent)
			}
			if messages := policyMessages(built); !strings.Contains(messages, c.message) {
				t.Errorf("%s: messages lack %q:\n%s", c.reason, c.message, messages)
			}
			refused := c.sent != "plaintext" && !strings.HasSuffix(c.sent, ".test")
			if built.Routes[0].Rules[0].Backends[0].Refuses() != refused {
				t.Errorf("%s: the share answers 500: %t", c.reason, !refused)
			}
			if resolved := built.Routes[0].Parents[0].ResolvedRefs; c.sent == "withheld" && !resolved.True() {
				t.Errorf("%s: the route's references are resolved, and it says %s", c.reason, resolved.Message)
			}
		})
	}
}

// A policy whose status is full is followed by the Gateways that it names, and lets no other one send anything.
func TestFullBackendTLSPolicy(t *testing.T) {
	bundle, _ := topologytest.KeyPair(t, "ca")
	world := topologytest.Parse(t, plainGateway, bank, routeWith(toBank), configMapOf(t, "ca", string(bundle)), policyOf("p", "2026-01-01T00:00:00Z", allOfBank+", "+byCA))
	status := &world.BackendTLSPolicies[0].Status
	for i := range topology.MaxAncestors {
		status.Ancestors = append(status.Ancestors, gatewayv1.PolicyAncestorStatus{
			ControllerName: "example.com/other", AncestorRef: gatewayv1.ParentReference{Name: gatewayv1.ObjectName(fmt.Sprint(i))},
		})
	}
	built := topology.Build(world.Input)
	if sent := sentHow(built); sent != "UnsupportedValue" || len(built.BackendTLSPolicies) != 0 {
		t.Errorf("a full status: requests are sent %s, policies %v", sent, policyLines(built))
	}
	if message := built.Routes[0].Parents[0].ResolvedRefs.Message; !strings.Contains(message, "BackendTLSPolicy shop/p of Service shop/bank") {
		t.Errorf("the route says %q", message)
	}
	status.Ancestors[3] = gatewayv1.PolicyAncestorStatus{ControllerName: gatewayv1.GatewayController(world.ControllerName), AncestorRef: gatewayv1.ParentReference{Name: "web"}}
	if sent := sentHow(topology.Build(world.Input)); sent != "bank.test" {
		t.Errorf("a Gateway that has its entry: requests are sent %s", sent)
	}
}

// Who may not refer to a Service learns nothing of its policies, and writes nothing into them.
func TestPolicyOfAForeignService(t *testing.T) {
	world := topologytest.Parse(t, plainGateway, services, routeWith(`{parentRefs: [{name: web}], rules: [{backendRefs: [{name: ledger, namespace: bank, port: 80}]}]}`),
		"kind: BackendTLSPolicy\nmetadata: {namespace: bank, name: p}\nspec: {targetRefs: [{group: \"\", kind: Service, name: ledger}], validation: {hostname: a.test, wellKnownCACertificates: System}}")
	if lines := policyLines(topology.Build(world.Input)); lines != nil {
		t.Errorf("without a grant: %v", lines)
	}
}

func TestPolicyOfGRPCAndMirrors(t *testing.T) {
	const route = "kind: GRPCRoute\nmetadata: {namespace: shop, name: rpc}\nspec: {parentRefs: [{name: web}], hostnames: [rpc.test], rules: [{backendRefs: [{name: bank, port: 444}]}]}"
	mirrored := routeWith(`{parentRefs: [{name: web}], hostnames: [http.test], rules: [{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: bank, port: 443}}}], backendRefs: [{name: cart, port: 80}]}]}`)
	secured := policyOf("p", "2026-01-01T00:00:00Z", allOfBank+", validation: {hostname: bank.test, wellKnownCACertificates: System}")
	built := topology.Build(topologytest.Parse(t, plainGateway, services, bank, route, mirrored, secured).Input)
	want := []topology.BackendRef{
		{Service: types.NamespacedName{Namespace: "shop", Name: "bank"}, Port: 443, PortName: "one"},
		{Service: types.NamespacedName{Namespace: "shop", Name: "bank"}, Port: 444, PortName: "two", Protocol: topology.H2C},
		{Service: types.NamespacedName{Namespace: "shop", Name: "cart"}, Port: 80, PortName: "web"},
	}
	if diff := cmp.Diff(want, built.Backends()); diff != "" {
		t.Errorf("a GRPCRoute speaks HTTP/2 over TLS, a mirror HTTP/1.1 (-want +got):\n%s", diff)
	}
	broken := strings.Replace(secured, "System", "example.com/none", 1)
	built = topology.Build(topologytest.Parse(t, plainGateway, services, bank, route, mirrored, broken).Input)
	if diff := cmp.Diff(want[2:], built.Backends()); diff != "" {
		t.Errorf("nothing is mirrored in clear text to what asks for TLS (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"p: Accepted=False/Invalid ResolvedRefs=True/ResolvedRefs"}, policyLines(built)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The Gateway's certificate goes to its proxies where a backend asks for it, and nowhere else.
func TestClientCertificate(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.test")
	gateway := plainGateway[:len(plainGateway)-1] + ", tls: {backend: {clientCertificateRef: {name: own}}}}"
	world := topologytest.Parse(t, gateway, bank, routeWith(toBank), topologytest.Secret("shop", "own", chain, key))
	if got := topology.Build(world.Input).Certificates(); len(got) != 0 {
		t.Errorf("without a backend over TLS a key is pushed: %v", got[0].Secret)
	}
	world = topologytest.Parse(t, gateway, bank, routeWith(toBank), topologytest.Secret("shop", "own", chain, key),
		policyOf("p", "2026-01-01T00:00:00Z", allOfBank+", validation: {hostname: bank.test, wellKnownCACertificates: System}"))
	if got := topology.Build(world.Input).Certificates(); len(got) != 1 || got[0].Secret.Name != "own" || len(got[0].Key) == 0 {
		t.Errorf("the certificate is missing: %d", len(got))
	}
	elsewhere := strings.Replace(gateway, "name: own", "name: own, namespace: vault", 1)
	world = topologytest.Parse(t, elsewhere, bank, routeWith(toBank), topologytest.Secret("vault", "own", chain, key),
		policyOf("p", "2026-01-01T00:00:00Z", allOfBank+", validation: {hostname: bank.test, wellKnownCACertificates: System}"))
	if built := topology.Build(world.Input); built.ClientCertificate != nil || len(built.Certificates()) != 0 {
		t.Error("without a grant a key of another namespace is pushed")
	}
}
