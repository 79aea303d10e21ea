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
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net/url"
	"time"
)

// newSigner makes a CA whose life begins now.
func newSigner(now time.Time) (*signer, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate the key of a CA: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial,
		// The serial number tells two CAs of one bundle apart for a person who looks at a certificate's issuer.
		Subject:               pkix.Name{CommonName: fmt.Sprintf("rauta CA %x", serial.Bytes()[:4])},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(AuthorityLifetime),
		IsCA:                  true,
		BasicConstraintsValid: true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("create the certificate of a CA: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back the certificate of a CA: %w", err)
	}
	return &signer{certificate: certificate, key: key}, nil
}

// IssueProxy makes the identity of one Gateway's proxies: what belongs into tls.crt, tls.key and ca.crt of its Secret,
// and when the certificate expires.
func (a *Authority) IssueProxy(namespace, gateway string, now time.Time) (certPEM, keyPEM, caPEM []byte, notAfter time.Time, err error) {
	identity := ProxyIdentity(namespace, gateway)
	leaf, key, err := a.issue(identity, "rauta proxy", x509.ExtKeyUsageServerAuth, now)
	if err != nil {
		return nil, nil, nil, time.Time{}, fmt.Errorf("issue %s: %w", identity, err)
	}
	keyPEM, err = encodeKey(key)
	if err != nil {
		return nil, nil, nil, time.Time{}, fmt.Errorf("issue %s: %w", identity, err)
	}
	return encodeCertificate(leaf.Raw), keyPEM, a.Bundle(), leaf.NotAfter, nil
}

// IssueOperator makes the operator's client certificate. Its key stays in memory.
func (a *Authority) IssueOperator(now time.Time) (*tls.Certificate, error) {
	leaf, key, err := a.issue(OperatorIdentity, "rauta operator", x509.ExtKeyUsageClientAuth, now)
	if err != nil {
		return nil, fmt.Errorf("issue %s: %w", OperatorIdentity, err)
	}
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

func (a *Authority) issue(identity, name string, usage x509.ExtKeyUsage, now time.Time) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	uri, err := url.Parse(identity)
	if err != nil {
		return nil, nil, err
	}
	serial, err := newSerial()
	if err != nil {
		return nil, nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generate key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name},
		URIs:                  []*url.URL{uri},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(cmp.Or(a.lifetime, LeafLifetime)),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{usage},
	}
	// A certificate that outlives its CA would look valid and be believed by nobody.
	if template.NotAfter.After(a.active.certificate.NotAfter) {
		template.NotAfter = a.active.certificate.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.active.certificate, &key.PublicKey, a.active.key)
	if err != nil {
		return nil, nil, fmt.Errorf("create certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("read back certificate: %w", err)
	}
	return leaf, key, nil
}

// newSerial is a random positive number of 127 bits, the highest of them set so that its length is constant.
func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, fmt.Errorf("generate serial number: %w", err)
	}
	return serial.SetBit(serial, 126, 1), nil
}

// RenewAt is when a certificate has lived for two thirds of its life, and has to be replaced.
func RenewAt(certPEM []byte) (time.Time, error) {
	certificates, err := decodeCertificates(certPEM)
	if err != nil {
		return time.Time{}, fmt.Errorf("certificate %w", err)
	}
	return partOfLife(certificates[0], 2, 3), nil
}

// RenewalDue tells whether a certificate has to be replaced: it is past two thirds of its life, no CA of the bundle
// signed it, or it cannot be read.
func RenewalDue(certPEM, caBundle []byte, now time.Time) bool {
	certificates, err := decodeCertificates(certPEM)
	if err != nil {
		return true
	}
	leaf := certificates[0]
	if !now.Before(partOfLife(leaf, 2, 3)) {
		return true
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(caBundle) {
		return true
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err != nil
}

// ProxyIdentityDue tells whether what the Secret of one Gateway's proxies holds has to be issued again, and why: for the
// reasons of RenewalDue, because certificate, key and identity do not belong together, or because the trusted CAs are
// others by now. The data has the keys tls.crt, tls.key and ca.crt. The reason is empty when nothing is due.
func (a *Authority) ProxyIdentityDue(namespace, gateway string, data map[string][]byte, now time.Time) (reason string) {
	pair, err := tls.X509KeyPair(data[CertificateKey], data[PrivateKeyKey])
	if err != nil {
		return "there is no usable pair of certificate and key"
	}
	identity, err := Identity(pair.Leaf)
	if err != nil || identity != ProxyIdentity(namespace, gateway) {
		return "the certificate is not this Gateway's"
	}
	if !bytes.Equal(data[BundleKey], a.Bundle()) {
		return "the trusted authorities have changed"
	}
	if RenewalDue(data[CertificateKey], a.Bundle(), now) {
		return "the certificate is in the last third of its life"
	}
	return ""
}

// Keys of the Secret that holds the identity of one Gateway's proxies, beside BundleKey.
const (
	CertificateKey = "tls.crt"
	PrivateKeyKey  = "tls.key"
)
