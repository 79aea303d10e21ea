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
	"crypto/rand"
	"encoding/base64"
	"strconv"

	"github.com/rauta-dev/rauta/proxy/message"
)

// appendRequest writes the head of a request for an endpoint (RFC 9112 section 3). host stands for an authority that the
// request does not have.
func appendRequest(to []byte, request *message.Request, host string) []byte {
	to = append(to, request.Method...)
	to = append(to, ' ')
	to = append(to, request.Path...)
	to = append(to, request.Query...)
	to = append(to, " HTTP/1.1\r\nHost: "...)
	if request.Authority != "" {
		host = request.Authority
	}
	to = append(to, host...)
	to = append(to, "\r\n"...)
	to = appendFields(to, &request.Fields)
	if request.Upgrade != "" {
		to = append(to, "Connection: Upgrade\r\nUpgrade: "...)
		to = append(to, request.Upgrade...)
		to = append(to, "\r\n"...)
		if _, found := request.Fields.Get("Sec-WebSocket-Key"); !found && message.EqualNames(request.Upgrade, "websocket") {
			to = appendWebSocketKey(to)
		}
	}
	switch {
	case request.Body != nil && request.Length == message.UnknownLength:
		to = append(to, "Transfer-Encoding: chunked\r\n"...)
	case request.Body != nil || message.ExpectsContent(request.Method):
		to = appendLength(to, request.Length)
	}
	return append(to, "\r\n"...)
}

// appendWebSocketKey: RFC 6455 section 4.1: "The request MUST include a header field with the name |Sec-WebSocket-Key|. The
// value of this header field MUST be a nonce consisting of a randomly selected 16-byte value that has been
// base64-encoded". A handshake that came by HTTP/2 has none.
func appendWebSocketKey(to []byte) []byte {
	var nonce [16]byte
	_, _ = rand.Read(nonce[:]) // It never fails.
	to = append(to, "Sec-WebSocket-Key: "...)
	to = base64.StdEncoding.AppendEncode(to, nonce[:])
	return append(to, "\r\n"...)
}

func appendFields(to []byte, fields *message.Fields) []byte {
	for i := range fields.Len() {
		name, value := fields.Line(i)
		to = append(to, name...)
		to = append(to, ": "...)
		to = append(to, value...)
		to = append(to, "\r\n"...)
	}
	return to
}

func appendLength(to []byte, length int64) []byte {
	to = append(to, "Content-Length: "...)
	to = strconv.AppendInt(to, length, 10)
	return append(to, "\r\n"...)
}

// appendStatus writes a status line (RFC 9112 section 4).
func appendStatus(to []byte, status int) []byte {
	if status == 200 {
		return append(to, "HTTP/1.1 200 OK\r\n"...)
	}
	to = append(to, "HTTP/1.1 "...)
	to = strconv.AppendInt(to, int64(status), 10)
	to = append(to, ' ')
	to = append(to, reasons[status]...)
	return append(to, "\r\n"...)
}

// reasons are the phrases of RFC 9110 section 15 and of IANA's registry; others are left empty, as they may be.
var reasons = map[int]string{
	100: "Continue", 101: "Switching Protocols", 102: "Processing", 103: "Early Hints",
	200: "OK", 201: "Created", 202: "Accepted", 203: "Non-Authoritative Information", 204: "No Content",
	205: "Reset Content", 206: "Partial Content", 207: "Multi-Status", 208: "Already Reported", 226: "IM Used",
	300: "Multiple Choices", 301: "Moved Permanently", 302: "Found", 303: "See Other", 304: "Not Modified",
	305: "Use Proxy", 307: "Temporary Redirect", 308: "Permanent Redirect",
	400: "Bad Request", 401: "Unauthorized", 402: "Payment Required", 403: "Forbidden", 404: "Not Found",
	405: "Method Not Allowed", 406: "Not Acceptable", 407: "Proxy Authentication Required", 408: "Request Timeout",
	409: "Conflict", 410: "Gone", 411: "Length Required", 412: "Precondition Failed", 413: "Content Too Large",
	414: "URI Too Long", 415: "Unsupported Media Type", 416: "Range Not Satisfiable", 417: "Expectation Failed",
	418: "I'm a teapot", 421: "Misdirected Request", 422: "Unprocessable Content", 423: "Locked",
	424: "Failed Dependency", 425: "Too Early", 426: "Upgrade Required", 428: "Precondition Required",
	429: "Too Many Requests", 431: "Request Header Fields Too Large", 451: "Unavailable For Legal Reasons",
	500: "Internal Server Error", 501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable",
	504: "Gateway Timeout", 505: "HTTP Version Not Supported", 506: "Variant Also Negotiates",
	507: "Insufficient Storage", 508: "Loop Detected", 511: "Network Authentication Required",
}
