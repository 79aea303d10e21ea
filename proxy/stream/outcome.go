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

package stream

// Reason says how a stream ended.
type Reason string

// The reasons.
const (
	// ReasonOK: both sides ended it.
	ReasonOK Reason = "ok"
	// ReasonNoRoute: the listener has no route, or none for the server name.
	ReasonNoRoute Reason = "no_route"
	// ReasonNoBackend: the route or the backend chosen does not serve.
	ReasonNoBackend Reason = "no_backend"
	// ReasonNoEndpoint: the backend has no endpoint.
	ReasonNoEndpoint Reason = "no_endpoint"
	// ReasonFull: every endpoint that was tried has as many streams as it may have, or the process has as many files open.
	ReasonFull Reason = "full"
	// ReasonConnect: no endpoint that was tried could be reached.
	ReasonConnect Reason = "connect_failed"
	// ReasonTLS: no endpoint that was tried proved itself, or spoke TLS as it should.
	ReasonTLS Reason = "tls_failed"
	// ReasonIdle: nothing came from either side for too long.
	ReasonIdle Reason = "idle"
	// ReasonClient: the client broke off.
	ReasonClient Reason = "client_gone"
	// ReasonUpstream: the endpoint broke off.
	ReasonUpstream Reason = "upstream_failed"
	// ReasonCut: the proxy had to stop.
	ReasonCut Reason = "cut"
)

// Outcome is how a stream ended, and the bytes that it carried.
type Outcome struct {
	Reason Reason
	// Received from the client and passed on, Sent to it.
	Received, Sent int64
}

// Recorder is told of every stream once, when it is over.
type Recorder interface {
	RecordStream(Outcome)
}
