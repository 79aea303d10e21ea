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

package syntax

import "testing"

func TestAuthority(t *testing.T) {
	tests := map[string]struct {
		reason string
		want   bool
	}{
		"example.com":      {"a name", true},
		"example.com:8080": {"a name with a port", true},
		"[::1]:80":         {"an address literal", true},
		"":                 {"RFC 9110 section 4.2.1: the host must not be empty", false},
		":80":              {"the same with a port", false},
		"a@b":              {"user information is not part of it", false},
		"[::1":             {"a literal that does not end", false},
		"[abcd]":           {"hexadecimal digits without a colon are no IPv6 address", false},
		"a:123456":         {"no port has six digits", false},
		"a:8x":             {"nor letters", false},
		"a%2Fb":            {"not everybody decodes escapes in a name", false},
		"a/b":              {"a path is none", false},
	}
	for authority, test := range tests {
		if got := IsAuthority(authority); got != test.want {
			t.Errorf("%q: %s: got %t", authority, test.reason, got)
		}
	}
}

func TestSplitTarget(t *testing.T) {
	tests := map[string]struct {
		reason      string
		path, query string
		ok          bool
	}{
		"/a?b?c":  {"the first question mark divides", "/a", "?b?c", true},
		"/a?":     {"an empty query is kept", "/a", "?", true},
		"/a%2":    {"an escape that is not whole can be read in two ways", "/a%2", "", false},
		"/a\\b":   {"some take a backslash for a slash", "", "", false},
		"/a#b":    {"a fragment is not sent", "", "", false},
		"/a b":    {"a space ends a target", "", "", false},
		"/?a=%zz": {"a query is passed on as it is", "/", "?a=%zz", true},
	}
	for target, test := range tests {
		path, query, ok := SplitTarget(target)
		if ok != test.ok || ok && (path != test.path || query != test.query) {
			t.Errorf("%q: %s: got %q, %q, %t", target, test.reason, path, query, ok)
		}
	}
}

func TestDecimal(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "007": 7, "9223372036854775807": 1<<63 - 1} {
		if got, ok := Decimal(text); !ok || got != want {
			t.Errorf("%q: got %d, %t", text, got, ok)
		}
	}
	for _, text := range []string{"", "+1", "-1", " 1", "1,1", "0x1", "9223372036854775808", "18446744073709551617", "10000000000000000000"} {
		if got, ok := Decimal(text); ok {
			t.Errorf("%q is taken for %d", text, got)
		}
	}
}
