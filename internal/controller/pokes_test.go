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

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/topology"
)

// noted is a queue that notes after how long something is to be looked at.
type noted struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]
	after []time.Duration
}

func (n *noted) Add(reconcile.Request)                         { n.after = append(n.after, 0) }
func (n *noted) AddAfter(_ reconcile.Request, d time.Duration) { n.after = append(n.after, d) }

// known is what a pusher knows of a Gateway.
type known struct {
	pusher
	replicas []push.ReplicaState
}

func (k known) State(push.Key) push.State { return push.State{Generation: 2, Replicas: k.replicas} }

// TestStatusesAreToldWhenThereIsSomethingToTell carries on what was decided of a Gateway, and looks when its statuses are looked at.
func TestStatusesAreToldWhenThereIsSomethingToTell(t *testing.T) {
	gateway := client.ObjectKey{Namespace: "shop", Name: "web"}
	cases := map[string]struct {
		reason   string
		replicas []push.ReplicaState
		want     time.Duration
	}{
		"under way": {
			"its acknowledgement has statuses told: it is looked at only where that does not come at once",
			[]push.ReplicaState{{ID: "a", Ready: true, Connected: true, Settled: true, AckedGeneration: 1}}, ackPause,
		},
		"acknowledged": {
			"nobody will tell of it any more",
			[]push.ReplicaState{{ID: "a", Ready: true, Connected: true, Settled: true, AckedGeneration: 2}}, 0,
		},
		"out of reach": {
			"a status says so at once",
			[]push.ReplicaState{{ID: "a", Ready: true, Settled: true, Problem: "connection refused"}}, 0,
		},
		"no replica": {"there is nothing to wait for", nil, 0},
		"one of two": {
			"the last one has it told",
			[]push.ReplicaState{
				{ID: "a", Ready: true, Connected: true, Settled: true, AckedGeneration: 2},
				{ID: "b", Ready: true, Connected: true, Settled: true, AckedGeneration: 1},
			}, ackPause,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			records, statuses, whole := newRecords(), &noted{}, &noted{}
			record := records.of(gateway)
			record.decided, record.current = &topology.Topology{}, true
			r := &changesReconciler{
				push: known{replicas: c.replicas}, records: records, now: time.Now,
				statuses: &pokes{queue: statuses}, whole: &pokes{queue: whole},
			}
			if _, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: gateway}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]time.Duration{c.want}, statuses.after); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if len(whole.after) > 0 {
				t.Error("nothing but what changed is decided")
			}
		})
	}
}

// TestPokesBeforeTheController are kept for it, with a pause or without.
func TestPokesBeforeTheController(t *testing.T) {
	var p pokes
	request := reconcile.Request{NamespacedName: client.ObjectKey{Namespace: "shop", Name: "web"}}
	p.poke(request)
	p.pokeAfter(request, time.Hour)
	queue := &noted{}
	if err := p.source().Start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Duration{0}, queue.after); diff != "" {
		t.Errorf("once, and at once (-want +got):\n%s", diff)
	}
}
