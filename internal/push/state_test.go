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
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResourceErrors(t *testing.T) {
	broken := ResourceError{Name: "listener/https", Message: "no certificate"}
	other := ResourceError{Name: "route/httproute/shop/cart", Message: "nonsense"}
	replica := func(generation uint64, ready bool, errors ...ResourceError) ReplicaState {
		return ReplicaState{Ready: ready, AckedGeneration: generation, AckedHash: "hash", Errors: errors}
	}
	cases := map[string]struct {
		reason string
		state  State
		want   []ResourceError
	}{
		"acknowledged": {
			reason: "what all hold in quarantine is told once",
			state:  State{Generation: 2, TableHash: "hash", Replicas: []ReplicaState{replica(2, true, broken), replica(2, true, broken, other)}},
			want:   []ResourceError{broken, other},
		},
		"a newer table is on its way": {
			reason: "what is quarantined stays so until another table is acknowledged: it must not count as served meanwhile",
			state:  State{Generation: 3, TableHash: "newer", Replicas: []ReplicaState{replica(2, true, broken)}},
			want:   []ResourceError{broken},
		},
		"one is behind": {
			reason: "each replica speaks for the table that it has",
			state:  State{Generation: 3, TableHash: "hash", Replicas: []ReplicaState{replica(3, true, other), replica(2, true, broken)}},
			want:   []ResourceError{broken, other},
		},
		"not ready": {
			reason: "nobody is sent to it",
			state:  State{Generation: 2, TableHash: "hash", Replicas: []ReplicaState{replica(2, false, broken)}},
		},
		"not sent": {
			reason: "what no message carries is known at once, and first",
			state:  State{Generation: 3, TableHash: "newer", Unsendable: []ResourceError{{Name: other.Name, Message: "too large"}}, Replicas: []ReplicaState{replica(2, true, other)}},
			want:   []ResourceError{{Name: other.Name, Message: "too large"}},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, c.state.ResourceErrors()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}
