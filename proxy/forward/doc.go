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

// Package forward takes one request from the rule that matched it to an endpoint, and the response back.
//
// # What is answered by the proxy itself
//
//	400  the path has dot segments, which proxy and backend could read in two ways
//	     the request's content is malformed or broke off
//	404  no listener of the port takes the host, or no rule the request
//	408  the request's content took too long
//	413  it is too large
//	431  its trailer section is too large
//	500  the rule is quarantined, has no backend, or its share went to a reference that is not resolved
//	501  CONNECT
//	502  no connection could be made, or the endpoint broke off before its response began
//	503  the backend has no endpoint, or those that were tried have as many connections as they may have
//	504  connecting or the response took too long
//
// The bodies of these answers say no more than their status.
//
// # What changes in a message on its way
//
// Fields that belong to one connection (RFC 9110 section 7.6.1) and those that the Connection field names are removed,
// both ways. X-Forwarded-For, -Proto, -Host and -Port and Forwarded say where the request came from: what the client says
// of that is replaced, but for as many hops as Table.TrustedHops. The
// Host field passes as the client sent it, unless a filter sets it. "Upgrade: websocket" is passed on; other protocols are not switched to.
//
// # Mirrors
//
// Copies that filters made of a request are sent beside it, and nothing waits for them: see mirrors and tee.
//
// # Attempts
//
// What a rule with Retry sends again, and what it never does, is in persist.
//
// When a connection to an endpoint fails, nothing was sent, and the request goes to the next endpoint of the backend,
// at most three in all. Otherwise it is sent once, but for what package http1 says of connections that were kept.
package forward
