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
	"strconv"
	"strings"

	"github.com/rauta-dev/rauta/proxy/message"
)

// The gRPC status codes that the proxy answers with.
const (
	grpcUnknown           = 2
	grpcDeadlineExceeded  = 4
	grpcResourceExhausted = 8
	grpcUnimplemented     = 12
	grpcInternal          = 13
	grpcUnavailable       = 14
)

// isGRPC says whether a request is a gRPC call: its content type is application/grpc, or that with a subtype or parameters.
func isGRPC(fields *message.Fields) bool {
	contentType, _ := fields.Get("Content-Type")
	rest, found := cutPrefixFold(contentType, "application/grpc")
	return found && (rest == "" || rest[0] == '+' || rest[0] == ';' || rest[0] == ' ')
}

func cutPrefixFold(s, prefix string) (rest string, found bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

// refuseGRPC answers a gRPC call for the proxy itself: with the gRPC status in the header section, and nothing after it,
// which clients know as Trailers-Only. It is counted as what it is.
func (e *exchange) refuseGRPC(status int, reason Reason) Outcome {
	response := &message.Response{Status: 200}
	response.Fields.Add("Content-Type", "application/grpc")
	response.Fields.Add("Grpc-Status", strconv.Itoa(grpcStatus(status)))
	response.Fields.Add("Grpc-Message", strings.TrimSuffix(phrases[status], "\n"))
	outcome := e.answer(response, reason)
	outcome.Status = status
	return outcome
}

// grpcStatus is the gRPC status for one of HTTP, as gRPC's own table has it (http-grpc-status-mapping.md). 500 is the answer
// for a backend that cannot be used: "When a GRPCBackendRef is invalid, `UNAVAILABLE` statuses MUST be returned for requests
// that would have otherwise been routed to an invalid backend." (GRPCRouteRule.backendRefs)
func grpcStatus(status int) int {
	switch status {
	case 400:
		return grpcInternal
	case 404, 501:
		return grpcUnimplemented
	case 408:
		return grpcDeadlineExceeded
	case 413, 431:
		return grpcResourceExhausted
	case 500, 502, 503, 504:
		return grpcUnavailable
	default:
		return grpcUnknown
	}
}
