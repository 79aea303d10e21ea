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
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

const secretGrant = `
kind: ReferenceGrant
metadata: {namespace: vault, name: open}
spec: {from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: shop}], to: [{group: "", kind: Secret, name: shared}]}
`

// certificateLines tells of each certificate of a listener whether it is known.
func certificateLines(l *topology.Listener) []string {
	var lines []string
	for _, c := range l.Certificates {
		lines = append(lines, fmt.Sprintf("%s known=%t", c.Secret, len(c.Chain) > 0 && len(c.Key) > 0))
	}
	return lines
}

func TestCertificateRefs(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.test")
	_, otherKey := topologytest.KeyPair(t, "a.test")
	secret := func(namespace, name string) string { return topologytest.Secret(namespace, name, chain, key) }
	const (
		fine        = "Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=True/ResolvedRefs"
		invalid     = "Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=False/InvalidCertificateRef"
		forbidden   = "Accepted=True/Accepted Conflicted=False/NoConflicts ResolvedRefs=False/RefNotPermitted"
		unsupported = "Accepted=False/UnsupportedValue Conflicted=False/NoConflicts ResolvedRefs=True/ResolvedRefs"
	)
	cases := map[string]struct {
		reason       string
		tls          string
		world        []string
		want         string
		certificates []string
		served       bool
		message      string // part of ResolvedRefs' message, or of Accepted's where that is False
	}{
		"a Secret of the Gateway's namespace": {
			reason: "the core of the specification", tls: `{certificateRefs: [{name: tls}]}`, world: []string{secret("shop", "tls")},
			want: fine, certificates: []string{"shop/tls known=true"}, served: true,
		},
		"group and kind spelt out": {
			reason: "conformance writes them so", tls: `{mode: Terminate, certificateRefs: [{group: "", kind: Secret, name: tls}]}`, world: []string{secret("shop", "tls")},
			want: fine, certificates: []string{"shop/tls known=true"}, served: true,
		},
		"several": {
			reason: "the order is the listener's: the first one is the default; each is there once",
			tls:    `{certificateRefs: [{name: b}, {name: a}, {name: b}]}`, world: []string{secret("shop", "a"), secret("shop", "b")},
			want: fine, certificates: []string{"shop/b known=true", "shop/a known=true"}, served: true,
		},
		"none": {
			reason: "without a certificate there is no handshake", tls: `{}`, want: invalid, message: "tls.certificateRefs: at least one is required",
		},
		"no Secret": {
			reason: "conformance: InvalidCertificateRef; the proxies may hold an earlier one, so the listener stays theirs",
			tls:    `{certificateRefs: [{name: gone}]}`, want: invalid, certificates: []string{"shop/gone known=false"}, served: true,
			message: "tls.certificateRefs[0]: there is no Secret shop/gone of type kubernetes.io/tls",
		},
		"one of two is missing": {
			reason: "what can be served is served, and the condition names the other",
			tls:    `{certificateRefs: [{name: tls}, {name: gone}]}`, world: []string{secret("shop", "tls")},
			want: invalid, certificates: []string{"shop/tls known=true", "shop/gone known=false"}, served: true, message: "tls.certificateRefs[1]: there is no Secret",
		},
		"malformed": {
			reason: "conformance: a Secret whose data is no certificate", tls: `{certificateRefs: [{name: tls}]}`,
			world: []string{topologytest.Secret("shop", "tls", []byte("Hello world"), []byte("Hello world"))},
			want:  invalid, certificates: []string{"shop/tls known=false"}, served: true, message: "Secret shop/tls tls.crt and tls.key are no certificate with its key",
		},
		"a key of another certificate": {
			reason: "a mismatch would fail every handshake", tls: `{certificateRefs: [{name: tls}]}`,
			world: []string{topologytest.Secret("shop", "tls", chain, otherKey)},
			want:  invalid, certificates: []string{"shop/tls known=false"}, served: true, message: "private key does not match",
		},
		"another group": {
			reason: "conformance: a kind is what it is only in its group", tls: `{certificateRefs: [{group: wrong.example.com, kind: Secret, name: tls}]}`,
			world: []string{secret("shop", "tls")}, want: invalid, message: `wrong.example.com/Secret "tls" is not supported`,
		},
		"another kind": {
			reason: "conformance: what is no Secret", tls: `{certificateRefs: [{kind: ConfigMap, name: tls}]}`,
			world: []string{secret("shop", "tls")}, want: invalid, message: `ConfigMap "tls" is not supported as a certificate`,
		},
		"another namespace without a grant": {
			reason: "conformance: RefNotPermitted; nothing of it is served, and nothing said of whether it exists",
			tls:    `{certificateRefs: [{name: shared, namespace: vault}]}`, world: []string{secret("vault", "shared")},
			want: forbidden, message: `no ReferenceGrant in namespace "vault" lets Gateways of namespace "shop" refer to Secret "shared"`,
		},
		"another namespace with a grant": {
			reason: "conformance: a grant for this Secret", tls: `{certificateRefs: [{name: shared, namespace: vault}]}`,
			world: []string{secret("vault", "shared"), secretGrant}, want: fine, certificates: []string{"vault/shared known=true"}, served: true,
		},
		"a grant for another Secret": {
			reason: "conformance: a grant opens what it names alone", tls: `{certificateRefs: [{name: other, namespace: vault}]}`,
			world: []string{secret("vault", "other"), secretGrant}, want: forbidden, message: `Secret "other"`,
		},
		"a grant for routes": {
			reason: "a grant for HTTPRoutes to Services is none for Gateways to Secrets", tls: `{certificateRefs: [{name: shared, namespace: vault}]}`,
			world: []string{secret("vault", "shared"), strings.NewReplacer("kind: Gateway", "kind: HTTPRoute").Replace(secretGrant)}, want: forbidden,
		},
		"one permitted, one not": {
			reason: "the one that is permitted serves", tls: `{certificateRefs: [{name: other, namespace: vault}, {name: tls}]}`,
			world: []string{secret("vault", "other"), secret("shop", "tls")}, want: forbidden, certificates: []string{"shop/tls known=true"}, served: true,
		},
		"passthrough": {
			reason: "HTTPS ends here or is not HTTPS", tls: `{mode: Passthrough, certificateRefs: [{name: tls}]}`, world: []string{secret("shop", "tls")},
			want: unsupported, certificates: []string{"shop/tls known=true"}, message: `tls.mode: "Passthrough" is not supported`,
		},
		"an option": {
			reason: "a version that was to be refused must not be let in", tls: `{certificateRefs: [{name: tls}], options: {example.com/min-version: "1.3"}}`,
			world: []string{secret("shop", "tls")}, want: unsupported, certificates: []string{"shop/tls known=true"}, message: `tls.options["example.com/min-version"]: not supported`,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			listener := "{name: https, port: 443, protocol: HTTPS, tls: " + c.tls + "}"
			world := topologytest.Parse(t, append(c.world, gatewayWith(listener))...)
			built := topology.Build(world.Input)
			l := &built.Listeners[0]
			if diff := cmp.Diff(c.want, shorts(l.Decisions())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(c.certificates, certificateLines(l)); diff != "" {
				t.Errorf("%s: certificates (-want +got):\n%s", c.reason, diff)
			}
			if l.Served() != c.served {
				t.Errorf("%s: served is %t", c.reason, l.Served())
			}
			if message := l.ResolvedRefs.Message + l.Accepted.Message; !strings.Contains(message, c.message) {
				t.Errorf("%s: message %q lacks %q", c.reason, message, c.message)
			}
		})
	}
}

func TestClientCertificateRef(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.test")
	cases := map[string]struct{ reason, ref, want, message string }{
		"a Secret":        {"what is there is resolved", `{name: tls}`, "ResolvedRefs=True/ResolvedRefs", ""},
		"no Secret":       {"conformance: InvalidClientCertificateRef", `{name: gone}`, "ResolvedRefs=False/InvalidClientCertificateRef", "spec.tls.backend.clientCertificateRef: there is no Secret shop/gone of type kubernetes.io/tls"},
		"another group":   {"conformance: a kind is what it is only in its group", `{group: wrong.example.com, kind: Secret, name: tls}`, "ResolvedRefs=False/InvalidClientCertificateRef", "wrong.example.com/Secret"},
		"malformed":       {"conformance: a Secret whose data is no certificate", `{name: bad}`, "ResolvedRefs=False/InvalidClientCertificateRef", "are no certificate with its key"},
		"without a grant": {"conformance: RefNotPermitted", `{name: other, namespace: vault}`, "ResolvedRefs=False/RefNotPermitted", `no ReferenceGrant in namespace "vault"`},
		"with a grant":    {"a grant opens it", `{name: shared, namespace: vault}`, "ResolvedRefs=True/ResolvedRefs", ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, gatewayWith(`{name: http, port: 80, protocol: HTTP}`)+"\n  tls: {backend: {clientCertificateRef: "+c.ref+"}}", secretGrant,
				topologytest.Secret("shop", "tls", chain, key), topologytest.Secret("vault", "shared", chain, key),
				topologytest.Secret("shop", "bad", []byte("x"), []byte("y")))
			built := topology.Build(world.Input)
			if short(built.ResolvedRefs) != c.want || !strings.Contains(built.ResolvedRefs.Message, c.message) {
				t.Errorf("%s: got %+v", c.reason, built.ResolvedRefs)
			}
			if short(built.Accepted) != "Accepted=True/Accepted" {
				t.Errorf("\"This condition does not directly impact the Gateway's Accepted or Programmed conditions\"; got %+v", built.Accepted)
			}
		})
	}
}

// What a Secret last held goes on serving, and the listener says that it is broken.
func TestLastGoodCertificate(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.test")
	world := topologytest.Parse(t, gatewayWith(`{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: tls}]}}`))
	world.Secrets[types.NamespacedName{Namespace: "shop", Name: "tls"}] = &topology.TLSSecret{Chain: chain, Key: key, Fault: "does not exist any more"}
	built := topology.Build(world.Input)
	if got := short(built.Listeners[0].ResolvedRefs); got != "ResolvedRefs=False/InvalidCertificateRef" {
		t.Errorf("the listener says %s", got)
	}
	if got := built.Certificates(); len(got) != 1 || !bytes.Equal(got[0].Chain, chain) {
		t.Errorf("the last good certificate is what serves; got %d certificates", len(got))
	}
}

func TestReadTLSSecretNeverQuotesTheKey(t *testing.T) {
	chain, key := topologytest.KeyPair(t, "a.test")
	damaged := bytes.Replace(key, []byte("M"), []byte("N"), 3)
	for name, data := range map[string]map[string][]byte{
		"damaged": {corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: damaged},
		"swapped": {corev1.TLSCertKey: key, corev1.TLSPrivateKeyKey: chain},
		"cut":     {corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: key[:len(key)/2]},
	} {
		read := topology.ReadTLSSecret(&corev1.Secret{Type: corev1.SecretTypeTLS, Data: data})
		if read.Fault == "" {
			t.Errorf("%s: is taken for a certificate", name)
		}
		for line := range strings.Lines(string(key)) {
			if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-") && strings.Contains(read.Fault, line) {
				t.Errorf("%s: the fault quotes the key: %s", name, read.Fault)
			}
		}
	}
}
