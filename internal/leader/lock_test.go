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

package leader

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// discard registers nothing.
type discard struct{ prometheus.Registerer }

func (discard) Register(prometheus.Collector) error { return nil }

// competitor is an operator in a test of the lease.
type competitor struct {
	fence *Fence
	lock  resourcelock.Interface
	lost  <-chan struct{}
}

func compete(t *testing.T, leases *fake.Clientset, c *clock, name string) *competitor {
	t.Helper()
	under, err := resourcelock.New(resourcelock.LeasesResourceLock, "infra", LeaseName, leases.CoreV1(), leases.CoordinationV1(),
		resourcelock.ResourceLockConfig{Identity: name})
	if err != nil {
		t.Fatal(err)
	}
	fence := newFence(t, c)
	return &competitor{fence: fence, lock: fence.Lock(under), lost: fence.lost}
}

func (c *competitor) record() resourcelock.LeaderElectionRecord {
	return resourcelock.LeaderElectionRecord{HolderIdentity: c.lock.Identity(), LeaseDurationSeconds: 10}
}

func isLost(c *competitor) bool {
	select {
	case <-c.lost:
		return true
	default:
		return false
	}
}

func TestLockTellsTheFence(t *testing.T) {
	ctx, c, leases := t.Context(), newClock(), fake.NewClientset()
	one, other := compete(t, leases, c, "one"), compete(t, leases, c, "other")
	leads := func(want *competitor) {
		t.Helper()
		for _, competitor := range []*competitor{one, other} {
			if (competitor.fence.Push() == nil) != (competitor == want) {
				t.Errorf("%s may act: %v", competitor.lock.Identity(), competitor.fence.Push() == nil)
			}
		}
	}
	done := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	get := func(who *competitor) error { _, _, err := who.lock.Get(ctx); return err }

	leads(nil)
	done(one.lock.Create(ctx, one.record()))
	leads(one)
	done(get(other))
	leads(one)
	if isLost(other) {
		t.Error("who has never led has lost nothing")
	}

	// The one is stopped for an hour; the other takes over.
	c.pass(time.Hour)
	leads(nil)
	done(other.lock.Update(ctx, other.record()))
	leads(other)
	done(get(one))
	leads(other)
	if !isLost(one) {
		t.Error("a leader that sees the lease in other hands has to end")
	}

	// Given back, it is nobody's; its holder has not lost it.
	done(other.lock.Update(ctx, resourcelock.LeaderElectionRecord{LeaseDurationSeconds: 1}))
	leads(nil)
	done(get(other))
	if isLost(other) {
		t.Error("who gives the lease back has not lost it")
	}
}

// An elector that ends gives back what it held when it looked last. If that is another's by now, nothing is given back.
func TestTheLeaseOfAnotherIsNotGivenBack(t *testing.T) {
	ctx, c, leases := t.Context(), newClock(), fake.NewClientset()
	one, other := compete(t, leases, c, "one"), compete(t, leases, c, "other")
	for _, step := range []func() error{
		func() error { return one.lock.Create(ctx, one.record()) },
		func() error { _, _, err := other.lock.Get(ctx); return err },
		func() error { return other.lock.Update(ctx, other.record()) },
		// What the elector does when it gives up: it reads the lease, and writes an empty holder to what it has read.
		func() error { _, _, err := one.lock.Get(ctx); return err },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if err := one.lock.Update(ctx, resourcelock.LeaderElectionRecord{LeaseDurationSeconds: 1}); err == nil {
		t.Error("the lease of another was given back")
	}
	record, _, err := other.lock.Get(ctx)
	if err != nil || record.HolderIdentity != "other" {
		t.Errorf("the lease is held by %v, %v", record, err)
	}
}

// brokenLock fails at whatever it is asked.
type brokenLock struct{ resourcelock.Interface }

var errBroken = errors.New("the API server is away")

func (brokenLock) Identity() string { return "one" }

func (brokenLock) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	return nil, nil, errBroken
}
func (brokenLock) Create(context.Context, resourcelock.LeaderElectionRecord) error { return errBroken }
func (brokenLock) Update(context.Context, resourcelock.LeaderElectionRecord) error { return errBroken }

// What fails has changed nothing: neither is a lease held that could not be written, nor is one lost that could not be read.
func TestFailuresSayNothing(t *testing.T) {
	c := newClock()
	fence := newFence(t, c)
	broken := fence.Lock(brokenLock{})
	mine := resourcelock.LeaderElectionRecord{HolderIdentity: "one"}
	if err := broken.Create(t.Context(), mine); !errors.Is(err, errBroken) || fence.Push() == nil {
		t.Errorf("a lease that was not created, %v, lets act: %v", err, fence.Push() == nil)
	}
	fence.held(c.at)
	c.pass(6 * time.Second)
	if err := broken.Update(t.Context(), mine); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
	if _, _, err := broken.Get(t.Context()); !errors.Is(err, errBroken) || fence.Push() != nil {
		t.Errorf("a lease that could not be read, %v, is taken for lost", err)
	}
	c.pass(time.Second)
	if fence.Push() == nil {
		t.Error("an attempt to renew counted as a renewal")
	}
}
