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

// parseResponse reads a whole head, as headScan delimits it, into an empty response. Its strings alias the head. Only
// Status and Fields are set.
func parseResponse(head []byte, response *message.Response, frame *framing) error {
	*frame = framing{length: message.UnknownLength}
	line, rest := cutLine(head)
	if err := parseStatusLine(line, response, frame); err != nil {
		return err
	}
	for {
		if line, rest = cutLine(rest); len(line) == 0 {
			return nil
		}
		field, err := parseField(line)
		if err != nil {
			return err
		}
		taken, err := frame.take(field)
		if err != nil {
			return err
		}
		// Host and Expect mean nothing in a response, and nothing is what is passed on of them.
		if !taken {
			response.Fields.Add(field.Name, field.Value)
		}
	}
}

// parseStatusLine reads "HTTP-version SP status-code SP [ reason-phrase ]" (RFC 9112 section 4). The space before an
// absent reason may be missing, as it often is.
func parseStatusLine(line []byte, response *message.Response, frame *framing) error {
	const prefix = "HTTP/1.1 "
	if len(line) < len(prefix)+3 || text(line[:7]) != prefix[:7] || line[8] != ' ' {
		return errStatusLine
	}
	switch line[7] {
	case '1':
	case '0':
		frame.old = true
	default:
		return errStatusLine
	}
	code := line[len(prefix) : len(prefix)+3]
	reason := line[len(prefix)+3:]
	if !syntax.IsDigit(code[0]) || !syntax.IsDigit(code[1]) || !syntax.IsDigit(code[2]) || len(reason) > 0 && reason[0] != ' ' {
		return errStatusLine
	}
	if !syntax.All(reason, syntax.Value) {
		return errStatusLine
	}
	response.Status = int(code[0]-'0')*100 + int(code[1]-'0')*10 + int(code[2]-'0')
	// RFC 9110 section 15: "Values outside the range 100..599 are invalid."
	if response.Status < 100 || response.Status > 599 {
		return errStatusLine
	}
	return nil
}

// delimit says how the content of a response ends (RFC 9112 section 6.3). kind is noContent when there is none.
func delimit(method string, status int, frame *framing) (kind contentKind, length int64, err error) {
	chunked, err := frame.chunked()
	if err != nil {
		return noContent, 0, err
	}
	switch {
	case status < 200 || status == 204:
		// RFC 9112 section 6.1: "A server MUST NOT send a Transfer-Encoding header field in any response with a status
		// code of 1xx (Informational) or 204 (No Content)."
		if chunked {
			return noContent, 0, errForbiddenBody
		}
		return noContent, frame.length, nil
	case method == "HEAD" || status == 304:
		return noContent, frame.length, nil
	case chunked:
		return byChunks, message.UnknownLength, nil
	case frame.length == 0:
		return noContent, 0, nil
	case frame.length > 0:
		return byLength, frame.length, nil
	}
	return byClose, message.UnknownLength, nil
}
