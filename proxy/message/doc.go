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

// Package message holds the proxy's own request and response heads (RFC 9110 section 6): the one form in which every
// room of the data plane sees a message, whichever codec read it from a wire or will write it to one.
//
// # Ownership of bytes
//
// Heads are made of strings, so that they serve as map keys as they are. A codec may let those strings alias the
// buffer of its connection: they are then valid until the exchange is over (the handler returned, or the response's
// body was closed), like the head itself, which a codec may pool and reset. Whoever keeps a part of a head for longer
// clones it with strings.Clone. A head belongs to one goroutine at a time.
//
// # Framing
//
// Content-Length and Transfer-Encoding never appear among the fields: Length says what they said, and a codec writes
// its own framing from it. So nothing that was read on one side can decide where a message ends on the other.
package message
