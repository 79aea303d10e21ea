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

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/rauta-dev/rauta/internal/manifest"
)

// endpointsReconciler takes the short way: a request is a Service whose EndpointSlices changed. Where routes send to
// the Service, its endpoints are replaced in the tables of their Gateways and nothing else is looked at; where the
// Service is a proxy's own, the sessions follow its pods.
type endpointsReconciler struct {
	client   client.Reader
	affected *affected
	handover *handover
}

// Reconcile hands over the endpoints of one Service. A Service that is gone concerns the Gateways' own reconciles.
func (r *endpointsReconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	service := &corev1.Service{}
	err := r.client.Get(ctx, request.NamespacedName, service, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return reconcile.Result{}, nil
	}
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("get Service %s: %w", request.NamespacedName, err)
	}
	var failures []error
	if owner, ok := proxyOf(service); ok {
		failures = append(failures, r.handover.replicas(ctx, owner, request.NamespacedName))
	}
	gateways, err := r.affected.gatewaysOfRoutes(ctx, routeByService, request.String())
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("routes to Service %s: %w", request.NamespacedName, err)
	}
	for _, gateway := range requests(r.affected.decided(gateways)) {
		failures = append(failures, r.handover.endpoints(ctx, gateway.NamespacedName, service))
	}
	return reconcile.Result{}, errors.Join(failures...)
}

// servicesOfSlice maps an EndpointSlice to the Service that it belongs to.
func servicesOfSlice(_ context.Context, slice client.Object) []reconcile.Request {
	service, ok := serviceOf(slice)
	if !ok {
		return nil
	}
	return []reconcile.Request{{NamespacedName: service}}
}

// proxyOf is the Gateway whose proxy a Service leads to. The one by which the replicas find each other lists the same pods,
// and each of them as ready; it says nothing that the operator may believe.
func proxyOf(service *corev1.Service) (types.NamespacedName, bool) {
	if manifest.IsForPeers(service) {
		return types.NamespacedName{}, false
	}
	return owningGateway(service)
}
