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
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// route plans one route. known are the listeners' protocols, 0 for those that do not serve, slots the usable backends,
// held the protocols of all backends.
func (c *compiler) route(r *Route, known map[string]Protocol, slots map[string]int, held map[string]BackendProtocol) *PlannedRoute {
	planned := &PlannedRoute{Name: r.Name, Origin: r.Origin}
	if r.Unsupported != "" {
		c.fail(r.Name, CodeUnsupported, "%s", r.Unsupported)
	}
	for i, attachment := range r.Attachments {
		kept, ok := c.attachment(r.Name, i, attachment, known)
		if ok && !known[attachment.Listener].HTTP() {
			c.fail(r.Name, CodeInvalid, "attachments[%d].listener: %q is none for requests", i, attachment.Listener)
			continue
		}
		if ok {
			planned.Attachments = append(planned.Attachments, kept)
		}
	}
	for i := range r.Rules {
		rule := c.rule(r.Name, i, &r.Rules[i], slots, held)
		rule.Broken = rule.Broken || r.Unsupported != ""
		planned.Rules = append(planned.Rules, rule)
	}
	return planned
}

func (c *compiler) attachment(route string, i int, a Attachment, known map[string]Protocol) (Attachment, bool) {
	protocol, there := known[a.Listener]
	if !there {
		c.fail(route, CodeMissingReference, "attachments[%d].listener: %q is not in the table", i, a.Listener)
		return a, false
	}
	if protocol == 0 {
		return a, false // The listener's own error says why.
	}
	kept := Attachment{Listener: a.Listener}
	for j, hostname := range a.Hostnames {
		lower := strings.ToLower(hostname)
		if !validHostname(lower) {
			c.fail(route, CodeInvalid, "attachments[%d].hostnames[%d]: %q is not a hostname", i, j, hostname)
			continue
		}
		kept.Hostnames = append(kept.Hostnames, lower)
	}
	// Thousands of routes are kept twice: what is equal is shared.
	if slices.Equal(kept.Hostnames, a.Hostnames) {
		kept.Hostnames = a.Hostnames
	}
	// No hostname at all means any; none left of some must not.
	return kept, len(kept.Hostnames) > 0 || len(a.Hostnames) == 0
}

func (c *compiler) rule(route string, i int, r *Rule, slots map[string]int, held map[string]BackendProtocol) PlannedRule {
	planned := PlannedRule{Name: r.Name, Index: i}
	at := fmt.Sprintf("rules[%d]", i)
	if r.Unsupported != "" {
		c.fail(route, CodeUnsupported, "%s: %s", at, r.Unsupported)
		planned.Broken = true
	}
	if len(r.Matches) == 0 {
		c.fail(route, CodeInvalid, "%s.matches: at least one is needed", at)
	}
	for j := range r.Matches {
		match, ok := c.match(route, fmt.Sprintf("%s.matches[%d]", at, j), &r.Matches[j])
		if !ok {
			planned.Broken = true
			continue
		}
		planned.Matches = append(planned.Matches, match)
	}
	if len(planned.Matches) == len(r.Matches) && !slices.ContainsFunc(planned.Matches, Match.compiled) {
		planned.Matches = r.Matches
	}
	scope := filterScope{route: route, matches: r.Matches, slots: slots, held: held}
	for j, b := range r.Backends {
		if b.Weight > maxWeight {
			c.fail(route, CodeInvalid, "%s.backends[%d].weight: %d is more than %d", at, j, b.Weight, maxWeight)
			planned.Broken = true
			continue
		}
		share := Share{Backend: slot(b.Backend, slots), Weight: int(b.Weight)}
		var ok bool
		if share.Filters, ok = c.filters(scope, fmt.Sprintf("%s.backends[%d]", at, j), b.Filters); !ok {
			share.Backend = NoBackend
		}
		if b.Weight > 0 {
			planned.Shares = append(planned.Shares, share)
		}
	}
	var ok bool
	if planned.Filters, ok = c.filters(scope, at, r.Filters); !ok {
		planned.Broken = true
	}
	if planned.Timeouts = r.Timeouts; !c.timeouts(route, at+".timeouts", r.Timeouts) {
		planned.Broken = true
	}
	if planned.Retry = r.Retry; !c.retry(route, at+".retry", r.Retry) {
		planned.Broken = true
	}
	c.references(route, at, r, held)
	return planned
}

func slot(backend string, slots map[string]int) int {
	if i, usable := slots[backend]; usable {
		return i
	}
	return NoBackend
}

// references reports the backends that are named and not in the table, or not for requests. An empty name is a reference that the operator
// could not resolve, and said so where it belongs.
func (c *compiler) references(route, at string, r *Rule, held map[string]BackendProtocol) {
	for j, b := range r.Backends {
		if b.Backend == "" {
			continue
		}
		protocol, there := held[b.Backend]
		if !there {
			c.fail(route, CodeMissingReference, "%s.backends[%d].backend: %q is not in the table", at, j, b.Backend)
		}
		if protocol == BackendTCP || protocol == BackendUDP {
			c.fail(route, CodeInvalid, "%s.backends[%d].backend: %q is for stream routes", at, j, b.Backend)
		}
	}
}

func (c *compiler) match(route, at string, m *Match) (Match, bool) {
	before := len(c.errors)
	if m.Unsupported != "" {
		c.fail(route, CodeUnsupported, "%s: %s", at, m.Unsupported)
	}
	kept := *m
	switch m.PathType {
	case PathExact, PathPrefix:
		c.path(route, at, m.Path)
	case PathLastElement:
		if m.Path == "" || strings.Contains(m.Path, "/") {
			c.fail(route, CodeInvalid, "%s.path.value: %q is not one element of a path", at, m.Path)
		}
	case PathRegex, PathLastExpression:
		kept.PathPattern = c.pattern(route, at+".path.value", m.Path)
	default:
		c.fail(route, CodeUnsupported, "%s.path.type: %d is not known", at, m.PathType)
	}
	if m.Method != "" && !validToken(m.Method) {
		c.fail(route, CodeInvalid, "%s.method: %q is not a method", at, m.Method)
	}
	kept.Headers = c.values(route, at+".headers", m.Headers, strings.ToLower)
	kept.Query = c.values(route, at+".query_parameters", m.Query, func(name string) string { return name })
	return kept, len(c.errors) == before
}

// compiled reports whether a planned match may be another than the one that was pushed.
func (m Match) compiled() bool { return m.PathPattern != nil || len(m.Headers)+len(m.Query) > 0 }

func (c *compiler) path(route, at, path string) {
	if !strings.HasPrefix(path, "/") {
		c.fail(route, CodeInvalid, "%s.path.value: %q does not begin with /", at, path)
	}
	// PathMatchType: "Must not contain consecutive `/` characters".
	if strings.Contains(path, "//") {
		c.fail(route, CodeInvalid, "%s.path.value: %q contains //", at, path)
	}
}

// pattern compiles an expression, and reports one that is none.
func (c *compiler) pattern(route, at, expression string) *regexp.Regexp {
	pattern, err := wholePattern(expression)
	if err != nil {
		c.fail(route, CodeInvalid, "%s: %v", at, err)
	}
	return pattern
}

// values checks the comparisons of one sort, and leaves out those whose name was there before. HTTPHeaderMatch.name:
// "If multiple entries specify equivalent header names, only the first entry with an equivalent name MUST be
// considered for a match." The same is said of query parameters.
func (c *compiler) values(route, at string, values []ValueMatch, fold func(string) string) []ValueMatch {
	var kept []ValueMatch
	seen := make(map[string]bool, len(values))
	for i, value := range values {
		value.Name = fold(value.Name)
		if value.Name == "" {
			c.fail(route, CodeInvalid, "%s[%d].name: must not be empty", at, i)
		}
		if seen[value.Name] {
			continue
		}
		seen[value.Name] = true
		switch value.Type {
		case ValueExact:
		case ValueRegex:
			value.Pattern = c.pattern(route, fmt.Sprintf("%s[%d].value", at, i), value.Value)
		default:
			c.fail(route, CodeUnsupported, "%s[%d].type: %d is not known", at, i, value.Type)
		}
		kept = append(kept, value)
	}
	return kept
}

// validHostname takes what the Gateway API calls a Hostname: labels of lower-case letters, digits and inner hyphens,
// of which the first may be "*" when others follow.
func validHostname(hostname string) bool {
	if len(hostname) > 253 {
		return false
	}
	hostname = strings.TrimPrefix(hostname, "*.")
	for label := range strings.SplitSeq(hostname, ".") {
		if !validLabel(label) {
			return false
		}
	}
	return true
}

func validLabel(label string) bool {
	if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for i := range len(label) {
		c := label[i]
		if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

// validToken takes RFC 9110's token (section 5.6.2).
func validToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !alphanumeric && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}
