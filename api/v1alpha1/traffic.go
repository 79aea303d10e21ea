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

// Timeout is a length of time from 1ms to one hour, such as 5s, 1m30s or 500ms (GEP-2257).
//
// +kubebuilder:validation:MaxLength=32
// +kubebuilder:validation:Pattern=`^([0-9]{1,5}(h|m|s|ms)){1,4}$`
// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1ms') && duration(self) <= duration('1h')",message="must be between 1ms and one hour"
type Timeout string

// Limits bound what clients and backends may take. They are pushed to the running proxies, and hold from the next request of
// a connection on.
type Limits struct {
	// maxRequestLineBytes is the size of a request line; a longer one is answered with 414. The default is 16384.
	// +optional
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=1048576
	MaxRequestLineBytes *int32 `json:"maxRequestLineBytes,omitempty"`

	// maxHeaderBytes is the size of a request's header section; a larger one is answered with 431. The default is 65536.
	// +optional
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=1048576
	MaxHeaderBytes *int32 `json:"maxHeaderBytes,omitempty"`

	// maxFields is the number of field lines of a request; more are answered with 431. The default is 128.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	MaxFields *int32 `json:"maxFields,omitempty"`

	// maxBodyBytes is the size of a request's content; more is answered with 413. By default there is no limit, as content
	// is never held whole.
	// +optional
	// +kubebuilder:validation:Minimum=1
	MaxBodyBytes *int64 `json:"maxBodyBytes,omitempty"`

	// maxTrailerBytes is the size of a trailer section; a larger one is answered with 431. The default is 8192.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1048576
	MaxTrailerBytes *int32 `json:"maxTrailerBytes,omitempty"`

	// maxConcurrentStreams is how many streams a client may have open on one HTTP/2 connection. The default is 128.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	MaxConcurrentStreams *int32 `json:"maxConcurrentStreams,omitempty"`

	// headerTimeout is for a request's head to arrive. The default is 30s.
	// +optional
	HeaderTimeout *Timeout `json:"headerTimeout,omitempty"`

	// idleTimeout is between two requests of a client's connection. The default is 2m.
	// +optional
	IdleTimeout *Timeout `json:"idleTimeout,omitempty"`

	// bodyTimeout is for the next piece of a request's content; after it the answer is 408. The default is 1m.
	// +optional
	BodyTimeout *Timeout `json:"bodyTimeout,omitempty"`

	// writeTimeout is for a client or a backend to take the next piece of what is sent to it. The default is 1m.
	// +optional
	WriteTimeout *Timeout `json:"writeTimeout,omitempty"`

	// connectTimeout is for a connection to a backend. The default is 5s.
	// +optional
	ConnectTimeout *Timeout `json:"connectTimeout,omitempty"`

	// responseTimeout is from the end of a request to the head of its response; 0s stands for none. The default is 1m.
	// +optional
	ResponseTimeout *Duration `json:"responseTimeout,omitempty"`

	// streamTimeout is for the next piece of a response's content; 0s stands for none. The default is 5m.
	// +optional
	StreamTimeout *Duration `json:"streamTimeout,omitempty"`

	// streamIdleTimeout is for the next byte, in either direction, of a connection of TLSRoutes and TCPRoutes; 0s stands for none.
	// The default is 1h.
	// +optional
	StreamIdleTimeout *Duration `json:"streamIdleTimeout,omitempty"`

	// datagramIdleTimeout is for the next datagram, in either direction, of a session of UDPRoutes. The default is 1m.
	// +optional
	DatagramIdleTimeout *Timeout `json:"datagramIdleTimeout,omitempty"`

	// maxDatagramSessions is how many sessions of UDPRoutes each proxy may have at one time; beyond it, datagrams of new clients
	// are dropped. The default is 10000.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MaxDatagramSessions *int32 `json:"maxDatagramSessions,omitempty"`
}

// Backends says how requests are sent to the endpoints of a Service.
type Backends struct {
	// balancing chooses between the endpoints: RoundRobin gives each its turn; LeastRequest takes, of two at random, the one
	// with fewer requests under way. The default is RoundRobin.
	// +optional
	Balancing *Balancing `json:"balancing,omitempty"`

	// maxConnections is how many connections a proxy may have to each endpoint at one time; a request that would need one more goes
	// to another endpoint, or is answered with 503. By default there is no limit.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MaxConnections *int32 `json:"maxConnections,omitempty"`
}

// Balancing chooses between the endpoints of a backend.
//
// +kubebuilder:validation:Enum=RoundRobin;LeastRequest
type Balancing string

// The ways of balancing.
const (
	BalancingRoundRobin   Balancing = "RoundRobin"
	BalancingLeastRequest Balancing = "LeastRequest"
)
