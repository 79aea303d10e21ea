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

// Package http2 is the HTTP/2 codec (RFC 9113), with header compression (RFC 7541) and extended CONNECT (RFC 8441).
//
// A connection has one goroutine that reads frames; the requests that it finds are handled by a crew of goroutines, which
// is shared by all connections. Whoever sends appends frames to the connection's output under its lock. One of them
// writes the output: it first lets the others run that can, so that responses which are ready together leave together.
//
// What a client can make a connection hold is bounded: streams by Limits.MaxConcurrentStreams (and handlers of streams
// that were reset by twice as many), unread content by the connection's window of 1 MiB, heads by Limits, output by
// outputHigh and one head for each stream. Frames that make work and bring nothing (PING, SETTINGS, resets, empty DATA,
// window updates without data) are paid from a budget; a client that exhausts it gets ENHANCE_YOUR_CALM.
//
// What an endpoint can make a connection hold is bounded by the windows of its streams, 64 KiB each. That of the
// connection is larger than all of them: clients that do not read would else hold back the responses of others.
//
// Response heads are encoded without a dynamic table: nothing of one response is kept for the next, and a head can be
// encoded without the connection's lock.
package http2
