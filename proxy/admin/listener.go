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

package admin

import (
	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/config"
)

func decodeListener(name string, l *adminv1.Listener) *config.Listener {
	listener := &config.Listener{
		Name: name, Port: l.GetPort(), Protocol: config.Protocol(l.GetProtocol()),
		Hostname: l.GetHostname(), Certificates: l.GetCertificates(), Passthrough: l.GetPassthrough(),
		Clients:     decodeClients(l.GetClientValidation()),
		Unsupported: unknown(l),
	}
	if options := l.GetTlsOptions(); options != nil {
		listener.TLS = &config.TLSOptions{
			Min: config.TLSVersion(options.GetMinVersion()), Max: config.TLSVersion(options.GetMaxVersion()), Protocols: options.GetAlpnProtocols(),
		}
	}
	if accepted := l.GetProxyProtocol(); accepted != nil {
		listener.ProxyProtocol = &config.AcceptProxyProtocol{TrustedPeers: accepted.GetTrustedPeers()}
	}
	return listener
}

func decodeClients(v *adminv1.ClientValidation) *config.ClientValidation {
	if v == nil {
		return nil
	}
	return &config.ClientValidation{Authorities: v.GetAuthorities(), InsecureFallback: v.GetInsecureFallback()}
}
