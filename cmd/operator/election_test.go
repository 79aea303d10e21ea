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

package main

import (
	"maps"
	"net/http"
	"slices"
	"syscall"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rauta-dev/rauta/api/v1alpha1"
	"github.com/rauta-dev/rauta/internal/leader"
)

// pair starts two operators, one after the other, so that the first leads, and waits until both are ready.
func (s *site) pair() (leader, standby *process) {
	s.t.Helper()
	leader = s.operator("one")
	s.serves("shop")
	standby = s.operator("other")
	s.eventually("the second operator stands by", func() bool { return standby.probe("/readyz") == http.StatusOK })
	return leader, standby
}

// change has both the proxy's objects and its table changed: the Gateway gets as many replicas, and another route.
func (s *site) change(replicas int32, route string) {
	s.t.Helper()
	parameters := &v1alpha1.GatewayParameters{}
	if err := s.Get(s.t.Context(), client.ObjectKey{Namespace: s.namespace, Name: "web"}, parameters); err != nil {
		s.t.Fatal(err)
	}
	parameters.Spec.Replicas = new(replicas)
	if err := s.Update(s.t.Context(), parameters); err != nil {
		s.t.Fatal(err)
	}
	s.create(s.route(route))
	s.serves(route)
	// A single replica has no disruption budget: here an operator deletes.
	s.eventually("the budget is as the replicas want it", func() bool {
		budgets := &policyv1.PodDisruptionBudgetList{}
		err := s.List(s.t.Context(), budgets, client.InNamespace(s.namespace))
		return err == nil && (len(budgets.Items) > 0) == (replicas > 1)
	})
}

// unchanged holds when the objects are there in the versions that they had.
func (s *site) unchanged(before map[string]string) {
	s.t.Helper()
	now := s.versions()
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if now[name] != before[name] {
			s.t.Errorf("%s was in version %q and is in %q", name, before[name], now[name])
		}
	}
	if len(now) != len(before) {
		s.t.Errorf("there were %d objects, and are %d", len(before), len(now))
	}
}

// A leader is stopped in the middle of its life, as a process of a machine that is moved is, and wakes up while another leads. Whatever
// it knew and planned, it must not write or push; and while it cannot know who leads, its clock alone keeps it from that.
func TestStoppedLeaderWritesNothing(t *testing.T) {
	s := newSite(t)
	old, successor := s.pair()
	if writes := successor.gate.written(); len(writes) > 0 {
		t.Errorf("an operator that stands by wrote %q", writes)
	}
	first, _ := s.lease()
	old.signal(syscall.SIGSTOP)
	second := s.passes(first)
	s.change(1, "cart") // the old leader would make of it: a patched Deployment, a deleted budget, statuses
	before := s.settles()
	seen := s.replica.Seen()
	_, transitions := s.lease()

	old.gate.written()
	old.gate.holdLeases()
	old.signal(syscall.SIGCONT)
	s.eventually("the old leader is refused what it wants to write", old.says("refused, as this operator may have been overtaken: its lease was last renewed"))
	if successor.says("refused, as this operator")() {
		t.Error("the operator that leads was refused")
	}
	old.gate.reopen()
	if code := old.end(); code != 1 {
		t.Errorf("the old leader ended with %d", code)
	}
	if !old.says("another operator has taken the lease")() && !old.says("leader election lost")() {
		t.Error("the old leader does not say why it ended")
	}
	if writes := old.gate.written(); len(writes) > 0 {
		t.Errorf("the old leader wrote %q", writes)
	}
	s.unchanged(before)
	if holder, now := s.lease(); holder != second || now != transitions {
		t.Errorf("the lease passed from %s to %s, %d times in all instead of %d", second, holder, now, transitions)
	}
	if now := s.replica.Seen(); now.Sessions != seen.Sessions || now.Commits != seen.Commits {
		t.Errorf("the replica has seen %d sessions and %d commits, and %d and %d before the old leader woke up",
			now.Sessions, now.Commits, seen.Sessions, seen.Commits)
	}
	s.start(old)
	s.change(2, "till")
	if holder, _ := s.lease(); holder != second {
		t.Errorf("%s leads instead of %s: an operator that comes back must stand by", holder, second)
	}
}

// A leader that is killed leaves a lease that has to run out. The next one finds an unchanged world.
func TestKilledLeaderIsFollowed(t *testing.T) {
	s := newSite(t)
	old, _ := s.pair()
	before, seen := s.settles(), s.replica.Seen()
	first, _ := s.lease()
	old.signal(syscall.SIGKILL)
	old.end()
	s.passes(first)
	s.eventually("the next leader has a session with the replica", func() bool { return s.replica.Seen().Commits > seen.Commits })
	s.unchanged(s.settles())
	s.unchanged(before)
	if now := s.replica.Seen(); now.Upserts != seen.Upserts || now.Removals != seen.Removals {
		t.Errorf("in an unchanged world %d resources were sent", now.Upserts+now.Removals-seen.Upserts-seen.Removals)
	}
	s.change(1, "cart")
}

// A leader that is told to end gives its lease back, and the next one has it before it has run out.
func TestEndedLeaderGivesTheLeaseBack(t *testing.T) {
	s := newSite(t)
	only := s.operator("one")
	s.serves("shop")
	only.signal(syscall.SIGTERM)
	if code := only.end(); code != 0 {
		t.Errorf("the operator ended with %d", code)
	}
	if holder, _ := s.lease(); holder != "" {
		t.Errorf("the lease is %s's still", holder)
	}
	s.start(only)
	s.change(1, "cart")
}

// An operator that is told to end while the API server does not answer ends all the same.
func TestOperatorEndsWithoutTheAPIServer(t *testing.T) {
	s := newSite(t)
	only := s.operator("one")
	s.serves("shop")
	only.gate.shut()
	only.signal(syscall.SIGTERM)
	only.end()
}

// A leader that is cut off from the API server ends; the other leads. Started again it waits, without ending over it, and stands by
// when it is let through.
func TestLeaderThatIsCutOff(t *testing.T) {
	s := newSite(t)
	old, _ := s.pair()
	first, _ := s.lease()
	old.gate.shut()
	if code := old.end(); code != 1 {
		t.Errorf("the operator ended with %d", code)
	}
	second := s.passes(first)
	s.change(1, "cart")
	seen := s.replica.Seen()

	s.start(old)
	s.eventually("it lives", func() bool { return old.probe("/healthz") == http.StatusOK })
	if old.probe("/readyz") == http.StatusOK {
		t.Error("an operator that has read nothing could not lead, and is no help")
	}
	old.gate.reopen()
	s.eventually("it stands by", func() bool { return old.probe("/readyz") == http.StatusOK })
	if holder, _ := s.lease(); holder != second {
		t.Errorf("%s leads instead of %s", holder, second)
	}
	if now := s.replica.Seen(); now.Sessions != seen.Sessions {
		t.Error("an operator that stands by opened a session")
	}
}

// The Lease may be deleted by whoever tidies up. One operator leads then as before.
func TestLeaseThatIsDeleted(t *testing.T) {
	s := newSite(t)
	s.pair()
	before := s.settles()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: leader.LeaseName}}
	if err := s.Delete(t.Context(), lease); err != nil {
		t.Fatal(err)
	}
	s.passes("")
	s.unchanged(before)
	s.change(1, "cart")
}
