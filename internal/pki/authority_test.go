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
	"crypto/x509"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var epoch = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

func mustNew(t *testing.T, now time.Time) *Authority {
	t.Helper()
	authority, err := New(now)
	if err != nil {
		t.Fatal(err)
	}
	return authority
}

func mustAdvance(t *testing.T, a *Authority, now time.Time) (*Authority, bool) {
	t.Helper()
	advanced, changed, err := a.Advance(now)
	if err != nil {
		t.Fatal(err)
	}
	return advanced, changed
}

func TestAdvance(t *testing.T) {
	cases := map[string]struct {
		reason string
		// looks are the days after the beginning at which an operator looks.
		looks []int
		// Whether the last look changes anything, whether somebody else signs than at the beginning, and how many
		// certificates are trusted afterwards.
		changed, other bool
		trusted        int
	}{
		"Fresh":       {reason: "nothing changes in the first half", looks: []int{0}, trusted: 1},
		"BeforeHalf":  {reason: "nothing changes in the first half", looks: []int{182}, trusted: 1},
		"Half":        {reason: "the next CA joins at a half", looks: []int{183}, changed: true, trusted: 2},
		"HalfAgain":   {reason: "it joins once", looks: []int{183, 184}, trusted: 2},
		"TwoThirds":   {reason: "it signs at two thirds", looks: []int{183, 244}, changed: true, other: true, trusted: 2},
		"AfterThat":   {reason: "the old one verifies until it expires", looks: []int{183, 244, 300}, other: true, trusted: 2},
		"Expired":     {reason: "the old one leaves, and its successor has one by then", looks: []int{183, 244, 364, 366}, changed: true, other: true, trusted: 2},
		"LateToSign":  {reason: "a CA that joins late signs only after proxies had time to learn of it", looks: []int{250}, changed: true, trusted: 2},
		"SettledLate": {reason: "and then it signs", looks: []int{250, 251}, changed: true, other: true, trusted: 2},
		"AllExpired":  {reason: "when nothing would be believed any more there is nothing to wait for", looks: []int{400}, changed: true, other: true, trusted: 1},
		"NextExpired": {reason: "a successor that has expired too is none", looks: []int{183, 183 + 366}, changed: true, other: true, trusted: 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			first := mustNew(t, epoch)
			authority, changed := first, false
			var now time.Time
			for _, look := range tc.looks {
				now = epoch.Add(time.Duration(look) * day)
				authority, changed = mustAdvance(t, authority, now)
			}
			if changed != tc.changed {
				t.Errorf("%s: changed is %t, want %t", tc.reason, changed, tc.changed)
			}
			if other := !authority.active.certificate.Equal(first.active.certificate); other != tc.other {
				t.Errorf("%s: another CA signs is %t, want %t", tc.reason, other, tc.other)
			}
			if len(authority.trusted()) != tc.trusted {
				t.Errorf("%s: %d trusted certificates, want %d", tc.reason, len(authority.trusted()), tc.trusted)
			}
			leaf, err := authority.IssueOperator(now)
			if err != nil {
				t.Fatal(err)
			}
			_, err = leaf.Leaf.Verify(x509.VerifyOptions{
				Roots: authority.Roots(), CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
			})
			if err != nil {
				t.Errorf("%s: what it signs is not believed: %v", tc.reason, err)
			}
		})
	}
}

// TestAdvanceThroughTheYears looks every day for three years: what a proxy was given on one day has to be believed until
// it expires, by those who have the bundle of any day in between.
func TestAdvanceThroughTheYears(t *testing.T) {
	authority := mustNew(t, epoch)
	signers := map[string]bool{}
	type given struct {
		leaf  *x509.Certificate
		roots *x509.CertPool
	}
	var yesterday *given
	for n := range 3 * 365 {
		now := epoch.Add(time.Duration(n) * day)
		authority, _ = mustAdvance(t, authority, now)
		signers[authority.active.certificate.Subject.CommonName] = true
		if len(authority.trusted()) > 3 {
			t.Fatalf("day %d: %d certificates are trusted: the bundle grows", n, len(authority.trusted()))
		}
		leaf, err := authority.IssueOperator(now)
		if err != nil {
			t.Fatal(err)
		}
		today := &given{leaf: leaf.Leaf, roots: authority.Roots()}
		pairs := []struct {
			leaf  *x509.Certificate
			roots *x509.CertPool
		}{{today.leaf, today.roots}}
		if yesterday != nil {
			pairs = append(pairs, struct {
				leaf  *x509.Certificate
				roots *x509.CertPool
			}{yesterday.leaf, today.roots}, struct {
				leaf  *x509.Certificate
				roots *x509.CertPool
			}{today.leaf, yesterday.roots})
		}
		for _, pair := range pairs {
			_, err := pair.leaf.Verify(x509.VerifyOptions{
				Roots: pair.roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
			})
			if err != nil {
				t.Fatalf("day %d: %v", n, err)
			}
		}
		yesterday = today
	}
	if len(signers) < 4 {
		t.Errorf("%d CAs signed in three years, want one for every eight months at least", len(signers))
	}
}

func TestEncodeDecode(t *testing.T) {
	fresh := mustNew(t, epoch)
	joined, _ := mustAdvance(t, fresh, epoch.Add(183*day))
	taken, _ := mustAdvance(t, joined, epoch.Add(244*day))
	cases := map[string]struct {
		reason    string
		authority *Authority
	}{
		"Fresh":   {reason: "the usual case", authority: fresh},
		"Next":    {reason: "the successor and its key survive a restart", authority: joined},
		"Retired": {reason: "the predecessor stays trusted after a restart", authority: taken},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			data, err := tc.authority.Encode()
			if err != nil {
				t.Fatal(err)
			}
			decoded, err := Decode(data)
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			again, err := decoded.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(data, again); diff != "" {
				t.Errorf("%s: %s", tc.reason, diff)
			}
		})
	}
}

func TestDecodeDamage(t *testing.T) {
	joined, _ := mustAdvance(t, mustNew(t, epoch), epoch.Add(183*day))
	other, err := mustNew(t, epoch).Encode()
	if err != nil {
		t.Fatal(err)
	}
	leaf, _, _, _, err := joined.IssueProxy("shop", "web", epoch)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason string
		damage func(map[string][]byte)
		want   string
	}{
		"Empty":          {reason: "a Secret without data was not made by us", damage: func(d map[string][]byte) { clear(d) }, want: "active.crt"},
		"NoKey":          {reason: "a CA without its key signs nothing", damage: func(d map[string][]byte) { delete(d, "active.key") }, want: "active.key"},
		"OtherKey":       {reason: "what another key signs nobody believes", damage: func(d map[string][]byte) { d["active.key"] = other["active.key"] }, want: "active.key"},
		"Garbage":        {reason: "half a certificate", damage: func(d map[string][]byte) { d["active.crt"] = d["active.crt"][:50] }, want: "active.crt"},
		"Leaf":           {reason: "a certificate that may not sign", damage: func(d map[string][]byte) { d["active.crt"] = leaf }, want: "active.crt"},
		"NextWithoutKey": {reason: "it would take over and fail then", damage: func(d map[string][]byte) { delete(d, "next.key") }, want: "next.key"},
		"NoBundle":       {reason: "what is retired stands in the bundle alone", damage: func(d map[string][]byte) { delete(d, "ca.crt") }, want: "ca.crt"},
		"OtherBundle":    {reason: "a bundle without the one that signs locks everybody out", damage: func(d map[string][]byte) { d["ca.crt"] = other["ca.crt"] }, want: "ca.crt"},
		"LeafInBundle":   {reason: "a bundle is of CAs", damage: func(d map[string][]byte) { d["ca.crt"] = append(d["ca.crt"], leaf...) }, want: "ca.crt"},
		"BundleTail":     {reason: "a bundle that was cut", damage: func(d map[string][]byte) { d["ca.crt"] = append(d["ca.crt"], "-----BEGIN"...) }, want: "ca.crt"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			data, err := joined.Encode()
			if err != nil {
				t.Fatal(err)
			}
			data = maps.Clone(data)
			tc.damage(data)
			_, err = Decode(data)
			var damage *DamageError
			if !errors.As(err, &damage) {
				t.Fatalf("%s: error %v, want a *DamageError", tc.reason, err)
			}
			if damage.Key != tc.want {
				t.Errorf("%s: names key %q, want %q (%v)", tc.reason, damage.Key, tc.want, err)
			}
		})
	}
}
