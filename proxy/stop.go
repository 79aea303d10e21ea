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
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rauta-dev/rauta/proxy/listen"
)

// untilDone drains when ctx ends, and stops at once when running does.
//
// Readiness stays true for as long as connections are accepted: a replica that fails its probe at once is taken for
// broken by load balancers, which then cut the connections that it still serves. During the delay the replica is
// already leaving the EndpointSlices, because its pod terminates, and its responses ask clients to connect anew.
func (p *Proxy) untilDone(ctx, running context.Context) {
	defer close(p.done)
	defer p.abort()
	select {
	case <-running.Done():
	case <-ctx.Done():
		p.config.Logger.Info("draining", "delay", time.Duration(p.config.Bootstrap.Drain.Delay).String())
		p.sockets.Drain()
		wait(running, time.Duration(p.config.Bootstrap.Drain.Delay))
	}
	p.unready.Store(true)
	timeout, cancel := context.WithTimeout(running, time.Duration(p.config.Bootstrap.Drain.Timeout))
	defer cancel()
	p.err = p.shutdown(timeout)
	if p.err != nil && running.Err() != nil {
		p.err = nil // Cut because Close asked for it.
	}
	p.stop(timeout)
	p.config.Logger.Info("stopped")
}

// stop ends what start began.
func (p *Proxy) stop(ctx context.Context) {
	p.abort()
	_ = p.shutdown(ctx) // Again only where start failed; there is nothing in flight then.
	if p.admin != nil {
		p.admin.Close()
	}
	if p.peers != nil {
		p.peers.Close()
	}
	p.handler.Close()
	p.engine.Close()
	if p.health != nil {
		p.health.Close()
	}
	p.following.Wait()
}

// shutdown closes all ports and waits for what is under way on them, at most until ctx ends. The error is ErrCut when some of it
// was cut.
func (p *Proxy) shutdown(ctx context.Context) error {
	var connections error
	var waiting sync.WaitGroup
	waiting.Go(func() { connections = p.sockets.Shutdown(ctx) })
	err := p.datagrams.Shutdown(ctx)
	waiting.Wait()
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrCut, err)
	}
	return errors.Join(connections, err)
}

func wait(ctx context.Context, delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// ErrCut says that requests had to be cut when the time to drain was over.
var ErrCut = listen.ErrCut

// Wait returns when the proxy has stopped. The error is ErrCut when requests had to be cut.
func (p *Proxy) Wait() error {
	<-p.done
	return p.err
}

// Close stops the proxy at once, as a crash would, and returns when it has.
func (p *Proxy) Close() {
	p.abort()
	<-p.done
}
