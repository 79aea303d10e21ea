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
	"slices"
	"strings"
)

// Filter changes requests or responses, or answers in the place of a backend. Exactly one of its parts is set.
type Filter struct {
	RequestHeaders, ResponseHeaders *HeaderModifier
	Redirect                        *Redirect
	Rewrite                         *Rewrite
	Mirror                          *Mirror
	CORS                            *CORS
}

// HeaderModifier changes a header section.
type HeaderModifier struct {
	// Set replaces all lines of a name, Add adds one to them.
	Set, Add []Field
	// Remove drops all lines of a name.
	Remove []string
}

// Field is one field line.
type Field struct{ Name, Value string }

// Mirror sends copies of requests to another backend.
type Mirror struct {
	Backend string
	// Numerator of Denominator is the share of the requests; all with a denominator of 0.
	Numerator, Denominator uint32
	// Slot is the index into Plan.Backends; Compile sets it in the plan.
	Slot int
}

// filterScope is where a filter is: in which route, with which matches, and with which backends.
type filterScope struct {
	route   string
	matches []Match
	slots   map[string]int
	held    map[string]BackendProtocol
}

// filters checks those of a rule or of a backend, and gives them as they are used; false when one of them cannot be applied,
// and none must be then.
func (c *compiler) filters(in filterScope, at string, filters []Filter) ([]Filter, bool) {
	if len(filters) == 0 {
		return nil, true
	}
	before := len(c.errors)
	kept := make([]Filter, 0, len(filters))
	for i := range filters {
		kept = append(kept, c.filter(in, fmt.Sprintf("%s.filters[%d]", at, i), filters[i]))
	}
	if len(c.errors) > before {
		return nil, false
	}
	// What mirrors lead to comes last: it is reported, and breaks nothing.
	return slices.DeleteFunc(kept, func(f Filter) bool { return f.Mirror != nil && !c.mirrored(in, at, f.Mirror) }), true
}

// mirrored finds the backend of a mirror; false when it does not serve. HTTPRequestMirrorFilter.backendRef: "If the referent
// cannot be found, this BackendRef is invalid and must be dropped from the Gateway."
func (c *compiler) mirrored(in filterScope, at string, m *Mirror) bool {
	m.Slot = slot(m.Backend, in.slots)
	if _, there := in.held[m.Backend]; !there {
		c.fail(in.route, CodeMissingReference, "%s: mirror.backend: %q is not in the table", at, m.Backend)
	}
	return m.Slot != NoBackend
}

func (c *compiler) filter(in filterScope, at string, f Filter) Filter {
	route := in.route
	switch {
	case f.Redirect != nil:
		f.Redirect = c.redirect(in, at+".redirect", *f.Redirect)
	case f.CORS != nil:
		f.CORS = c.cors(route, at+".cors", *f.CORS)
	case f.Mirror != nil:
		mirror := *f.Mirror
		if mirror.Numerator > mirror.Denominator {
			c.fail(route, CodeInvalid, "%s.mirror.numerator: %d is more than %d", at, mirror.Numerator, mirror.Denominator)
		}
		f.Mirror = &mirror
	case f.Rewrite != nil:
		f.Rewrite = c.rewrite(in, at+".rewrite", *f.Rewrite)
	case f.RequestHeaders != nil:
		c.headers(route, at+".request_headers", f.RequestHeaders, true)
	case f.ResponseHeaders != nil:
		c.headers(route, at+".response_headers", f.ResponseHeaders, false)
	default:
		c.fail(route, CodeUnsupported, "%s: this proxy does not know the filter", at)
	}
	return f
}

// headers checks a modifier. HTTPHeaderFilter: "Filters specifying multiple actions of the same or different type for any
// one header name are invalid."
func (c *compiler) headers(route, at string, m *HeaderModifier, ofRequest bool) {
	seen := make(map[string]bool)
	name := func(at, name string, sets bool) {
		lower := strings.ToLower(name)
		switch {
		case !validToken(name):
			c.fail(route, CodeInvalid, "%s: %q is not a field name", at, name)
		case framing[lower]:
			c.fail(route, CodeInvalid, "%s: %s frames the message or belongs to one connection", at, name)
		case lower == "host" && ofRequest && !sets:
			c.fail(route, CodeInvalid, "%s: a request has one Host, which can be set alone", at)
		case seen[lower]:
			c.fail(route, CodeInvalid, "%s: %s is there twice", at, name)
		}
		seen[lower] = true
	}
	for i, field := range m.Set {
		at := fmt.Sprintf("%s.set[%d]", at, i)
		name(at+".name", field.Name, true)
		c.fieldValue(route, at+".value", field.Value)
		if ofRequest && strings.EqualFold(field.Name, "Host") && !validAuthority(field.Value) {
			c.fail(route, CodeInvalid, "%s.value: %q is not a host with an optional port", at, field.Value)
		}
	}
	for i, field := range m.Add {
		at := fmt.Sprintf("%s.add[%d]", at, i)
		name(at+".name", field.Name, false)
		c.fieldValue(route, at+".value", field.Value)
	}
	for i, removed := range m.Remove {
		name(fmt.Sprintf("%s.remove[%d]", at, i), removed, false)
	}
}

// framing are the fields that say where a message ends, or that belong to one connection (RFC 9110 section 7.6.1): whoever
// could change them could make one message into two.
var framing = map[string]bool{
	"connection": true, "content-length": true, "http2-settings": true, "keep-alive": true, "proxy-connection": true,
	"te": true, "trailer": true, "transfer-encoding": true, "upgrade": true,
}

const maxFieldValue = 4096

// fieldValue: HTTPHeader.value: "Must consist of printable US-ASCII characters, optionally separated by single tabs or
// spaces." Several of those are let pass.
func (c *compiler) fieldValue(route, at, value string) {
	if value == "" || len(value) > maxFieldValue {
		c.fail(route, CodeInvalid, "%s: has %d bytes, 1 to %d are allowed", at, len(value), maxFieldValue)
		return
	}
	for i := range len(value) {
		if b := value[i]; b != '\t' && (b < ' ' || b > '~') {
			c.fail(route, CodeInvalid, "%s: %q holds a character that is not printable ASCII", at, value)
			return
		}
	}
	if strings.Trim(value, " \t") != value {
		c.fail(route, CodeInvalid, "%s: %q begins or ends with a space", at, value)
	}
}

// validAuthority takes a hostname or an address with an optional port.
func validAuthority(authority string) bool {
	host := authority
	if colon := strings.LastIndexByte(authority, ':'); colon >= 0 && !strings.HasSuffix(authority, "]") {
		port := authority[colon+1:]
		host = authority[:colon]
		if port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "" {
			return false
		}
	}
	return host != "" && !strings.HasPrefix(host, "*") && (validHostname(strings.ToLower(host)) || validLiteral(host))
}

// validLiteral takes an IPv6 address in brackets.
func validLiteral(host string) bool {
	inner, opened := strings.CutPrefix(host, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	return opened && closed && strings.Contains(inner, ":") && strings.Trim(inner, "0123456789abcdefABCDEF:.") == ""
}
