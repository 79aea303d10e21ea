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
	"unsafe"

	"github.com/rauta-dev/rauta/proxy/message"
)

// Rewrite changes the target of a request on its way to the backend.
type Rewrite struct {
	// Hostname is the authority that the backend gets; empty to keep that of the request.
	Hostname string
	// Path; nil to keep it.
	Path *Path
}

// Apply changes the request. The asterisk of OPTIONS is no path.
func (r *Rewrite) Apply(x *Exchange) *message.Response {
	if r.Hostname != "" {
		x.Request.Authority = r.Hostname
	}
	if r.Path == nil || x.Request.Path == "*" {
		return nil
	}
	if r.Path.Full != "" {
		x.Request.Path = r.Path.Full
		return nil
	}
	x.Request.Path = x.text(r.Path.appendTo(x.room(), x.Request.Path))
	return nil
}

// room is memory of the exchange behind what was made in it already.
func (x *Exchange) room() []byte { return x.scratch[len(x.scratch):] }

// text is what was appended to room, as a string that is valid until the exchange is over.
func (x *Exchange) text(b []byte) string {
	if len(x.scratch)+len(b) <= cap(x.scratch) {
		x.scratch = x.scratch[:len(x.scratch)+len(b)]
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	// It has grown elsewhere. The next exchange has room for all of it.
	x.scratch = make([]byte, 0, 2*(cap(x.scratch)+len(b)))
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Reset makes the exchange ready for another request. It keeps its memory, if that is not large.
func (x *Exchange) Reset() {
	scratch := x.scratch[:0]
	if cap(scratch) > 4<<10 {
		scratch = nil
	}
	*x = Exchange{scratch: scratch}
}
