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

package controller

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/rauta-dev/rauta/internal/push"
)

func TestStatusWaitsForAcknowledgements(t *testing.T) {
	one := func(replica push.ReplicaState) push.State {
		replica.Ready = true
		return push.State{Generation: 2, TableHash: "new", Replicas: []push.ReplicaState{replica}}
	}
	cases := map[string]struct {
		reason string
		state  push.State
		waits  bool
	}{
		"AboutToAcknowledge": {reason: "it does within milliseconds; a status before would flap", state: one(push.ReplicaState{Connected: true, Settled: true, AckedGeneration: 1, AckedHash: "old"}), waits: true},
		"NotYetDialled":      {reason: "an operator that has just started knows nothing that it could say", state: one(push.ReplicaState{}), waits: true},
		"Acknowledged":       {reason: "there is nothing to wait for", state: one(push.ReplicaState{Connected: true, Settled: true, AckedGeneration: 2, AckedHash: "new"})},
		"OutOfReach":         {reason: "what keeps a replica away is a piece of news", state: one(push.ReplicaState{Settled: true, Problem: "connection refused"})},
		"NoReplica":          {reason: "a Gateway without replicas must not go without a status", state: push.State{Generation: 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			now := time.Unix(1_000, 0)
			r := &reporter{now: func() time.Time { return now }, waiting: map[types.NamespacedName]waiting{}}
			gateway := types.NamespacedName{Namespace: "shop", Name: "web"}
			if got := r.wait(gateway, tc.state) > 0; got != tc.waits {
				t.Errorf("%s: waits = %t, want %t", tc.reason, got, tc.waits)
			}
			now = now.Add(patience)
			if got := r.wait(gateway, tc.state); got != 0 {
				t.Errorf("after %s it still waits %s: patience has an end", patience, got)
			}
		})
	}
}
