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

package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
)

// Which endpoints can be reached.
//
// Kubernetes says which endpoints are ready, but seconds after one is gone, and not at all while its API server is away. So an
// endpoint to which no connection can be made is ejected: requests and streams go to the others of their backend, and to it
// only after all of those have failed as well, or when all are ejected. Nothing that could be reached becomes unreachable by
// it. An ejected endpoint is probed, with a connection that carries nothing, until one can be made.
//
// What may have other causes - an answer that is late, a connection that broke, a client that did not wait - ejects nothing by
// itself: the endpoint is probed, and ejected when that fails. Endpoints of which nothing of the kind is heard are never probed.
//
// An endpoint is one however many routes and backends have it, and so is what is known of it.
const (
	// pauseGrowth is how much longer than the first the pauses become, as each probe that fails doubles the next.
	pauseGrowth = 10
	// probesAtATime bounds them, when all endpoints of a node are gone at once.
	probesAtATime = 32
)

// health is what connections have told of an endpoint.
type health struct {
	ejected atomic.Bool

	mu sync.Mutex
	// next is the probe to come or under way, the turn'th of all; nil when there is none. stop ends the one under way.
	next *time.Timer
	turn uint64
	stop context.CancelFunc
	// pause is that before the next probe.
	pause time.Duration
	// since is when the endpoint was ejected, and back when it was taken back.
	since, back time.Time
	over        bool
}

// Ejected says whether others are to be preferred.
func (e *Endpoint) Ejected() bool { return e.health.ejected.Load() }

// Learn takes note of how a connection to the endpoint, or a request to it, has failed. ctx is that of the attempt.
func (e *Endpoint) Learn(ctx context.Context, err error) {
	if tellsNothing(err) {
		return
	}
	var connect *message.ConnectError
	certain := errors.As(err, &connect) && ctx.Err() == nil
	h := &e.health
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.over || h.ejected.Load():
	case certain:
		e.eject(err)
	case h.next == nil:
		e.probeIn(e.pool.ProbePause)
	}
}

// tellsNothing says whether a failure has nothing to do with whether its endpoint can be reached.
func tellsNothing(err error) bool {
	var connect *message.ConnectError
	if errors.As(err, &connect) {
		return connect.Full || isOurs(err)
	}
	var content *message.ContentError
	return errors.As(err, &content)
}

// isOurs says whether a connection could not be made because this process, or this machine, has no more of something.
func isOurs(err error) bool {
	for _, lack := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, lack) {
			return true
		}
	}
	return false
}

// eject is called with the lock. One that is ejected again soon is probed less often: a connection is not all that it needs.
func (e *Endpoint) eject(err error) {
	h := &e.health
	now := time.Now()
	longest := pauseGrowth * e.pool.ProbePause
	h.pause = min(2*h.pause, longest)
	if now.Sub(h.back) >= longest {
		h.pause = e.pool.ProbePause
	}
	h.since = now
	e.setEjected(true)
	if h.stop == nil { // Otherwise what the probe under way finds out counts.
		e.probeIn(h.pause)
	}
	e.pool.Tell(Event{Endpoint: e, Err: err})
}

func (e *Endpoint) setEjected(ejected bool) {
	e.health.ejected.Store(ejected)
	e.pool.changes.Add(1)
}

// probeIn is called with the lock. Half of the pause is by chance: what failed together need not come back together.
func (e *Endpoint) probeIn(pause time.Duration) {
	h := &e.health
	if h.next != nil {
		h.next.Stop()
	}
	h.turn++
	turn := h.turn
	h.next = time.AfterFunc(pause/2+rand.N(pause/2+1), func() { e.probe(turn) })
}

// probe tries to connect, and draws the conclusion.
func (e *Endpoint) probe(turn uint64) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if !e.beginProbe(turn, cancel) {
		return
	}
	err := e.pool.probe(ctx, e.Target)
	<-e.pool.probes
	h := &e.health
	h.mu.Lock()
	defer h.mu.Unlock()
	h.stop = nil
	if !h.over {
		e.conclude(err)
	}
}

// beginProbe takes a place for a probe; without one it is put off.
func (e *Endpoint) beginProbe(turn uint64, cancel context.CancelFunc) bool {
	h := &e.health
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.over || h.turn != turn {
		return false
	}
	select {
	case e.pool.probes <- struct{}{}:
		h.stop = cancel
		return true
	default:
		e.probeIn(e.pool.ProbePause)
		return false
	}
}

// conclude is called with the lock, after a probe.
func (e *Endpoint) conclude(err error) {
	h := &e.health
	h.next = nil
	switch {
	case err == nil:
		if h.ejected.Load() {
			h.back = time.Now()
			e.setEjected(false)
			e.pool.Tell(Event{Endpoint: e, Ejected: h.back.Sub(h.since)})
		}
	case isOurs(err):
		if h.ejected.Load() {
			e.probeIn(h.pause)
		}
	case !h.ejected.Load():
		e.eject(err)
	default:
		h.pause = min(2*h.pause, pauseGrowth*e.pool.ProbePause)
		e.probeIn(h.pause)
	}
}

// end ends the endpoint's probes for good.
func (h *health) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	if h.next != nil {
		h.next.Stop()
		h.next = nil
	}
	if h.stop != nil {
		h.stop()
	}
}

// Event is that an endpoint was ejected, or taken back.
type Event struct {
	Endpoint *Endpoint
	// Err says why it was ejected; nil when it was taken back.
	Err error
	// Ejected is for how long it was.
	Ejected time.Duration
}

// reach connects to a target as a request would, and sends nothing. What a stream would begin with, TLS included, is its
// backend's to say (it may be a PROXY protocol header), so that a connection is all that can be tried there.
func (p *Pool) reach(ctx context.Context, target Target) error {
	secured := target.TLS
	if target.Protocol == TCP {
		secured = nil
	}
	conn, err := message.Dial(ctx, target.Address.String(), secured, p.ConnectTimeout())
	if err != nil {
		return err
	}
	defer conn.Close()
	if over, ok := conn.(interface{ ConnectionState() tls.ConnectionState }); ok && target.Protocol == HTTP2 &&
		over.ConnectionState().NegotiatedProtocol != "h2" {
		return errNoHTTP2
	}
	return nil
}

var errNoHTTP2 = errors.New("the endpoint does not choose HTTP/2")
