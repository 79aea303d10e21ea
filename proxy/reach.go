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

package proxy

import (
	"time"

	"github.com/rauta-dev/rauta/proxy/upstream"
)

// What is logged of an endpoint that is ejected: so many of the backends that have it, and so much of why. A certificate that
// does not fit is quoted there, and may be long.
const (
	maxLoggedBackends = 3
	maxLoggedError    = 400
)

// tellReach logs that an endpoint is ejected, or taken back. Neither comes more often than once a second for each of them.
func (p *Proxy) tellReach(event upstream.Event) {
	backends := p.handler.BackendsWith(event.Endpoint)
	backends = backends[:min(len(backends), maxLoggedBackends)]
	logger := p.config.Logger.With("endpoint", event.Endpoint.Address.String(), "backends", backends)
	if event.Err == nil {
		logger.Info("endpoint taken back", "after", event.Ejected.Round(time.Millisecond).String())
		return
	}
	text := event.Err.Error()
	logger.Warn("endpoint ejected, as no connection to it can be made", "error", text[:min(len(text), maxLoggedError)])
}
