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

package config

import (
	"crypto/x509"
	"strings"
	"testing"

	"github.com/rauta-dev/rauta/proxy/testca"
)

func TestBackendTLS(t *testing.T) {
	ca := testca.New(t)
	pair := ca.Issue(t, "spiffe://a")
	tests := map[string]struct {
		reason string
		change func(*BackendTLS)
		fault  string
		code   Code
	}{
		"whole": {reason: "everything at once", change: func(b *BackendTLS) {
			b.Certificate = "certificate/a"
			b.SubjectAltNames = []SubjectAltName{{Hostname: "*.A.test"}, {URI: "spiffe://a/b"}}
		}},
		"system":            {reason: "instead of a bundle", change: func(b *BackendTLS) { b.Authorities, b.SystemAuthorities = nil, true }},
		"no hostname":       {"SNI needs one", func(b *BackendTLS) { b.Hostname = "" }, "tls.hostname: ", CodeInvalid},
		"wildcard hostname": {"nobody can be asked for by one", func(b *BackendTLS) { b.Hostname = "*.a.test" }, "tls.hostname: ", CodeInvalid},
		"address":           {"SNI has no addresses", func(b *BackendTLS) { b.Hostname = "10.0.0.1" }, "tls.hostname: ", CodeInvalid},
		"no authorities":    {"to trust everybody is no way to go on", func(b *BackendTLS) { b.Authorities = nil }, "tls.authorities: hold no certificate", CodeInvalid},
		"damaged": {"one that cannot be read is not left out silently", func(b *BackendTLS) {
			b.Authorities = []byte("-----BEGIN CERTIFICATE-----\nTm9uZQ==\n-----END CERTIFICATE-----\n")
		}, "tls.authorities: certificate 0: ", CodeInvalid},
		"both authorities": {"which of them is not to be guessed", func(b *BackendTLS) { b.SystemAuthorities = true }, "tls.authorities: must be empty", CodeInvalid},
		"empty name": {"a name of a kind that is not known comes as none", func(b *BackendTLS) {
			b.SubjectAltNames = []SubjectAltName{{Hostname: "b.test"}, {}}
		}, "tls.subject_alt_names[1]: ", CodeInvalid},
		"bad name": {"it could never match", func(b *BackendTLS) { b.SubjectAltNames = []SubjectAltName{{Hostname: "a_b"}} }, "tls.subject_alt_names[0].hostname: ", CodeInvalid},
		"bad URI":  {"likewise", func(b *BackendTLS) { b.SubjectAltNames = []SubjectAltName{{URI: "a/b"}} }, "tls.subject_alt_names[0].uri: ", CodeInvalid},
		"too many names": {"what is compared in each handshake is bounded", func(b *BackendTLS) {
			for range maxSubjectAltNames + 1 {
				b.SubjectAltNames = append(b.SubjectAltNames, SubjectAltName{Hostname: "b.test"})
			}
		}, "tls.subject_alt_names: ", CodeInvalid},
		"certificate that is not there": {"without it the endpoint may do less than it should", func(b *BackendTLS) { b.Certificate = "x" }, `tls.certificate: "x" is not in the table`, CodeMissingReference},
		"certificate that is broken":    {"likewise", func(b *BackendTLS) { b.Certificate = "certificate/broken" }, `tls.certificate: "certificate/broken" cannot be used`, CodeInvalid},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := world()
			s.Backends[0].TLS = &BackendTLS{Hostname: "A.test", Authorities: ca.PEM}
			s.Backends = append(s.Backends, &Backend{Name: "plain", Protocol: BackendHTTP1, Endpoints: "e"})
			s.Certificates = []*Certificate{
				{Name: "certificate/a", Chain: pair.Certificate, Key: pair.Key}, {Name: "certificate/broken", Chain: pair.Certificate, Key: ca.PEM},
			}
			test.change(s.Backends[0].TLS)
			plan, errors := Compile(s)
			var of []Error
			for _, e := range errors {
				if e.Resource == "b" {
					of = append(of, e)
				}
				if strings.Contains(e.Message, "PRIVATE") {
					t.Errorf("key material in %q", e.Message)
				}
			}
			if test.fault == "" {
				if len(of) > 0 || len(plan.Backends) != 2 || plan.Backends[0].TLS.Hostname != "a.test" {
					t.Errorf("%s: %v", test.reason, of)
				}
				return
			}
			if len(of) != 1 || of[0].Code != test.code || !strings.HasPrefix(of[0].Message, test.fault) {
				t.Errorf("%s: got %v", test.reason, of)
			}
			if len(plan.Backends) != 1 || plan.Backends[0].Name != "plain" || plan.Backends[0].TLS != nil {
				t.Errorf("%s: the backend is not quarantined alone: %v", test.reason, plan.Backends)
			}
		})
	}
}

// What differs has other IDs, and what does not has the same, whichever resources say it.
func TestBackendTLSIdentity(t *testing.T) {
	ca, other := testca.New(t), testca.New(t)
	one, two := ca.Issue(t, "spiffe://a"), ca.Issue(t, "spiffe://a")
	id := func(change func(*BackendTLS)) (*PlannedTLS, *x509.CertPool) {
		s := world()
		s.Backends[0].TLS = &BackendTLS{Hostname: "a.test", Authorities: ca.PEM}
		change(s.Backends[0].TLS)
		s.Certificates = []*Certificate{
			{Name: "one", Chain: one.Certificate, Key: one.Key}, {Name: "again", Chain: one.Certificate, Key: one.Key},
			{Name: "two", Chain: two.Certificate, Key: two.Key},
		}
		plan, errors := Compile(s)
		if len(errors) > 0 {
			t.Fatal(errors)
		}
		return plan.Backends[0].TLS, plan.Backends[0].TLS.Authorities
	}
	seen := map[[32]byte]string{}
	for name, change := range map[string]func(*BackendTLS){
		"plain":        func(*BackendTLS) {},
		"hostname":     func(b *BackendTLS) { b.Hostname = "b.test" },
		"name":         func(b *BackendTLS) { b.SubjectAltNames = []SubjectAltName{{Hostname: "b.test"}} },
		"URI":          func(b *BackendTLS) { b.SubjectAltNames = []SubjectAltName{{URI: "b.test:"}} },
		"names":        func(b *BackendTLS) { b.SubjectAltNames = []SubjectAltName{{Hostname: "b.test"}, {Hostname: "c"}} },
		"authority":    func(b *BackendTLS) { b.Authorities = other.PEM },
		"system":       func(b *BackendTLS) { b.Authorities, b.SystemAuthorities = nil, true },
		"certificate":  func(b *BackendTLS) { b.Certificate = "one" },
		"another, too": func(b *BackendTLS) { b.Certificate = "two" },
	} {
		planned, _ := id(change)
		if before, twice := seen[planned.ID]; twice {
			t.Errorf("%s has the identity of %s", name, before)
		}
		seen[planned.ID] = name
	}
	first, _ := id(func(b *BackendTLS) { b.Certificate = "one" })
	again, _ := id(func(b *BackendTLS) { b.Certificate = "again" })
	if first.ID != again.ID {
		t.Error("the same certificate under another name made another identity")
	}
}

// A bundle that many backends have is held once.
func TestBackendTLSSharesAuthorities(t *testing.T) {
	ca := testca.New(t)
	s := world()
	s.Backends[0].TLS = &BackendTLS{Hostname: "a.test", Authorities: ca.PEM}
	s.Backends = append(s.Backends, &Backend{
		Name: "c", Protocol: BackendHTTP1, Endpoints: "e", TLS: &BackendTLS{Hostname: "c.test", Authorities: ca.PEM},
	})
	first, _ := Compile(s)
	second, _ := Compile(s)
	if first.Backends[0].TLS.Authorities != first.Backends[1].TLS.Authorities {
		t.Error("it was read twice")
	}
	if first.Backends[0].TLS.Authorities != second.Backends[0].TLS.Authorities {
		t.Error("it was read again for the next table")
	}
}
