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

// Package leader lets one of several operators act, and keeps the others, and one that has been overtaken, from writing.
//
// # Why an election is not enough
//
// The elector of client-go ends a leader that cannot renew its lease. It does so by a timer, in the same process: a process that was
// stopped (a virtual machine that is moved, a container that is paused, a node without memory) wakes up in the middle of what it
// did, and the elector goes on trying for the whole of the renew deadline, while another operator leads. What the old leader decided
// was decided from what it read before it fell asleep.
//
// So there is a Fence. It knows when the lease was renewed last, as measured here: from before the request was sent by which it was
// renewed. Whoever is about to write asks it, right before the request is sent, and is refused once the renew deadline is over. The
// others take the lease a lease's duration after that request at the earliest; the difference between both is left to what is under
// way, and what is under way longer is given up.
//
// What remains is a request that was sent in time and is held up on the way. For this the API server compares: statuses are
// written, and objects deleted, only in the version that was read, and the newest session with a proxy ends the older one.
package leader
