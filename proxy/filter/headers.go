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

package filter

import "github.com/rauta-dev/rauta/proxy/message"

// Headers changes a header section. No name is in it twice.
type Headers struct {
	Set, Add []message.Field
	Remove   []string
}

func (h *Headers) change(fields *message.Fields) {
	for _, field := range h.Set {
		fields.Set(field.Name, field.Value)
	}
	// HTTPHeaderFilter.add: "It appends to any existing values associated with the header name." A line more is a value
	// more (RFC 9110 section 5.3), also for Set-Cookie, whose lines cannot be joined.
	for _, field := range h.Add {
		fields.Add(field.Name, field.Value)
	}
	for _, name := range h.Remove {
		fields.Remove(name)
	}
}

// RequestHeaders changes those of requests.
type RequestHeaders struct {
	Headers
	// Authority that the request gets; empty to keep its own.
	Authority string
}

// NewRequestHeaders makes the filter. A Host that is set is the authority: it is no field of a message's head.
func NewRequestHeaders(headers Headers) *RequestHeaders {
	r := &RequestHeaders{Headers: headers}
	r.Set = nil
	for _, field := range headers.Set {
		if message.EqualNames(field.Name, "Host") {
			r.Authority = field.Value
			continue
		}
		r.Set = append(r.Set, field)
	}
	return r
}

// Apply changes the request.
func (r *RequestHeaders) Apply(x *Exchange) *message.Response {
	if r.Authority != "" {
		x.Request.Authority = r.Authority
	}
	r.change(&x.Request.Fields)
	return nil
}

// ResponseHeaders changes those of responses.
type ResponseHeaders struct{ Headers }

// Apply changes the section.
func (r *ResponseHeaders) Apply(_ *Exchange, fields *message.Fields) { r.change(fields) }
