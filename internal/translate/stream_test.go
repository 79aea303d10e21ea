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
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/internal/translate"
)

const (
	streamGateway = `
kind: Gateway
metadata: {namespace: shop, name: web}
spec:
  gatewayClassName: rauta
  listeners:
  - {name: tcp, port: 53, protocol: TCP}
  - {name: udp, port: 53, protocol: UDP}
  - {name: pass, port: 443, protocol: TLS, hostname: "*.pass.test", tls: {mode: Passthrough}}
  - {name: end, port: 443, protocol: TLS, hostname: "*.end.test", tls: {certificateRefs: [{name: tls}]}}
`
	dns = `
kind: Service
metadata: {namespace: shop, name: dns}
spec: {ports: [{name: dns-tcp, port: 53}, {name: dns, port: 53, protocol: UDP}]}
---
kind: EndpointSlice
metadata: {namespace: shop, name: dns-1, labels: {kubernetes.io/service-name: dns}}
addressType: IPv4
ports: [{name: dns, port: 5353, protocol: UDP}, {name: dns-tcp, port: 5300, protocol: TCP}]
endpoints: [{addresses: [10.0.0.1]}]
---
kind: BackendTLSPolicy
metadata: {namespace: shop, name: p}
spec: {targetRefs: [{group: '', kind: Service, name: dns}], validation: {hostname: dns.test, wellKnownCACertificates: System}}
`
	streamRoutes = `
kind: UDPRoute
metadata: {namespace: shop, name: u, creationTimestamp: "2026-01-01T00:00:00Z", uid: u, generation: 1}
spec: {parentRefs: [{name: web}], rules: [{backendRefs: [{name: dns, port: 53, weight: 3}, {name: gone, port: 53}]}]}
---
kind: TLSRoute
metadata: {namespace: shop, name: both, uid: t, generation: 1}
spec: {parentRefs: [{name: web}], hostnames: [a.pass.test, a.end.test], rules: [{backendRefs: [{name: dns, port: 53}]}]}
`
)

func TestStreamResources(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.end.test")
	world := topologytest.Parse(t, streamGateway, dns, streamRoutes, topologytest.Secret("shop", "tls", chain, key))
	got := resources(t, world)
	want := table(t, `
resources:
- {name: backend/service/shop/dns/53/passthrough, backend: {protocol: BACKEND_PROTOCOL_TCP, endpoints: endpoints/service/shop/dns/53}}
- {name: backend/service/shop/dns/53/tcp, backend: {protocol: BACKEND_PROTOCOL_TCP, endpoints: endpoints/service/shop/dns/53, tls: {hostname: dns.test, systemAuthorities: true}}}
- {name: backend/service/shop/dns/53/udp, backend: {protocol: BACKEND_PROTOCOL_UDP, endpoints: endpoints/service/shop/dns/53/udp}}
- {name: endpoints/service/shop/dns/53, endpoints: {endpoints: [{address: 10.0.0.1, port: 5300, state: ENDPOINT_STATE_READY}]}}
- {name: endpoints/service/shop/dns/53/udp, endpoints: {endpoints: [{address: 10.0.0.1, port: 5353, state: ENDPOINT_STATE_READY}]}}
- {name: listener/end, listener: {port: 443, protocol: PROTOCOL_TLS, hostname: "*.end.test", certificates: [certificate/secret/shop/tls]}}
- {name: listener/pass, listener: {port: 443, protocol: PROTOCOL_TLS, hostname: "*.pass.test", passthrough: true}}
- {name: listener/tcp, listener: {port: 53, protocol: PROTOCOL_TCP}}
- {name: listener/udp, listener: {port: 53, protocol: PROTOCOL_UDP}}
- name: route/tlsroute/shop/both
  streamRoute:
    attachments: [{listener: listener/end, hostnames: [a.end.test]}]
    backends: [{backend: backend/service/shop/dns/53/tcp, weight: 1}]
    origin: {kind: TLSRoute, namespace: shop, name: both}
- name: route/tlsroute/shop/both/passthrough
  streamRoute:
    attachments: [{listener: listener/pass, hostnames: [a.pass.test]}]
    backends: [{backend: backend/service/shop/dns/53/passthrough, weight: 1}]
    origin: {kind: TLSRoute, namespace: shop, name: both}
- name: route/udproute/shop/u
  streamRoute:
    attachments: [{listener: listener/udp}]
    backends: [{backend: backend/service/shop/dns/53/udp, weight: 3}, {weight: 1}]
    origin: {kind: UDPRoute, namespace: shop, name: u, created: "2026-01-01T00:00:00Z"}
`)
	rest := got[:0:0]
	for _, resource := range got {
		if resource.GetCertificate() == nil {
			rest = append(rest, resource)
		}
	}
	if diff := cmp.Diff(want, rest, protocmp.Transform(), protocmp.IgnoreFields(&adminv1.Resource{}, "hash")); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
}

// A Service may have a TCP and a UDP port of one number; the short way keeps them apart as the table does.
func TestEndpointsOfBothProtocols(t *testing.T) {
	world := topologytest.Parse(t, streamGateway, dns, streamRoutes)
	byName := map[string]*adminv1.Resource{}
	for _, resource := range resources(t, world) {
		byName[resource.GetName()] = resource
	}
	service := types.NamespacedName{Namespace: "shop", Name: "dns"}
	for _, protocol := range []corev1.Protocol{corev1.ProtocolTCP, corev1.ProtocolUDP} {
		short := translate.EndpointsOf(world.Services[service], 53, protocol, world.Slices[service])
		if whole := byName[short.GetName()]; whole == nil || whole.GetHash() != short.GetHash() {
			t.Errorf("%s: the short way gives %v, the table has %v", protocol, short, whole)
		}
	}
}

// What is remembered of a route has to go with where it is attached.
func TestMemoOfStreamRoutes(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.end.test")
	world := topologytest.Parse(t, streamGateway, dns, streamRoutes, topologytest.Secret("shop", "tls", chain, key))
	memo := &translate.Memo{}
	for _, step := range []struct {
		reason string
		change func()
	}{
		{"as it is", func() {}},
		{"again", func() {}},
		{"a listener ends TLS that passed it", func() { world.Gateway.Spec.Listeners[2].TLS = world.Gateway.Spec.Listeners[3].TLS.DeepCopy() }},
		{"without the policy", func() { world.BackendTLSPolicies = nil }},
	} {
		step.change()
		remembered, err := memo.Resources(topology.Build(world.Input), world.Slices)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(resources(t, world), remembered, protocmp.Transform()); diff != "" {
			t.Errorf("%s: the memo gives what the plain rendering gives (-plain +memo):\n%s", step.reason, diff)
		}
	}
}
