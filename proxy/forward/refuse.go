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

package forward

import (
	"strings"

	"github.com/rauta-dev/rauta/proxy/message"
)

var phrases = map[int]string{
	400: "Bad Request\n",
	404: "Not Found\n",
	408: "Request Timeout\n",
	413: "Content Too Large\n",
	421: "Misdirected Request\n",
	431: "Request Header Fields Too Large\n",
	500: "Internal Server Error\n",
	501: "Not Implemented\n",
	502: "Bad Gateway\n",
	503: "Service Unavailable\n",
	504: "Gateway Timeout\n",
}

// refuse answers for the proxy itself.
func (e *exchange) refuse(status int, reason Reason) Outcome {
	if isGRPC(&e.request.Fields) {
		return e.refuseGRPC(status, reason)
	}
	phrase := phrases[status]
	response := &message.Response{Status: status, Length: int64(len(phrase))}
	response.Fields.Add("Content-Type", "text/plain; charset=utf-8")
	response.Body = strings.NewReader(phrase)
	return e.answer(response, reason)
}

// answer sends a response of the proxy's own, through the filters of the rule that took the request.
func (e *exchange) answer(response *message.Response, reason Reason) Outcome {
	e.filterResponse(&response.Fields)
	if err := e.reply.Respond(response); err != nil {
		reason = ReasonClient
	}
	return Outcome{Status: response.Status, Reason: reason}
}

// hasDotSegment says whether a segment of the path is "." or "..", written plainly or with escapes. RFC 3986 section
// 5.2.4 has clients remove them; whether a backend does so with those that come all the same, matching cannot know. Escaped
// slashes, which are no separators to matching, count as such here, and so do backslashes: "/a/..%2Fb" is "/b" to some.
func hasDotSegment(path string) bool {
	if strings.IndexByte(path, '.') < 0 && strings.IndexByte(path, '%') < 0 {
		return false
	}
	for {
		segment, rest, more := cutSegment(path)
		if isDots(segment) {
			return true
		}
		if !more {
			return false
		}
		path = rest
	}
}

// cutSegment cuts a path at the first thing that somebody takes for a separator.
func cutSegment(path string) (segment, rest string, more bool) {
	for i := range len(path) {
		switch {
		case path[i] == '/':
			return path[:i], path[i+1:], true
		case path[i] == '%' && i+2 < len(path) && isSlash(path[i+1], path[i+2]):
			return path[:i], path[i+3:], true
		}
	}
	return path, "", false
}

// isSlash says whether two hexadecimal digits are those of "/" or "\".
func isSlash(high, low byte) bool {
	return high == '2' && (low == 'f' || low == 'F') || high == '5' && (low == 'c' || low == 'C')
}

func isDots(segment string) bool {
	dots := 0
	for segment != "" {
		switch {
		case segment[0] == '.':
			segment = segment[1:]
		case len(segment) >= 3 && segment[:2] == "%2" && (segment[2] == 'e' || segment[2] == 'E'):
			segment = segment[3:]
		default:
			return false
		}
		dots++
	}
	return dots == 1 || dots == 2
}
