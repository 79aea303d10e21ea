//go:build linux

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
	"fmt"
	"strings"
)

// smallBody is what the backend answers to all requests but those for largePath: 70 bytes.
const smallBody = "a response of seventy bytes, as small as those of many an API may be.\n"

const (
	largeBytes  = 1 << 20
	uploadBytes = 64 << 10
	idleCount   = 10_000
	hostCount   = 1_000
)

// load says what makes the requests of a scenario.
type load int

const (
	// loadWrk is wrk: HTTP/1.1 on keep-alive connections.
	loadWrk load = iota
	// loadH2 is h2load: HTTP/2 with several streams at a time.
	loadH2
	// loadConnect is this program: a new connection for each request, with a full handshake when there is TLS.
	loadConnect
	// loadHold is this program: connections that are opened, used once, held and used again.
	loadHold
	// loadDatagrams is this program: UDP clients that each send a datagram and wait for the answer. There is no HTTP.
	loadDatagrams
)

// scenario is one kind of traffic.
type scenario struct {
	name  string
	about string
	load  load
	tls   bool
	// grpc has the subject speak HTTP/2 without TLS on both sides, with a gRPC server as its backend.
	grpc bool
	// upload has the requests carry a body of uploadBytes, to a backend that reads all of it.
	upload bool
	// stream has the subject relay connections as they come, without a look at the requests in them; those of TLS by the server name
	// that is asked for.
	stream bool
	// secured has the subject speak TLS to the backend.
	secured bool
	// flood is what comes to another listener meanwhile; empty where there is no other listener.
	flood flood
	// closing has each request ask for its connection to be closed.
	closing bool
	// spread has the requests go to all routes in turn; otherwise all are for the first one.
	spread bool
	routes int
	// connections at one time, and streams at one time on each of them (HTTP/2).
	connections, streams int
	path                 string
	// responseBytes of a response's content.
	responseBytes int
}

// scenarios are in the order in which they run.
var scenarios = []scenario{
	{
		name: "h1-small", about: "HTTP/1.1, 64 keep-alive connections, responses of 70 bytes",
		load: loadWrk, routes: 1, connections: 64, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "h1-tls", about: "the same over TLS 1.3",
		load: loadWrk, tls: true, routes: 1, connections: 64, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "h1-secured-backend", about: "as h1-small, over TLS 1.3 to the backend alone, whose certificate is verified",
		load: loadWrk, secured: true, routes: 1, connections: 64, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "h2-tls", about: "HTTP/2 over TLS 1.3, 16 connections with 16 streams each, responses of 70 bytes",
		load: loadH2, tls: true, routes: 1, connections: 16, streams: 16, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "h1-1mib-response", about: "HTTP/1.1, 16 keep-alive connections, responses of 1 MiB",
		load: loadWrk, routes: 1, connections: 16, path: largePath, responseBytes: largeBytes,
	},
	{
		name: "h1-64kib-request", about: "HTTP/1.1, 16 keep-alive connections, requests with 64 KiB of content",
		load: loadWrk, upload: true, routes: 1, connections: 16, path: "/p0/upload", responseBytes: len(smallBody),
	},
	{
		name: "h1-new-connection", about: "HTTP/1.1, a new connection for each request, 64 at a time",
		load: loadWrk, closing: true, routes: 1, connections: 64, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "tls-new-connection", about: "the same with a full TLS 1.3 handshake (ECDSA P-256, X25519), 16 at a time",
		load: loadConnect, tls: true, closing: true, routes: 1, connections: 16, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "routes-1", about: "as h1-small with the generator of routes-5000, and one route",
		load: loadWrk, spread: true, routes: 1, connections: 64, path: "/small", responseBytes: len(smallBody),
	},
	{
		name: "routes-5000", about: "as h1-small, requests to all of 5,000 routes on 1,000 hosts in turn",
		load: loadWrk, spread: true, routes: 5_000, connections: 64, path: "/small", responseBytes: len(smallBody),
	},
	{
		name: "grpc-unary", about: "gRPC without TLS, 16 connections with 16 calls each",
		load: loadH2, grpc: true, routes: 1, connections: 16, streams: 16, path: healthMethod, responseBytes: 7,
	},
	{
		name: "idle-10000", about: "10,000 keep-alive connections that are opened, used once and held",
		load: loadHold, routes: 1, connections: idleCount, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "tcp-1mib", about: "TCP, relayed as it comes: the requests of h1-1mib-response",
		load: loadWrk, stream: true, routes: 1, connections: 16, path: largePath, responseBytes: largeBytes,
	},
	{
		name: "passthrough-1mib", about: "TLS, passed through by its server name: the requests of h1-1mib-response over TLS 1.3",
		load: loadWrk, stream: true, tls: true, routes: 1, connections: 16, path: largePath, responseBytes: largeBytes,
	},
	{
		name: "passthrough-new-connection", about: "TLS, passed through by its server name: a new connection with a full handshake for each request, 16 at a time",
		load: loadConnect, stream: true, tls: true, closing: true, routes: 1, connections: 16, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "flood-none", about: "HTTP/1.1, 4 keep-alive connections, responses of 70 bytes, beside listeners of TCP and UDP that are idle",
		load: loadWrk, flood: floodNone, routes: 1, connections: 4, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "flood-hellos", about: "the same beside 5,000 connections that begin a TLS handshake and do not go on, and 500 new ones a second",
		load: loadWrk, flood: floodHellos, routes: 1, connections: 4, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "flood-idle", about: "the same beside 5,000 connections of TCP that say nothing, and 500 new ones a second",
		load: loadWrk, flood: floodIdle, routes: 1, connections: 4, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "flood-sources", about: "the same beside datagrams of UDP from 500 new addresses a second, after 5,000 at once",
		load: loadWrk, flood: floodSources, routes: 1, connections: 4, path: "/p0/small", responseBytes: len(smallBody),
	},
	{
		name: "udp-small", about: "UDP, 64 clients that each send 70 bytes and wait until they come back; a request is both datagrams",
		load: loadDatagrams, routes: 1, connections: 64, responseBytes: len(smallBody),
	},
}

// route is the n-th of a scenario's routes: a host, and the path prefix that is routed.
type route struct {
	host   string
	prefix string
}

// wrkHost is the server name that wrk asks for: it has no other than the host that it connects to.
const wrkHost = "localhost"

// passesThrough says that the subject relays TLS that it does not end.
func (s scenario) passesThrough() bool { return s.stream && s.tls }

// routeOf spreads routes over hostCount hosts before any of them gets a second path.
func routeOf(n int) route {
	return route{host: fmt.Sprintf("h%04d.bench.test", n%hostCount), prefix: fmt.Sprintf("/p%d", n/hostCount)}
}

// table is the routes that a subject has in this scenario.
func (s scenario) table() []route {
	if s.load == loadDatagrams {
		return nil
	}
	if s.grpc {
		return []route{{host: routeOf(0).host, prefix: "/" + healthService}}
	}
	routes := make([]route, s.routes)
	for n := range routes {
		routes[n] = routeOf(n)
	}
	return routes
}

// selected gives the scenarios that a list names, in their own order; all of them for an empty list. Names are
// separated by commas or spaces.
func selected(list string) ([]scenario, error) {
	names := separated(list)
	if len(names) == 0 {
		return scenarios, nil
	}
	var chosen []scenario
	for _, s := range scenarios {
		if names[s.name] {
			chosen = append(chosen, s)
			delete(names, s.name)
		}
	}
	for name := range names {
		return nil, fmt.Errorf("there is no scenario %q; there are %s", name, scenarioNames())
	}
	return chosen, nil
}

func scenarioNames() string {
	names := make([]string, 0, len(scenarios))
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return strings.Join(names, ", ")
}

func separated(list string) map[string]bool {
	names := make(map[string]bool)
	for _, name := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		names[name] = true
	}
	return names
}
