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

package push_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/test/fixture"
)

func TestRefusedCommitIsRepaired(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	registry := prometheus.NewRegistry()
	p := w.pusher(func(o *push.Options) { o.Registerer = registry })
	r.Misbehave(fixture.Misbehaviour{Refuse: 1})
	p.SetReplicas(web, ready(r))
	p.Set(web, resources(10, "10.0.0.1"))
	awaitProgrammed(t, p, r)
	seen := r.Seen()
	if seen.InventoryRequests != 1 || seen.Sessions != 1 {
		t.Errorf("%d inventory requests in %d sessions, want one in one: a refusal is repaired in the session", seen.InventoryRequests, seen.Sessions)
	}
	values := gathered(t, registry)
	if values["rauta_push_drift_total"] != 1 || values["rauta_push_commits_total/refused"] != 1 {
		t.Errorf("the refusal is not counted: %v", values)
	}
}

func TestReplicaThatAlwaysRefuses(t *testing.T) {
	w := newWorld(t)
	r, good := w.replica(), w.replica()
	p := w.pusher(nil)
	r.Misbehave(fixture.Misbehaviour{Refuse: 1 << 30})
	p.SetReplicas(web, ready(r, good))
	p.Set(web, resources(10, "10.0.0.1"))
	fixture.Eventually(t, "the session ends, and says why", func() bool {
		state := p.State(web)
		return r.Seen().Sessions > 1 && strings.Contains(state.String(), "1 of 2 ready replicas serve generation 1; replica pod-0") &&
			strings.Contains(state.String(), "REFUSAL_HASH_MISMATCH")
	})
	r.Misbehave(fixture.Misbehaviour{})
	awaitProgrammed(t, p, r, good)
}

func TestAcknowledgementOfAnotherTable(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	p := w.pusher(nil)
	r.Misbehave(fixture.Misbehaviour{AcknowledgeHash: "another"})
	p.SetReplicas(web, ready(r))
	p.Set(web, resources(10, "10.0.0.1"))
	fixture.Eventually(t, "it does not count", func() bool {
		state := p.State(web)
		return strings.Contains(state.Replicas[0].Problem, "another") && !state.Programmed()
	})
	r.Misbehave(fixture.Misbehaviour{})
	awaitProgrammed(t, p, r)
}

func TestDriftIsRepaired(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	registry := prometheus.NewRegistry()
	p := w.pusher(func(o *push.Options) { o.Registerer = registry })
	p.SetReplicas(web, ready(r))
	p.Set(web, resources(10, "10.0.0.1"))
	awaitProgrammed(t, p, r)
	before := r.Seen()
	if !r.Report() {
		t.Fatal("there is no session to report in")
	}
	r.Tamper("r003", "changed")
	r.Tamper("surplus", "added")
	if !r.Report() {
		t.Fatal("there is no session to report in")
	}
	fixture.Eventually(t, "the drift is repaired", func() bool {
		return r.Seen().Commits > before.Commits && p.State(web).Programmed() && r.Hash() == p.State(web).TableHash
	})
	after := r.Seen()
	if after.Upserts != before.Upserts+1 || after.Removals != before.Removals+1 || after.InventoryRequests != 1 {
		t.Errorf("seen before %+v and after %+v: want one resource and one removal more, after one inventory", before, after)
	}
	if drift := gathered(t, registry)["rauta_push_drift_total"]; drift != 1 {
		t.Errorf("drift counted %v times, want once: the report of the right table is none", drift)
	}
}

func TestMisbehaviourEndsSession(t *testing.T) {
	cases := map[string]struct {
		reason    string
		misbehave fixture.Misbehaviour
		want      string
	}{
		"NoInventory": {
			reason:    "a proxy that accepts streams and hangs must not look connected for ever",
			misbehave: fixture.Misbehaviour{WithoutInventory: true}, want: "for an inventory",
		},
		"ImpossibleGeneration": {
			reason:    "a generation that has none after it would leave the Gateway without one",
			misbehave: fixture.Misbehaviour{ClaimGeneration: 1 << 63}, want: "claims generation",
		},
		"NoAcknowledgement": {
			reason:    "a commit that is never answered must not stop later changes",
			misbehave: fixture.Misbehaviour{Mute: true}, want: "for an acknowledgement",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			r := w.replica()
			// Of the sessions that follow one has to be answered in that time.
			p := w.pusher(func(o *push.Options) { o.AckTimeout = 2 * time.Second })
			r.Misbehave(tc.misbehave)
			p.SetReplicas(web, ready(r))
			p.Set(web, resources(10, "10.0.0.1"))
			fixture.Eventually(t, tc.reason, func() bool {
				return strings.Contains(p.State(web).Replicas[0].Problem, tc.want)
			})
			r.Misbehave(fixture.Misbehaviour{})
			awaitProgrammed(t, p, r)
		})
	}
}

func TestUnreachableReplica(t *testing.T) {
	w := newWorld(t)
	good := w.replica()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	var changes atomic.Int64
	p := w.pusher(func(o *push.Options) { o.OnChange = func(push.Key) { changes.Add(1) } })
	p.Set(web, resources(10, "10.0.0.1"))
	p.SetReplicas(web, append(ready(good), push.Replica{ID: "pod-9", Address: address, Ready: true}))
	fixture.Eventually(t, "the state says which replica cannot be reached", func() bool {
		line := p.State(web).String()
		return strings.Contains(line, "1 of 2") && strings.Contains(line, "pod-9") && strings.Contains(line, "connection refused")
	})
	if !p.State(web).Settled() {
		t.Error("a failure is an outcome, and Settled says that all are known")
	}
	fixture.Eventually(t, "the changes are told", func() bool { return changes.Load() > 0 })
}

func TestQuarantinedResourcesAreReported(t *testing.T) {
	w := newWorld(t)
	a, b := w.replica(), w.replica()
	a.Quarantine("r002", adminv1.ErrorCode_ERROR_CODE_INVALID, "path: has to begin with /")
	b.Quarantine("r002", adminv1.ErrorCode_ERROR_CODE_INVALID, "path: has to begin with /")
	b.Quarantine("r001", adminv1.ErrorCode_ERROR_CODE_INVALID, "address in use")
	p := w.pusher(nil)
	p.SetReplicas(web, ready(a, b))
	p.Set(web, resources(5, "10.0.0.1"))
	awaitProgrammed(t, p, a, b)
	want := []push.ResourceError{
		{Name: "r001", Code: adminv1.ErrorCode_ERROR_CODE_INVALID, Message: "address in use"},
		{Name: "r002", Code: adminv1.ErrorCode_ERROR_CODE_INVALID, Message: "path: has to begin with /"},
	}
	if diff := cmp.Diff(want, p.State(web).ResourceErrors()); diff != "" {
		t.Errorf("each resource once, whoever reports it: %s", diff)
	}
	p.Set(web, resources(1, "10.0.0.1"))
	awaitProgrammed(t, p, a, b)
	if left := p.State(web).ResourceErrors(); len(left) != 0 {
		t.Errorf("errors of resources that are gone: %v", left)
	}
}

// TestListenFailureIsRechecked: a replica opens a socket as soon as it can, and has no way to tell but an acknowledgement.
func TestListenFailureIsRechecked(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	r.Quarantine("r002", adminv1.ErrorCode_ERROR_CODE_LISTEN_FAILED, "address in use")
	p := w.pusher(func(o *push.Options) { o.RecheckInterval = time.Millisecond })
	p.SetReplicas(web, ready(r))
	p.Set(web, resources(5, "10.0.0.1"))
	awaitProgrammed(t, p, r)
	if errors := p.State(web).ResourceErrors(); len(errors) != 1 {
		t.Fatalf("errors %v, want the listener's", errors)
	}
	r.Release("r002")
	fixture.Eventually(t, "the error goes away by itself", func() bool { return len(p.State(web).ResourceErrors()) == 0 })
	if seen := r.Seen(); seen.Updates != 1 || seen.Sessions != 1 {
		t.Errorf("%d updates in %d sessions: to ask again must send no resource", seen.Updates, seen.Sessions)
	}
}

func TestNewerSessionWins(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	first, second := w.pusher(nil), w.pusher(nil)
	for _, p := range []*push.Pusher{first, second} {
		p.Set(web, resources(5, "10.0.0.1"))
		p.SetReplicas(web, ready(r))
	}
	fixture.Eventually(t, "both get through in turn and agree", func() bool {
		return first.State(web).Programmed() && second.State(web).Programmed()
	})
	second.Close()
	first.Set(web, resources(5, "10.0.0.2"))
	awaitProgrammed(t, first, r)
}

func TestOnChangeMayUseThePusher(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	var p *push.Pusher
	created, programmed := make(chan struct{}), make(chan struct{}, 1)
	p = w.pusher(func(o *push.Options) {
		o.OnChange = func(key push.Key) {
			<-created
			p.SetReplicas(key, ready(r))
			p.Set(key, resources(5, "10.0.0.1"))
			if p.State(key).Programmed() {
				select {
				case programmed <- struct{}{}:
				default:
				}
			}
		}
	})
	close(created)
	p.SetReplicas(web, ready(r))
	select {
	case <-programmed:
	case <-time.After(time.Minute):
		t.Error("no call told that the Gateway is programmed")
	}
}

// TestConcurrentUse is for the race detector: everything at once, and in the end the last table.
func TestConcurrentUse(t *testing.T) {
	w := newWorld(t)
	a, b := w.replica(), w.replica()
	p := w.pusher(nil)
	other := push.Key{Namespace: "bank", Name: "web"}
	var running sync.WaitGroup
	for worker := range 4 {
		running.Go(func() {
			for i := range 50 {
				p.Set(web, resources(20, fmt.Sprintf("10.0.%d.%d", worker, i)))
				p.SetEndpoints(web, resource("r003", fmt.Sprintf("10.1.%d.%d", worker, i)))
				p.SetReplicas(web, ready([]*fixture.Replica{a, b}[:1+i%2]...))
				p.SetReplicas(other, ready(b))
				_ = p.State(web).String()
				p.Forget(other)
			}
		})
	}
	running.Wait()
	p.SetReplicas(web, ready(a, b))
	p.Set(web, resources(20, "10.0.9.9"))
	awaitProgrammed(t, p, a, b)
}

func TestClosedPusherDoesNothing(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	p := w.pusher(nil)
	p.Set(web, resources(5, "10.0.0.1"))
	p.Close()
	p.Set(web, resources(5, "10.0.0.2"))
	p.SetReplicas(web, ready(r))
	p.SetEndpoints(web, resource("r001", "10.0.0.3"))
	p.Forget(web)
	p.Close()
	if seen := r.Seen(); seen.Sessions != 0 {
		t.Errorf("%d sessions were opened after Close", seen.Sessions)
	}
}

// An operator that may have been overtaken neither opens a session, which would end its successor's, nor changes a table.
func TestNothingIsPushedThatIsNotAllowed(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	var refused atomic.Bool
	p := w.pusher(func(o *push.Options) {
		o.Allowed = func() error {
			if refused.Load() {
				return errors.New("overtaken")
			}
			return nil
		}
	})
	refused.Store(true)
	p.SetReplicas(web, ready(r))
	p.Set(web, resources(10, "10.0.0.1"))
	told := func() bool { return p.State(web).Replicas[0].Problem == "overtaken" }
	fixture.Eventually(t, "the replica is not dialled, and it is told why", told)
	if seen := r.Seen(); seen.Sessions != 0 {
		t.Fatalf("%d sessions were opened", seen.Sessions)
	}
	refused.Store(false)
	awaitProgrammed(t, p, r)

	before := r.Seen()
	refused.Store(true)
	p.Set(web, resources(11, "10.0.0.2"))
	fixture.Eventually(t, "the session ends, and it is told why", told)
	if seen := r.Seen(); seen.Upserts != before.Upserts || seen.Commits != before.Commits || seen.Sessions != before.Sessions {
		t.Fatalf("seen before %+v and after %+v: want nothing more", before, seen)
	}
	refused.Store(false)
	awaitProgrammed(t, p, r)
}

// Sending a table takes time: what was allowed when it began is asked for again before it is made to serve.
func TestNothingIsCommittedThatIsNoLongerAllowed(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	// The first question is before dialling, the second before sending, and the third before the commit.
	var asked atomic.Int64
	p := w.pusher(func(o *push.Options) {
		o.Allowed = func() error {
			if asked.Add(1) == 3 {
				return errors.New("overtaken")
			}
			return nil
		}
	})
	p.SetReplicas(web, ready(r))
	p.Set(web, resources(10, "10.0.0.1"))
	awaitProgrammed(t, p, r)
	if seen := r.Seen(); seen.Sessions != 2 || seen.Commits != 1 {
		t.Errorf("%d sessions with %d commits, want the first session to end without one", seen.Sessions, seen.Commits)
	}
}
