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
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// syncPatience is how long the first list of a kind may take whose CRD has just appeared.
const syncPatience = 10 * time.Second

// routes reads the routes of all kinds from the cache: HTTPRoutes always, GRPCRoutes while their CRD is there. To ask for
// a kind without a CRD would wait for ever. What it returns must not be changed.
type routes struct {
	client client.Reader

	mu   sync.RWMutex
	grpc bool
}

func (r *routes) list(ctx context.Context, options ...client.ListOption) ([]topology.RouteObject, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	options = append(options, client.UnsafeDisableDeepCopy)
	http := &gatewayv1.HTTPRouteList{}
	if err := r.client.List(ctx, http, options...); err != nil {
		return nil, fmt.Errorf("list HTTPRoutes: %w", err)
	}
	grpc := &gatewayv1.GRPCRouteList{}
	if r.grpc {
		if err := r.client.List(ctx, grpc, options...); err != nil {
			return nil, fmt.Errorf("list GRPCRoutes: %w", err)
		}
	}
	found := make([]topology.RouteObject, 0, len(http.Items)+len(grpc.Items))
	for i := range http.Items {
		found = append(found, &http.Items[i])
	}
	for i := range grpc.Items {
		found = append(found, &grpc.Items[i])
	}
	return found, nil
}

func (r *routes) readsGRPC() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.grpc
}

func (r *routes) readGRPC(there bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.grpc = there
}

// followGRPCRoutes begins to watch GRPCRoutes when their CRD has appeared, and ends it when it is gone. The gate calls it,
// never twice at once.
func (o *operator) followGRPCRoutes(ctx context.Context, there bool) error {
	if there == o.routes.readsGRPC() {
		return nil
	}
	if !there {
		o.routes.readGRPC(false)
		if err := o.mgr.GetCache().RemoveInformer(ctx, &gatewayv1.GRPCRoute{}); err != nil {
			return fmt.Errorf("end watching GRPCRoutes: %w", err)
		}
		o.pokeAll()
		return nil
	}
	if err := o.watchGRPCRoutes(ctx); err != nil {
		// The next try begins from nothing: an index that is there cannot be added again.
		return errors.Join(err, o.mgr.GetCache().RemoveInformer(ctx, &gatewayv1.GRPCRoute{}))
	}
	o.routes.readGRPC(true)
	o.pokeAll()
	return nil
}

func (o *operator) watchGRPCRoutes(ctx context.Context) error {
	name := gatewayv1.GatewayController(o.options.ControllerName)
	if err := addRouteIndexes(ctx, o.mgr.GetFieldIndexer(), &gatewayv1.GRPCRoute{}, name); err != nil {
		return err
	}
	if err := synced(ctx, o.mgr.GetCache(), &gatewayv1.GRPCRoute{}); err != nil {
		return err
	}
	var changed predicate.TypedPredicate[client.Object] = predicate.GenerationChangedPredicate{}
	watch := source.Kind[client.Object](o.mgr.GetCache(), &gatewayv1.GRPCRoute{},
		handler.EnqueueRequestsFromMapFunc(o.affected.byRoute), changed)
	if err := o.gateways.Watch(watch); err != nil {
		return fmt.Errorf("watch GRPCRoutes: %w", err)
	}
	return nil
}

// synced waits until the cache holds all objects of a kind.
func synced(ctx context.Context, objects cache.Cache, kind client.Object) error {
	ctx, cancel := context.WithTimeout(ctx, syncPatience)
	defer cancel()
	informer, err := objects.GetInformer(ctx, kind)
	if err != nil {
		return fmt.Errorf("read %T: %w", kind, err)
	}
	if !informer.HasSynced() {
		return fmt.Errorf("read %T: the first list has not come within %s", kind, syncPatience)
	}
	return nil
}
