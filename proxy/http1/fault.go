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

import "errors"

// fault is what is wrong with a message, and the status that says so to a client (RFC 9110 section 15.5).
type fault struct {
	status int
	what   string
}

func (f *fault) Error() string { return f.what }

func malformed(what string) *fault { return &fault{status: 400, what: what} }

var (
	errLineTooLong   = &fault{414, "request line is too long"}
	errHeadTooLarge  = &fault{431, "header section is too large"}
	errBodyTooLarge  = &fault{413, "content is too large"}
	errTooSlow       = &fault{408, "took too long"}
	errBareLF        = malformed("line ends without CR")
	errBareCR        = malformed("CR without LF")
	errNoVersion     = malformed("request line without version")
	errForeign       = malformed("request line of another protocol")
	errVersion       = &fault{505, "version is not HTTP/1.0 or HTTP/1.1"}
	errMethod        = malformed("method is no token")
	errTarget        = malformed("target is malformed")
	errHost          = malformed("Host is missing, repeated or malformed")
	errFold          = malformed("field line begins with whitespace")
	errName          = malformed("field name is no token")
	errValue         = malformed("field value holds a control character")
	errLength        = malformed("Content-Length is malformed or repeated with another value")
	errBothFramings  = malformed("Content-Length with Transfer-Encoding")
	errCoding        = malformed("Transfer-Encoding does not end in one chunked")
	errOtherCoding   = &fault{501, "transfer coding is not chunked"}
	errCodingVersion = malformed("Transfer-Encoding in HTTP/1.0")
	errExpectation   = &fault{417, "expectation is not 100-continue"}
	errChunkSize     = malformed("chunk size is malformed")
	errChunkLine     = malformed("chunk extensions are too large")
	errChunkEnd      = malformed("chunk does not end in CRLF")
	errStatusLine    = malformed("status line is malformed")
	errForbiddenBody = malformed("Transfer-Encoding in a response that has no content")
	errInterims      = malformed("too many interim responses")
	errSwitch        = malformed("switches protocols without being asked")
	errExtra         = malformed("bytes that belong to no response")
)

// errIncomplete says that a head has not arrived in full.
var errIncomplete = errors.New("incomplete")

// errInterrupted says that an exchange was given up.
var errInterrupted = errors.New("interrupted")
