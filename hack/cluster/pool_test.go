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
)

func TestPoolNext(t *testing.T) {
	cases := map[string]struct {
		reason string
		taken  []string
		last   string
		want   string // "" for an error
	}{
		"First": {
			reason: "The range's own address is nobody's.",
			want:   "10.0.0.1",
		},
		"GoesRound": {
			reason: "An address that was just freed is not the next one, so that old connections meet nobody.",
			last:   "10.0.0.2",
			want:   "10.0.0.3",
		},
		"Wraps": {
			reason: "Addresses from the static part on are given on request only, so the search starts over before them.",
			last:   "10.0.0.3",
			want:   "10.0.0.1",
		},
		"SkipsTaken": {
			reason: "Two Services never share an address.",
			taken:  []string{"10.0.0.1", "10.0.0.2"},
			want:   "10.0.0.3",
		},
		"Exhausted": {
			reason: "A full range is an error, and not an endless search.",
			taken:  []string{"10.0.0.1", "10.0.0.2", "10.0.0.3"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := newPool("10.0.0.0/29", "10.0.0.4")
			for _, address := range tc.taken {
				if err := p.claim("other/one", netip.MustParseAddr(address)); err != nil {
					t.Fatal(err)
				}
			}
			if tc.last != "" {
				p.last = netip.MustParseAddr(tc.last)
			}
			got, err := p.next("default/web")
			if (err != nil) != (tc.want == "") {
				t.Fatalf("%s\nnext: error %v, want address %q", tc.reason, err, tc.want)
			}
			if err == nil && got.String() != tc.want {
				t.Errorf("%s\nnext: got %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

func TestPoolClaim(t *testing.T) {
	cases := map[string]struct {
		reason  string
		address string
		ok      bool
	}{
		"Free":      {reason: "A free address of the static part is what requests are for.", address: "10.0.0.5", ok: true},
		"Own":       {reason: "Every event of a Service claims its address again.", address: "10.0.0.6", ok: true},
		"Others":    {reason: "The second Service to ask for an address does not get it.", address: "10.0.0.2"},
		"Outside":   {reason: "An address of elsewhere would never be routed to the node.", address: "10.0.1.1"},
		"First":     {reason: "The range's own address names the range.", address: "10.0.0.0"},
		"Broadcast": {reason: "The last address is for broadcasts.", address: "10.0.0.7"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := newPool("10.0.0.0/29", "10.0.0.4")
			for owner, address := range map[string]string{"other/one": "10.0.0.2", "default/web": "10.0.0.6"} {
				if err := p.claim(owner, netip.MustParseAddr(address)); err != nil {
					t.Fatal(err)
				}
			}
			err := p.claim("default/web", netip.MustParseAddr(tc.address))
			if (err == nil) != tc.ok {
				t.Errorf("%s\nclaim(%s): %v", tc.reason, tc.address, err)
			}
		})
	}
}
