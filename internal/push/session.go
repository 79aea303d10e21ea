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
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-logr/logr"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

const (
	// maxMessageBytes bounds one message in either direction. Proxies take as much, and it is also what a replica can
	// make the operator hold for one.
	maxMessageBytes = 16 << 20

	// windowBytes is how much of messages may be on the way from a replica. grpc would find out by itself how much serves best, with a ping,
	// and the answer to it, for each message.
	windowBytes = 1 << 20

	keepaliveTime    = 30 * time.Second
	keepaliveTimeout = 10 * time.Second
)

// version names one table of one Gateway.
type version struct {
	generation uint64
	hash       string
}

// target is the table that a session has to bring about.
type target struct {
	table      *table
	generation uint64
}

func (t *target) version() version { return version{generation: t.generation, hash: t.table.hash()} }

// session keeps one replica at one address up to date, through one conversation after another.
type session struct {
	gateway *gateway
	id      string
	address string
	log     logr.Logger
	ctx     context.Context
	cancel  context.CancelFunc
	// bell rings when the target may have changed.
	bell chan struct{}

	// What the replica said it serves, and what is told of it; guarded by the gateway's lock.
	served version
	state  ReplicaState
}

// newSession is a session that does not run yet. The gateway's lock is held.
func newSession(g *gateway, replica Replica) *session {
	ctx, cancel := context.WithCancel(g.ctx)
	return &session{
		gateway: g, id: replica.ID, address: replica.Address, ctx: ctx, cancel: cancel, bell: make(chan struct{}, 1),
		log: g.pusher.options.Logger.WithValues("gateway", g.key.Namespace+"/"+g.key.Name,
			"replica", replica.ID, "address", replica.Address),
		state: ReplicaState{ID: replica.ID, Address: replica.Address, Ready: replica.Ready},
	}
}

// run converses until the session is cancelled. After a conversation that failed it pauses, longer each time until one
// got as far as an acknowledgement.
func (s *session) run() {
	defer s.cancel()
	options := s.gateway.pusher.options
	pause, logged := options.BackoffMin, ""
	for {
		agreed, err := s.converse()
		if s.ctx.Err() != nil {
			return
		}
		problem := explain(err)
		s.gateway.pusher.metrics.failures.Inc()
		s.gateway.update(s, func(state *ReplicaState) {
			state.Connected, state.Settled, state.Problem = false, true, problem
		})
		if agreed {
			pause, logged = options.BackoffMin, ""
		}
		if problem != logged {
			s.log.Info("session with replica failed", "problem", problem)
			logged = problem
		}
		if !s.sleep(jitter(pause)) {
			return
		}
		pause = min(2*pause, options.BackoffMax)
	}
}

// converse opens one connection with one stream and keeps to it until it ends. It tells whether replica and operator
// agreed on a table, so that what ended the conversation says nothing against the next one.
func (s *session) converse() (agreed bool, err error) {
	options := s.gateway.pusher.options
	// The newest session with a replica wins: one of an operator that was overtaken would end its successor's.
	if err := options.Allowed(); err != nil {
		return false, err
	}
	connection, err := grpc.NewClient("passthrough:///"+s.address, append([]grpc.DialOption{
		grpc.WithTransportCredentials(options.Credentials(s.gateway.key)),
		// Replicas are in the cluster: a proxy of the environment is not on the way to them.
		grpc.WithNoProxy(),
		grpc.WithDisableServiceConfig(),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: options.DialTimeout}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: keepaliveTime, Timeout: keepaliveTimeout}),
		grpc.WithStaticStreamWindowSize(windowBytes), grpc.WithStaticConnWindowSize(windowBytes),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(maxMessageBytes), grpc.MaxCallRecvMsgSize(maxMessageBytes)),
	}, options.DialOptions...)...)
	if err != nil {
		return false, fmt.Errorf("prepare connection to %s: %w", s.address, err)
	}
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithCancelCause(s.ctx)
	defer cancel(nil)
	c := newConversation(s, cancel)
	defer c.close()
	c.stream, err = adminv1.NewAdminClient(connection).Sync(ctx)
	if err != nil {
		return false, err
	}
	err = c.hold(ctx)
	// What the stream says about its end is less than why we ended it.
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return c.agreed && status.Code(err) != codes.Aborted, err
}

// sleep waits, and tells whether the session is still wanted afterwards.
func (s *session) sleep(pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-s.ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// jitter is between a half and the whole of a pause, so that the sessions that failed together do not return together.
func jitter(pause time.Duration) time.Duration {
	return pause/2 + rand.N(pause/2+1)
}
