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

package controller

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/topology"
)

// changesReconciler takes the short way of routes: a request is a Gateway of which some routes changed. They are decided, and
// nothing else, from what was decided before, and the table is changed by what that makes. Where more may have changed than
// that, it is left to the Gateway's own reconcile.
type changesReconciler struct {
	affected *affected
	loader   *loader
	handover *handover
	push     pusher
	records  *records
	// whole has a Gateway's own reconcile look at everything, and statuses has what was decided told.
	whole, statuses *pokes
	now             func() time.Time
}

// byRoute finds the Gateways that a route concerns, and notes for them that it changed.
func (r *changesReconciler) byRoute(ctx context.Context, object client.Object) []reconcile.Request {
	found := r.affected.byRoute(ctx, object)
	for _, request := range found {
		if known := r.records.known(request.NamespacedName); known != nil {
			known.note(topology.IDOf(object.(topology.RouteObject)))
		}
	}
	return found
}

// Reconcile decides the changed routes of one Gateway.
func (r *changesReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	carried, err := r.carryOn(ctx, request.NamespacedName)
	next := r.statuses
	if err != nil || !carried {
		next = r.whole
	}
	next.poke(request)
	return reconcile.Result{}, err
}

// carryOn reports whether what was decided was carried on.
func (r *changesReconciler) carryOn(ctx context.Context, gateway types.NamespacedName) (bool, error) {
	known := r.records.known(gateway)
	if known == nil {
		return false, nil
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.decided == nil || !known.current {
		return false, nil
	}
	ids := known.take()
	if len(ids) == 0 {
		return true, nil
	}
	// Whatever stops it on the way, the topology is not what is pushed until everything was decided again.
	known.current = false
	var changed []topology.RouteObject
	var gone []topology.RouteID
	for _, id := range ids {
		route, err := r.loader.kinds.get(ctx, id)
		if err != nil {
			return false, err
		}
		if route == nil {
			gone = append(gone, id)
			continue
		}
		ready, err := r.loader.extend(ctx, known, route)
		if err != nil || !ready {
			return false, err
		}
		changed = append(changed, route)
	}
	difference, ok := known.decided.Update(changed, gone)
	if !ok {
		return false, nil
	}
	if err := r.handover.change(ctx, known.decided, difference); err != nil {
		return false, err
	}
	known.carryOn(difference, r.push.State(push.Key(gateway)).Generation, r.now())
	known.current = true
	return true, nil
}

// extend adds what a changed route refers to to what the topology was built from. It reports false where that is another than
// the topology knows, or may be refused or secured by what was not looked at.
func (l *loader) extend(ctx context.Context, known *record, route topology.RouteObject) (bool, error) {
	in := &known.input
	if err := l.namespace(ctx, in.Namespaces, route.GetNamespace()); err != nil {
		return false, err
	}
	services := routeServices(route)
	for _, namespace := range otherNamespaces(route.GetNamespace(), services) {
		if !known.granting[namespace] {
			return false, nil
		}
	}
	for _, key := range services {
		found := map[types.NamespacedName]*corev1.Service{}
		if err := l.service(ctx, found, key); err != nil {
			return false, err
		}
		before, now := in.Services[key], found[key]
		if before != nil && (now == nil || now.ResourceVersion != before.ResourceVersion || now.UID != before.UID) {
			return false, nil
		}
		if before != nil || now == nil {
			continue
		}
		policies, err := l.backendPolicies.list(ctx, client.MatchingFields{policyByService: key.String()})
		if err != nil {
			return false, fmt.Errorf("policies of Service %s: %w", key, err)
		}
		if len(policies) > 0 {
			return false, nil
		}
		in.Services[key] = now
	}
	return true, nil
}
