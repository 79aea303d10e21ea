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

package proxy

import (
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// crossing marks what the Fetch standard's CORS protocol and caches look at.
func crossing(header http.Header) http.Header {
	found := http.Header{}
	for _, name := range []string{"Allow-Origin", "Allow-Credentials", "Allow-Methods", "Allow-Headers", "Expose-Headers", "Max-Age"} {
		if values := header.Values("Access-Control-" + name); len(values) > 0 {
			found[name] = values
		}
	}
	if vary := header.Values("Vary"); len(vary) > 0 {
		found["Vary"] = vary
	}
	return found
}

func TestCORS(t *testing.T) {
	listed := &adminv1.Cors{
		AllowOrigins: []string{"https://www.foo.com", "https://*.bar.com"}, AllowMethods: []string{"GET", "OPTIONS"},
		AllowHeaders: []string{"x-1", "x-2"}, ExposeHeaders: []string{"x-3", "x-4"}, AllowCredentials: true, MaxAge: 3600,
	}
	anyone := &adminv1.Cors{AllowOrigins: []string{"*"}, AllowMethods: []string{"*"}, AllowHeaders: []string{"*"}, ExposeHeaders: []string{"*"}, MaxAge: 5}
	credentials := &adminv1.Cors{AllowOrigins: []string{"*"}, AllowMethods: []string{"*"}, AllowHeaders: []string{"*"}, ExposeHeaders: []string{"*"}, MaxAge: 5, AllowCredentials: true}
	preflight := []string{"Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "x-9, Authorization"}
	tests := map[string]struct {
		reason string
		path   string
		method string
		fields []string
		want   http.Header
		status int
	}{
		"preflight": {
			reason: "what is allowed is listed", path: "/listed", method: "OPTIONS", fields: append([]string{"Origin", "https://a.bar.com"}, preflight...), status: 204,
			want: http.Header{
				"Allow-Origin": {"https://a.bar.com"}, "Allow-Credentials": {"true"}, "Allow-Methods": {"GET, OPTIONS"}, "Allow-Headers": {"x-1, x-2"},
				"Expose-Headers": {"x-3, x-4"}, "Max-Age": {"3600"}, "Vary": {"Origin"},
			},
		},
		"preflight of a stranger": {
			reason: "no field says anything", path: "/listed", method: "OPTIONS", fields: append([]string{"Origin", "https://evil.com"}, preflight...), status: 204,
			want: http.Header{"Vary": {"Origin"}},
		},
		"request": {
			reason: "what the backend says is replaced, and nothing is there twice", path: "/listed", method: "GET", fields: []string{"Origin", "https://www.foo.com"}, status: 200,
			want: http.Header{"Allow-Origin": {"https://www.foo.com"}, "Allow-Credentials": {"true"}, "Expose-Headers": {"x-3, x-4"}, "Vary": {"Accept", "Origin"}},
		},
		"request of a stranger": {
			reason: "the backend must not let in whom the gateway does not", path: "/listed", method: "GET", fields: []string{"Origin", "https://evil.com"}, status: 200,
			want: http.Header{"Vary": {"Accept", "Origin"}},
		},
		"request of nobody": {
			reason: "a cache must know that others get something else", path: "/listed", method: "GET", status: 200,
			want: http.Header{"Allow-Origin": {"https://backend.test"}, "Vary": {"Accept", "Origin"}},
		},
		"OPTIONS that is no preflight": {
			reason: "without the method that is asked for it is the backend's", path: "/listed", method: "OPTIONS", fields: []string{"Origin", "https://www.foo.com"}, status: 200,
			want: http.Header{"Allow-Origin": {"https://www.foo.com"}, "Allow-Credentials": {"true"}, "Expose-Headers": {"x-3, x-4"}, "Vary": {"Accept", "Origin"}},
		},
		"wildcards": {
			reason: "headers are echoed, since * would not cover Authorization", path: "/anyone", method: "OPTIONS", fields: append([]string{"Origin", "null"}, preflight...), status: 204,
			want: http.Header{"Allow-Origin": {"*"}, "Allow-Methods": {"PUT"}, "Allow-Headers": {"x-9, Authorization"}, "Expose-Headers": {"*"}, "Max-Age": {"5"}},
		},
		"wildcards without headers": {
			reason: "nothing was asked for", path: "/anyone", method: "OPTIONS", fields: []string{"Origin", "https://x.com", "Access-Control-Request-Method", "PUT"}, status: 204,
			want: http.Header{"Allow-Origin": {"*"}, "Allow-Methods": {"PUT"}, "Allow-Headers": {"*"}, "Expose-Headers": {"*"}, "Max-Age": {"5"}},
		},
		"wildcards with credentials": {
			reason: "the gateway must not return *", path: "/credentials", method: "OPTIONS", fields: append([]string{"Origin", "https://x.com"}, preflight...), status: 204,
			want: http.Header{"Allow-Origin": {"https://x.com"}, "Allow-Credentials": {"true"}, "Allow-Methods": {"PUT"}, "Allow-Headers": {"x-9, Authorization"}, "Max-Age": {"5"}, "Vary": {"Origin"}},
		},
		"wildcards with credentials, without headers": {
			reason: "the gateway must omit the response header", path: "/credentials", method: "OPTIONS", fields: []string{"Origin", "https://x.com", "Access-Control-Request-Method", "PUT"}, status: 204,
			want: http.Header{"Allow-Origin": {"https://x.com"}, "Allow-Credentials": {"true"}, "Allow-Methods": {"PUT"}, "Max-Age": {"5"}, "Vary": {"Origin"}},
		},
		"answer of the proxy": {
			reason: "a script may see why it failed", path: "/empty", method: "GET", fields: []string{"Origin", "https://x.com"}, status: 503,
			want: http.Header{"Allow-Origin": {"*"}, "Expose-Headers": {"*"}},
		},
	}
	bothWays(t, func(t *testing.T, connect func(string) *http.Client, add func(*table, string, http.HandlerFunc) *table) {
		b := add(new(table).listener("l", 80, ""), "b", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Access-Control-Allow-Origin", "https://backend.test")
			w.Header().Set("Vary", "Accept")
			_, _ = io.WriteString(w, r.Method)
		}).backend("empty")
		for path, filter := range map[string]*adminv1.Cors{"/listed": listed, "/anyone": anyone, "/credentials": credentials, "/empty": anyone} {
			to := "b"
			if path == "/empty" {
				to = "empty"
			}
			b.route(path[1:], "l", path, to).with(func(r *adminv1.Rule) {
				// The origin counts as it came, whatever the backend sees of it.
				r.Filters = []*adminv1.Filter{{Filter: &adminv1.Filter_Cors{Cors: filter}}, onRequest(&adminv1.HeaderModifier{Remove: []string{"Origin"}})}
			})
		}
		at := address(t, start(t, b.resources), 80)
		c := connect(at)
		for name, test := range tests {
			response, body := sent(t, c, requestTo(t, test.method, "http://"+at+test.path, test.fields...))
			if diff := cmp.Diff(test.want, crossing(response.Header)); diff != "" || response.StatusCode != test.status {
				t.Errorf("%s: %s: %d %q (-want +got):\n%s", name, test.reason, response.StatusCode, body, diff)
			}
			if test.status == 204 && (body != "" || fmt.Sprint(response.Header.Values("Content-Length")) != "[]") {
				t.Errorf("%s: 204 has content: %q %v", name, body, response.Header)
			}
		}
	})
}
