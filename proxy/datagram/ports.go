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

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Options of the ports.
type Options struct {
	// Address to bind for a port: ":53".
	Address func(port uint16) string
	// RetryInterval between attempts to bind a port that could not be bound.
	RetryInterval time.Duration
	Limits        Limits
	Logger        *slog.Logger
}

// Limits bound what clients may take.
type Limits struct {
	// IdleTimeout of a session, without a datagram in either direction.
	IdleTimeout time.Duration
	// MaxSessions at one time over all ports.
	MaxSessions int
}

const (
	// maxLanes of a port. More than there are processors would be of no use.
	maxLanes = 8
	// drainIdle is after which time without a datagram a session ends when the proxy is being stopped.
	drainIdle = 2 * time.Second
	// fullInterval between two lines in the log that say that there are as many sessions as there may be.
	fullInterval = time.Minute
)

// Ports are the bound ports.
type Ports struct {
	options Options
	begun   time.Time
	tally   tally
	boxes   chan *box
	// idle and most are the limits.
	idle, most atomic.Int64
	// several is true while more than one port is wanted.
	several  atomic.Bool
	draining atomic.Bool
	told     atomic.Int64 // when the log last said that there are too many sessions
	done     chan struct{}
	loops    sync.WaitGroup

	mu     sync.Mutex
	open   map[uint16]*port
	failed map[uint16]error
	wanted map[uint16]Port
	closed bool
}

// New makes an empty set.
func New(options Options) *Ports {
	p := &Ports{
		options: options,
		begun:   time.Now(),
		boxes:   make(chan *box, runtime.GOMAXPROCS(0)),
		done:    make(chan struct{}),
		open:    make(map[uint16]*port),
		failed:  make(map[uint16]error),
	}
	p.SetLimits(options.Limits)
	p.loops.Go(p.look)
	return p
}

// SetLimits changes the limits. Sessions above a lower bound go on.
func (p *Ports) SetLimits(limits Limits) {
	p.idle.Store(int64(limits.IdleTimeout))
	p.most.Store(int64(limits.MaxSessions))
}

// Apply serves the given ports as they are planned, and no others. Ports that cannot be bound are given with the reason, and
// tried again in the background until they are not wanted any more. Sessions of a port that goes end; those of a port that
// stays end when its route no longer has their endpoint.
func (p *Ports) Apply(wanted []Port) map[uint16]error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = make(map[uint16]Port, len(wanted))
	for _, planned := range wanted {
		p.wanted[planned.Number] = planned
	}
	for number, bound := range p.open {
		if _, stays := p.wanted[number]; stays {
			continue
		}
		delete(p.open, number)
		bound.close()
		p.options.Logger.Info("port closed", "port", number, "protocol", "UDP")
	}
	clear(p.failed)
	for _, number := range slices.Sorted(maps.Keys(p.wanted)) {
		p.bind(number)
	}
	p.several.Store(len(p.wanted) > 1)
	return maps.Clone(p.failed)
}

// bind opens a port if it is not open, and has it serve as planned, with the lock held.
func (p *Ports) bind(number uint16) {
	if p.closed {
		return
	}
	if p.open[number] == nil {
		bound := &port{ports: p, number: number}
		var err error
		if bound.lanes, err = newLanes(bound, p.options.Address(number), min(runtime.GOMAXPROCS(0), maxLanes)); err != nil {
			p.failed[number] = fmt.Errorf("listen on port %d of UDP: %w", number, err)
			return
		}
		delete(p.failed, number)
		p.open[number] = bound
		p.options.Logger.Info("port opened", "port", number, "protocol", "UDP", "address", bound.lanes[0].addr().String())
	}
	bound := p.open[number]
	bound.swap(p.wanted[number])
	if bound.serving {
		return
	}
	bound.serving = true
	for _, l := range bound.lanes {
		p.loops.Go(func() {
			if err := l.run(); !errors.Is(err, net.ErrClosed) {
				p.options.Logger.Error("relaying datagrams ended", "port", number, "error", err)
			}
		})
	}
}

// Addr is where a port is bound.
func (p *Ports) Addr(number uint16) (netip.AddrPort, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	bound := p.open[number]
	if bound == nil {
		return netip.AddrPort{}, false
	}
	return bound.lanes[0].addr(), true
}

// Counts gives what there was.
func (p *Ports) Counts() Counts { return p.tally.counts() }

// ErrCut says that sessions had to be cut, because they did not become idle in time.
var ErrCut = errors.New("sessions of UDP clients were cut")

// Shutdown begins no sessions any more, waits until those that there are have become idle, at most until ctx ends, and closes
// all ports. The error is ErrCut when some were not.
func (p *Ports) Shutdown(ctx context.Context) error {
	p.draining.Store(true)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for p.tally.sessions.Load() > 0 && ctx.Err() == nil {
		p.sweep()
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
	cut := p.tally.sessions.Load()
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.done)
	}
	for _, bound := range p.open {
		bound.close()
	}
	p.mu.Unlock()
	p.loops.Wait()
	if cut > 0 {
		return fmt.Errorf("%w: %d", ErrCut, cut)
	}
	return nil
}

// look ends sessions and binds what could not be bound, now and then.
func (p *Ports) look() {
	tried := p.now()
	timer := time.NewTimer(p.options.RetryInterval)
	defer timer.Stop()
	for {
		select {
		case <-p.done:
			return
		case <-timer.C:
		}
		if now := p.now(); now-tried >= p.options.RetryInterval {
			tried = now
			p.retry()
		}
		p.sweep()
		timer.Reset(min(max(time.Duration(p.idle.Load())/4, 5*time.Millisecond), p.options.RetryInterval))
	}
}

func (p *Ports) retry() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, number := range slices.Sorted(maps.Keys(p.failed)) {
		p.bind(number)
	}
}

// sweep ends the sessions that are to end.
func (p *Ports) sweep() {
	idle := time.Duration(p.idle.Load())
	if p.draining.Load() {
		idle = min(idle, drainIdle)
	}
	for _, l := range p.lanes() {
		l.sweep(p.now(), idle)
	}
}

func (p *Ports) lanes() []*lane {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lanes []*lane
	for _, bound := range p.open {
		lanes = append(lanes, bound.lanes...)
	}
	return lanes
}

// full says in the log, not too often, that there are too many sessions.
func (p *Ports) full(number uint16) {
	now, last := int64(p.now()), p.told.Load()
	if last != 0 && now-last < int64(fullInterval) || !p.told.CompareAndSwap(last, now) {
		return
	}
	p.options.Logger.Warn("datagrams of new clients are dropped: there are as many sessions as there may be",
		"port", number, "sessions", p.tally.sessions.Load())
}

// now is the time on the clock of the ports.
func (p *Ports) now() time.Duration { return time.Since(p.begun) }

// take gives a box to work with.
func (p *Ports) take() *box {
	select {
	case b := <-p.boxes:
		return b
	default:
		return newBox()
	}
}

// give keeps a box for the next to take it, unless there are enough.
func (p *Ports) give(b *box) {
	select {
	case p.boxes <- b:
	default:
	}
}
