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

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// leading is the leader's pod and process, and under which name it has the lease.
func (w *world) leading(ctx context.Context) (pod *corev1.Pod, pid int, holder string, err error) {
	if pod, err = w.leader(ctx); err != nil {
		return nil, 0, "", err
	}
	if holder, err = w.holder(ctx); err != nil {
		return nil, 0, "", err
	}
	pid, err = w.container(pod.UID, "operator")
	return pod, pid, holder, err
}

// succeeded waits until another operator leads.
func (w *world) succeeded(ctx context.Context, old string) error {
	return w.until(ctx, "another operator leads", func(ctx context.Context) error {
		holder, err := w.holder(ctx)
		if err == nil && (holder == "" || holder == old) {
			return fmt.Errorf("the lease is held by %q", holder)
		}
		return err
	})
}

// changedMeanwhile waits for another leader, and sees that a change comes through by it.
func (w *world) changedMeanwhile(ctx context.Context, old string) error {
	if err := w.succeeded(ctx, old); err != nil {
		return err
	}
	g := w.anyGateway()
	if err := w.revise(ctx, g); err != nil {
		return err
	}
	return w.eachReplica(ctx, g, "serve what the next leader pushed", func(ctx context.Context, pod *corev1.Pod) error {
		return w.answered(ctx, g, []corev1.Pod{*pod})
	})
}

func leaderKilled(ctx context.Context, w *world, _ *incident) error {
	_, pid, holder, err := w.leading(ctx)
	if err != nil {
		return err
	}
	if err := send(pid, syscall.SIGKILL); err != nil {
		return err
	}
	return w.changedMeanwhile(ctx, holder)
}

func leaderPaused(ctx context.Context, w *world, _ *incident) error {
	_, pid, holder, err := w.leading(ctx)
	if err != nil {
		return err
	}
	return whilePaused(pid, func() error { return w.changedMeanwhile(ctx, holder) })
}

func leaderCutOff(ctx context.Context, w *world, _ *incident) error {
	pod, _, holder, err := w.leading(ctx)
	if err != nil {
		return err
	}
	addresses, err := w.apiServer(ctx)
	if err != nil {
		return err
	}
	return w.whileCut(ctx, pod, addresses, func() error { return w.changedMeanwhile(ctx, holder) })
}

// apiServer are the addresses of the API server as pods know it.
func (w *world) apiServer(ctx context.Context) ([]netip.Addr, error) {
	service := &corev1.Service{}
	if err := w.Client.Get(ctx, client.ObjectKey{Namespace: "default", Name: "kubernetes"}, service); err != nil {
		return nil, err
	}
	address, err := netip.ParseAddr(service.Spec.ClusterIP)
	if err != nil {
		return nil, err
	}
	return []netip.Addr{address}, nil
}

// scaleOperators gives the operator's Deployment as many pods.
func (w *world) scaleOperators(ctx context.Context, n int32) error {
	key := client.ObjectKey{Namespace: operatorNamespace, Name: operatorName}
	err := change(ctx, w, key, &appsv1.Deployment{}, func(deployment *appsv1.Deployment) { deployment.Spec.Replicas = ptr.To(n) })
	if err != nil {
		return err
	}
	return w.operatorsReady(ctx, int(n))
}

// leaderKilledInRollout kills the leader as it begins to apply what replaces every replica of a tenant.
func leaderKilledInRollout(ctx context.Context, w *world, i *incident) error {
	_, pid, holder, err := w.leading(ctx)
	if err != nil {
		return err
	}
	if err := w.rollParameters(ctx, w.anyTenant(), i); err != nil {
		return err
	}
	if err := send(pid, syscall.SIGKILL); err != nil {
		return err
	}
	if err := w.succeeded(ctx, holder); err != nil {
		return err
	}
	return w.until(ctx, "no replica is left that began before", func(ctx context.Context) error { return w.replacedAll(ctx, i) })
}

// killedWithoutOperators expects that the container that starts again serves its last table.
func killedWithoutOperators(ctx context.Context, w *world, i *incident) error {
	if err := w.scaleOperators(ctx, 0); err != nil {
		return err
	}
	g, pod, err := w.anyReplica(ctx)
	if err == nil {
		err = w.kill(ctx, pod, i)
	}
	if err == nil {
		err = w.eachReplica(ctx, g, "serve the last table", func(ctx context.Context, pod *corev1.Pod) error {
			return w.answered(ctx, g, []corev1.Pod{*pod})
		})
	}
	return errors.Join(err, w.scaleOperators(context.WithoutCancel(ctx), operators))
}

func replacedWithoutOperators(ctx context.Context, w *world, i *incident) error {
	if err := w.scaleOperators(ctx, 0); err != nil {
		return err
	}
	_, pod, err := w.anyReplica(ctx)
	if err == nil {
		err = w.replace(ctx, pod, i)
	}
	return errors.Join(err, w.scaleOperators(context.WithoutCancel(ctx), operators))
}

// imageVariable is where the operator is told which image proxies have.
const imageVariable = "RELATED_IMAGE_PROXY"

// imageChanged rolls out an operator that wants the other image for its proxies, and waits until no replica is left of the one before.
func imageChanged(ctx context.Context, w *world, i *incident) error {
	for _, g := range w.gateways {
		if err := w.forgive(ctx, g, i); err != nil {
			return err
		}
	}
	var wanted string
	key := client.ObjectKey{Namespace: operatorNamespace, Name: operatorName}
	err := change(ctx, w, key, &appsv1.Deployment{}, func(deployment *appsv1.Deployment) {
		for n, variable := range deployment.Spec.Template.Spec.Containers[0].Env {
			if variable.Name != imageVariable {
				continue
			}
			wanted = w.images[0]
			if variable.Value == wanted {
				wanted = w.images[1]
			}
			deployment.Spec.Template.Spec.Containers[0].Env[n].Value = wanted
		}
	})
	if err != nil {
		return err
	}
	if err := w.rolledOut(ctx, key); err != nil {
		return err
	}
	err = w.until(ctx, "no replica is left that began before", func(ctx context.Context) error { return w.replacedAll(ctx, i) })
	if err != nil {
		return err
	}
	for _, g := range w.gateways {
		err := w.eachReplica(ctx, g, "run "+wanted, func(_ context.Context, pod *corev1.Pod) error {
			for _, container := range pod.Spec.Containers {
				if container.Name == "proxy" && container.Image == wanted {
					return nil
				}
			}
			return fmt.Errorf("%s runs another image", pod.Name)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
