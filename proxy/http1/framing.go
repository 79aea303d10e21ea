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

package http1

import (
	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/syntax"
)

// framing is what a head says of the end of its message and of its connection. Its fields are collected while the head
// is parsed; they do not appear among the head's fields.
type framing struct {
	length    int64 // Content-Length; message.UnknownLength when there was none
	codings   int   // lines of Transfer-Encoding
	coding    string
	hosts     int // lines of Host
	host      string
	old       bool // HTTP/1.0
	close     bool // Connection has "close"
	upgrades  bool // Connection has "upgrade"
	expects   bool // Expect has "100-continue"
	expected  bool // there was an Expect
	protocols string
}

// take looks at a field line and says whether it is for the codec alone.
func (f *framing) take(field message.Field) (bool, error) {
	switch len(field.Name) {
	case len("Host"):
		if message.EqualNames(field.Name, "Host") {
			f.hosts++
			f.host = field.Value
			return true, nil
		}
	case len("Expect"):
		if message.EqualNames(field.Name, "Expect") {
			f.expects = message.EqualNames(field.Value, "100-continue")
			f.expected = true
			return f.old, nil
		}
	case len("Upgrade"):
		if message.EqualNames(field.Name, "Upgrade") && f.protocols == "" {
			f.protocols = field.Value
		}
	case len("Connection"):
		if message.EqualNames(field.Name, "Connection") {
			f.close = f.close || hasOption(field.Value, "close")
			f.upgrades = f.upgrades || hasOption(field.Value, "upgrade")
		}
	case len("Content-Length"):
		if message.EqualNames(field.Name, "Content-Length") {
			return true, f.takeLength(field.Value)
		}
	case len("Transfer-Encoding"):
		if message.EqualNames(field.Name, "Transfer-Encoding") {
			f.codings++
			f.coding = field.Value
			return true, nil
		}
	}
	return false, nil
}

// takeLength: RFC 9112 section 6.3: "If a message is received without Transfer-Encoding and with an invalid
// Content-Length header field, then the message framing is invalid and the recipient MUST treat it as an unrecoverable
// error". Lines that say the same are one; a list in one line is refused, as it may be.
func (f *framing) takeLength(value string) error {
	length, ok := syntax.Decimal(value)
	if !ok || f.length != message.UnknownLength && f.length != length {
		return errLength
	}
	f.length = length
	return nil
}

// chunked says whether the content is in chunks, after checking that it is clear whether it is.
func (f *framing) chunked() (bool, error) {
	if f.codings == 0 {
		return false, nil
	}
	// RFC 9112 section 6.1: "A server or client that receives an HTTP/1.0 message containing a Transfer-Encoding header
	// field MUST treat the message as if the framing is faulty".
	if f.old {
		return false, errCodingVersion
	}
	// RFC 9112 section 6.1: "A server MAY reject a request that contains both Content-Length and Transfer-Encoding".
	if f.length != message.UnknownLength {
		return false, errBothFramings
	}
	if f.codings == 1 && message.EqualNames(f.coding, "chunked") {
		return true, nil
	}
	// RFC 9112 section 6.1: "A server that receives a request message with a transfer coding it does not understand
	// SHOULD respond with 501 (Not Implemented)", also to one that stands alone.
	if f.codings == 1 && (endsInChunked(f.coding) || f.coding != "" && syntax.All(f.coding, syntax.Token)) {
		return false, errOtherCoding
	}
	return false, errCoding
}

// endsInChunked says whether the last of several codings is chunked, and no other is.
func endsInChunked(list string) bool {
	const last = "chunked"
	if len(list) <= len(last) || !message.EqualNames(list[len(list)-len(last):], last) {
		return false
	}
	before := syntax.Trim(list[:len(list)-len(last)])
	return before != "" && before[len(before)-1] == ',' && !hasOption(before, last)
}
