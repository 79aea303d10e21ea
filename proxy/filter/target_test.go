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

import (
	"testing"

	"github.com/rauta-dev/rauta/proxy/message"
)

func TestPath(t *testing.T) {
	tests := map[string]struct {
		reason   string
		elements int
		prefix   string
		full     string
		from     string
		want     string
	}{
		// HTTPPathModifier.replacePrefixMatch has these in a table.
		"element":               {"the rest follows", 1, "/xyz", "", "/foo/bar", "/xyz/bar"},
		"nothing more":          {"the prefix alone", 1, "/xyz", "", "/foo", "/xyz"},
		"slash":                 {"a trailing slash is kept", 1, "/xyz", "", "/foo/", "/xyz/"},
		"dropped":               {"nothing in the place of the prefix", 1, "", "", "/foo/bar", "/bar"},
		"dropped, slash":        {"one slash is left", 1, "", "", "/foo/", "/"},
		"dropped, nothing more": {"a path is never empty", 1, "", "", "/foo", "/"},
		// Beyond it.
		"two elements":        {"as many as the prefix has", 2, "/x", "", "/a/b/c/d", "/x/c/d"},
		"root":                {"the prefix / has no elements", 0, "/x", "", "/a", "/x/a"},
		"root of root":        {"and takes the root", 0, "/x", "", "/", "/x/"},
		"root to root":        {"which stays", 0, "", "", "/", "/"},
		"escaped prefix":      {"an escape is as long as what it stands for, in elements", 1, "/x", "", "/%66oo/bar", "/x/bar"},
		"escaped slash":       {"%2F is no separator", 1, "/x", "", "/foo%2Fy/bar", "/x/bar"},
		"rest byte for byte":  {"escapes in what follows stay", 1, "/x", "", "/foo/%2e%41//b", "/x/%2e%41//b"},
		"empty elements stay": {"a path of slashes is no authority", 1, "", "", "/foo//evil.example", "//evil.example"},
		"full":                {"nothing of the path is left", 0, "", "/one", "/foo/bar", "/one"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := Path{Full: test.full, Prefix: test.prefix, Elements: test.elements}
			if got := string(path.appendTo(nil, test.from)); got != test.want {
				t.Errorf("%s: %s becomes %s, want %s", test.reason, test.from, got, test.want)
			}
		})
	}
}

func TestRedirect(t *testing.T) {
	tests := map[string]struct {
		reason   string
		redirect Redirect
		scheme   string // of the request; http when empty
		host     string
		port     uint16 // of the listener; 80 when 0
		target   string
		want     string
	}{
		"nothing given": {reason: "the listener's port is the well-known one", host: "a.test", target: "/x", want: "http://a.test/x"},
		"listener's port": {
			reason: "without a scheme the port MUST be the listener's, whatever port the client named",
			host:   "a.test:9999", port: 8080, target: "/x", want: "http://a.test:8080/x",
		},
		"listener of TLS": {reason: "443 is https's", scheme: "https", host: "a.test", port: 443, want: "https://a.test/"},
		"other listener of TLS": {
			reason: "80 is not https's", scheme: "https", host: "a.test", port: 80, want: "https://a.test:80/",
		},
		"to https": {
			reason: "with a scheme the port MUST be its well-known one, not the listener's", redirect: Redirect{Scheme: "https"},
			host: "a.test:8080", port: 8080, want: "https://a.test/",
		},
		"to http from TLS": {
			reason: "the same the other way round", redirect: Redirect{Scheme: "http"}, scheme: "https", host: "a.test", port: 8443,
			want: "http://a.test/",
		},
		"port given":            {reason: "a port that is given counts", redirect: Redirect{Port: 8443, Scheme: "https"}, host: "a", want: "https://a:8443/"},
		"well-known port given": {reason: "and is left out where it says nothing", redirect: Redirect{Port: 80}, host: "a", port: 8080, want: "http://a/"},
		"other scheme's port":   {reason: "443 says something to http", redirect: Redirect{Port: 443}, host: "a", want: "http://a:443/"},
		"hostname":              {reason: "the client's is replaced, its port goes", redirect: Redirect{Hostname: "b.test"}, host: "a:81", want: "http://b.test/"},
		"address":               {reason: "colons in brackets are no port", host: "[fd00::1]", want: "http://[fd00::1]/"},
		"address and port":      {reason: "one behind them is", host: "[fd00::1]:99", want: "http://[fd00::1]/"},
		"query":                 {reason: "the query is kept", redirect: Redirect{Path: &Path{Full: "/p"}}, host: "a", target: "/x?y=/%zz", want: "http://a/p?y=/%zz"},
		"prefix":                {reason: "prefixes are replaced", redirect: Redirect{Path: &Path{Prefix: "/p", Elements: 1}}, host: "a", target: "/x/y", want: "http://a/p/y"},
		"asterisk":              {reason: "RFC 9112 section 3.3: no path", host: "a", target: "*", want: "http://a"},
		"without a host":        {reason: "HTTP/1.0 needs none, and there is nowhere to go", target: "/x", want: ""},
		"host given instead":    {reason: "but the filter may say where", redirect: Redirect{Hostname: "b"}, target: "/x", want: "http://b/x"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			request := &message.Request{Scheme: "http", Authority: test.host, Path: "/"}
			if test.scheme != "" {
				request.Scheme = test.scheme
			}
			if test.target != "" {
				request.Path = test.target
				for i := range len(test.target) {
					if test.target[i] == '?' {
						request.Path, request.Query = test.target[:i], test.target[i:]
						break
					}
				}
			}
			port := test.port
			if port == 0 {
				port = 80
			}
			test.redirect.Status = 307
			response := test.redirect.Apply(&Exchange{Request: request, Port: port})
			location, _ := response.Fields.Get("Location")
			if location != test.want || (response.Status == 307) != (test.want != "") {
				t.Errorf("%s: got %d to %q, want %q", test.reason, response.Status, location, test.want)
			}
		})
	}
}

// A rule's rewrite and its backend's come one after the other, in the memory of one exchange, without allocating.
func TestRewriteTwice(t *testing.T) {
	x := &Exchange{}
	first, second := &Rewrite{Path: &Path{Prefix: "/first", Elements: 1}}, &Rewrite{Hostname: "h", Path: &Path{Prefix: "/second", Elements: 1}}
	rewritten := func() string {
		x.Reset()
		x.Request = &message.Request{Path: "/a/b", Query: "?q"}
		first.Apply(x)
		before := x.Request.Path
		second.Apply(x)
		return before + " " + x.Request.Authority + x.Request.Target()
	}
	for range 3 {
		if got := rewritten(); got != "/first/b h/second/b?q" {
			t.Errorf("got %q", got)
		}
	}
	request := &message.Request{}
	allocations := testing.AllocsPerRun(100, func() {
		x.Reset()
		x.Request, request.Path = request, "/a/b"
		first.Apply(x)
		second.Apply(x)
	})
	if allocations > 0 {
		t.Errorf("%v allocations", allocations)
	}
}
