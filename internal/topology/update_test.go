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

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// square is a Gateway with listeners of its own and of ListenerSets, for routes that come and go.
const square = `
kind: GatewayClass
metadata: {name: rauta}
spec: {controllerName: rauta.dev/gateway-controller}
---
kind: Gateway
metadata: {namespace: shop, name: web}
spec:
  gatewayClassName: rauta
  allowedListeners: {namespaces: {from: Same}}
  listeners:
  - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
  - {name: wild, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: blue}}}}}
  - {name: lost, port: 81, protocol: HTTPS, tls: {certificateRefs: [{name: gone}]}}
  - {name: passing, port: 90, protocol: TLS, hostname: "*.example.com", tls: {mode: Passthrough}, allowedRoutes: {namespaces: {from: All}}}
  - {name: ending, port: 91, protocol: TLS, tls: {certificateRefs: [{name: gone}]}}
  - {name: tcp, port: 92, protocol: TCP, allowedRoutes: {namespaces: {from: All}}}
  - {name: udp, port: 93, protocol: UDP, allowedRoutes: {namespaces: {from: All}}}
---
kind: ListenerSet
metadata: {namespace: shop, name: extra}
spec: {parentRef: {name: web}, listeners: [{name: one, port: 82, protocol: HTTP}, {name: two, port: 83, protocol: HTTP, hostname: a.example.com}]}
---
kind: ListenerSet
metadata: {namespace: bank, name: refused}
spec: {parentRef: {name: web, namespace: shop}, listeners: [{name: one, port: 84, protocol: HTTP}]}
---
kind: Namespace
metadata: {name: blue, labels: {team: blue}}
---
kind: Service
metadata: {namespace: shop, name: a}
spec: {ports: [{name: http, port: 80}]}
---
kind: Service
metadata: {namespace: shop, name: b}
spec: {ports: [{name: http, port: 80}, {name: more, port: 81, appProtocol: kubernetes.io/h2c}]}
---
kind: Service
metadata: {namespace: blue, name: a}
spec: {ports: [{name: http, port: 80}]}
`

// TestUpdateLeavesToBuild holds what a change of routes may decide about others.
func TestUpdateLeavesToBuild(t *testing.T) {
	const route = `
kind: HTTPRoute
metadata: {namespace: shop, name: %s}
spec: {parentRefs: [{name: web}], hostnames: [%s], rules: [{matches: [{path: {value: %s}}], backendRefs: [{name: a, port: 80}]}]}
`
	one := fmt.Sprintf(route, "one", "b.test", "/one")
	policy := `
kind: BackendTLSPolicy
metadata: {namespace: shop, name: p}
spec: {targetRefs: [{group: "", kind: Service, name: a}], validation: {hostname: a, wellKnownCACertificates: System}}
`
	const proves = `
kind: Gateway
metadata: {namespace: shop, name: web}
spec:
  gatewayClassName: rauta
  tls: {backend: {clientCertificateRef: {name: own}}}
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
kind: Secret
metadata: {namespace: shop, name: own}
type: kubernetes.io/tls
`
	calls := `
kind: GRPCRoute
metadata: {namespace: shop, name: calls}
spec: {parentRefs: [{name: web}], hostnames: [%s], rules: [{backendRefs: [{name: a, port: 80}]}]}
`
	for name, c := range map[string]struct {
		reason  string
		before  []string
		changed string
		updates bool
	}{
		"Another":        {"routes that have nothing in common do not meet", []string{one}, fmt.Sprintf(route, "two", "b.test", "/two"), true},
		"Itself":         {"a route does not take its own place from itself", []string{one}, one, true},
		"First":          {"a Gateway without routes gets one", nil, one, true},
		"Shadowed":       {"the requests of one may become the other's", []string{one}, fmt.Sprintf(route, "two", "b.test", "/one"), true},
		"WasShadowed":    {"the requests of the one that goes become the other's", []string{one, fmt.Sprintf(route, "two", "b.test", "/one")}, fmt.Sprintf(route, "one", "b.test", "/moved"), true},
		"TwiceTheSame":   {"two rules of one route contend too", []string{one}, fmt.Sprintf(twice, "two"), true},
		"FromAnotherSet": {"the same place on another listener is another", []string{one}, fmt.Sprintf(inSet, "two"), true},
		"Policies":       {"whether a policy concerns the Gateway is counted", []string{one, policy}, fmt.Sprintf(route, "two", "b.test", "/two"), true},
		"StaysOverTLS":   {"the Gateway proves itself as before", []string{one, policy, proves}, fmt.Sprintf(route, "two", "b.test", "/two"), true},
		"FirstOverTLS":   {"the Gateway's own certificate is needed from now on", []string{policy, proves}, one, false},
		"OtherHosts":     {"kinds whose hostnames do not meet have nothing to do with each other", []string{one}, fmt.Sprintf(calls, "c.test"), true},
		"SameHost":       {"a hostname belongs to routes of one kind", []string{one}, fmt.Sprintf(calls, "b.test"), false},
		"WildHost":       {"and so does what a wildcard stands for", []string{one}, fmt.Sprintf(calls, `"*.test"`), false},
		"SameHostGoes":   {"it goes to the other kind when the one goes", []string{one, fmt.Sprintf(calls, "b.test")}, fmt.Sprintf(route, "one", "d.test", "/one"), false},
		"OtherListener":  {"on another listener it is another", []string{fmt.Sprintf(inSet, "one")}, fmt.Sprintf(calls, "b.test"), true},
	} {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, append([]string{square}, c.before...)...)
			built := topology.Build(world.Input)
			change := topologytest.Parse(t, square, c.changed)
			if _, ok := built.Update(topology.Change{Routes: change.Routes()}); ok != c.updates {
				t.Errorf("%s: updated is %t", c.reason, ok)
			}
		})
	}
}

const twice = `
kind: HTTPRoute
metadata: {namespace: shop, name: %s}
spec: {parentRefs: [{name: web}], rules: [{matches: [{path: {value: /x}}]}, {matches: [{path: {value: /x}}]}]}
`

const inSet = `
kind: HTTPRoute
metadata: {namespace: shop, name: %s}
spec: {parentRefs: [{name: extra, kind: ListenerSet}], hostnames: [b.test], rules: [{matches: [{path: {value: /one}}]}]}
`
