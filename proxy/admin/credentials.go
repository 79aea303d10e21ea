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
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"

	"github.com/rauta-dev/rauta/proxy/socket"
)

// maxEntering is how many clients may be about to prove who they are at one time, each for up to ten seconds.
const maxEntering = 64

// loggedCredentials logs the connections that are refused.
type loggedCredentials struct {
	credentials.TransportCredentials
	log *refusals
}

// newCredentials are those of a server whose handshakes are each held under the configuration that is current then, so that
// new files are used without a restart.
func newCredentials(current func() *tls.Config, log *refusals) credentials.TransportCredentials {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS13,
		NextProtos:         []string{"h2"},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return current(), nil },
	}
	return &loggedCredentials{TransportCredentials: credentials.NewTLS(config), log: log}
}

// ServerHandshake authenticates a client.
func (c *loggedCredentials) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		c.log.refused(raw.RemoteAddr(), err)
	}
	if client, counted := raw.(*socket.Entering); counted && err == nil {
		client.Enter()
	}
	return conn, info, err
}

// Clone keeps the log.
func (c *loggedCredentials) Clone() credentials.TransportCredentials {
	return &loggedCredentials{TransportCredentials: c.TransportCredentials.Clone(), log: c.log}
}

// refusals logs refused connections at a bounded rate, with how many were left out since the last line: whoever can
// reach the port must not be able to fill a disk.
type refusals struct {
	logger *slog.Logger
	// what was refused, as the line begins.
	what  string
	every time.Duration

	mu      sync.Mutex
	last    time.Time
	skipped int
}

func newRefusals(what string, logger *slog.Logger) *refusals {
	return &refusals{logger: logger, what: what, every: time.Second}
}

func (r *refusals) refused(client net.Addr, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if now.Sub(r.last) < r.every {
		r.skipped++
		return
	}
	r.logger.Warn(r.what+" refused", "client", client.String(), "error", err, "skipped", r.skipped)
	r.last, r.skipped = now, 0
}
