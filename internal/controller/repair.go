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
	"slices"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/status"
	"github.com/rauta-dev/rauta/internal/topology"
)

// repairPause is how long what another controller made of a route's status is left so. One that removes our entries each time that it
// sees them would else have both write as fast as the API server can.
const repairPause = 5 * time.Second

// repair has routes told again whose statuses others spoiled, or made room in.
func (o *operator) repair(kind client.Object) error {
	repairs := handler.Funcs{UpdateFunc: func(
		ctx context.Context, e event.UpdateEvent, queue workqueue.TypedRateLimitingInterface[reconcile.Request],
	) {
		before, after := e.ObjectOld.(topology.RouteObject), e.ObjectNew.(topology.RouteObject)
		if !spoiled(before, after, o.changes.affected.controllerName) {
			return
		}
		for _, request := range o.changes.byRoute(ctx, after) {
			queue.AddAfter(request, repairPause)
		}
	}}
	if err := o.routeChanges.Watch(source.Kind(o.mgr.GetCache(), kind, handler.EventHandler(repairs))); err != nil {
		return fmt.Errorf("watch the statuses of %T: %w", kind, err)
	}
	return nil
}

// spoiled reports whether a route has lost an entry of ours for a parent that it still names, or its status has room again.
func spoiled(before, after topology.RouteObject, controllerName gatewayv1.GatewayController) bool {
	had, has := topology.StatusOf(before).Parents, topology.StatusOf(after).Parents
	if len(had) >= status.MaxParents && len(has) < status.MaxParents {
		return true
	}
	for i := range had {
		if had[i].ControllerName != controllerName {
			continue
		}
		same := func(ref *gatewayv1.ParentReference) bool {
			return apiequality.Semantic.DeepEqual(*ref, had[i].ParentRef)
		}
		kept := slices.ContainsFunc(has, func(s gatewayv1.RouteParentStatus) bool {
			return s.ControllerName == controllerName && same(&s.ParentRef)
		})
		if !kept && slices.ContainsFunc(topology.ParentRefsOf(after), func(ref gatewayv1.ParentReference) bool { return same(&ref) }) {
			return true
		}
	}
	return false
}
