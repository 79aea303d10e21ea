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

package v1alpha1

// ProxyProtocol says where the header of the PROXY protocol, by which one proxy tells the next for whom it connects, is expected
// and where it is sent. It is pushed to the running proxies, and holds from the next connection on.
type ProxyProtocol struct {
	// accept has connections to the listeners begin with a header, of version 1 or 2, that is believed. By default none is expected.
	// +optional
	Accept *ProxyProtocolAccept `json:"accept,omitempty"`

	// send names Services whose endpoints are sent a header at the beginning of each connection of a TCPRoute or TLSRoute. The
	// first entry that fits a backend holds; by default none is sent. A connection for requests is shared by many clients, so that
	// backends of HTTPRoutes and GRPCRoutes are sent none: X-Forwarded-For and Forwarded tell them.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +listType=atomic
	Send []ProxyProtocolSend `json:"send,omitempty"`
}

// ProxyProtocolAccept says whose connections begin with a header. Connections of all other peers have none, and are served as
// always: what looks like a header there is content, and nobody is believed.
type ProxyProtocolAccept struct {
	// trustedPeers are the networks of those who say for whom they connect, such as a load balancer's. A connection of theirs that does
	// not begin with a header is reset.
	// +required
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +listType=atomic
	TrustedPeers []CIDR `json:"trustedPeers,omitempty"`

	// ports are those of the listeners that this is for. By default it is for all listeners but those of the protocol UDP, which has no
	// connections.
	// +optional
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:Minimum=1
	// +kubebuilder:validation:items:Maximum=65535
	// +listType=set
	Ports []int32 `json:"ports,omitempty"`
}

// ProxyProtocolSend names a Service whose endpoints expect a header.
type ProxyProtocolSend struct {
	// name is the Service's.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`

	// namespace is the Service's. The default is the Gateway's own.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Namespace *string `json:"namespace,omitempty"`

	// port is the port of the Service, as backendRefs name it. By default it is for all of them.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port *int32 `json:"port,omitempty"`

	// version of the header: V1 is a line of text, V2 is binary. The default is V2.
	// +optional
	Version *ProxyProtocolVersion `json:"version,omitempty"`
}

// ProxyProtocolVersion is a version of the PROXY protocol's header.
//
// +kubebuilder:validation:Enum=V1;V2
type ProxyProtocolVersion string

// The versions of the header.
const (
	ProxyProtocolV1 ProxyProtocolVersion = "V1"
	ProxyProtocolV2 ProxyProtocolVersion = "V2"
)
