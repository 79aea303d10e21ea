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
	"fmt"
	"regexp"
	"sync"
	"time"
)

// Snapshot is a whole table as it was pushed, unchecked. What it points to is never changed after it was given away:
// equal pointers in two snapshots mean equal content.
type Snapshot struct {
	Listeners []*Listener
	Routes    []*Route
	// StreamRoutes of TLS, TCP and UDP.
	StreamRoutes []*StreamRoute
	Backends     []*Backend
	Endpoints    []*Endpoints
	// Certificates that listeners and backends name.
	Certificates []*Certificate
	// Settings, of which a table has at most one.
	Settings []*Settings
	// Unknown resources: kinds that this proxy does not know. They are reported and serve nothing.
	Unknown []*Unknown
}

// Unknown is a resource that this proxy cannot read.
type Unknown struct {
	Name string
	// Reason says what is unknown, for a person.
	Reason string
}

// ClientValidation asks clients for a certificate.
type ClientValidation struct {
	// Authorities in PEM that a client's certificate has to lead to.
	Authorities []byte
	// InsecureFallback lets in those without such a certificate.
	InsecureFallback bool
}

// Certificate is what a listener, or the proxy to a backend, proves itself with: PEM, never to be logged.
type Certificate struct {
	Name        string
	Chain, Key  []byte
	Unsupported string

	once   sync.Once
	parsed *tls.Certificate
	err    error
}

// Route is one HTTPRoute as it attaches to this Gateway.
type Route struct {
	Name        string
	Attachments []Attachment
	Rules       []Rule
	Origin      Origin
	Unsupported string
}

// Attachment joins a route to a listener.
type Attachment struct {
	// Listener is the resource name of the listener.
	Listener string
	// Hostnames of the route that intersect with the listener's; empty for any.
	Hostnames []string
}

// Origin is the Kubernetes object that a route was made from.
type Origin struct {
	Kind, Namespace, Name string
	Created               time.Time
}

// Rule sends the requests that any of its matches takes to its backends.
type Rule struct {
	Name     string
	Matches  []Match
	Backends []WeightedBackend
	// Filters in the order in which they are applied.
	Filters []Filter
	// Timeouts; nil for those of the limits.
	Timeouts *Timeouts
	// Retry; nil for none.
	Retry       *Retry
	Unsupported string
}

// PathType says how a path is compared.
type PathType int

// The path types that this proxy knows.
const (
	PathExact  PathType = 1
	PathPrefix PathType = 2
	// PathRegex is an expression in RE2 syntax that takes the whole path.
	PathRegex PathType = 3
	// PathLastElement takes every path of two elements whose last one is the value.
	PathLastElement PathType = 20
	// PathLastExpression takes every path of two elements whose last one the expression takes.
	PathLastExpression PathType = 76
)

// ValueType says how the value of a field or parameter is compared.
type ValueType int

// The value types that this proxy knows.
const (
	// ValueExact compares byte by byte.
	ValueExact ValueType = 1
	// ValueRegex is an expression in RE2 syntax that takes the whole value.
	ValueRegex ValueType = 2
)

// Match takes a request when all its parts do.
type Match struct {
	PathType PathType
	// Path, prefix or expression, as PathType says.
	Path string
	// PathPattern is Path compiled; Compile sets it in the plan.
	PathPattern *regexp.Regexp
	// Method, exact; empty for any.
	Method      string
	Headers     []ValueMatch
	Query       []ValueMatch
	Unsupported string
}

// ValueMatch compares the value of a header field or query parameter.
type ValueMatch struct {
	Name  string
	Type  ValueType
	Value string
	// Pattern is Value compiled; Compile sets it in the plan.
	Pattern *regexp.Regexp
}

// WeightedBackend is one backendRef of a rule. An empty Backend is a reference that was not resolved.
type WeightedBackend struct {
	Backend string
	Weight  uint32
	// Filters of the requests that go there, after those of the rule.
	Filters []Filter
}

// BackendProtocol is spoken to the endpoints.
type BackendProtocol int

// The protocols that this proxy speaks to endpoints.
const (
	// BackendHTTP1 is HTTP/1.1.
	BackendHTTP1 BackendProtocol = 1
	// BackendH2C is HTTP/2: without TLS with prior knowledge, else by ALPN.
	BackendH2C BackendProtocol = 2
	// BackendTCP is whatever stream routes relay.
	BackendTCP BackendProtocol = 83
	// BackendUDP is the datagrams of stream routes.
	BackendUDP BackendProtocol = 84
)

func (p BackendProtocol) known() bool {
	return p == BackendHTTP1 || p == BackendH2C || p == BackendTCP || p == BackendUDP
}

// Balancing chooses between the endpoints of a backend.
type Balancing int

// The ways to choose.
const (
	// BalancingUnset is the proxy's choice: in turn.
	BalancingUnset Balancing = 0
	// BalancingRoundRobin takes each endpoint in turn.
	BalancingRoundRobin Balancing = 1
	// BalancingLeastRequest takes, of two chosen at random, the endpoint with fewer requests under way.
	BalancingLeastRequest Balancing = 2
)

// Backend says how to speak to one Service port.
type Backend struct {
	Name     string
	Protocol BackendProtocol
	// Endpoints is the resource name of its endpoints.
	Endpoints string
	Balancing Balancing
	// MaxConnections to each endpoint at one time; 0 for no limit.
	MaxConnections uint32
	// TLS to the endpoints; nil for none.
	TLS *BackendTLS
	// ProxyProtocol is the version of the header that connections of stream routes begin with; 0 for none.
	ProxyProtocol int
	Unsupported   string
}

// EndpointState says which requests an endpoint takes.
type EndpointState int

// The states of an endpoint.
const (
	// EndpointReady takes new requests.
	EndpointReady EndpointState = 1
	// EndpointDraining takes new requests only when none of its backend is ready.
	EndpointDraining EndpointState = 2
)

// Endpoints are the addresses behind one backend.
type Endpoints struct {
	Name        string
	Endpoints   []Endpoint
	Unsupported string
}

// Endpoint is one address: an IP address without zone, and a port.
type Endpoint struct {
	Address string
	Port    uint32
	State   EndpointState
}

// Code says of which sort an Error is. The values are stable.
type Code int

// The codes of the admin API's ErrorCode, by the same numbers.
const (
	CodeUnsupported      Code = 1
	CodeInvalid          Code = 2
	CodeMissingReference Code = 3
	CodeListenFailed     Code = 4
)

func (c Code) String() string {
	switch c {
	case CodeUnsupported:
		return "unsupported"
	case CodeInvalid:
		return "invalid"
	case CodeMissingReference:
		return "missing reference"
	case CodeListenFailed:
		return "listen failed"
	}
	return fmt.Sprintf("code %d", int(c))
}

// Error says why a resource, or a part of it, does not serve.
type Error struct {
	// Resource is its name.
	Resource string
	Code     Code
	// Message names the field and what is wrong with it, for a person.
	Message string
}

func (e Error) Error() string { return fmt.Sprintf("%s: %s: %s", e.Resource, e.Code, e.Message) }
