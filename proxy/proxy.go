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

// Package proxy is the data plane as a whole: it joins its rooms, starts them, and stops them in order.
//
// It imports nothing of Kubernetes and nothing of the operator. A request's way through the rooms is
// listen (TLS) -> http1 or http2 -> forward (route, upstream) -> http1 or http2; a table's way is admin -> config -> engine -> forward.
package proxy

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rauta-dev/rauta/proxy/admin"
	"github.com/rauta-dev/rauta/proxy/bootstrap"
	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/datagram"
	"github.com/rauta-dev/rauta/proxy/engine"
	"github.com/rauta-dev/rauta/proxy/forward"
	"github.com/rauta-dev/rauta/proxy/http1"
	"github.com/rauta-dev/rauta/proxy/http2"
	"github.com/rauta-dev/rauta/proxy/listen"
	"github.com/rauta-dev/rauta/proxy/stream"
	"github.com/rauta-dev/rauta/proxy/telemetry"
	"github.com/rauta-dev/rauta/proxy/upstream"
)

// Config is what a proxy is started with. Only Bootstrap is needed.
type Config struct {
	Bootstrap *bootstrap.Bootstrap
	// Resources are a table to begin with, as admin.ReadResources gives it; nil for none.
	Resources admin.Resources
	// Version of the binary.
	Version string
	// Logger of everything; nil for none.
	Logger *slog.Logger
	// BindAddress gives the address to bind for a listener's port; nil for all addresses of the host. Tests give
	// "127.0.0.1:0", and ask ListenerAddr where it is.
	BindAddress func(port uint16) string
	// ReportInterval between reports to the operator. Default 30 s.
	ReportInterval time.Duration
	// IdentityInterval between looks at the identity's files. Default 10 s.
	IdentityInterval time.Duration
	// ListenRetryInterval between attempts to bind a port that could not be bound. Default 1 s.
	ListenRetryInterval time.Duration
	// FindPeers gives where the other replicas give their table, for a name and a port; nil to ask DNS.
	FindPeers func(ctx context.Context, name string, port uint16) ([]netip.AddrPort, error)
	// ProbePause before an endpoint to which no connection could be made is tried again by itself. Default 1 s.
	ProbePause time.Duration
	// PeerDelay before other replicas are asked for their table, and PeerPause between two rounds of it. Default 2 s and 1 s.
	PeerDelay, PeerPause time.Duration
}

// Proxy is a running proxy.
type Proxy struct {
	config    Config
	requests  *telemetry.Requests
	relayed   *telemetry.Streams
	sockets   *listen.Sockets
	datagrams *datagram.Ports
	pool      *upstream.Pool
	handler   *forward.Handler
	streams   *stream.Handler
	engine    *engine.Engine
	limits    atomic.Pointer[bootstrap.Limits] // those of the bootstrap, as the table's settings change them
	openable  uint64                           // files at one time
	table     *admin.Table
	admin     *admin.Server // nil when it runs by itself
	peers     *admin.Peers  // nil when it knows of no others
	health    *telemetry.Health
	unready   atomic.Bool

	abort     context.CancelFunc
	following sync.WaitGroup
	done      chan struct{}
	err       error
}

// Start starts a proxy. When ctx ends it drains and stops; Wait says when it has. An error means that nothing runs.
func Start(ctx context.Context, given Config) (*Proxy, error) {
	p := build(withDefaults(given))
	// What runs outlives ctx until the drain is over, and ends at once with Close.
	running, abort := context.WithCancel(context.WithoutCancel(ctx))
	p.abort = abort
	if err := p.start(running); err != nil {
		abort()
		p.stop(running)
		return nil, err
	}
	go p.untilDone(ctx, running)
	return p, nil
}

// Run starts a proxy and returns when it has stopped.
func Run(ctx context.Context, given Config) error {
	p, err := Start(ctx, given)
	if err != nil {
		return err
	}
	return p.Wait()
}

func withDefaults(given Config) Config {
	if given.Logger == nil {
		given.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if given.BindAddress == nil {
		given.BindAddress = func(port uint16) string { return net.JoinHostPort("", strconv.Itoa(int(port))) }
	}
	if given.FindPeers == nil {
		given.FindPeers = lookUpPeers
	}
	for _, interval := range []struct {
		value *time.Duration
		usual time.Duration
	}{
		{&given.ReportInterval, 30 * time.Second},
		{&given.IdentityInterval, 10 * time.Second},
		{&given.ListenRetryInterval, time.Second},
		{&given.ProbePause, time.Second},
		{&given.PeerDelay, 2 * time.Second},
		{&given.PeerPause, time.Second},
	} {
		if *interval.value == 0 {
			*interval.value = interval.usual
		}
	}
	return given
}

// build joins the rooms, and opens nothing.
func build(given Config) *Proxy {
	p := &Proxy{config: given, requests: &telemetry.Requests{}, relayed: &telemetry.Streams{}, done: make(chan struct{}), openable: openable()}
	limits, files := affordable(given.Bootstrap.Limits, p.openable)
	tellAffordable(given.Logger, given.Bootstrap.Limits, limits, p.openable)
	p.limits.Store(&limits)
	p.handler = forward.New(p.requests)
	p.streams = stream.New(p.relayed, streamLimits(limits))
	distrust := upstream.NewDistrust(given.Logger)
	p.handler.Log(distrust)
	p.streams.Log(distrust)
	p.sockets = listen.New(listen.Options{
		NewCodecs: func(port uint16) listen.Codecs {
			codecs := newCodecs(forward.Port{Handler: p.handler, Number: port}, *p.limits.Load(), given.Logger)
			codecs.Relay = p.streams.NewPort()
			return codecs
		},
		HandshakeTimeout: time.Duration(limits.HeaderTimeout),
		TicketInterval:   8 * time.Hour,
		Address:          given.BindAddress,
		MaxConnections:   limits.MaxConnections,
		MaxFiles:         files,
		DrainTimeout:     time.Duration(given.Bootstrap.Drain.Timeout),
		RetryInterval:    given.ListenRetryInterval,
		Logger:           given.Logger,
	})
	p.datagrams = datagram.New(datagram.Options{
		Address: given.BindAddress, RetryInterval: given.ListenRetryInterval, Limits: datagramLimits(limits), Logger: given.Logger,
	})
	p.pool = upstream.NewPool(upstream.Options{
		Connect:        p.transport,
		ConnectTimeout: func() time.Duration { return time.Duration(p.limits.Load().ConnectTimeout) },
		ProbePause:     given.ProbePause,
		Tell:           p.tellReach,
	})
	p.engine = engine.New(engine.Options{
		Forwarder: p.handler, Streams: p.streams, Sockets: p.sockets, Datagrams: p.datagrams, Pool: p.pool, Tune: p.tune,
	})
	p.table = admin.NewTable(p.engine, limits.MaxTableBytes)
	return p
}

// transport makes what sends requests to an endpoint; nil for one of streams.
func (p *Proxy) transport(target upstream.Target) upstream.Transport {
	limits := *p.limits.Load()
	switch target.Protocol {
	case upstream.TCP, upstream.UDP:
		return nil
	case upstream.HTTP2:
		return http2.NewClient(http2.ClientOptions{
			Endpoint: target.Address, TLS: upstream.WithSessions(target.TLS), ClientLimits: clientLimits(limits),
			MaxConnections: int(target.MaxConnections),
		})
	}
	return http1.NewClient(http1.ClientOptions{
		Endpoint: target.Address, TLS: upstream.WithSessions(target.TLS), ClientLimits: clientLimits(limits),
		MaxIdle: 256, MaxConnections: int(target.MaxConnections),
	})
}

// newCodecs makes what serves a port: HTTP/2 is chosen in a TLS handshake, or by how a connection without TLS begins.
func newCodecs(handler forward.Port, limits bootstrap.Limits, logger *slog.Logger) listen.Codecs {
	second := http2.NewServer(http2.ServerOptions{
		Handler: handler,
		Refused: handler.Refused,
		Limits:  serverLimits(limits),
		Logger:  logger,
	})
	first := http1.NewServer(http1.ServerOptions{
		Handler: handler,
		Refused: handler.Refused,
		Limits:  serverLimits(limits),
		HTTP2:   second.ServeEarly,
		Logger:  logger,
	})
	return listen.Codecs{HTTP1: first, HTTP2: second}
}

func (p *Proxy) start(ctx context.Context) error {
	var err error
	ready := func() bool { return p.engine.Ready() && !p.unready.Load() }
	p.health, err = telemetry.ServeHealth(p.config.Bootstrap.Health.Address, ready, p.config.Logger)
	if err != nil {
		return err
	}
	given := p.config.Resources != nil
	if given {
		if err := p.load(); err != nil {
			return err
		}
	}
	p.keepState(ctx, !given)
	return p.startAdmin(ctx)
}

func (p *Proxy) load() error {
	quarantined, err := p.table.Load(p.config.Resources)
	if err != nil {
		return err
	}
	p.config.Resources = nil // The table holds them.
	p.logQuarantined(quarantined)
	return nil
}

func (p *Proxy) logQuarantined(quarantined []config.Error) {
	for _, e := range quarantined {
		p.config.Logger.Warn("resource quarantined", "resource", e.Resource, "code", e.Code.String(), "message", e.Message)
	}
}

// stateInterval bounds how often the state file is written while tables change all the time.
const stateInterval = 2 * time.Second

// keepState serves the table of the state file, if it is to restore, and follows the ones to come. A file that cannot be
// used is no reason not to start: the operator will push the table.
func (p *Proxy) keepState(ctx context.Context, restore bool) {
	directory := p.config.Bootstrap.State.Directory
	if directory == "" {
		return
	}
	file := filepath.Join(directory, "table")
	if restore {
		restored, quarantined, err := p.table.Restore(file)
		if err != nil {
			p.config.Logger.Error("the last table cannot be served again", "error", err)
		}
		if restored {
			generation, hash := p.table.Serving()
			p.config.Logger.Info("serving the last table again", "generation", generation, "hash", hash)
			p.logQuarantined(quarantined)
		}
	}
	p.following.Go(func() { p.table.Keep(ctx, file, stateInterval, p.config.Logger) })
}

func (p *Proxy) startAdmin(ctx context.Context) error {
	settings := p.config.Bootstrap.Admin
	if settings == nil {
		return nil
	}
	files := admin.Files{Certificate: settings.Certificate, Key: settings.Key, CA: settings.CA}
	identity, err := admin.LoadIdentity(files, settings.Identity, settings.Operator)
	if err != nil {
		return err
	}
	p.following.Go(func() { identity.Follow(ctx, p.config.IdentityInterval, p.config.Logger) })
	p.admin, err = admin.Serve(admin.Options{
		Address:        settings.Address,
		Identity:       identity,
		Table:          p.table,
		Version:        p.config.Version,
		ReportInterval: p.config.ReportInterval,
		Logger:         p.config.Logger,
	})
	if err != nil {
		return err
	}
	return p.startPeers(ctx, identity)
}
