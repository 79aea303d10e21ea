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
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"time"
)

const (
	// AuthorityLifetime is how long a CA certificate is valid.
	AuthorityLifetime = 365 * 24 * time.Hour
	// LeafLifetime is how long the certificates of the operator and of the proxies are valid, unless WithLeafLifetime says otherwise.
	LeafLifetime = 24 * time.Hour
	// MinLeafLifetime leaves a certificate three minutes after its renewal is due: a mounted Secret takes up to two to reach its pod.
	MinLeafLifetime = 4 * time.Minute
	// MaxLeafLifetime is well below the year of the CA that signs.
	MaxLeafLifetime = 30 * 24 * time.Hour

	// backdate allows for clocks that differ between nodes.
	backdate = 5 * time.Minute
	// settling is how long a next CA is in the bundle before it signs: mounted Secrets reach their pods within minutes.
	settling = time.Hour
)

// Authority is the operator's certificate authority at one moment. It is immutable: Advance gives another one.
type Authority struct {
	active signer
	// next is in the bundle, and signs when its time comes; nil before half of the active one's life.
	next *signer
	// retired CAs sign nothing any more, and verify what they signed until they expire. Their keys are gone.
	retired []*x509.Certificate
	// lifetime of the leaves that are issued; LeafLifetime when it is 0.
	lifetime time.Duration
}

// signer is a CA certificate with its key.
type signer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// New is an authority with one fresh CA.
func New(now time.Time) (*Authority, error) {
	active, err := newSigner(now)
	if err != nil {
		return nil, err
	}
	return &Authority{active: *active}, nil
}

// WithLeafLifetime is the same authority, whose leaves are valid for as long as is said; LeafLifetime for 0.
func (a *Authority) WithLeafLifetime(lifetime time.Duration) *Authority {
	changed := *a
	changed.lifetime = lifetime
	return &changed
}

// Advance is the authority as it has to be at the given time, and whether that differs from what it is: a next CA that
// joins, one that takes over, one that has expired and leaves. Equal when there is nothing to do.
func (a *Authority) Advance(now time.Time) (*Authority, bool, error) {
	advanced := &Authority{active: a.active, next: a.next, retired: slices.Clone(a.retired), lifetime: a.lifetime}
	if advanced.next != nil && expired(advanced.next.certificate, now) {
		advanced.next = nil
	}
	if advanced.next == nil && !now.Before(partOfLife(advanced.active.certificate, 1, 2)) {
		next, err := newSigner(now)
		if err != nil {
			return nil, false, err
		}
		advanced.next = next
	}
	if advanced.next != nil && takesOver(advanced.active.certificate, advanced.next.certificate, now) {
		advanced.retired = append(advanced.retired, advanced.active.certificate)
		advanced.active, advanced.next = *advanced.next, nil
	}
	advanced.retired = slices.DeleteFunc(advanced.retired, func(c *x509.Certificate) bool { return expired(c, now) })
	return advanced, !advanced.equal(a), nil
}

// takesOver tells whether the next CA has become the one that signs.
func takesOver(active, next *x509.Certificate, now time.Time) bool {
	if expired(active, now) {
		return true
	}
	settled := next.NotBefore.Add(backdate + settling)
	return !now.Before(partOfLife(active, 2, 3)) && !now.Before(settled)
}

func (a *Authority) equal(b *Authority) bool {
	return a.active.certificate.Equal(b.active.certificate) && bytes.Equal(a.Bundle(), b.Bundle())
}

// Bundle is every CA certificate that is trusted, as PEM: the active one, the next one, then the retired ones.
func (a *Authority) Bundle() []byte {
	var bundle bytes.Buffer
	for _, certificate := range a.trusted() {
		bundle.Write(encodeCertificate(certificate.Raw))
	}
	return bundle.Bytes()
}

// Roots is the bundle as a pool to verify against.
func (a *Authority) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	for _, certificate := range a.trusted() {
		pool.AddCert(certificate)
	}
	return pool
}

func (a *Authority) trusted() []*x509.Certificate {
	trusted := []*x509.Certificate{a.active.certificate}
	if a.next != nil {
		trusted = append(trusted, a.next.certificate)
	}
	return append(trusted, a.retired...)
}

func expired(certificate *x509.Certificate, now time.Time) bool {
	return now.After(certificate.NotAfter)
}

// partOfLife is the moment at which the given part of a certificate's life is over.
func partOfLife(certificate *x509.Certificate, numerator, denominator int64) time.Time {
	life := certificate.NotAfter.Sub(certificate.NotBefore)
	return certificate.NotBefore.Add(time.Duration(int64(life) / denominator * numerator))
}

func encodeCertificate(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: der})
}
