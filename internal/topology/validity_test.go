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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

func TestCertificatesOutOfTheirTime(t *testing.T) {
	from, to := time.Date(2026, time.May, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, time.July, 1, 0, 0, 0, 0, time.UTC)
	between := from.Add(time.Hour)
	chain, key := topologytest.KeyPairBetween(t, from, to, "a.test", "*.b.test", "10.0.0.1")
	early, earlyKey := topologytest.KeyPairBetween(t, from.Add(-time.Hour), to.Add(-time.Hour), "a.test")
	const (
		expired = "tls.certificateRefs: the certificate of Secret shop/tls expired at 2026-07-01T00:00:00Z; it is still shown, and clients refuse it"
		never   = "never"
	)
	cases := map[string]struct {
		reason string
		tls    string
		now    time.Time
		// want is the condition's reason and message; empty for no condition.
		want    string
		changes string
	}{
		"valid":               {reason: "nothing to say", tls: "[{name: tls}]", now: between, changes: "2026-07-01"},
		"in its last moment":  {reason: "a certificate is valid until that time, and at it", tls: "[{name: tls}]", now: to, changes: "2026-07-01"},
		"expired":             {reason: "clients refuse it, which nobody sees from here", tls: "[{name: tls}]", now: to.Add(time.Second), want: "Expired " + expired, changes: never},
		"not yet":             {reason: "as one that was issued by a clock that is ahead", tls: "[{name: tls}]", now: from.Add(-time.Second), changes: "2026-05-01", want: "NotYetValid tls.certificateRefs: the certificate of Secret shop/tls is not valid before 2026-05-01T00:00:00Z; it is still shown, and clients refuse it"},
		"one of two":          {reason: "the other one may be for other hosts", tls: "[{name: tls}, {name: early}]", now: to.Add(-time.Minute), changes: "2026-07-01", want: "Expired tls.certificateRefs: the certificate of Secret shop/early expired at 2026-06-30T23:00:00Z; it is still shown, and clients refuse it"},
		"the next one":        {reason: "what changes first is looked at first", tls: "[{name: tls}, {name: early}]", now: between, changes: "2026-06-30"},
		"no time":             {reason: "who does not say what time it is wants to hear nothing of it", tls: "[{name: tls}]", changes: never},
		"missing":             {reason: "that is what ResolvedRefs is for", tls: "[{name: gone}]", now: between, changes: never},
		"for another host":    {reason: "clients refuse it as well", tls: "[{name: tls}], hostname: c.test", now: between, changes: "2026-07-01", want: `HostnameMismatch tls.certificateRefs: no certificate is for hostname "c.test"; clients refuse what they are shown`},
		"both":                {reason: "time goes first, and both are said", tls: "[{name: tls}], hostname: c.test", now: to.Add(time.Second), changes: never, want: "Expired " + expired + `; tls.certificateRefs: no certificate is for hostname "c.test"; clients refuse what they are shown`},
		"for the host":        {reason: "it is named", tls: "[{name: tls}], hostname: a.test", now: between, changes: "2026-07-01"},
		"for a label":         {reason: "a wildcard of a certificate is one label", tls: "[{name: tls}], hostname: x.b.test", now: between, changes: "2026-07-01"},
		"for two labels":      {reason: "and no more than one", tls: "[{name: tls}], hostname: x.y.b.test", now: between, changes: "2026-07-01", want: `HostnameMismatch tls.certificateRefs: no certificate is for hostname "x.y.b.test"; clients refuse what they are shown`},
		"for the wildcard":    {reason: "the listener's is the certificate's", tls: "[{name: tls}], hostname: \"*.b.test\"", now: between, changes: "2026-07-01"},
		"for a part":          {reason: "some hosts of the listener are served", tls: "[{name: tls}], hostname: \"*.test\"", now: between, changes: "2026-07-01"},
		"for no part":         {reason: "none is", tls: "[{name: tls}], hostname: \"*.c.test\"", now: between, changes: "2026-07-01", want: `HostnameMismatch tls.certificateRefs: no certificate is for hostname "*.c.test"; clients refuse what they are shown`},
		"missing, for a host": {reason: "nothing is known of what it would be for", tls: "[{name: gone}], hostname: c.test", now: between, changes: never},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, "kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {gatewayClassName: rauta, listeners: [{name: https, port: 443, protocol: HTTPS, tls: {certificateRefs: "+
				strings.Replace(c.tls, "]", "]}", 1)+"}, {name: plain, port: 80, protocol: HTTP}]}", topologytest.Secret("shop", "tls", chain, key), topologytest.Secret("shop", "early", early, earlyKey))
			world.Now = c.now
			built := topology.Build(world.Input)
			got := ""
			if invalid := built.Own[0].InvalidCertificate; invalid != nil {
				got = invalid.Reason + " " + invalid.Message
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			changes := never
			if !built.Changes.IsZero() {
				changes = built.Changes.UTC().Format(time.DateOnly)
			}
			if changes != c.changes {
				t.Errorf("%s: changes at %s, want %s", c.reason, changes, c.changes)
			}
			if !built.Own[0].Served() || len(built.Own[1].Decisions()) != 3 {
				t.Errorf("a certificate that clients may refuse takes no listener away, and is nothing to others")
			}
		})
	}
}

func TestClientCertificateOutOfItsTime(t *testing.T) {
	from, to := time.Date(2026, time.May, 1, 0, 0, 0, 0, time.UTC), time.Date(2026, time.July, 1, 0, 0, 0, 0, time.UTC)
	chain, key := topologytest.KeyPairBetween(t, from, to)
	world := topologytest.Parse(t, "kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {gatewayClassName: rauta, listeners: [{name: http, port: 80, protocol: HTTP}], tls: {backend: {clientCertificateRef: {name: tls}}}}",
		topologytest.Secret("shop", "tls", chain, key))
	for now, want := range map[time.Time]string{
		from:                  "",
		to.Add(time.Second):   "spec.tls.backend.clientCertificateRef: the certificate of Secret shop/tls expired at 2026-07-01T00:00:00Z; it is still shown, and backends refuse it",
		from.Add(-time.Hour):  "spec.tls.backend.clientCertificateRef: the certificate of Secret shop/tls is not valid before 2026-05-01T00:00:00Z; it is still shown, and backends refuse it",
		from.Add(time.Minute): "",
	} {
		world.Now = now
		built := topology.Build(world.Input)
		got := ""
		if built.InvalidCertificate != nil {
			got = built.InvalidCertificate.Message
		}
		if got != want || !built.ResolvedRefs.True() {
			t.Errorf("at %s the Gateway says %q, want %q", now, got, want)
		}
	}
}
