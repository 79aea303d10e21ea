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
	"errors"
	"fmt"
	"slices"
)

// TLSVersion is a version of TLS.
type TLSVersion int

// The versions of TLS that this proxy knows.
const (
	TLSUnspecified TLSVersion = iota
	TLS12
	TLS13
)

// TLSOptions narrow what is agreed with clients in the handshake.
type TLSOptions struct {
	// Min and Max are the versions; unspecified for the least and the greatest of this proxy.
	Min, Max TLSVersion
	// Protocols are ALPN's, in the order of preference; empty for all of this proxy. Only for ProtocolHTTPS.
	Protocols []string
}

// Equal says whether two listeners agree to the same. Nil is the proxy's choice.
func (o *TLSOptions) Equal(other *TLSOptions) bool {
	if o == nil || other == nil {
		return o == other
	}
	return o.Min == other.Min && o.Max == other.Max && slices.Equal(o.Protocols, other.Protocols)
}

// tlsOptions checks what a listener agrees to. What cannot be understood is an error: who was to be refused must not be let in.
func (l *Listener) tlsOptions() (*TLSOptions, error) {
	o := l.TLS
	switch {
	case o == nil:
		return nil, nil
	case !l.ends():
		return nil, errors.New("tls_options: only a listener where TLS ends has any")
	case o.Min < TLSUnspecified || o.Min > TLS13:
		return nil, fmt.Errorf("tls_options.min_version: %d is not known", o.Min)
	case o.Max < TLSUnspecified || o.Max > TLS13:
		return nil, fmt.Errorf("tls_options.max_version: %d is not known", o.Max)
	case o.Max != TLSUnspecified && o.Max < o.Min:
		return nil, errors.New("tls_options.max_version: is below min_version")
	case len(o.Protocols) > 0 && l.Protocol != ProtocolHTTPS:
		return nil, errors.New("tls_options.alpn_protocols: only a listener of the protocol HTTPS has any")
	}
	for i, protocol := range o.Protocols {
		if protocol != "h2" && protocol != "http/1.1" || slices.Index(o.Protocols, protocol) != i {
			return nil, fmt.Errorf("tls_options.alpn_protocols[%d]: %q is not known, or there twice", i, protocol)
		}
	}
	if len(o.Protocols) > 0 && !slices.Contains(o.Protocols, "http/1.1") {
		return nil, errors.New("tls_options.alpn_protocols: http/1.1 has to be there, as clients that do not say anything speak it")
	}
	return o, nil
}
