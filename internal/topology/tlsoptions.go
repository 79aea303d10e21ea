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

package topology

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// The keys of tls.options that are served. "To avoid conflicts, implementations MUST use domain-prefixed names"
// (ListenerTLSConfig.options)
const (
	// OptionMinVersion and OptionMaxVersion bound the versions of TLS: 1.2 or 1.3.
	OptionMinVersion = gatewayv1.AnnotationKey("gateway.rauta.dev/min-version")
	OptionMaxVersion = gatewayv1.AnnotationKey("gateway.rauta.dev/max-version")
	// OptionALPN are the protocols that are offered, by preference and separated by commas: h2 and http/1.1.
	OptionALPN = gatewayv1.AnnotationKey("gateway.rauta.dev/alpn-protocols")
)

const (
	protocolHTTP1 = "http/1.1"
	protocolHTTP2 = "h2"
)

// TLSVersion is a version of TLS; 0 for the proxy's choice.
type TLSVersion int

// The versions of TLS that a listener can ask for.
const (
	TLS12 TLSVersion = iota + 1
	TLS13
)

var tlsVersions = map[gatewayv1.AnnotationValue]TLSVersion{"1.2": TLS12, "1.3": TLS13}

// TLSOptions narrow what a listener agrees to with its clients.
type TLSOptions struct {
	MinVersion, MaxVersion TLSVersion
	// Protocols of ALPN by preference; empty for the proxy's choice.
	Protocols []string
}

// buildTLSOptions reads the options of a listener with TLS, or says what is wrong with the first by name that cannot be served:
// a client whose version was to be refused must not be let in because the setting is unknown here.
func buildTLSOptions(l *Listener, options map[gatewayv1.AnnotationKey]gatewayv1.AnnotationValue) (*TLSOptions, string) {
	if len(options) == 0 {
		return nil, ""
	}
	if l.Passthrough {
		return nil, fmt.Sprintf("tls.options[%q]: not supported with tls.mode Passthrough, as nothing is agreed with clients here", slices.Min(slices.Collect(maps.Keys(options))))
	}
	read := &TLSOptions{}
	for _, key := range slices.Sorted(maps.Keys(options)) {
		if problem := read.set(l.Protocol, key, options[key]); problem != "" {
			return nil, fmt.Sprintf("tls.options[%q]: %s", key, problem)
		}
	}
	if read.MaxVersion != 0 && read.MaxVersion < read.MinVersion {
		return nil, fmt.Sprintf("tls.options[%q]: %q is below %s", OptionMaxVersion, options[OptionMaxVersion], OptionMinVersion)
	}
	return read, ""
}

func (o *TLSOptions) set(protocol gatewayv1.ProtocolType, key gatewayv1.AnnotationKey, value gatewayv1.AnnotationValue) string {
	switch {
	case key == OptionMinVersion || key == OptionMaxVersion:
		version, known := tlsVersions[value]
		if !known {
			return fmt.Sprintf("%q is not supported; supported are 1.2 and 1.3", value)
		}
		if key == OptionMinVersion {
			o.MinVersion = version
			return ""
		}
		o.MaxVersion = version
		return ""
	case key == OptionALPN && protocol == gatewayv1.HTTPSProtocolType:
		return o.setProtocols(string(value))
	case key == OptionALPN:
		return fmt.Sprintf("not supported on protocol %s", protocol)
	default:
		return fmt.Sprintf("not supported; supported are %s, %s and %s", OptionALPN, OptionMaxVersion, OptionMinVersion)
	}
}

// setProtocols: HTTP/1.1 cannot be left out, as clients without ALPN speak it unasked.
func (o *TLSOptions) setProtocols(value string) string {
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		if name != protocolHTTP1 && name != protocolHTTP2 {
			return fmt.Sprintf("%q is not supported; supported are h2 and http/1.1", name)
		}
		o.Protocols = appendNew(o.Protocols, name)
	}
	if !slices.Contains(o.Protocols, protocolHTTP1) {
		return fmt.Sprintf("%q leaves out http/1.1, which clients without ALPN speak", value)
	}
	return ""
}
