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

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

// authority signs the cluster's certificates. Each start of a cluster makes a new one.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// identity is one certificate to issue: the Kubernetes user and its groups, and for servers their names.
type identity struct {
	file      string   // below pki, without suffix
	user      string   // the API's user name: the certificate's common name
	groups    []string // the API's groups: the certificate's organizations
	names     []string
	addresses []string
}

// identities are the certificates of a single-node cluster
// (https://kubernetes.io/docs/setup/best-practices/certificates/).
func identities() []identity {
	masters := []string{"system:masters"}
	return []identity{
		{file: "apiserver", user: "kube-apiserver",
			names: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc",
				"kubernetes.default.svc." + clusterDomain},
			addresses: []string{nodeAddress, firstService, "127.0.0.1"}},
		{file: "apiserver-kubelet-client", user: "kube-apiserver-kubelet-client", groups: masters},
		{file: "admin", user: "kubernetes-admin", groups: masters},
		{file: "loadbalancer", user: "rauta-cluster-loadbalancer", groups: masters},
		{file: "controller-manager", user: "system:kube-controller-manager"},
		{file: "scheduler", user: "system:kube-scheduler"},
		{file: "kube-proxy", user: "system:kube-proxy"},
		{file: "kubelet", user: "system:node:" + nodeName, groups: []string{"system:nodes"},
			names: []string{nodeName}, addresses: []string{nodeAddress}},
	}
}

const certificateLife = 365 * 24 * time.Hour

// makeCertificates writes the authority, all identities and the key that signs service account tokens.
func makeCertificates(p place) error {
	ca, err := newAuthority(p)
	if err != nil {
		return err
	}
	for serial, id := range identities() {
		if err := ca.issue(p, id, int64(serial)+2); err != nil {
			return err
		}
	}
	return makeServiceAccountKey(p)
}

func newAuthority(p place) (*authority, error) {
	key, err := writeKey(p.key("ca"))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: p.name},
		NotBefore:    time.Now().Add(-time.Hour), NotAfter: time.Now().Add(certificateLife),
		IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("signing the cluster's authority: %w", err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the cluster's authority back: %w", err)
	}
	return &authority{certificate, key}, writePEM(p.certificate("ca"), "CERTIFICATE", der, 0o644)
}

// issue makes a key and a certificate that serves both as a client's and as a server's.
func (a *authority) issue(p place, id identity, serial int64) error {
	key, err := writeKey(p.key(id.file))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial),
		Subject:      pkix.Name{CommonName: id.user, Organization: id.groups},
		NotBefore:    a.certificate.NotBefore, NotAfter: a.certificate.NotAfter,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		DNSNames:    id.names,
	}
	for _, address := range id.addresses {
		template.IPAddresses = append(template.IPAddresses, net.ParseIP(address))
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("signing the certificate of %s: %w", id.user, err)
	}
	return writePEM(p.certificate(id.file), "CERTIFICATE", der, 0o644)
}

func makeServiceAccountKey(p place) error {
	key, err := writeKey(p.key("service-account"))
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("encoding the service account key: %w", err)
	}
	return writePEM(p.path("pki", "service-account.pub"), "PUBLIC KEY", der, 0o644)
}

func writeKey(file string) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the key %s: %w", file, err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding the key %s: %w", file, err)
	}
	return key, writePEM(file, "EC PRIVATE KEY", der, 0o600)
}

func writePEM(file, kind string, der []byte, mode os.FileMode) error {
	return writeFile(file, string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})), mode)
}
