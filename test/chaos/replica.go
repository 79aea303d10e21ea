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
	"net/netip"
	"slices"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	operatorNamespace = "rauta-system"
	operatorName      = "rauta-controller-manager"
	operatorLease     = "operator.rauta.dev"
	operators         = 2
)

// live are the pods with the labels that are not being deleted, in the order of their names.
func (w *world) live(ctx context.Context, namespace string, labels client.MatchingLabels) ([]corev1.Pod, error) {
	list := &corev1.PodList{}
	if err := w.Client.List(ctx, list, client.InNamespace(namespace), labels); err != nil {
		return nil, err
	}
	pods := slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil })
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return strings.Compare(a.Name, b.Name) })
	return pods, nil
}

// ready are those pods, when there are as many as there should be, and all are ready.
func (w *world) ready(ctx context.Context, namespace string, labels client.MatchingLabels, wanted int) ([]corev1.Pod, error) {
	pods, err := w.live(ctx, namespace, labels)
	if err != nil {
		return nil, err
	}
	if len(pods) != wanted {
		return nil, fmt.Errorf("there are %d pods %v in %s, want %d", len(pods), labels, namespace, wanted)
	}
	for i := range pods {
		if !isReady(&pods[i]) {
			return nil, fmt.Errorf("pod %s/%s is not ready", namespace, pods[i].Name)
		}
	}
	return pods, nil
}

func isReady(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func addressOf(pod *corev1.Pod) netip.Addr {
	address, _ := netip.ParseAddr(pod.Status.PodIP)
	return address
}

func (g *gateway) labels() client.MatchingLabels {
	return client.MatchingLabels{"app.kubernetes.io/instance": g.resources().Name}
}

// replicas are the Gateway's, all of them ready.
func (w *world) replicas(ctx context.Context, g *gateway) ([]corev1.Pod, error) {
	return w.ready(ctx, g.tenant.namespace, g.labels(), replicas)
}

// anyReplica is the replica that serves one of a Gateway's sessions, and that Gateway. The seed chooses the session: replicas have
// random names and begin in the same second, so that nothing tells one from the other but whom it serves.
func (w *world) anyReplica(ctx context.Context) (*gateway, *corev1.Pod, error) {
	g := w.anyGateway()
	holders := w.load.holders[g.String()]
	n := w.random.IntN(len(holders))
	var found *corev1.Pod
	err := w.until(ctx, fmt.Sprintf("session %d of %s, a %s, is open", n, g, holders[n].kind), func(ctx context.Context) error {
		pods, err := w.replicas(ctx, g)
		if err != nil {
			return err
		}
		at := holders[n].at.Load()
		for i := range pods {
			if at != nil && addressOf(&pods[i]) == *at {
				found = &pods[i]
				return nil
			}
		}
		return fmt.Errorf("it is open at %v, the replicas are %s and %s", at, pods[0].Status.PodIP, pods[1].Status.PodIP)
	})
	return g, found, err
}

var operatorLabels = client.MatchingLabels{"control-plane": "controller-manager"}

// operatorsReady waits until so many operators run, of which one leads when there are any.
func (w *world) operatorsReady(ctx context.Context, wanted int) error {
	return w.until(ctx, fmt.Sprintf("%d operators are ready", wanted), func(ctx context.Context) error {
		if _, err := w.ready(ctx, operatorNamespace, operatorLabels, wanted); err != nil || wanted == 0 {
			return err
		}
		_, err := w.leader(ctx)
		return err
	})
}

// leader is the operator that holds the lease, as long as its pod is there.
func (w *world) leader(ctx context.Context) (*corev1.Pod, error) {
	lease := &coordinationv1.Lease{}
	if err := w.Client.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: operatorLease}, lease); err != nil {
		return nil, err
	}
	// A holder is called by its host, which is its pod, and a random part.
	name, _, _ := strings.Cut(ptr.Deref(lease.Spec.HolderIdentity, ""), "_")
	if name == "" {
		return nil, fmt.Errorf("nobody leads")
	}
	pod := &corev1.Pod{}
	err := w.Client.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: name}, pod)
	return pod, err
}

// holder is who has the lease, whether or not it is there.
func (w *world) holder(ctx context.Context) (string, error) {
	lease := &coordinationv1.Lease{}
	err := w.Client.Get(ctx, client.ObjectKey{Namespace: operatorNamespace, Name: operatorLease}, lease)
	return ptr.Deref(lease.Spec.HolderIdentity, ""), err
}
