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

// Classes of octets.
const (
	Token  = 1 << iota // RFC 9110 section 5.6.2: tchar
	Value              // RFC 9110 section 5.5: field-vchar, SP and HTAB
	Target             // what a path or a query may hold
	Name               // RFC 3986 section 3.2.2: reg-name without pct-encoded
)

// octets says to which classes an octet belongs.
var octets = classify()

func classify() [256]uint8 {
	var classes [256]uint8
	add := func(set string, class uint8) {
		for i := range len(set) {
			classes[set[i]] |= class
		}
	}
	const alphanumeric = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	add("!#$%&'*+-.^_`|~"+alphanumeric, Token)
	// RFC 3986 section 2: what is not listed there must be escaped; clients send `"<>[]^`{|}` as they are, which is
	// tolerated because nothing takes them for another character. "\" some take for "/", and "#" ends a target.
	add("-._~:/?@!$&'()*+,;=%\"<>[]^`{|}"+alphanumeric, Target)
	add("-._~!$&'()*+,;="+alphanumeric, Name)
	for c := range classes {
		if c == '\t' || c >= ' ' && c != 0x7f {
			classes[c] |= Value
		}
	}
	return classes
}

// All says whether every octet of s is in the class.
func All[T string | []byte](s T, class uint8) bool {
	for i := range len(s) {
		if octets[s[i]]&class == 0 {
			return false
		}
	}
	return true
}

// IsDigit says whether c is a decimal digit.
func IsDigit(c byte) bool { return '0' <= c && c <= '9' }

// HexDigit gives the value of a hexadecimal digit, or -1.
func HexDigit(c byte) int {
	switch {
	case IsDigit(c):
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// EscapesAreWhole says whether each "%" is followed by two hexadecimal digits.
func EscapesAreWhole(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if len(s)-i < 3 || HexDigit(s[i+1]) < 0 || HexDigit(s[i+2]) < 0 {
			return false
		}
		i += 2
	}
	return true
}

// Trim removes optional whitespace (RFC 9110 section 5.6.3) from both ends.
func Trim(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// ClassOf is the set of classes to which an octet belongs.
func ClassOf(c byte) uint8 { return octets[c] }
