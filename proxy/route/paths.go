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
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// paths finds the match that takes a path, among those of one hostname: exact paths by map, prefixes by a tree of path
// elements.
//
// The hard case is that the longest prefix may not fit for its method, headers or query, and then the next shorter one
// must be tried: the walk down finds the deepest node, and every node knows the nearest one above that has candidates,
// so that the walk back needs no stack.
type paths[T any] struct {
	exact map[string][]candidate[T]
	// patterns in order of precedence. They are tried one after the other.
	patterns []patterned[T]
	// last are those that take paths of two elements, by the second.
	last map[string][]candidate[T]
	// lastPatterns are those that do so by an expression, in order of precedence.
	lastPatterns []patterned[T]
	root         node[T]
	// routes that were added, in order.
	routes []*Route[T]
}

// patterned is a candidate for the paths, or last elements, that an expression takes.
type patterned[T any] struct {
	pattern *regexp.Regexp
	// length of the expression in bytes.
	length int
	candidate[T]
}

type node[T any] struct {
	children map[string]*node[T]
	// candidates of the prefix that ends here, in order of precedence.
	candidates []candidate[T]
	// above is the nearest node towards the root that has candidates; nil when there is none.
	above *node[T]
}

// candidate is one match of one rule.
type candidate[T any] struct {
	method  string
	headers []Pair
	query   []Pair
	value   T

	// What decides between candidates of the same path.
	route       *Route[T]
	rule, match int32
}

func newPaths[T any]() *paths[T] {
	return &paths[T]{exact: make(map[string][]candidate[T])}
}

// add takes in all matches of a route. finish must follow.
func (p *paths[T]) add(route *Route[T]) {
	p.routes = append(p.routes, route)
	for i := range route.Rules {
		rule := &route.Rules[i]
		for j := range rule.Matches {
			match := &rule.Matches[j]
			added := candidate[T]{
				method: match.Method, headers: match.Headers, query: match.Query, value: rule.Value,
				route: route, rule: int32(i), match: int32(j),
			}
			p.insert(match, added)
		}
	}
}

func (p *paths[T]) insert(match *Match, added candidate[T]) {
	if match.Pattern != nil {
		list := &p.patterns
		if match.Last {
			list = &p.lastPatterns
		}
		*list = append(*list, patterned[T]{pattern: match.Pattern, length: len(match.Path), candidate: added})
		return
	}
	if match.Last {
		if p.last == nil {
			p.last = make(map[string][]candidate[T])
		}
		element := CanonicalPath("/" + match.Path)[1:]
		p.last[element] = append(p.last[element], added)
		return
	}
	path := CanonicalPath(match.Path)
	if match.Exact {
		p.exact[path] = append(p.exact[path], added)
		return
	}
	at := &p.root
	// PathMatchPathPrefix: "When specified, a trailing `/` is ignored."
	rest := strings.TrimSuffix(path, "/")
	for rest != "" {
		var element string
		element, rest = nextElement(rest)
		child := at.children[element]
		if child == nil {
			child = &node[T]{}
			if at.children == nil {
				at.children = make(map[string]*node[T])
			}
			at.children[element] = child
		}
		at = child
	}
	at.candidates = append(at.candidates, added)
}

// nextElement cuts "/abc" off "/abc/def".
func nextElement(path string) (element, rest string) {
	path = path[1:]
	slash := strings.IndexByte(path, '/')
	if slash < 0 {
		return path, ""
	}
	return path[:slash], path[slash:]
}

// finish puts the candidates in order.
func (p *paths[T]) finish() {
	for _, candidates := range p.exact {
		slices.SortStableFunc(candidates, precedence)
	}
	for _, candidates := range p.last {
		slices.SortStableFunc(candidates, precedence)
	}
	for _, list := range [][]patterned[T]{p.patterns, p.lastPatterns} {
		slices.SortStableFunc(list, func(a, b patterned[T]) int {
			return cmp.Or(cmp.Compare(b.length, a.length), precedence(a.candidate, b.candidate))
		})
	}
	p.root.finish(nil)
}

func (n *node[T]) finish(above *node[T]) {
	n.above = above
	slices.SortStableFunc(n.candidates, precedence)
	if len(n.candidates) > 0 {
		above = n
	}
	for _, child := range n.children {
		child.finish(above)
	}
}

// lookup gives the value of the first candidate that takes the request. path is canonical.
func (p *paths[T]) lookup(path string, request *Request) (T, bool) {
	if value, found := choose(p.exact[path], request); found {
		return value, true
	}
	if value, found := chooseBy(p.patterns, path, request); found {
		return value, true
	}
	at := &p.root
	for rest := path; rest != "" && rest[0] == '/' && len(at.children) > 0; {
		var element string
		element, rest = nextElement(rest)
		child := at.children[element]
		if child == nil {
			break
		}
		at = child
	}
	for ; at != nil && at != &p.root; at = at.above {
		if value, found := choose(at.candidates, request); found {
			return value, true
		}
	}
	if len(p.last) > 0 {
		if value, found := choose(p.last[second(path)], request); found {
			return value, true
		}
	}
	if element := second(path); len(p.lastPatterns) > 0 && element != "" {
		if value, found := chooseBy(p.lastPatterns, element, request); found {
			return value, true
		}
	}
	return choose(p.root.candidates, request)
}

// second is the last element of a path of two, empty for any other.
func second(path string) string {
	if path == "" || path[0] != '/' {
		return ""
	}
	first, rest := nextElement(path)
	if first == "" || rest == "" || strings.IndexByte(rest[1:], '/') >= 0 {
		return ""
	}
	return rest[1:]
}

// chooseBy gives the value of the first candidate that takes the request and whose expression takes the text.
func chooseBy[T any](candidates []patterned[T], text string, request *Request) (T, bool) {
	for i := range candidates {
		if c := &candidates[i]; c.takes(request) && c.pattern.MatchString(text) {
			return c.value, true
		}
	}
	var none T
	return none, false
}

func choose[T any](candidates []candidate[T], request *Request) (T, bool) {
	for i := range candidates {
		if candidates[i].takes(request) {
			return candidates[i].value, true
		}
	}
	var none T
	return none, false
}
