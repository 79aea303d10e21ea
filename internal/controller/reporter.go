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
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/status"
	"github.com/rauta-dev/rauta/internal/topology"
)

// patience is how long a status waits for replicas that are connected and have not acknowledged yet. They do so within
// milliseconds; writing before would be a write more for each change, and a Programmed that flaps.
const patience = 2 * time.Second

// reporter writes the statuses of a Gateway and of its routes.
type reporter struct {
	client client.Reader
	// live reads past the cache, which does not keep who wrote what.
	live           client.Reader
	kinds          *routes
	sets           *listenerSets
	policies       *policies
	push           pusher
	writer         *status.Writer
	controllerName gatewayv1.GatewayController
	now            func() time.Time

	mu sync.Mutex
	// waiting is since when the status of a Gateway has been waiting for acknowledgements.
	waiting map[types.NamespacedName]waiting
	// told are the Gateways that were reported on, with how often they have to be let go of until nothing is left.
	told map[types.NamespacedName]int
}

// waiting is since when nothing has come, and what had come then.
type waiting struct {
	since   time.Time
	reached uint64
}

// releases is how often a Gateway is let go of; see gatewayReconciler.release.
const releases = 2

// detach removes our entries for a Gateway that is gone, or not ours, and for its ListenerSets from their routes.
func (r *reporter) detach(ctx context.Context, gateway types.NamespacedName, sets []*gatewayv1.ListenerSet, routes []topology.RouteObject) error {
	r.mu.Lock()
	delete(r.waiting, gateway)
	r.mu.Unlock()
	elsewhere := func(kind gatewayv1.Kind, parent types.NamespacedName) bool {
		if kind == topology.ListenerSetKind {
			return !slices.ContainsFunc(sets, func(s *gatewayv1.ListenerSet) bool { return client.ObjectKeyFromObject(s) == parent })
		}
		return parent != gateway
	}
	return r.writer.Routes(ctx, detachedUpdates(routes, r.controllerName, elsewhere))
}

// leave notes that a Gateway was let go of, and reports whether it has to be once more.
func (r *reporter) leave(gateway types.NamespacedName) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.told[gateway] > 1 {
		r.told[gateway]--
		return true
	}
	delete(r.told, gateway)
	return false
}

// orphan tells the ListenerSets of a Gateway that is gone, or never was. Only of those that this operator, or one before it, has reported
// on, or on their Gateway, it knows that they are nobody else's.
func (r *reporter) orphan(ctx context.Context, gateway types.NamespacedName, sets []*gatewayv1.ListenerSet) error {
	var failures []error
	for _, set := range sets {
		ours := r.hasTold(gateway, set)
		if !ours {
			var err error
			if ours, err = r.toldBefore(ctx, set); err != nil {
				failures = append(failures, err)
			}
		}
		if !ours {
			continue
		}
		failures = append(failures, r.writer.ListenerSet(ctx, set, status.ListenerSetOrphaned(set, gateway, r.now())))
	}
	return errors.Join(failures...)
}

func (r *reporter) hasTold(gateway types.NamespacedName, set *gatewayv1.ListenerSet) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told[gateway] > 0 || r.sets.told(set)
}

// toldBefore reports whether a ListenerSet says that it is accepted, or programmed, in the words of an operator before this one. What says
// neither claims nothing that would have to be taken back, and costs no request.
func (r *reporter) toldBefore(ctx context.Context, set *gatewayv1.ListenerSet) (bool, error) {
	claims := apimeta.IsStatusConditionTrue(set.Status.Conditions, string(gatewayv1.ListenerSetConditionAccepted)) ||
		apimeta.IsStatusConditionTrue(set.Status.Conditions, string(gatewayv1.ListenerSetConditionProgrammed))
	if !claims {
		return false, nil
	}
	written := &metav1.PartialObjectMetadata{}
	written.SetGroupVersionKind(schema.GroupVersionKind{Group: gatewayv1.GroupName, Version: gatewayv1.GroupVersion.Version, Kind: string(topology.ListenerSetKind)})
	err := r.live.Get(ctx, client.ObjectKeyFromObject(set), written)
	if err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return written.UID == set.UID && status.AcceptedBy(written, r.controllerName), nil
}

// detachedUpdates leave to routes those of our entries whose parents are live.
func detachedUpdates(routes []topology.RouteObject, controllerName gatewayv1.GatewayController, live func(gatewayv1.Kind, types.NamespacedName) bool) []status.RouteUpdate {
	updates := make([]status.RouteUpdate, 0, len(routes))
	for _, route := range routes {
		updates = append(updates, status.RouteUpdate{
			Route: route, Status: status.RouteDetached(route, string(controllerName), live),
		})
	}
	return updates
}

// wait is how long the status may wait for acknowledgements that are under way; 0 when there are none, or when it has
// waited long enough for one to be a piece of news. Each acknowledgement begins the waiting anew; how
// often, delivered.within bounds.
func (r *reporter) wait(gateway types.NamespacedName, state push.State) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !underWay(state) {
		delete(r.waiting, gateway)
		return 0
	}
	since, waits := r.waiting[gateway]
	if reached := state.Reached(); !waits || since.reached != reached {
		since = waiting{since: r.now(), reached: reached}
		r.waiting[gateway] = since
	}
	return max(patience-r.now().Sub(since.since), 0)
}

// everywhere leaves the entries of all parents that a route names.
func everywhere(gatewayv1.Kind, types.NamespacedName) bool { return true }

// underWay reports whether a ready replica is about to acknowledge, or about to be connected for the first time.
func underWay(state push.State) bool {
	for _, replica := range state.Replicas {
		if !replica.Ready || state.UpToDate(replica) || replica.Problem != "" {
			continue
		}
		if replica.Connected || !replica.Settled {
			return true
		}
	}
	return false
}

// service is the proxy's Service, nil where there is none that is the Gateway's.
func (r *reporter) service(ctx context.Context, key types.NamespacedName, gateway *gatewayv1.Gateway) (*corev1.Service, error) {
	service := &corev1.Service{}
	err := r.client.Get(ctx, key, service, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get Service %s: %w", key, err)
	}
	if owner, ok := owningGateway(service); !ok || owner != client.ObjectKeyFromObject(gateway) {
		return nil, nil
	}
	return service, nil
}

// deliveryOf says in the words of status how far the wanted table has come.
func deliveryOf(state push.State) *status.Delivery {
	delivery := &status.Delivery{Generation: state.Generation, Refused: map[string]string{}}
	delivery.Ready, delivery.Serving = state.Ready()
	for _, refused := range state.ResourceErrors() {
		delivery.Refused[refused.Name] = refused.Message
	}
	for _, replica := range state.Replicas {
		if replica.Ready && !state.UpToDate(replica) && replica.Problem != "" {
			delivery.Trouble = fmt.Sprintf("replica %s: %s", replica.Address, replica.Problem)
			break
		}
	}
	return delivery
}
