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

package upstream

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Security is how endpoints are spoken to over TLS, and prove themselves.
type Security struct {
	// Hostname that is asked for in the handshake.
	Hostname string
	// Names of which the endpoint's certificate has to be for one.
	Names []Name
	// Authorities that it has to lead to; nil for those of the system.
	Authorities *x509.CertPool
	// Certificate that the proxy proves itself with where it is asked to; nil for none.
	Certificate *tls.Certificate
	// Protocols that are asked for by ALPN; nil for none.
	Protocols []string
}

// Name in a certificate: either is set.
type Name struct {
	// Hostname in lower case, whose first label may be "*".
	Hostname string
	URI      string
}

// Config is TLS 1.2 and 1.3 with the algorithms that crypto/tls has by default, which leave out what is weak.
func (s Security) Config() *tls.Config {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: s.Hostname, NextProtos: s.Protocols,
		// crypto/tls would go by the server name alone: VerifyConnection verifies in its place, also of sessions that go on.
		InsecureSkipVerify: true, VerifyConnection: s.verify,
	}
	if s.Certificate != nil {
		// Not Certificates: of those none is sent where the endpoint names authorities that do not include its issuer. There is
		// nothing to choose from, and the endpoint says more clearly what is wrong with it.
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return s.Certificate, nil }
	}
	return c
}

// WithSessions gives a configuration for one endpoint, whose last session goes on with the next connection; nil for nil. Another
// endpoint could do nothing with it.
func WithSessions(shared *tls.Config) *tls.Config {
	if shared == nil {
		return nil
	}
	own := shared.Clone()
	own.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	return own
}

var (
	errNoCertificate = errors.New("the endpoint shows no certificate")
	errOtherName     = errors.New("the endpoint's certificate is for none of the names that it has to be for")
)

// verify says whether an endpoint is who it has to be.
func (s Security) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errNoCertificate
	}
	leaf := state.PeerCertificates[0]
	intermediates := x509.NewCertPool()
	for _, certificate := range state.PeerCertificates[1:] {
		intermediates.AddCert(certificate)
	}
	roots := s.Authorities
	if roots == nil {
		roots = systemAuthorities()
	}
	// No KeyUsages stands for that of servers.
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: intermediates}); err != nil {
		return fmt.Errorf("the endpoint's certificate: %w", err)
	}
	for _, name := range s.Names {
		if name.in(leaf) {
			return nil
		}
	}
	return s.otherName(leaf)
}

// shownNames is how many names of an endpoint's certificate an error tells.
const shownNames = 4

// otherName says which names there are, and which were looked for.
func (s Security) otherName(leaf *x509.Certificate) error {
	wanted := make([]string, 0, len(s.Names))
	for _, name := range s.Names {
		wanted = append(wanted, cmp.Or(name.URI, name.Hostname))
	}
	has := slices.Clone(leaf.DNSNames[:min(len(leaf.DNSNames), shownNames)])
	for _, uri := range leaf.URIs[:min(len(leaf.URIs), shownNames)] {
		has = append(has, uri.String())
	}
	return fmt.Errorf("%w: it is for %q, and not for %q", errOtherName, has, wanted)
}

// in says whether a certificate is for the name. BackendTLSPolicyValidation.subjectAltNames: "the certificate served from the
// backend MUST have at least one Subject Alternate Name matching one of the specified SubjectAltNames." A certificate's common
// name is none.
func (n Name) in(leaf *x509.Certificate) bool {
	if n.URI != "" {
		for _, uri := range leaf.URIs {
			if uri.String() == n.URI {
				return true
			}
		}
		return false
	}
	if !strings.HasPrefix(n.Hostname, "*.") {
		return leaf.VerifyHostname(n.Hostname) == nil
	}
	for _, hostname := range leaf.DNSNames {
		// RFC 9525 section 6.3: a wildcard stands for exactly one label; another wildcard is the same one.
		first, rest, found := strings.Cut(strings.ToLower(hostname), ".")
		if found && first != "" && rest == n.Hostname[len("*."):] {
			return true
		}
	}
	return false
}
