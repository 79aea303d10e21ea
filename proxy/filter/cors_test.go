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

package filter

import "testing"

func TestOrigin(t *testing.T) {
	exact := Origin{Scheme: "https", Host: "www.foo.com", Port: 443}
	below := Origin{Scheme: "https", Host: ".bar.com", Below: true, Port: 443}
	anyHost := Origin{Scheme: "http", Below: true, Port: 8080}
	tests := map[string]struct {
		reason  string
		allowed Origin
		origin  string
		want    bool
	}{
		"itself":            {"the same origin", exact, "https://www.foo.com", true},
		"case":              {"hosts and schemes have none", exact, "HTTPS://WWW.foo.com", true},
		"its port":          {"443 is assumed for https", exact, "https://www.foo.com:443", true},
		"another port":      {"is another origin", exact, "https://www.foo.com:8443", false},
		"another scheme":    {"is another origin", exact, "http://www.foo.com", false},
		"longer":            {"a suffix is no origin of its own", exact, "https://xwww.foo.com", false},
		"with a path":       {"no origin has one", exact, "https://www.foo.com/", false},
		"no port at all":    {"what is no number is no port", exact, "https://www.foo.com:", false},
		"null":              {"an opaque origin is nobody", exact, "null", false},
		"one label":         {"a wildcard takes it", below, "https://www.bar.com", true},
		"two labels":        {"any number of labels", below, "https://a.b.bar.com", true},
		"no label":          {"but not none", below, "https://bar.com", false},
		"the dot alone":     {"nothing is no label", below, "https://.bar.com", false},
		"not at a label":    {"evilbar.com is somebody else", below, "https://evilbar.com", false},
		"behind it":         {"a suffix ends the host", below, "https://www.bar.com.evil.com", false},
		"any host":          {"a wildcard by itself matches all hosts", anyHost, "http://x.y:8080", true},
		"any host, no port": {"of that port", anyHost, "http://x.y", false},
		"anything":          {"the wildcard alone takes everybody", Origin{Any: true}, "null", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := test.allowed.takes(test.origin); got != test.want {
				t.Errorf("%s: %s: got %t", test.reason, test.origin, got)
			}
		})
	}
}
