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

package filter

import "strings"

// Path gives a path in the place of a request's: Full, or for as many elements as the match's prefix has, Prefix.
type Path struct {
	// Full path; empty when Prefix counts.
	Full string
	// Prefix without a trailing slash, and Elements that it stands for.
	Prefix   string
	Elements int
}

// appendTo writes what the path becomes. Elements are counted in the path as it came: a prefix is matched element-wise, and
// no escape is a separator, so that "/%61/b" has as many as "/a/b". What follows them stays byte for byte.
func (p *Path) appendTo(to []byte, path string) []byte {
	if p.Full != "" {
		return append(to, p.Full...)
	}
	rest := path
	for range p.Elements {
		next := strings.IndexByte(rest[min(1, len(rest)):], '/')
		if next < 0 {
			rest = ""
			break
		}
		rest = rest[next+1:]
	}
	to = append(to, p.Prefix...)
	to = append(to, rest...)
	// "/foo" with the prefix "/foo" and nothing in its place is "/" (HTTPPathModifier.replacePrefixMatch).
	if p.Prefix == "" && rest == "" {
		to = append(to, '/')
	}
	return to
}
