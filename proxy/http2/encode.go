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

package http2

import (
	"strconv"

	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/message"
)

// tableless is a dynamic table size update to 0 (RFC 7541 section 6.3), which begins the first block of a connection:
// the peer need not keep a table.
const tableless = 0x20

// staticNames are the places of names in the static table (RFC 7541 appendix A).
var staticNames = map[string]uint64{
	":authority": 1, ":method": 2, ":path": 4, ":scheme": 6, ":status": 8, "accept-charset": 15, "accept-encoding": 16,
	"accept-language": 17, "accept-ranges": 18, "accept": 19, "access-control-allow-origin": 20, "age": 21, "allow": 22,
	"authorization": 23, "cache-control": 24, "content-disposition": 25, "content-encoding": 26, "content-language": 27,
	"content-length": 28, "content-location": 29, "content-range": 30, "content-type": 31, "cookie": 32, "date": 33,
	"etag": 34, "expect": 35, "expires": 36, "from": 37, "host": 38, "if-match": 39, "if-modified-since": 40,
	"if-none-match": 41, "if-range": 42, "if-unmodified-since": 43, "last-modified": 44, "link": 45, "location": 46,
	"max-forwards": 47, "proxy-authenticate": 48, "proxy-authorization": 49, "range": 50, "referer": 51, "refresh": 52,
	"retry-after": 53, "server": 54, "set-cookie": 55, "strict-transport-security": 56, "transfer-encoding": 57,
	"user-agent": 58, "vary": 59, "via": 60, "www-authenticate": 61,
}

const placeStatus = 8

// statuses are the places of whole fields.
var statuses = map[int]byte{200: 8, 204: 9, 206: 10, 304: 11, 400: 12, 404: 13, 500: 14}

func appendStatus(to []byte, status int) []byte {
	if place, found := statuses[status]; found {
		return append(to, 0x80|place)
	}
	var digits [3]byte
	return appendLiteral(to, placeStatus, 0, "", strconv.AppendInt(digits[:0], int64(status), 10))
}

// appendFields encodes a section. Names are made lower case: RFC 9113 section 8.2: "Field names MUST be converted to
// lowercase when constructing an HTTP/2 message."
func appendFields(to []byte, fields *message.Fields) []byte {
	for i := range fields.Len() {
		name, value := fields.Line(i)
		if !belongsToConnection(name) {
			to = appendField(to, name, value)
		}
	}
	return to
}

func appendField[T string | []byte](to []byte, name string, value T) []byte {
	var room [64]byte
	lowered := room[:0]
	for i := range len(name) {
		c := name[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		lowered = append(lowered, c)
	}
	place := staticNames[string(lowered)]
	kind := byte(0)
	// RFC 7541 section 7.1.3: what is worth guessing is never put into a table, here or later.
	if place == staticNames["authorization"] || place == staticNames["cookie"] || place == staticNames["set-cookie"] {
		kind = 0x10
	}
	if place != 0 {
		return appendLiteral(to, place, kind, "", value)
	}
	return appendLiteral(to, 0, kind, lowered, value)
}

// appendLiteral is a literal field without indexing (RFC 7541 section 6.2.2), or never indexed (6.2.3). Strings are not
// Huffman-coded: that would take more time than the bytes are worth.
func appendLiteral[N, V string | []byte](to []byte, place uint64, kind byte, name N, value V) []byte {
	to = appendInteger(to, kind, 4, place)
	if place == 0 {
		to = appendInteger(to, 0, 7, uint64(len(name)))
		to = append(to, name...)
	}
	to = appendInteger(to, 0, 7, uint64(len(value)))
	return append(to, value...)
}

// appendInteger: RFC 7541 section 5.1.
func appendInteger(to []byte, first byte, bits int, value uint64) []byte {
	full := uint64(1)<<bits - 1
	if value < full {
		return append(to, first|byte(value))
	}
	to = append(to, first|byte(full))
	for value -= full; value >= 0x80; value >>= 7 {
		to = append(to, byte(value)|0x80)
	}
	return append(to, byte(value))
}

// belongsToConnection names the fields that HTTP/2 does not have. RFC 9113 section 8.2.2: "An intermediary transforming
// an HTTP/1.x message to HTTP/2 MUST remove connection-specific header fields".
func belongsToConnection(name string) bool {
	switch len(name) {
	case len("Upgrade"):
		return message.EqualNames(name, "Upgrade")
	case len("Connection"):
		return message.EqualNames(name, "Connection") || message.EqualNames(name, "Keep-Alive")
	case len("Proxy-Connection"):
		return message.EqualNames(name, "Proxy-Connection")
	case len("Transfer-Encoding"):
		return message.EqualNames(name, "Transfer-Encoding")
	}
	return false
}

// frameHead is the size of what precedes each frame (RFC 9113 section 4.1).
const frameHead = 9

func appendFrameHead(to []byte, length int, kind http2.FrameType, flags http2.Flags, stream uint32) []byte {
	return append(to, byte(length>>16), byte(length>>8), byte(length), byte(kind), byte(flags),
		byte(stream>>24), byte(stream>>16), byte(stream>>8), byte(stream))
}

func appendUint32(to []byte, value uint32) []byte {
	return append(to, byte(value>>24), byte(value>>16), byte(value>>8), byte(value))
}

// appendHead writes an encoded header section as HEADERS, and CONTINUATION where it is larger than a frame.
func appendHead(to, block []byte, stream uint32, end bool, maxFrame int) []byte {
	kind, flags := http2.FrameHeaders, http2.Flags(0)
	if end {
		flags = http2.FlagHeadersEndStream
	}
	for {
		piece := block[:min(len(block), maxFrame)]
		block = block[len(piece):]
		if len(block) == 0 {
			flags |= http2.FlagHeadersEndHeaders
		}
		to = appendFrameHead(to, len(piece), kind, flags, stream)
		to = append(to, piece...)
		if len(block) == 0 {
			return to
		}
		kind, flags = http2.FrameContinuation, 0
	}
}
