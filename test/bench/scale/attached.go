//go:build linux

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
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// calm is how long nothing may change for things to count as settled.
const calm = 3 * time.Second

// attached creates n routes at once, waits until all are accepted and counted, and deletes them.
func attached(n int) func(ctx context.Context, w *world, r *results) error {
	return func(ctx context.Context, w *world, r *results) error {
		if err := w.createService(ctx, serviceName(0), endpointIP(0, 0), 8080); err != nil {
			return err
		}
		if err := pause(ctx, calm); err != nil {
			return err
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		seen, err := w.observe(ctx)
		if err != nil {
			return err
		}
		m, err := w.begin(ctx)
		if err != nil {
			return err
		}
		began := time.Now()
		err = many(ctx, n, func(ctx context.Context, i int) error {
			return w.Create(ctx, httpRoute(i, parentGateway, serviceName(0)))
		})
		if err != nil {
			return err
		}
		created := time.Now()
		r.seconds("creation", created.Sub(began))
		if err := w.settled(ctx, r, seen, n, created); err != nil {
			return err
		}
		if err := m.report(ctx, r, false); err != nil {
			return err
		}
		return w.teardown(ctx, r, seen)
	}
}

// settled waits until n routes are accepted and counted, and sees that it stays so.
func (w *world) settled(ctx context.Context, r *results, seen *observer, n int, created time.Time) error {
	if err := seen.await(ctx, w, fmt.Sprintf("%d routes to be accepted and counted", n), allAccepted(n)); err != nil {
		return err
	}
	right, changes := seen.rightSince(), seen.changes()
	r.seconds("count_right_after_last_create", max(right.Sub(created), 0))
	r.seconds("all_accepted_after_last_create", max(seen.lastAccepted().Sub(created), 0))
	if err := pause(ctx, calm); err != nil {
		return err
	}
	r.add("count_changes_once_settled", float64(seen.changes()-changes), "changes")
	return nil
}

func (w *world) teardown(ctx context.Context, r *results, seen *observer) error {
	began := time.Now()
	if err := w.DeleteAllOf(ctx, &gatewayv1.HTTPRoute{}, client.InNamespace(namespace)); err != nil {
		return fmt.Errorf("delete routes: %w", err)
	}
	deleted := time.Now()
	if err := seen.await(ctx, w, "the routes to be gone", allAccepted(0)); err != nil {
		return err
	}
	r.seconds("deletion", deleted.Sub(began))
	r.seconds("count_zero_after_last_delete", max(seen.rightSince().Sub(deleted), 0))
	return nil
}

func (o *observer) changes() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.counts)
}
