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
	"errors"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/syntax"
)

// headKind is what a header section is for.
type headKind int

const (
	// discarded sections are decoded all the same: those that follow depend on it.
	discarded headKind = iota
	ofRequest
	ofTrailers
	ofResponse
)

// head is the header section that is being decoded.
type head struct {
	decoder *hpack.Decoder
	kind    headKind
	limits  *message.Limits
	maximum int // of its size
	request *message.Request
	// section are the lines of a trailer section, or of a response's head.
	section message.Fields
	status  int

	size, fields int
	regular      bool // a field that is no pseudo-field has been seen
	malformed    bool
	refusal      int // the status of the answer, 0 when there is nothing against it

	method, scheme, authority, path, protocol string
	pseudo                                    int // pseudo-fields, as bits
	hosts                                     int
	host                                      string
	cookies                                   int
	length                                    int64
	expects                                   bool
}

// Pseudo-fields of requests (RFC 9113 section 8.3.1, RFC 8441 section 4).
const (
	hasMethod = 1 << iota
	hasScheme
	hasAuthority
	hasPath
	hasProtocol
)

func (h *head) begin(kind headKind, limits *message.Limits, request *message.Request) {
	h.section.Reset()
	*h = head{decoder: h.decoder, section: h.section, kind: kind, limits: limits, request: request}
	h.maximum, h.length = limits.MaxHeaderBytes, message.UnknownLength
	if kind == ofTrailers {
		h.maximum = limits.MaxTrailerBytes
	}
	h.decoder.SetEmitEnabled(true)
	h.decoder.SetMaxStringLength(2 * limits.MaxHeaderBytes)
}

// maxContinuations is how many frames more a header section may take.
const maxContinuations = 64

// decode decodes a whole header section; more gives the next frame of it.
func (h *head) decode(f *http2.HeadersFrame, more func() (http2.Frame, error)) error {
	fragment, ended := f.HeaderBlockFragment(), f.HeadersEnded()
	total := 0
	for frames := 0; ; frames++ {
		total += len(fragment)
		// What is above the limits is still decoded, but not for ever (CVE-2024-27316).
		if frames > maxContinuations || total > 2*h.limits.MaxHeaderBytes {
			return errCalm
		}
		if _, err := h.decoder.Write(fragment); err != nil {
			if errors.Is(err, hpack.ErrStringLength) {
				return errCalm
			}
			return errCompression
		}
		if ended {
			break
		}
		frame, err := more()
		if err != nil {
			return err
		}
		next, ok := frame.(*http2.ContinuationFrame)
		if !ok {
			return errProtocol
		}
		fragment, ended = next.HeaderBlockFragment(), next.HeadersEnded()
	}
	if h.decoder.Close() != nil {
		return errCompression
	}
	return nil
}

// take is called for each field.
func (h *head) take(f hpack.HeaderField) {
	h.fields++
	h.size += int(f.Size())
	if h.size > h.maximum || h.fields > h.limits.MaxFields {
		h.refusal = 431
		h.decoder.SetEmitEnabled(false)
		return
	}
	if h.kind == discarded || h.malformed {
		return
	}
	if !isValue(f.Value) {
		h.malformed = true
		return
	}
	if f.IsPseudo() {
		h.takePseudo(f)
		return
	}
	h.regular = true
	if !isName(f.Name) {
		h.malformed = true
		return
	}
	if h.kind == ofTrailers {
		h.malformed = h.malformed || belongsToConnection(f.Name)
		if !syntax.ForbiddenTrailer(f.Name) {
			h.section.Add(f.Name, f.Value)
		}
		return
	}
	if h.kind == ofResponse {
		h.takeOfResponse(f.Name, f.Value)
		return
	}
	h.takeField(f.Name, f.Value)
}

// isName: RFC 9113 section 8.2.1: "A field name MUST NOT contain characters in the ranges 0x00-0x20, 0x41-0x5a, or
// 0x7f-0xff"; of others, only those of tokens mean the same to everybody.
func isName(name string) bool {
	for i := range len(name) {
		if c := name[i]; syntax.ClassOf(c)&syntax.Token == 0 || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return name != ""
}

// isValue: RFC 9113 section 8.2.1: "A field value MUST NOT start or end with an ASCII whitespace character".
func isValue(value string) bool {
	if value == "" {
		return true
	}
	first, last := value[0], value[len(value)-1]
	return first != ' ' && first != '\t' && last != ' ' && last != '\t' && syntax.All(value, syntax.Value)
}

// takePseudo: RFC 9113 section 8.3: "Pseudo-header fields MUST NOT appear in a trailer section"; "All pseudo-header
// fields MUST appear in a field block before all regular field lines."
func (h *head) takePseudo(f hpack.HeaderField) {
	if h.kind == ofResponse {
		h.takeStatus(f)
		return
	}
	into, bit := &h.method, 0
	switch f.Name {
	case ":method":
		bit = hasMethod
	case ":scheme":
		into, bit = &h.scheme, hasScheme
	case ":authority":
		into, bit = &h.authority, hasAuthority
	case ":path":
		into, bit = &h.path, hasPath
	case ":protocol":
		into, bit = &h.protocol, hasProtocol
	}
	if bit == 0 || h.regular || h.kind == ofTrailers || h.pseudo&bit != 0 {
		h.malformed = true
		return
	}
	*into = f.Value
	h.pseudo |= bit
}

// takeStatus: RFC 9113 section 8.3.2: "a single ":status" pseudo-header field is defined".
func (h *head) takeStatus(f hpack.HeaderField) {
	status, ok := syntax.Decimal(f.Value)
	if f.Name != ":status" || h.regular || h.status != 0 || !ok || len(f.Value) != 3 || status < 100 || status > 599 {
		h.malformed = true
		return
	}
	h.status = int(status)
}

// takeOfResponse is for fields of a response's head.
func (h *head) takeOfResponse(name, value string) {
	switch {
	case name == "content-length":
		length, ok := syntax.Decimal(value)
		if !ok || h.length != message.UnknownLength && h.length != length {
			h.malformed = true
		}
		h.length = length
	case belongsToConnection(name):
		h.malformed = true
	default:
		h.section.Add(name, value)
	}
}

// takeField sorts out what the codec needs for itself.
func (h *head) takeField(name, value string) {
	switch name {
	case "host":
		h.hosts++
		h.host = value
		return
	case "content-length":
		length, ok := syntax.Decimal(value)
		if !ok || h.length != message.UnknownLength && h.length != length {
			h.malformed = true
		}
		h.length = length
		return
	case "te":
		// RFC 9113 section 8.2.2: "it MUST NOT contain any value other than "trailers"."
		h.malformed = h.malformed || !message.EqualNames(value, "trailers")
	case "cookie":
		if h.cookies++; h.cookies > 1 {
			h.joinCookie(value)
			return
		}
	case "expect":
		h.expects = message.EqualNames(value, "100-continue")
		if !h.expects && h.refusal == 0 {
			h.refusal = 417
		}
	default:
		if belongsToConnection(name) {
			// RFC 9113 section 8.2.2: "Any message containing connection-specific header fields MUST be treated as
			// malformed".
			h.malformed = true
			return
		}
	}
	h.request.Fields.Add(name, value)
}

// joinCookie: RFC 9113 section 8.2.3: "If there are multiple Cookie header fields after decompression, these MUST be
// concatenated into a single octet string using the two-octet delimiter of 0x3B, 0x20 (the ASCII string "; ") before
// being passed into a non-HTTP/2 context".
func (h *head) joinCookie(value string) {
	before, _ := h.request.Fields.Get("cookie")
	h.request.Fields.Set("cookie", before+"; "+value)
}

// finish makes the request of the fields. ended says that there is no content.
func (h *head) finish(ended bool) {
	if h.malformed || h.refusal == 431 {
		return
	}
	r := h.request
	r.Method = h.method
	switch {
	case h.pseudo&hasMethod == 0 || h.method == "" || !syntax.All(h.method, syntax.Token):
		h.malformed = true
	case h.method == "CONNECT" && h.pseudo&hasProtocol == 0:
		h.finishConnect()
	// RFC 9113 section 8.3.1: "All HTTP/2 requests MUST include exactly one valid value for the ":method", ":scheme", and
	// ":path" pseudo-header fields, unless they are CONNECT requests".
	case h.scheme == "" || h.path == "" || h.method != "CONNECT" && h.pseudo&hasProtocol != 0:
		h.malformed = true
	case ended && h.length > 0:
		h.malformed = true
	default:
		h.refuse(h.finishTarget())
	}
	if h.method == "CONNECT" {
		h.length = 0
		h.finishUpgrade()
		return
	}
	r.Length = h.length
	if ended {
		r.Length = 0
	}
}

// finishConnect: RFC 9113 section 8.5: "The ":scheme" and ":path" pseudo-header fields MUST be omitted."
func (h *head) finishConnect() {
	if h.pseudo&(hasScheme|hasPath) != 0 || h.authority == "" {
		h.malformed = true
		return
	}
	if !syntax.IsAuthority(h.authority) {
		h.refuse(400)
	}
	h.request.Authority = h.authority
}

// finishUpgrade makes an extended CONNECT (RFC 8441) what it is with HTTP/1.1. That of an unknown protocol must not be
// taken for a GET.
func (h *head) finishUpgrade() {
	if h.pseudo&hasProtocol == 0 {
		return
	}
	h.request.Method, h.request.Upgrade = "GET", h.protocol
	if !message.EqualNames(h.protocol, "websocket") {
		h.refuse(501)
	}
}

func (h *head) refuse(status int) {
	if h.refusal == 0 {
		h.refusal = status
	}
}

// finishTarget reads target and authority; it gives the status of an answer, or 0.
func (h *head) finishTarget() int {
	r := h.request
	if !message.EqualNames(h.scheme, "http") && !message.EqualNames(h.scheme, "https") {
		return 400
	}
	r.Authority = h.authority
	if h.pseudo&hasAuthority == 0 {
		r.Authority = h.host
	}
	// RFC 9113 section 8.3.1: "A server SHOULD treat a request as malformed if it contains a Host header field that
	// identifies an entity that differs from the entity in the ":authority" pseudo-header field."
	if h.hosts > 1 || h.hosts == 1 && !strings.EqualFold(h.host, r.Authority) || !syntax.IsAuthority(r.Authority) {
		return 400
	}
	if len(h.method)+len(h.path) > h.limits.MaxRequestLine {
		return 414
	}
	if h.path == "*" && h.method == "OPTIONS" {
		r.Path = h.path
		return 0
	}
	path, query, ok := syntax.SplitTarget(h.path)
	if !ok || path == "" || path[0] != '/' {
		return 400
	}
	r.Path, r.Query = path, query
	return 0
}
