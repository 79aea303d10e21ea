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

// Package push keeps the table of every proxy replica equal to what is wanted for its Gateway.
//
// What is wanted comes in through Set and SetEndpoints, where the replicas are through SetReplicas; what has come of it
// goes out through State. Nothing of Kubernetes is known here: a replica is an address.
//
// # One session
//
// Every replica has a session of its own, which dials, converses, and dials again after a pause when the conversation
// ends. A conversation is one stream of the admin API:
//
//	inventory -> difference -> commit -> acknowledgement -> difference when something changed -> ...
//
// What the replica holds is known from its inventory and from its acknowledgements alone, never from what was sent. So
// whatever is lost on the way, operator, replica or connection, is found out by the next inventory, and only the
// difference to it travels. The first commit of a conversation is sent even when it changes nothing: its
// acknowledgement tells which resources the replica has quarantined.
//
// While an acknowledgement is awaited changes are collected, not queued: the next difference leads from what was
// acknowledged to what is wanted then, and skips what was wanted in between.
//
// # Generations
//
// A generation numbers the tables of one Gateway. Its memory is with the replicas, so that it needs no storage: an
// operator that starts anew begins with 1 and corrects itself by the inventories. A replica that holds the wanted table
// hands over its generation, and in an unchanged world nothing at all changes. A replica that holds another table under
// a generation as high as ours makes ours one more, since one generation must never name two tables.
//
// # The hard case
//
// A replica whose hash of the table differs from ours refuses the commit or reports what we did not send: that is
// drift. The inventory is asked for again and the difference to it sent. A replica with which that happens twice in a
// row would never agree, and so the second time ends the conversation, and the pause before the next one grows.
package push
