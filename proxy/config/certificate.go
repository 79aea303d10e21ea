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
	"slices"
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
	if l.Protocol != ProtocolHTTPS {
		if len(l.Certificates) > 0 {
			return nil, errors.New("certificates: only a listener with TLS has any")
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

// Port is a port that clients reach, with what ends their TLS.
type Port struct {
	Number uint16
	// Identities are those of the listeners of a port with TLS; there are none without it.
	Identities []Identity
}

// Identity is what one listener proves itself with.
type Identity struct {
	// Listener is its resource name.
	Listener string
	// Hostname in lower case: exact, "*.example.com", or empty for any.
	Hostname string
	// Certificates, the default one first.
	Certificates []*tls.Certificate
	// Clients is how they prove themselves; nil when they are not asked to.
	Clients *Clients
}

// Equal says whether two identities are the same.
func (i Identity) Equal(other Identity) bool {
	return i.Listener == other.Listener && i.Hostname == other.Hostname && slices.Equal(i.Certificates, other.Certificates) && i.Clients.Equal(other.Clients)
}

// Ports gives the ports of the plan's listeners, in order.
func (p *Plan) Ports() []Port {
	var ports []Port
	places := make(map[uint16]int)
	for _, l := range p.Listeners {
		place, found := places[l.Port]
		if !found {
			place = len(ports)
			places[l.Port] = place
			ports = append(ports, Port{Number: l.Port})
		}
		if len(l.Certificates) > 0 {
			identity := Identity{Listener: l.Name, Hostname: l.Hostname, Certificates: l.Certificates, Clients: l.Clients}
			ports[place].Identities = append(ports[place].Identities, identity)
		}
	}
	slices.SortFunc(ports, func(a, b Port) int { return int(a.Number) - int(b.Number) })
	return ports
}
