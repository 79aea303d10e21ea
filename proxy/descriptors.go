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
	"log/slog"
	"math"
	"syscall"

	"github.com/rauta-dev/rauta/proxy/bootstrap"
)

// What a process may open is one bound for all ports: where it is reached, nobody's connection is accepted, and none to an endpoint
// can be made, whatever is kept for each port. So what clients may have is bounded by it beforehand.
const (
	// ownDescriptors are for what is no client's: sockets that accept, the admin channel, pipes, files.
	ownDescriptors = 1024
	// forSessions, of what is left of one, is for sessions of UDP, which a table may raise; forRequests, of the others, is for
	// connections to endpoints that requests share. All other files are for clients' connections, and for those of streams to endpoints.
	forSessions, forRequests = 4, 8
)

// openable is how many files this process may have open.
func openable() uint64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxUint64 // As if there were no limit: that which there is shows itself when it is reached.
	}
	return limit.Cur
}

// affordable gives limits under which clients leave files for everything else, and how many are for connections.
func affordable(limits bootstrap.Limits, openable uint64) (lowered bootstrap.Limits, files int) {
	open := int(min(openable, math.MaxInt32))
	rest := open - min(ownDescriptors, open/4)
	sessions := rest / forSessions
	files = rest - sessions
	files = max(files-files/forRequests, 2)
	limits.MaxDatagramSessions = min(limits.MaxDatagramSessions, max(sessions, 1))
	limits.MaxConnections = min(limits.MaxConnections, files)
	return limits, files
}

// tellAffordable says in the log what is less than was wanted.
func tellAffordable(logger *slog.Logger, wanted, limits bootstrap.Limits, openable uint64) {
	if wanted.MaxConnections == limits.MaxConnections && wanted.MaxDatagramSessions == limits.MaxDatagramSessions {
		return
	}
	logger.Warn("fewer clients than configured can be served: the process may not open enough files",
		"files", openable, "maxConnections", limits.MaxConnections, "maxDatagramSessions", limits.MaxDatagramSessions)
}
