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
	"golang.org/x/net/http2"

	"github.com/rauta-dev/rauta/proxy/message"
)

// takeHead takes the head of a response, an interim one, or trailers.
func (r *carrier) takeHead(f *http2.HeadersFrame) error {
	id, ended := f.StreamID, f.StreamEnded()
	r.mu.Lock()
	x := r.calls[id]
	trailers := x != nil && x.answered
	r.mu.Unlock()
	kind := ofResponse
	if trailers {
		kind = ofTrailers
	}
	r.head.begin(kind, headLimits(r.client.limits.Load()), nil)
	if err := r.decode(f); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.flush(false)
	if x = r.calls[id]; x == nil || x.remoteEnded || x.err != nil {
		return r.late(id)
	}
	h := &r.head
	switch {
	case h.refusal != 0:
		x.fail(errLargeHead)
	case h.malformed || trailers && !ended || !trailers && h.status == 0:
		x.fail(errMalformed)
	case trailers:
		for i := range h.section.Len() {
			x.trailers.Add(h.section.Line(i))
		}
		x.endResponse()
		x.wake.Broadcast()
	case h.status < 200:
		x.inform(h, ended)
	default:
		x.answer(h, ended)
	}
	return nil
}

// inform keeps an interim response for whoever awaits.
func (x *call) inform(h *head, ended bool) {
	if ended || h.status == 101 {
		x.fail(errMalformed) // RFC 9113 section 8.6: "HTTP/2 does not support the 101 (Switching Protocols) informational status code".
		return
	}
	if x.informed++; x.informed > maxInterims {
		x.fail(errInterims)
		return
	}
	interim := &message.Response{Status: h.status}
	for i := range h.section.Len() {
		interim.Fields.Add(h.section.Line(i))
	}
	x.interims = append(x.interims, interim)
	x.wake.Broadcast()
}

// answer makes the response ready.
func (x *call) answer(h *head, ended bool) {
	response := &x.response
	response.Status, response.Length, response.Owner = h.status, h.length, x
	for i := range h.section.Len() {
		response.Fields.Add(h.section.Line(i))
	}
	none := x.request.Method == "HEAD" || h.status == 204 || h.status == 304
	if ended && h.length > 0 && !none {
		x.fail(errContentLength)
		return
	}
	x.answered = true
	defer x.wake.Broadcast()
	if x.request.Upgrade != "" && h.status == 200 {
		response.Status, response.Length = 101, 0
		response.Fields.Add("Upgrade", x.request.Upgrade)
		x.body.tunnel = true
		response.Tunnel = &duct{x}
		if ended {
			x.endResponse()
		}
		return
	}
	if !ended {
		response.Body, response.Trailers = &x.body, &x.trailers
		if !none {
			x.body.declared = h.length
		}
		return
	}
	if !none {
		response.Length = 0
	}
	x.endResponse()
}
