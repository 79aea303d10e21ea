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

package pki

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = now
}

// handshake is what the client gets from a TLS handshake over a real socket, and the certificate that it showed.
func handshake(t *testing.T, client, server *tls.Config) (shown *x509.Certificate, err error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	accepted := make(chan *x509.Certificate, 1)
	go func() {
		defer close(accepted)
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = connection.Close() }()
		secured := tls.Server(connection, server)
		if secured.Handshake() != nil {
			return
		}
		if chain := secured.ConnectionState().PeerCertificates; len(chain) > 0 {
			accepted <- chain[0]
		}
	}()
	connection, err := tls.Dial("tcp", listener.Addr().String(), client)
	if err == nil {
		_ = connection.Close()
	}
	return <-accepted, err
}

// serving is a proxy's TLS configuration with the given certificate.
func serving(certificate tls.Certificate) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{certificate}, ClientAuth: tls.RequireAnyClientCert}
}

func proxyPair(t *testing.T, a *Authority, namespace, gateway string, now time.Time) tls.Certificate {
	t.Helper()
	certPEM, keyPEM, _, _, err := a.IssueProxy(namespace, gateway, now)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

// withURIs is a certificate of the authority with any identities.
func withURIs(t *testing.T, a *Authority, now time.Time, uris ...string) tls.Certificate {
	t.Helper()
	pair := proxyPair(t, a, "shop", "web", now)
	template := *pair.Leaf
	template.URIs, template.ExtraExtensions = nil, nil
	for _, raw := range uris {
		uri, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		template.URIs = append(template.URIs, uri)
	}
	der, err := x509.CreateCertificate(nil, &template, a.active.certificate, pair.Leaf.PublicKey, a.active.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: pair.PrivateKey}
}

func TestOperatorVerifiesProxy(t *testing.T) {
	authority := mustNew(t, epoch)
	legacy := serving(proxyPair(t, authority, "shop", "web", epoch))
	legacy.MaxVersion = tls.VersionTLS12
	cases := map[string]struct {
		reason string
		server *tls.Config
		want   string
	}{
		"Right": {reason: "the proxy that was meant", server: serving(proxyPair(t, authority, "shop", "web", epoch))},
		"OtherGateway": {
			reason: "each Gateway is an island", server: serving(proxyPair(t, authority, "shop", "webb", epoch)),
			want: "reached proxy of spiffe://rauta.dev/gateway/shop/webb instead of spiffe://rauta.dev/gateway/shop/web",
		},
		"OtherAuthority": {
			reason: "names prove nothing", server: serving(proxyPair(t, mustNew(t, epoch), "shop", "web", epoch)), want: "unknown authority",
		},
		"Expired": {
			reason: "yesterday's certificate", server: serving(proxyPair(t, authority, "shop", "web", epoch.Add(-25*time.Hour))), want: "expired",
		},
		"NotYet": {
			reason: "tomorrow's", server: serving(proxyPair(t, authority, "shop", "web", epoch.Add(time.Hour))), want: "not yet valid",
		},
		"NoIdentity": {
			reason: "a certificate of ours that says nothing", server: serving(withURIs(t, authority, epoch)), want: "carries no URI",
		},
		"TwoIdentities": {
			reason: "one certificate for two Gateways would join what is kept apart",
			server: serving(withURIs(t, authority, epoch, ProxyIdentity("shop", "web"), ProxyIdentity("shop", "admin"))), want: "carries 2 URIs",
		},
		"TLS12": {reason: "nothing before TLS 1.3 is spoken", server: legacy, want: "protocol version"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			operator := NewOperator(func() time.Time { return epoch })
			operator.Use(authority)
			shown, err := handshake(t, operator.TLS("shop", "web"), tc.server)
			if tc.want == "" {
				if err != nil {
					t.Fatalf("%s: %v", tc.reason, err)
				}
				if identity, err := Identity(shown); err != nil || identity != OperatorIdentity {
					t.Errorf("%s: the operator shows itself as %q, %v", tc.reason, identity, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: error %v, want %q", tc.reason, err, tc.want)
			}
		})
	}
}

func TestOperatorIdentityError(t *testing.T) {
	authority := mustNew(t, epoch)
	operator := NewOperator(func() time.Time { return epoch })
	operator.Use(authority)
	_, err := handshake(t, operator.TLS("shop", "web"), serving(proxyPair(t, authority, "bank", "web", epoch)))
	var wrong *IdentityError
	if !errors.As(err, &wrong) {
		t.Fatalf("error %v, want an *IdentityError", err)
	}
	if wrong.Reached != ProxyIdentity("bank", "web") || wrong.Wanted != ProxyIdentity("shop", "web") {
		t.Errorf("reached %s, wanted %s", wrong.Reached, wrong.Wanted)
	}
}

func TestOperatorRenewsItself(t *testing.T) {
	now := &clock{now: epoch}
	first := mustNew(t, epoch)
	operator := NewOperator(now.time)
	server := func(a *Authority) *tls.Config { return serving(proxyPair(t, a, "shop", "web", now.time())) }
	if _, err := handshake(t, operator.TLS("shop", "web"), server(first)); err == nil || !strings.Contains(err.Error(), "not loaded yet") {
		t.Fatalf("without an authority: error %v, want one that says so", err)
	}
	operator.Use(first)
	config := operator.TLS("shop", "web") // one configuration for all handshakes: it has to follow
	show := func(a *Authority) *x509.Certificate {
		t.Helper()
		shown, err := handshake(t, config, server(a))
		if err != nil {
			t.Fatal(err)
		}
		return shown
	}
	fresh := show(first)
	now.set(epoch.Add(15 * time.Hour))
	if !show(first).Equal(fresh) {
		t.Error("the certificate was replaced before two thirds of its life")
	}
	now.set(epoch.Add(17 * time.Hour))
	renewed := show(first)
	if renewed.Equal(fresh) {
		t.Error("the certificate was not replaced after two thirds of its life")
	}
	now.set(epoch.Add(183 * day))
	joined, _ := mustAdvance(t, first, now.time())
	operator.Use(joined)
	if show(first); !show(joined).Equal(show(joined)) {
		t.Error("the certificate is another one at each handshake")
	}
	before := show(joined)
	now.set(epoch.Add(244 * day))
	taken, _ := mustAdvance(t, joined, now.time())
	operator.Use(taken)
	after := show(taken)
	if after.Equal(before) || after.CheckSignatureFrom(taken.active.certificate) != nil {
		t.Error("the certificate is not of the CA that signs now")
	}
	now.set(epoch.Add(366 * day))
	last, _ := mustAdvance(t, taken, now.time())
	operator.Use(last)
	if _, err := handshake(t, config, server(first)); err == nil {
		t.Error("a proxy of an authority that has expired is believed")
	}
}
