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

import "time"

// Timeouts of a rule; 0 for none.
type Timeouts struct {
	// Request is for a request as a whole, BackendRequest for each time that it is sent to an endpoint.
	Request, BackendRequest time.Duration
}

// timeouts checks those of a rule. HTTPRouteTimeouts.backendRequest: "must be no more than the value of the Request timeout".
func (c *compiler) timeouts(route, at string, t *Timeouts) bool {
	if t == nil {
		return true
	}
	before := len(c.errors)
	if t.Request < 0 {
		c.fail(route, CodeInvalid, "%s.request: %s is less than 0", at, t.Request)
	}
	if t.BackendRequest < 0 {
		c.fail(route, CodeInvalid, "%s.backend_request: %s is less than 0", at, t.BackendRequest)
	}
	if t.Request > 0 && t.BackendRequest > t.Request {
		c.fail(route, CodeInvalid, "%s.backend_request: %s is more than %s of the request", at, t.BackendRequest, t.Request)
	}
	return len(c.errors) == before
}
