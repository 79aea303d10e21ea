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

import (
	"sync/atomic"

	"github.com/rauta-dev/rauta/proxy/upstream"
)

// Handler relays streams by the current table.
type Handler struct {
	table    atomic.Pointer[Table]
	limits   atomic.Pointer[Limits]
	recorder Recorder
	distrust *upstream.Distrust
}

// New makes a handler with an empty table, which relays nothing.
func New(recorder Recorder, limits Limits) *Handler {
	h := &Handler{recorder: recorder}
	h.table.Store(&Table{Routes: NewRoutes()})
	h.SetLimits(limits)
	return h
}

// Log has it said why TLS with an endpoint did not come about. It is set before connections come.
func (h *Handler) Log(distrust *upstream.Distrust) { h.distrust = distrust }

// Swap makes a table the current one. Streams that have begun stay where they are.
func (h *Handler) Swap(table *Table) { h.table.Store(table) }

// SetLimits changes the limits, also for the connections that there are.
func (h *Handler) SetLimits(limits Limits) { h.limits.Store(&limits) }
