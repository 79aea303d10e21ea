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
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// componentKilled ends a process of the cluster's, which its supervisor starts again.
func componentKilled(program string) func(context.Context, *world, *incident) error {
	return func(ctx context.Context, w *world, _ *incident) error {
		pid, err := w.component(program)
		if err != nil {
			return err
		}
		if err := send(pid, syscall.SIGKILL); err != nil {
			return err
		}
		return w.until(ctx, program+" runs again", func(ctx context.Context) error {
			again, err := w.component(program)
			if err == nil && again == pid {
				return fmt.Errorf("process %d has not ended", pid)
			}
			if err != nil {
				return err
			}
			return w.Client.List(ctx, &corev1.NamespaceList{})
		})
	}
}

// componentPaused stops a process of the cluster's for longer than the operators' lease is renewed without it.
func componentPaused(program string) func(context.Context, *world, *incident) error {
	return func(ctx context.Context, w *world, _ *incident) error {
		pid, err := w.component(program)
		if err != nil {
			return err
		}
		if err := whilePaused(pid, func() error { return passes(ctx, 2*pause) }); err != nil {
			return err
		}
		return w.until(ctx, program+" answers again", func(ctx context.Context) error {
			return w.Client.List(ctx, &corev1.NamespaceList{})
		})
	}
}

// identityLifetime is the shortest that the operator accepts: its certificates and those of the proxies are renewed every minute.
const identityLifetime = 4 * time.Minute

// identitiesRunDown waits until every replica shows an identity that was issued since its pod began: it was renewed in place. Then
// another operator has to lead, which meets every replica anew.
func identitiesRunDown(ctx context.Context, w *world, _ *incident) error {
	for _, g := range w.gateways {
		err := w.eachReplica(ctx, g, "show a renewed identity", func(ctx context.Context, pod *corev1.Pod) error {
			identity, err := w.identity(ctx, g)
			if err != nil {
				return err
			}
			table, err := w.table(ctx, pod, identity)
			if err == nil && !table.issued.After(pod.Status.StartTime.Time) {
				return fmt.Errorf("%s, which began at %s, shows an identity of %s", pod.Name, pod.Status.StartTime, table.issued)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	pod, err := w.leader(ctx)
	if err != nil {
		return err
	}
	holder, err := w.holder(ctx)
	if err != nil {
		return err
	}
	if err := w.Client.Delete(ctx, pod); err != nil {
		return err
	}
	return w.changedMeanwhile(ctx, holder)
}
