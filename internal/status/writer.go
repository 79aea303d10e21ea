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

package status

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// concurrentWrites bounds how many route statuses are written at a time. The API server answers a write in
// milliseconds, most of them waiting, so that a Gateway with thousands of new routes need not write them one by one.
const concurrentWrites = 16

// Writer writes statuses, and only those that changed. It updates with the resourceVersion of the object at hand: when
// somebody else wrote in between, the write fails with a conflict (apierrors.IsConflict) and is for the caller to repeat
// from the newer object. An object that is gone is not an error.
type Writer struct {
	sender Sender
	owner  client.FieldOwner
	writes *prometheus.CounterVec
}

// RouteUpdate is a route with the status that it is to have.
type RouteUpdate struct {
	Route  topology.RouteObject
	Status gatewayv1.RouteStatus
}

// ListenerSetUpdate is a ListenerSet with the status that it is to have.
type ListenerSetUpdate struct {
	ListenerSet *gatewayv1.ListenerSet
	Status      gatewayv1.ListenerSetStatus
}

// NewWriter gives a Writer for a controller, by whose name it is known as the manager of what it writes. It counts its writes in
// rauta_status_writes_total{kind} of the registerer.
func NewWriter(sender Sender, controllerName gatewayv1.GatewayController, registerer prometheus.Registerer) (*Writer, error) {
	writes := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rauta_status_writes_total",
		Help: "Status subresources written, by kind of object.",
	}, []string{"kind"})
	if err := registerer.Register(writes); err != nil {
		return nil, fmt.Errorf("register rauta_status_writes_total: %w", err)
	}
	return &Writer{sender: sender, owner: fieldOwner(controllerName), writes: writes}, nil
}

// GatewayClass writes the GatewayClass's status if it differs.
func (w *Writer) GatewayClass(ctx context.Context, class *gatewayv1.GatewayClass, next gatewayv1.GatewayClassStatus) error {
	if apiequality.Semantic.DeepEqual(class.Status, next) {
		return nil
	}
	return w.update(ctx, "GatewayClass", &gatewayv1.GatewayClass{ObjectMeta: identityOf(class), Status: next})
}

// Gateway writes the Gateway's status if it differs.
func (w *Writer) Gateway(ctx context.Context, gateway *gatewayv1.Gateway, next gatewayv1.GatewayStatus) error {
	if apiequality.Semantic.DeepEqual(gateway.Status, next) {
		return nil
	}
	return w.update(ctx, "Gateway", &gatewayv1.Gateway{ObjectMeta: identityOf(gateway), Status: next})
}

// ListenerSet writes the ListenerSet's status if it differs.
func (w *Writer) ListenerSet(ctx context.Context, set *gatewayv1.ListenerSet, next gatewayv1.ListenerSetStatus) error {
	if apiequality.Semantic.DeepEqual(set.Status, next) {
		return nil
	}
	return w.update(ctx, "ListenerSet", &gatewayv1.ListenerSet{ObjectMeta: identityOf(set), Status: next})
}

// Route writes the route's status if it differs.
func (w *Writer) Route(ctx context.Context, route topology.RouteObject, next gatewayv1.RouteStatus) error {
	if update := (RouteUpdate{Route: route, Status: next}); !update.Differs() {
		return nil
	}
	kind := topology.KindOf(route)
	bare := topology.NewRoute(kind, identityOf(route))
	*topology.StatusOf(bare) = next
	return w.update(ctx, string(kind), bare)
}

// Differs reports whether there is anything to write.
func (u *RouteUpdate) Differs() bool {
	parents := topology.StatusOf(u.Route).Parents
	return !sameSlice(parents, u.Status.Parents) && !apiequality.Semantic.DeepEqual(parents, u.Status.Parents)
}

// Difference says how the status differs from the one that is there.
func (u *ListenerSetUpdate) Difference() Difference {
	return CompareListenerSets(&u.ListenerSet.Status, &u.Status)
}

// ListenerSets writes the statuses that differ, several at a time. All are tried; the errors are in the order of the updates.
func (w *Writer) ListenerSets(ctx context.Context, updates []ListenerSetUpdate) []error {
	return atATime(len(updates), func(i int) error { return w.ListenerSet(ctx, updates[i].ListenerSet, updates[i].Status) })
}

// EachRoute is Routes with the errors in the order of the updates.
func (w *Writer) EachRoute(ctx context.Context, updates []RouteUpdate) []error {
	return atATime(len(updates), func(i int) error { return w.Route(ctx, updates[i].Route, updates[i].Status) })
}

// atATime does n things, several at a time, and gives what became of each.
func atATime(n int, do func(i int) error) []error {
	failures := make([]error, n)
	if n == 1 {
		failures[0] = do(0)
		return failures
	}
	var group errgroup.Group
	group.SetLimit(concurrentWrites)
	for i := range n {
		group.Go(func() error {
			failures[i] = do(i)
			return nil
		})
	}
	_ = group.Wait() // its functions report through failures
	return failures
}

// Routes writes the statuses that differ, several at a time. All are tried; the errors are joined.
func (w *Writer) Routes(ctx context.Context, updates []RouteUpdate) error {
	failures := make([]error, len(updates))
	var group errgroup.Group
	group.SetLimit(concurrentWrites)
	for i := range updates {
		if sameSlice(topology.StatusOf(updates[i].Route).Parents, updates[i].Status.Parents) {
			continue
		}
		group.Go(func() error {
			failures[i] = w.Route(ctx, updates[i].Route, updates[i].Status)
			return nil
		})
	}
	_ = group.Wait() // its functions report through failures
	return errors.Join(failures...)
}

// identityOf is what a status is written with: which object it is of, and which version of it. Of all else the API server takes nothing
// from what is written as a status, so that it is neither copied nor sent.
func identityOf(object metav1.Object) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: object.GetNamespace(), Name: object.GetName(), UID: object.GetUID(), ResourceVersion: object.GetResourceVersion(),
	}
}

func (w *Writer) update(ctx context.Context, kind string, object client.Object) error {
	err := w.sender.Update(ctx, object, w.owner)
	switch {
	case err == nil:
		w.writes.WithLabelValues(kind).Inc()
		return nil
	case apierrors.IsNotFound(err):
		return nil
	default:
		return fmt.Errorf("write status of %s %s: %w", kind, client.ObjectKeyFromObject(object), err)
	}
}
