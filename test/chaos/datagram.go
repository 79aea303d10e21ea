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
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// datagramLimit is how long a datagram may be on its way: longer than anything is paused that is expected to go on.
	datagramLimit = 10 * time.Second
	// underWay is how long before something is broken a datagram may have been sent that is lost with it.
	underWay = 2 * time.Second
	// mostUnderWay is how many datagrams of a socket may be under way when the kernel is told to send what comes from it to another replica:
	// what comes back of those is nobody's any more.
	mostUnderWay = 3
)

// sender sends datagrams, each with a number, and expects every one of them back.
type sender struct {
	load    *load
	subject *subject
	kind    traffic
	dialer  dialer

	mu      sync.Mutex
	waiting map[int64]sent
	lost    map[netip.Addr]int // by replica
}

// sent is a datagram of which nothing has come back yet.
type sent struct {
	at      time.Time
	replica netip.Addr // that the socket's datagrams went to then
	port    uint16
}

// newSenders are two: one that keeps its socket whatever happens, as whoever sends datagrams is told of nothing, and one that has a socket
// for each. Their ports are none of each other's.
func newSenders(l *load, s *subject) []*sender {
	made := func(kind traffic, first uint16) *sender {
		return &sender{
			load: l, subject: s, kind: kind, waiting: map[int64]sent{}, lost: map[netip.Addr]int{},
			dialer: dialer{datagrams: true, next: first},
		}
	}
	return []*sender{made(keptUDP, firstPort-1), made(newUDP, firstPort+99)}
}

func (s *sender) run(ctx context.Context) {
	var receivers sync.WaitGroup
	var socket net.Conn
	for number := int64(1); wait(ctx, slowPause); number++ {
		s.judge(time.Now().Add(-datagramLimit))
		if socket == nil || s.kind == newUDP {
			opened, err := s.dialer.dial(ctx, s.to().String())
			if err != nil {
				s.fail(sent{at: time.Now()}, err)
				continue
			}
			socket = opened
			receivers.Go(func() { s.receive(opened) })
		}
		s.send(socket, number)
	}
	// What is under way comes to its end: all sockets have a deadline.
	receivers.Wait()
	s.judge(time.Now())
}

func (s *sender) to() netip.AddrPort { return s.subject.at(udpPort) }

// send notes the datagram first: what comes back may be faster.
func (s *sender) send(socket net.Conn, number int64) {
	port := s.dialer.last.Load().port
	s.mu.Lock()
	s.waiting[number] = sent{at: time.Now(), replica: s.load.conntrack.last(port, s.to()), port: port}
	s.mu.Unlock()
	if err := socket.SetReadDeadline(time.Now().Add(datagramLimit)); err != nil {
		return // It is closed, and nothing will come back.
	}
	_, _ = fmt.Fprint(socket, number) // What cannot be sent does not come back.
}

// receive takes what comes back until nothing has for as long as a datagram may take.
func (s *sender) receive(socket net.Conn) {
	defer socket.Close()
	text := make([]byte, 1<<10)
	for {
		n, err := socket.Read(text)
		if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // That a datagram before was refused; it is missed in its time.
		}
		word, _, _ := strings.Cut(string(text[:n]), " ")
		number, err := strconv.ParseInt(word, 10, 64)
		s.mu.Lock()
		found, expected := s.waiting[number]
		delete(s.waiting, number)
		s.mu.Unlock()
		if err != nil || !expected {
			s.fail(sent{at: time.Now()}, fmt.Errorf("%.40q came back, which was not sent, or before", text[:n]))
			continue
		}
		s.load.ledger.succeed(s.kind, time.Since(found.at))
		if s.kind == newUDP {
			return
		}
	}
}

// judge takes for lost what was sent before a moment.
func (s *sender) judge(before time.Time) {
	s.mu.Lock()
	lost := map[int64]sent{}
	for number, one := range s.waiting {
		if one.at.Before(before) {
			lost[number] = one
			delete(s.waiting, number)
		}
	}
	s.mu.Unlock()
	for number, one := range lost {
		s.fail(one, fmt.Errorf("datagram %d from port %d was lost", number, one.port))
	}
}

// fail notes a datagram that was lost, at the replica that the kernel sent it to: that is the last one that it chose for the socket.
func (s *sender) fail(one sent, err error) {
	if !one.replica.IsValid() {
		one.replica = s.load.conntrack.last(one.port, s.to())
	}
	s.mu.Lock()
	s.lost[one.replica]++
	held := s.kind == keptUDP && s.lost[one.replica] <= mostUnderWay
	s.mu.Unlock()
	s.load.ledger.fail(&failure{
		Traffic: s.kind, Gateway: s.subject.name, Held: held, Replica: one.replica, Begin: one.at, End: one.at.Add(underWay), Message: err.Error(),
	})
}
