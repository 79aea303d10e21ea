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
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/proxy/socket"
)

// MaxMessageBytes is the largest message that is received. Updates are chunks of adminv1.ChunkBytes; only a single
// resource that is larger makes a larger one.
const MaxMessageBytes = 16 << 20

// windowBytes is how much of messages may be on the way from an operator: a few chunks. grpc would find out by itself how much serves best,
// with a ping, and the answer to it, for each message.
const windowBytes = 1 << 20

// Options of the server.
type Options struct {
	// Address to listen on.
	Address string
	// Credentials of the proxy and of its operator.
	Identity *Identity
	Table    *Table
	// Version of this binary, told in inventories.
	Version string
	// ReportInterval between the reports of what serves.
	ReportInterval time.Duration
	Logger         *slog.Logger
}

// Server is the admin API of one replica.
type Server struct {
	adminv1.UnimplementedAdminServer

	options  Options
	socket   net.Listener
	grpc     *grpc.Server
	stopping chan struct{}
	stop     sync.Once

	mu sync.Mutex
	// supersede ends the newest session.
	supersede chan struct{}
}

// Serve begins to answer.
func Serve(options Options) (*Server, error) {
	door, err := socket.OpenDoorway(options.Address, maxEntering)
	if err != nil {
		return nil, fmt.Errorf("admin: %w", err)
	}
	s := &Server{options: options, socket: door, stopping: make(chan struct{})}
	s.grpc = grpc.NewServer(
		grpc.Creds(newCredentials(options.Identity.serverConfig, newRefusals("admin connection", options.Logger))),
		grpc.MaxRecvMsgSize(MaxMessageBytes),
		grpc.StaticStreamWindowSize(windowBytes), grpc.StaticConnWindowSize(windowBytes),
		grpc.MaxConcurrentStreams(4),
		grpc.ConnectionTimeout(10*time.Second),
		// An operator that is gone without a word is noticed within a minute.
		grpc.KeepaliveParams(keepalive.ServerParameters{Time: 30 * time.Second, Timeout: 15 * time.Second}),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	)
	adminv1.RegisterAdminServer(s.grpc, s)
	go func() {
		if err := s.grpc.Serve(door); err != nil {
			options.Logger.Error("admin server ended", "error", err)
		}
	}()
	return s, nil
}

// Addr is where the operator connects.
func (s *Server) Addr() string { return s.socket.Addr().String() }

// Close ends the sessions and the server.
func (s *Server) Close() {
	s.stop.Do(func() { close(s.stopping) })
	s.grpc.Stop()
}
