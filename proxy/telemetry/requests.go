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

package telemetry

import (
	"maps"
	"sync"

	"github.com/rauta-dev/rauta/proxy/forward"
)

// Requests counts how requests ended. It implements forward.Recorder.
type Requests struct {
	mu     sync.Mutex
	counts map[forward.Outcome]uint64
}

// Record counts one request.
func (r *Requests) Record(outcome forward.Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.counts == nil {
		r.counts = make(map[forward.Outcome]uint64)
	}
	r.counts[outcome]++
}

// Counts gives how many requests ended how.
func (r *Requests) Counts() map[forward.Outcome]uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.counts)
}
