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
	"cmp"
	"net/netip"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/topology"
)

// spoken are the protocols of backends.
var spoken = map[topology.BackendProtocol]adminv1.BackendProtocol{
	topology.HTTP1:       adminv1.BackendProtocol_BACKEND_PROTOCOL_HTTP1,
	topology.H2C:         adminv1.BackendProtocol_BACKEND_PROTOCOL_H2C,
	topology.TCP:         adminv1.BackendProtocol_BACKEND_PROTOCOL_TCP,
	topology.Passthrough: adminv1.BackendProtocol_BACKEND_PROTOCOL_TCP,
	topology.UDP:         adminv1.BackendProtocol_BACKEND_PROTOCOL_UDP,
}

func backendResource(t *topology.Topology, ref topology.BackendRef, parameters *v1alpha1.GatewayParametersSpec) *adminv1.Resource {
	spec := &adminv1.Backend{
		Protocol:  spoken[ref.Protocol],
		Endpoints: topology.EndpointsName(ref),
	}
	if secured := t.BackendTLS(ref); secured != nil {
		spec.Tls = backendTLS(secured, t.ClientCertificate)
	}
	sendAs(spec, parameters)
	spec.ProxyProtocol = sendHeader(t.Gateway.Namespace, ref, parameters)
	return &adminv1.Resource{Name: topology.BackendName(ref), Spec: &adminv1.Resource_Backend{Backend: spec}}
}

// endpointsResource renders the endpoints of the Service port of that name: a Service's port is found in its
// EndpointSlices by name, and the slice has the number to connect to.
func endpointsResource(ref topology.BackendRef, endpointSlices []*discoveryv1.EndpointSlice) *adminv1.Resource {
	states := map[netip.AddrPort]adminv1.EndpointState{}
	for _, slice := range endpointSlices {
		port := slicePort(slice, ref.PortName, transport(ref.Protocol))
		if port == 0 {
			continue
		}
		for i := range slice.Endpoints {
			collect(states, &slice.Endpoints[i], port)
		}
	}
	spec := &adminv1.Endpoints{Endpoints: make([]*adminv1.Endpoint, 0, len(states))}
	for address, state := range states {
		spec.Endpoints = append(spec.Endpoints, &adminv1.Endpoint{Address: address.Addr().String(), Port: uint32(address.Port()), State: state})
	}
	slices.SortFunc(spec.Endpoints, func(a, b *adminv1.Endpoint) int {
		return cmp.Or(cmp.Compare(a.GetAddress(), b.GetAddress()), cmp.Compare(a.GetPort(), b.GetPort()))
	})
	return &adminv1.Resource{
		Name: topology.EndpointsName(ref),
		Spec: &adminv1.Resource_Endpoints{Endpoints: spec},
	}
}

func transport(protocol topology.BackendProtocol) corev1.Protocol {
	if protocol == topology.UDP {
		return corev1.ProtocolUDP
	}
	return corev1.ProtocolTCP
}

// slicePort is the number of the named port of an EndpointSlice; 0 when it has none of the protocol, or is not of addresses.
func slicePort(slice *discoveryv1.EndpointSlice, name string, protocol corev1.Protocol) uint16 {
	if slice.AddressType == discoveryv1.AddressTypeFQDN {
		return 0
	}
	for i := range slice.Ports {
		port := &slice.Ports[i]
		if port.Port == nil || *port.Port < 1 || *port.Port > 65535 {
			continue
		}
		// "Defaults to "TCP"." (EndpointPort.protocol)
		if port.Protocol != nil && *port.Protocol != protocol || port.Protocol == nil && protocol != corev1.ProtocolTCP {
			continue
		}
		if (port.Name == nil && name == "") || (port.Name != nil && *port.Name == name) {
			return uint16(*port.Port)
		}
	}
	return 0
}

// collect adds an endpoint that takes requests. One that is in several slices, as may happen while the control plane
// moves it from one to another, is ready when it is so in any.
func collect(states map[netip.AddrPort]adminv1.EndpointState, endpoint *discoveryv1.Endpoint, port uint16) {
	state := endpointState(&endpoint.Conditions)
	if state == adminv1.EndpointState_ENDPOINT_STATE_UNSPECIFIED || len(endpoint.Addresses) == 0 {
		return
	}
	// "These are all assumed to be fungible and clients may choose to only use the first element." (Endpoint.addresses)
	address, err := netip.ParseAddr(endpoint.Addresses[0])
	if err != nil {
		// The API server admits addresses only; what is none cannot be connected to.
		return
	}
	key := netip.AddrPortFrom(address.Unmap(), port)
	if states[key] != adminv1.EndpointState_ENDPOINT_STATE_READY {
		states[key] = state
	}
}

// endpointState reads an endpoint's conditions, of which each may be unknown: "A nil value should be interpreted as
// "true"" for ready; serving then follows ready, and terminating is false.
func endpointState(conditions *discoveryv1.EndpointConditions) adminv1.EndpointState {
	ready := conditions.Ready == nil || *conditions.Ready
	if ready {
		return adminv1.EndpointState_ENDPOINT_STATE_READY
	}
	serving := conditions.Serving != nil && *conditions.Serving
	terminating := conditions.Terminating != nil && *conditions.Terminating
	if serving && terminating {
		return adminv1.EndpointState_ENDPOINT_STATE_DRAINING
	}
	return adminv1.EndpointState_ENDPOINT_STATE_UNSPECIFIED
}
