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

import (
	"math/rand/v2"
	"strings"

	"github.com/rauta-dev/rauta/proxy/message"
)

// Mirror has copies of requests sent to another backend.
type Mirror struct {
	// Backend is an index into the table's backends.
	Backend int
	// Numerator of Denominator is the share of the requests; all with a denominator of 0.
	Numerator, Denominator uint32
}

// Copy is the head of a request that belongs to nobody else, and the backend that it is for. It has a Length; whoever sends
// it gives it a Body.
type Copy struct {
	Backend int
	Request *message.Request
}

// Apply notes a copy of the request as it is now. A switch of protocols is not mirrored: nobody would speak to the mirror
// afterwards. Requests are chosen at random, because whatever counts is in step with something that counts as well.
func (m *Mirror) Apply(x *Exchange) *message.Response {
	if x.Request.Upgrade != "" || m.Denominator > 0 && rand.Uint32N(m.Denominator) >= m.Numerator {
		return nil
	}
	x.Copies = append(x.Copies, Copy{Backend: m.Backend, Request: copyOf(x.Request)})
	return nil
}

// copyOf copies a head whose text is a codec's.
func copyOf(r *message.Request) *message.Request {
	c := &message.Request{
		Method: strings.Clone(r.Method), Scheme: r.Scheme, Authority: strings.Clone(r.Authority),
		Path: strings.Clone(r.Path), Query: strings.Clone(r.Query), Length: r.Length,
	}
	for i := range r.Fields.Len() {
		name, value := r.Fields.Line(i)
		// The copy's content waits for nothing but the original's.
		if !message.EqualNames(name, "Expect") {
			c.Fields.Add(strings.Clone(name), strings.Clone(value))
		}
	}
	if r.Trailers != nil {
		c.Trailers = &message.Fields{}
	}
	return c
}
