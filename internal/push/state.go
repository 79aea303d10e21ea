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

package push

import (
	"fmt"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
)

// State is what is wanted for one Gateway and how far its replicas have come. It is a copy; nobody else changes it.
type State struct {
	// Generation of the wanted table. 0 while nothing is wanted.
	Generation uint64
	// TableHash of the wanted table (see adminv1.TableHash). Empty while nothing is wanted.
	TableHash string
	// Unsendable names the resources that were left out of the table because no message could carry them.
	Unsendable []ResourceError
	// Replicas in order of their IDs.
	Replicas []ReplicaState
}

// ReplicaState is what is known of one replica.
type ReplicaState struct {
	ID      string
	Address string
	// Ready as SetReplicas said.
	Ready bool
	// Connected is true while a conversation is open in which the replica has told its inventory.
	Connected bool
	// Settled is true once the first outcome is known: an acknowledgement, or an error. Before that, nothing can be
	// concluded from what is missing.
	Settled bool
	// AckedGeneration and AckedHash are of the table that the replica said it serves. 0 and empty when it has not said.
	// They outlive the connection, as the table does.
	AckedGeneration uint64
	AckedHash       string
	// Errors are the quarantined resources of the acknowledged table, in order of their names.
	Errors []ResourceError
	// Problem is why there is no conversation; empty when there is one, or none was tried yet.
	Problem string
	// ProxyVersion is the version of the replica's binary, empty when unknown.
	ProxyVersion string
}

// ResourceError says what is wrong with one resource.
type ResourceError struct {
	Name    string
	Code    adminv1.ErrorCode
	Message string
}

// UpToDate tells whether a replica serves the wanted table: both its hash and its generation.
func (s State) UpToDate(replica ReplicaState) bool {
	return s.Generation != 0 && replica.AckedGeneration == s.Generation && replica.AckedHash == s.TableHash
}

// Ready counts the replicas that are ready, and those of them that serve the wanted table.
func (s State) Ready() (ready, upToDate int) {
	for _, replica := range s.Replicas {
		if !replica.Ready {
			continue
		}
		ready++
		if s.UpToDate(replica) {
			upToDate++
		}
	}
	return ready, upToDate
}

// Reached is the newest generation that every ready replica has acknowledged, or a newer one; 0 where there is none.
func (s State) Reached() uint64 {
	var reached uint64
	first := true
	for _, replica := range s.Replicas {
		if !replica.Ready {
			continue
		}
		if first || replica.AckedGeneration < reached {
			reached = replica.AckedGeneration
		}
		first = false
	}
	return reached
}

// Programmed tells whether every ready replica, and at least one, has acknowledged the wanted generation.
func (s State) Programmed() bool {
	ready, upToDate := s.Ready()
	return ready > 0 && ready == upToDate
}

// Settled tells whether the outcome is known for every ready replica, so that a status which is not Programmed says
// something about the replicas and not only that the operator has just begun to look.
func (s State) Settled() bool {
	for _, replica := range s.Replicas {
		if replica.Ready && !replica.Settled {
			return false
		}
	}
	return true
}

// String is a line for a person: how many replicas serve which generation, and what the first of the others lacks.
func (s State) String() string {
	ready, upToDate := s.Ready()
	line := fmt.Sprintf("%d of %d ready replicas serve generation %d", upToDate, ready, s.Generation)
	for _, replica := range s.Replicas {
		if replica.Ready && !s.UpToDate(replica) && replica.Problem != "" {
			return line + fmt.Sprintf("; replica %s at %s: %s", replica.ID, replica.Address, replica.Problem)
		}
	}
	return line
}

// ResourceErrors are the errors of all ready replicas and of what could not be sent, each resource once, in order of
// their names. A replica that is about to be sent a newer table has what it holds in quarantine until it acknowledges that.
func (s State) ResourceErrors() []ResourceError {
	lists := [][]ResourceError{s.Unsendable}
	for _, replica := range s.Replicas {
		if replica.Ready {
			lists = append(lists, replica.Errors)
		}
	}
	return mergeErrors(lists)
}
