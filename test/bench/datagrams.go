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
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// datagramTimeout is how long a client waits for an answer. One that is lost costs it this time, and counts as an error.
const datagramTimeout = time.Second

// repeatDatagrams is the backend of UDP: it sends back what comes.
func repeatDatagrams(on *net.UDPConn) error {
	piece := make([]byte, 64<<10)
	for {
		n, from, err := on.ReadFromUDPAddrPort(piece)
		if err != nil {
			return err
		}
		if _, err := on.WriteToUDPAddrPort(piece[:n], from); err != nil {
			return err
		}
	}
}

// datagramsMain is the generator's process: `bench datagrams FLAGS` has clients send one datagram after the other.
func datagramsMain(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("datagrams", flag.ContinueOnError)
	port := flags.Int("port", 0, "port on 127.0.0.1")
	clients := flags.Int("clients", 64, "clients that wait for an answer at one time")
	duration := flags.Duration("duration", time.Second, "how long to go on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	free := make(chan net.Conn, *clients)
	for range *clients {
		conn, err := dialDatagrams(*port)
		if err != nil {
			return err
		}
		free <- conn
	}
	// Before the first is sent; a look at the clock for each would be the generator's largest cost.
	ended := new(atomic.Bool)
	defer time.AfterFunc(*duration, func() { ended.Store(true) }).Stop()
	return json.NewEncoder(out).Encode(repeat(*clients, func(int64) bool { return !ended.Load() }, func(_ int64, r *bufio.Reader) error {
		conn := <-free
		defer func() { free <- conn }()
		return exchange(conn, r)
	}))
}

func dialDatagrams(port int) (net.Conn, error) {
	return net.Dial("udp", fmt.Sprintf("127.0.0.1:%d", port))
}

// exchange sends a datagram and reads it again.
func exchange(conn net.Conn, r *bufio.Reader) error {
	if err := conn.SetDeadline(time.Now().Add(datagramTimeout)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, smallBody); err != nil {
		return err
	}
	r.Reset(conn)
	// A read of a socket is a datagram, and fits into the reader.
	if _, err := r.Peek(1); err != nil {
		return err
	}
	got, err := r.Peek(r.Buffered())
	if err != nil {
		return err
	}
	if string(got) != smallBody {
		return errors.New("another datagram has come back")
	}
	return nil
}

// probeDatagram has one datagram sent back.
func probeDatagram(ctx context.Context, port int) error {
	conn, err := dialDatagrams(port)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	return exchange(conn, bufio.NewReader(nil))
}

// runDatagrams loads a subject with datagrams.
func runDatagrams(ctx context.Context, s scenario, at target, d time.Duration) (result, error) {
	self, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	out, err := execute(ctx, "datagrams", at.cpus, self, "datagrams",
		fmt.Sprintf("-port=%d", at.port), fmt.Sprintf("-clients=%d", s.connections), "-duration="+d.String())
	if err != nil {
		return result{}, err
	}
	return parseSummary([]byte(out))
}
