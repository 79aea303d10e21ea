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

package topology

import (
	"fmt"
	"time"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// Retry of a rule.
type Retry struct {
	// Codes of responses for which a request is sent again.
	Codes []uint32
	// Attempts after the first.
	Attempts uint32
	// Backoff is the least time before the first.
	Backoff time.Duration
}

// What is left out: "When this field is unspecified, the number of times to attempt to retry a backend request is
// implementation-specific", and so is the time in between (HTTPRouteRetry).
const (
	defaultAttempts = 2
	defaultBackoff  = 25 * time.Millisecond
)

const maxAttempts = 1000

// retryFeatures are of the experimental channel, whose HTTPRoutes alone have the field.
var retryFeatures = []features.FeatureName{
	features.SupportHTTPRouteRetry,
	features.SupportHTTPRouteRetryBackendTimeout,
	features.SupportHTTPRouteRetryConnectionError,
}

// buildRetry gives the retry of a rule, or what is wrong with it.
func buildRetry(spec *gatewayv1.HTTPRouteRetry) (*Retry, string) {
	if spec == nil {
		return nil, ""
	}
	r := &Retry{Attempts: defaultAttempts, Backoff: defaultBackoff}
	for i, code := range spec.Codes {
		if code < 400 || code > 599 {
			return nil, fmt.Sprintf("retry.codes[%d]: %d is not between 400 and 599", i, code)
		}
		r.Codes = append(r.Codes, uint32(code))
	}
	if spec.Attempts != nil {
		if *spec.Attempts < 1 || *spec.Attempts > maxAttempts {
			return nil, fmt.Sprintf("retry.attempts: %d is not between 1 and %d", *spec.Attempts, maxAttempts)
		}
		r.Attempts = uint32(*spec.Attempts)
	}
	if spec.Backoff != nil {
		backoff, ok := duration(*spec.Backoff)
		if !ok {
			return nil, fmt.Sprintf("retry.backoff: %q is not a duration", *spec.Backoff)
		}
		r.Backoff = backoff
	}
	return r, ""
}
