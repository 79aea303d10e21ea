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
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rauta-dev/rauta/internal/manifest"
	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/topology"
)

// ackPause is how long what was pushed is given to be acknowledged. An acknowledgement has statuses told by itself, and until it comes there
// is nothing to tell: looking before would take from the proxy, and the API server, the time that they need.
const ackPause = 50 * time.Millisecond

// changesReconciler takes the short way of routes and ListenerSets: a request is a Gateway of which some of those changed, or Services that
// routes name. They are decided, and nothing else, from what was decided before, and the table is changed by what that makes. Where more may
// have changed than that, it is left to the Gateway's own reconcile.
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

// byRoute finds the Gateways that a route concerns, and notes for them that it changed. One about which nothing was decided is not ours,
// or about to read everything: it is looked at only where the route carries our entry for it, which may have to go.
func (r *changesReconciler) byRoute(ctx context.Context, object client.Object) []reconcile.Request {
	route := object.(topology.RouteObject)
	return slices.DeleteFunc(r.affected.byRoute(ctx, route), func(request reconcile.Request) bool {
		known := r.records.known(request.NamespacedName)
		if known == nil {
			return !entered(route, r.affected.controllerName, request.NamespacedName)
		}
		known.note(topology.IDOf(route))
		return false
	})
}

// byService finds the Gateways of ours whose routes send to a Service, and notes for them that it changed.
func (r *changesReconciler) byService(ctx context.Context, object client.Object) []reconcile.Request {
	key := client.ObjectKeyFromObject(object)
	return slices.DeleteFunc(requests(r.affected.routesOf(ctx, routeByService, key.String())), func(request reconcile.Request) bool {
		known := r.records.known(request.NamespacedName)
		if known == nil {
			return true
		}
		known.noteService(key)
		return false
	})
}

// byListenerSet finds the Gateway of a ListenerSet, and notes for it that that changed. Where it changed its parent, the event is looked at
// before and after.
func (r *changesReconciler) byListenerSet(ctx context.Context, object client.Object) []reconcile.Request {
	found := r.affected.byListenerSet(ctx, object)
	for _, request := range found {
		if known := r.records.known(request.NamespacedName); known != nil {
			known.noteListenerSet(client.ObjectKeyFromObject(object))
		}
	}
	return found
}

// bySecret finds the Gateways of ours whose ListenerSets prove themselves with a Secret, and notes for them that it changed.
func (r *changesReconciler) bySecret(ctx context.Context, object client.Object) []reconcile.Request {
	key := client.ObjectKeyFromObject(object)
	gateways := r.affected.gatewaysOfSets(ctx, client.MatchingFields{listenerSetBySecret: key.String()})
	return slices.DeleteFunc(requests(gateways), func(request reconcile.Request) bool {
		known := r.records.known(request.NamespacedName)
		if known == nil {
			return true
		}
		known.noteSecret(key)
		return false
	})
}

// Reconcile decides what changed of one Gateway.
func (r *changesReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	again, carried, err := r.carryOn(ctx, request.NamespacedName)
	switch {
	case err != nil || !carried:
		r.whole.poke(request)
	case underWay(r.push.State(push.Key(request.NamespacedName))):
		r.statuses.pokeAfter(request, ackPause)
	default:
		r.statuses.poke(request)
	}
	return reconcile.Result{RequeueAfter: again}, err
}

// carryOn reports whether what was decided was carried on, and for how long it stays so, where the Gateway's own reconcile does not see to
// that.
func (r *changesReconciler) carryOn(ctx context.Context, gateway types.NamespacedName) (again time.Duration, carried bool, err error) {
	known := r.records.known(gateway)
	if known == nil {
		return 0, false, nil
	}
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.decided == nil || !known.current || known.over(r.now()) {
		return 0, false, nil
	}
	taken := known.take()
	if taken.empty() {
		return known.until(r.now()), true, nil
	}
	// Whatever stops it on the way, the topology is not what is pushed until everything was decided again.
	known.current = false
	change, ready, err := r.loader.change(ctx, known, taken)
	if err != nil || !ready {
		return 0, false, err
	}
	change.Now = r.now()
	var ports []manifest.ListenerPort
	if taken.ofListeners() {
		ports = listenerPorts(known.decided)
	}
	difference, ok := known.decided.Update(change)
	// The proxy's Service has the ports that are listened to.
	if !ok || taken.ofListeners() && !slices.Equal(ports, listenerPorts(known.decided)) {
		known.decided = nil
		return 0, false, nil
	}
	if err := r.handover.change(ctx, known.decided, difference); err != nil {
		return 0, false, err
	}
	known.carryOn(difference, r.push.State(push.Key(gateway)).Generation, r.now())
	known.current = true
	return known.until(r.now()), true, nil
}
