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

import (
	"fmt"
	"testing"
)

// many is a table of n routes, each with a host, an exact path and two prefixes of its own.
func many(n int) *Table[int] {
	routes := make([]Route[int], n)
	for i := range routes {
		routes[i] = Route[int]{
			Namespace: "ns", Name: fmt.Sprintf("r%05d", i),
			Attachments: []Attachment{
				{Listener: "http", Hostnames: []string{fmt.Sprintf("h%d.example.com", i), "*.shared.example.com"}},
			},
			Rules: []Rule[int]{
				{Value: i, Matches: []Match{{Exact: true, Path: fmt.Sprintf("/exact/%d", i)}}},
				{Value: i, Matches: []Match{{Path: fmt.Sprintf("/svc%d", i)}, {Path: fmt.Sprintf("/api/v1/%d", i), Method: "GET"}}},
			},
		}
	}
	return Build([]Listener{{Name: "http", Port: 80}}, routes)
}

func requests(i int) map[string]Request {
	fields := lines{{"Accept", "*/*"}, {"X", "1"}}
	return map[string]Request{
		"own-host/exact": {
			Host: fmt.Sprintf("H%d.example.com:80", i), Path: fmt.Sprintf("/exact/%d", i), Method: "GET", Fields: fields,
		},
		"wildcard/prefix": {
			Host: "a.b.shared.example.com", Path: fmt.Sprintf("/api/v1/%d/x/y/z", i), Method: "GET", Query: "a=b", Fields: fields,
		},
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	table := many(5000)
	for name, request := range requests(4321) {
		allocations := testing.AllocsPerRun(100, func() {
			if value, found := table.Lookup(80, &request); !found || value != 4321 {
				t.Fatalf("%s: got %d, %t", name, value, found)
			}
		})
		if allocations != 0 {
			t.Errorf("%s: %v allocations", name, allocations)
		}
	}
}

// BenchmarkLookup shows that a lookup costs the same with one route as with 5,000.
func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{1, 5000} {
		table := many(n)
		for name, request := range requests(n / 2) {
			b.Run(fmt.Sprintf("%s/routes=%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, found := table.Lookup(80, &request); !found {
						b.Fatal("not found")
					}
				}
			})
		}
	}
}

// BenchmarkBuild is what a table of 5,000 routes costs to make.
func BenchmarkBuild(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		many(5000)
	}
}
