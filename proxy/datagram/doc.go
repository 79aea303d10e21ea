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

// Package datagram relays the datagrams of UDP listeners. What one client sends to one address of one port is a session: it
// goes to one endpoint, by a socket of its own that is connected to it, and what comes back on that goes to the client, from
// the address that it sent to.
//
// A port has one or several lanes, each a socket between which the kernel divides the clients, with the sessions of its
// clients. A lane is one goroutine that waits for all of its sockets; it reads and sends in batches, and allocates nothing
// for a datagram. The lock of a lane is for those who look after its sessions; nobody waits for the network with it.
//
// Everything that clients can cause is bounded: the sessions of all ports together, those of one port beside others, and
// what is kept of datagrams, which is nothing. When there are as many sessions as there may be, a new one takes the place of
// the one that was idle for longest, and for a second at least, of those whose client has not sent again after an answer:
// anybody can send from an address that is not theirs, but the answers go to that address. Where there is none, the datagram
// is dropped.
//
// A session ends when nothing came in either direction for a while, when its endpoint is no longer one of the route's, and
// when its port is closed. An endpoint that says that it takes no datagrams (ICMP) is left for another one with the client's
// next datagram, and gets no new sessions for a second while there are others.
package datagram
