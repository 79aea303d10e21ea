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
	"fmt"
)

// trustDomain is the authority part of every identity.
const trustDomain = "rauta.dev"

// OperatorIdentity is the URI that the operator's client certificate carries, and the only one that a proxy lets in.
const OperatorIdentity = "spiffe://" + trustDomain + "/operator"

// ProxyIdentity is the URI that the certificates of one Gateway's proxies carry. Names of Kubernetes objects hold
// nothing that would need escaping in a path.
func ProxyIdentity(namespace, gateway string) string {
	return "spiffe://" + trustDomain + "/gateway/" + namespace + "/" + gateway
}

// Identity is the URI that a certificate carries. A certificate with no URI or with several has no identity: with two,
// what it may do would depend on which of them is looked at.
func Identity(certificate *x509.Certificate) (string, error) {
	switch len(certificate.URIs) {
	case 0:
		return "", errors.New("certificate carries no URI that would say whose it is")
	case 1:
		return certificate.URIs[0].String(), nil
	default:
		return "", fmt.Errorf("certificate carries %d URIs where one says whose it is", len(certificate.URIs))
	}
}

// IdentityError says that a certificate of our authority is somebody else's.
type IdentityError struct {
	// Reached is the identity of who answered, Wanted of who was meant.
	Reached, Wanted string
}

func (e *IdentityError) Error() string {
	return fmt.Sprintf("reached proxy of %s instead of %s", e.Reached, e.Wanted)
}
