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

import "strings"

// SplitTarget splits an origin-form (RFC 9112 section 3.2.1) into a path and a query with its "?". It is false for one
// that holds what a target must not, or an escape that is not whole.
func SplitTarget(target string) (path, query string, ok bool) {
	if !All(target, Target) {
		return "", "", false
	}
	path = target
	if mark := strings.IndexByte(target, '?'); mark >= 0 {
		path, query = target[:mark], target[mark:]
	}
	return path, query, EscapesAreWhole(path)
}

// IsAuthority checks uri-host [ ":" port ] (RFC 9110 section 7.2). The host must not be empty (section 4.2.1), and user
// information is not part of it.
func IsAuthority(s string) bool {
	host, port := s, ""
	if end := strings.IndexByte(s, ']'); s != "" && s[0] == '[' && end > 0 {
		host, port = s[:end+1], s[end+1:]
		if !isAddressLiteral(host[1:end]) {
			return false
		}
	} else {
		if colon := strings.IndexByte(s, ':'); colon >= 0 {
			host, port = s[:colon], s[colon:]
		}
		if host == "" || !isName(host) {
			return false
		}
	}
	if port == "" {
		return true
	}
	if port[0] != ':' || len(port) > 6 {
		return false
	}
	for i := 1; i < len(port); i++ {
		if !IsDigit(port[i]) {
			return false
		}
	}
	return true
}

// isName checks a registered name. Escapes in it are refused: nobody uses them, and not everybody decodes them.
func isName(host string) bool { return All(host, Name) }

// isAddressLiteral checks the octets between the brackets of an IPv6 address.
func isAddressLiteral(s string) bool {
	for i := range len(s) {
		if HexDigit(s[i]) < 0 && s[i] != ':' && s[i] != '.' {
			return false
		}
	}
	return strings.IndexByte(s, ':') >= 0
}
