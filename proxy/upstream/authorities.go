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
	"crypto/x509"
	"sync"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// systemAuthorities are those of the machine, or the ones that the proxy brings along. They are read when they are first needed.
var systemAuthorities = sync.OnceValue(func() *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return bundled()
	}
	return orBundled(pool)
})

// orBundled gives the authorities of the machine, or where it has none, as in an image that was built from nothing, those that
// Mozilla trusts.
func orBundled(machine *x509.CertPool) *x509.CertPool {
	if !machine.Equal(x509.NewCertPool()) {
		return machine
	}
	return bundled()
}

func bundled() *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			continue // One that cannot be read is not trusted.
		}
		if root.Constraint == nil {
			pool.AddCert(certificate)
			continue
		}
		pool.AddCertWithConstraint(certificate, root.Constraint)
	}
	return pool
}
