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
	"maps"
	"net/netip"
	"sync"
	"time"
)

// traffic is one kind of what clients do.
type traffic string

const (
	keepAlive  traffic = "HTTP, kept connection"
	newHTTP    traffic = "HTTP, new connection"
	newTLS     traffic = "HTTPS, new connection"
	keptHTTP2  traffic = "HTTPS, HTTP/2"
	webSocket  traffic = "WebSocket"
	grpcStream traffic = "gRPC stream"
	tcpSession traffic = "TCP connection"

	listenerSet  traffic = "HTTP of a ListenerSet, new connection"
	newPassed    traffic = "TLS passed through, new connection"
	passedSocket traffic = "TLS passed through, WebSocket"
	keptUDP      traffic = "UDP, kept socket"
	newUDP       traffic = "UDP, new socket"
)

// failure is a request that was not answered with 200, or a session that ended.
type failure struct {
	Traffic traffic `json:"traffic"`
	Gateway string  `json:"gateway"`
	// Held tells a session that ended after it was opened.
	Held bool `json:"held,omitempty"`
	// Replica is the address of the pod that the connection went to; invalid when none is known.
	Replica netip.Addr `json:"replica"`
	Begin   time.Time  `json:"begin"`
	End     time.Time  `json:"end"`
	Message string     `json:"message"`
	// Explanation is the fault that explains it; empty when none does.
	Explanation string `json:"explanation"`
}

// forgiveness is what a fault may do to those who talk to a replica.
type forgiveness int

const (
	// forgiveSessions: what is held open may end, as it does when a replica has drained. Requests must not fail.
	forgiveSessions forgiveness = iota + 1
	// forgiveDatagrams: they may be lost, as those of a replica that is not ready while it is paused. Nothing else may fail.
	forgiveDatagrams
	// forgiveRelayed: datagrams, and requests over TLS that is passed through, may be lost with the endpoint to which the replica relays them; and
	// requests that were under way when it was killed, which may be the killed process's own. One that begins later must not fail.
	forgiveRelayed
	// forgiveAll: the replica itself was killed or cut off.
	forgiveAll
)

// incident is a fault as it happened: what may have failed because of it.
type incident struct {
	fault    string
	begin    time.Time
	end      time.Time // zero while it lasts
	grace    time.Duration
	forgiven map[netip.Addr]forgiveness
	// struck is when an endpoint was gone that was killed; zero when none was.
	struck time.Time
}

// explains tells whether a failure was under way while the fault lasted or within its grace, at a replica that the fault hit.
func (i *incident) explains(f *failure) bool {
	switch i.forgiven[f.Replica] {
	case forgiveSessions:
		if !f.Held {
			return false
		}
	case forgiveDatagrams:
		if f.Traffic != keptUDP && f.Traffic != newUDP {
			return false
		}
	case forgiveRelayed:
		relayed := f.Traffic == keptUDP || f.Traffic == newUDP || f.Traffic == newPassed
		if !relayed && (f.Held || f.Begin.After(i.struck)) {
			return false
		}
	case forgiveAll:
	default:
		return false
	}
	return !f.End.Before(i.begin) && (i.end.IsZero() || !f.Begin.After(i.end.Add(i.grace)))
}

// ledger keeps what became of all requests, and what was done meanwhile.
type ledger struct {
	mu        sync.Mutex
	succeeded map[traffic]int
	slowest   time.Duration // of what succeeded since it was asked for
	failures  []*failure
	incidents []*incident
}

func newLedger() *ledger { return &ledger{succeeded: map[traffic]int{}} }

func (l *ledger) succeed(t traffic, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.succeeded[t]++
	l.slowest = max(l.slowest, took)
}

// takeSlowest is how long the slowest took of what succeeded since this was asked last.
func (l *ledger) takeSlowest() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	slowest := l.slowest
	l.slowest = 0
	return slowest
}

func (l *ledger) fail(f *failure) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures = append(l.failures, f)
}

// open notes that a fault begins.
func (l *ledger) open(fault string, grace time.Duration) *incident {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := &incident{fault: fault, begin: time.Now(), grace: grace, forgiven: map[netip.Addr]forgiveness{}}
	l.incidents = append(l.incidents, i)
	return i
}

// hit notes that the fault hits a replica, before it does.
func (l *ledger) hit(i *incident, replica netip.Addr, forgiven forgiveness) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i.forgiven[replica] = max(forgiven, i.forgiven[replica])
}

// strike notes that an endpoint was killed, and is gone.
func (l *ledger) strike(i *incident) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i.struck = time.Now()
}

// close notes that a fault is over.
func (l *ledger) close(i *incident) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i.end = time.Now()
}

// counts are those of what succeeded, by kind.
func (l *ledger) counts() map[traffic]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.succeeded)
}

// explain goes over the failures from one on, gives each the fault that explains it, and returns those that were looked at.
func (l *ledger) explain(from int) []*failure {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.failures[from:] {
		f.Explanation = ""
		for _, i := range l.incidents {
			if i.explains(f) {
				f.Explanation = explanation(i.fault, i.begin)
			}
		}
	}
	return l.failures[from:len(l.failures):len(l.failures)]
}
