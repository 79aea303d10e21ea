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

package push_test

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/internal/pki"
	"github.com/rauta-dev/rauta/test/fixture"
)

// TestWrongProxyIsRefused also shows what a person gets to read.
func TestWrongProxyIsRefused(t *testing.T) {
	cases := map[string]struct {
		reason string
		serve  func(*testing.T, *world, *fixture.Replica)
		want   string
	}{
		"AnotherGateway": {
			reason: "an address that now belongs to another Gateway's pod must not get our routes",
			serve: func(t *testing.T, w *world, r *fixture.Replica) {
				r.Identify(fixture.ProxyCertificate(t, w.authority, "shop", "admin"), w.authority.Roots())
			},
			want: "reached proxy of spiffe://rauta.dev/gateway/shop/admin instead of spiffe://rauta.dev/gateway/shop/web",
		},
		"AnotherNamespace": {
			reason: "Gateways of one name in two namespaces are two",
			serve: func(t *testing.T, w *world, r *fixture.Replica) {
				r.Identify(fixture.ProxyCertificate(t, w.authority, "bank", "web"), w.authority.Roots())
			},
			want: "reached proxy of spiffe://rauta.dev/gateway/bank/web instead of spiffe://rauta.dev/gateway/shop/web",
		},
		"AnotherAuthority": {
			reason: "a name alone proves nothing",
			serve: func(t *testing.T, w *world, r *fixture.Replica) {
				r.Identify(fixture.ProxyCertificate(t, fixture.Authority(t), "shop", "web"), w.authority.Roots())
			},
			want: "verify the proxy's certificate: x509: certificate signed by unknown authority",
		},
		"Expired": {
			reason: "short lives are worth something only when the end is enforced",
			serve: func(t *testing.T, w *world, r *fixture.Replica) {
				certificate, key, _ := fixture.ProxyFiles(t, w.authority, "shop", "web", time.Now().Add(-25*time.Hour))
				pair, err := tls.X509KeyPair(certificate, key)
				if err != nil {
					t.Fatal(err)
				}
				r.Identify(&pair, w.authority.Roots())
			},
			want: "certificate has expired",
		},
		"OperatorsOwn": {
			reason: "the operator's certificate does not serve",
			serve: func(t *testing.T, w *world, r *fixture.Replica) {
				certificate, err := w.authority.IssueOperator(time.Now())
				if err != nil {
					t.Fatal(err)
				}
				r.Identify(certificate, w.authority.Roots())
			},
			want: "incompatible key usage",
		},
		"WithoutTrustInUs": {
			reason: "a proxy that refuses us is a failure, not a silence",
			serve: func(t *testing.T, w *world, r *fixture.Replica) {
				r.Identify(fixture.ProxyCertificate(t, w.authority, "shop", "web"), fixture.Authority(t).Roots())
			},
			want: "tls: ",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.replica()
			tc.serve(t, w, r)
			p := w.pusher(nil)
			p.SetReplicas(web, ready(r))
			p.Set(web, resources(3, "10.0.0.1"))
			fixture.Eventually(t, tc.reason+": "+tc.want, func() bool {
				problem := p.State(web).Replicas[0].Problem
				return strings.Contains(problem, tc.want)
			})
			if seen := r.Seen(); seen.Sessions != 0 {
				t.Errorf("%s: %d sessions were opened", tc.reason, seen.Sessions)
			}
			t.Log(p.State(web).String())
		})
	}
}

// TestRotationDropsNoSession replaces the CA in its phases and every certificate while a session is open.
func TestRotationDropsNoSession(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	p := w.pusher(nil)
	p.SetReplicas(web, ready(r))
	p.Set(web, resources(3, "10.0.0.1"))
	awaitProgrammed(t, p, r)

	// The clock stands still, so that what another year would bring is brought about by an authority that is as old.
	old, err := pki.New(time.Now().Add(-8 * 30 * 24 * time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	w.operator.Use(old)
	rotated, changed, err := old.Advance(time.Now())
	if err != nil || !changed {
		t.Fatalf("an authority of eight months has to get a successor: changed %t, %v", changed, err)
	}
	w.operator.Use(rotated)
	r.Identify(fixture.ProxyCertificate(t, rotated, "shop", "web"), rotated.Roots())
	p.Set(web, resources(3, "10.0.0.2"))
	awaitProgrammed(t, p, r)
	if seen := r.Seen(); seen.Sessions != 1 {
		t.Errorf("%d sessions, want the one that was open before the rotation", seen.Sessions)
	}

	// Both ends of the next session are of the new authority alone: the first one is trusted by nobody any more.
	r.Stop()
	r.Start()
	p.Set(web, resources(3, "10.0.0.3"))
	awaitProgrammed(t, p, r)
	if seen := r.Seen(); seen.Sessions != 2 {
		t.Errorf("%d sessions, want a second one with the new certificates", seen.Sessions)
	}
}
