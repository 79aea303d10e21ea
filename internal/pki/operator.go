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
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Operator is the operator's own end of the admin channel: a client certificate that it renews by itself, and the
// bundle that it verifies proxies against. Both follow the authority in use at each handshake; sessions that are open
// are not touched by a change. It is safe for concurrent use.
type Operator struct {
	now func() time.Time

	mu        sync.Mutex
	authority *Authority
	roots     *x509.CertPool
	leaf      *tls.Certificate
}

// NewOperator is an Operator that has no authority yet: until Use is called, its handshakes fail and say so.
func NewOperator(now func() time.Time) *Operator {
	return &Operator{now: now}
}

// Use makes the given authority the one that signs the next client certificate and that proxies are verified against.
func (o *Operator) Use(authority *Authority) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.authority, o.roots = authority, authority.Roots()
}

// Authority is the one in use; nil before Use.
func (o *Operator) Authority() *Authority {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.authority
}

// TLS is the client configuration for connections to the proxies of one Gateway: TLS 1.3, our certificate, and a
// verification that accepts the identity of that Gateway and no other. Another Gateway's proxy is an *IdentityError.
func (o *Operator) TLS(namespace, gateway string) *tls.Config {
	wanted := ProxyIdentity(namespace, gateway)
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return o.certificate()
		},
		// Replicas are dialled by address, and their certificates name a Gateway instead of a host: the verification of
		// the host's name is left out, and VerifyConnection does all of the chain's.
		InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			return o.verify(state.PeerCertificates, wanted)
		},
	}
}

// certificate is our client certificate: the one that we have, or a new one when it is past two thirds of its life or
// of a CA that no longer signs.
func (o *Operator) certificate() (*tls.Certificate, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.authority == nil {
		return nil, errors.New("the operator's certificate authority is not loaded yet")
	}
	now := o.now()
	if o.leaf != nil && now.Before(partOfLife(o.leaf.Leaf, 2, 3)) &&
		o.leaf.Leaf.CheckSignatureFrom(o.authority.active.certificate) == nil {
		return o.leaf, nil
	}
	leaf, err := o.authority.IssueOperator(now)
	if err != nil {
		return nil, err
	}
	o.leaf = leaf
	return leaf, nil
}

// verify accepts a chain that ends in a trusted CA and begins with the wanted identity.
func (o *Operator) verify(chain []*x509.Certificate, wanted string) error {
	if len(chain) == 0 {
		return errors.New("the proxy showed no certificate")
	}
	o.mu.Lock()
	roots := o.roots
	o.mu.Unlock()
	if roots == nil {
		return errors.New("the operator's certificate authority is not loaded yet")
	}
	intermediates := x509.NewCertPool()
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: o.now(),
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return fmt.Errorf("verify the proxy's certificate: %w", err)
	}
	reached, err := Identity(chain[0])
	if err != nil {
		return fmt.Errorf("verify the proxy's certificate: %w", err)
	}
	if reached != wanted {
		return &IdentityError{Reached: reached, Wanted: wanted}
	}
	return nil
}
