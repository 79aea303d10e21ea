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
	"crypto/tls"
	"errors"
)

// parse gives the certificate as crypto/tls has it. It is parsed once, however many tables hold it.
func (c *Certificate) parse() (*tls.Certificate, error) {
	c.once.Do(func() {
		if len(c.Chain) == 0 && len(c.Key) == 0 {
			c.err = errNothingHeld
			return
		}
		parsed, err := tls.X509KeyPair(c.Chain, c.Key)
		if err != nil {
			c.err = err
			return
		}
		c.parsed = &parsed
	})
	return c.parsed, c.err
}

// certificates gives those that can be used by name, nil for those that cannot, which it reports.
func (c *compiler) certificates(all []*Certificate) map[string]*tls.Certificate {
	found := make(map[string]*tls.Certificate, len(all))
	for _, certificate := range all {
		c.name(certificate.Name)
		found[certificate.Name] = nil
		if certificate.Unsupported != "" {
			c.fail(certificate.Name, CodeUnsupported, "%s", certificate.Unsupported)
			continue
		}
		parsed, err := certificate.parse()
		if err != nil {
			c.fail(certificate.Name, CodeInvalid, "chain and key: %v", err)
			continue
		}
		found[certificate.Name] = parsed
	}
	return found
}

var errNothingHeld = errors.New("are empty, and the proxy holds no earlier ones")

var errNoCertificate = errors.New("certificates: none of them can be used")

// identity gives the certificates that a listener can use.
func (c *compiler) identity(l *Listener, certificates map[string]*tls.Certificate) ([]*tls.Certificate, error) {
	if !l.ends() {
		if len(l.Certificates) > 0 {
			return nil, errors.New("certificates: only a listener where TLS ends has any")
		}
		return nil, nil
	}
	var usable []*tls.Certificate
	for i, name := range l.Certificates {
		certificate, there := certificates[name]
		if !there {
			c.fail(l.Name, CodeMissingReference, "certificates[%d]: %q is not in the table", i, name)
		}
		if certificate != nil {
			usable = append(usable, certificate)
		}
	}
	if len(usable) == 0 {
		return nil, errNoCertificate
	}
	return usable, nil
}
