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

	"github.com/rauta-dev/rauta/proxy/stream"
)

// Streams counts how streams ended, and what they carried. It implements stream.Recorder.
type Streams struct {
	mu     sync.Mutex
	counts map[stream.Reason]StreamCount
}

// StreamCount is what is known of the streams that ended for one reason.
type StreamCount struct {
	Streams uint64
	// Received from clients and passed on, Sent to them, in bytes.
	Received, Sent uint64
}

// RecordStream counts one stream.
func (s *Streams) RecordStream(outcome stream.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = make(map[stream.Reason]StreamCount)
	}
	count := s.counts[outcome.Reason]
	count.Streams++
	count.Received += uint64(outcome.Received)
	count.Sent += uint64(outcome.Sent)
	s.counts[outcome.Reason] = count
}

// Counts gives how many streams ended how.
func (s *Streams) Counts() map[stream.Reason]StreamCount {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.counts)
}
