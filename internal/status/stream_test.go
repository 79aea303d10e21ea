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
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

const streams = `
kind: Gateway
metadata: {namespace: shop, name: web}
spec:
  gatewayClassName: rauta
  listeners:
  - {name: tcp, port: 9000, protocol: TCP}
  - {name: pass, port: 443, protocol: TLS, hostname: "*.pass.test", tls: {mode: Passthrough}}
  - {name: end, port: 443, protocol: TLS, hostname: "*.end.test", tls: {certificateRefs: [{name: tls}]}}
---
kind: Service
metadata: {namespace: shop, name: db}
spec: {ports: [{port: 5432}]}
---
kind: TCPRoute
metadata: {namespace: shop, name: b-older, generation: 2, creationTimestamp: "2026-01-01T00:00:01Z"}
spec: {parentRefs: [{name: web, sectionName: tcp}], rules: [{backendRefs: [{name: db, port: 5432}]}]}
---
kind: TCPRoute
metadata: {namespace: shop, name: c-younger, generation: 2, creationTimestamp: "2026-01-01T00:00:02Z"}
spec: {parentRefs: [{name: web, sectionName: tcp}], rules: [{backendRefs: [{name: db, port: 5432}]}]}
---
kind: TLSRoute
metadata: {namespace: shop, name: d-both, generation: 2, creationTimestamp: "2026-01-01T00:00:01Z"}
spec: {parentRefs: [{name: web}], hostnames: [a.pass.test, a.end.test], rules: [{backendRefs: [{name: db, port: 5432}]}]}
`

func TestStreamRoute(t *testing.T) {
	const fine = "Accepted=True/Accepted@2 ResolvedRefs=True/ResolvedRefs@2 "
	const programmed, shadowed = "rauta.dev/Programmed=", " rauta.dev/Shadowed=True/Shadowed@2"
	cases := map[string]struct {
		reason  string
		refused map[string]string
		want    [3]string // of b-older, c-younger and d-both
		message string    // part of d-both's Programmed message
	}{
		"all is well": {
			reason: "a route that gets nothing because of an older one is accepted, and says so",
			want:   [3]string{programmed + "True/Programmed@2", programmed + "True/Programmed@2" + shadowed, programmed + "True/Programmed@2"},
		},
		"one half is refused": {
			reason:  "a TLSRoute is programmed where both of its resources are",
			refused: map[string]string{"route/tlsroute/shop/d-both/passthrough": "nonsense"},
			want:    [3]string{programmed + "True/Programmed@2", programmed + "True/Programmed@2" + shadowed, programmed + "False/RefusedByProxy@2"}, message: "nonsense",
		},
		"the backend of one half is refused": {
			reason:  "the message names the backendRef, of which the route has one",
			refused: map[string]string{"backend/service/shop/db/5432/passthrough": "broken"},
			want:    [3]string{programmed + "True/Programmed@2", programmed + "True/Programmed@2" + shadowed, programmed + "False/RefusedByProxy@2"}, message: "rules[0].backendRefs[0]: the proxy refuses backend/service/shop/db/5432/passthrough: broken",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			chain, key := topologytest.KeyPair(t, "a.end.test")
			built := topology.Build(topologytest.Parse(t, streams, topologytest.Secret("shop", "tls", chain, key)).Input)
			delivery := served()
			delivery.Refused = c.refused
			var got [3]string
			for i := range built.Routes {
				conditions := Route(&built.Routes[i], built, &delivery, now).Parents[0].Conditions
				got[i] = strings.TrimPrefix(lines(conditions), fine)
				if message := conditions[len(conditions)-1].Message; i == 2 && !strings.Contains(message, c.message) {
					t.Errorf("%s: message %q lacks %q", c.reason, message, c.message)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
