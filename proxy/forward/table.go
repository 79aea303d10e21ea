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

package forward

import (
	"time"

	"github.com/rauta-dev/rauta/proxy/filter"
	"github.com/rauta-dev/rauta/proxy/route"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// Table is everything that decides where requests go. It is immutable: a request runs to its end on the table that it
// began with.
type Table struct {
	Routes   *route.Table[*Rule]
	Backends []*upstream.Backend
	// TrustedHops is how many proxies in front of this one are believed about whom they forward for.
	TrustedHops int
}

// Rule is what a matched request is done with.
type Rule struct {
	// Route is the resource name of the route, Index the place of the rule in it.
	Route string
	Index int
	// Broken rules answer 500.
	Broken bool
	// Split chooses among Shares; nil when there are none.
	Split  *upstream.Split
	Shares []Share
	// Filters of all requests and responses; nil for none.
	Filters *filter.Chain
	// Timeouts; nil for those of the codecs.
	Timeouts *Timeouts
	// Retry; nil for none.
	Retry *Retry
}

// Timeouts of a rule; 0 for none.
type Timeouts struct {
	// Request is for a request as a whole, BackendRequest for each time that it is sent.
	Request, BackendRequest time.Duration
}

// Share is the part of a rule's requests that goes to one backend.
type Share struct {
	// Backend is an index into Table.Backends, NoBackend for a share that answers 500.
	Backend int
	// Filters of the requests after those of the rule, and of the responses including those of the rule; nil when the
	// backend has none of its own.
	Filters *filter.Chain
}

// NoBackend is a share whose backend does not serve.
const NoBackend = -1

// Reason says how a request ended.
type Reason string

// The reasons.
const (
	// ReasonOK: the response of an endpoint was passed on in full.
	ReasonOK Reason = "ok"
	// ReasonFilter: a filter of the rule answered.
	ReasonFilter Reason = "filter"
	// ReasonBadRequest: the request could be read in two ways, or asks for what the proxy does not do.
	ReasonBadRequest Reason = "bad_request"
	// ReasonNoRoute: no listener or rule takes the request.
	ReasonNoRoute Reason = "no_route"
	// ReasonNoBackend: the rule or the backend chosen does not serve.
	ReasonNoBackend Reason = "no_backend"
	// ReasonNoEndpoint: the backend has no endpoint.
	ReasonNoEndpoint Reason = "no_endpoint"
	// ReasonFull: every endpoint that was tried has as many connections as it may have.
	ReasonFull Reason = "full"
	// ReasonConnect: no endpoint that was tried could be reached.
	ReasonConnect Reason = "connect_failed"
	// ReasonTLS: no endpoint that was tried proved itself, spoke TLS as it should, or took the proxy's certificate.
	ReasonTLS Reason = "tls_failed"
	// ReasonTimeout: the endpoint took too long.
	ReasonTimeout Reason = "timeout"
	// ReasonUpstream: the endpoint broke off.
	ReasonUpstream Reason = "upstream_failed"
	// ReasonClient: the client went away, or its content could not be read.
	ReasonClient Reason = "client_gone"
)

// Outcome is how a request ended. Status is 0 when no response was begun.
type Outcome struct {
	Status int
	Reason Reason
}

// Recorder is told of every request once, when it is over.
type Recorder interface {
	Record(Outcome)
}
