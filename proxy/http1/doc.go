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

// Package http1 speaks HTTP/1.1 on both sides of the proxy (RFC 9110, RFC 9112).
//
// # Strictness
//
// Whatever could be read in two ways is refused: with 400 on the side of clients, and as a broken response on the side
// of endpoints, and that connection is not used again. Every line ends in CRLF; names are tokens and stand directly
// before their colon; there is one Host; Content-Length and Transfer-Encoding exclude each other; "chunked" is the only
// transfer coding. Heads and framing are written afresh from what was parsed, never copied.
//
// # Memory
//
// One goroutine serves one connection of a client. Buffers, heads and everything else that one exchange needs come from
// pools when its first byte arrives and go back when it is over, so that an idle connection holds none of them and an
// exchange allocates nothing. Strings of a head alias the buffer that they were read into (see package message).
//
// # Deadlines
//
// A deadline that would move by less than a thirty-second of its timeout is left where it is: setting it for every request
// would cost more than parsing the request. Long timeouts go by a clock that may be late by as much. So a timeout of 60 s
// passes after 56 to 60 s.
//
// # Clients that go away
//
// A goroutine that forwards does not see its client leave. Exchanges that take long get a watcher (see watch.go), which
// cancels them when the client's side of the connection ends. A client that closes only its sending side is answered
// as long as the answer begins before that; afterwards it cannot be told from one that is gone.
package http1
