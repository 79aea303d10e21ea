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

package route

import "testing"

func TestMisdirected(t *testing.T) {
	table := Build([]Listener{
		{Name: "any", Port: 443}, {Name: "exact", Port: 443, Hostname: "second.test"},
		{Name: "wild", Port: 443, Hostname: "*.wild.test"}, {Name: "within", Port: 443, Hostname: "fourth.wild.test"},
		{Name: "only", Port: 8443, Hostname: "only.test"},
	}, []Route[string]{})
	tests := map[string]struct {
		reason           string
		port             uint16
		serverName, host string
		want             bool
	}{
		"same":             {"the common case", 443, "second.test", "second.test", false},
		"same in caps":     {"hosts are compared without regard to case and port", 443, "second.test", "SECOND.test:443", false},
		"one listener":     {"one listener may take several hosts", 443, "a.test", "b.test", false},
		"one wildcard":     {"also by a wildcard", 443, "third.wild.test", "fifth.wild.test", false},
		"another listener": {"the certificate, and who may come, are another's", 443, "a.test", "second.test", true},
		"back":             {"and the other way round", 443, "second.test", "a.test", true},
		"more specific":    {"a more specific listener of the same suffix", 443, "third.wild.test", "fourth.wild.test", true},
		"less specific":    {"and a less specific one", 443, "fourth.wild.test", "third.wild.test", true},
		"no server name":   {"a client without SNI has the listener of any host", 443, "", "a.test", false},
		"none for exact":   {"and no other", 443, "", "second.test", true},
		"nobody's host":    {"what no listener takes MUST be 404", 8443, "only.test", "a.test", false},
		"listener gone":    {"a connection may outlive its listener", 8443, "gone.test", "only.test", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := table.Misdirected(test.port, test.serverName, test.host); got != test.want {
				t.Errorf("%s: got %t", test.reason, got)
			}
		})
	}
	if allocations := testing.AllocsPerRun(100, func() { table.Misdirected(443, "third.wild.test", "fourth.wild.test:443") }); allocations > 0 {
		t.Errorf("a look costs %v allocations", allocations)
	}
}
