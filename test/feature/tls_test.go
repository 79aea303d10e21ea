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
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// secured is an HTTPS listener on port 443 with the certificates of Secrets of the Gateway's namespace.
func secured(name, hostname string, secrets ...string) gatewayv1.Listener {
	l := listener(name, 443, hostname)
	l.Protocol, l.TLS = gatewayv1.HTTPSProtocolType, &gatewayv1.ListenerTLSConfig{}
	for _, secret := range secrets {
		l.TLS.CertificateRefs = append(l.TLS.CertificateRefs, gatewayv1.SecretObjectReference{Name: gatewayv1.ObjectName(secret)})
	}
	return l
}

// secret gives a Secret a new certificate for the hosts, and returns who trusts it.
func (h *house) secret(namespace, name string, hosts ...string) *x509.CertPool {
	h.t.Helper()
	chain, key := topologytest.KeyPair(h.t, hosts...)
	h.input.Secrets[types.NamespacedName{Namespace: namespace, Name: name}] = topology.ReadTLSSecret(&corev1.Secret{
		Type: corev1.SecretTypeTLS, Data: map[string][]byte{corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: key},
	})
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(chain)
	return trusted
}

// over asks for a path of a host over TLS, on a connection of its own.
func (h *house) over(trusted *x509.CertPool, serverName, path string) (answer, error) {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: serverName}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	address, bound := h.proxy.ListenerAddr(443)
	if !bound {
		return answer{}, errors.New("nothing listens on port 443")
	}
	return send(h.t.Context(), &http.Client{Transport: transport}, "https://"+address+path, serverName)
}

func TestCertificatesBySNI(t *testing.T) {
	h := newHouse(t, secured("one", "one.test", "one"), secured("any", "", "any", "other"))
	one, anyHost, other := h.secret(namespace, "one", "one.test"), h.secret(namespace, "any", "any.test"), h.secret(namespace, "other", "other.test")
	h.service(namespace, "a", backend(t, "a"))
	h.attach(route("a", nil, rule(prefix("/"), to("a", 1))))
	h.settle()
	cases := map[string]struct {
		reason  string
		host    string
		trusted *x509.CertPool
	}{
		"the listener's own": {reason: "SNI chooses the listener, and the listener has one certificate", host: "one.test", trusted: one},
		"the first":          {reason: "of several certificates the one that names the host", host: "any.test", trusted: anyHost},
		"the second":         {reason: "also where it is not the first", host: "other.test", trusted: other},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got, err := h.over(c.trusted, c.host, "/"); err != nil || got != (answer{200, "a"}) {
				t.Errorf("%s: got %v, %v", c.reason, got, err)
			}
		})
	}
	if _, err := h.over(other, "one.test", "/"); err == nil {
		t.Error("a listener must not show another's certificate")
	}
}

// A request for the host of another listener than its connection was opened for is told so.
func TestMisdirectedRequests(t *testing.T) {
	h := newHouse(t, secured("any", "", "tls"), secured("one", "one.test", "tls"))
	trusted := h.secret(namespace, "tls", "one.test", "two.test")
	h.service(namespace, "a", backend(t, "a"))
	h.attach(route("a", nil, rule(prefix("/"), to("a", 1))))
	h.settle()
	address, _ := h.proxy.ListenerAddr(443)
	for _, second := range []bool{false, true} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "one.test"}, ForceAttemptHTTP2: second}
		client := &http.Client{Transport: transport}
		for host, want := range map[string]int{"one.test": 200, "two.test": http.StatusMisdirectedRequest} {
			if got, err := send(t.Context(), client, "https://"+address+"/", host); err != nil || got.status != want {
				t.Errorf("host %s, HTTP/2 %t: got %v, %v, want %d", host, second, got, err, want)
			}
		}
		transport.CloseIdleConnections()
	}
}

// TestClientCertificates asks clients for certificates, in both modes, and changes who is let in.
func TestClientCertificates(t *testing.T) {
	h := newHouse(t, secured("https", "", "tls"))
	trusted := h.secret(namespace, "tls", "a.test")
	h.service(namespace, "a", backend(t, "a"))
	h.attach(route("a", nil, rule(prefix("/"), to("a", 1))))
	member, memberCA := clientCertificate(t)
	stranger, strangerCA := clientCertificate(t)
	ask := func(mode gatewayv1.FrontendValidationModeType, bundle []byte) {
		h.input.ConfigMaps[types.NamespacedName{Namespace: namespace, Name: "ca"}] = &corev1.ConfigMap{Data: map[string]string{"ca.crt": string(bundle)}}
		h.input.Gateway.Spec.TLS = &gatewayv1.GatewayTLSConfig{Frontend: &gatewayv1.FrontendTLSConfig{Default: gatewayv1.TLSConfig{
			Validation: &gatewayv1.FrontendTLSValidation{Mode: mode, CACertificateRefs: []gatewayv1.ObjectReference{{Kind: "ConfigMap", Name: "ca"}}},
		}}}
		h.settle()
	}
	// Sessions are kept from one look to the next: no change of the rules may be slept through.
	sessions := map[string]tls.ClientSessionCache{}
	lets := func(when string, name string, want bool, certificates ...tls.Certificate) {
		t.Helper()
		if sessions[name] == nil {
			sessions[name] = tls.NewLRUClientSessionCache(4)
		}
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{
				RootCAs: trusted, ServerName: "a.test", Certificates: certificates, MaxVersion: version, ClientSessionCache: sessions[name],
			}}
			address, _ := h.proxy.ListenerAddr(443)
			got, err := send(t.Context(), &http.Client{Transport: transport}, "https://"+address+"/", "a.test")
			transport.CloseIdleConnections()
			if let := err == nil && got == (answer{200, "a"}); let != want {
				t.Errorf("%s: %s is let in: %t (%v, %v)", when, name, let, got, err)
			}
		}
	}

	h.settle()
	lets("nobody is asked", "nobody", true)
	ask(gatewayv1.AllowValidOnly, memberCA)
	lets("members only", "nobody", false)
	lets("members only", "member", true, member)
	lets("members only", "stranger", false, stranger)
	ask(gatewayv1.AllowInsecureFallback, memberCA)
	lets("everybody", "nobody", true)
	lets("everybody", "stranger", true, stranger)
	ask(gatewayv1.AllowValidOnly, strangerCA)
	lets("the others only", "member", false, member)
	lets("the others only", "stranger", true, stranger)
	lets("the others only", "nobody", false)
	delete(h.input.ConfigMaps, types.NamespacedName{Namespace: namespace, Name: "ca"})
	h.settle()
	lets("nobody can be told from another", "nobody", false)
	lets("nobody can be told from another", "stranger", false, stranger)
}

// clientCertificate is a certificate for clients, which vouches for itself, and the same as an authority.
func clientCertificate(t *testing.T) (tls.Certificate, []byte) {
	t.Helper()
	chain, key := topologytest.KeyPair(t, "client")
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		t.Fatal(err)
	}
	return pair, chain
}

// TestBrokenSecret follows a Secret that breaks, under an operator that was there and one that has just started.
func TestBrokenSecret(t *testing.T) {
	h := newHouse(t, secured("https", "", "tls"))
	key := types.NamespacedName{Namespace: namespace, Name: "tls"}
	h.service(namespace, "a", backend(t, "a"))
	h.attach(route("a", nil, rule(prefix("/"), to("a", 1))))

	h.settle()
	if _, err := h.over(nil, "a.test", "/"); err == nil {
		t.Fatal("there was no certificate yet, and something answered")
	}
	if refused := h.refused(); !refused["listener/https"] {
		t.Errorf("the proxy must tell that the listener does not serve; it refuses %v", refused)
	}

	trusted := h.secret(namespace, "tls", "a.test")
	h.settle()
	serves := func(when string) {
		t.Helper()
		if got, err := h.over(trusted, "a.test", "/"); err != nil || got != (answer{200, "a"}) {
			t.Errorf("%s: got %v, %v", when, got, err)
		}
	}
	serves("with its Secret")

	good := h.input.Secrets[key]
	h.input.Secrets[key] = &topology.TLSSecret{Chain: good.Chain, Key: good.Key, Fault: "is of type Opaque"}
	h.settle()
	serves("with a broken Secret")

	delete(h.input.Secrets, key)
	h.settle()
	serves("under an operator that has started after it vanished")
	if refused := h.refused(); len(refused) > 0 {
		t.Errorf("what serves is not refused: %v", refused)
	}

	before := trusted
	trusted = h.secret(namespace, "tls", "a.test")
	h.settle()
	serves("once it was mended")
	if _, err := h.over(before, "a.test", "/"); err == nil {
		t.Error("the old certificate is still shown")
	}
}

func TestRevokedGrantStopsACertificate(t *testing.T) {
	l := secured("https", "", "shared")
	l.TLS.CertificateRefs[0].Namespace = new(gatewayv1.Namespace("vault"))
	h := newHouse(t, l)
	trusted := h.secret("vault", "shared", "a.test")
	grant := &gatewayv1.ReferenceGrant{}
	grant.Namespace, grant.Name = "vault", "let-shop-in"
	grant.Spec.From = []gatewayv1.ReferenceGrantFrom{{Group: gatewayv1.GroupName, Kind: "Gateway", Namespace: namespace}}
	grant.Spec.To = []gatewayv1.ReferenceGrantTo{{Kind: "Secret"}}
	h.input.Grants = []*gatewayv1.ReferenceGrant{grant}
	h.settle()
	if got, err := h.over(trusted, "a.test", "/"); err != nil || got.status != http.StatusNotFound {
		t.Errorf("with the grant: got %v, %v", got, err)
	}
	h.input.Grants = nil
	h.settle()
	if _, err := h.over(trusted, "a.test", "/"); err == nil {
		t.Error("without the grant the certificate must not be shown any more")
	}
}

// TestCertificatesChangeUnderLoad replaces a Secret while clients come and go: not one request may fail.
func TestCertificatesChangeUnderLoad(t *testing.T) {
	h := newHouse(t, secured("https", "", "tls"))
	h.service(namespace, "a", backend(t, "a"))
	h.attach(route("a", nil, rule(prefix("/"), to("a", 1))))
	h.secret(namespace, "tls", "a.test")
	h.settle()
	address, _ := h.proxy.ListenerAddr(443)

	ctx, stop := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	counts := make([]int, 3)
	for i := range counts {
		clients.Go(func() {
			// Any certificate will do: which of two is shown while they change places is nobody's promise.
			transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "a.test"}, DisableKeepAlives: i > 0}
			defer transport.CloseIdleConnections()
			for ctx.Err() == nil {
				got, err := send(t.Context(), &http.Client{Transport: transport}, "https://"+address+"/", "a.test")
				if err != nil || got != (answer{200, "a"}) {
					t.Errorf("a request failed while the certificate changed: %v %v", got, err)
					return
				}
				counts[i]++
			}
		})
	}
	for range 20 {
		trusted := h.secret(namespace, "tls", "a.test")
		h.settle()
		if got, err := h.over(trusted, "a.test", "/"); err != nil || got != (answer{200, "a"}) {
			t.Errorf("once it is acknowledged, every handshake shows the new certificate: %v, %v", got, err)
		}
	}
	stop()
	clients.Wait()
	if slices.Contains(counts, 0) {
		t.Errorf("some client was not served once: %v", counts)
	}
}

// refused are the names of the resources that the proxy holds in quarantine.
func (h *house) refused() map[string]bool {
	names := map[string]bool{}
	for _, refused := range h.pusher.State(push.Key{Namespace: namespace, Name: gatewayName}).ResourceErrors() {
		names[refused.Name] = true
	}
	return names
}
