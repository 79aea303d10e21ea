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
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// authorities is a ConfigMap with certificate authorities.
func authorities(t *testing.T, namespace, name, key, bundle string) string {
	t.Helper()
	quoted, err := json.Marshal(bundle)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("kind: ConfigMap\nmetadata: {namespace: %s, name: %s}\ndata: {%s: %s}", namespace, name, key, quoted)
}

func TestClientValidation(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.test")
	first, firstKey := topologytest.KeyPair(t, "ca")
	second, _ := topologytest.KeyPair(t, "other ca")
	const (
		fine      = "Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=True/ResolvedRefs"
		partly    = "Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=False/"
		none      = "Accepted=False/NoValidCACertificate Conflicted=False/NoConflicts ResolvedRefs=False/"
		grant     = "kind: ReferenceGrant\nmetadata: {namespace: vault, name: open}\nspec: {from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: shop}], to: [{group: \"\", kind: ConfigMap}]}"
		one       = `{group: "", kind: ConfigMap, name: one}`
		shared    = `{group: "", kind: ConfigMap, name: shared, namespace: vault}`
		ofDefault = "spec.tls.frontend.default.validation.caCertificateRefs[0]: "
	)
	ask := func(refs string) string { return "{default: {validation: {caCertificateRefs: [" + refs + "]}}}" }
	cases := map[string]struct {
		reason   string
		frontend string
		want     string
		bundle   string
		fallback bool
		message  string
	}{
		"nothing asked": {reason: "clients need no certificate unless the Gateway says so", frontend: "{default: {}}", want: fine},
		"one authority": {reason: "the core of the specification", frontend: ask(one), want: fine, bundle: string(first)},
		"two": {
			reason: "what leads to either is let in", frontend: ask(one + `, {group: "", kind: ConfigMap, name: two}`),
			want: fine, bundle: string(first) + string(second),
		},
		"fallback": {
			reason: "a mode that has to be asked for", frontend: "{default: {validation: {mode: AllowInsecureFallback, caCertificateRefs: [" + one + "]}}}",
			want: fine, bundle: string(first), fallback: true,
		},
		"per port": {
			reason: "the port's configuration overrides the default", frontend: `{default: {validation: {caCertificateRefs: [` + one + `]}}, perPort: [{port: 443, tls: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: two}]}}}]}`,
			want: fine, bundle: string(second),
		},
		"none per port": {
			reason: "also where it asks for nothing", frontend: `{default: {validation: {caCertificateRefs: [` + one + `]}}, perPort: [{port: 443, tls: {}}]}`, want: fine,
		},
		"another port": {
			reason: "and no other port's", frontend: `{default: {validation: {caCertificateRefs: [` + one + `]}}, perPort: [{port: 444, tls: {}}]}`, want: fine, bundle: string(first),
		},
		"missing": {
			reason: "conformance: a listener that could let nobody in, or everybody, is not accepted", frontend: ask(`{group: "", kind: ConfigMap, name: gone}`),
			want: none + "InvalidCACertificateRef", message: ofDefault + "ConfigMap shop/gone does not exist",
		},
		"another kind": {
			reason: "conformance: the reason names the kind", frontend: ask(`{group: "", kind: Service, name: one}`),
			want: none + "InvalidCACertificateKind", message: ofDefault + `Service "one" is not supported`,
		},
		"another key": {
			reason: "the key is ca.crt", frontend: ask(`{group: "", kind: ConfigMap, name: misplaced}`), want: none + "InvalidCACertificateRef", message: "ConfigMap shop/misplaced: has no key ca.crt",
		},
		"no certificate": {
			reason: "a bundle without one would let nobody in", frontend: ask(`{group: "", kind: ConfigMap, name: empty}`), want: none + "InvalidCACertificateRef", message: "ca.crt holds no certificate in PEM",
		},
		"a damaged one": {
			reason: "a certificate that cannot be read is not left out silently", frontend: ask(`{group: "", kind: ConfigMap, name: damaged}`), want: none + "InvalidCACertificateRef", message: "cannot be read",
		},
		"one of two": {
			reason: "what can be used is used, and the condition names the other", frontend: ask(one + `, {group: "", kind: ConfigMap, name: gone}`),
			want: partly + "InvalidCACertificateRef", bundle: string(first), message: "caCertificateRefs[1]: ConfigMap shop/gone does not exist",
		},
		"without a grant": {
			reason: "conformance: RefNotPermitted", frontend: ask(`{group: "", kind: ConfigMap, name: closed, namespace: bank}`), want: none + "RefNotPermitted", message: `no ReferenceGrant in namespace "bank"`,
		},
		"with a grant":  {reason: "a grant for ConfigMaps", frontend: ask(shared), want: fine, bundle: string(first)},
		"a private key": {reason: "what else is in the bundle goes no further", frontend: ask(`{group: "", kind: ConfigMap, name: careless}`), want: fine, bundle: string(first)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t,
				gatewayWith(`{name: http, port: 80, protocol: HTTP}`, `{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}`)+"\n  tls: {frontend: "+c.frontend+"}",
				topologytest.Secret("shop", "tls", chain, key), grant,
				authorities(t, "shop", "one", "ca.crt", string(first)), authorities(t, "shop", "two", "ca.crt", string(second)),
				authorities(t, "vault", "shared", "ca.crt", string(first)), authorities(t, "bank", "closed", "ca.crt", string(first)),
				authorities(t, "shop", "misplaced", "tls.crt", string(first)), authorities(t, "shop", "empty", "ca.crt", "# none"),
				authorities(t, "shop", "damaged", "ca.crt", "-----BEGIN CERTIFICATE-----\nTm9uZQ==\n-----END CERTIFICATE-----\n"),
				authorities(t, "shop", "careless", "ca.crt", string(firstKey)+string(first)))
			built := topology.Build(world.Input)
			if got := shorts(built.Listeners[0].Decisions()); got != fine || built.Listeners[0].Clients != nil {
				t.Errorf("a listener without TLS has nothing to do with it; got %s", got)
			}
			l := &built.Listeners[1]
			if diff := cmp.Diff(c.want, shorts(l.Decisions())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if message := l.ResolvedRefs.Message; !strings.Contains(message, c.message) {
				t.Errorf("%s: message %q lacks %q", c.reason, message, c.message)
			}
			if l.Served() && (l.Clients == nil) != (c.bundle == "") || l.Clients != nil && (!bytes.Equal(l.Clients.Authorities, []byte(c.bundle)) || l.Clients.InsecureFallback != c.fallback) {
				t.Errorf("%s: clients are asked for %+v", c.reason, l.Clients)
			}
			if (built.InsecureFrontend != nil) != c.fallback || c.fallback && short(*built.InsecureFrontend) != "InsecureFrontendValidationMode=True/ConfigurationChanged" {
				t.Errorf("%s: the Gateway says %+v", c.reason, built.InsecureFrontend)
			}
		})
	}
}
