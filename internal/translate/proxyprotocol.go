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
	"slices"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/topology"
)

var headerVersions = map[v1alpha1.ProxyProtocolVersion]adminv1.ProxyProtocol{
	v1alpha1.ProxyProtocolV1: adminv1.ProxyProtocol_PROXY_PROTOCOL_V1,
	v1alpha1.ProxyProtocolV2: adminv1.ProxyProtocol_PROXY_PROTOCOL_V2,
}

// acceptHeader says whose connections to a listener begin with a header of the PROXY protocol; nil for nobody's. It depends on
// the port alone, as listeners of one port are told apart by what comes after.
func acceptHeader(l *topology.Listener, parameters *v1alpha1.GatewayParametersSpec) *adminv1.AcceptProxyProtocol {
	if parameters == nil || parameters.ProxyProtocol == nil || protocols[l.Protocol] == adminv1.Protocol_PROTOCOL_UDP {
		return nil
	}
	accept := parameters.ProxyProtocol.Accept
	if accept == nil || len(accept.Ports) > 0 && !slices.Contains(accept.Ports, l.Port) {
		return nil
	}
	spec := &adminv1.AcceptProxyProtocol{TrustedPeers: make([]string, 0, len(accept.TrustedPeers))}
	for _, peer := range accept.TrustedPeers {
		spec.TrustedPeers = append(spec.TrustedPeers, string(peer))
	}
	return spec
}

// sendHeader is the version of the header that connections to a backend begin with.
func sendHeader(gatewayNamespace string, ref topology.BackendRef, parameters *v1alpha1.GatewayParametersSpec) adminv1.ProxyProtocol {
	const none = adminv1.ProxyProtocol_PROXY_PROTOCOL_UNSPECIFIED
	if parameters == nil || parameters.ProxyProtocol == nil || ref.Protocol != topology.TCP && ref.Protocol != topology.Passthrough {
		return none
	}
	for i := range parameters.ProxyProtocol.Send {
		send := &parameters.ProxyProtocol.Send[i]
		namespace := gatewayNamespace
		if send.Namespace != nil {
			namespace = *send.Namespace
		}
		if send.Name != ref.Service.Name || namespace != ref.Service.Namespace || send.Port != nil && *send.Port != ref.Port {
			continue
		}
		if send.Version == nil {
			return adminv1.ProxyProtocol_PROXY_PROTOCOL_V2
		}
		return headerVersions[*send.Version]
	}
	return none
}
