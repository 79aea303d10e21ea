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
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"net/netip"
	"net/url"
	"strings"
	"sync"
)

// BackendTLS authenticates the endpoints of a backend.
type BackendTLS struct {
	// Hostname is asked for in the handshake, and is what a certificate has to be for, unless there are SubjectAltNames.
	Hostname string
	// SubjectAltNames of which a certificate has to carry one.
	SubjectAltNames []SubjectAltName
	// Authorities in PEM that a certificate has to lead to.
	Authorities []byte
	// SystemAuthorities instead.
	SystemAuthorities bool
	// Certificate is the resource name of what the proxy proves itself with; empty for nothing.
	Certificate string

	once           sync.Once
	parsed         *x509.CertPool // nil for those of the system
	bundle, digest [sha256.Size]byte
	err            error
}

// SubjectAltName is a name in a certificate. Exactly one is set.
type SubjectAltName struct {
	// Hostname, whose first label may be "*".
	Hostname string
	// URI, compared byte by byte.
	URI string
}

// PlannedTLS is how the endpoints of a backend are spoken to over TLS.
type PlannedTLS struct {
	// ID is equal for what is equal: where it differs, what a connection has proved does not count.
	ID [sha256.Size]byte
	// Hostname in lower case.
	Hostname string
	// Names of which a certificate has to be for one; never empty.
	Names []SubjectAltName
	// Authorities; nil for those of the system.
	Authorities *x509.CertPool
	// Certificate that the proxy proves itself with; nil for none.
	Certificate *tls.Certificate
}

// maxSubjectAltNames is what BackendTLSPolicy allows, with room for later versions.
const maxSubjectAltNames = 64

// backendTLS plans how the endpoints of a backend are spoken to; false when they must not be spoken to at all.
func (c *compiler) backendTLS(backend *Backend, certificates map[string]*tls.Certificate) (*PlannedTLS, bool) {
	wanted := backend.TLS
	if wanted == nil {
		return nil, true
	}
	names, err := wanted.names()
	if err == nil {
		err = wanted.parse(c.pools)
	}
	if err != nil {
		c.fail(backend.Name, CodeInvalid, "%v", err)
		return nil, false
	}
	planned := &PlannedTLS{ID: wanted.digest, Hostname: strings.ToLower(wanted.Hostname), Names: names, Authorities: wanted.parsed}
	if wanted.Certificate == "" {
		return planned, true
	}
	certificate, there := certificates[wanted.Certificate]
	if !there {
		c.fail(backend.Name, CodeMissingReference, "tls.certificate: %q is not in the table", wanted.Certificate)
		return nil, false
	}
	if certificate == nil {
		c.fail(backend.Name, CodeInvalid, "tls.certificate: %q cannot be used", wanted.Certificate)
		return nil, false
	}
	planned.Certificate = certificate
	planned.ID = withCertificate(wanted.digest, certificate)
	return planned, true
}

// names checks the names, and gives those of which a certificate has to be for one.
func (t *BackendTLS) names() ([]SubjectAltName, error) {
	hostname := strings.ToLower(t.Hostname)
	// BackendTLSPolicyValidation.hostname: "Hostname MUST be used as the SNI to connect to the backend (RFC 6066)", of which
	// section 3 has: "Literal IPv4 and IPv6 addresses are not permitted".
	if strings.HasPrefix(hostname, "*") || !validHostname(hostname) || isAddress(hostname) {
		return nil, fmt.Errorf("tls.hostname: %q is not a hostname without wildcard", t.Hostname)
	}
	// "Hostname MUST be used for authentication and MUST match the certificate served by the matching backend, unless
	// SubjectAltNames is specified."
	if len(t.SubjectAltNames) == 0 {
		return []SubjectAltName{{Hostname: hostname}}, nil
	}
	if len(t.SubjectAltNames) > maxSubjectAltNames {
		return nil, fmt.Errorf("tls.subject_alt_names: there are %d, at most %d are allowed", len(t.SubjectAltNames), maxSubjectAltNames)
	}
	names := make([]SubjectAltName, 0, len(t.SubjectAltNames))
	for i, name := range t.SubjectAltNames {
		checked, err := name.checked()
		if err != nil {
			return nil, fmt.Errorf("tls.subject_alt_names[%d]%w", i, err)
		}
		names = append(names, checked)
	}
	return names, nil
}

func (n SubjectAltName) checked() (SubjectAltName, error) {
	if (n.Hostname == "") == (n.URI == "") {
		return n, errors.New(": needs a hostname or a URI that this proxy knows")
	}
	if n.URI != "" {
		if parsed, err := url.Parse(n.URI); err != nil || !parsed.IsAbs() {
			return n, fmt.Errorf(".uri: %q is not a URI with a scheme", n.URI)
		}
		return n, nil
	}
	lower := strings.ToLower(n.Hostname)
	if !validHostname(lower) || isAddress(lower) {
		return n, fmt.Errorf(".hostname: %q is not a hostname", n.Hostname)
	}
	return SubjectAltName{Hostname: lower}, nil
}

func isAddress(hostname string) bool {
	_, err := netip.ParseAddr(hostname)
	return err == nil
}

// parse reads the authorities: once, however many tables hold the backend. pools are those of the other backends, since many
// have the same.
func (t *BackendTLS) parse(pools map[[sha256.Size]byte]*x509.CertPool) error {
	t.once.Do(func() {
		t.bundle = sha256.Sum256(t.Authorities)
		t.digest = t.sum()
		if !t.SystemAuthorities {
			t.parsed, t.err = pools[t.bundle], nil
		}
		switch {
		case t.SystemAuthorities && len(t.Authorities) > 0:
			t.err = errors.New("tls.authorities: must be empty with system_authorities")
		case !t.SystemAuthorities && t.parsed == nil:
			t.parsed, t.err = authorities("tls.authorities", t.Authorities)
		}
	})
	if t.parsed != nil {
		pools[t.bundle] = t.parsed
	}
	return t.err
}

// sum is equal for what is equal. Each part says how long it is, so that none can be taken for two.
func (t *BackendTLS) sum() [sha256.Size]byte {
	sum := sha256.New()
	part(sum, []byte(strings.ToLower(t.Hostname)))
	for _, name := range t.SubjectAltNames {
		part(sum, []byte(strings.ToLower(name.Hostname)))
		part(sum, []byte(name.URI))
	}
	part(sum, fmt.Appendf(nil, "%t", t.SystemAuthorities))
	part(sum, t.bundle[:])
	return [sha256.Size]byte(sum.Sum(nil))
}

// withCertificate tells those apart that prove themselves differently. A certificate says which key is behind it.
func withCertificate(digest [sha256.Size]byte, certificate *tls.Certificate) [sha256.Size]byte {
	sum := sha256.New()
	part(sum, digest[:])
	for _, der := range certificate.Certificate {
		part(sum, der)
	}
	return [sha256.Size]byte(sum.Sum(nil))
}

func part(sum hash.Hash, bytes []byte) {
	_ = binary.Write(sum, binary.BigEndian, uint64(len(bytes))) // A hash takes everything.
	_, _ = sum.Write(bytes)
}
