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
	"time"
)

// Listener is one listener: requests to Port whose host Hostname takes.
type Listener struct {
	Name string
	Port uint16
	// Hostname in lower case: exact, "*.example.com", or empty for any.
	Hostname string
}

// Route is one route with the rules whose Value a lookup gives.
type Route[T any] struct {
	// Key tells it from all others, and is the order in which they are given.
	Key string
	// Namespace, Name and Created decide between routes that tie.
	Namespace, Name string
	Created         time.Time
	Attachments     []Attachment
	// Rules in the order of the route.
	Rules []Rule[T]
}

// Attachment joins a route to a listener, for the given hostnames (lower case); for any host when there are none.
type Attachment struct {
	Listener  string
	Hostnames []string
}

// Rule is what Value any of its matches leads to.
type Rule[T any] struct {
	Matches []Match
	Value   T
}

// Match takes a request when all its parts do.
type Match struct {
	// Exact is true for a path that is taken alone, false for a prefix.
	Exact bool
	// Last is true for paths of two elements of which the last one is Path, or taken by Pattern.
	Last bool
	// Path, prefix, element, or the expression that Pattern was made from.
	Path string
	// Pattern takes whole paths, or last elements; nil when Path is no expression.
	Pattern *regexp.Regexp
	// Method, exact; empty for any.
	Method string
	// Headers by field name, each name once.
	Headers []Pair
	// Query parameters by name, each name once.
	Query []Pair
}

// Pair is a name and the value that is wanted for it.
type Pair struct {
	Name, Value string
	// Pattern, when it is set, takes whole values in the place of Value.
	Pattern *regexp.Regexp
}

// Request is what of a request matching looks at.
type Request struct {
	// Host as the client gave it, with or without a port.
	Host string
	// Path of the target, percent-encoded.
	Path string
	// Query without "?".
	Query  string
	Method string
	// Fields of the header section; nil for none.
	Fields Fields
}

// Fields gives the field lines of a request.
type Fields interface {
	Len() int
	Line(i int) (name, value string)
}
