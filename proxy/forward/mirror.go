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
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// The bounds of all mirrors together. What exceeds them is dropped, so that a mirror that is slow or dead costs no request
// anything.
const (
	// maxCopies under way, of them to one backend.
	maxCopies, maxCopiesToOne = 256, 64
	// copyTime is how long one may take.
	copyTime = 30 * time.Second
	// rest is how long a mirror that could not be reached gets nothing: to find out for each request that it is dead would
	// cost more than the request.
	rest = 100 * time.Millisecond
	// drained is how much of a mirror's response is read, so that its connection can be kept.
	drained = 256 << 10
)

// MirrorCounts say how many copies of requests ended how.
type MirrorCounts struct {
	// Sent copies were answered by the mirror.
	Sent uint64
	// Dropped ones were not sent, because too many were under way, or the mirror could not be reached just before.
	Dropped uint64
	// Failed ones were not answered, or could not be sent whole.
	Failed uint64
}

// mirrors sends copies of requests.
type mirrors struct {
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup
	store   store
	// distrust is told of what goes wrong; nil for nobody.
	distrust *upstream.Distrust

	mu      sync.Mutex
	active  map[string]int       // by backend
	resting map[string]time.Time // until when; by backend
	all     int
	counts  MirrorCounts
}

func newMirrors() *mirrors {
	m := &mirrors{active: make(map[string]int), resting: make(map[string]time.Time)}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m
}

func (m *mirrors) close() {
	m.stop()
	m.running.Wait()
}

// Mirrors gives how many copies ended how.
func (h *Handler) Mirrors() MirrorCounts {
	h.mirrors.mu.Lock()
	defer h.mirrors.mu.Unlock()
	return h.mirrors.counts
}

// enter takes a place for a copy; false when there is none.
func (m *mirrors) enter(backend string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.all >= maxCopies || m.active[backend] >= maxCopiesToOne || m.rests(backend) {
		m.counts.Dropped++
		return false
	}
	m.all++
	m.active[backend]++
	return true
}

// rests says whether a mirror gets nothing for now; the lock is held.
func (m *mirrors) rests(backend string) bool {
	until, resting := m.resting[backend]
	if !resting {
		return false
	}
	if time.Now().Before(until) {
		return true
	}
	delete(m.resting, backend)
	return false
}

// giveRest has a mirror get nothing for a while. Of those that nobody asks for any more a bounded number is remembered.
func (m *mirrors) giveRest(backend string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.resting) >= maxCopies {
		clear(m.resting)
	}
	m.resting[backend] = time.Now().Add(rest)
}

func (m *mirrors) leave(backend string, sent bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all--
	if m.active[backend]--; m.active[backend] == 0 {
		delete(m.active, backend)
	}
	if sent {
		m.counts.Sent++
		return
	}
	m.counts.Failed++
}

// send sends one copy to one endpoint: to the next one where no connection can be made, as nothing was sent then.
// HTTPRequestMirrorFilter.backendRef: "Mirrored requests must be sent only to a single destination endpoint within this
// BackendRef".
func (m *mirrors) send(ctx context.Context, backend *upstream.Backend, request *message.Request) {
	sent := false
	defer func() { m.leave(backend.Name, sent) }()
	attempts := backend.Attempts()
	for tried := range maxAttempts {
		endpoint := attempts.Next()
		if endpoint == nil && tried == 0 {
			return
		}
		if endpoint == nil {
			break
		}
		err := m.sendTo(ctx, endpoint, request)
		if sent = err == nil; !sent && ctx.Err() == nil {
			m.distrust.Note(backend.Name, endpoint.Address, err)
		}
		var connect *message.ConnectError
		if !errors.As(err, &connect) || connect.Full || ctx.Err() != nil {
			return
		}
	}
	m.giveRest(backend.Name)
}

func (m *mirrors) sendTo(ctx context.Context, endpoint *upstream.Endpoint, request *message.Request) error {
	defer endpoint.Done()
	response, err := endpoint.RoundTrip(ctx, request, nil)
	if err != nil {
		return err
	}
	defer response.Close()
	if response.Body != nil {
		_, _ = io.CopyN(io.Discard, response.Body, drained) // Whatever it says, nobody hears it.
	}
	return nil
}

// mirror begins to send the copies that filters made of the request. What it gives is called when the request is over.
func (e *exchange) mirror(table *Table) func() {
	m := e.handler.mirrors
	var content *tee
	for _, c := range e.seen.Copies {
		backend := table.Backends[c.Backend]
		if !m.enter(backend.Name) {
			continue
		}
		ctx, cancel := context.WithTimeout(m.ctx, copyTime)
		if e.request.Body != nil {
			if content == nil {
				content = &tee{source: e.request.Body, trailers: e.request.Trailers}
			}
			copied := newBranch(&m.store, c.Request, cancel)
			content.branches = append(content.branches, copied)
			c.Request.Body = copied
		}
		m.running.Go(func() {
			defer cancel()
			m.send(ctx, backend, c.Request)
			if copied, ok := c.Request.Body.(*branch); ok {
				copied.Interrupt()
			}
		})
	}
	if content == nil {
		return func() {}
	}
	e.request.Body = content
	return func() {
		e.request.Body = content.source
		content.end()
	}
}
