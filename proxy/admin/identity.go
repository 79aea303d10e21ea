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

package admin

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Files are what a proxy proves itself by, in PEM.
type Files struct {
	Certificate, Key, CA string
}

// Identity is who this proxy is and who may give it tables. It follows its files.
type Identity struct {
	files Files
	// own is the URI that the proxy's certificate must carry, operator that of a client.
	own, operator string
	current       atomic.Pointer[material]
}

// material is the content of the files, and what it was made into.
type material struct {
	certificatePEM, keyPEM, caPEM []byte

	certificate tls.Certificate
	roots       *x509.CertPool
}

// LoadIdentity reads the files. A certificate that does not carry the identity, does not belong to the key, or was not
// issued by the CA is an error. One that has expired is not: a proxy that was started again while its operator is away
// must serve, and the operator refuses it until it is renewed.
func LoadIdentity(files Files, own, operator string) (*Identity, error) {
	i := &Identity{files: files, own: own, operator: operator}
	read, err := i.read()
	if err != nil {
		return nil, err
	}
	if err := i.check(read, false); err != nil {
		return nil, err
	}
	i.current.Store(read)
	return i, nil
}

// Follow reads the files again and again, until ctx ends. Files that are damaged, or that do not fit together because
// they are just being replaced, leave the last good ones in use; each such failure is logged once.
func (i *Identity) Follow(ctx context.Context, every time.Duration, logger *slog.Logger) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	last := ""
	var ended *material
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		changed, err := i.reload()
		if err != nil && err.Error() != last {
			logger.Error("the new identity cannot be used; the last good one stays", "error", err)
		}
		last = ""
		if err != nil {
			last = err.Error()
		}
		if changed {
			logger.Info("identity reloaded", "expires", i.current.Load().certificate.Leaf.NotAfter)
		}
		if used := i.current.Load(); used != ended && time.Now().After(used.certificate.Leaf.NotAfter) {
			ended = used
			tellEnd(used.certificate.Leaf.NotAfter, logger)
		}
	}
}

// tellEnd says, once for each certificate, that nobody has renewed it. Clients notice nothing, which is why somebody has to be told.
func tellEnd(at time.Time, logger *slog.Logger) {
	logger.Warn("the identity has expired: no operator has renewed it; what serves goes on, and other replicas are given the table until it ends for them too",
		"expired", at, "ends", at.Add(outage))
}

func (i *Identity) reload() (changed bool, err error) {
	read, err := i.read()
	if err != nil {
		return false, err
	}
	if read.equal(i.current.Load()) {
		return false, nil
	}
	if err := i.check(read, true); err != nil {
		return false, err
	}
	i.current.Store(read)
	return true, nil
}

func (i *Identity) read() (*material, error) {
	m := &material{}
	for _, file := range []struct {
		name string
		to   *[]byte
	}{
		{i.files.Certificate, &m.certificatePEM},
		{i.files.Key, &m.keyPEM},
		{i.files.CA, &m.caPEM},
	} {
		data, err := os.ReadFile(file.name)
		if err != nil {
			return nil, fmt.Errorf("read identity: %w", err)
		}
		*file.to = data
	}
	return m, nil
}

func (m *material) equal(other *material) bool {
	return bytes.Equal(m.certificatePEM, other.certificatePEM) &&
		bytes.Equal(m.keyPEM, other.keyPEM) && bytes.Equal(m.caPEM, other.caPEM)
}

// check makes the content usable. current says whether the certificate must be valid at this moment.
func (i *Identity) check(m *material, current bool) error {
	var err error
	m.certificate, err = tls.X509KeyPair(m.certificatePEM, m.keyPEM)
	if err != nil {
		return fmt.Errorf("identity %s and %s: %w", i.files.Certificate, i.files.Key, err)
	}
	m.roots = x509.NewCertPool()
	if !m.roots.AppendCertsFromPEM(m.caPEM) {
		return fmt.Errorf("identity %s: holds no certificate", i.files.CA)
	}
	leaf := m.certificate.Leaf
	if err := carries(leaf, i.own); err != nil {
		return fmt.Errorf("identity %s: %w", i.files.Certificate, err)
	}
	at := time.Now()
	if !current && at.After(leaf.NotAfter) {
		at = leaf.NotAfter
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: m.roots, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	if err != nil {
		return fmt.Errorf("identity %s: %w", i.files.Certificate, err)
	}
	return nil
}

// serverConfig is that of one handshake.
func (i *Identity) serverConfig() *tls.Config {
	m := i.current.Load()
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		NextProtos:   []string{"h2"},
		Certificates: []tls.Certificate{m.certificate},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    m.roots,
		// A resumed session would outlive the certificate that it began with.
		SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errors.New("the client has no certificate")
			}
			return carries(state.PeerCertificates[0], i.operator)
		},
	}
}

// outage is how long after its end a certificate still proves a replica to the others: so long may an operator be away
// that would have renewed it, and new replicas get their table all the same.
const outage = 7 * 24 * time.Hour

// peerConfig is that of one handshake between two replicas of the Gateway, for either end: each shows the identity that all
// of them share.
func (i *Identity) peerConfig() *tls.Config {
	m := i.current.Load()
	return &tls.Config{
		MinVersion:   tls.VersionTLS13,
		NextProtos:   []string{"h2"},
		Certificates: []tls.Certificate{m.certificate},
		ClientAuth:   tls.RequireAnyClientCert,
		// The certificate names a Gateway and no host, and is for servers alone: VerifyConnection does what would be left out.
		InsecureSkipVerify:     true,
		SessionTicketsDisabled: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 {
				return errors.New("the replica has no certificate")
			}
			return i.verifyPeer(state.PeerCertificates[0], m.roots, time.Now())
		},
	}
}

// verifyPeer says whether a certificate is one of this Gateway's replicas.
func (i *Identity) verifyPeer(leaf *x509.Certificate, roots *x509.CertPool, now time.Time) error {
	if err := carries(leaf, i.own); err != nil {
		return err
	}
	if now.After(leaf.NotAfter) && now.Before(leaf.NotAfter.Add(outage)) {
		now = leaf.NotAfter
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	return err
}

// carries says whether a certificate names an identity, and no other.
func carries(certificate *x509.Certificate, identity string) error {
	if len(certificate.URIs) != 1 || certificate.URIs[0].String() != identity {
		return fmt.Errorf("the certificate is of %v, not of %s", certificate.URIs, identity)
	}
	return nil
}
