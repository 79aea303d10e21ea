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

package engine

import (
	"crypto/sha256"
	"crypto/tls"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// securedKey tells how endpoints are spoken to over TLS apart, by content. It is zero without TLS.
type securedKey struct {
	id       [sha256.Size]byte
	protocol config.BackendProtocol
}

func keyOf(b config.PlannedBackend) securedKey {
	if b.TLS == nil {
		return securedKey{}
	}
	return securedKey{id: b.TLS.ID, protocol: b.Protocol}
}

// secure makes what the backends need for TLS; what they had before is taken over, with the endpoints that go by it.
func secure(backends []config.PlannedBackend, before map[securedKey]*tls.Config) map[securedKey]*tls.Config {
	var made map[securedKey]*tls.Config
	for _, b := range backends {
		key := keyOf(b)
		if b.TLS == nil || made[key] != nil {
			continue
		}
		if made == nil {
			made = make(map[securedKey]*tls.Config)
		}
		if made[key] = before[key]; made[key] == nil {
			made[key] = secured(b)
		}
	}
	return made
}

func secured(b config.PlannedBackend) *tls.Config {
	wanted := upstream.Security{
		Hostname: b.TLS.Hostname, Authorities: b.TLS.Authorities, Certificate: b.TLS.Certificate,
	}
	switch b.Protocol {
	case config.BackendHTTP1:
		wanted.Protocols = []string{"http/1.1"}
	case config.BackendH2C:
		wanted.Protocols = []string{"h2"}
	}
	for _, name := range b.TLS.Names {
		wanted.Names = append(wanted.Names, upstream.Name{Hostname: name.Hostname, URI: name.URI})
	}
	return wanted.Config()
}
