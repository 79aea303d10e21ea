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

package push

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// Key names one Gateway.
type Key struct{ Namespace, Name string }

func compareKeys(a, b Key) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// Replica is one running proxy of a Gateway.
type Replica struct {
	// ID is stable for the life of the replica: the UID of its pod.
	ID string
	// Address of its admin API, "ip:port".
	Address string
	// Ready as the orchestrator sees it. Replicas that are not ready are pushed to as well: it is how they become ready.
	Ready bool
}

// Options of a Pusher. Only Credentials is required; every other zero value stands for the default that is named.
type Options struct {
	// Credentials are asked for at each dial. They must accept the proxies of that Gateway and no others.
	Credentials func(Key) credentials.TransportCredentials
	// Logger gets what happens to sessions; nothing is logged by default.
	Logger logr.Logger
	// Registerer gets the metrics of the package; they are kept nowhere by default.
	Registerer prometheus.Registerer
	// OnChange is called after the State of a Gateway changed by what replicas said or did not say, or by SetReplicas,
	// one call at a time and never under a lock. Several changes may become one call. What Set and SetEndpoints change
	// their callers know; the acknowledgement of it is told.
	OnChange func(Key)
	// BackoffMin and BackoffMax bound the pause before a replica is dialled again; 100 ms and 5 s.
	BackoffMin, BackoffMax time.Duration
	// DialTimeout bounds connection and handshake; 5 s.
	DialTimeout time.Duration
	// AckTimeout bounds how long a replica may take for its next sign of life when one is due: an inventory, room for
	// the next chunk, or an acknowledgement; 30 s.
	AckTimeout time.Duration
	// RecheckInterval is how often a table is committed again that a replica could not open a socket for, which is how
	// it becomes known that the replica meanwhile could; 5 s.
	RecheckInterval time.Duration
	// Allowed is asked before a replica is dialled, and before a table is sent and committed; its error ends the conversation. It
	// keeps an operator that was overtaken from pushing. Everything is allowed by default.
	Allowed func() error
	// DialOptions come after the package's own; for interceptors.
	DialOptions []grpc.DialOption
}

func (o Options) withDefaults() Options {
	o.BackoffMin = cmp.Or(o.BackoffMin, 100*time.Millisecond)
	o.BackoffMax = cmp.Or(o.BackoffMax, 5*time.Second)
	o.DialTimeout = cmp.Or(o.DialTimeout, 5*time.Second)
	o.AckTimeout = cmp.Or(o.AckTimeout, 30*time.Second)
	o.RecheckInterval = cmp.Or(o.RecheckInterval, 5*time.Second)
	if o.Allowed == nil {
		o.Allowed = func() error { return nil }
	}
	if o.Logger.GetSink() == nil {
		o.Logger = logr.Discard()
	}
	return o
}

// Pusher holds the sessions of all Gateways. It is safe for concurrent use.
type Pusher struct {
	options  Options
	metrics  *metrics
	notifier *notifier

	ctx    context.Context
	cancel context.CancelFunc
	// running counts the goroutines of sessions and of the notifier.
	running sync.WaitGroup

	mu       sync.Mutex
	gateways map[Key]*gateway
	closed   bool
}

// New is a Pusher without any Gateway. It has to be closed.
func New(options Options) *Pusher {
	options = options.withDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	p := &Pusher{
		options: options, metrics: newMetrics(options.Registerer), notifier: newNotifier(options.OnChange),
		ctx: ctx, cancel: cancel, gateways: map[Key]*gateway{},
	}
	p.running.Go(func() { p.notifier.run(ctx) })
	return p
}

// Set makes the given resources the table that is wanted for a Gateway. They belong to the Pusher afterwards: sessions
// share them, so nobody may change them any more. A resource without a hash gets one. A table equal to the one that is
// wanted already changes nothing. Of two resources with one name the first is taken.
//
// A resource that no message can carry (of nearly 16 MiB or more, a name of more than 1,024 bytes, not to be encoded) is left
// out and named in State.Unsendable, and all others are pushed.
func (p *Pusher) Set(key Key, resources []*adminv1.Resource) {
	if g := p.gateway(key); g != nil {
		g.set(resources)
	}
}

// SetEndpoints replaces one endpoints resource of the wanted table, the short way for what changes most often. A name
// that the table does not hold is ignored: nothing in it would refer to that resource, and the next Set brings it.
func (p *Pusher) SetEndpoints(key Key, resource *adminv1.Resource) {
	if g := p.known(key); g != nil {
		g.setEndpoints(resource)
	}
}

// Change adds resources to the wanted table, or puts them in the place of those of their names, and removes others, by name. It is
// the short way for what changes little of a large table: nothing else is looked at. All that Set says of resources holds. Before
// the first Set it does nothing.
func (p *Pusher) Change(key Key, upserts []*adminv1.Resource, removals []string) {
	if g := p.known(key); g != nil {
		g.change(upserts, removals)
	}
}

// SetReplicas makes sessions follow the replicas: a new one gets a session, one that is gone loses it, one whose address
// changed is dialled again. Of two replicas with one ID the first is taken.
func (p *Pusher) SetReplicas(key Key, replicas []Replica) {
	if g := p.gateway(key); g != nil {
		g.setReplicas(replicas)
	}
}

// State is what is wanted and known now; the zero State for a Gateway that was never set, or is forgotten.
func (p *Pusher) State(key Key) State {
	g := p.known(key)
	if g == nil {
		return State{}
	}
	return g.state()
}

// Forget ends the sessions of a Gateway and everything that is known of it. Its replicas keep what they serve.
func (p *Pusher) Forget(key Key) {
	p.mu.Lock()
	g := p.gateways[key]
	delete(p.gateways, key)
	p.mu.Unlock()
	if g != nil {
		g.close()
	}
}

// Close ends all sessions and waits for them, and for a call of OnChange that is under way. Afterwards nothing is
// pushed any more, and Set and SetReplicas have no effect.
func (p *Pusher) Close() {
	p.mu.Lock()
	gateways := p.gateways
	p.gateways, p.closed = map[Key]*gateway{}, true
	p.mu.Unlock()
	p.cancel()
	for _, g := range gateways {
		g.close()
	}
	p.running.Wait()
}

// gateway finds or makes the entry of a Gateway; nil after Close.
func (p *Pusher) gateway(key Key) *gateway {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	g := p.gateways[key]
	if g == nil {
		g = newGateway(p, key)
		p.gateways[key] = g
	}
	return g
}

func (p *Pusher) known(key Key) *gateway {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gateways[key]
}

// Gateways are those that something is wanted or known of, in order.
func (p *Pusher) Gateways() []Key {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Keys(p.gateways), compareKeys)
}
