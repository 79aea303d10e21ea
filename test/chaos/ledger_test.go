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
	"net/netip"
	"testing"
	"time"
)

func TestIncidentExplains(t *testing.T) {
	hit, drained, other := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")
	paused, relaying := netip.MustParseAddr("10.0.0.4"), netip.MustParseAddr("10.0.0.5")
	epoch := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }
	over := &incident{begin: at(10), end: at(20), grace: 5 * time.Second, forgiven: map[netip.Addr]forgiveness{
		hit: forgiveAll, drained: forgiveSessions, paused: forgiveDatagrams, relaying: forgiveRelayed,
	}}
	struck := &incident{begin: at(10), end: at(20), struck: at(12), forgiven: map[netip.Addr]forgiveness{relaying: forgiveRelayed}}
	lasting := &incident{begin: at(10), forgiven: map[netip.Addr]forgiveness{hit: forgiveAll}}
	cases := map[string]struct {
		reason   string
		incident *incident
		failure  failure
		want     bool
	}{
		"UnderWay":       {"it was cut by the fault", over, failure{Replica: hit, Begin: at(9), End: at(11)}, true},
		"During":         {"it went to what did not answer", over, failure{Replica: hit, Begin: at(12), End: at(13)}, true},
		"Grace":          {"what is killed needs a moment to be back", over, failure{Replica: hit, Begin: at(24), End: at(26)}, true},
		"Before":         {"what failed earlier has another cause", over, failure{Replica: hit, Begin: at(1), End: at(9)}, false},
		"After":          {"what failed later has another cause", over, failure{Replica: hit, Begin: at(26), End: at(27)}, false},
		"Lasting":        {"a fault that was not healed goes on", lasting, failure{Replica: hit, Begin: at(99), End: at(100)}, true},
		"OtherReplica":   {"a neighbour has to serve", over, failure{Replica: other, Begin: at(12), End: at(13)}, false},
		"NobodyKnown":    {"a connection that went nowhere is nobody's", over, failure{Begin: at(12), End: at(13)}, false},
		"DrainedRequest": {"a replica that drains answers every request", over, failure{Replica: drained, Begin: at(12), End: at(13)}, false},
		"PausedRequest":  {"a replica that is paused answers late", over, failure{Traffic: newHTTP, Replica: paused, Begin: at(12), End: at(13)}, false},
		"PausedSession":  {"and its sessions go on", over, failure{Traffic: webSocket, Replica: paused, Held: true, Begin: at(12), End: at(13)}, false},
		"PausedDatagram": {"its late answer may have nobody to go to", over, failure{Traffic: newUDP, Replica: paused, Begin: at(12), End: at(13)}, true},
		"KilledEndpoint": {"what was under way may have been its own", struck, failure{Traffic: keepAlive, Replica: relaying, Begin: at(11), End: at(13)}, true},
		"AfterKilling":   {"what comes later is sent to another endpoint", struck, failure{Traffic: keepAlive, Replica: relaying, Begin: at(13), End: at(14)}, false},
		"KilledSession":  {"sessions have another backend", struck, failure{Traffic: webSocket, Replica: relaying, Held: true, Begin: at(11), End: at(13)}, false},
		"KilledOther":    {"so have other tenants", struck, failure{Traffic: keepAlive, Replica: other, Begin: at(11), End: at(13)}, false},
		"LostEndpoint":   {"requests are sent to another endpoint", over, failure{Traffic: keepAlive, Replica: relaying, Begin: at(12), End: at(13)}, false},
		"LostSession":    {"sessions have another backend", over, failure{Traffic: passedSocket, Replica: relaying, Held: true, Begin: at(12), End: at(13)}, false},
		"LostDatagram":   {"nobody can send it again", over, failure{Traffic: newUDP, Replica: relaying, Begin: at(12), End: at(13)}, true},
		"LostOfSocket":   {"also where its socket is kept", over, failure{Traffic: keptUDP, Replica: relaying, Held: true, Begin: at(12), End: at(13)}, true},
		"LostPassed":     {"what is in it the proxy does not know", over, failure{Traffic: newPassed, Replica: relaying, Begin: at(12), End: at(13)}, true},
		"DrainedSession": {"and does not wait for ever for what is held open", over, failure{Replica: drained, Held: true, Begin: at(1), End: at(13)}, true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.incident.explains(&tc.failure); got != tc.want {
				t.Errorf("%s: got %t", tc.reason, got)
			}
		})
	}
}

func TestExplainLeavesTheUnexplainedAlone(t *testing.T) {
	hit, other := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	l := newLedger()
	i := l.open("proxy killed", time.Second)
	l.hit(i, hit, forgiveAll)
	now := time.Now()
	l.fail(&failure{Replica: hit, Begin: now, End: now})
	l.fail(&failure{Replica: other, Begin: now, End: now})
	l.close(i)
	failures := l.explain(0)
	if failures[0].Explanation == "" || failures[1].Explanation != "" {
		t.Errorf("got %q and %q: the first is explained, the second is not", failures[0].Explanation, failures[1].Explanation)
	}
}
