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
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// Keys of the Secret that keeps an authority.
const (
	// BundleKey holds every trusted CA certificate as PEM.
	BundleKey = "ca.crt"

	activeCertificateKey = "active.crt"
	activeKeyKey         = "active.key"
	nextCertificateKey   = "next.crt"
	nextKeyKey           = "next.key"
)

const (
	pemCertificate = "CERTIFICATE"
	pemPrivateKey  = "PRIVATE KEY"
)

// DamageError says which key of an encoded authority cannot be used, and why.
type DamageError struct {
	// Key of the Secret's data.
	Key string
	Err error
}

func (e *DamageError) Error() string { return fmt.Sprintf("key %q: %v", e.Key, e.Err) }

// Unwrap gives what is wrong with the key's value.
func (e *DamageError) Unwrap() error { return e.Err }

// Encode is the authority as the data of a Secret.
func (a *Authority) Encode() (map[string][]byte, error) {
	data := map[string][]byte{BundleKey: a.Bundle()}
	if err := a.active.encode(data, activeCertificateKey, activeKeyKey); err != nil {
		return nil, err
	}
	if a.next == nil {
		return data, nil
	}
	if err := a.next.encode(data, nextCertificateKey, nextKeyKey); err != nil {
		return nil, err
	}
	return data, nil
}

func (s *signer) encode(data map[string][]byte, certificateKey, keyKey string) error {
	key, err := encodeKey(s.key)
	if err != nil {
		return err
	}
	data[certificateKey] = encodeCertificate(s.certificate.Raw)
	data[keyKey] = key
	return nil
}

// Decode reads an authority from the data of a Secret. Whatever is missing or contradictory is a *DamageError: an
// authority that is guessed at would lock operator and proxies out of each other.
func Decode(data map[string][]byte) (*Authority, error) {
	active, err := decodeSigner(data, activeCertificateKey, activeKeyKey)
	if err != nil {
		return nil, err
	}
	authority := &Authority{active: *active}
	if len(data[nextCertificateKey]) > 0 || len(data[nextKeyKey]) > 0 {
		authority.next, err = decodeSigner(data, nextCertificateKey, nextKeyKey)
		if err != nil {
			return nil, err
		}
	}
	bundle, err := decodeCertificates(data[BundleKey])
	if err != nil {
		return nil, &DamageError{Key: BundleKey, Err: err}
	}
	signing := authority.trusted()
	for _, certificate := range signing {
		if !slices.ContainsFunc(bundle, certificate.Equal) {
			return nil, &DamageError{Key: BundleKey, Err: errors.New("lacks a certificate that signs")}
		}
	}
	for _, certificate := range bundle {
		if !certificate.IsCA {
			return nil, &DamageError{Key: BundleKey, Err: errors.New("holds a certificate that is not a CA's")}
		}
		if !slices.ContainsFunc(signing, certificate.Equal) {
			authority.retired = append(authority.retired, certificate)
		}
	}
	return authority, nil
}

func decodeSigner(data map[string][]byte, certificateKey, keyKey string) (*signer, error) {
	certificates, err := decodeCertificates(data[certificateKey])
	if err != nil {
		return nil, &DamageError{Key: certificateKey, Err: err}
	}
	if len(certificates) != 1 {
		return nil, &DamageError{Key: certificateKey, Err: fmt.Errorf("holds %d certificates instead of one", len(certificates))}
	}
	certificate := certificates[0]
	if !certificate.IsCA {
		return nil, &DamageError{Key: certificateKey, Err: errors.New("is not the certificate of a CA")}
	}
	key, err := decodeKey(data[keyKey])
	if err != nil {
		return nil, &DamageError{Key: keyKey, Err: err}
	}
	if !key.PublicKey.Equal(certificate.PublicKey) {
		return nil, &DamageError{Key: keyKey, Err: fmt.Errorf("is not the key of %q", certificateKey)}
	}
	return &signer{certificate: certificate, key: key}, nil
}

// decodeCertificates reads PEM that holds at least one certificate and nothing else.
func decodeCertificates(encoded []byte) ([]*x509.Certificate, error) {
	if len(encoded) == 0 {
		return nil, errors.New("is missing")
	}
	var certificates []*x509.Certificate
	for len(encoded) > 0 {
		block, rest := pem.Decode(encoded)
		if block == nil || block.Type != pemCertificate {
			return nil, errors.New("is not PEM of certificates")
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("parse certificate: %w", err)
		}
		certificates = append(certificates, certificate)
		encoded = rest
	}
	return certificates, nil
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemPrivateKey, Bytes: der}), nil
}

func decodeKey(encoded []byte) (*ecdsa.PrivateKey, error) {
	if len(encoded) == 0 {
		return nil, errors.New("is missing")
	}
	block, _ := pem.Decode(encoded)
	if block == nil || block.Type != pemPrivateKey {
		return nil, errors.New("is not PEM of a private key")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		// What the parser says may quote the key's bytes.
		return nil, errors.New("is not a PKCS #8 private key")
	}
	ec, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return nil, errors.New("is not an ECDSA key")
	}
	return ec, nil
}
