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
	"math/rand/v2"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/push"
)

// counted is a pusher that counts the endpoints that it is given.
type counted struct {
	*handed
	endpoints int
}

func (c *counted) SetEndpoints(push.Key, *adminv1.Resource) { c.endpoints++ }

// TestEventsOfOtherControllersConcernNobody has things change in a cluster where another controller has most of the Gateways. To look at one
// of those costs as much as it has routes.
func TestEventsOfOtherControllersConcernNobody(t *testing.T) {
	h := newHistory(t, rand.New(rand.NewPCG(1, 0)))
	h.reconcile()
	h.create(gatewayClass("other", "example.com/other"))
	all := gatewayv1.NamespacesFromSelector
	theirs := httpGateway("shop", "theirs")
	theirs.Spec.GatewayClassName = "other"
	theirs.Spec.Listeners[0].AllowedRoutes = &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: &all, Selector: &metav1.LabelSelector{}}}
	theirs.Spec.Listeners[0].TLS = &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{
		{Name: "certificate"}, {Name: "certificate", Namespace: new(gatewayv1.Namespace("vault"))},
	}}
	h.create(theirs)
	route := routeTo("shop", "theirs", "theirs", "theirs")
	route.Spec.Rules[0].BackendRefs[0].Namespace = new(gatewayv1.Namespace("vault"))
	h.create(route)
	service, slice := backendService("vault", "theirs")
	h.create(service)
	h.create(slice)
	owner := []metav1.OwnerReference{{APIVersion: gatewayv1.GroupVersion.String(), Kind: "Gateway", Name: "theirs", UID: theirs.UID, Controller: new(true)}}
	entry := func(controller, gateway string) gatewayv1.RouteParentStatus {
		return gatewayv1.RouteParentStatus{
			ControllerName: gatewayv1.GatewayController(controller), ParentRef: gatewayv1.ParentReference{Name: gatewayv1.ObjectName(gateway)},
		}
	}
	with := func(entries ...gatewayv1.RouteParentStatus) *gatewayv1.HTTPRoute {
		carrying := route.DeepCopy()
		carrying.Status.Parents = entries
		return carrying
	}
	moved := routeTo("shop", "moved", "theirs", "theirs")
	moved.Status.Parents = []gatewayv1.RouteParentStatus{entry(DefaultControllerName, "web")}
	at := metav1.ObjectMeta{Namespace: "shop", Name: "certificate"}
	a := h.changes.affected
	cases := map[string]struct {
		reason string
		event  client.Object
		by     func(client.Object) []reconcile.Request
		want   []string
	}{
		"Route": {
			reason: "their routes change as often as ours", event: route, by: h.byRoute,
		},
		"RouteOfBoth": {
			reason: "it is ours as well, and of theirs there is nothing to say", event: with(entry("example.com/other", "theirs"), entry(DefaultControllerName, "web")),
			by: h.byRoute, want: []string{"web"},
		},
		"RouteThatWasOurs": {
			reason: "whoever took the Gateway over leaves our entry to us", event: with(entry(DefaultControllerName, "theirs")), by: h.byRoute, want: []string{"theirs"},
		},
		"RouteThatWent": {
			reason: "it still carries what is said of our Gateway", event: moved, by: h.byRoute, want: []string{"web"},
		},
		"Service": {reason: "Services are written all the time", event: service, by: h.byService},
		"Secret":  {reason: "certificates are renewed", event: &corev1.Secret{ObjectMeta: at}, by: h.by(a.bySecret)},
		"ConfigMap": {
			reason: "it was made for their Gateway", event: &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "made", OwnerReferences: owner}},
			by: h.by(a.byConfigMap),
		},
		"Owned": {
			reason: "it was made for their Gateway, by them",
			event:  &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "made", OwnerReferences: owner}}, by: h.by(a.byOwner),
		},
		"OwnedAndOurs": {
			reason: "an operator that was overtaken may have made it late: it has to go",
			event: &corev1.Service{ObjectMeta: metav1.ObjectMeta{
				Namespace: "shop", Name: "made", OwnerReferences: owner, Labels: map[string]string{"app.kubernetes.io/managed-by": "rauta"},
			}}, by: h.by(a.byOwner), want: []string{"theirs"},
		},
		"Grant": {
			reason: "their routes refer to its namespace", event: &gatewayv1.ReferenceGrant{ObjectMeta: metav1.ObjectMeta{Namespace: "vault", Name: "open"}}, by: h.by(a.byGrant),
		},
		"Namespace": {
			reason: "they select namespaces by labels", event: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}, by: h.by(a.byNamespace),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, request := range tc.by(tc.event) {
				got = append(got, request.Name)
			}
			if slices.Sort(got); !slices.Equal(got, tc.want) {
				t.Errorf("%s: it concerns %v, want %v", tc.reason, got, tc.want)
			}
		})
	}
	h.endpointsConcernNobody(slice)
}

func (h *history) by(by func(ctx context.Context, object client.Object) []reconcile.Request) func(client.Object) []reconcile.Request {
	return func(object client.Object) []reconcile.Request { return by(h.t.Context(), object) }
}

func (h *history) byRoute(object client.Object) []reconcile.Request {
	return h.changes.byRoute(h.t.Context(), object)
}

func (h *history) byService(object client.Object) []reconcile.Request {
	return h.changes.byService(h.t.Context(), object)
}

// endpointsConcernNobody holds that nothing is made of endpoints that only another controller's routes send to.
func (h *history) endpointsConcernNobody(slice *discoveryv1.EndpointSlice) {
	h.t.Helper()
	pusher := &counted{handed: h.handed}
	r := &endpointsReconciler{client: h.objects, affected: h.changes.affected, handover: newHandover(h.changes.loader, pusher)}
	for _, request := range servicesOfSlice(h.t.Context(), slice) {
		if _, err := r.Reconcile(h.t.Context(), request); err != nil {
			h.t.Fatal(err)
		}
	}
	if pusher.endpoints > 0 {
		h.t.Errorf("endpoints of another controller's backends were handed over %d times", pusher.endpoints)
	}
}
