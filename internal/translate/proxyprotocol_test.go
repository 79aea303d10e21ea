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
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/internal/translate"
)

func parametersOf(t *testing.T, text string) translate.Option {
	t.Helper()
	parameters := &v1alpha1.GatewayParametersSpec{}
	if err := yaml.UnmarshalStrict([]byte(text), parameters); err != nil {
		t.Fatal(err)
	}
	return translate.WithParameters(parameters)
}

// headers tells which listeners expect a header, from whom, and which backends are sent one.
func headers(resources []*adminv1.Resource) string {
	var found []string
	for _, resource := range resources {
		if accepted := resource.GetListener().GetProxyProtocol(); accepted != nil {
			found = append(found, resource.GetName()+" <- "+strings.Join(accepted.GetTrustedPeers(), " "))
		}
		if version := resource.GetBackend().GetProxyProtocol(); version != 0 {
			found = append(found, strings.TrimPrefix(resource.GetName(), "backend/service/")+" -> "+strings.TrimPrefix(version.String(), "PROXY_PROTOCOL_"))
		}
	}
	return strings.Join(found, "; ")
}

const requestRoute = `
kind: HTTPRoute
metadata: {namespace: shop, name: r}
spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: dns, port: 53}]}]}
`

func TestProxyProtocol(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.end.test")
	withHTTP := strings.Replace(streamGateway, "  listeners:", "  listeners:\n  - {name: http, port: 80, protocol: HTTP}", 1)
	world := topologytest.Parse(t, withHTTP, dns, streamRoutes, requestRoute, topologytest.Secret("shop", "tls", chain, key))
	cases := map[string]struct{ reason, parameters, want string }{
		"none": {
			reason: "nobody is believed without being asked for", parameters: "{trustedHops: 1}", want: "",
		},
		"all listeners": {
			reason:     "listeners of one port cannot be told apart before the header is read; datagrams have none",
			parameters: "{proxyProtocol: {accept: {trustedPeers: [192.0.2.0/24, 10.0.0.0/8]}}}",
			want: "listener/end <- 192.0.2.0/24 10.0.0.0/8; listener/http <- 192.0.2.0/24 10.0.0.0/8; " +
				"listener/pass <- 192.0.2.0/24 10.0.0.0/8; listener/tcp <- 192.0.2.0/24 10.0.0.0/8",
		},
		"one port": {
			reason:     "a load balancer may speak it on some ports alone; a port without a listener is nobody's",
			parameters: "{proxyProtocol: {accept: {trustedPeers: [10.0.0.0/8], ports: [443, 99]}}}",
			want:       "listener/end <- 10.0.0.0/8; listener/pass <- 10.0.0.0/8",
		},
		"a Service": {
			reason:     "connections of streams have one client each; those for requests are shared, and datagrams have no beginning",
			parameters: "{proxyProtocol: {send: [{name: dns}]}}",
			want:       "shop/dns/53/passthrough -> V2; shop/dns/53/tcp -> V2",
		},
		"the first that fits": {
			reason:     "so a version for one port can stand before the one for all others",
			parameters: "{proxyProtocol: {send: [{name: dns, port: 54, version: V2}, {name: dns, namespace: shop, port: 53, version: V1}, {name: dns}]}}",
			want:       "shop/dns/53/passthrough -> V1; shop/dns/53/tcp -> V1",
		},
		"others": {
			reason:     "a Service is its namespace and name",
			parameters: "{proxyProtocol: {send: [{name: dns, namespace: data}, {name: dn}, {name: dns, port: 54}]}}",
			want:       "",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			memo := &translate.Memo{}
			before := parametersOf(t, "{proxyProtocol: {accept: {trustedPeers: [0.0.0.0/0]}, send: [{name: dns}]}}")
			if _, err := memo.Resources(topology.Build(world.Input), world.Slices, before); err != nil {
				t.Fatal(err)
			}
			// What is remembered of other parameters must not be seen in these.
			got, err := memo.Resources(topology.Build(world.Input), world.Slices, parametersOf(t, c.parameters))
			if err != nil {
				t.Fatal(err)
			}
			if headers(got) != c.want {
				t.Errorf("%s:\ngot  %s\nwant %s", c.reason, headers(got), c.want)
			}
		})
	}
}
