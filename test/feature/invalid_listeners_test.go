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

package feature

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// serviceTo is a Service of port 80 with one endpoint.
func serviceTo(name, address string) string {
	host, port, _ := net.SplitHostPort(address)
	return fmt.Sprintf("kind: Service\nmetadata: {namespace: shop, name: %[1]s}\nspec: {ports: [{name: http, port: 80}]}\n---\n"+
		"kind: EndpointSlice\nmetadata: {namespace: shop, name: %[1]s-1, labels: {kubernetes.io/service-name: %[1]s}}\naddressType: IPv4\n"+
		"ports: [{name: http, port: %[3]s}]\nendpoints: [{addresses: [%[2]s], conditions: {ready: true}}]", name, host, port)
}

// routeOf is an HTTPRoute, younger than the neighbour.
func routeOf(name, spec, rules string) string {
	return fmt.Sprintf("kind: HTTPRoute\nmetadata: {namespace: shop, name: %s, creationTimestamp: \"2026-01-02T00:00:00Z\"}\nspec: {%s, rules: [%s]}", name, spec, rules)
}

func configMap(name, bundle string) string {
	return "kind: ConfigMap\nmetadata: {namespace: shop, name: " + name + "}\ndata: {ca.crt: \"" + strings.ReplaceAll(bundle, "\n", "\\n") + "\"}"
}

const authoritiesRef = "{group: \"\", kind: ConfigMap, name: ca}"

func invalidGateways(t *testing.T) []invalid {
	t.Helper()
	long := time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)
	chain, key := topologytest.KeyPairBetween(t, long.Add(-time.Hour), long)
	const toGood, clientRef = "{backendRefs: [{name: other, port: 80}]}", "tls: {backend: {clientCertificateRef: {name: tls%s}}}"
	return []invalid{
		{of: "Gateway", input: "an address of another type than IPAddress", gateway: "addresses: [{type: Hostname, value: a.test}]",
			subject: "Gateway", want: "Accepted=False UnsupportedAddress", names: []string{"spec.addresses[0]", `"Hostname"`}, rules: toGood, asked: "/", traffic: gets200},
		{of: "Gateway", input: "a client certificate that does not exist", gateway: strings.Replace(clientRef, "%s", "", 1),
			subject: "Gateway", want: "ResolvedRefs=False InvalidClientCertificateRef", names: []string{"spec.tls.backend.clientCertificateRef", "shop/tls"}, rules: toGood, asked: "/", traffic: gets200},
		{of: "Gateway", input: "a client certificate of another namespace without a ReferenceGrant", gateway: strings.Replace(clientRef, "%s", ", namespace: bank", 1),
			subject: "Gateway", want: "ResolvedRefs=False RefNotPermitted", names: []string{"spec.tls.backend.clientCertificateRef", `"bank"`}, rules: toGood, asked: "/", traffic: gets200},
		{of: "Gateway", input: "a client certificate that has expired", gateway: strings.Replace(clientRef, "%s", "", 1), objects: []string{topologytest.Secret("shop", "tls", chain, key)},
			subject: "Gateway", want: "rauta.dev/InvalidCertificate=True Expired", names: []string{"spec.tls.backend.clientCertificateRef", "shop/tls"}, rules: toGood, asked: "/", traffic: gets200},
	}
}

func invalidListeners(t *testing.T) []invalid {
	t.Helper()
	long, far := time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC), time.Date(2120, time.January, 1, 0, 0, 0, 0, time.UTC)
	secret := func(from, to time.Time, hosts ...string) string {
		chain, key := topologytest.KeyPairBetween(t, from, to, hosts...)
		return topologytest.Secret("shop", "tls", chain, key)
	}
	chain, _ := topologytest.KeyPair(t, badHostname)
	_, otherKey := topologytest.KeyPair(t, badHostname)
	ended, _ := topologytest.KeyPairBetween(t, long.Add(-time.Hour), long, badHostname)
	valid := secret(long, far, badHostname)
	const tls, bad, to = "{name: bad, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}", "listener bad", "{backendRefs: [{name: other, port: 80}]}"
	with := func(rest string) string { return strings.TrimSuffix(tls, "}}") + rest + "}}" }
	plain := func(rest string) string { return "{name: bad, port: 81, protocol: HTTP" + rest + "}" }
	clients := func(ref string) string {
		return "tls: {frontend: {default: {validation: {caCertificateRefs: [" + ref + "]}}}}"
	}
	rows := []invalid{
		{input: "a protocol that is not known", listeners: "{name: bad, port: 81, protocol: example.com/x}", want: "Accepted=False UnsupportedProtocol", names: []string{"protocol", "example.com/x"}, asked: "81 /", traffic: getsNothing},
		{input: "a selector that cannot be read", listeners: plain(", allowedRoutes: {namespaces: {from: Selector, selector: {matchExpressions: [{key: a, operator: Near}]}}}"), want: "Accepted=False UnsupportedValue", names: []string{"allowedRoutes.namespaces.selector", "Near"}, asked: "81 /", traffic: getsNothing},
		{input: "a kind of routes that it cannot serve", listeners: plain(", allowedRoutes: {kinds: [{kind: FooRoute}]}"), want: "ResolvedRefs=False InvalidRouteKinds", names: []string{"allowedRoutes.kinds[0]", "FooRoute"}, asked: "81 /", traffic: gets404},
		{input: "port and hostname of another listener", listeners: plain(", hostname: bad.test") + ", {name: twin, port: 81, protocol: HTTP, hostname: bad.test}", want: "Conflicted=True HostnameConflict", names: []string{"port 81", `"twin"`}, asked: "81 /", traffic: getsNothing},
		{input: "the port of a listener with another protocol", listeners: plain("") + ", {name: twin, port: 81, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}", objects: []string{valid}, want: "Conflicted=True ProtocolConflict", names: []string{"port 81", `"twin"`}, asked: "81 /", traffic: getsNothing},
		{input: "`tls.mode: Passthrough` on HTTPS", listeners: with(", mode: Passthrough"), objects: []string{valid}, want: "Accepted=False UnsupportedValue", names: []string{"tls.mode", "Passthrough"}, asked: "443 /", traffic: getsNothing},
		{input: "an option of TLS that is not known", listeners: with(", options: {example.com/x: y}"), objects: []string{valid}, want: "Accepted=False UnsupportedValue", names: []string{`tls.options["example.com/x"]`}, asked: "443 /", traffic: getsNothing},
		{input: "an option of TLS whose value is not known", listeners: with(", options: {gateway.rauta.dev/min-version: \"1.1\"}"), objects: []string{valid}, want: "Accepted=False UnsupportedValue", names: []string{`tls.options["gateway.rauta.dev/min-version"]`, `"1.1"`}, asked: "443 /", traffic: getsNothing},
		{input: "no certificate", listeners: "{name: bad, port: 443, protocol: HTTPS}", want: "ResolvedRefs=False InvalidCertificateRef", names: []string{"tls.certificateRefs"}, asked: "443 /", traffic: getsNothing},
		{input: "a certificate of another kind", listeners: "{name: bad, port: 443, protocol: HTTPS, tls: {certificateRefs: [{kind: ConfigMap, name: tls}]}}", want: "ResolvedRefs=False InvalidCertificateRef", names: []string{"tls.certificateRefs[0]", "ConfigMap", `"tls"`}, asked: "443 /", traffic: getsNothing},
		{input: "a Secret that does not exist", listeners: tls, want: "ResolvedRefs=False InvalidCertificateRef", names: []string{"tls.certificateRefs[0]", "shop/tls"}, asked: "443 /", traffic: getsNothing},
		{input: "a Secret of another type", listeners: tls, objects: []string{strings.Replace(valid, "type: kubernetes.io/tls", "type: Opaque", 1)}, want: "ResolvedRefs=False InvalidCertificateRef", names: []string{"tls.certificateRefs[0]", "shop/tls", "Opaque"}, asked: "443 /", traffic: getsNothing},
		{input: "a Secret that holds no certificate", listeners: tls, objects: []string{topologytest.Secret("shop", "tls", []byte("x"), []byte("y"))}, want: "ResolvedRefs=False InvalidCertificateRef", names: []string{"tls.certificateRefs[0]", "shop/tls", "tls.crt"}, asked: "443 /", traffic: getsNothing},
		{input: "a certificate with another's key", listeners: tls, objects: []string{topologytest.Secret("shop", "tls", chain, otherKey)}, want: "ResolvedRefs=False InvalidCertificateRef", names: []string{"tls.certificateRefs[0]", "shop/tls", "tls.key"}, asked: "443 /", traffic: getsNothing},
		{input: "a Secret of another namespace without a ReferenceGrant", listeners: "{name: bad, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls, namespace: bank}]}}", want: "ResolvedRefs=False RefNotPermitted", names: []string{"tls.certificateRefs[0]", `"bank"`, `"tls"`}, asked: "443 /", traffic: getsNothing},
		{input: "a certificate that has expired", listeners: tls, objects: []string{secret(long.Add(-time.Hour), long, badHostname)}, rules: to, want: "rauta.dev/InvalidCertificate=True Expired", names: []string{"tls.certificateRefs", "shop/tls", "2020"}, asked: "443 /", traffic: gets200},
		{input: "a certificate that is not valid yet", listeners: tls, objects: []string{secret(far, far.Add(time.Hour), badHostname)}, rules: to, want: "rauta.dev/InvalidCertificate=True NotYetValid", names: []string{"tls.certificateRefs", "shop/tls", "2120"}, asked: "443 /", traffic: gets200},
		{input: "a certificate for other hosts", listeners: "{name: bad, port: 443, protocol: HTTPS, hostname: bad.test, tls: {certificateRefs: [{name: tls}]}}", objects: []string{secret(long, far, "other.test")}, rules: to, want: "rauta.dev/InvalidCertificate=True HostnameMismatch", names: []string{"tls.certificateRefs", `"bad.test"`}, asked: "443 /", traffic: gets200},
		{input: "clients' authorities that do not exist", gateway: clients(authoritiesRef), listeners: tls, objects: []string{valid}, want: "Accepted=False NoValidCACertificate", names: []string{"spec.tls.frontend.default.validation"}, asked: "443 /", traffic: getsNothing},
		{input: "clients' authorities that are empty", gateway: clients(authoritiesRef), listeners: tls, objects: []string{valid, configMap("ca", "")}, want: "ResolvedRefs=False InvalidCACertificateRef", names: []string{"spec.tls.frontend.default.validation.caCertificateRefs[0]", "shop/ca", "ca.crt"}, asked: "443 /", traffic: getsNothing},
		{input: "clients' authorities of another kind", gateway: clients("{group: \"\", kind: Secret, name: ca}"), listeners: tls, objects: []string{valid}, want: "ResolvedRefs=False InvalidCACertificateKind", names: []string{"caCertificateRefs[0]", "Secret", `"ca"`}, asked: "443 /", traffic: getsNothing},
		{input: "clients' authorities of another namespace without a ReferenceGrant", gateway: clients("{group: \"\", kind: ConfigMap, name: ca, namespace: bank}"), listeners: tls, objects: []string{valid}, want: "ResolvedRefs=False RefNotPermitted", names: []string{"caCertificateRefs[0]", `"bank"`, `"ca"`}, asked: "443 /", traffic: getsNothing},
		{input: "clients' authorities that have expired", gateway: clients(authoritiesRef), listeners: tls, objects: []string{valid, configMap("ca", string(ended))}, rules: to, want: "rauta.dev/InvalidCertificate=True Expired", names: []string{"spec.tls.frontend.default.validation.caCertificateRefs", "2020"}, asked: "443 /", traffic: getsNoTLS},
		{input: "one of two authorities that can be used", gateway: clients(authoritiesRef + ", {group: \"\", kind: ConfigMap, name: gone}"), listeners: tls, objects: []string{valid, configMap("ca", string(chain))}, rules: to, want: "ResolvedRefs=False InvalidCACertificateRef", names: []string{"caCertificateRefs[1]", "shop/gone"}, asked: "443 /", traffic: getsNoTLS},
	}
	for i := range rows {
		rows[i].of, rows[i].subject = "listener", bad
	}
	return append(rows, invalidListenerSets(valid)...)
}

func invalidListenerSets(secret string) []invalid {
	const allowed = "allowedListeners: {namespaces: {from: Same}}"
	set := func(listeners string) string {
		return "kind: ListenerSet\nmetadata: {namespace: shop, name: bad}\nspec: {parentRef: {name: web}, listeners: [" + listeners + "]}"
	}
	rows := []invalid{
		{input: "a Gateway that does not allow it", objects: []string{set("{name: x, port: 81, protocol: HTTP}")}, subject: "ListenerSet shop/bad", want: "Accepted=False NotAllowed", names: []string{"shop/web", "spec.allowedListeners"}, asked: "81 /", traffic: getsNothing},
		{input: "port and hostname of the Gateway's", gateway: allowed, objects: []string{set("{name: x, port: 80, protocol: HTTP}")}, subject: "listener shop/bad/x", want: "Accepted=False HostnameConflict", names: []string{"port 80"}, asked: "/", traffic: gets404},
		{input: "no listener that can be served", gateway: allowed, objects: []string{set("{name: x, port: 81, protocol: example.com/x}")}, subject: "ListenerSet shop/bad", want: "Accepted=False ListenersNotValid", names: []string{`listener "x"`, "protocol"}, asked: "81 /", traffic: getsNothing},
		{input: "a Secret of another namespace without a ReferenceGrant", gateway: allowed, objects: []string{secret, set("{name: x, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls, namespace: bank}]}}")}, subject: "listener shop/bad/x", want: "ResolvedRefs=False RefNotPermitted", names: []string{"tls.certificateRefs[0]", "ListenerSets", `"bank"`}, asked: "443 /", traffic: getsNothing},
	}
	for i := range rows {
		rows[i].of = "ListenerSet"
	}
	return rows
}

func invalidPolicies(t *testing.T) []invalid {
	t.Helper()
	const to = "{backendRefs: [{name: secured, port: 80}]}"
	long := time.Date(2020, time.January, 1, 0, 0, 0, 0, time.UTC)
	ended, endedKey := topologytest.KeyPairBetween(t, long.Add(-time.Hour), long, "a.test")
	service := "kind: Service\nmetadata: {namespace: shop, name: secured}\nspec: {ports: [{name: http, port: 80}]}"
	policy := func(name, target, validation string) string {
		return "kind: BackendTLSPolicy\nmetadata: {namespace: shop, name: " + name + "}\nspec: {targetRefs: [" + target + "], " + validation + "}"
	}
	const target, system = "{group: \"\", kind: Service, name: secured}", "validation: {hostname: a.test, wellKnownCACertificates: System}"
	by := func(ref string) string { return "validation: {hostname: a.test, caCertificateRefs: [" + ref + "]}" }
	rows := []invalid{
		{input: "the target of another policy", objects: []string{service, policy("bad", target, system), policy("a", target, "validation: {hostname: a.test, wellKnownCACertificates: Nobody}")}, want: "Accepted=False Conflicted", names: []string{"spec.targetRefs[0]", "shop/a"}, traffic: gets500},
		{input: "a target that is no Service, beside one that is", objects: []string{service, policy("bad", "{group: \"\", kind: Pod, name: secured}, {group: \"\", kind: Service, name: secured, sectionName: gone}", system)}, want: "Accepted=False TargetNotFound", names: []string{"spec.targetRefs[0]", "Pod", "spec.targetRefs[1]", "shop/secured", `"gone"`}, traffic: "503"},
		{input: "authorities that do not exist", objects: []string{service, policy("bad", target, by(authoritiesRef))}, want: "Accepted=False NoValidCACertificate", names: []string{"spec.validation.caCertificateRefs"}, traffic: gets500},
		{input: "authorities that are empty", objects: []string{service, configMap("ca", ""), policy("bad", target, by(authoritiesRef))}, want: "ResolvedRefs=False InvalidCACertificateRef", names: []string{"spec.validation.caCertificateRefs[0]", "shop/ca", "ca.crt"}, traffic: gets500},
		{input: "authorities of another kind", objects: []string{service, policy("bad", target, by("{group: \"\", kind: Secret, name: ca}"))}, want: "ResolvedRefs=False InvalidKind", names: []string{"spec.validation.caCertificateRefs[0]", "Secret", `"ca"`}, traffic: gets500},
		{input: "authorities that have expired", objects: []string{serviceTo("secured", showing(t, ended, endedKey)), configMap("ca", string(ended)), policy("bad", target, by(authoritiesRef))}, want: "rauta.dev/InvalidCertificate=True Expired", names: []string{"spec.validation.caCertificateRefs", "2020"}, traffic: gets502},
		{input: "well-known authorities that nobody knows", objects: []string{service, policy("bad", target, "validation: {hostname: a.test, wellKnownCACertificates: Nobody}")}, want: "Accepted=False Invalid", names: []string{"spec.validation.wellKnownCACertificates", "Nobody"}, traffic: gets500},
		{input: "an option", objects: []string{service, policy("bad", target, system+", options: {example.com/x: y}")}, want: "Accepted=False Invalid", names: []string{"spec.options", "example.com/x"}, traffic: gets500},
		{input: "a name of a type that is not known", objects: []string{service, policy("bad", target, "validation: {hostname: a.test, wellKnownCACertificates: System, subjectAltNames: [{type: Email}]}")}, want: "Accepted=False Invalid", names: []string{"spec.validation.subjectAltNames[0].type", "Email"}, traffic: gets500},
	}
	for i := range rows {
		rows[i].of, rows[i].subject, rows[i].rules, rows[i].asked = "BackendTLSPolicy", "BackendTLSPolicy shop/bad", to, "/"
	}
	return rows
}

// showing is an endpoint that shows a certificate.
func showing(t *testing.T, chain, key []byte) (address string) {
	t.Helper()
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}
