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
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestIssueProxy(t *testing.T) {
	authority := mustNew(t, epoch)
	long := strings.Repeat("g", 253)
	cases := map[string]struct {
		reason             string
		namespace, gateway string
		at                 time.Time
		wantEnd            time.Time
	}{
		"Usual":       {reason: "a day", namespace: "shop", gateway: "web", at: epoch, wantEnd: epoch.Add(LeafLifetime)},
		"LongestName": {reason: "names of Gateways reach 253 characters", namespace: "shop", gateway: long, at: epoch, wantEnd: epoch.Add(LeafLifetime)},
		"Dots":        {reason: "and may hold dots", namespace: "shop", gateway: "web.v1", at: epoch, wantEnd: epoch.Add(LeafLifetime)},
		"LastHours": {
			reason:    "no certificate outlives its CA",
			namespace: "shop", gateway: "web", at: epoch.Add(AuthorityLifetime - time.Hour), wantEnd: epoch.Add(AuthorityLifetime),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			certPEM, keyPEM, caPEM, notAfter, err := authority.IssueProxy(tc.namespace, tc.gateway, tc.at)
			if err != nil {
				t.Fatal(err)
			}
			pair, err := tls.X509KeyPair(certPEM, keyPEM)
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			roots := x509.NewCertPool()
			roots.AppendCertsFromPEM(caPEM)
			if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: tc.at}); err != nil {
				t.Errorf("%s: %v", tc.reason, err)
			}
			identity, err := Identity(pair.Leaf)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("spiffe://rauta.dev/gateway/"+tc.namespace+"/"+tc.gateway, identity); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
			if diff := cmp.Diff([]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, pair.Leaf.ExtKeyUsage); diff != "" {
				t.Errorf("%s: a proxy serves and does nothing else: %s", tc.reason, diff)
			}
			if !notAfter.Equal(tc.wantEnd) || !pair.Leaf.NotAfter.Equal(tc.wantEnd) {
				t.Errorf("%s: ends %s, and is said to end %s, want %s", tc.reason, pair.Leaf.NotAfter, notAfter, tc.wantEnd)
			}
		})
	}
}

// TestShortestLeafLifetime shows that a certificate with the shortest life lives long enough to be replaced in running pods.
func TestShortestLeafLifetime(t *testing.T) {
	authority := mustNew(t, epoch).WithLeafLifetime(MinLeafLifetime)
	advanced, _ := mustAdvance(t, authority, epoch.Add(183*day))
	for name, a := range map[string]*Authority{"New": authority, "Advanced": advanced} {
		certPEM, _, _, notAfter, err := a.IssueProxy("shop", "web", epoch)
		if err != nil {
			t.Fatal(err)
		}
		renewAt, err := RenewAt(certPEM)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]time.Duration{MinLeafLifetime, time.Minute}, []time.Duration{notAfter.Sub(epoch), renewAt.Sub(epoch)}); diff != "" {
			t.Errorf("%s: life and renewal (-want +got):\n%s", name, diff)
		}
	}
}

func TestProxyIdentityDue(t *testing.T) {
	authority := mustNew(t, epoch)
	joined, _ := mustAdvance(t, authority, epoch.Add(183*day))
	issue := func(a *Authority, gateway string, at time.Time) map[string][]byte {
		certPEM, keyPEM, caPEM, _, err := a.IssueProxy("shop", gateway, at)
		if err != nil {
			t.Fatal(err)
		}
		return map[string][]byte{CertificateKey: certPEM, PrivateKeyKey: keyPEM, BundleKey: caPEM}
	}
	with := func(data map[string][]byte, key string, value []byte) map[string][]byte {
		changed := maps.Clone(data)
		changed[key] = value
		return changed
	}
	fresh := issue(authority, "web", epoch)
	cases := map[string]struct {
		reason    string
		authority *Authority
		data      map[string][]byte
		now       time.Time
		want      string
	}{
		"Fresh":       {reason: "nothing is written without need", authority: authority, data: fresh, now: epoch.Add(time.Hour)},
		"BeforeTwo":   {reason: "two thirds of a day are sixteen hours", authority: authority, data: fresh, now: epoch.Add(15*time.Hour + 50*time.Minute)},
		"TwoThirds":   {reason: "there are eight hours left for what may go wrong", authority: authority, data: fresh, now: epoch.Add(16 * time.Hour), want: "last third"},
		"Missing":     {reason: "a Secret that is new", authority: authority, data: nil, now: epoch, want: "no usable pair"},
		"NoBundle":    {reason: "without CAs the proxy lets nobody in", authority: authority, data: with(fresh, BundleKey, nil), now: epoch, want: "authorities"},
		"OtherKey":    {reason: "a pair that does not fit", authority: authority, data: with(fresh, PrivateKeyKey, issue(authority, "web", epoch)[PrivateKeyKey]), now: epoch, want: "no usable pair"},
		"OtherOwner":  {reason: "the operator would refuse it", authority: authority, data: issue(authority, "admin", epoch), now: epoch, want: "not this Gateway's"},
		"NextJoined":  {reason: "proxies learn of the next CA at once", authority: joined, data: issue(authority, "web", epoch.Add(183*day)), now: epoch.Add(183 * day), want: "authorities"},
		"OtherSigner": {reason: "after the authority was lost and made anew", authority: authority, data: with(issue(mustNew(t, epoch), "web", epoch), BundleKey, authority.Bundle()), now: epoch, want: "last third"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := tc.authority.ProxyIdentityDue("shop", "web", tc.data, tc.now)
			if (got == "") != (tc.want == "") || !strings.Contains(got, tc.want) {
				t.Errorf("%s: due for %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

func TestRenewAt(t *testing.T) {
	certPEM, _, _, _, err := mustNew(t, epoch).IssueProxy("shop", "web", epoch)
	if err != nil {
		t.Fatal(err)
	}
	at, err := RenewAt(certPEM)
	if err != nil {
		t.Fatal(err)
	}
	if RenewalDue(certPEM, nil, at.Add(-time.Second)) != true {
		t.Error("a certificate that no CA of the bundle signed is due at any time")
	}
	if at.Before(epoch.Add(15*time.Hour)) || at.After(epoch.Add(17*time.Hour)) {
		t.Errorf("renewed at %s, want sixteen hours after %s", at, epoch)
	}
	if _, err := RenewAt([]byte("garbage")); err == nil {
		t.Error("garbage has a time of renewal")
	}
}
