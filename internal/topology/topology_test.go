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
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// crowd is a world with something of everything.
const crowd = `
kind: GatewayClass
metadata: {name: rauta}
spec: {controllerName: rauta.dev/gateway-controller}
---
kind: Gateway
metadata: {namespace: shop, name: web}
spec:
  gatewayClassName: rauta
  listeners:
  - {name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}
  - {name: wild, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: blue}}}}}
  - {name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: b, namespace: bank}, {name: a}]}, allowedRoutes: {namespaces: {from: All}}}
  tls: {frontend: {default: {}, perPort: [{port: 444, tls: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}]}}
---
kind: Namespace
metadata: {name: blue, labels: {team: blue}}
---
kind: HTTPRoute
metadata: {namespace: blue, name: b}
spec: {parentRefs: [{name: web, namespace: shop}], hostnames: [a.example.com, b.test], rules: [{matches: [{path: {value: /x/}, headers: [{name: A, value: b}, {name: a, value: c}]}], backendRefs: [{name: ledger, namespace: bank, port: 80, weight: 9}, {name: gone, port: 80}]}]}
---
kind: HTTPRoute
metadata: {namespace: blue, name: a}
spec: {parentRefs: [{name: web, namespace: shop, sectionName: wild}], rules: [{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [Upgrade]}}]}, {}]}
---
kind: HTTPRoute
metadata: {namespace: shop, name: c, creationTimestamp: "2026-01-01T00:00:00Z"}
spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: cart, port: 80}]}]}
---
kind: GRPCRoute
metadata: {namespace: blue, name: rpc, creationTimestamp: "2026-01-02T00:00:00Z"}
spec: {parentRefs: [{name: web, namespace: shop}], hostnames: [a.example.com], rules: [{matches: [{method: {service: a.B}}, {method: {type: RegularExpression, method: "G.*"}}], backendRefs: [{name: ledger, namespace: bank, port: 80}]}]}
---
kind: GRPCRoute
metadata: {namespace: shop, name: rpc}
spec: {parentRefs: [{name: web}], hostnames: [rpc.test], rules: [{backendRefs: [{name: cart, port: 80}]}]}
---
kind: BackendTLSPolicy
metadata: {namespace: shop, name: a}
spec: {targetRefs: [{group: "", kind: Service, name: cart}], validation: {hostname: a.test, wellKnownCACertificates: System, subjectAltNames: [{type: Hostname, hostname: b.test}]}}
---
kind: BackendTLSPolicy
metadata: {namespace: shop, name: b}
spec: {targetRefs: [{group: "", kind: Service, name: cart, sectionName: web}, {group: "", kind: Service, name: cart}], validation: {hostname: b.test, caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}
---
kind: BackendTLSPolicy
metadata: {namespace: bank, name: a}
spec: {targetRefs: [{group: "", kind: Service, name: ledger}], validation: {hostname: b.test, caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}
---
kind: ConfigMap
metadata: {namespace: shop, name: ca}
data: {ca.crt: none}
---
kind: ReferenceGrant
metadata: {namespace: bank, name: one}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: blue}], to: [{group: "", kind: Service}]}
---
kind: ReferenceGrant
metadata: {namespace: bank, name: two}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: red}, {group: gateway.networking.k8s.io, kind: Gateway, namespace: shop}], to: [{group: "", kind: Secret}]}
---
kind: Service
metadata: {namespace: bank, name: ledger}
spec: {ports: [{port: 80}]}
---
kind: Service
metadata: {namespace: shop, name: cart}
spec: {ports: [{name: web, port: 80}]}
`

func TestBuildChangesNothing(t *testing.T) {
	world := topologytest.Parse(t, crowd)
	before := world.Clone()
	built := topology.Build(world.Input)
	built.Backends()
	if diff := cmp.Diff(before, world); diff != "" {
		t.Errorf("the objects are those of a shared cache and must not change (-before +after):\n%s", diff)
	}
}

func TestBuildIsDeterministic(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	world := topologytest.Parse(t, crowd)
	first := topology.Build(world.Input)
	for range 50 {
		again := topology.Build(world.Shuffle(random).Input)
		if diff := cmp.Diff(append(listenerLines(first), routeLines(first)...), append(listenerLines(again), routeLines(again)...)); diff != "" {
			t.Fatalf("equal worlds in another order are the same topology (-first +again):\n%s", diff)
		}
		if diff := cmp.Diff(append(policyLines(first), policyMessages(first)), append(policyLines(again), policyMessages(again))); diff != "" {
			t.Fatalf("and say the same of policies (-first +again):\n%s", diff)
		}
		if diff := cmp.Diff(first.Certificates(), again.Certificates()); diff != "" {
			t.Fatalf("and have the same certificates (-first +again):\n%s", diff)
		}
		if diff := cmp.Diff(first.Backends(), again.Backends()); diff != "" {
			t.Fatalf("and have the same backends (-first +again):\n%s", diff)
		}
	}
}
