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
	"errors"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/status"
	"github.com/rauta-dev/rauta/internal/topology"
)

const (
	// countQuiet is how long a count of attached routes may be without a change before it is told, and countPatience how long it
	// may be untold while it goes on changing: a thousand routes that come at once are not a thousand writes.
	countQuiet    = 50 * time.Millisecond
	countPatience = 400 * time.Millisecond
	// passes is how many times as long as writing statuses took they rest, where counts go on changing.
	passes = 5
	// agePatience is how long a Gateway's message may name an older table, which is as true as the newest one.
	agePatience = 2 * time.Second
	// longestWait is how long a status waits for acknowledgements that do come, and are of older tables than what was decided since.
	// Then it says how far the replicas are behind.
	longestWait = 10 * time.Second
	// cachePause is how long what was written is given to come back into the cache.
	cachePause = 20 * time.Millisecond
)

// statusReconciler tells what was decided about a Gateway: a request is one of which something is untold, or whose replicas said
// something. It never runs twice at once for a Gateway. While it writes, the Gateway is free for what changes next.
type statusReconciler struct {
	reporter *reporter
	records  *records
}

// Reconcile writes what there is to write about one Gateway.
func (r *statusReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	known := r.records.known(request.NamespacedName)
	if known == nil {
		return reconcile.Result{}, nil
	}
	known.mu.Lock()
	batch, again, unread := r.reporter.gather(ctx, known)
	known.mu.Unlock()
	began := time.Now()
	r.reporter.write(ctx, batch)
	known.mu.Lock()
	err := known.told(batch)
	if batch.gateway != nil {
		known.pass = time.Since(began)
	}
	known.mu.Unlock()
	if unread != nil {
		return reconcile.Result{}, errors.Join(unread, err)
	}
	if conflictsAlone(err) {
		// Somebody else wrote in between: no failure, and the newer object is about to reach the cache.
		return reconcile.Result{RequeueAfter: conflictPause}, nil
	}
	return reconcile.Result{RequeueAfter: again}, err
}

// batch are statuses to be written, with what came of it.
type batch struct {
	gateway       *gatewayv1.Gateway
	gatewayStatus gatewayv1.GatewayStatus
	sets          []status.ListenerSetUpdate
	routes        []status.RouteUpdate
	policies      []status.PolicyUpdate

	gatewayErr, policiesErr error
	setErrs, routeErrs      []error
}

// gather collects what is to be written now, and says when to look again for what is not yet. What was collected before an error
// is to be written as well: it is not collected again. The record's lock is held.
func (r *reporter) gather(ctx context.Context, known *record) (*batch, time.Duration, error) {
	b := &batch{}
	if known.decided == nil {
		return b, 0, nil
	}
	gateway := known.decided.Gateway
	r.mu.Lock()
	r.told[gateway] = releases
	r.mu.Unlock()
	state := r.push.State(push.Key(gateway))
	d := deliveredOf(state, r.wait(gateway, state))
	known.hear(d)
	again, err := r.gatherRoutes(ctx, known, b, d)
	if err != nil {
		return b, 0, err
	}
	policies, err := r.gatherPolicies(ctx, known, b)
	if err != nil {
		return b, 0, err
	}
	owners, err := r.gatherOwners(ctx, known, b, d)
	return b, earlier(earlier(earlier(again, policies), owners), d.waits), err
}

// delivered is how far the table has come, for those who need all of it and for those who need a part.
type delivered struct {
	// real is for those who have waited long enough.
	real *status.Delivery
	// reached is the generation that all ready replicas have, and complete says that they have it.
	reached  uint64
	complete *status.Delivery
	// waits is how long to wait for acknowledgements that are under way; 0 where none are.
	waits time.Duration
}

func deliveredOf(state push.State, waits time.Duration) *delivered {
	d := &delivered{real: deliveryOf(state), reached: state.Reached(), waits: waits}
	complete := *d.real
	complete.Generation, complete.Serving, complete.Trouble = d.reached, complete.Ready, ""
	d.complete = &complete
	return d
}

// of is what to tell of something that the table has as it is now since a generation; nil where that is about to be known.
func (d *delivered) of(generation uint64) *status.Delivery {
	switch {
	case d.real.Ready > 0 && d.reached > 0 && d.reached >= generation:
		return d.complete
	case d.waits > 0:
		return nil
	default:
		return d.real
	}
}

// within is what to tell of something that has waited since a time, which is noted when it begins; whoever tells it forgets it. It is no
// longer nil when that was long ago: with replicas that take longer to acknowledge a table than the next one takes to be wanted, it
// would be for ever.
func (d *delivered) within(generation uint64, since *time.Time, now time.Time) *status.Delivery {
	delivery := d.of(generation)
	if delivery != nil {
		return delivery
	}
	if since.IsZero() {
		*since = now
	}
	if now.Sub(*since) < longestWait {
		return nil
	}
	return d.real
}

// hear has told again what depends on how far the table has come, where that is another than it was.
func (r *record) hear(d *delivered) {
	if heard := (heard{d.reached, d.real.Generation, d.real.Ready, d.real.Serving, d.real.Trouble}); heard != r.heard {
		r.heard, r.untold.gateway = heard, true
	}
	delivery := d.of(r.generation)
	if delivery == nil {
		return
	}
	now := said{ready: delivery.Ready > 0, complete: delivery.Complete(), refused: delivery.Refused}
	if !now.equal(r.said) {
		r.said = now
		r.tellAll()
	}
}

func (r *reporter) gatherRoutes(ctx context.Context, known *record, b *batch, d *delivered) (again time.Duration, err error) {
	now := r.now()
	for id, waits := range known.untold.routes {
		delivery := d.within(waits.generation, &waits.since, now)
		known.untold.routes[id] = waits
		if delivery == nil {
			continue
		}
		object, err := r.kinds.get(ctx, id)
		if err != nil {
			return 0, err
		}
		decided := known.decided.Find(id)
		switch {
		case object == nil:
			delete(known.untold.routes, id)
			delete(known.bases, base{string(id.Kind), types.NamespacedName{Namespace: id.Namespace, Name: id.Name}})
			continue
		case known.outdated(string(id.Kind), object):
			again = cachePause
			continue
		case decided != nil && (decided.Object.GetGeneration() != object.GetGeneration() || decided.Object.GetUID() != object.GetUID()):
			// It has changed again, and will be decided again.
			continue
		}
		update := status.RouteUpdate{Route: object, Status: r.routeStatus(known.decided, decided, object, delivery)}
		if update.Differs() {
			b.routes = append(b.routes, update)
		}
		// What the replicas do not have yet is told once more when they do.
		known.untold.routes[id] = awaited{generation: waits.generation}
		if delivery == d.complete || d.real.Ready == 0 || decided == nil {
			delete(known.untold.routes, id)
		}
	}
	return again, nil
}

// routeStatus is that of a route as it is in the cache; one that was not decided names the Gateway no longer.
func (r *reporter) routeStatus(t *topology.Topology, decided *topology.Route, object topology.RouteObject, delivery *status.Delivery) gatewayv1.RouteStatus {
	if decided == nil {
		return status.RouteDetached(object, string(r.controllerName), everywhere)
	}
	route := *decided
	route.Object = object
	return status.Route(&route, t, delivery, r.now())
}

// gatherOwners collects the Gateway's status and those of its ListenerSets.
func (r *reporter) gatherOwners(ctx context.Context, known *record, b *batch, d *delivered) (again time.Duration, err error) {
	if known.applying || !known.untold.gateway && len(known.untold.sets) == 0 {
		return 0, nil
	}
	delivery := d.within(known.generation, &known.untold.waits, r.now())
	if delivery == nil {
		return 0, nil
	}
	gateway := &gatewayv1.Gateway{}
	err = r.client.Get(ctx, known.decided.Gateway, gateway, client.UnsafeDisableDeepCopy)
	if err != nil {
		return 0, client.IgnoreNotFound(err)
	}
	if known.outdated("Gateway", gateway) {
		return cachePause, nil
	}
	if gateway.Generation != known.input.Gateway.Generation || gateway.UID != known.input.Gateway.UID {
		return 0, nil
	}
	service, err := r.service(ctx, known.made.service, gateway)
	if err != nil {
		return 0, err
	}
	facts := &status.GatewayFacts{
		Invalid: known.made.invalid, Blocked: known.made.blocked, Addresses: status.Addresses(service), Delivery: *delivery,
	}
	pause := r.gatherGateway(known, b, gateway, facts)
	sets, err := (&setGathering{reporter: r, known: known, batch: b, gateway: gateway, facts: facts}).gather(ctx)
	if !known.untold.gateway && len(known.untold.sets) == 0 {
		known.untold.waits = time.Time{}
	}
	return earlier(pause, sets), err
}

// gatherGateway collects the Gateway's status, or says for how long it may be left as it is.
func (r *reporter) gatherGateway(known *record, b *batch, gateway *gatewayv1.Gateway, facts *status.GatewayFacts) time.Duration {
	if !known.untold.gateway {
		return 0
	}
	next := status.Gateway(gateway, known.decided, facts, r.now())
	if pause := known.pause(status.Compare(&gateway.Status, &next), r.now()); pause > 0 {
		return pause
	}
	b.gateway, b.gatewayStatus = gateway, next
	known.untold.gateway = false
	known.untold.since, known.untold.latest, known.untold.aged = time.Time{}, time.Time{}, time.Time{}
	return 0
}

// pause is how long the Gateway's status may be left as it is; 0 for no longer.
func (r *record) pause(difference status.Difference, now time.Time) time.Duration {
	if difference == status.MessageDiffers && r.untold.since.IsZero() {
		if r.untold.aged.IsZero() {
			r.untold.aged = now
		}
		return agePatience - now.Sub(r.untold.aged)
	}
	if difference == status.Differs || r.untold.since.IsZero() {
		return 0
	}
	longest := max(countPatience, passes*r.pass)
	return min(countQuiet-now.Sub(r.untold.latest), longest-now.Sub(r.untold.since))
}

// write writes a batch, and notes in it what came of that. A route does not wait for what is told of its Gateway.
func (r *reporter) write(ctx context.Context, b *batch) {
	var writes sync.WaitGroup
	if b.gateway != nil {
		writes.Go(func() { b.gatewayErr = r.writer.Gateway(ctx, b.gateway, b.gatewayStatus) })
	}
	if len(b.sets) > 0 {
		writes.Go(func() { b.setErrs = r.writer.ListenerSets(ctx, b.sets) })
	}
	if len(b.policies) > 0 {
		writes.Go(func() { b.policiesErr = r.writer.Policies(ctx, b.policies) })
	}
	b.routeErrs = r.writer.EachRoute(ctx, b.routes)
	writes.Wait()
}

// told notes what came of a batch: on which versions was written, and what is untold still. The record's lock is held.
func (r *record) told(b *batch) error {
	failures := []error{b.gatewayErr, b.policiesErr}
	if b.gatewayErr != nil {
		r.untold.gateway = true
	}
	if b.policiesErr != nil {
		r.untold.policies = true
	} else {
		for i := range b.policies {
			r.wrote("BackendTLSPolicy", b.policies[i].Policy)
		}
	}
	if b.gateway != nil && b.gatewayErr == nil && status.Compare(&b.gateway.Status, &b.gatewayStatus) != status.Same {
		r.wrote("Gateway", b.gateway)
	}
	for i, err := range b.setErrs {
		failures = append(failures, err)
		if err != nil {
			r.tellSet(client.ObjectKeyFromObject(b.sets[i].ListenerSet))
			continue
		}
		r.wrote("ListenerSet", b.sets[i].ListenerSet)
	}
	for i, err := range b.routeErrs {
		id := topology.IDOf(b.routes[i].Route)
		failures = append(failures, err)
		if err != nil {
			r.tell(id)
			continue
		}
		r.wrote(string(id.Kind), b.routes[i].Route)
	}
	return errors.Join(failures...)
}
