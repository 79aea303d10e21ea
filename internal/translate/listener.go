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

package translate

import (
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/topology"
)

// protocols of listeners that are served.
var protocols = map[gatewayv1.ProtocolType]adminv1.Protocol{
	gatewayv1.HTTPProtocolType:  adminv1.Protocol_PROTOCOL_HTTP,
	gatewayv1.HTTPSProtocolType: adminv1.Protocol_PROTOCOL_HTTPS,
	gatewayv1.TLSProtocolType:   adminv1.Protocol_PROTOCOL_TLS,
	gatewayv1.TCPProtocolType:   adminv1.Protocol_PROTOCOL_TCP,
	gatewayv1.UDPProtocolType:   adminv1.Protocol_PROTOCOL_UDP,
}

// listenerResource renders a served listener.
func listenerResource(l *topology.Listener, parameters *v1alpha1.GatewayParametersSpec) *adminv1.Resource {
	spec := &adminv1.Listener{
		Port:          uint32(l.Port),
		Protocol:      protocols[l.Protocol],
		Hostname:      l.Hostname,
		Passthrough:   l.Passthrough,
		ProxyProtocol: acceptHeader(l, parameters),
	}
	if l.Clients != nil {
		spec.ClientValidation = &adminv1.ClientValidation{
			Authorities: l.Clients.Authorities, InsecureFallback: l.Clients.InsecureFallback,
		}
	}
	if l.TLS != nil {
		spec.TlsOptions = &adminv1.TlsOptions{
			MinVersion: adminv1.TlsVersion(l.TLS.MinVersion), MaxVersion: adminv1.TlsVersion(l.TLS.MaxVersion), AlpnProtocols: l.TLS.Protocols,
		}
	}
	for i := range l.Certificates {
		spec.Certificates = append(spec.Certificates, topology.CertificateName(l.Certificates[i].Secret))
	}
	return &adminv1.Resource{Name: topology.ListenerName(l.ListenerKey), Spec: &adminv1.Resource_Listener{Listener: spec}}
}

// certificateResource renders a Secret. Of one that cannot be used, and of which nothing is known, the proxies keep what
// they hold.
func certificateResource(c *topology.Certificate) *adminv1.Resource {
	return &adminv1.Resource{
		Name: topology.CertificateName(c.Secret),
		Spec: &adminv1.Resource_Certificate{Certificate: &adminv1.Certificate{
			Chain: c.Chain, Key: c.Key, Held: len(c.Chain) == 0,
		}},
	}
}
