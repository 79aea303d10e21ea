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

package config

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFilters(t *testing.T) {
	request := func(m HeaderModifier) Filter { return Filter{RequestHeaders: &m} }
	response := func(m HeaderModifier) Filter { return Filter{ResponseHeaders: &m} }
	tests := map[string]struct {
		reason  string
		filters []Filter
		matches []Match // in the place of one with the prefix /one
		// errors without "rules[0].filters[0].request_headers."; none when the filters serve.
		errors []string
	}{
		"nothing set": {
			reason:  "a filter of a newer operator is not passed over",
			filters: []Filter{{}}, errors: []string{"rules[0].filters[0]: this proxy does not know the filter"},
		},
		"headers": {
			reason: "each name once, values of any printable form",
			filters: []Filter{request(HeaderModifier{
				Set: []Field{{"X-A", "a  b\tc"}, {"Host", "a.example:8080"}}, Add: []Field{{"x-b", "b"}}, Remove: []string{"x-c"},
			}), response(HeaderModifier{Add: []Field{{"Set-Cookie", "a=b"}}, Remove: []string{"Host"}})},
		},
		"one name in two actions": {
			reason: "multiple actions of different type for any one header name are invalid, whatever their case",
			filters: []Filter{request(HeaderModifier{
				Set: []Field{{"X-A", "1"}}, Add: []Field{{"x-a", "2"}}, Remove: []string{"X-a"},
			})},
			errors: []string{"add[0].name: x-a is there twice", "remove[0]: X-a is there twice"},
		},
		"framing": {
			reason: "where a message ends is not a route's to say",
			filters: []Filter{request(HeaderModifier{
				Set: []Field{{"Content-Length", "0"}}, Add: []Field{{"transfer-encoding", "chunked"}}, Remove: []string{"Connection"},
			})},
			errors: []string{
				"set[0].name: Content-Length frames the message or belongs to one connection",
				"add[0].name: transfer-encoding frames the message or belongs to one connection",
				"remove[0]: Connection frames the message or belongs to one connection",
			},
		},
		"a second Host, or none": {
			reason:  "RFC 9112 section 3.2: a request has one",
			filters: []Filter{request(HeaderModifier{Add: []Field{{"host", "a"}}, Remove: []string{"x"}}), request(HeaderModifier{Remove: []string{"HOST"}})},
			errors: []string{
				"add[0].name: a request has one Host, which can be set alone",
				"rules[0].filters[1].request_headers.remove[0]: a request has one Host, which can be set alone",
			},
		},
		"Host that is none": {
			reason:  "it would be read in two ways",
			filters: []Filter{request(HeaderModifier{Set: []Field{{"Host", "a/b"}}})},
			errors:  []string{`set[0].value: "a/b" is not a host with an optional port`},
		},
		"names and values": {
			reason: "a line more must not be smuggled into the head",
			filters: []Filter{request(HeaderModifier{
				Set: []Field{{"X A", "1"}, {":path", "1"}, {"a", "1\r\nB: 2"}, {"b", ""}, {"c", " 1"}}, Add: []Field{{"d", strings.Repeat("d", 4097)}},
			})},
			errors: []string{
				`set[0].name: "X A" is not a field name`, `set[1].name: ":path" is not a field name`,
				`set[2].value: "1\r\nB: 2" holds a character that is not printable ASCII`,
				"set[3].value: has 0 bytes, 1 to 4096 are allowed", `set[4].value: " 1" begins or ends with a space`,
				"add[0].value: has 4097 bytes, 1 to 4096 are allowed",
			},
		},
		"cors": {
			reason: "origins with and without port and wildcard",
			filters: []Filter{{CORS: &CORS{
				AllowOrigins: []string{"https://a.example", "HTTP://*.A:8080", "https://*"}, AllowMethods: []string{"*"}, AllowHeaders: []string{"a", "b"}, MaxAge: 1,
			}}},
		},
		"cors of what is none": {
			reason: "a list that is not understood must not become a longer one",
			filters: []Filter{{CORS: &CORS{
				AllowOrigins: []string{"ftp://a", "*", "https://a*.b", "https://a:0", "https://a/"}, AllowMethods: []string{"GET", "*"}, AllowHeaders: []string{"a b"}, ExposeHeaders: []string{"a\r"},
			}}},
			errors: []string{
				`rules[0].filters[0].cors.allow_origins[0]: "ftp://a" is no origin, nor "*" alone`, `rules[0].filters[0].cors.allow_origins[1]: "*" is no origin, nor "*" alone`,
				`rules[0].filters[0].cors.allow_origins[2]: "https://a*.b" is no origin, nor "*" alone`, `rules[0].filters[0].cors.allow_origins[3]: "https://a:0" is no origin, nor "*" alone`,
				`rules[0].filters[0].cors.allow_origins[4]: "https://a/" is no origin, nor "*" alone`, `rules[0].filters[0].cors.allow_methods[1]: "*" is no name, nor "*" alone`,
				`rules[0].filters[0].cors.allow_headers[0]: "a b" is no name, nor "*" alone`, `rules[0].filters[0].cors.expose_headers[0]: "a\r" is no name, nor "*" alone`,
				"rules[0].filters[0].cors.max_age: must be at least 1",
			},
		},
		"redirect": {
			reason: "all that it can say",
			filters: []Filter{{Redirect: &Redirect{
				Scheme: "https", Hostname: "a.example", Port: 65535, Path: &PathModifier{Full: new("/a%2Fb")}, Status: 308,
			}}},
		},
		"redirect to what is not known": {
			reason:  "values may be added to each of them",
			filters: []Filter{{Redirect: &Redirect{Scheme: "ftp", Hostname: "*.a", Port: 65536, Path: &PathModifier{}, Status: 300}}},
			errors: []string{
				`rules[0].filters[0].redirect.scheme: "ftp" is not known`, `rules[0].filters[0].redirect.hostname: "*.a" is not a hostname`,
				"rules[0].filters[0].redirect.port: 65536 is more than 65535", "rules[0].filters[0].redirect.status: 300 is not known",
				"rules[0].filters[0].redirect.path: this proxy does not know the modifier",
			},
		},
		"rewrite of a prefix": {
			reason:  "matches may differ in all but their prefix",
			filters: []Filter{{Rewrite: &Rewrite{Hostname: "a", Path: &PathModifier{Prefix: new("")}}}},
			matches: []Match{{PathType: PathPrefix, Path: "/one/two/"}, {PathType: PathPrefix, Path: "/one/two", Method: "GET"}},
		},
		"rewrite of the prefix of an exact path": {
			reason:  "it is only compatible with a PathPrefix match",
			filters: []Filter{{Rewrite: &Rewrite{Path: &PathModifier{Prefix: new("/x")}}}},
			matches: []Match{{PathType: PathExact, Path: "/one"}},
			errors:  []string{"rules[0].filters[0].rewrite.path.prefix: the rule's matches must have one path, and that a prefix"},
		},
		"rewrite of two prefixes": {
			reason:  "which of them is meant is not known",
			filters: []Filter{{Rewrite: &Rewrite{Path: &PathModifier{Prefix: new("/x")}}}},
			matches: []Match{{PathType: PathPrefix, Path: "/one"}, {PathType: PathPrefix, Path: "/two"}},
			errors:  []string{"rules[0].filters[0].rewrite.path.prefix: the rule's matches must have one path, and that a prefix"},
		},
		"paths": {
			reason: "what is put into a path must be one, and read in one way",
			filters: []Filter{
				{Rewrite: &Rewrite{Path: &PathModifier{Full: new("a")}}}, {Rewrite: &Rewrite{Path: &PathModifier{Full: new("/a?b")}}},
				{Rewrite: &Rewrite{Path: &PathModifier{Full: new("/a b")}}}, {Rewrite: &Rewrite{Path: &PathModifier{Full: new("/%4")}}},
				{Rewrite: &Rewrite{Path: &PathModifier{Full: new("//a")}}}, {Rewrite: &Rewrite{Path: &PathModifier{Full: new("/a/.%2E%2fb")}}},
				{Rewrite: &Rewrite{Path: &PathModifier{Full: new("/" + strings.Repeat("a", 1024))}}},
			},
			errors: []string{
				`rules[0].filters[0].rewrite.path.full: "a" does not begin with /`,
				`rules[0].filters[1].rewrite.path.full: "/a?b" holds what has to be percent-encoded in a path`,
				`rules[0].filters[2].rewrite.path.full: "/a b" holds what has to be percent-encoded in a path`,
				`rules[0].filters[3].rewrite.path.full: "/%4" holds what has to be percent-encoded in a path`,
				`rules[0].filters[4].rewrite.path.full: "//a" contains //`,
				`rules[0].filters[5].rewrite.path.full: "/a/.%2E%2fb" has segments of dots`,
				"rules[0].filters[6].rewrite.path.full: has 1025 bytes, at most 1024 are allowed",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			snapshot := world()
			if test.matches != nil {
				snapshot.Routes[0].Rules[0].Matches = test.matches
			}
			snapshot.Routes[0].Rules[0].Filters = test.filters
			plan, errors := Compile(snapshot)
			var messages []string
			for _, e := range errors {
				messages = append(messages, strings.TrimPrefix(e.Message, "rules[0].filters[0].request_headers."))
			}
			if diff := cmp.Diff(test.errors, messages); diff != "" {
				t.Errorf("%s: errors (-want +got):\n%s", test.reason, diff)
			}
			rule := plan.Routes[0].Rules[0]
			broken := len(test.errors) > 0
			if rule.Broken != broken || (len(rule.Filters) == 0) != broken {
				t.Errorf("%s: broken is %t with %d filters", test.reason, rule.Broken, len(rule.Filters))
			}
			if plan.Routes[0].Rules[1].Broken {
				t.Error("the neighbour is broken as well")
			}
		})
	}
}

// A backend's bad filter costs that backend's share, and nothing else.
func TestFiltersOfBackends(t *testing.T) {
	snapshot := world()
	good := []Filter{{ResponseHeaders: &HeaderModifier{Remove: []string{"a"}}}}
	snapshot.Routes[0].Rules[0].Backends = []WeightedBackend{
		{Backend: "b", Weight: 1, Filters: good},
		{Backend: "b", Weight: 2, Filters: []Filter{{ResponseHeaders: &HeaderModifier{Remove: []string{"Upgrade"}}}}},
		{Backend: "b", Weight: 0, Filters: []Filter{{}}},
	}
	plan, errors := Compile(snapshot)
	want := []Error{
		{"r", CodeInvalid, "rules[0].backends[1].filters[0].response_headers.remove[0]: Upgrade frames the message or belongs to one connection"},
		{"r", CodeUnsupported, "rules[0].backends[2].filters[0]: this proxy does not know the filter"},
	}
	if diff := cmp.Diff(want, errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	rule := plan.Routes[0].Rules[0]
	if diff := cmp.Diff([]Share{{Backend: 0, Weight: 1, Filters: good}, {Backend: NoBackend, Weight: 2}}, rule.Shares); diff != "" || rule.Broken {
		t.Errorf("broken is %t; shares (-want +got):\n%s", rule.Broken, diff)
	}
}

// The table does not depend on what a snapshot says of elements: they are those of the match.
func TestElementsOfPrefix(t *testing.T) {
	for path, want := range map[string]int{"/": 0, "/one": 1, "/one/": 1, "/one/two": 2} {
		snapshot := world()
		given := &PathModifier{Prefix: new("/x/"), Elements: 7}
		snapshot.Routes[0].Rules[0].Matches[0].Path = path
		snapshot.Routes[0].Rules[0].Filters = []Filter{{Rewrite: &Rewrite{Path: given}}}
		got := must(t, snapshot).Routes[0].Rules[0].Filters[0].Rewrite.Path
		if got.Elements != want || *got.Prefix != "/x" {
			t.Errorf("%s: %d elements for %s", path, got.Elements, *got.Prefix)
		}
		if *given.Prefix != "/x/" || given.Elements != 7 {
			t.Error("the snapshot was changed")
		}
	}
}

func TestAuthority(t *testing.T) {
	tests := map[string]bool{
		"a": true, "a.example:80": true, "A.example": true, "10.0.0.1:1": true, "[fd00::1]": true, "[fd00::1]:80": true,
		"": false, ":80": false, "a:": false, "a:x": false, "a:123456": false, "*.example": false, "a b": false,
		"u@a": false, "fd00::1": false, "[fd00::1": false, "[a]": false, "a/": false, "a%2e": false,
	}
	for authority, want := range tests {
		if got := validAuthority(authority); got != want {
			t.Errorf("%q: got %t", authority, got)
		}
	}
}

func TestTimeouts(t *testing.T) {
	tests := map[string]struct {
		reason   string
		timeouts Timeouts
		errors   []string
	}{
		"none":   {reason: "0 is none", timeouts: Timeouts{}},
		"both":   {reason: "as long as each other at most", timeouts: Timeouts{Request: time.Second, BackendRequest: time.Second}},
		"one":    {reason: "none is not shorter", timeouts: Timeouts{BackendRequest: time.Second}},
		"longer": {reason: "it must be no more", timeouts: Timeouts{Request: 1, BackendRequest: 2}, errors: []string{"rules[0].timeouts.backend_request: 2ns is more than 1ns of the request"}},
		"negative": {
			reason: "time does not run backwards", timeouts: Timeouts{Request: -1, BackendRequest: -1},
			errors: []string{"rules[0].timeouts.request: -1ns is less than 0", "rules[0].timeouts.backend_request: -1ns is less than 0"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			snapshot := world()
			snapshot.Routes[0].Rules[0].Timeouts = &test.timeouts
			plan, errors := Compile(snapshot)
			var messages []string
			for _, e := range errors {
				messages = append(messages, e.Message)
			}
			if diff := cmp.Diff(test.errors, messages); diff != "" || plan.Routes[0].Rules[0].Broken != (len(test.errors) > 0) {
				t.Errorf("%s: broken is %t; errors (-want +got):\n%s", test.reason, plan.Routes[0].Rules[0].Broken, diff)
			}
		})
	}
}

// A mirror that leads nowhere is left out, and said when the table is to blame; one that is no share breaks its rule.
func TestMirrors(t *testing.T) {
	snapshot := world()
	snapshot.Backends = append(snapshot.Backends, &Backend{Name: "broken", Protocol: BackendHTTP1, Endpoints: "not-there"})
	snapshot.Routes[0].Rules[0].Filters = []Filter{
		{Mirror: &Mirror{Backend: "b", Slot: 9}}, {Mirror: &Mirror{Backend: "not-there"}}, {Mirror: &Mirror{Backend: "broken"}},
		{Mirror: &Mirror{Backend: "b", Numerator: 1, Denominator: 2}},
	}
	snapshot.Routes[0].Rules[1].Filters = []Filter{{Mirror: &Mirror{Backend: "b", Numerator: 3, Denominator: 2}}}
	plan, errors := Compile(snapshot)
	want := []Error{
		{"broken", CodeMissingReference, `endpoints: "not-there" is not in the table`},
		{"r", CodeMissingReference, `rules[0]: mirror.backend: "not-there" is not in the table`},
		{"r", CodeInvalid, "rules[1].filters[0].mirror.numerator: 3 is more than 2"},
	}
	if diff := cmp.Diff(want, errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	rules := plan.Routes[0].Rules
	left := []Filter{{Mirror: &Mirror{Backend: "b"}}, {Mirror: &Mirror{Backend: "b", Numerator: 1, Denominator: 2}}}
	if diff := cmp.Diff(left, rules[0].Filters); diff != "" || rules[0].Broken || !rules[1].Broken {
		t.Errorf("broken are %t and %t; filters (-want +got):\n%s", rules[0].Broken, rules[1].Broken, diff)
	}
}

func TestRetry(t *testing.T) {
	tests := map[string]struct {
		reason string
		retry  Retry
		errors []string
	}{
		"all of it": {reason: "the bounds are among what is allowed", retry: Retry{Codes: []uint32{400, 599}, Attempts: 1000, Backoff: time.Hour}},
		"nothing":   {reason: "no retries is said by no retry", retry: Retry{}, errors: []string{"rules[0].retry.attempts: 0 is not between 1 and 1000"}},
		"out of bounds": {
			reason: "each is named", retry: Retry{Codes: []uint32{399, 500, 600}, Attempts: 1001, Backoff: -1},
			errors: []string{
				"rules[0].retry.codes[0]: 399 is not between 400 and 599", "rules[0].retry.codes[2]: 600 is not between 400 and 599",
				"rules[0].retry.attempts: 1001 is not between 1 and 1000", "rules[0].retry.backoff: -1ns is less than 0",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			snapshot := world()
			snapshot.Routes[0].Rules[0].Retry = &test.retry
			plan, errors := Compile(snapshot)
			var messages []string
			for _, e := range errors {
				messages = append(messages, e.Message)
			}
			if diff := cmp.Diff(test.errors, messages); diff != "" || plan.Routes[0].Rules[0].Broken != (len(test.errors) > 0) {
				t.Errorf("%s: broken is %t; errors (-want +got):\n%s", test.reason, plan.Routes[0].Rules[0].Broken, diff)
			}
		})
	}
}
