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
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lines is a header section for tests.
type lines []struct{ Name, Value string }

func (l lines) Len() int                        { return len(l) }
func (l lines) Line(i int) (name, value string) { return l[i].Name, l[i].Value }

// rule is a rule with one match, named by its value.
func rule(name string, match Match) Rule[string] {
	return Rule[string]{Matches: []Match{match}, Value: name}
}

func prefix(path string) Match { return Match{Path: path} }
func exact(path string) Match  { return Match{Path: path, Exact: true} }

// attached is a route of the listener "http" with the given hostnames.
func attached(name string, hostnames []string, rules ...Rule[string]) Route[string] {
	return Route[string]{
		Namespace: "ns", Name: name, Rules: rules,
		Attachments: []Attachment{{Listener: "http", Hostnames: hostnames}},
	}
}

func at(host, path string) Request { return Request{Host: host, Path: path, Method: "GET"} }

var anyHost = []Listener{{Name: "http", Port: 80}}

func lookup(table *Table[string], port uint16, request Request) string {
	value, found := table.Lookup(port, &request)
	if !found {
		return "none"
	}
	return value
}

func TestHosts(t *testing.T) {
	table := Build(anyHost, []Route[string]{
		attached("exact", []string{"a.example.com"}, rule("exact", prefix("/"))),
		attached("wild", []string{"*.example.com"}, rule("wild", prefix("/"))),
		attached("longer", []string{"*.b.example.com"}, rule("longer", prefix("/"))),
		attached("any", nil, rule("any", prefix("/any"))),
	})
	tests := map[string]struct{ reason, host, path, want string }{
		"exact":           {"an exact hostname precedes every wildcard", "a.example.com", "/", "exact"},
		"upper case":      {"hosts are case-insensitive", "A.Example.COM", "/", "exact"},
		"port":            {"implementations MUST ignore any port value in the Host header", "a.example.com:8080", "/", "exact"},
		"trailing dot":    {"a fully qualified name is the same host", "a.example.com.", "/", "exact"},
		"wildcard":        {"a wildcard takes one label", "x.example.com", "/", "wild"},
		"two labels":      {"a wildcard is a suffix match and takes several labels", "x.y.example.com", "/", "wild"},
		"longest":         {"the wildcard with more characters precedes", "x.b.example.com", "/", "longer"},
		"not itself":      {"*.b.example.com does not take b.example.com, but *.example.com does", "b.example.com", "/", "wild"},
		"apex":            {"*.example.com does not take example.com", "example.com", "/", "none"},
		"empty label":     {"a wildcard stands for at least one character", ".example.com", "/", "none"},
		"any":             {"a route without hostnames takes any host", "other.org", "/any", "any"},
		"any, IPv6":       {"an address in brackets is a host with colons", "[::1]:80", "/any", "any"},
		"any, no host":    {"HTTP/1.0 requests may lack a host", "", "/any", "any"},
		"any, overlong":   {"no hostname is that long, so only routes for any host take it", strings.Repeat("a.", 200) + "example.com", "/any", "any"},
		"overlong":        {"an overlong host must not reach a wildcard", strings.Repeat("a.", 200) + "example.com", "/", "none"},
		"unmatched other": {"no route for that host and path", "other.org", "/", "none"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := lookup(table, 80, at(test.host, test.path)); got != test.want {
				t.Errorf("%s: got %s, want %s", test.reason, got, test.want)
			}
		})
	}
}

func TestListeners(t *testing.T) {
	listeners := []Listener{
		{Name: "exact", Port: 80, Hostname: "a.example.com"},
		{Name: "wild", Port: 80, Hostname: "*.example.com"},
		{Name: "any", Port: 80},
		{Name: "other", Port: 81},
	}
	on := func(name string, listener ...string) Route[string] {
		route := Route[string]{Name: name, Rules: []Rule[string]{rule(name, prefix("/"+name))}}
		for _, l := range listener {
			route.Attachments = append(route.Attachments, Attachment{Listener: l})
		}
		return route
	}
	table := Build(listeners, []Route[string]{
		on("one", "exact"), on("two", "wild"), on("three", "any"), on("four", "other"), on("all", "exact", "wild", "any"),
		on("lost", "not-there"),
	})
	tests := map[string]struct {
		reason string
		port   uint16
		host   string
		path   string
		want   string
	}{
		"exact":          {"the most specific listener is chosen", 80, "a.example.com", "/one", "one"},
		"isolated":       {"a request for one listener is not served by the routes of a less specific one", 80, "a.example.com", "/two", "none"},
		"isolated any":   {"nor by those of the listener for any host", 80, "a.example.com", "/three", "none"},
		"wild":           {"the wildcard listener takes other subdomains", 80, "b.example.com", "/two", "two"},
		"any":            {"the listener without hostname takes what is left", 80, "other.org", "/three", "three"},
		"several":        {"a route may attach to several listeners", 80, "b.example.com", "/all", "all"},
		"port":           {"listeners are chosen by port first", 81, "a.example.com", "/four", "four"},
		"not that port":  {"a route serves on the ports of its listeners alone", 81, "a.example.com", "/one", "none"},
		"no such port":   {"a port without listeners has no routes", 82, "a.example.com", "/one", "none"},
		"no such target": {"an attachment to nothing attaches nowhere", 80, "other.org", "/lost", "none"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := lookup(table, test.port, at(test.host, test.path)); got != test.want {
				t.Errorf("%s: got %s, want %s", test.reason, got, test.want)
			}
		})
	}
}

func TestPaths(t *testing.T) {
	table := Build(anyHost, []Route[string]{attached("r", nil,
		rule("abc", prefix("/abc")),
		rule("abc-def", prefix("/abc/def/")),
		rule("exact", exact("/abc/exact")),
		rule("escaped", prefix("/a%20b/%63")),
		rule("slash", prefix("/x%2fy")),
	)})
	tests := map[string]struct{ reason, path, want string }{
		"itself":           {"a prefix takes its own path", "/abc", "abc"},
		"trailing slash":   {"a trailing slash makes no other path for a prefix", "/abc/", "abc"},
		"element":          {"a prefix takes the elements below", "/abc/x/y", "abc"},
		"part of element":  {"/abcd is not below /abc", "/abcd", "none"},
		"longer":           {"the prefix with more characters precedes", "/abc/def/x", "abc-def"},
		"slash in prefix":  {"the trailing slash of a prefix is ignored", "/abc/def", "abc-def"},
		"half of longer":   {"an element must fit as a whole in the longer prefix too", "/abc/defg", "abc"},
		"exact":            {"an exact path precedes prefixes", "/abc/exact", "exact"},
		"exact with slash": {"an exact path is not the path with a slash", "/abc/exact/", "abc"},
		"case":             {"paths are case-sensitive", "/ABC", "none"},
		"empty elements":   {"an empty element is an element", "//abc", "none"},
		"empty below":      {"an empty element below is below", "/abc//def", "abc"},
		"escape decoded":   {"%61 is a", "/%61bc", "abc"},
		"escape in rule":   {"%63 in the rule is c in the path", "/a%20b/c", "escaped"},
		"slash escaped":    {"%2F is not a separator, and its digits have no case", "/x%2Fy/z", "slash"},
		"slash plain":      {"a separator is not %2F", "/x/y", "none"},
		"asterisk":         {"OPTIONS * has no path to be below", "*", "none"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := lookup(table, 80, at("h", test.path)); got != test.want {
				t.Errorf("%s: got %s, want %s", test.reason, got, test.want)
			}
		})
	}
}

func TestRootPrefixTakesEverything(t *testing.T) {
	table := Build(anyHost, []Route[string]{attached("r", nil, rule("root", prefix("/")))})
	// HTTPRouteRule.matches: "the default is a prefix path match on "/", which has the effect of matching every HTTP
	// request."
	for _, path := range []string{"/", "/a", "//", "/%zz", "*", ""} {
		if got := lookup(table, 80, at("h", path)); got != "root" {
			t.Errorf("path %q: got %s", path, got)
		}
	}
}

func TestPrecedence(t *testing.T) {
	old, young := time.Unix(1000, 0), time.Unix(2000, 0)
	header := func(names ...string) []Pair {
		var pairs []Pair
		for _, name := range names {
			pairs = append(pairs, Pair{Name: name, Value: "1"})
		}
		return pairs
	}
	// Each case has two routes; the second one, "wins", must be chosen although the first stands before it.
	route := func(name string, created time.Time, match Match) Route[string] {
		r := attached(name, nil, rule(name, match))
		r.Created = created
		return r
	}
	request := Request{
		Host: "h", Path: "/a/b", Method: "GET", Query: "x=1&y=1", Fields: lines{{"X", "1"}, {"Y", "1"}, {"Z", "1"}},
	}
	tests := map[string]struct {
		reason      string
		loses, wins Route[string]
	}{
		"exact over prefix": {
			reason: "an exact path comes first, however specific the other is",
			loses:  route("a", old, Match{Path: "/a/b", Method: "GET", Headers: header("x", "y")}),
			wins:   route("wins", young, Match{Path: "/a/b", Exact: true}),
		},
		"longer prefix": {
			reason: "then the prefix with more characters, before methods and headers",
			loses:  route("a", old, Match{Path: "/a", Method: "GET", Headers: header("x", "y")}),
			wins:   route("wins", young, Match{Path: "/a/b"}),
		},
		"method": {
			reason: "then a method, before headers",
			loses:  route("a", old, Match{Path: "/a", Headers: header("x", "y")}),
			wins:   route("wins", young, Match{Path: "/a", Method: "GET"}),
		},
		"more headers": {
			reason: "then the larger number of headers, before query parameters",
			loses:  route("a", old, Match{Path: "/a", Headers: header("x"), Query: header("x", "y")}),
			wins:   route("wins", young, Match{Path: "/a", Headers: header("x", "y")}),
		},
		"more query parameters": {
			reason: "then the larger number of query parameters, before age",
			loses:  route("a", old, Match{Path: "/a", Query: header("x")}),
			wins:   route("wins", young, Match{Path: "/a", Query: header("x", "y")}),
		},
		"older": {
			reason: "then the older route, before the alphabet",
			loses:  route("a", young, Match{Path: "/a"}),
			wins:   route("wins", old, Match{Path: "/a"}),
		},
		"name": {
			reason: "then the first by {namespace}/{name}",
			loses:  route("x", old, Match{Path: "/a"}),
			wins:   route("wins", old, Match{Path: "/a"}),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			table := Build(anyHost, []Route[string]{test.loses, test.wins})
			if got := lookup(table, 80, request); got != "wins" {
				t.Errorf("%s: got %s", test.reason, got)
			}
		})
	}
}

func TestPrecedenceByNamespaceAndName(t *testing.T) {
	// "a-b/c" is before "a/b" as text, because "-" is before "/"; compared in two steps it would not be.
	first, second := attached("c", nil, rule("a-b/c", prefix("/"))), attached("b", nil, rule("a/b", prefix("/")))
	first.Namespace, second.Namespace = "a-b", "a"
	if got := lookup(Build(anyHost, []Route[string]{second, first}), 80, at("h", "/")); got != "a-b/c" {
		t.Errorf(`precedence is the alphabetical order of "{namespace}/{name}": got %s`, got)
	}
}

func TestPrecedenceWithinARoute(t *testing.T) {
	table := Build(anyHost, []Route[string]{attached("r", nil,
		Rule[string]{Value: "first", Matches: []Match{{Path: "/other"}, {Path: "/a", Headers: []Pair{{Name: "x", Value: "1"}}}}},
		Rule[string]{Value: "second", Matches: []Match{{Path: "/a", Headers: []Pair{{Name: "y", Value: "1"}}}}},
	)})
	request := Request{Host: "h", Path: "/a", Fields: lines{{"x", "1"}, {"y", "1"}}}
	if got := lookup(table, 80, request); got != "first" {
		t.Errorf("ties within a route go to the first rule: got %s", got)
	}
}

// A more specific host, path or match that does not fit leaves the request to the next one.
func TestFallThrough(t *testing.T) {
	table := Build(anyHost, []Route[string]{
		attached("host", []string{"a.example.com"}, rule("host", prefix("/only"))),
		attached("wild", []string{"*.example.com"},
			rule("post", Match{Path: "/deep/er", Method: "POST"}),
			rule("header", Match{Path: "/deep", Headers: []Pair{{Name: "x", Value: "1"}}}),
			rule("exact-post", Match{Path: "/deep/er/x", Exact: true, Method: "POST"}),
			rule("wild", prefix("/wild"))),
		attached("any", nil, rule("any", prefix("/"))),
	})
	tests := map[string]struct {
		reason  string
		request Request
		want    string
	}{
		"host to wildcard": {"no rule of the exact host takes the path", at("a.example.com", "/wild"), "wild"},
		"host to any":      {"nor one of the wildcard", at("a.example.com", "/else"), "any"},
		"prefix to shorter": {
			"the longer prefix wants another method, the shorter one fits",
			Request{Host: "b.example.com", Path: "/deep/er/x", Method: "GET", Fields: lines{{"X", "1"}}}, "header",
		},
		"prefix to host": {
			"no prefix of this host fits, a less specific host does",
			Request{Host: "b.example.com", Path: "/deep/er/x", Method: "GET"}, "any",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := lookup(table, 80, test.request); got != test.want {
				t.Errorf("%s: got %s, want %s", test.reason, got, test.want)
			}
		})
	}
}

func TestHeaderEquals(t *testing.T) {
	tests := map[string]struct {
		reason string
		fields lines
		wanted string
		want   bool
	}{
		"equal":        {"a value is compared as a whole", lines{{"color", "blue"}}, "blue", true},
		"name's case":  {"name matching MUST be case-insensitive", lines{{"COLOR", "blue"}}, "blue", true},
		"value's case": {"values are compared exactly", lines{{"color", "Blue"}}, "blue", false},
		"longer":       {"a prefix is not the value", lines{{"color", "bluest"}}, "blue", false},
		"shorter":      {"nor is the beginning of the wanted value", lines{{"color", "bl"}}, "blue", false},
		"absent":       {"a field that is not there has no value", lines{{"shape", "blue"}}, "blue", false},
		"two lines":    {"several lines are one list", lines{{"color", "red"}, {"x", "y"}, {"color", "blue"}}, "red, blue", true},
		"second line":  {"one line of several is not the value", lines{{"color", "red"}, {"color", "blue"}}, "blue", false},
		"first line":   {"nor is the first", lines{{"color", "red"}, {"color", "blue"}}, "red", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := headerEquals(test.fields, "color", test.wanted); got != test.want {
				t.Errorf("%s: got %t", test.reason, got)
			}
		})
	}
	if headerEquals(nil, "color", "") {
		t.Error("no field section has no values")
	}
}

func TestQueryEquals(t *testing.T) {
	tests := map[string]struct {
		reason        string
		query, wanted string
		want          bool
	}{
		"equal":        {"plain values are compared as they are", "animal=whale", "whale", true},
		"not first":    {"other parameters may come before", "a=b&animal=whale&c", "whale", true},
		"escaped":      {"the value is decoded", "animal=%77hal%65", "whale", true},
		"escaped name": {"the name is decoded", "%61nimal=whale", "whale", true},
		"plus":         {"+ is a space in forms", "animal=blue+whale", "blue whale", true},
		"escaped plus": {"%2B is a plus", "animal=a%2Bb", "a+b", true},
		"separator":    {"%26 is no separator", "animal=a%26b", "a&b", true},
		"repeated":     {"the first value of a repeated parameter counts", "animal=cat&animal=whale", "whale", false},
		"case":         {"names are compared exactly", "Animal=whale", "whale", false},
		"longer":       {"a prefix is not the value", "animal=whales", "whale", false},
		"shorter":      {"nor is the beginning of the wanted value", "animal=whal", "whale", false},
		"bad escape":   {"a % without digits stands for itself", "animal=5%", "5%", true},
		"absent":       {"a parameter that is not there has no value", "", "", false},
		"empty":        {"a parameter without = has an empty value", "animal", "", true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := queryTakes(test.query, &Pair{Name: "animal", Value: test.wanted}); got != test.want {
				t.Errorf("%s: got %t", test.reason, got)
			}
		})
	}
}

func TestCanonicalPath(t *testing.T) {
	got := map[string]string{}
	want := map[string]string{
		"/plain":  "/plain",
		"/%41%7e": "/A~",
		"/%2f%2F": "/%2F%2F",
		"/%zz%4":  "/%zz%4",
		"/%25":    "/%25",
	}
	for path := range want {
		got[path] = CanonicalPath(path)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("canonical paths (-want +got):\n%s", diff)
	}
}

func TestExpressions(t *testing.T) {
	pattern := func(expression string) *regexp.Regexp { return regexp.MustCompile(`\A(?:` + expression + `)\z`) }
	byPath := func(expression string) Match { return Match{Path: expression, Pattern: pattern(expression)} }
	table := Build([]Listener{{Name: "l", Port: 80}}, []Route[string]{{
		Attachments: []Attachment{{Listener: "l"}},
		Rules: []Rule[string]{
			{Value: "all", Matches: []Match{{Path: "/"}}},
			{Value: "short", Matches: []Match{byPath("/v[0-9]")}},
			{Value: "long", Matches: []Match{byPath("/v[0-9]+(/.*)?")}},
			{Value: "exact", Matches: []Match{{Exact: true, Path: "/v1"}}},
			{Value: "header", Matches: []Match{{
				Path: "/h", Headers: []Pair{{Name: "color", Pattern: pattern("red, (blue|green)")}},
			}}},
			{Value: "query", Matches: []Match{{Path: "/q", Query: []Pair{{Name: "q", Pattern: pattern("a b[%]?")}}}}},
		},
	}})
	tests := []struct {
		path, query string
		fields      lines
		want        string
		reason      string
	}{
		{"/v1", "", nil, "exact", "an exact path comes before an expression"},
		{"/v2", "", nil, "long", "of two expressions the longer one counts, wherever it stands"},
		{"/v2/x", "", nil, "long", "an expression comes before a prefix"},
		{"/%76%32", "", nil, "long", "paths are compared in canonical form"},
		{"/v", "", nil, "all", "what no expression takes is left to the prefix"},
		{"/h", "", lines{{"color", "red"}, {"Color", "green"}}, "header", "lines are joined before they are compared"},
		{"/h", "", lines{{"color", "red, blue, x"}}, "all", "a part of a value is not the value"},
		{"/h", "", nil, "all", "a field that is not there has no value"},
		{"/q", "q=a+b%25&q=x", nil, "query", "the first value is decoded before it is compared"},
		{"/q", "q=x&q=a+b", nil, "all", "the second value does not count"},
	}
	for _, test := range tests {
		got, _ := table.Lookup(80, &Request{Host: "h", Path: test.path, Query: test.query, Method: "GET", Fields: test.fields})
		if got != test.want {
			t.Errorf("%s?%s %v: got %q, want %q: %s", test.path, test.query, test.fields, got, test.want, test.reason)
		}
	}
}
