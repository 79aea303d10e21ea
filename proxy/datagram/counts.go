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

package datagram

import "sync/atomic"

// Reason says why a datagram was dropped.
type Reason int

// The reasons.
const (
	// NoRoute: the port has no route, or the route no backend, or the turn is that of one that is not resolved.
	NoRoute Reason = iota
	// NoEndpoint: the backend has none, or each has as many sessions as it may have.
	NoEndpoint
	// TooManySessions: there are as many as there may be, and none that could make room.
	TooManySessions
	// NoSocket: the system gives no socket, or has no way to the endpoint.
	NoSocket
	// Draining: the proxy is being stopped, and begins no sessions.
	Draining
	// EndpointFull: the system does not take more for the endpoint at this time.
	EndpointFull
	// NotSent: it could not be sent to the endpoint, as when it is too large for the way there.
	NotSent
	// NotReturned: it could not be sent to the client.
	NotReturned
	reasons
)

func (r Reason) String() string {
	return [reasons]string{
		"no route", "no endpoint", "too many sessions", "no socket", "draining", "endpoint full", "not sent", "not returned",
	}[r]
}

// Direction counts what went one way.
type Direction struct{ Datagrams, Bytes uint64 }

// Counts are what there was since the start, and the sessions that there are.
type Counts struct {
	// ToEndpoints and ToClients are what was sent on.
	ToEndpoints, ToClients Direction
	// Sessions that there are.
	Sessions int
	// Opened sessions, Replaced ones, which made room for another, and how often one has Moved to another endpoint.
	Opened, Replaced, Moved uint64
	// Dropped datagrams.
	Dropped map[Reason]uint64
}

// tally is where they are counted.
type tally struct {
	toEndpoints, toClients  way
	sessions                atomic.Int64
	opened, replaced, moved atomic.Uint64
	dropped                 [reasons]atomic.Uint64
}

type way struct{ datagrams, bytes atomic.Uint64 }

func (w *way) add(datagrams, bytes int) {
	w.datagrams.Add(uint64(datagrams))
	w.bytes.Add(uint64(bytes))
}

func (w *way) counts() Direction {
	return Direction{Datagrams: w.datagrams.Load(), Bytes: w.bytes.Load()}
}

func (t *tally) drop(why Reason, datagrams int) { t.dropped[why].Add(uint64(datagrams)) }

func (t *tally) counts() Counts {
	counts := Counts{
		ToEndpoints: t.toEndpoints.counts(), ToClients: t.toClients.counts(), Sessions: int(t.sessions.Load()),
		Opened: t.opened.Load(), Replaced: t.replaced.Load(), Moved: t.moved.Load(), Dropped: make(map[Reason]uint64),
	}
	for why := range reasons {
		if n := t.dropped[why].Load(); n > 0 {
			counts.Dropped[why] = n
		}
	}
	return counts
}
