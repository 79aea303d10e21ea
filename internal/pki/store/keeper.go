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

package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/go-logr/logr"

	"github.com/rauta-dev/rauta/internal/pki"
)

// Keeper keeps the operator's end of the admin channel on the authority that the Store holds: it looks once at the
// beginning and then at intervals, which is also what makes the authority's phases follow the time.
type Keeper struct {
	Store    *Store
	Operator *pki.Operator
	// Now is the clock.
	Now func() time.Time
	// Interval between two looks; a minute when it is 0. The phases of an authority last for weeks.
	Interval time.Duration
	// LeafLifetime is how long what the authority issues is valid; pki.LeafLifetime when it is 0.
	LeafLifetime time.Duration
	// OnChange is called, when it is set, after the operator began to use another authority: the identities of the
	// proxies then have to be looked at again.
	OnChange func()
	Logger   logr.Logger
}

// Refresh looks once. On an error the operator keeps the authority that it has.
func (k *Keeper) Refresh(ctx context.Context) error {
	authority, err := k.Store.Ensure(ctx, k.Now())
	if err != nil {
		return fmt.Errorf("load the certificate authority: %w", err)
	}
	before := k.Operator.Authority()
	if before != nil && bytes.Equal(before.Bundle(), authority.Bundle()) {
		return nil
	}
	k.Operator.Use(authority.WithLeafLifetime(k.LeafLifetime))
	if before != nil && k.OnChange != nil {
		k.OnChange()
	}
	return nil
}

// Start looks at intervals until the context ends. It fits controller-runtime's manager.Runnable.
func (k *Keeper) Start(ctx context.Context) error {
	interval := k.Interval
	if interval == 0 {
		interval = time.Minute
	}
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if err := k.Refresh(ctx); err != nil && ctx.Err() == nil {
			k.Logger.Error(err, "keeping the certificate authority that is in use")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// NeedLeaderElection is false: the Secret is safe to share, and an operator that becomes the leader has its authority.
func (k *Keeper) NeedLeaderElection() bool { return false }
