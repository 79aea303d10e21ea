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

package engine

import (
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/config"
	"github.com/rauta-dev/rauta/proxy/datagram"
)

// datagramSnapshot has two listeners of UDP, of which one shares its number with one of TCP, and three routes on the first.
func datagramSnapshot() *config.Snapshot {
	attached := []config.Attachment{{Listener: "dns"}}
	at := func(second int64) config.Origin { return config.Origin{Created: time.Unix(second, 0)} }
	return &config.Snapshot{
		Listeners: []*config.Listener{
			{Name: "dns", Port: 53, Protocol: config.ProtocolUDP},
			{Name: "dns-tcp", Port: 53, Protocol: config.ProtocolTCP},
			{Name: "idle", Port: 54, Protocol: config.ProtocolUDP},
		},
		StreamRoutes: []*config.StreamRoute{
			{Name: "a", Origin: at(3), Attachments: attached, Backends: []config.WeightedBackend{{Backend: "v", Weight: 1}}},
			{Name: "b", Origin: at(1), Attachments: attached, Backends: []config.WeightedBackend{{Backend: "u", Weight: 2}, {Weight: 1}, {Backend: "v"}}},
			{Name: "c", Origin: at(2), Attachments: attached},
			{Name: "t", Attachments: []config.Attachment{{Listener: "dns-tcp"}}, Backends: []config.WeightedBackend{{Backend: "w", Weight: 1}}},
		},
		Backends: []*config.Backend{
			{Name: "u", Protocol: config.BackendUDP, Endpoints: "eu", Balancing: config.BalancingLeastRequest, MaxConnections: 7},
			{Name: "v", Protocol: config.BackendUDP, Endpoints: "ev"},
			{Name: "w", Protocol: config.BackendTCP, Endpoints: "eu"},
		},
		Endpoints: []*config.Endpoints{endpoints("eu", 1, 2), endpoints("ev", 3)},
	}
}

func TestDatagramPorts(t *testing.T) {
	e, s, _ := newEngine()
	if errs := e.Apply(datagramSnapshot()); len(errs) > 0 {
		t.Fatal(errs)
	}
	at := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr("10.0.0.1"), port) }
	want := []datagram.Port{
		{Number: 53, Shares: []datagram.Share{ // Of the oldest route; that of weight 0 is left out.
			{Backend: &datagram.Backend{Name: "u", LeastSessions: true, MaxSessions: 7, Ready: []netip.AddrPort{at(1), at(2)}}, Weight: 2},
			{Weight: 1}, // Not resolved: its share is dropped.
		}},
		{Number: 54}, // Without a route all is dropped.
	}
	same := cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })
	if diff := cmp.Diff(want, s.datagrams, same); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	next := datagramSnapshot()
	next.Endpoints[0] = endpoints("eu", 9)
	e.Apply(next)
	if ready := s.datagrams[0].Shares[0].Backend.Ready; len(ready) != 1 || ready[0] != at(9) {
		t.Errorf("a change of endpoints alone gives %v", ready)
	}
	e.Apply(&config.Snapshot{})
	if len(s.datagrams) != 0 {
		t.Errorf("without listeners there are ports: %v", s.datagrams)
	}
}

// A number may be free for one protocol and not for the other.
func TestPortsOfOneNumberFailApart(t *testing.T) {
	e, s, _ := newEngine()
	s.failed = map[uint16]error{53: errors.New("taken")}
	s.unbound = map[uint16]error{54: errors.New("taken too")}
	want := []config.Error{
		{Resource: "dns-tcp", Code: config.CodeListenFailed, Message: "taken"},
		{Resource: "idle", Code: config.CodeListenFailed, Message: "taken too"},
	}
	if diff := cmp.Diff(want, e.Apply(datagramSnapshot())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
