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

package feature

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// An expired certificate is reported and stays in use: a client whose clock says otherwise is served.
func TestExpiredCertificateIsShown(t *testing.T) {
	h := newHouse(t, secured("https", "a.test", "tls"))
	expired := time.Now().Add(-time.Hour)
	chain, privateKey := topologytest.KeyPairBetween(t, expired.Add(-time.Hour), expired, "a.test")
	h.input.Secrets[types.NamespacedName{Namespace: namespace, Name: "tls"}] = topology.ReadTLSSecret(&corev1.Secret{
		Type: corev1.SecretTypeTLS, Data: map[string][]byte{corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: privateKey},
	})
	h.input.Now = time.Now()
	if l := &h.settle().Own[0]; l.InvalidCertificate == nil || !l.ResolvedRefs.True() || !l.Accepted.True() {
		t.Errorf("the listener says %+v", l.Decisions())
	}
	address, _ := h.proxy.ListenerAddr(443)
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(chain)
	for name, c := range map[string]struct {
		now    time.Time
		served bool
	}{"as it is": {now: time.Now()}, "behind": {now: expired.Add(-time.Minute), served: true}} {
		config := &tls.Config{ServerName: "a.test", RootCAs: trusted, Time: func() time.Time { return c.now }, MinVersion: tls.VersionTLS12}
		connection, err := (&tls.Dialer{Config: config}).DialContext(t.Context(), "tcp", address)
		if (err == nil) != c.served {
			t.Errorf("a client whose clock is %s: %v", name, err)
		}
		if err == nil {
			_ = connection.Close()
		}
	}
}
