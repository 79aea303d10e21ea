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
	"time"

	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// lock is a resource lock that tells a Fence what becomes of the lease. The elector uses it in one goroutine.
type lock struct {
	resourcelock.Interface
	fence *Fence
	// holder is who held the lease when it was read or written last.
	holder string
}

// Lock has the Fence follow a lease.
func (f *Fence) Lock(under resourcelock.Interface) resourcelock.Interface {
	return &lock{Interface: under, fence: f}
}

// Get reads who holds the lease.
func (l *lock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if err == nil {
		l.see(record.HolderIdentity)
	}
	return record, raw, err
}

// Create makes the lease, for this operator.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	sent := l.fence.now()
	err := l.Interface.Create(ctx, record)
	if err == nil {
		l.write(record.HolderIdentity, sent)
	}
	return err
}

// Update renews the lease, takes it or gives it back. The elector gives back what it held when it looked last, which
// another may have taken since: that one's lease is not ours to give.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if record.HolderIdentity == "" && l.holder != l.Identity() {
		return errors.New("the lease is not given back: it is not this operator's any more")
	}
	sent := l.fence.now()
	err := l.Interface.Update(ctx, record)
	if err == nil {
		l.write(record.HolderIdentity, sent)
	}
	return err
}

func (l *lock) see(holder string) {
	l.holder = holder
	if holder != l.Identity() {
		l.fence.elsewhere()
	}
}

func (l *lock) write(holder string, sent time.Time) {
	l.holder = holder
	if holder == l.Identity() {
		l.fence.held(sent)
		return
	}
	l.fence.released()
}
