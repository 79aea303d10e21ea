//go:build linux

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
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

const (
	floorRounds = 150
	// floorName names a route, and the Gateway that it is on, which there is not.
	floorName = "floor"
)

// floor measures what an operator would take that has nothing to decide and no proxy to wait for: as soon as it is told of a changed route,
// it writes the status. What a changed route of ours takes longer is the operator's and the proxy's part.
func (w *world) floor(ctx context.Context, seen *observer) (*lags, error) {
	created := httpRoute(w.options.sizes.churnRoutes, gatewayv1.ParentReference{Name: floorName}, serviceName(0))
	created.Name = floorName
	if err := w.Create(ctx, created); err != nil {
		return nil, fmt.Errorf("create route %s: %w", floorName, err)
	}
	route := namedRoute(floorName)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	changed, err := w.Watch(ctx, &gatewayv1.HTTPRouteList{}, client.InNamespace(namespace),
		client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", floorName)})
	if err != nil {
		return nil, fmt.Errorf("watch route %s: %w", floorName, err)
	}
	defer changed.Stop()
	go func() { cancel(w.acceptEach(ctx, changed)) }()
	measured := &lags{}
	for round := range floorRounds {
		patch := fmt.Sprintf(`{"spec":{"hostnames":["floor-%d.example.com"]}}`, round)
		began := time.Now()
		if err := w.Patch(ctx, route, client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
			return nil, fmt.Errorf("change route %s: %w", floorName, err)
		}
		answered := time.Now()
		accepted := time.Time{}
		err := seen.await(ctx, w, "the floor's route to be accepted", func(o *observer) bool {
			accepted = o.accepted[floorName].at
			return o.accepted[floorName].generation >= route.Generation
		})
		if err != nil {
			return nil, err
		}
		measured.add(began, answered, accepted)
		// As seldom as a route changes in the churn: a machine that has nothing to do takes longer to begin.
		if err := pause(ctx, 2*w.options.sizes.interval); err != nil {
			return nil, err
		}
	}
	return measured, nil
}

// acceptEach writes for each generation of a watched route that it is accepted, until ctx ends.
func (w *world) acceptEach(ctx context.Context, changed watch.Interface) error {
	for event := range changed.ResultChan() {
		route, ok := event.Object.(*gatewayv1.HTTPRoute)
		if !ok || acceptedGeneration(&route.Status.RouteStatus) >= route.Generation {
			continue
		}
		conditions := make([]metav1.Condition, 0, 2)
		for _, kind := range []string{string(gatewayv1.RouteConditionAccepted), "rauta.dev/Programmed"} {
			conditions = append(conditions, metav1.Condition{
				Type: kind, Status: metav1.ConditionTrue, Reason: "Floor", ObservedGeneration: route.Generation, LastTransitionTime: metav1.Now(),
			})
		}
		route.Status.Parents = []gatewayv1.RouteParentStatus{{
			ParentRef: gatewayv1.ParentReference{Name: floorName}, ControllerName: "rauta.dev/floor", Conditions: conditions,
		}}
		err := w.Status().Update(ctx, route)
		// Where the route has changed in between, a later event tells of that.
		if err != nil && !apierrors.IsConflict(err) && ctx.Err() == nil {
			return fmt.Errorf("write the status of route %s: %w", floorName, err)
		}
	}
	return nil
}
