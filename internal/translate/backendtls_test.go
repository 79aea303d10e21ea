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

package translate_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

func TestBackendTLS(t *testing.T) {
	bundle, _ := topologytest.KeyPair(t, "ca")
	chain, key := topologytest.KeyPair(t, "own")
	quoted, err := json.Marshal(string(bundle))
	if err != nil {
		t.Fatal(err)
	}
	proves := strings.TrimSuffix(gateway, "}") + ", tls: {backend: {clientCertificateRef: {name: own}}}}"
	policy := func(validation string) string {
		return "kind: BackendTLSPolicy\nmetadata: {namespace: shop, name: p}\nspec: {targetRefs: [{group: \"\", kind: Service, name: cart, sectionName: web}], validation: {hostname: cart.test, " + validation + "}}"
	}
	authorities := `caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]`
	cases := map[string]struct {
		reason, gateway, policy string
		want                    string // of the backend, as YAML
	}{
		"none":        {reason: "clear text without a policy", gateway: proves, want: "{protocol: BACKEND_PROTOCOL_HTTP1, endpoints: endpoints/service/shop/cart/80}"},
		"authorities": {reason: "the authorities of the ConfigMap", gateway: gateway, policy: policy(authorities), want: fmt.Sprintf("{protocol: BACKEND_PROTOCOL_HTTP1, endpoints: endpoints/service/shop/cart/80, tls: {hostname: cart.test, authorities: %s}}", base64.StdEncoding.EncodeToString(bundle))},
		"system":      {reason: "those of the system", gateway: gateway, policy: policy("wellKnownCACertificates: System"), want: "{protocol: BACKEND_PROTOCOL_HTTP1, endpoints: endpoints/service/shop/cart/80, tls: {hostname: cart.test, systemAuthorities: true}}"},
		"names": {
			reason: "names of both types, in the policy's order, and the Gateway's own certificate", gateway: proves,
			policy: policy("wellKnownCACertificates: System, subjectAltNames: [{type: URI, uri: \"spiffe://a.test/b\"}, {type: Hostname, hostname: \"*.test\"}]"),
			want:   "{protocol: BACKEND_PROTOCOL_HTTP1, endpoints: endpoints/service/shop/cart/80, tls: {hostname: cart.test, systemAuthorities: true, certificate: certificate/secret/shop/own, subjectAltNames: [{uri: \"spiffe://a.test/b\"}, {hostname: \"*.test\"}]}}",
		},
		"broken": {reason: "a policy that cannot be followed leaves no backend to send to", gateway: proves, policy: policy("wellKnownCACertificates: example.com/none")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			documents := []string{
				c.gateway, cart, cartSlice, "kind: ConfigMap\nmetadata: {namespace: shop, name: ca}\ndata: {ca.crt: " + string(quoted) + "}", topologytest.Secret("shop", "own", chain, key),
				"kind: HTTPRoute\nmetadata: {namespace: shop, name: cart}\nspec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: cart, port: 80}]}]}", c.policy,
			}
			var got *adminv1.Backend
			certificate := false
			for _, resource := range resources(t, topologytest.Parse(t, documents...)) {
				if resource.GetBackend() != nil {
					got = resource.GetBackend()
				}
				certificate = certificate || resource.GetName() == "certificate/secret/shop/own"
			}
			var want *adminv1.Backend
			if c.want != "" {
				want = table(t, "resources: [{backend: "+c.want+"}]")[0].GetBackend()
			}
			if diff := cmp.Diff(want, got, protocmp.Transform()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if wanted := want.GetTls().GetCertificate() != ""; certificate != wanted {
				t.Errorf("%s: the table has the Gateway's certificate: %t", c.reason, certificate)
			}
		})
	}
}
