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

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	"sigs.k8s.io/yaml"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/internal/translate"
)

func TestParameters(t *testing.T) {
	const (
		plain = `
- name: backend/service/shop/cart/80
  backend: {protocol: BACKEND_PROTOCOL_HTTP1, endpoints: endpoints/service/shop/cart/80}
`
		least = `
- name: backend/service/shop/cart/80
  backend: {protocol: BACKEND_PROTOCOL_HTTP1, endpoints: endpoints/service/shop/cart/80, balancing: BALANCING_LEAST_REQUEST, max_connections: 7}
`
	)
	cases := map[string]struct{ reason, parameters, want string }{
		"none": {
			reason: "without parameters the bootstrap's settings hold", parameters: "", want: plain,
		},
		"others": {
			reason: "parameters that shape objects are nothing to the proxy's table", parameters: "{replicas: 3, drain: {delay: 5s}}", want: plain,
		},
		"everything": {
			reason: "each limit arrives in its place; 0 is a value, and stays one",
			parameters: `
limits:
  {maxRequestLineBytes: 2048, maxHeaderBytes: 4096, maxFields: 10, maxBodyBytes: 9223372036854775807, maxTrailerBytes: 0, maxConcurrentStreams: 5,
   headerTimeout: 1s, idleTimeout: 2s, bodyTimeout: 3s, writeTimeout: 4s, connectTimeout: 500ms, responseTimeout: 0s, streamTimeout: 1m30s,
   streamIdleTimeout: 0s, datagramIdleTimeout: 10s, maxDatagramSessions: 100}
backends: {balancing: LeastRequest, maxConnections: 7}
trustedHops: 2
`,
			want: least + `
- name: settings
  settings:
    trusted_hops: 2
    limits:
      {max_request_line_bytes: 2048, max_header_bytes: 4096, max_fields: 10, max_body_bytes: "9223372036854775807", max_trailer_bytes: 0, max_concurrent_streams: 5,
       header_timeout: 1s, idle_timeout: 2s, body_timeout: 3s, write_timeout: 4s, connect_timeout: 0.5s, response_timeout: 0s, stream_timeout: 90s,
       stream_idle_timeout: 0s, datagram_idle_timeout: 10s, max_datagram_sessions: 100}
`,
		},
		"hops alone": {
			reason: "limits that are not given are not zero", parameters: "{trustedHops: 1, backends: {balancing: RoundRobin}}",
			want: strings.Replace(plain, "80}", "80, balancing: BALANCING_ROUND_ROBIN}", 1) + "\n- {name: settings, settings: {trusted_hops: 1}}",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, gateway, cart, "kind: HTTPRoute\nmetadata: {namespace: shop, name: r}\nspec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: cart, port: 80}]}]}")
			var options []translate.Option
			if c.parameters != "" {
				parameters := &v1alpha1.GatewayParametersSpec{}
				if err := yaml.UnmarshalStrict([]byte(c.parameters), parameters); err != nil {
					t.Fatal(err)
				}
				options = append(options, translate.WithParameters(parameters))
			}
			all, err := translate.Resources(topology.Build(world.Input), world.Slices, options...)
			if err != nil {
				t.Fatal(err)
			}
			var got []*adminv1.Resource
			for _, resource := range all {
				if resource.GetBackend() != nil || resource.GetSettings() != nil {
					got = append(got, resource)
				}
			}
			if diff := cmp.Diff(table(t, "resources:"+c.want), got, protocmp.Transform(), protocmp.IgnoreFields(&adminv1.Resource{}, "hash")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
