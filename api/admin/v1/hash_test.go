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

package adminv1

import "testing"

func TestHash(t *testing.T) {
	endpoints := func(addresses ...string) *Resource {
		spec := &Endpoints{}
		for _, address := range addresses {
			spec.Endpoints = append(spec.Endpoints, &Endpoint{Address: address, Port: 80})
		}
		return &Resource{Spec: &Resource_Endpoints{Endpoints: spec}}
	}
	one := hashOf(t, endpoints("192.0.2.1"))

	named := endpoints("192.0.2.1")
	named.Name, named.Hash = "endpoints/a", "stale"
	if got := hashOf(t, named); got != one {
		t.Errorf("name and hash must not enter the content hash: got %s, want %s", got, one)
	}
	if got := hashOf(t, endpoints("192.0.2.2")); got == one {
		t.Error("different content must hash differently")
	}
	backend := &Resource{Spec: &Resource_Backend{Backend: &Backend{}}}
	if hashOf(t, backend) == hashOf(t, endpoints()) {
		t.Error("empty specs of different kinds must hash differently")
	}
}

func hashOf(t *testing.T, resource *Resource) string {
	t.Helper()
	hash, err := Hash(resource)
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

func TestTableHash(t *testing.T) {
	cases := map[string]struct {
		reason string
		a, b   map[string]string
		same   bool
	}{
		"Empty": {
			reason: "a table without resources is a table, nil or not",
			a:      nil, b: map[string]string{}, same: true,
		},
		"ContentChanged": {
			reason: "one changed resource makes another table",
			a:      map[string]string{"a": "1", "b": "2"}, b: map[string]string{"a": "1", "b": "3"},
		},
		"BoundaryMoved": {
			reason: "a name must not be able to borrow bytes from its hash",
			a:      map[string]string{"ab": "c"}, b: map[string]string{"a": "bc"},
		},
		"Swapped": {
			reason: "which resource has which content matters",
			a:      map[string]string{"a": "1", "b": "2"}, b: map[string]string{"a": "2", "b": "1"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := TableHash(tc.a) == TableHash(tc.b); got != tc.same {
				t.Errorf("%s: equal = %t, want %t", tc.reason, got, tc.same)
			}
		})
	}
	// Both ends may be of different versions: the definition must never move.
	const want = "5521f10dfd3e2cb0d3c5a361ef079845"
	if got := TableHash(map[string]string{"listener/http": "00", "route/x": "01"}); got != want {
		t.Errorf("TableHash = %s, want %s: its definition is part of the protocol", got, want)
	}
}
