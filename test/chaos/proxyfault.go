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
	"net/netip"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

func proxyKilled(ctx context.Context, w *world, i *incident) error {
	_, pod, err := w.anyReplica(ctx)
	if err != nil {
		return err
	}
	return w.kill(ctx, pod, i)
}

// kill ends the proxy in a pod, and waits until it runs again there.
func (w *world) kill(ctx context.Context, pod *corev1.Pod, i *incident) error {
	pid, err := w.container(pod.UID, "proxy")
	if err != nil {
		return err
	}
	w.ledger.hit(i, addressOf(pod), forgiveAll)
	if err := send(pid, syscall.SIGKILL); err != nil {
		return err
	}
	return w.until(ctx, pod.Name+" runs again", func(context.Context) error {
		again, err := w.container(pod.UID, "proxy")
		if err == nil && again == pid {
			return fmt.Errorf("process %d has not ended", pid)
		}
		return err
	})
}

func proxyDeleted(ctx context.Context, w *world, i *incident) error {
	_, pod, err := w.anyReplica(ctx)
	if err != nil {
		return err
	}
	return w.replace(ctx, pod, i)
}

// replace deletes a pod, and waits until it is gone and there are as many replicas as there should be.
func (w *world) replace(ctx context.Context, pod *corev1.Pod, i *incident) error {
	w.ledger.hit(i, addressOf(pod), forgiveSessions)
	if err := w.Client.Delete(ctx, pod); err != nil {
		return err
	}
	return w.until(ctx, pod.Name+" is replaced", func(ctx context.Context) error { return w.replacedAll(ctx, i) })
}

// whilePaused stops a process, and has it go on whatever happens.
func whilePaused(pid int, during func() error) error {
	if err := send(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	err := during()
	return errors.Join(err, send(pid, syscall.SIGCONT))
}

// passes is time in which nothing is done.
func passes(ctx context.Context, length time.Duration) error {
	if !wait(ctx, length) {
		return ctx.Err()
	}
	return nil
}

// proxyPaused expects that clients wait, and are answered. When the replica has missed its probes, kube-proxy has the kernel forget where
// datagrams went, and what is answered afterwards comes from a stranger.
func proxyPaused(ctx context.Context, w *world, i *incident) error {
	_, pod, err := w.anyReplica(ctx)
	if err != nil {
		return err
	}
	pid, err := w.container(pod.UID, "proxy")
	if err != nil {
		return err
	}
	w.ledger.hit(i, addressOf(pod), forgiveDatagrams)
	return whilePaused(pid, func() error { return passes(ctx, pause) })
}

// whileCut cuts a pod off, and heals it whatever happens. The process that holds the pod's network lives on when its
// containers end.
func (w *world) whileCut(ctx context.Context, pod *corev1.Pod, addresses []netip.Addr, during func() error) error {
	pid, err := w.container(pod.UID, "pause")
	if err != nil {
		return err
	}
	if err := cut(ctx, pid, addresses...); err != nil {
		return err
	}
	err = during()
	return errors.Join(err, heal(ctx, pid))
}

// proxyCutFromOperators changes the route meanwhile: the replica serves what it knows, and learns of it afterwards.
func proxyCutFromOperators(ctx context.Context, w *world, _ *incident) error {
	g, pod, err := w.anyReplica(ctx)
	if err != nil {
		return err
	}
	pods, err := w.live(ctx, operatorNamespace, operatorLabels)
	if err != nil {
		return err
	}
	var addresses []netip.Addr
	for n := range pods {
		addresses = append(addresses, addressOf(&pods[n]))
	}
	return w.whileCut(ctx, pod, addresses, func() error {
		if err := w.revise(ctx, g); err != nil {
			return err
		}
		return passes(ctx, pause)
	})
}

func proxyCutOff(ctx context.Context, w *world, i *incident) error {
	_, pod, err := w.anyReplica(ctx)
	if err != nil {
		return err
	}
	w.ledger.hit(i, addressOf(pod), forgiveAll)
	return w.whileCut(ctx, pod, nil, func() error { return passes(ctx, 2*pause) })
}
