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
	"errors"
	"fmt"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// anyEndpoint is a pod of a tenant's elastic backend. Whatever is relayed as it is may be lost with it, on every replica of the tenant's: the proxy
// cannot send it again. Requests it can.
func (w *world) anyEndpoint(ctx context.Context, i *incident) (*corev1.Pod, error) {
	t := w.anyTenant()
	pods, err := w.live(ctx, t.namespace, client.MatchingLabels{"backend": elastic})
	if err != nil {
		return nil, err
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("namespace %s has no pod of %s", t.namespace, elastic)
	}
	for _, g := range w.gateways {
		replicas, err := w.replicas(ctx, g)
		if err != nil {
			return nil, err
		}
		for n := range replicas {
			if g.tenant == t {
				w.ledger.hit(i, addressOf(&replicas[n]), forgiveRelayed)
			}
		}
	}
	return &pods[w.random.IntN(len(pods))], nil
}

// untold does something while the API server is stopped: nobody tells the proxies of it.
func (w *world) untold(do func() error) error {
	pid, err := w.component("kube-apiserver")
	if err != nil {
		return err
	}
	return whilePaused(pid, do)
}

// endpointKilled expects that requests go to other endpoints until the kubelet has started the container again.
func endpointKilled(ctx context.Context, w *world, i *incident) error {
	pod, err := w.anyEndpoint(ctx, i)
	if err != nil {
		return err
	}
	pid, err := w.container(pod.UID, "backend")
	if err != nil {
		return err
	}
	err = w.untold(func() error {
		if err := send(pid, syscall.SIGKILL); err != nil {
			return err
		}
		// Until it is gone, the kernel goes on to accept connections in its name.
		for ends := syscall.Kill(pid, 0); !errors.Is(ends, syscall.ESRCH); ends = syscall.Kill(pid, 0) {
			if ends != nil || !wait(ctx, time.Millisecond) {
				return errors.Join(ends, ctx.Err())
			}
		}
		w.ledger.strike(i)
		return passes(ctx, 2*pause)
	})
	if err != nil {
		return err
	}
	// The kubelet lets one wait that was killed before.
	return w.until(ctx, pod.Name+" runs again", func(context.Context) error {
		again, err := w.container(pod.UID, "backend")
		if err == nil && again == pid {
			return fmt.Errorf("process %d has not ended", pid)
		}
		return err
	})
}

// endpointCutOff expects the same of an endpoint that is gone without a word. Requests that were sent to it wait until it is back.
func endpointCutOff(ctx context.Context, w *world, i *incident) error {
	pod, err := w.anyEndpoint(ctx, i)
	if err != nil {
		return err
	}
	return w.untold(func() error {
		return w.whileCut(ctx, pod, nil, func() error { return passes(ctx, 2*pause) })
	})
}
