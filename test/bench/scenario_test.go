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
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/admin"
)

func TestSelected(t *testing.T) {
	tests := map[string]struct {
		reason string
		list   string
		want   []string
		err    string
	}{
		"two":       {reason: "commas and blanks separate, and the order is ours: a comparison with an earlier run has the same one", list: "routes-5000, h1-small", want: []string{"h1-small", "routes-5000"}},
		"twice":     {reason: "once is enough", list: "h1-small h1-small", want: []string{"h1-small"}},
		"a mistake": {reason: "a run of nothing, or of everything, is not what was meant", list: "h1-smal", err: `"h1-smal"`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := selected(test.list)
			if test.err != "" {
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("%s: error %v, want one with %q", test.reason, err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, s := range got {
				names = append(names, s.name)
			}
			if diff := cmp.Diff(test.want, names); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
	if all, err := selected(""); err != nil || len(all) != len(scenarios) {
		t.Errorf("an empty list is all of them: got %d, %v", len(all), err)
	}
}

// TestRoutes sees that 5,000 routes are different ones, on 1,000 hosts, and that the generator asks for the same ones.
func TestRoutes(t *testing.T) {
	s := scenario{routes: 5_000, spread: true, path: "/small"}
	hosts, all := make(map[string]bool), make(map[route]bool)
	for _, r := range s.table() {
		hosts[r.host] = true
		all[r] = true
	}
	if len(all) != 5_000 || len(hosts) != 1_000 {
		t.Errorf("%d routes on %d hosts", len(all), len(hosts))
	}
	if last := routeOf(4_999); last != (route{host: "h0999.bench.test", prefix: "/p4"}) {
		t.Errorf("the last route is %v", last)
	}
	// wrk has no way to be asked without a server: this is the text that makes its requests.
	for _, part := range []string{"n % 5000", `string.format("h%04d.bench.test", m % 1000)`, `string.format("/p%d/small", math.floor(m / 1000))`} {
		if !strings.Contains(wrkScript(s), part) {
			t.Errorf("no %q in\n%s", part, wrkScript(s))
		}
	}
}

// TestRautaTable reads the table of every scenario that the proxy must be able to do with the proxy's own reader.
func TestRautaTable(t *testing.T) {
	for _, s := range scenarios {
		if s.optional() {
			continue // That one is decided by the proxy when it is started.
		}
		if s.secured {
			continue // Its table needs a certificate, which a run makes.
		}
		table, err := rautaTable(site{port: 8080, backend: 9090, datagrams: s.load == loadDatagrams, stream: s.stream, tls: s.tls, flood: s.flood, flooded: 8081, datagramsBehind: 9091, routes: s.table()})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "resources.yaml")
		if err := os.WriteFile(file, []byte(table), 0o600); err != nil {
			t.Fatal(err)
		}
		resources, err := admin.ReadResources(file)
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		want := s.routes + 3
		if s.flood != "" {
			want += 7
		}
		if len(resources) != want {
			t.Errorf("%s: %d resources, want %d: a listener, a backend, endpoints and the routes, and what is flooded", s.name, len(resources), want)
		}
	}
}

func TestDivide(t *testing.T) {
	tests := map[string]struct {
		reason string
		cpus   []int
		want   division
	}{
		"one":   {"it can run, and the figures of CPU time still hold", []int{3}, division{"3", "3", "3"}},
		"two":   {"the subject's core is its own, whatever the rest must share", []int{0, 1}, division{"0", "1", "1"}},
		"three": {"then the backend does not slow the generator", []int{0, 1, 2}, division{"0", "2", "1"}},
		"more":  {"the generator has what is left, and CPUs that we may not use are not among it", []int{0, 2, 4, 6}, division{"0", "4,6", "2"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, divide(test.cpus), cmp.AllowUnexported(division{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}
