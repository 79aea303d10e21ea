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
	"strings"

	"github.com/rauta-dev/rauta/proxy/message"
	"github.com/rauta-dev/rauta/proxy/syntax"
)

// parseRequest reads a whole head, as headScan delimits it, into an empty request. Its strings alias the head. The
// request's Length is set, its Body is not.
func parseRequest(head []byte, request *message.Request, frame *framing) (chunked bool, err error) {
	*frame = framing{length: message.UnknownLength}
	line, rest := cutLine(head)
	target, err := parseRequestLine(line, request, frame)
	if err != nil {
		return false, err
	}
	for {
		if line, rest = cutLine(rest); len(line) == 0 {
			break
		}
		field, err := parseField(line)
		if err != nil {
			return false, err
		}
		taken, err := frame.take(field)
		if err != nil {
			return false, err
		}
		if !taken {
			request.Fields.Add(field.Name, field.Value)
		}
	}
	if err := parseTarget(target, request, frame); err != nil {
		return false, err
	}
	return finishRequest(request, frame)
}

// finishRequest decides what follows from the head as a whole.
func finishRequest(request *message.Request, frame *framing) (bool, error) {
	chunked, err := frame.chunked()
	if err != nil {
		return false, err
	}
	if frame.expected && !frame.expects && !frame.old {
		return false, errExpectation
	}
	// RFC 9110 section 10.1.1: "A server that receives a 100-continue expectation in an HTTP/1.0 request MUST ignore
	// that expectation."
	frame.expects = frame.expects && !frame.old
	request.Length = max(frame.length, 0)
	if chunked {
		request.Length = message.UnknownLength
	}
	// RFC 9110 section 7.8: "A sender of Upgrade MUST also send an "Upgrade" connection option in the Connection header
	// field"; "A server MUST ignore an Upgrade header field that is received in an HTTP/1.0 request." Content together
	// with a switch of protocols is not supported.
	if frame.upgrades && !frame.old && request.Length == 0 {
		request.Upgrade = frame.protocols
	}
	return chunked, nil
}

// parseRequestLine gives the target of "method SP request-target SP HTTP-version" (RFC 9112 section 3).
func parseRequestLine(line []byte, request *message.Request, frame *framing) (string, error) {
	first := bytes.IndexByte(line, ' ')
	if first <= 0 || !syntax.All(line[:first], syntax.Token) {
		return "", errMethod
	}
	last := bytes.LastIndexByte(line, ' ')
	if last == first {
		return "", errNoVersion
	}
	switch version := text(line[last+1:]); {
	case version == "HTTP/1.1":
	case version == "HTTP/1.0":
		frame.old = true
	case len(version) == 8 && version[:5] == "HTTP/" && syntax.IsDigit(version[5]) && version[6] == '.' && syntax.IsDigit(version[7]):
		return "", errVersion
	case len(version) < 5 || !message.EqualNames(version[:5], "HTTP/"):
		return "", errForeign
	default:
		return "", errNoVersion
	}
	request.Method = text(line[:first])
	return text(line[first+1 : last]), nil
}

// parseTarget reads the target in the form that it has (RFC 9112 section 3.2) and finds the authority.
func parseTarget(target string, request *message.Request, frame *framing) error {
	// RFC 9112 section 3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1 request message
	// that lacks a Host header field and to any request message that contains more than one Host header field line or a
	// Host header field with an invalid field value."
	if frame.hosts > 1 || frame.hosts == 0 && !frame.old || frame.hosts == 1 && !syntax.IsAuthority(frame.host) {
		return errHost
	}
	request.Authority = frame.host
	switch {
	case target == "":
		return errTarget
	case request.Method == "CONNECT":
		if !syntax.IsAuthority(target) || strings.LastIndexByte(target, ':') <= strings.LastIndexByte(target, ']') {
			return errTarget
		}
		request.Authority = target
		return nil
	case target[0] == '/':
		return setTarget(target, request)
	case target == "*":
		if request.Method != "OPTIONS" {
			return errTarget
		}
		request.Path = target
		return nil
	}
	return parseAbsolute(target, request)
}

// parseAbsolute reads the absolute-form. RFC 9112 section 3.2.2: "When an origin server receives a request with an
// absolute-form of request-target, the origin server MUST ignore the received Host header field (if any) and instead use
// the host information of the request-target."
func parseAbsolute(target string, request *message.Request) error {
	scheme, rest, found := strings.Cut(target, "://")
	if !found || !message.EqualNames(scheme, "http") && !message.EqualNames(scheme, "https") {
		return errTarget
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	if !syntax.IsAuthority(rest[:end]) {
		return errTarget
	}
	request.Authority, rest = rest[:end], rest[end:]
	switch {
	case rest != "" && rest[0] == '/':
		return setTarget(rest, request)
	case rest == "" && request.Method == "OPTIONS":
		// RFC 9112 section 3.2.4: such a request is forwarded with "*".
		request.Path = "*"
		return nil
	}
	if err := setTarget(rest, request); err != nil {
		return err
	}
	request.Path = "/"
	return nil
}

// setTarget splits an origin-form.
func setTarget(target string, request *message.Request) error {
	path, query, ok := syntax.SplitTarget(target)
	if !ok {
		return errTarget
	}
	request.Path, request.Query = path, query
	return nil
}
