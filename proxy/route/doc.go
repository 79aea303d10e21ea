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

// Package route is the match table: it finds the rule that takes a request. This page is its specification.
//
// # Listener
//
// A request arrives on a port. Among the listeners of that port, the one with the most specific hostname that takes
// the request's host is chosen: an exact hostname first, then the wildcard with the longest suffix, then the listener
// without a hostname. Only routes attached to that listener are looked at (Gateway API, Listeners: "inbound request
// hostnames MUST match from the most specific to least specific Hostname values to choose the correct set of Routes").
//
// # Hostname
//
// Within the listener, the hostnames of its routes are tried from the most specific to the least in the same order.
// HTTPRoute.hostnames: "precedence must be given to rules from the HTTPRoute with the largest number of: characters in
// a matching non-wildcard hostname, characters in a matching hostname." What counts is the route's own hostname, not
// the listener's. When no rule of a more specific hostname takes the request, the less specific ones are tried: a
// hostname shadows nothing that it does not take.
//
// Hosts are compared in lower case, without the port and without one trailing dot. "*.example.com" takes
// "a.example.com" and "a.b.example.com", not "example.com".
//
// # Path
//
// An exact path takes that path alone. A prefix takes whole elements: "/abc" takes "/abc", "/abc/" and "/abc/def", not
// "/abcd"; its own trailing slash is ignored, and "/" takes every path. Paths are case-sensitive. They are compared in
// percent-encoded form, after escapes of unreserved characters were decoded and the digits of the others put in upper
// case (RFC 3986 section 6.2.2), in the table and in the request alike, so that "/%61" is "/a" and "%2F" never becomes
// a separator.
//
// A last element takes paths of two elements of which it is the second: the method of a gRPC call, of whatever service. It may be
// an expression.
//
// An expression (RE2) takes whole paths, in the same form. Of the expressions that take a path, the longest counts first.
//
// # Precedence
//
// HTTPRouteRule.matches, continuing on ties: exact path; expression; prefix with the largest number of characters, but for "/"; last element; expression for one; "/"; method match;
// largest number of header matches; largest number of query parameter matches; the oldest route by creation time; the
// route first in alphabetical order by "{namespace}/{name}"; the first rule of the route; the first match of the rule.
// A match whose method, headers or query do not fit leaves the request to the next one, also to one with a shorter
// path.
//
// HTTPPathMatch leaves the place of expressions to the implementation. They come before prefixes, so that a rule for "/" does
// not shadow them.
//
// # Headers and query
//
// A header match compares the whole value: of a field with several lines, the values joined by ", " (RFC 9110 section
// 5.3). A query match compares with the first parameter of that name, both decoded from form encoding, and is
// case-sensitive. An expression takes whole values.
//
// # Cost
//
// Hosts and exact paths are looked up by map, wildcards once per label, prefixes by one step per path element, so that
// a lookup costs the same with one route as with thousands. Only matches that share hostname and path, and
// the path expressions of a hostname, are tried one after the other. A lookup allocates nothing, unless the path has escapes.
package route
