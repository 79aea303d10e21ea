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

// Package socket is what the proxy does with the sockets of its clients and endpoints below package net.
//
// A socket that does not block is read and written by raw system calls, of which the scheduler is not told. They copy some
// kilobytes; telling it takes a good part of that time, and wakes the runtime's monitor thread, which then looks every 20
// microseconds for system calls that take long. Waiting for readiness stays with the runtime's poller.
//
// Listener accepts in the same way. On Linux the connection that it gives is made of its descriptor without the system
// calls that package net adds for each: options are inherited from the listening socket (tcp(7)), and the peer's address
// comes with the descriptor. On other systems all of it is package net's.
package socket
