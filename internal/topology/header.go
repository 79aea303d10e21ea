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

package topology

import (
	"fmt"
	"strings"

	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// framing are the fields that say where a message ends, or that belong to one connection (RFC 9110 section 7.6.1). The
// proxy writes them itself, and a route cannot.
var framing = map[string]bool{
	"connection": true, "content-length": true, "http2-settings": true, "keep-alive": true, "proxy-connection": true,
	"te": true, "trailer": true, "transfer-encoding": true, "upgrade": true,
}

// headerProblem says what is wrong with a header modifier, and where in it. "Only one action for a given header name is
// permitted. Filters specifying multiple actions of the same or different type for any one header name are invalid."
// (HTTPHeaderFilter)
func headerProblem(f *gatewayv1.HTTPHeaderFilter, ofRequest bool) string {
	seen := map[string]bool{}
	for i := range f.Set {
		if problem := nameProblem(seen, string(f.Set[i].Name)); problem != "" {
			return fmt.Sprintf(".set[%d].name: %s", i, problem)
		}
		if problem := valueProblem(f.Set[i].Value); problem != "" {
			return fmt.Sprintf(".set[%d].value: %s", i, problem)
		}
		if ofRequest && strings.EqualFold(string(f.Set[i].Name), "Host") && !isAuthority(f.Set[i].Value) {
			return fmt.Sprintf(".set[%d].value: %q is not a host with an optional port", i, f.Set[i].Value)
		}
	}
	for i := range f.Add {
		if problem := changeProblem(seen, string(f.Add[i].Name), ofRequest); problem != "" {
			return fmt.Sprintf(".add[%d].name: %s", i, problem)
		}
		if problem := valueProblem(f.Add[i].Value); problem != "" {
			return fmt.Sprintf(".add[%d].value: %s", i, problem)
		}
	}
	for i, name := range f.Remove {
		if problem := changeProblem(seen, name, ofRequest); problem != "" {
			return fmt.Sprintf(".remove[%d]: %s", i, problem)
		}
	}
	return ""
}

// changeProblem is nameProblem of what is added or removed: a request has one Host (RFC 9112 section 3.2).
func changeProblem(seen map[string]bool, name string, ofRequest bool) string {
	if ofRequest && strings.EqualFold(name, "Host") {
		return "a request has one Host, which can be set alone"
	}
	return nameProblem(seen, name)
}

func nameProblem(seen map[string]bool, name string) string {
	lower := strings.ToLower(name)
	switch {
	case !isToken(name):
		return fmt.Sprintf("%q is not a header name", name)
	case framing[lower]:
		return fmt.Sprintf("%s frames the message or belongs to one connection, and cannot be modified", name)
	case seen[lower]:
		return fmt.Sprintf("%s is there twice", name)
	}
	seen[lower] = true
	return ""
}

// valueProblem: "Must consist of printable US-ASCII characters, optionally separated by single tabs or spaces."
// (HTTPHeader.value) Several of those are let pass.
func valueProblem(value string) string {
	if value == "" || len(value) > 4096 {
		return fmt.Sprintf("has %d bytes, 1 to 4096 are allowed", len(value))
	}
	for i := range len(value) {
		if c := value[i]; c != '\t' && (c < ' ' || c > '~') {
			return fmt.Sprintf("%q holds a character that is not printable ASCII", value)
		}
	}
	if strings.Trim(value, " \t") != value {
		return fmt.Sprintf("%q begins or ends with a space", value)
	}
	return ""
}

// isToken takes RFC 9110's token (section 5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		alphanumeric := '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !alphanumeric && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// isAuthority takes a hostname or an IPv6 address in brackets, with an optional port.
func isAuthority(s string) bool {
	host := s
	if colon := strings.LastIndexByte(s, ':'); colon >= 0 && !strings.HasSuffix(s, "]") {
		port := s[colon+1:]
		host = s[:colon]
		if port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "" {
			return false
		}
	}
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		return ok && strings.Contains(inner, ":") && strings.Trim(inner, "0123456789abcdefABCDEF:.") == ""
	}
	return isHostname(strings.ToLower(host))
}

// isHostname takes a DNS name without a wildcard, in lower case.
func isHostname(host string) bool {
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" ||
			strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
	}
	return true
}
