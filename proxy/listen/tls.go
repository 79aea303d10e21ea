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

package listen

import (
	"crypto/tls"
	"slices"
	"strings"

	"github.com/rauta-dev/rauta/proxy/config"
)

// identities choose, by the host that a client asks for, what its TLS ends with. Of several listeners the one with
// exactly that hostname is taken, else the one with the longest wildcard, else the one without a hostname. When there is
// none of them the handshake fails: RFC 6066 section 3: "the server SHOULD [...] abort the handshake by sending a
// fatal-level unrecognized_name(112) alert".
type identities struct {
	// front is what every handshake begins with.
	front *tls.Config
	all   []identity
	// Places in all: by hostname, by what follows the "*" of a wildcard, and without a hostname, or -1.
	exact, wildcard map[string]int
	any             int
	// passing is true when TLS passes through for some, and ending when it ends for some.
	passing, ending bool
}

// identity is one listener's.
type identity struct {
	wanted config.Identity
	config *tls.Config
}

// unknown has no certificate: crypto/tls refuses such a handshake with unrecognized_name.
var unknown = &tls.Config{MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true}

// newIdentities makes those of a port; what is as before is taken over.
func newIdentities(wanted []config.Identity, protocols []string, keys *tickets, before *identities) *identities {
	i := &identities{exact: make(map[string]int), wildcard: make(map[string]int), any: -1}
	i.front = &tls.Config{MinVersion: tls.VersionTLS12, GetConfigForClient: i.forClient}
	held := before.byListener()
	for place, w := range wanted {
		var ends *tls.Config
		if same := held[w.Listener]; same != nil && same.wanted.Equal(w) {
			ends = same.config
		}
		if ends == nil {
			ends = ending(w, protocols, keys)
		}
		i.passing, i.ending = i.passing || w.Passes(), i.ending || !w.Passes()
		i.all = append(i.all, identity{wanted: w, config: ends})
		switch {
		case w.Hostname == "":
			i.any = place
		case strings.HasPrefix(w.Hostname, "*."):
			i.wildcard[w.Hostname[1:]] = place
		default:
			i.exact[w.Hostname] = place
		}
	}
	return i
}

func (i *identities) byListener() map[string]*identity {
	if i == nil {
		return nil
	}
	held := make(map[string]*identity, len(i.all))
	for place := range i.all {
		held[i.all[place].wanted.Listener] = &i.all[place]
	}
	return held
}

// ending is how the TLS of an identity ends. Where it passes through no handshake comes here, unless it is one that was not read
// before in the same way; it is refused.
func ending(wanted config.Identity, protocols []string, keys *tickets) *tls.Config {
	if wanted.Passes() {
		return unknown
	}
	if wanted.Stream {
		protocols = nil // What they speak inside is agreed on by the client and the endpoint alone.
		if wanted.TLS != nil {
			protocols = wanted.TLS.Protocols
		}
	}
	return terminating(wanted, protocols, keys)
}

// terminating is TLS 1.2 and 1.3 with the algorithms that crypto/tls has by default, which leave out what is weak.
func terminating(wanted config.Identity, protocols []string, keys *tickets) *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: protocols}
	for _, certificate := range wanted.Certificates {
		c.Certificates = append(c.Certificates, *certificate)
	}
	if wanted.Clients != nil {
		c.ClientCAs = wanted.Clients.Authorities
		c.ClientAuth = tls.RequestClientCert
		if wanted.Clients.Required {
			c.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	narrow(c, wanted.TLS)
	c.SetSessionTicketKeys(keys.of(holder(wanted)))
	return c
}

var versions = map[config.TLSVersion]uint16{config.TLS12: tls.VersionTLS12, config.TLS13: tls.VersionTLS13}

// narrow leaves of what is agreed to what a listener wants. Without a codec for HTTP/2 there is only the other one.
func narrow(c *tls.Config, wanted *config.TLSOptions) {
	if wanted == nil {
		return
	}
	if wanted.Min != config.TLSUnspecified {
		c.MinVersion = versions[wanted.Min]
	}
	c.MaxVersion = versions[wanted.Max]
	if len(wanted.Protocols) == 0 {
		return
	}
	served := c.NextProtos
	c.NextProtos = slices.DeleteFunc(slices.Clone(wanted.Protocols), func(protocol string) bool { return !slices.Contains(served, protocol) })
}

// holder names whose sessions may go on as whose: those of one listener, as long as it asks the same of its clients.
func holder(wanted config.Identity) string { return wanted.Listener + " " + wanted.Clients.ID() }

func (i *identities) forClient(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	if chosen := i.choose(lowerName(hello.ServerName)); chosen != nil {
		return chosen.config, nil
	}
	return unknown, nil
}

// choose gives the identity for a host; nil when there is none.
func (i *identities) choose(host string) *identity {
	if place, found := i.exact[host]; found {
		return &i.all[place]
	}
	// Gateway API, Hostname: a wildcard takes any number of labels.
	for rest := host; len(i.wildcard) > 0; {
		dot := strings.IndexByte(rest, '.')
		if dot < 0 {
			break
		}
		if place, found := i.wildcard[rest[dot:]]; found && dot > 0 {
			return &i.all[place]
		}
		rest = rest[dot+1:]
	}
	if i.any >= 0 {
		return &i.all[i.any]
	}
	return nil
}

func (i *identities) renew(keys *tickets) {
	for _, held := range i.all {
		if held.wanted.Passes() {
			continue
		}
		held.config.SetSessionTicketKeys(keys.of(holder(held.wanted)))
	}
}
