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

package main

import (
	"context"
	"crypto/x509"
	"net/netip"
	"sync"
	"time"
)

const (
	// host is the name that the routes of every Gateway are for, and calls that of its gRPC routes.
	host  = "app.example"
	calls = "calls.example"
	// through is the name that is passed through to the elastic backend, heldThrough the one to the steady one.
	through     = "through.example"
	heldThrough = "held.example"
	// requestPause is between two requests of one client, sessionPause between two messages of one session.
	requestPause = 25 * time.Millisecond
	sessionPause = 100 * time.Millisecond
	// slowPause is between two requests that take more of the machine: a handshake at both ends, or a socket in the kernel's memory.
	slowPause = 100 * time.Millisecond
	// limit is how long a client waits: longer than anything is paused or cut off that is expected to go on afterwards.
	limit = 20 * time.Second
	// The ports of every Gateway's listeners.
	httpPort, httpsPort, tcpPort, udpPort, tlsPort = 80, 443, 9000, 9001, 8443
	// The port of its ListenerSet's.
	morePort = 8070
)

// subject is a Gateway as its clients see it.
type subject struct {
	name    string
	address netip.Addr
	roots   *x509.CertPool
	sealed  *x509.CertPool // of what is passed through
}

func (s *subject) at(port uint16) netip.AddrPort { return netip.AddrPortFrom(s.address, port) }

// load is traffic to all Gateways that goes on until it is ended.
type load struct {
	ledger    *ledger
	conntrack *conntrack
	// holders are those that hold the sessions of each Gateway, by its name, in the same order in every run.
	holders map[string][]*holder
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

// startLoad begins: for each Gateway, clients that keep their connection and such that do not, and sessions of all kinds.
func startLoad(ctx context.Context, l *ledger, subjects []*subject) (*load, error) {
	listening, err := listenConntrack()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	run := &load{ledger: l, conntrack: listening, holders: map[string][]*holder{}, cancel: cancel}
	for _, s := range subjects {
		for _, kind := range []traffic{keepAlive, keepAlive, newHTTP, newHTTP, newTLS, keptHTTP2, listenerSet, newPassed} {
			c := newRequester(run, s, kind)
			run.done.Go(func() { c.run(ctx) })
		}
		for _, kind := range []traffic{webSocket, webSocket, webSocket, grpcStream, grpcStream, tcpSession, passedSocket} {
			h := &holder{load: run, subject: s, kind: kind}
			run.holders[s.name] = append(run.holders[s.name], h)
			run.done.Go(func() { h.run(ctx) })
		}
		for _, c := range newSenders(run, s) {
			run.done.Go(func() { c.run(ctx) })
		}
	}
	return run, nil
}

// end lets what is under way come to its end.
func (l *load) end() {
	l.cancel()
	l.done.Wait()
}

// wait pauses, and says whether to go on.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
