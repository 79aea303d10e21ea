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
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

const twoListeners = `
kind: Gateway
metadata: {namespace: shop, name: web, generation: 5}
spec: {gatewayClassName: rauta, listeners: [{name: http, port: 80, protocol: HTTP}, {name: tls, port: 443, protocol: example.com/tls}]}
`

func line(c metav1.Condition) string {
	return fmt.Sprintf("%s=%s/%s@%d", c.Type, c.Status, c.Reason, c.ObservedGeneration)
}

func lines(conditions []metav1.Condition) string {
	words := make([]string, len(conditions))
	for i := range conditions {
		words[i] = line(conditions[i])
	}
	return strings.Join(words, " ")
}

func address(value string) []gatewayv1.GatewayStatusAddress {
	ip := gatewayv1.IPAddressType
	return []gatewayv1.GatewayStatusAddress{{Type: &ip, Value: value}}
}

// served is a delivery that came to two replicas.
func served() Delivery { return Delivery{Generation: 7, Ready: 2, Serving: 2} }

func TestGateway(t *testing.T) {
	cases := map[string]struct {
		reason   string
		spec     string // more of the Gateway's spec
		facts    GatewayFacts
		accepted string
		want     string // Programmed
		message  string
		listener string // Programmed of listener http
	}{
		"all is well": {
			reason:   "every ready replica serves the wanted generation; the message says how many and which",
			facts:    GatewayFacts{Addresses: address("192.0.2.1"), Delivery: served()},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=True/Programmed@5", message: "2 of 2 ready replicas serve generation 7",
			listener: "Programmed=True/Programmed@5",
		},
		"a replica is behind": {
			reason:   "one ready replica that serves another table is enough to say no",
			facts:    GatewayFacts{Addresses: address("192.0.2.1"), Delivery: Delivery{Generation: 7, Ready: 2, Serving: 1, Trouble: "replica a at 10.0.0.1:19443: connection refused"}},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=False/Pending@5", message: "1 of 2 ready replicas serve generation 7; replica a at 10.0.0.1:19443: connection refused",
			listener: "Programmed=False/Pending@5",
		},
		"no replica is ready": {
			reason:   "none of none is not all",
			facts:    GatewayFacts{Addresses: address("192.0.2.1"), Delivery: Delivery{Generation: 7}},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=False/Pending@5", message: "0 of 0 ready replicas serve generation 7",
			listener: "Programmed=False/Pending@5",
		},
		"nothing was pushed": {
			reason:   "generation 0 is no table, even if replicas are there",
			facts:    GatewayFacts{Addresses: address("192.0.2.1"), Delivery: Delivery{Ready: 1, Serving: 1}},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=False/Pending@5",
			listener: "Programmed=False/Pending@5",
		},
		"no address": {
			reason:   "without an address nobody reaches the listeners",
			facts:    GatewayFacts{Delivery: served()},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=False/AddressNotAssigned@5", message: "has no address yet",
			listener: "Programmed=True/Programmed@5",
		},
		"the address that was asked for": {
			reason: "a requested address that the Service has is fine", spec: ", addresses: [{value: 192.0.2.1}, {type: IPAddress}]",
			facts:    GatewayFacts{Addresses: address("192.0.2.1"), Delivery: served()},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=True/Programmed@5",
			listener: "Programmed=True/Programmed@5",
		},
		"the address in other words": {
			reason: "an IPv6 address can be written in several ways", spec: `, addresses: [{value: "2001:DB8:0::1"}]`,
			facts:    GatewayFacts{Addresses: address("2001:db8::1"), Delivery: served()},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=True/Programmed@5",
			listener: "Programmed=True/Programmed@5",
		},
		"not the address that was asked for": {
			reason: "a requested address that cannot be had MUST be told of", spec: ", addresses: [{value: 192.0.2.9}]",
			facts:    GatewayFacts{Addresses: address("192.0.2.1"), Delivery: served()},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=False/AddressNotUsable@5", message: `spec.addresses[0]: "192.0.2.9"`,
			listener: "Programmed=True/Programmed@5",
		},
		"an address that nobody gives": {
			reason: "conformance: where the address that was asked for does not come, it is that one that cannot be used", spec: ", addresses: [{value: 192.0.2.9}]",
			facts:    GatewayFacts{Delivery: served()},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=False/AddressNotUsable@5", message: `spec.addresses[0]: "192.0.2.9"`,
			listener: "Programmed=True/Programmed@5",
		},
		"an address of another type": {
			reason: "a Gateway that is not accepted is not programmed either", spec: ", addresses: [{type: Hostname, value: a.test}]",
			facts:    GatewayFacts{Addresses: address("192.0.2.1"), Delivery: served()},
			accepted: "Accepted=False/UnsupportedAddress@5", want: "Programmed=False/Invalid@5", message: "spec.addresses[0]",
			listener: "Programmed=False/Invalid@5",
		},
		"invalid parameters": {
			reason:   "parameters that cannot be used keep the Gateway from being accepted, with the message that names the field",
			facts:    GatewayFacts{Invalid: &topology.Problem{Reason: "InvalidParameters", Message: "spec.replicas: must not be negative"}, Addresses: address("192.0.2.1"), Delivery: served()},
			accepted: "Accepted=False/InvalidParameters@5", want: "Programmed=False/Invalid@5", message: "spec.replicas",
			listener: "Programmed=False/Invalid@5",
		},
		"a collision": {
			reason:   "what keeps the proxy from being made is said in Programmed: the Gateway's own spec is fine",
			facts:    GatewayFacts{Blocked: &topology.Problem{Reason: "Collision", Message: "Service shop/web-rauta exists and is not this Gateway's"}},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=False/Collision@5", message: "Service shop/web-rauta",
			listener: "Programmed=False/Pending@5",
		},
		"a refused listener": {
			reason: "a listener that the proxy could not open must not be hidden behind an acknowledged generation",
			facts: GatewayFacts{Addresses: address("192.0.2.1"), Delivery: func() Delivery {
				d := served()
				d.Refused = map[string]string{"listener/http": "port 80: address in use"}
				return d
			}()},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=False/RefusedByProxy@5", message: `listener "http": the proxy refuses it: port 80: address in use`,
			listener: "Programmed=False/RefusedByProxy@5",
		},
		"a refused listener that is not wanted": {
			reason: "what the proxy said about a listener before it became invalid says nothing about the others",
			facts: GatewayFacts{Addresses: address("192.0.2.1"), Delivery: func() Delivery {
				d := served()
				d.Refused = map[string]string{"listener/tls": "port 443: address in use"}
				return d
			}()},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=True/Programmed@5",
			listener: "Programmed=True/Programmed@5",
		},
		"a refused route": {
			reason: "one bad route never blocks the others: the Gateway serves, and says what is refused",
			facts: GatewayFacts{Addresses: address("192.0.2.1"), Delivery: func() Delivery {
				d := served()
				d.Refused = map[string]string{"route/httproute/shop/b": "x", "route/httproute/shop/a": "bad"}
				return d
			}()},
			accepted: "Accepted=True/ListenersNotValid@5", want: "Programmed=True/Programmed@5", message: "resources refused by the proxy: 2, the first is route/httproute/shop/a: bad",
			listener: "Programmed=True/Programmed@5",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, strings.Replace(twoListeners, "tls}]", "tls}]"+c.spec, 1))
			before := world.Clone()
			got := Gateway(world.Gateway, topology.Build(world.Input), &c.facts, now)
			if diff := cmp.Diff(c.accepted+" "+c.want+" ResolvedRefs=True/ResolvedRefs@5", lines(got.Conditions)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if !strings.Contains(got.Conditions[1].Message, c.message) {
				t.Errorf("%s: message %q lacks %q", c.reason, got.Conditions[1].Message, c.message)
			}
			wantHTTP := "Accepted=True/Accepted@5 Conflicted=False/NoConflicts@5 " + c.listener + " ResolvedRefs=True/ResolvedRefs@5"
			wantTLS := "Accepted=False/UnsupportedProtocol@5 Conflicted=False/NoConflicts@5 Programmed=False/Invalid@5 ResolvedRefs=True/ResolvedRefs@5"
			if diff := cmp.Diff([]string{wantHTTP, wantTLS}, []string{lines(got.Listeners[0].Conditions), lines(got.Listeners[1].Conditions)}); diff != "" {
				t.Errorf("%s: listeners (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(before, world); diff != "" {
				t.Errorf("the Gateway is that of a shared cache and must not change (-before +after):\n%s", diff)
			}
		})
	}
}

// A listener whose Secret is missing is served by the proxies that hold an earlier certificate of it, and by no others.
func TestListenerWithoutItsSecret(t *testing.T) {
	const (
		broken    = "{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: gone}]}}"
		verdict   = "Accepted=True/Accepted@5 Conflicted=False/NoConflicts@5 "
		missing   = " ResolvedRefs=False/InvalidCertificateRef@5"
		nothing   = "Programmed=False/Invalid@5"
		all       = "Programmed=True/Programmed@5"
		absent    = "there is no Secret shop/gone"
		http      = ", {name: http, port: 80, protocol: HTTP}"
		noGrant   = "{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls, namespace: vault}]}}"
		isForeign = " ResolvedRefs=False/RefNotPermitted@5"
	)
	cases := map[string]struct {
		reason    string
		listeners string
		refused   bool
		listener  string
		gateway   string
		message   string // of the Gateway's Programmed
	}{
		"the proxies hold an earlier one":   {reason: "what serves is programmed; ResolvedRefs says what is wrong", listeners: broken, listener: verdict + all + missing, gateway: all},
		"the proxies hold none":             {reason: "a listener that answers no handshake is not programmed", listeners: broken, refused: true, listener: verdict + nothing + missing, gateway: nothing, message: absent},
		"none, and another listener":        {reason: "a broken listener takes no other with it", listeners: broken + http, refused: true, listener: verdict + nothing + missing, gateway: all},
		"a reference that is not permitted": {reason: "without a grant nothing of it is ever served", listeners: noGrant, listener: verdict + nothing + isForeign, gateway: nothing, message: "no ReferenceGrant in namespace \"vault\""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, "kind: Gateway\nmetadata: {namespace: shop, name: web, generation: 5}\nspec: {gatewayClassName: rauta, listeners: ["+c.listeners+"]}")
			facts := &GatewayFacts{Addresses: address("192.0.2.1"), Delivery: served()}
			if c.refused {
				facts.Delivery.Refused = map[string]string{"listener/https": "certificates: none of them can be used", "certificate/secret/shop/gone": "are empty"}
			}
			got := Gateway(world.Gateway, topology.Build(world.Input), facts, now)
			if diff := cmp.Diff([]string{c.listener, c.gateway}, []string{lines(got.Listeners[0].Conditions), line(got.Conditions[1])}); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if !strings.Contains(got.Conditions[1].Message, c.message) {
				t.Errorf("%s: message %q lacks %q", c.reason, got.Conditions[1].Message, c.message)
			}
		})
	}
}

func TestGatewayStatusHoldsStill(t *testing.T) {
	world := topologytest.Parse(t, twoListeners)
	facts := &GatewayFacts{Addresses: address("192.0.2.1"), Delivery: served()}
	world.Gateway.Status = Gateway(world.Gateway, topology.Build(world.Input), facts, then)

	t.Run("again", func(t *testing.T) {
		if diff := cmp.Diff(world.Gateway.Status, Gateway(world.Gateway, topology.Build(world.Input), facts, now)); diff != "" {
			t.Errorf("the same facts give the same status at any time (-first +again):\n%s", diff)
		}
	})
	t.Run("while a change of a route is on its way", func(t *testing.T) {
		behind := &GatewayFacts{Addresses: facts.Addresses, Delivery: Delivery{Generation: 8, Ready: 2, Serving: 1}}
		got := Gateway(world.Gateway, topology.Build(world.Input), behind, now)
		if diff := cmp.Diff(world.Gateway.Status.Listeners, got.Listeners); diff != "" {
			t.Errorf("listeners that did not change stay programmed (-first +again):\n%s", diff)
		}
	})
	t.Run("with a listener removed", func(t *testing.T) {
		fewer := world.Clone()
		fewer.Gateway.Spec.Listeners = fewer.Gateway.Spec.Listeners[:1]
		fewer.Gateway.Generation = 6
		got := Gateway(fewer.Gateway, topology.Build(fewer.Input), facts, now)
		if len(got.Listeners) != 1 || got.Listeners[0].Conditions[0].LastTransitionTime != at(then) {
			t.Errorf("a listener that is gone leaves the status, and the others keep their history; got %+v", got.Listeners)
		}
		if slices.ContainsFunc(got.Conditions, func(c metav1.Condition) bool { return c.ObservedGeneration != 6 }) {
			t.Errorf("all conditions are of the new generation; got %s", lines(got.Conditions))
		}
	})
}

func TestAddresses(t *testing.T) {
	cases := map[string]struct {
		reason  string
		service string
		want    []string
	}{
		"load balancer":           {reason: "what the load balancer gave, IP address or name", service: `{spec: {type: LoadBalancer, clusterIP: 10.96.0.1}, status: {loadBalancer: {ingress: [{ip: 192.0.2.1}, {hostname: lb.test}]}}}`, want: []string{"IPAddress 192.0.2.1", "Hostname lb.test"}},
		"pending":                 {reason: "a load balancer that gave none leaves the Gateway without an address: its cluster IP was not asked for", service: `{spec: {type: LoadBalancer, clusterIP: 10.96.0.1}}`},
		"cluster IPs":             {reason: "both families", service: `{spec: {type: ClusterIP, clusterIP: 10.96.0.1, clusterIPs: [10.96.0.1, "fd00::1"]}}`, want: []string{"IPAddress 10.96.0.1", "IPAddress fd00::1"}},
		"node port":               {reason: "the listeners' ports are open at the cluster IP", service: `{spec: {type: NodePort, clusterIP: 10.96.0.1}}`, want: []string{"IPAddress 10.96.0.1"}},
		"headless":                {reason: "None is no address", service: `{spec: {type: ClusterIP, clusterIP: None, clusterIPs: [None]}}`},
		"external IPs":            {reason: "they come on top", service: `{spec: {type: ClusterIP, clusterIP: 10.96.0.1, externalIPs: [198.51.100.1]}}`, want: []string{"IPAddress 10.96.0.1", "IPAddress 198.51.100.1"}},
		"more than the API takes": {reason: "the list is bounded at 16", service: `{spec: {externalIPs: [a, b, c, d, e, f, g, h, i, j, k, l, m, "n", o, p, q]}}`, want: []string{"IPAddress a", "IPAddress b", "IPAddress c", "IPAddress d", "IPAddress e", "IPAddress f", "IPAddress g", "IPAddress h", "IPAddress i", "IPAddress j", "IPAddress k", "IPAddress l", "IPAddress m", "IPAddress n", "IPAddress o", "IPAddress p"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			service := &corev1.Service{}
			if err := yaml.UnmarshalStrict([]byte(c.service), service); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range Addresses(service) {
				got = append(got, fmt.Sprintf("%s %s", *a.Type, a.Value))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
	if got := Addresses(nil); got != nil {
		t.Errorf("no Service has no addresses; got %v", got)
	}
}

// That a certificate is refused is said of the Gateway's own and of its listeners', as long as it is so.
func TestInvalidCertificateComesAndGoes(t *testing.T) {
	expires := time.Date(2026, time.May, 1, 0, 0, 0, 0, time.UTC)
	chain, key := topologytest.KeyPairBetween(t, expires.Add(-time.Hour), expires)
	world := topologytest.Parse(t, `kind: Gateway
metadata: {namespace: shop, name: web, generation: 5}
spec: {listeners: [{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}], tls: {backend: {clientCertificateRef: {name: tls}}}}`,
		topologytest.Secret("shop", "tls", chain, key))
	facts := &GatewayFacts{Addresses: address("192.0.2.1"), Delivery: served()}
	for _, step := range []struct {
		now  time.Time
		told bool
	}{{expires.Add(-time.Minute), false}, {expires.Add(time.Minute), true}, {expires.Add(time.Hour), true}, {expires.Add(-time.Minute), false}} {
		world.Now = step.now
		world.Gateway.Status = Gateway(world.Gateway, topology.Build(world.Input), facts, step.now)
		for whose, conditions := range map[string][]metav1.Condition{"Gateway": world.Gateway.Status.Conditions, "listener": world.Gateway.Status.Listeners[0].Conditions} {
			const want = "rauta.dev/InvalidCertificate=True/Expired@5"
			if got := lines(conditions); strings.Contains(got, want) != step.told || strings.Contains(got, "InvalidCertificate") != step.told {
				t.Errorf("at %s the %s says %s", step.now, whose, got)
			}
		}
	}
}
