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

package config

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
)

// Clients are how the clients of a listener prove themselves.
type Clients struct {
	// Authorities that a certificate has to lead to.
	Authorities *x509.CertPool
	// Required clients are let in with such a certificate alone; others may also come without.
	Required bool
	// wanted is what this was made from.
	wanted ClientValidation
}

// Equal says whether two listeners ask their clients for the same. Nil asks for nothing.
func (c *Clients) Equal(other *Clients) bool {
	if c == nil || other == nil {
		return c == other
	}
	return c.Required == other.Required && bytes.Equal(c.wanted.Authorities, other.wanted.Authorities)
}

// ID tells what clients are asked for: a session that began under other rules must not go on under these.
func (c *Clients) ID() string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf("%t %s", c.Required, c.wanted.Authorities)
}

// clients checks how a listener's clients prove themselves. One that cannot be understood is an error: to let in those who
// should have been asked is no way to go on.
func (l *Listener) clients() (*Clients, error) {
	if l.Clients == nil {
		return nil, nil
	}
	if !l.ends() {
		return nil, errors.New("client_validation: only a listener where TLS ends has any")
	}
	pool, err := authorities("client_validation.authorities", l.Clients.Authorities)
	if err != nil {
		return nil, err
	}
	return &Clients{Authorities: pool, Required: !l.Clients.InsecureFallback, wanted: *l.Clients}, nil
}
