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
	"bytes"
	"unsafe"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/syntax"
)

// headLimits bound a head.
type headLimits struct {
	line   int // bytes of the first line
	bytes  int // of the whole head
	fields int // field lines
}

// headScan finds the end of a head that arrives in pieces, looking at each byte once.
type headScan struct {
	seen  int // bytes that were looked at
	line  int // where the line begins that is being looked at
	lines int // lines that are complete
}

// next looks at a buffer that begins with the head. It gives the head's size with its empty line, or errIncomplete, or
// the fault that is already certain.
func (s *headScan) next(data []byte, limits headLimits) (int, error) {
	if len(data) > 0 && syntax.ClassOf(data[0])&syntax.Token == 0 {
		return 0, errMethod
	}
	for {
		at := bytes.IndexByte(data[s.seen:], '\n')
		if at < 0 {
			s.seen = len(data)
			if tooLarge := s.tooLarge(len(data), limits); tooLarge != nil {
				return 0, tooLarge
			}
			return 0, errIncomplete
		}
		at += s.seen
		s.seen = at + 1
		// RFC 9112 section 2.2 lets a recipient take a single LF for the end of a line; whoever does not would see
		// another message.
		if at == 0 || data[at-1] != '\r' {
			return 0, errBareLF
		}
		if tooLarge := s.tooLarge(at+1, limits); tooLarge != nil {
			return 0, tooLarge
		}
		if at-1 == s.line {
			return at + 1, nil
		}
		s.line = at + 1
		s.lines++
	}
}

// tooLarge says whether what arrived is more than the limits allow.
func (s *headScan) tooLarge(size int, limits headLimits) *fault {
	if s.lines == 0 && size > limits.line {
		return errLineTooLong
	}
	if size > limits.bytes || s.lines-1 > limits.fields {
		return errHeadTooLarge
	}
	return nil
}

// text gives bytes as a string without copying them: it is valid as long as they are not overwritten.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// cutLine cuts the first line off what consists of whole lines. The line is given without its CRLF.
func cutLine(data []byte) (line, rest []byte) {
	at := bytes.IndexByte(data, '\n')
	return data[:at-1], data[at+1:]
}

// parseField reads one field line.
func parseField(line []byte) (message.Field, error) {
	var none message.Field
	// RFC 9112 section 5.2: "A server that receives an obs-fold in a request message that is not within a
	// "message/http" container MUST either reject the message by sending a 400 (Bad Request) [...]".
	if line[0] == ' ' || line[0] == '\t' {
		return none, errFold
	}
	// RFC 9112 section 5.1: "No whitespace is allowed between the field name and colon. [...] A server MUST reject,
	// with a response status code of 400 (Bad Request), any received request message that contains whitespace between
	// a header field name and colon."
	colon := 0
	for colon < len(line) && syntax.ClassOf(line[colon])&syntax.Token != 0 {
		colon++
	}
	if colon == 0 || colon == len(line) || line[colon] != ':' {
		return none, errName
	}
	value := syntax.Trim(text(line[colon+1:]))
	if !syntax.All(value, syntax.Value) {
		if bytes.IndexByte(line, '\r') >= 0 {
			return none, errBareCR
		}
		return none, errValue
	}
	return message.Field{Name: text(line[:colon]), Value: value}, nil
}

// hasOption says whether a list such as that of Connection (RFC 9110 section 5.6.1) has an element, given in lower case.
func hasOption(list, option string) bool {
	for list != "" {
		end := 0
		for end < len(list) && list[end] != ',' {
			end++
		}
		if message.EqualNames(syntax.Trim(list[:end]), option) {
			return true
		}
		list = list[min(end+1, len(list)):]
	}
	return false
}
