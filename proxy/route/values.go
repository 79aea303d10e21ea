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

import "strings"

// takes says whether method, headers and query fit. The path was matched before.
func (c *candidate[T]) takes(request *Request) bool {
	if c.method != "" && c.method != request.Method {
		return false
	}
	for i := range c.headers {
		if !headerTakes(request.Fields, &c.headers[i]) {
			return false
		}
	}
	for i := range c.query {
		if !queryTakes(request.Query, &c.query[i]) {
			return false
		}
	}
	return true
}

func headerTakes(fields Fields, wanted *Pair) bool {
	if wanted.Pattern == nil {
		return headerEquals(fields, wanted.Name, wanted.Value)
	}
	value, found := joined(fields, wanted.Name)
	return found && wanted.Pattern.MatchString(value)
}

// joined gives the value of a field, the lines of one with several joined as headerEquals compares them.
func joined(fields Fields, name string) (string, bool) {
	if fields == nil {
		return "", false
	}
	whole, found := "", false
	for i := range fields.Len() {
		lineName, value := fields.Line(i)
		if !equalNames(lineName, name) {
			continue
		}
		if found {
			value = whole + ", " + value
		}
		whole, found = value, true
	}
	return whole, found
}

// headerEquals compares a wanted value with that of a field. RFC 9110 section 5.3: the value of a field with several
// lines is their values, "in order, separated by a comma"; here followed by one space, as is usual.
func headerEquals(fields Fields, name, wanted string) bool {
	if fields == nil {
		return false
	}
	found := false
	for i := range fields.Len() {
		lineName, value := fields.Line(i)
		if !equalNames(lineName, name) {
			continue
		}
		if found {
			if !strings.HasPrefix(wanted, ", ") {
				return false
			}
			wanted = wanted[len(", "):]
		}
		found = true
		if !strings.HasPrefix(wanted, value) {
			return false
		}
		wanted = wanted[len(value):]
	}
	return found && wanted == ""
}

func equalNames(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// queryTakes compares with the value of a parameter. HTTPQueryParamMatch.name: "it is *recommended* that
// implementations should match against the first value of the param".
func queryTakes(query string, wanted *Pair) bool {
	for query != "" {
		var pair string
		pair, query, _ = strings.Cut(query, "&")
		key, value, _ := strings.Cut(pair, "=")
		if !decodesTo(key, wanted.Name) {
			continue
		}
		if wanted.Pattern == nil {
			return decodesTo(value, wanted.Value)
		}
		return wanted.Pattern.MatchString(decoded(value))
	}
	return false
}

// decodesTo compares a form-encoded string with a plain one, without decoding it into memory: "+" is a space, "%XX" a
// byte, and a "%" without two hexadecimal digits stands for itself.
func decodesTo(encoded, plain string) bool {
	for encoded != "" {
		if plain == "" {
			return false
		}
		c := encoded[0]
		size := 1
		if c == '+' {
			c = ' '
		}
		if c == '%' {
			if decoded, ok := unescape(encoded); ok {
				c, size = decoded, 3
			}
		}
		if c != plain[0] {
			return false
		}
		encoded, plain = encoded[size:], plain[1:]
	}
	return plain == ""
}

// decoded decodes what decodesTo compares.
func decoded(encoded string) string {
	if !strings.ContainsAny(encoded, "+%") {
		return encoded
	}
	plain := make([]byte, 0, len(encoded))
	for i := 0; i < len(encoded); i++ {
		c := encoded[i]
		if c == '+' {
			c = ' '
		}
		if escaped, ok := unescape(encoded[i:]); ok {
			c = escaped
			i += 2
		}
		plain = append(plain, c)
	}
	return string(plain)
}

// unescape decodes the escape at the beginning of s.
func unescape(s string) (byte, bool) {
	if len(s) < 3 || s[0] != '%' {
		return 0, false
	}
	high, low := digit(s[1]), digit(s[2])
	if high < 0 || low < 0 {
		return 0, false
	}
	return byte(high<<4 | low), true
}

func digit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// CanonicalPath decodes escapes of unreserved characters and puts the digits of the others in upper case: paths that
// RFC 3986 section 6.2.2 calls equivalent become equal. A path without escapes is given back as it is.
func CanonicalPath(path string) string {
	if strings.IndexByte(path, '%') < 0 {
		return path
	}
	const digits = "0123456789ABCDEF"
	canonical := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c, ok := unescape(path[i:])
		if !ok {
			canonical = append(canonical, path[i])
			continue
		}
		i += 2
		if unreserved(c) {
			canonical = append(canonical, c)
			continue
		}
		canonical = append(canonical, '%', digits[c>>4], digits[c&15])
	}
	return string(canonical)
}

// unreserved is RFC 3986 section 2.3.
func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
