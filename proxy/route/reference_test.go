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
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// naive matches as the specification reads: it tries every match of every route, keeps those that take the request,
// and orders them by the criteria one after the other. It shares no code with the table but the comparison of values.
type naive struct {
	listeners []Listener
	routes    []Route[string]
}

type taken struct {
	hostname string
	route    *Route[string]
	rule     int
	match    int
	value    string
}

func (n naive) lookup(port uint16, request Request) string {
	listener := n.listener(port, request.Host)
	if listener == nil {
		return "none"
	}
	var all []taken
	for i := range n.routes {
		route := &n.routes[i]
		for _, attachment := range route.Attachments {
			if attachment.Listener != listener.Name {
				continue
			}
			hostnames := attachment.Hostnames
			if len(hostnames) == 0 {
				hostnames = []string{""}
			}
			for _, hostname := range hostnames {
				if naiveHost(hostname, request.Host) {
					all = append(all, naiveRules(hostname, route, request)...)
				}
			}
		}
	}
	if len(all) == 0 {
		return "none"
	}
	return slices.MinFunc(all, naiveOrder).value
}

func (n naive) listener(port uint16, host string) *Listener {
	var best *Listener
	for i := range n.listeners {
		l := &n.listeners[i]
		if l.Port != port || !naiveHost(l.Hostname, host) {
			continue
		}
		if best == nil || naiveHostname(l.Hostname) > naiveHostname(best.Hostname) {
			best = l
		}
	}
	return best
}

// naiveHostname ranks hostnames: exact ones above all, then by length.
func naiveHostname(hostname string) int {
	if hostname == "" || strings.HasPrefix(hostname, "*") {
		return len(hostname)
	}
	return 1000 + len(hostname)
}

func naiveHost(hostname, host string) bool {
	if hostname == "" {
		return true
	}
	if strings.HasPrefix(hostname, "*") {
		return strings.HasSuffix(host, hostname[1:]) && len(host) > len(hostname)-1
	}
	return hostname == host
}

func naiveRules(hostname string, route *Route[string], request Request) []taken {
	var all []taken
	for i, rule := range route.Rules {
		for j, match := range rule.Matches {
			if naiveMatch(match, request) {
				all = append(all, taken{hostname, route, i, j, rule.Value})
			}
		}
	}
	return all
}

func naiveMatch(match Match, request Request) bool {
	elements := strings.Split(request.Path, "/")
	if match.Last && (len(elements) != 3 || elements[1] == "" || elements[2] == "") {
		return false
	}
	if match.Pattern != nil && match.Last && !match.Pattern.MatchString(elements[2]) {
		return false
	}
	if match.Pattern != nil && !match.Last && !match.Pattern.MatchString(request.Path) {
		return false
	}
	if match.Exact && match.Path != request.Path {
		return false
	}
	if match.Last && match.Pattern == nil && elements[2] != match.Path {
		return false
	}
	trimmed := strings.TrimSuffix(match.Path, "/")
	if !match.Exact && !match.Last && match.Pattern == nil && request.Path != trimmed && !strings.HasPrefix(request.Path, trimmed+"/") {
		return false
	}
	if match.Method != "" && match.Method != request.Method {
		return false
	}
	for _, h := range match.Headers {
		if !headerTakes(request.Fields, &h) {
			return false
		}
	}
	for _, q := range match.Query {
		if !queryTakes(request.Query, &q) {
			return false
		}
	}
	return true
}

func naiveOrder(a, b taken) int {
	first, second := a.route.Rules[a.rule].Matches[a.match], b.route.Rules[b.rule].Matches[b.match]
	steps := []int{
		naiveHostname(b.hostname) - naiveHostname(a.hostname),
		number(second.Exact) - number(first.Exact),
		number(second.Pattern != nil && !second.Last) - number(first.Pattern != nil && !first.Last),
		number(naiveDeep(second)) - number(naiveDeep(first)),
		number(second.Last && second.Pattern == nil) - number(first.Last && first.Pattern == nil),
		number(second.Last) - number(first.Last),
		len(strings.TrimSuffix(second.Path, "/")) - len(strings.TrimSuffix(first.Path, "/")),
		number(second.Method != "") - number(first.Method != ""),
		len(second.Headers) - len(first.Headers),
		len(second.Query) - len(first.Query),
		a.route.Created.Compare(b.route.Created),
		strings.Compare(a.route.Namespace+"/"+a.route.Name, b.route.Namespace+"/"+b.route.Name),
		a.rule - b.rule,
		a.match - b.match,
	}
	for _, step := range steps {
		if step != 0 {
			return step
		}
	}
	return 0
}

// naiveDeep is true for a prefix of at least one element.
func naiveDeep(m Match) bool {
	return !m.Exact && !m.Last && m.Pattern == nil && strings.TrimSuffix(m.Path, "/") != ""
}

func number(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// generator makes worlds from few words, so that they overlap often.
type generator struct{ *rand.Rand }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

func (g generator) hostname() string {
	return pick(g, "", "a.test", "b.a.test", "*.test", "*.a.test", "*.b.a.test", "c.b.a.test")
}

func (g generator) path() string {
	path := ""
	for range g.IntN(4) {
		path += "/" + pick(g, "a", "b", "ab")
	}
	if path == "" || g.IntN(5) == 0 {
		path += "/"
	}
	return path
}

func (g generator) pairs() []Pair {
	var pairs []Pair
	for _, name := range []string{"x", "y"} {
		if g.IntN(4) == 0 {
			pairs = append(pairs, pick(g, Pair{Name: name, Value: "1"}, Pair{Name: name, Value: "2"},
				Pair{Name: name, Value: "[12]", Pattern: regexp.MustCompile(`\A[12]\z`)}))
		}
	}
	return pairs
}

func (g generator) fields() lines {
	var fields lines
	for _, name := range []string{"x", "y", "x"} {
		if g.IntN(4) == 0 {
			fields = append(fields, struct{ Name, Value string }{name, pick(g, "1", "2", "3")})
		}
	}
	return fields
}

func (g generator) world() naive {
	world := naive{listeners: []Listener{{Name: "l0", Port: 80}}}
	for i, hostname := range []string{"*.test", "*.a.test", "b.a.test"} {
		if g.IntN(2) == 0 {
			world.listeners = append(world.listeners, Listener{Name: fmt.Sprintf("l%d", i+1), Port: 80, Hostname: hostname})
		}
	}
	for i := range 1 + g.IntN(8) {
		route := Route[string]{
			Namespace: pick(g, "n", "m"), Name: fmt.Sprintf("r%d", i), Created: time.Unix(int64(g.IntN(3)), 0),
		}
		for _, l := range world.listeners {
			if g.IntN(2) == 0 {
				attachment := Attachment{Listener: l.Name}
				for range g.IntN(3) {
					if hostname := g.hostname(); hostname != "" && !slices.Contains(attachment.Hostnames, hostname) {
						attachment.Hostnames = append(attachment.Hostnames, hostname)
					}
				}
				route.Attachments = append(route.Attachments, attachment)
			}
		}
		for j := range 1 + g.IntN(3) {
			rule := Rule[string]{Value: fmt.Sprintf("%s/%d", route.Name, j)}
			for range 1 + g.IntN(2) {
				rule.Matches = append(rule.Matches, g.match())
			}
			route.Rules = append(route.Rules, rule)
		}
		world.routes = append(world.routes, route)
	}
	return world
}

func (g generator) match() Match {
	match := Match{
		Exact: g.IntN(3) == 0, Path: g.path(), Method: pick(g, "", "", "GET", "POST"), Headers: g.pairs(), Query: g.pairs(),
	}
	if g.IntN(5) == 0 {
		match.Exact, match.Path = false, pick(g, "/.*", "/a.?", "/(a|b)", "/[^/]+/b")
		match.Pattern = regexp.MustCompile(`\A(?:` + match.Path + `)\z`)
		return match
	}
	if g.IntN(6) == 0 {
		match.Exact, match.Last, match.Path = false, true, pick(g, "a", "b", "ab", "a.?", "[ab]")
		if strings.ContainsAny(match.Path, ".[") {
			match.Pattern = regexp.MustCompile(`\A(?:` + match.Path + `)\z`)
		}
	}
	return match
}

func (g generator) request() Request {
	request := Request{
		Host: pick(g, "a.test", "b.a.test", "c.b.a.test", "d.c.b.a.test", "test", "other"),
		Path: g.path(), Method: pick(g, "GET", "POST"), Fields: g.fields(),
	}
	for _, pair := range g.pairs() {
		request.Query += "&" + pair.Name + "=" + pair.Value
	}
	return request
}

// The table answers as the specification does when it is read word by word.
func TestTableAgreesWithReference(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	g := generator{rand.New(rand.NewPCG(seed, 0))}
	found := 0
	for range 3000 {
		world := g.world()
		table := Build(world.listeners, world.routes)
		for range 20 {
			request := g.request()
			want, got := world.lookup(80, request), lookup(table, 80, request)
			if got != want {
				t.Fatalf("request %+v: got %s, want %s\nlisteners %+v\nroutes %+v", request, got, want, world.listeners, world.routes)
			}
			if want != "none" {
				found++
			}
		}
	}
	if found < 1000 {
		t.Errorf("only %d requests were taken by a rule: the worlds prove too little", found)
	}
}

func FuzzLookup(f *testing.F) {
	f.Add("a.test:80", "/a/%62", "x=1&y=%31", "GET", "1", uint64(1))
	f.Add("[::1]", "//", "%", "", "", uint64(2))
	f.Add("..", "*", "&&=", "POST", "2, 1", uint64(3))
	f.Fuzz(func(t *testing.T, host, path, query, method, header string, seed uint64) {
		g := generator{rand.New(rand.NewPCG(seed, 1))}
		world := g.world()
		table := Build(world.listeners, world.routes)
		request := Request{Host: host, Path: path, Query: query, Method: method, Fields: lines{{"X", header}}}
		got := lookup(table, 80, request)
		// The reference takes hosts and paths in canonical form.
		request.Host = string(canonicalHost(nil, host))
		request.Path = CanonicalPath(path)
		if request.Path != "" && request.Path[0] != '/' {
			return // The reference knows origin-form alone.
		}
		if want := world.lookup(80, request); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
}
