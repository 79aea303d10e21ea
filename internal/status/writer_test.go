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
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// stored is a client with the objects, whose updates of status pass through before (nil lets them through).
func stored(t *testing.T, before func(client.Object) error, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := gatewayv1.Install(scheme); err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).
		WithStatusSubresource(&gatewayv1.Gateway{}, &gatewayv1.GatewayClass{}, &gatewayv1.HTTPRoute{}).
		WithInterceptorFuncs(interceptor.Funcs{
			SubResourceUpdate: func(ctx context.Context, c client.Client, subresource string, object client.Object, opts ...client.SubResourceUpdateOption) error {
				if before != nil {
					if err := before(object); err != nil {
						return err
					}
				}
				return c.SubResource(subresource).Update(ctx, object, opts...)
			},
		}).Build()
}

func writer(t *testing.T, sender Sender) *Writer {
	t.Helper()
	w, err := NewWriter(sender, "example.com/controller", prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func writes(t *testing.T, w *Writer, kind string) float64 {
	t.Helper()
	return testutil.ToFloat64(w.writes.WithLabelValues(kind))
}

func TestWriterWritesWhatDiffers(t *testing.T) {
	class := &gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "rauta", Generation: 1}}
	gateway := &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Generation: 1}}
	route := &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart", Generation: 1}}
	c := stored(t, nil, class, gateway, route)
	w := writer(t, c.Status())
	read := func(object client.Object) {
		t.Helper()
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			t.Fatal(err)
		}
	}
	built := topology.Build(topology.Input{ControllerName: ours, Gateway: gateway})
	for round := range 3 {
		read(class)
		read(gateway)
		read(route)
		routeStatus := gatewayv1.RouteStatus{Parents: []gatewayv1.RouteParentStatus{{
			ControllerName: ours, ParentRef: gatewayv1.ParentReference{Name: "web"},
			Conditions: merged(nil, []topology.Decision{{Type: "Accepted", Status: "True", Reason: "Accepted"}}, nil, 1, then),
		}}}
		err := errors.Join(
			w.GatewayClass(t.Context(), class, GatewayClass(class, &ClassFacts{}, then)),
			w.Gateway(t.Context(), gateway, Gateway(gateway, built, &GatewayFacts{}, then)),
			w.Route(t.Context(), route, routeStatus),
			w.Routes(t.Context(), []RouteUpdate{{Route: route, Status: route.Status.RouteStatus}}),
		)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		for _, kind := range []string{"GatewayClass", "Gateway", "HTTPRoute"} {
			if got := writes(t, w, kind); got != 1 {
				t.Errorf("after round %d %v statuses of %s were written: only the first round has something to say", round, got, kind)
			}
		}
	}
	read(gateway)
	if len(gateway.Status.Conditions) == 0 {
		t.Error("the status arrived")
	}
}

func TestWriterLeavesTheObjectAlone(t *testing.T) {
	route := &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart", Generation: 1}}
	c := stored(t, nil, route)
	w := writer(t, c.Status())
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(route), route); err != nil {
		t.Fatal(err)
	}
	before := route.DeepCopy()
	if err := w.Route(t.Context(), route, someRouteStatus("web")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, route); diff != "" {
		t.Errorf("the object is that of a shared cache, and an update fills in what it sends (-before +after):\n%s", diff)
	}
}

func TestWriterErrors(t *testing.T) {
	resource := schema.GroupResource{Group: gatewayv1.GroupName, Resource: "httproutes"}
	cases := map[string]struct {
		reason string
		err    error
		want   func(error) bool
	}{
		"gone":     {reason: "an object that was deleted meanwhile needs no status", err: apierrors.NewNotFound(resource, "cart"), want: func(err error) bool { return err == nil }},
		"conflict": {reason: "somebody else wrote: the caller begins again from the newer object", err: apierrors.NewConflict(resource, "cart", errors.New("changed")), want: apierrors.IsConflict},
		"other":    {reason: "other errors name the object", err: errors.New("boom"), want: func(err error) bool { return err != nil && err.Error() == "write status of HTTPRoute shop/cart: boom" }},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			route := &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart"}}
			w := writer(t, stored(t, func(client.Object) error { return c.err }, route).Status())
			if err := w.Route(t.Context(), route, someRouteStatus("web")); !c.want(err) {
				t.Errorf("%s; got %v", c.reason, err)
			}
			if got := writes(t, w, "HTTPRoute"); got != 0 {
				t.Errorf("a write that failed counts as none; got %v", got)
			}
		})
	}
}

func TestWriterConflictsOnAStaleObject(t *testing.T) {
	route := &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart"}}
	c := stored(t, nil, route)
	w := writer(t, c.Status())
	stale := &gatewayv1.HTTPRoute{}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(route), stale); err != nil {
		t.Fatal(err)
	}
	if err := w.Route(t.Context(), stale, someRouteStatus("web")); err != nil {
		t.Fatal(err)
	}
	if err := w.Route(t.Context(), stale, someRouteStatus("other")); !apierrors.IsConflict(err) {
		t.Errorf("parents are one list: writing it from a stale object would lose somebody's entries; got %v", err)
	}
}

func TestWriterTriesAllRoutes(t *testing.T) {
	var objects []client.Object
	var updates []RouteUpdate
	for i := range 100 {
		objects = append(objects, &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: fmt.Sprintf("r%02d", i)}})
	}
	boom := errors.New("boom")
	c := stored(t, func(object client.Object) error {
		if object.GetName() == "r50" {
			return boom
		}
		return nil
	}, objects...)
	w := writer(t, c.Status())
	for _, object := range objects {
		route := &gatewayv1.HTTPRoute{}
		if err := c.Get(t.Context(), client.ObjectKeyFromObject(object), route); err != nil {
			t.Fatal(err)
		}
		updates = append(updates, RouteUpdate{Route: route, Status: someRouteStatus("web")})
	}
	if err := w.Routes(t.Context(), updates); !errors.Is(err, boom) {
		t.Errorf("an error is reported; got %v", err)
	}
	if got := writes(t, w, "HTTPRoute"); got != 99 {
		t.Errorf("one route that fails keeps no other from being written; %v of 99 were", got)
	}
}

func someRouteStatus(gateway gatewayv1.ObjectName) gatewayv1.RouteStatus {
	return gatewayv1.RouteStatus{Parents: []gatewayv1.RouteParentStatus{{
		ControllerName: ours, ParentRef: gatewayv1.ParentReference{Name: gateway},
		Conditions: []metav1.Condition{{Type: "Accepted", Status: "True", Reason: "Accepted", LastTransitionTime: at(then)}},
	}}}
}
