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

package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/socket"
)

const (
	// maxAnswered is how many replicas are given the table at one time. Others ask again, or ask another.
	maxAnswered = 4
	// answerTime is how long giving it may take.
	answerTime = time.Minute
	// findTime bounds the looking up of the other replicas.
	findTime = 3 * time.Second
)

// PeerOptions are those of Peers.
type PeerOptions struct {
	// Address to listen on.
	Address string
	// Identity that all replicas of the Gateway share.
	Identity *Identity
	Table    *Table
	// Find gives where the Gateway's replicas are; this one may be among them.
	Find func(ctx context.Context) ([]netip.AddrPort, error)
	// Delay before others are asked, in which the operator comes first where there is one.
	Delay time.Duration
	// Pause between two rounds of asking; it doubles, to at most sixteen times as much.
	Pause  time.Duration
	Logger *slog.Logger
}

// Peers gives the table to the other replicas of the Gateway, and asks them for theirs; see Seek.
//
// Two things are asked of whoever wants the table, which holds the keys of the Gateway's certificates: the Gateway's
// identity, and to be at the address of one of its replicas. So a copy of the identity is of no use elsewhere.
type Peers struct {
	adminv1.UnimplementedPeersServer

	options  PeerOptions
	socket   net.Listener
	grpc     *grpc.Server
	answered chan struct{}
	refused  *refusals
	serving  sync.WaitGroup
}

// ServePeers begins to answer.
func ServePeers(options PeerOptions) (*Peers, error) {
	door, err := socket.OpenDoorway(options.Address, maxEntering)
	if err != nil {
		return nil, fmt.Errorf("peers: %w", err)
	}
	refused := newRefusals("connection of a replica", options.Logger)
	p := &Peers{options: options, socket: door, refused: refused, answered: make(chan struct{}, maxAnswered)}
	p.grpc = grpc.NewServer(
		grpc.Creds(newCredentials(options.Identity.peerConfig, refused)),
		grpc.MaxRecvMsgSize(4<<10),
		grpc.MaxConcurrentStreams(1),
		grpc.ConnectionTimeout(10*time.Second),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			MaxConnectionIdle: 10 * time.Second,
			// A replica that takes nothing must not hold a table that has long been replaced here.
			MaxConnectionAge: answerTime, MaxConnectionAgeGrace: time.Second,
		}),
	)
	adminv1.RegisterPeersServer(p.grpc, p)
	p.serving.Go(func() {
		if err := p.grpc.Serve(door); err != nil {
			options.Logger.Error("the server for other replicas ended", "error", err)
		}
	})
	return p, nil
}

// Addr is where other replicas connect.
func (p *Peers) Addr() string { return p.socket.Addr().String() }

// Close ends the server.
func (p *Peers) Close() {
	p.grpc.Stop()
	p.serving.Wait()
}

// Table gives the table that serves to another replica of the Gateway.
func (p *Peers) Table(_ *adminv1.TableRequest, stream adminv1.Peers_TableServer) error {
	select {
	case p.answered <- struct{}{}:
		defer func() { <-p.answered }()
	default:
		return status.Error(codes.ResourceExhausted, "this replica gives its table to as many others as it may at a time")
	}
	if err := p.admit(stream.Context()); err != nil {
		return err
	}
	table, held := p.options.Table.offer()
	if !held {
		return status.Error(codes.FailedPrecondition, "this replica has no table")
	}
	return table.messages(stream.Send)
}

// admit refuses whoever is not where a replica of the Gateway is.
func (p *Peers) admit(ctx context.Context) error {
	asking, found := peer.FromContext(ctx)
	if !found {
		return status.Error(codes.Internal, "there is no address of the client")
	}
	ctx, cancel := context.WithTimeout(ctx, findTime)
	defer cancel()
	replicas, err := p.options.Find(ctx)
	if err != nil {
		return status.Error(codes.Unavailable, "the Gateway's replicas cannot be looked up: "+err.Error())
	}
	at, err := netip.ParseAddrPort(asking.Addr.String())
	if err != nil {
		return status.Error(codes.Internal, err.Error())
	}
	for _, replica := range replicas {
		if replica.Addr().Unmap() == at.Addr().Unmap() {
			return nil
		}
	}
	p.refused.refused(asking.Addr, errors.New("it has the Gateway's identity, and is at the address of none of its replicas"))
	return status.Error(codes.PermissionDenied, "no replica of the Gateway is at this address, as far as is known here")
}
