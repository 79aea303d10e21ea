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
	"testing"
)

// An image that was built from nothing has no authorities; a machine that has some is believed.
func TestSystemAuthorities(t *testing.T) {
	brought := orBundled(x509.NewCertPool())
	if brought.Equal(x509.NewCertPool()) {
		t.Error("without any of the machine, nobody can be trusted")
	}
	own := x509.NewCertPool()
	own.AddCert(&x509.Certificate{Raw: []byte("x"), RawSubject: []byte("x")})
	if orBundled(own) != own {
		t.Error("those of the machine were passed over")
	}
}
