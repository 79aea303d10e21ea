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

package forward

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rauta-dev/rauta/proxy/message"
)

func TestOrigin(t *testing.T) {
	tests := map[string]struct {
		reason  string
		hops    int
		client  string
		host    string
		given   [][2]string
		fors    string
		element string
		proto   string
		port    string
	}{
		"nothing said": {
			reason: "what the connection shows", client: "10.0.0.1:5", host: "a.test",
			fors: "10.0.0.1", element: "for=10.0.0.1;host=a.test;proto=http", proto: "http", port: "8080",
		},
		"IPv6 and a port": {
			reason: "RFC 7239 section 6: brackets and quotation marks", client: "[fd00::1]:5", host: "a.test:8080",
			fors: "fd00::1", element: `for="[fd00::1]";host="a.test:8080";proto=http`, proto: "http", port: "8080",
		},
		"mapped": {
			reason: "an IPv4 client of a dual-stack socket has its own form", client: "[::ffff:10.0.0.1]:5", host: "a.test",
			fors: "10.0.0.1", element: "for=10.0.0.1;host=a.test;proto=http", proto: "http", port: "8080",
		},
		"claims": {
			reason: "nobody is believed", client: "10.0.0.1:5", host: "a.test",
			given: [][2]string{
				{"x-forwarded-for", "1.1.1.1"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Port", "443"}, {"forwarded", "for=1.1.1.1"},
			},
			fors: "10.0.0.1", element: "for=10.0.0.1;host=a.test;proto=http", proto: "http", port: "8080",
		},
		"one hop": {
			reason: "the entry that the proxy in front has made is kept, and what it says of the protocol", hops: 1,
			client: "10.0.0.1:5", host: "a.test",
			given: [][2]string{
				{"X-Forwarded-For", "6.6.6.6, 1.1.1.1"}, {"X-Forwarded-Proto", "https"}, {"X-Forwarded-Port", "443"},
				{"Forwarded", `for=6.6.6.6, for="[fd00::2]";by="a,b"`},
			},
			fors:    "1.1.1.1, 10.0.0.1",
			element: `for="[fd00::2]";by="a,b", for=10.0.0.1;host=a.test;proto=http`, proto: "https", port: "443",
		},
		"two hops in lines": {
			reason: "several lines are one list", hops: 2, client: "10.0.0.1:5", host: "a.test",
			given: [][2]string{{"X-Forwarded-For", "6.6.6.6, 1.1.1.1"}, {"x-forwarded-for", "2.2.2.2"}},
			fors:  "1.1.1.1, 2.2.2.2, 10.0.0.1", element: "for=10.0.0.1;host=a.test;proto=http", proto: "http", port: "8080",
		},
		"open quotation": {
			reason: "a client must not swallow what a believed proxy says", hops: 1, client: "10.0.0.1:5", host: "a.test",
			given: [][2]string{{"Forwarded", `for="x, for=1.1.1.1`}},
			fors:  "10.0.0.1", element: "for=1.1.1.1, for=10.0.0.1;host=a.test;proto=http", proto: "http", port: "8080",
		},
		"no host": {
			reason: "HTTP/1.0 needs none", client: "10.0.0.1:5",
			fors: "10.0.0.1", element: "for=10.0.0.1;proto=http", proto: "http", port: "8080",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request := &message.Request{
				Scheme: "http", Authority: test.host, Client: netip.MustParseAddrPort(test.client),
			}
			for _, line := range test.given {
				request.Fields.Add(line[0], line[1])
			}
			var o origin
			o.mark(request, 8080, test.hops)
			got := make(map[string][]string)
			for i := range request.Fields.Len() {
				name, value := request.Fields.Line(i)
				got[name] = append(got[name], value)
			}
			want := map[string][]string{
				"Forwarded": {test.element}, "X-Forwarded-Proto": {test.proto}, "X-Forwarded-Port": {test.port},
			}
			if test.host != "" {
				want["X-Forwarded-Host"] = []string{test.host}
			}
			// A line that was there keeps its name's case.
			for i := range request.Fields.Len() {
				if name, _ := request.Fields.Line(i); message.EqualNames(name, "X-Forwarded-For") {
					want[name] = []string{test.fors}
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.reason, diff)
			}
		})
	}
}
