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

func TestClients(t *testing.T) {
	ca := testca.New(t)
	pair := ca.Issue(t, "spiffe://a", func(c *x509.Certificate) { c.DNSNames = []string{"a.test"} })
	tests := map[string]struct {
		reason   string
		protocol Protocol
		bundle   string
		fault    string
	}{
		"one":        {"a bundle with a certificate", ProtocolHTTPS, string(ca.PEM), ""},
		"none":       {"to let everybody in, or nobody, would both be wrong", ProtocolHTTPS, "", "client_validation.authorities: hold no certificate"},
		"no PEM":     {"likewise", ProtocolHTTPS, "certificate", "client_validation.authorities: hold no certificate"},
		"damaged":    {"a certificate that cannot be read is not left out silently", ProtocolHTTPS, "-----BEGIN CERTIFICATE-----\nTm9uZQ==\n-----END CERTIFICATE-----\n", "client_validation.authorities: certificate 0"},
		"clear text": {"without TLS there are no client certificates", ProtocolHTTP, string(ca.PEM), "client_validation: only a listener where TLS ends has any"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			l := &Listener{Name: "listener/a", Port: 443, Protocol: test.protocol, Clients: &ClientValidation{Authorities: []byte(test.bundle)}}
			if test.protocol == ProtocolHTTPS {
				l.Certificates = []string{"certificate/a"}
			}
			plan, faults := Compile(&Snapshot{
				Listeners:    []*Listener{l},
				Certificates: []*Certificate{{Name: "certificate/a", Chain: pair.Certificate, Key: pair.Key}},
			})
			if test.fault == "" {
				if len(faults) > 0 || len(plan.Listeners) != 1 || !plan.Listeners[0].Clients.Required {
					t.Errorf("%s: got %v, %+v", test.reason, faults, plan.Listeners)
				}
				return
			}
			if len(faults) != 1 || faults[0].Resource != l.Name || !strings.HasPrefix(faults[0].Message, test.fault) || len(plan.Listeners) > 0 {
				t.Errorf("%s: got %v", test.reason, faults)
			}
		})
	}
}
