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

package topology

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

func TestIntersecting(t *testing.T) {
	cases := map[string]struct {
		reason   string
		listener string
		route    []gatewayv1.Hostname
		want     []string
		ok       bool
	}{
		"neither":                     {reason: "both take any name", ok: true},
		"only the listener":           {reason: "a route without hostnames takes what the listener takes", listener: "a.test", ok: true},
		"only the route":              {reason: "a listener without a hostname takes what the route takes", route: []gatewayv1.Hostname{"a.test", "*.b.test"}, want: []string{"a.test", "*.b.test"}, ok: true},
		"equal":                       {reason: "the same exact name", listener: "a.test", route: []gatewayv1.Hostname{"a.test", "b.test"}, want: []string{"a.test"}, ok: true},
		"different":                   {reason: "no name in common", listener: "a.test", route: []gatewayv1.Hostname{"b.test"}},
		"wildcard listener":           {reason: "the wildcard takes any number of labels, but not the bare suffix", listener: "*.example.com", route: []gatewayv1.Hostname{"test.example.com", "foo.test.example.com", "example.com", "test.example.net"}, want: []string{"test.example.com", "foo.test.example.com"}, ok: true},
		"wildcard route":              {reason: "a listener's exact name under a route's wildcard", listener: "test.example.com", route: []gatewayv1.Hostname{"*.example.com", "*.com", "*.example.net"}, want: []string{"*.example.com", "*.com"}, ok: true},
		"bare suffix of the wildcard": {reason: "`*.example.com` does not match `example.com`", listener: "example.com", route: []gatewayv1.Hostname{"*.example.com"}},
		"equal wildcards":             {reason: "the same wildcard", listener: "*.example.com", route: []gatewayv1.Hostname{"*.example.com"}, want: []string{"*.example.com"}, ok: true},
		"narrower wildcard":           {reason: "names under the longer suffix are in both", listener: "*.com", route: []gatewayv1.Hostname{"*.example.com"}, want: []string{"*.example.com"}, ok: true},
		"wider wildcard":              {reason: "the same the other way round", listener: "*.example.com", route: []gatewayv1.Hostname{"*.com"}, want: []string{"*.com"}, ok: true},
		"unrelated wildcards":         {reason: "no name is under both", listener: "*.example.com", route: []gatewayv1.Hostname{"*.example.net"}},
		"suffix across a label":       {reason: "a suffix counts from a dot: badexample.com is not under *.example.com", listener: "*.example.com", route: []gatewayv1.Hostname{"badexample.com", "*.badexample.com"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := intersecting(c.listener, c.route)
			if ok != c.ok {
				t.Errorf("%s: matches is %v, want %v", c.reason, ok, c.ok)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
