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

// Retry of a rule.
type Retry struct {
	// Codes of responses, 400 to 599.
	Codes []uint32
	// Attempts after the first.
	Attempts uint32
	// Backoff is the least time before the first retry.
	Backoff time.Duration
}

const maxRetries = 1000

func (c *compiler) retry(route, at string, r *Retry) bool {
	if r == nil {
		return true
	}
	before := len(c.errors)
	for i, code := range r.Codes {
		if code < 400 || code > 599 {
			c.fail(route, CodeInvalid, "%s.codes[%d]: %d is not between 400 and 599", at, i, code)
		}
	}
	if r.Attempts < 1 || r.Attempts > maxRetries {
		c.fail(route, CodeInvalid, "%s.attempts: %d is not between 1 and %d", at, r.Attempts, maxRetries)
	}
	if r.Backoff < 0 {
		c.fail(route, CodeInvalid, "%s.backoff: %s is less than 0", at, r.Backoff)
	}
	return len(c.errors) == before
}
