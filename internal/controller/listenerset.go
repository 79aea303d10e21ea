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
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/status"
	"github.com/rauta-dev/rauta/internal/topology"
)

// listenerSets reads ListenerSets from the cache, while their CRD is there; without it there are none. What it returns must not
// be changed.
type listenerSets struct {
	*presence
	client client.Reader

	mu sync.Mutex
	// uids are those of the ListenerSets that were reported on.
	uids map[types.NamespacedName]types.UID
}

func newListenerSets(reader client.Reader) *listenerSets {
	return &listenerSets{
		client: reader, presence: &presence{kind: &gatewayv1.ListenerSet{}, plural: "ListenerSets"}, uids: map[types.NamespacedName]types.UID{},
	}
}

// tell notes that a ListenerSet is reported on.
func (s *listenerSets) tell(set *gatewayv1.ListenerSet) {
	s.presence.mu.RLock()
	defer s.presence.mu.RUnlock()
	if !s.there {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.uids[client.ObjectKeyFromObject(set)] = set.UID
}

// told reports whether a ListenerSet was reported on.
func (s *listenerSets) told(set *gatewayv1.ListenerSet) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.uids[client.ObjectKeyFromObject(set)] == set.UID
}

// forget drops what is remembered of a ListenerSet that is gone.
func (s *listenerSets) forget(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.uids, key)
}

// forgetAll drops what is remembered of all, which are gone with their CRD.
func (s *listenerSets) forgetAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.uids)
}

func (s *listenerSets) list(ctx context.Context, options ...client.ListOption) ([]*gatewayv1.ListenerSet, error) {
	list := &gatewayv1.ListenerSetList{}
	if err := s.presence.list(ctx, s.client, list, options...); err != nil {
		return nil, err
	}
	return pointers(list.Items), nil
}

// of are the ListenerSets that name a Gateway, whether or not it allows them.
func (s *listenerSets) of(ctx context.Context, gateway types.NamespacedName) ([]*gatewayv1.ListenerSet, error) {
	return s.list(ctx, client.MatchingFields{listenerSetByGateway: gateway.String()})
}

// get is nil where there is none.
func (s *listenerSets) get(ctx context.Context, key types.NamespacedName) (*gatewayv1.ListenerSet, error) {
	s.presence.mu.RLock()
	defer s.presence.mu.RUnlock()
	if !s.there {
		return nil, nil
	}
	set := &gatewayv1.ListenerSet{}
	err := s.client.Get(ctx, key, set, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get ListenerSet %s: %w", key, err)
	}
	return set, nil
}

// listenerSetGateways are the Gateways that ListenerSets name.
func listenerSetGateways(sets []*gatewayv1.ListenerSet) []types.NamespacedName {
	keys := make([]types.NamespacedName, 0, len(sets))
	for _, set := range sets {
		if key := topology.ListenerSetParent(set); key.Name != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

func (o *operator) optionalListenerSets() *optionalKind {
	return &optionalKind{presence: o.sets.presence, crd: listenerSetCRD, index: addListenerSetIndexes, watch: o.watchListenerSets, ended: o.endListenerSets}
}

// endListenerSets has routes let go of ListenerSets that are gone with their CRD. Whether an event tells of each of those, or the watch ends
// before, is chance; and they may have gone while no operator ran.
func (o *operator) endListenerSets(ctx context.Context) error {
	o.sets.forgetAll()
	if err := o.addSetRoutes(); err != nil {
		return fmt.Errorf("add ListenerSet controller: %w", err)
	}
	keys, err := o.setsOfRoutes(ctx)
	for _, key := range keys {
		o.setPokes.poke(reconcile.Request{NamespacedName: key})
	}
	return err
}

// setsOfRoutes are the ListenerSets that routes name, or once named and still have our status for.
func (o *operator) setsOfRoutes(ctx context.Context) ([]types.NamespacedName, error) {
	routes, err := o.routes.list(ctx)
	if err != nil {
		return nil, err
	}
	var keys []types.NamespacedName
	for _, route := range routes {
		keys = append(keys, routeParents(route, gatewayv1.GatewayController(o.options.ControllerName), topology.ListenerSetKind)...)
	}
	return keys, nil
}

func (o *operator) watchListenerSets() error {
	if err := o.addSetRoutes(); err != nil {
		return fmt.Errorf("add ListenerSet controller: %w", err)
	}
	if err := o.watched(o.routeChanges, &gatewayv1.ListenerSet{}, o.changes.byListenerSet, specChanged); err != nil {
		return err
	}
	return o.watched(o.setRoutes, &gatewayv1.ListenerSet{}, itself, specChanged)
}

func itself(_ context.Context, object client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: client.ObjectKeyFromObject(object)}}
}

func addListenerSetIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	for field, keys := range map[string]func(*gatewayv1.ListenerSet) []string{
		listenerSetByGateway: func(s *gatewayv1.ListenerSet) []string {
			return keyStrings(listenerSetGateways([]*gatewayv1.ListenerSet{s}))
		},
		listenerSetBySecret:           func(s *gatewayv1.ListenerSet) []string { return keyStrings(listenerSetSecrets(s)) },
		listenerSetByForeignNamespace: func(s *gatewayv1.ListenerSet) []string { return otherNamespaces(s.Namespace, listenerSetSecrets(s)) },
	} {
		indexed := func(o client.Object) []string { return keys(o.(*gatewayv1.ListenerSet)) }
		if err := indexer.IndexField(ctx, &gatewayv1.ListenerSet{}, field, indexed); err != nil {
			return fmt.Errorf("index ListenerSets by %s: %w", field, err)
		}
	}
	return nil
}

// addSetRoutes adds the controller of what becomes of routes when their ListenerSets go. It begins with all that routes name:
// what went while no operator ran makes no event.
func (o *operator) addSetRoutes() error {
	if o.setRoutes != nil {
		return nil
	}
	name := gatewayv1.GatewayController(o.options.ControllerName)
	first := source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		keys, err := o.setsOfRoutes(ctx)
		for _, key := range keys {
			queue.Add(reconcile.Request{NamespacedName: key})
		}
		return err
	})
	added, err := ctrl.NewControllerManagedBy(o.mgr).
		Named("listenerset").
		WatchesRawSource(first).
		WatchesRawSource(o.setPokes.source()).
		WithOptions(atATime(1)).
		Build(&listenerSetReconciler{
			client: o.mgr.GetClient(), routes: o.routes, sets: o.sets, writer: o.writer, controllerName: name,
			left: map[types.NamespacedName]bool{},
		})
	o.setRoutes = added
	return err
}

// listenerSetReconciler removes our entries for a ListenerSet that is gone, or whose Gateway is not ours, from its routes. All else
// about a ListenerSet is its Gateway's reconcile's.
type listenerSetReconciler struct {
	client         client.Reader
	routes         *routes
	sets           *listenerSets
	writer         *status.Writer
	controllerName gatewayv1.GatewayController
	// left are those that were looked at once since they went.
	left map[types.NamespacedName]bool
}

// Reconcile looks at one ListenerSet, and never runs twice at once. One that went is looked at again after a pause: what its
// Gateway's reconcile wrote last may not have reached the cache yet.
func (r *listenerSetReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	ours, err := r.ours(ctx, request.NamespacedName)
	if err != nil || ours {
		delete(r.left, request.NamespacedName)
		return reconcile.Result{}, err
	}
	found, err := r.routes.list(ctx, client.MatchingFields{routeByListenerSet: request.String()})
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("routes of ListenerSet %s: %w", request.NamespacedName, err)
	}
	elsewhere := func(kind gatewayv1.Kind, parent types.NamespacedName) bool {
		return kind != topology.ListenerSetKind || parent != request.NamespacedName
	}
	err = r.writer.Routes(ctx, detachedUpdates(found, r.controllerName, elsewhere))
	if conflictsAlone(err) {
		return reconcile.Result{RequeueAfter: conflictPause}, nil
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	if r.left[request.NamespacedName] {
		delete(r.left, request.NamespacedName)
		return reconcile.Result{}, nil
	}
	r.left[request.NamespacedName] = true
	return reconcile.Result{RequeueAfter: settlePause}, nil
}

// ours reports whether the ListenerSet is there, and its Gateway, and no other controller's.
func (r *listenerSetReconciler) ours(ctx context.Context, key types.NamespacedName) (bool, error) {
	set, err := r.sets.get(ctx, key)
	if err != nil {
		return false, err
	}
	if set == nil {
		r.sets.forget(key)
		return false, nil
	}
	gateway := &gatewayv1.Gateway{}
	err = r.client.Get(ctx, topology.ListenerSetParent(set), gateway, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("get Gateway of ListenerSet %s: %w", key, err)
	}
	other, err := foreign(ctx, r.client, r.controllerName, gateway)
	return other == nil, err
}
