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
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

// attribute is one of netlink's, padded.
func attribute(kind uint16, values ...[]byte) []byte {
	text := []byte{0, 0, 0, 0}
	for _, value := range values {
		text = append(text, value...)
	}
	binary.NativeEndian.PutUint16(text, uint16(len(text)))
	binary.NativeEndian.PutUint16(text[2:], kind)
	for len(text)%4 != 0 {
		text = append(text, 0)
	}
	return text
}

func tuple(kind uint16, from, to netip.AddrPort) []byte {
	port := func(kind, number uint16) []byte { return attribute(kind, binary.BigEndian.AppendUint16(nil, number)) }
	return attribute(kind,
		attribute(tupleAddresses, attribute(sourceAddress, from.Addr().AsSlice()), attribute(targetAddress, to.Addr().AsSlice())),
		attribute(tuplePorts, attribute(1, []byte{6}), port(sourcePort, from.Port()), port(targetPort, to.Port())))
}

func TestConnectionIn(t *testing.T) {
	client, service, pod := netip.MustParseAddrPort("198.18.0.2:40001"), netip.MustParseAddrPort("198.18.1.1:80"), netip.MustParseAddrPort("198.19.64.7:80")
	whole := append([]byte{2, 0, 0, 0}, append(tuple(attributeTuple, client, service), tuple(attributeReply, pod, client)...)...)
	got, replica, ok := connectionIn(whole)
	if want := (flow{40001, service}); !ok || got != want || replica != pod.Addr() {
		t.Errorf("got %v at %s, %t; want %v at %s", got, replica, ok, want, pod.Addr())
	}
	for n := range whole {
		if _, _, ok := connectionIn(whole[:n]); ok {
			t.Errorf("%d bytes of %d were taken for a whole event", n, len(whole))
		}
	}
}

func TestReplicaIsThatOfTheLastConnection(t *testing.T) {
	to := netip.MustParseAddrPort("198.18.1.1:80")
	old, fresh := netip.MustParseAddr("198.19.64.7"), netip.MustParseAddr("198.19.64.8")
	now := time.Now()
	c := &conntrack{known: map[flow]begun{{1, to}: {old, now}}}
	go func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.known[flow{1, to}] = begun{fresh, now.Add(2 * time.Second)}
	}()
	if got := c.replica(1, to, now.Add(time.Second)); got != fresh {
		t.Errorf("got %s: a port is used again, and the event of its last connection may be on its way", got)
	}
	if got := c.replica(1, to, time.Time{}); got != fresh {
		t.Errorf("got %s of a connection that is there", got)
	}
}
