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

package message

import (
	"io"
	"net/netip"
)

// UnknownLength is the Length of a message whose end only its framing tells.
const UnknownLength int64 = -1

// Request is the head of a request and the way to its content.
type Request struct {
	// Method as received; methods are case-sensitive (RFC 9110 section 9.1).
	Method string
	// Scheme by which the request arrived: "http" or "https".
	Scheme string
	// Authority is the host, with the port where the client gave one: the Host field or ":authority".
	Authority string
	// Path of the target in origin-form, percent-encoded as received. "*" for an OPTIONS request in asterisk-form,
	// empty for CONNECT.
	Path string
	// Query with its leading "?"; empty when the target has none. Path+Query is the origin-form.
	Query string
	// Fields of the header section, without those that frame the message.
	Fields Fields
	// Body is the content; nil when there is none.
	Body io.Reader
	// Length of the content in bytes: 0 without a Body, UnknownLength when not known beforehand.
	Length int64
	// Trailers are complete once Body has given io.EOF; nil when none were announced.
	Trailers *Fields
	// Upgrade is the protocol that the client asks to switch to (RFC 9110 section 7.8); empty when it does not. An extended
	// CONNECT (RFC 8441) is a GET with the protocol that it names, whatever codec it came by or leaves by.
	Upgrade string
	// ServerName is the host that the client asked for in its TLS handshake, in lower case; empty without one.
	ServerName string
	// Client is the address of the peer that sent the request.
	Client netip.AddrPort
	// Unhurried requests have a time of their own, which whoever sends them sees to: what a codec gives endpoints for the
	// response's head and content does not hold.
	Unhurried bool
	// ClientText is the address of Client without port and zone, an IPv4 address in its own form: made once for a
	// connection. Empty when the codec does not offer it.
	ClientText string
}

// Target is the origin-form of the request's target.
func (r *Request) Target() string { return r.Path + r.Query }

// MayRepeat says whether sending the request twice does what sending it once does (RFC 9110 section 9.2.2), and whether it
// still can be: content that was read is gone.
func (r *Request) MayRepeat() bool {
	switch r.Method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return r.Body == nil && r.Upgrade == ""
	}
	return false
}

// ExpectsContent says whether content of length 0 is declared. RFC 9110 section 8.6: "a user agent normally sends
// Content-Length in a POST request even when the value is 0 (indicating empty content)".
func ExpectsContent(method string) bool {
	return method == "POST" || method == "PUT" || method == "PATCH"
}

// Response is the head of a response and the way to its content. Whoever receives one calls Close, once, and uses nothing
// of it afterwards.
type Response struct {
	// Status code, 200 to 599, or 101 with a Tunnel.
	Status int
	// Fields of the header section, without those that frame the message.
	Fields Fields
	// Body is the content; nil when there is none. When it has the method "Buffered() int", that many bytes at most can
	// be read without waiting.
	Body io.Reader
	// Length of the content in bytes, or UnknownLength. For a response to HEAD and for 304 it tells what the
	// content's length would be, while Body is nil.
	Length int64
	// Trailers are complete once Body has given io.EOF; nil when the response cannot have any.
	Trailers *Fields
	// Tunnel is the connection after a switch of protocols; set only when Status is 101.
	Tunnel io.ReadWriteCloser
	// Owner gets back what is behind the response; nil for none.
	Owner io.Closer
}

// Close releases the connection behind the response.
func (r *Response) Close() {
	if r.Owner != nil {
		_ = r.Owner.Close()
	}
}

// Reply is how a handler answers one request. A handler informs any number of times, and then either responds or
// upgrades, once. A handler that returns without either leaves the connection to be closed.
type Reply interface {
	// Inform sends an interim response: status 102 to 199 except 101.
	Inform(status int, fields *Fields) error
	// Respond sends the response and copies its Body, flushing what has arrived. An error of reading the Body is
	// wrapped in a BodyError and ends the client's connection, so that a cut response is never taken for a whole one.
	Respond(response *Response) error
	// Upgrade sends a 101 response and hands over the connection.
	Upgrade(response *Response) (io.ReadWriteCloser, error)
	// Interrupt breaks off a response that is being sent, from any goroutine: Respond gives an error. Only while Respond runs.
	Interrupt()
}

// BodyError says that the content of a response broke off on the side where it comes from.
type BodyError struct{ Err error }

func (e *BodyError) Error() string { return "read response body: " + e.Err.Error() }

// Unwrap gives the error of the reader.
func (e *BodyError) Unwrap() error { return e.Err }

// ContentError says that the content of a request could not be read from its client, and which status says so to it:
// 400 when it is malformed or broke off, 408 when it took too long, 413 and 431 when it exceeds a limit.
type ContentError struct {
	Status int
	Err    error
}

func (e *ContentError) Error() string { return "read request body: " + e.Err.Error() }

// Unwrap gives the error of the reader.
func (e *ContentError) Unwrap() error { return e.Err }
