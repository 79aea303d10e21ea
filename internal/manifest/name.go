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

package manifest

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// maxName is what a Service's name (a DNS label, RFC 1035) and a label's value may have.
const maxName = 63

// hashLength is how many hex digits tell shortened names apart.
const hashLength = 10

// Name is the name of every object that is made for a Gateway of a class. GEP-1762: "All generated resources ... should
// be named ... <NAME>-<GATEWAY CLASS>".
//
// A Service's name must be a DNS label that begins with a letter, and a Gateway's name is a DNS subdomain of up to
// 253 characters that may hold dots and begin with a digit. Where `<gateway>-<class>` is no such label, the name is what
// can be kept of it and a hash of both, so that no two Gateways share a name.
func Name(gateway, class string) string {
	plain := gateway + "-" + class
	if isLabel(plain) {
		return plain
	}
	sum := sha256.Sum256([]byte(gateway + "/" + class))
	suffix := "-" + hex.EncodeToString(sum[:])[:hashLength]

	kept := strings.ReplaceAll(plain, ".", "-")
	if !isLetter(kept[0]) {
		kept = "gw-" + kept
	}
	if len(kept) > maxName-len(suffix) {
		kept = kept[:maxName-len(suffix)]
	}
	return strings.TrimRight(kept, "-") + suffix
}

// peersName is the name of the Service by which a Gateway's replicas find each other. It is `<gateway>-<class>-peers` or, where that
// is no label, shortened with a hash.
func peersName(gateway, class string) string { return Name(gateway, class+"-peers") }

// LabelValue is a name as the value of a label: the name itself where it fits, else its beginning and a hash.
func LabelValue(name string) string {
	if len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	suffix := "-" + hex.EncodeToString(sum[:])[:hashLength]
	return strings.TrimRight(name[:maxName-len(suffix)], "-.") + suffix
}

// isLabel reports whether s is a DNS label that begins with a letter (RFC 1035), as a Service's name must be.
func isLabel(s string) bool {
	if s == "" || len(s) > maxName || !isLetter(s[0]) || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isLetter(c) && !isDigit(c) && c != '-' {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
