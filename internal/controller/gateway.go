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
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/topology"
)

// conflictPause is how long a reconcile that met a conflict waits for the newer object.
const conflictPause = 100 * time.Millisecond

// settlePause is how long what was written last for a Gateway is given to reach the cache.
const settlePause = time.Second

// readyPause is how long a reconcile waits for the kinds that are about to be read when the operator begins.
const readyPause = 50 * time.Millisecond

// gatewayReconciler makes one Gateway what its objects say: its proxy, the proxy's table, and the statuses.
type gatewayReconciler struct {
	client         client.Reader
	controllerName gatewayv1.GatewayController
	loader         *loader
	provisioner    *provisioner
	handover       *handover
	reporter       *reporter
	records        *records
	push           pusher
	statuses       *pokes
	now            func() time.Time
	// ready reports whether all kinds are read whose CRDs are there.
	ready func() bool
}

// Reconcile runs the rooms in order for one Gateway, and has the result told, on every path.
func (r *gatewayReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	// A table without the BackendTLSPolicies that are about to be read would send in clear text what must not be.
	if !r.ready() {
		return reconcile.Result{RequeueAfter: readyPause}, nil
	}
	known := r.records.of(request.NamespacedName)
	d, again, err := r.decide(ctx, request.NamespacedName, known)
	if d == nil {
		return reconcile.Result{RequeueAfter: again}, err
	}
	// The API server, and whoever it asks, may take their time: what changes of the Gateway's routes is decided and pushed meanwhile.
	problem, err := r.provisioner.apply(ctx, d.gateway, d.wanted)
	known.applied(d.made, problem)
	r.statuses.poke(request)
	err = errors.Join(d.err, err)
	if conflictsAlone(err) {
		// Somebody else wrote in between: no failure, and the newer object is about to reach the cache.
		return reconcile.Result{RequeueAfter: conflictPause}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	return reconcile.Result{RequeueAfter: earlier(d.made.again(r.now()), untilChange(d.changes, r.now()))}, nil
}

// decision is what was decided about a Gateway, and handed over.
type decision struct {
	gateway *gatewayv1.Gateway
	made    *made
	// changes is when something is decided in another way although nothing changes. The topology itself is not to be read without the lock.
	changes time.Time
	// wanted are the objects that are to be applied; nil for none.
	wanted *wanted
	// err is what could not be done.
	err error
}

// decide decides everything about a Gateway, and hands its table over. There is no decision about one that is not ours, or cannot be
// read; it says when to look again then.
func (r *gatewayReconciler) decide(ctx context.Context, key types.NamespacedName, known *record) (*decision, time.Duration, error) {
	// Nothing else is decided about the Gateway meanwhile.
	known.mu.Lock()
	defer known.mu.Unlock()
	gateway, class, err := r.get(ctx, key)
	if err != nil {
		return nil, 0, err
	}
	if class == nil {
		known.decided, known.current = nil, false
		again, err := r.release(ctx, key, gateway)
		return nil, again, err
	}
	// What changes from here on is looked at again; what changed before is about to be read.
	known.take()
	known.current = false
	input, granting, err := r.loader.input(ctx, class, gateway)
	if err != nil {
		return nil, 0, err
	}
	input.Now = r.now()
	decided := topology.Build(input)
	d := &decision{gateway: gateway, changes: decided.Changes}
	var preparedErr error
	d.made, d.wanted, preparedErr = r.provisioner.prepare(ctx, class, gateway, decided)
	tableErr := r.handover.table(ctx, decided, d.made.parameters)
	d.err = errors.Join(preparedErr, tableErr, r.handover.replicas(ctx, key, d.made.service))
	known.settle(input, granting, decided, d.made)
	known.pushed(r.push.State(push.Key(key)))
	known.current, known.applying = tableErr == nil, true
	return d, 0, nil
}

// get loads the Gateway and its class. The class is nil unless the Gateway is there to stay and is ours.
func (r *gatewayReconciler) get(ctx context.Context, key types.NamespacedName) (*gatewayv1.Gateway, *gatewayv1.GatewayClass, error) {
	gateway := &gatewayv1.Gateway{}
	err := r.client.Get(ctx, key, gateway)
	if apierrors.IsNotFound(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("get Gateway %s: %w", key, err)
	}
	class := &gatewayv1.GatewayClass{}
	err = r.client.Get(ctx, client.ObjectKey{Name: string(gateway.Spec.GatewayClassName)}, class)
	if apierrors.IsNotFound(err) {
		return gateway, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("get GatewayClass %s: %w", gateway.Spec.GatewayClassName, err)
	}
	if class.Spec.ControllerName != r.controllerName || !gateway.DeletionTimestamp.IsZero() {
		return gateway, nil, nil
	}
	return gateway, class, nil
}

// release lets go of a Gateway that is not ours, or no longer. What was made for it goes too: with a deleted Gateway
// through the garbage collector, else by pruning. A Gateway whose class is gone keeps its proxy, as nobody has said that
// it should not serve; it is merely no longer looked after until the class is back.
//
// It is done twice, the second time after a pause: what was written last for the Gateway may not have reached the cache yet.
func (r *gatewayReconciler) release(ctx context.Context, key types.NamespacedName, gateway *gatewayv1.Gateway) (time.Duration, error) {
	if gateway != nil && gateway.DeletionTimestamp.IsZero() {
		class, err := foreign(ctx, r.client, r.controllerName, gateway)
		if err != nil || class == nil {
			return 0, err
		}
		err = r.provisioner.remove(ctx, class, gateway)
		if conflictsAlone(err) {
			return conflictPause, nil
		}
		if err != nil {
			return 0, err
		}
	}
	r.records.forget(key)
	r.provisioner.forget(key)
	r.handover.forget(key)
	r.loader.secrets.forget(key)
	sets, err := r.loader.sets.of(ctx, key)
	if err != nil {
		return 0, err
	}
	routes, err := r.loader.routes(ctx, key, sets)
	if err != nil {
		return 0, err
	}
	policies, err := r.loader.backendPolicies.list(ctx, client.MatchingFields{policyByGateway: key.String()})
	if err != nil {
		return 0, err
	}
	failures := []error{r.reporter.detach(ctx, key, sets, routes), r.reporter.detachPolicies(ctx, key, policies)}
	if gateway == nil || !gateway.DeletionTimestamp.IsZero() {
		failures = append(failures, r.reporter.orphan(ctx, key, sets))
	}
	err = errors.Join(failures...)
	if conflictsAlone(err) {
		return conflictPause, nil
	}
	if err != nil || !r.reporter.leave(key) {
		return 0, err
	}
	return settlePause, nil
}

// foreign is the Gateway's class if another controller has it, else nil.
func foreign(ctx context.Context, reader client.Reader, controllerName gatewayv1.GatewayController, gateway *gatewayv1.Gateway) (*gatewayv1.GatewayClass, error) {
	class := &gatewayv1.GatewayClass{}
	err := reader.Get(ctx, client.ObjectKey{Name: string(gateway.Spec.GatewayClassName)}, class)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get GatewayClass %s: %w", gateway.Spec.GatewayClassName, err)
	}
	if class.Spec.ControllerName == controllerName {
		return nil, nil
	}
	return class, nil
}

// longestPause is looked after in any case: durations end before certificates that never expire do.
const longestPause = 30 * 24 * time.Hour

// untilChange is how long what was decided stays so while no object changes, until some time; 0 for ever, where that is zero. The second more is for a certificate that is
// valid to the end of its last one.
func untilChange(at, now time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return min(max(at.Sub(now), 0), longestPause) + time.Second
}

// earlier is the shorter of two pauses, of which 0 stands for none.
func earlier(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}
