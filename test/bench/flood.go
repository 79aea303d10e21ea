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
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"time"
)

// flood is what comes to another listener than the one that is measured.
type flood string

const (
	// floodNone has the other listeners without any traffic.
	floodNone flood = "none"
	// floodHellos are connections that begin a TLS handshake and do not go on.
	floodHellos flood = "hellos"
	// floodIdle are connections of TCP that say nothing.
	floodIdle flood = "idle"
	// floodSources are datagrams of UDP, each from another address.
	floodSources flood = "sources"
)

const (
	// floodHeld connections are there all the time.
	floodHeld = 5_000
	// floodNew connections come in a second in place of the oldest, and as many datagrams.
	floodNew = 500
	// halfHello is the beginning of a record of 512 bytes with a ClientHello.
	halfHello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
	flooding  = "flooding\n"
)

// floodMain is the process: `bench flood FLAGS` prints a line when what is to be held is there, and goes on until it is stopped.
func floodMain(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("flood", flag.ContinueOnError)
	port := flags.Int("port", 0, "port on 127.0.0.1")
	kind := flags.String("kind", "", "hellos, idle or sources")
	held := flags.Int("held", floodHeld, "connections that are there all the time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	step := map[flood]func() error{
		floodHellos:  (&crowd{address: fmt.Sprintf("127.0.0.1:%d", *port), says: halfHello, held: *held}).replace,
		floodIdle:    (&crowd{address: fmt.Sprintf("127.0.0.1:%d", *port), held: *held}).replace,
		floodSources: func() error { return fromElsewhere(*port) },
	}[flood(*kind)]
	if step == nil {
		return fmt.Errorf("there is no flood of %q", *kind)
	}
	for range *held {
		if err := step(); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(out, flooding); err != nil {
		return err
	}
	for range time.Tick(time.Second / floodNew) {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// crowd is connections that are held.
type crowd struct {
	address, says string
	held          int
	conns         []net.Conn
}

// replace opens a connection, and closes the oldest of those above the number that is held.
func (c *crowd) replace() error {
	conn, err := net.Dial("tcp", c.address)
	if err != nil {
		return err
	}
	_, _ = io.WriteString(conn, c.says) // The subject may have closed it already.
	if c.conns = append(c.conns, conn); len(c.conns) > c.held {
		_ = c.conns[0].Close()
		c.conns = c.conns[1:]
	}
	return nil
}

// fromElsewhere sends a datagram from an address that has not been seen before, or hardly.
func fromElsewhere(port int) error {
	n := rand.Uint32() //nolint:gosec // any address will do
	from := net.UDPAddr{IP: net.IPv4(127, byte(n), byte(n>>8), 1+byte(n>>16)%250)}
	conn, err := net.DialUDP("udp", &from, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_, err = io.WriteString(conn, smallBody)
	return err
}

// startFlood floods a contender until the process is stopped; nil where the scenario has none.
func startFlood(ctx context.Context, s scenario, at target) (*process, error) {
	if s.flood == "" || s.flood == floodNone {
		return nil, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	said, says := io.Pipe()
	p, err := start("flood", at.cpus, says, self, "flood", fmt.Sprintf("-kind=%s", s.flood), fmt.Sprintf("-port=%d", at.flooded))
	if err != nil {
		return nil, err
	}
	begun := make(chan error, 1)
	go func() {
		line := make([]byte, len(flooding))
		_, err := io.ReadFull(said, line)
		begun <- err
		_, _ = io.Copy(io.Discard, said)
	}()
	select {
	case err = <-begun:
	case <-p.ended:
		err = p.gone()
	case <-time.After(time.Minute):
		err = errors.New("the flood has not come in a minute")
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

const floodedTable = `- {name: listener/stream, listener: {port: %[1]d, protocol: %[2]s}}
- {name: listener/datagrams, listener: {port: %[1]d, protocol: PROTOCOL_UDP}}
- {name: backend/stream, backend: {protocol: BACKEND_PROTOCOL_TCP, endpoints: endpoints/bench}}
- {name: backend/datagrams, backend: {protocol: BACKEND_PROTOCOL_UDP, endpoints: endpoints/datagrams}}
- {name: endpoints/datagrams, endpoints: {endpoints: [{address: 127.0.0.1, port: %[3]d, state: ENDPOINT_STATE_READY}]}}
- name: route/tcproute/bench/r
  stream_route:
    attachments: [{listener: listener/stream}]
    backends: [{backend: backend/stream, weight: 1}]
    origin: {kind: TCPRoute, namespace: bench, name: r}
- name: route/udproute/bench/r
  stream_route:
    attachments: [{listener: listener/datagrams}]
    backends: [{backend: backend/datagrams, weight: 1}]
    origin: {kind: UDPRoute, namespace: bench, name: r}
`

// rautaFlooded are the listeners beside the measured one, on one port number: of TCP, or of TLS that passes through, and of UDP.
func rautaFlooded(s site) string {
	switch s.flood {
	case "":
		return ""
	case floodHellos:
		return fmt.Sprintf(floodedTable, s.flooded, "PROTOCOL_TLS, passthrough: true", s.datagramsBehind)
	default:
		return fmt.Sprintf(floodedTable, s.flooded, "PROTOCOL_TCP", s.datagramsBehind)
	}
}
