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
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

const services = `
kind: Service
metadata: {namespace: shop, name: cart}
spec: {ports: [{name: web, port: 80}, {name: udp, port: 53, protocol: UDP}, {name: both-udp, port: 99, protocol: UDP}, {name: both-tcp, port: 99, protocol: TCP},
  {name: h2c, port: 81, appProtocol: kubernetes.io/h2c}, {name: tls, port: 443, appProtocol: https}, {name: ws, port: 82, appProtocol: kubernetes.io/ws}, {name: named, port: 83, appProtocol: HTTP}, {name: wss, port: 84, appProtocol: kubernetes.io/wss}, {name: line, port: 85, appProtocol: example.com/line}]}
---
kind: Service
metadata: {namespace: shop, name: outside}
spec: {type: ExternalName, externalName: example.com, ports: [{port: 80}]}
---
kind: Service
metadata: {namespace: bank, name: ledger}
spec: {ports: [{port: 80}]}
---
kind: Service
metadata: {namespace: bank, name: vault}
spec: {ports: [{port: 80}]}
`

func TestBackends(t *testing.T) {
	grant := func(spec string) string {
		return "kind: ReferenceGrant\nmetadata: {namespace: bank, name: g}\nspec: " + spec
	}
	cases := map[string]struct {
		reason  string
		ref     string
		grants  []string
		want    string // reason of the problem; empty when resolved
		message string
	}{
		"a Service":                  {reason: "the plain case", ref: `{name: cart, port: 80}`},
		"a Service, spelled out":     {reason: "group and kind may be given", ref: `{group: "", kind: Service, namespace: shop, name: cart, port: 80}`},
		"another kind":               {reason: "conformance: an unknown kind is InvalidKind, and named", ref: `{group: example.com, kind: Bucket, name: b}`, want: "InvalidKind", message: `example.com/Bucket "b"`},
		"a kind in the core group":   {reason: "other core kinds are no backends either", ref: `{kind: ConfigMap, name: b, port: 80}`, want: "InvalidKind", message: "ConfigMap"},
		"Service of another group":   {reason: "a kind is what it is only in its group", ref: `{group: serving.example.com, kind: Service, name: cart, port: 80}`, want: "InvalidKind"},
		"a Service that is missing":  {reason: "conformance: BackendNotFound, and named", ref: `{name: nowhere, port: 80}`, want: "BackendNotFound", message: "Service shop/nowhere does not exist"},
		"a port that is missing":     {reason: "a port that the Service lacks is as good as no Service", ref: `{name: cart, port: 8080}`, want: "BackendNotFound", message: "Service shop/cart has no port 8080"},
		"no port":                    {reason: "the port is required for a Service", ref: `{name: cart}`, want: "UnsupportedValue", message: "port is required"},
		"an ExternalName Service":    {reason: "CVE-2021-25740: it would let a route's owner reach what the cluster's network does not give them", ref: `{name: outside, port: 80}`, want: "UnsupportedValue", message: "ExternalName"},
		"a UDP port":                 {reason: "HTTP does not go over UDP", ref: `{name: cart, port: 53}`, want: "UnsupportedProtocol", message: "protocol UDP"},
		"a number for both":          {reason: "where UDP and TCP share a number, TCP is meant", ref: `{name: cart, port: 99}`},
		"h2c":                        {reason: "HTTP/2 with prior knowledge", ref: `{name: cart, port: 81}`},
		"WebSocket over TLS":         {reason: "an appProtocol that is not spoken must be refused, not tried in clear text", ref: `{name: cart, port: 84}`, want: "UnsupportedProtocol", message: `"kubernetes.io/wss"`},
		"somebody's protocol":        {reason: "nor one that is not known", ref: `{name: cart, port: 85}`, want: "UnsupportedProtocol", message: `"example.com/line"`},
		"https":                      {reason: "clear text must not be sent to a port that expects TLS", ref: `{name: cart, port: 443}`, want: "UnsupportedProtocol"},
		"WebSocket":                  {reason: "a WebSocket begins as HTTP/1.1", ref: `{name: cart, port: 82}`},
		"http by name":               {reason: "IANA names are compared without regard to case", ref: `{name: cart, port: 83}`},
		"another namespace":          {reason: "no reference leaves a namespace without a grant", ref: `{namespace: bank, name: ledger, port: 80}`, want: "RefNotPermitted", message: `no ReferenceGrant in namespace "bank" lets HTTPRoutes of namespace "shop" refer to Service "ledger"`},
		"not granted, not there":     {reason: "without a grant nothing is told about what exists there", ref: `{namespace: bank, name: nowhere, port: 80}`, want: "RefNotPermitted"},
		"granted":                    {reason: "a grant for all Services", ref: `{namespace: bank, name: ledger, port: 80}`, grants: []string{grant(`{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service}]}`)}},
		"granted, not there":         {reason: "with a grant, what is missing is told", ref: `{namespace: bank, name: nowhere, port: 80}`, want: "BackendNotFound", grants: []string{grant(`{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service}]}`)}},
		"granted by name":            {reason: "a grant for one Service", ref: `{namespace: bank, name: ledger, port: 80}`, grants: []string{grant(`{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service, name: ledger}]}`)}},
		"granted for another name":   {reason: "conformance: a grant for one Service does not open the others", ref: `{namespace: bank, name: vault, port: 80}`, want: "RefNotPermitted", grants: []string{grant(`{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service, name: ledger}]}`)}},
		"granted for another route":  {reason: "from names the kind of the route", ref: `{namespace: bank, name: ledger, port: 80}`, want: "RefNotPermitted", grants: []string{grant(`{from: [{group: gateway.networking.k8s.io, kind: GRPCRoute, namespace: shop}], to: [{group: "", kind: Service}]}`)}},
		"granted for another group":  {reason: "from names the group of the route", ref: `{namespace: bank, name: ledger, port: 80}`, want: "RefNotPermitted", grants: []string{grant(`{from: [{group: example.com, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service}]}`)}},
		"granted to another place":   {reason: "from names the namespace of the route", ref: `{namespace: bank, name: ledger, port: 80}`, want: "RefNotPermitted", grants: []string{grant(`{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: guest}], to: [{group: "", kind: Service}]}`)}},
		"granted for Secrets":        {reason: "to names the kind", ref: `{namespace: bank, name: ledger, port: 80}`, want: "RefNotPermitted", grants: []string{grant(`{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Secret}]}`)}},
		"granted by another's grant": {reason: "a grant opens its own namespace alone", ref: `{namespace: bank, name: ledger, port: 80}`, want: "RefNotPermitted", grants: []string{"kind: ReferenceGrant\nmetadata: {namespace: shop, name: g}\nspec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: \"\", kind: Service}]}"}},
		"granted in halves":          {reason: "from of one grant and to of another make no grant", ref: `{namespace: bank, name: ledger, port: 80}`, want: "RefNotPermitted", grants: []string{grant(`{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Secret}]}`), grant(`{from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: guest}], to: [{group: "", kind: Service}]}`)}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			documents := append([]string{plainGateway, services, routeWith("{parentRefs: [{name: web}], rules: [{backendRefs: [" + c.ref + "]}]}")}, c.grants...)
			route := topology.Build(topologytest.Parse(t, documents...).Input).Routes[0]
			problem := route.Rules[0].Backends[0].Problem
			got, message := "", ""
			if problem != nil {
				got, message = problem.Reason, problem.Message
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: problem (-want +got):\n%s", c.reason, diff)
			}
			if !strings.Contains(message, c.message) {
				t.Errorf("%s: message %q lacks %q", c.reason, message, c.message)
			}
			resolved := route.Parents[0].ResolvedRefs
			if resolved.True() != (c.want == "") || (c.want != "" && resolved.Reason != c.want) {
				t.Errorf("%s: the condition is %s, the problem %q", c.reason, short(resolved), c.want)
			}
		})
	}
}

func TestBackendsOfTheTable(t *testing.T) {
	world := topologytest.Parse(t, plainGateway, services,
		routeWith(`{parentRefs: [{name: web}], rules: [
			{backendRefs: [{name: cart, port: 99}, {name: cart, port: 80, weight: 0}, {name: nowhere, port: 80}, {name: cart, port: 80, weight: 7}, {name: cart, port: 81}]},
			{sessionPersistence: {type: Cookie}, backendRefs: [{name: cart, port: 82}]}]}`),
		"kind: HTTPRoute\nmetadata: {namespace: shop, name: away}\nspec: {parentRefs: [{name: web, sectionName: none}], rules: [{backendRefs: [{name: cart, port: 83}]}]}")
	built := topology.Build(world.Input)
	want := []topology.BackendRef{
		{Service: types.NamespacedName{Namespace: "shop", Name: "cart"}, Port: 80, PortName: "web"},
		{Service: types.NamespacedName{Namespace: "shop", Name: "cart"}, Port: 81, PortName: "h2c", Protocol: topology.H2C},
		{Service: types.NamespacedName{Namespace: "shop", Name: "cart"}, Port: 99, PortName: "both-tcp"},
	}
	if diff := cmp.Diff(want, built.Backends()); diff != "" {
		t.Errorf("backends are those of served rules of attached routes, each once, sorted (-want +got):\n%s", diff)
	}
	var weights []uint32
	for _, route := range built.Routes {
		if route.Object.GetName() != "cart" {
			continue
		}
		for _, backend := range route.Rules[0].Backends {
			weights = append(weights, backend.Weight)
		}
	}
	if diff := cmp.Diff([]uint32{1, 0, 1, 7, 1}, weights); diff != "" {
		t.Errorf("a weight defaults to 1, and 0 is a weight (-want +got):\n%s", diff)
	}
}
