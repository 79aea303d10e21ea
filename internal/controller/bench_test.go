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
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/status"
	"github.com/rauta-dev/rauta/internal/topology"
)

// acknowledged is a pusher whose one replica has acknowledged everything.
type acknowledged struct{ *push.Pusher }

// State is that of a replica which is up to date.
func (a acknowledged) State(key push.Key) push.State {
	state := a.Pusher.State(key)
	state.Replicas = []push.ReplicaState{{ID: "a", Ready: true, Connected: true, Settled: true, AckedGeneration: state.Generation, AckedHash: state.TableHash}}
	return state
}

// bench is an operator without an API server and without proxies: what is measured is its own part of the way from an event to
// what is pushed and written.
type bench struct {
	b         *testing.B
	objects   *memory
	gateway   types.NamespacedName
	changes   *changesReconciler
	endpoints *endpointsReconciler
	statuses  *statusReconciler
	routes    []*gatewayv1.HTTPRoute
	// now goes on by a second with each change, so that nothing is left for later.
	now time.Time
	// reference and own are how long the JSON of the events took to decode, and the operator for them.
	reference, own time.Duration
}

func newBench(b *testing.B, routes int) *bench {
	b.Helper()
	m := bareBench(b)
	m.fill(routes)
	m.decideAll()
	return m
}

// bareBench is an operator without objects.
func bareBench(b *testing.B) *bench {
	b.Helper()
	const name = gatewayv1.GatewayController(DefaultControllerName)
	objects := newMemory()
	if err := addIndexes(b.Context(), objects, name); err != nil {
		b.Fatal(err)
	}
	kinds, found, sets := newRoutes(objects), newPolicies(objects), newListenerSets(objects)
	l := &loader{client: objects, controllerName: name, secrets: &secrets{client: objects}, kinds: kinds, backendPolicies: found, sets: sets}
	pusher := push.New(push.Options{})
	b.Cleanup(pusher.Close)
	writer, err := status.NewWriter(objects.Status(), DefaultControllerName, prometheus.NewRegistry())
	if err != nil {
		b.Fatal(err)
	}
	m := &bench{b: b, objects: objects, gateway: types.NamespacedName{Namespace: "shop", Name: "web"}, now: time.Now()}
	now := func() time.Time { return m.now }
	pushed, kept := acknowledged{pusher}, newRecords()
	m.changes = &changesReconciler{
		affected: &affected{client: objects, controllerName: name, routes: kinds, policies: found, sets: sets, records: kept},
		loader:   l, handover: newHandover(l, pushed), push: pushed, records: kept, whole: &pokes{}, statuses: &pokes{}, now: now,
	}
	m.endpoints = &endpointsReconciler{client: objects, affected: m.changes.affected, handover: m.changes.handover}
	m.statuses = &statusReconciler{records: kept, reporter: &reporter{
		client: objects, kinds: kinds, sets: sets, policies: found, push: pushed, writer: writer, controllerName: name, now: now,
		waiting: map[client.ObjectKey]waiting{}, told: map[client.ObjectKey]int{},
	}}
	return m
}

func (m *bench) fill(routes int) {
	m.objects.put(gatewayClass(className, DefaultControllerName))
	m.objects.put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}})
	m.objects.put(httpGateway("shop", "web"))
	for i := range routes / 10 {
		service, slice := backendService("shop", fmt.Sprint("backend-", i))
		m.objects.put(service)
		m.objects.put(slice)
	}
	for i := range routes {
		route := routeTo("shop", fmt.Sprint("route-", i), "web", fmt.Sprint("backend-", i%(routes/10)))
		route.UID, route.Generation = types.UID(fmt.Sprint(i)), 1
		route.Spec.Hostnames = []gatewayv1.Hostname{gatewayv1.Hostname(fmt.Sprintf("host-%d.test", i%(routes/5)))}
		route.Spec.Rules[0].Matches = []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: new(gatewayv1.PathMatchPathPrefix), Value: new(fmt.Sprint("/route-", i))}}}
		m.objects.put(route)
		m.routes = append(m.routes, route)
	}
}

// decideAll is what the Gateway's own reconcile does, but for the proxy's objects.
func (m *bench) decideAll() {
	m.b.Helper()
	gateway, class := &gatewayv1.Gateway{}, &gatewayv1.GatewayClass{}
	if err := m.objects.Get(m.b.Context(), m.gateway, gateway); err != nil {
		m.b.Fatal(err)
	}
	if err := m.objects.Get(m.b.Context(), client.ObjectKey{Name: className}, class); err != nil {
		m.b.Fatal(err)
	}
	input, granting, err := m.changes.loader.input(m.b.Context(), class, gateway)
	if err != nil {
		m.b.Fatal(err)
	}
	decided := topology.Build(input)
	if err := m.changes.handover.table(m.b.Context(), decided, nil); err != nil {
		m.b.Fatal(err)
	}
	known := m.changes.records.of(m.gateway)
	known.settle(input, granting, decided, &made{})
	known.pushed(m.changes.push.State(push.Key(m.gateway)))
	known.current = true
	m.tell()
	if m.objects.written < len(m.routes) {
		m.b.Fatalf("%d statuses of %d routes were written", m.objects.written, len(m.routes))
	}
}

func (m *bench) tell() {
	m.b.Helper()
	if _, err := m.statuses.Reconcile(m.b.Context(), reconcile.Request{NamespacedName: m.gateway}); err != nil {
		m.b.Fatal(err)
	}
}

// changed is the next event of a route: its i-th change.
func (m *bench) changed(i int) *gatewayv1.HTTPRoute {
	m.b.Helper()
	current := &gatewayv1.HTTPRoute{}
	if err := m.objects.Get(m.b.Context(), client.ObjectKeyFromObject(m.routes[i%len(m.routes)]), current); err != nil {
		m.b.Fatal(err)
	}
	route := current.DeepCopy()
	route.Generation++
	route.Spec.Rules[0].Matches[0].Path.Value = new(fmt.Sprintf("/route-%d/%d", i%len(m.routes), route.Generation))
	return route
}

// take has an event decoded, which is the reference, and then looked at.
func (m *bench) take(event client.Object, look func()) {
	m.b.Helper()
	content, err := json.Marshal(event)
	if err != nil {
		m.b.Fatal(err)
	}
	into := event.DeepCopyObject()
	began := time.Now()
	if err := json.NewDecoder(bytes.NewReader(content)).Decode(into); err != nil {
		m.b.Fatal(err)
	}
	decoded := time.Now()
	look()
	m.reference += decoded.Sub(began)
	m.own += time.Since(decoded)
	m.now = m.now.Add(time.Second)
}

// report gives the operator's own time for a change, and how many times that of the event's decoding it is.
func (m *bench) report() {
	m.b.ReportMetric(float64(m.own.Nanoseconds())/float64(m.b.N), "own-ns/op")
	m.b.ReportMetric(float64(m.reference.Nanoseconds())/float64(m.b.N), "decode-ns/op")
	m.b.ReportMetric(m.own.Seconds()/m.reference.Seconds(), "times-decode")
}

// BenchmarkChange is one change among 5,000 routes and 500 Services.
func BenchmarkChange(b *testing.B) {
	b.Run("Route", func(b *testing.B) { benchmarkRoute(b, true, true) })
	b.Run("RoutePushOnly", func(b *testing.B) { benchmarkRoute(b, true, false) })
	b.Run("RouteStatusOnly", func(b *testing.B) { benchmarkRoute(b, false, true) })
	b.Run("Endpoints", func(b *testing.B) {
		m := newBench(b, 5000)
		for i := 0; b.Loop(); i++ {
			_, slice := backendService("shop", fmt.Sprint("backend-", i%500))
			slice.Endpoints[0].Addresses = []string{fmt.Sprintf("198.51.%d.%d", i/250%250, i%250)}
			m.take(slice, func() { m.endpointsChanged(slice) })
		}
		m.report()
	})
}

// benchmarkRoute measures what becomes of a changed route: from its event to its place in the table, from there to its written
// status, or both.
func benchmarkRoute(b *testing.B, pushes, tells bool) {
	m := newBench(b, 5000)
	written := m.objects.written
	for i := 0; b.Loop(); i++ {
		route := m.changed(i)
		switch {
		case pushes && tells:
			m.take(route, func() { m.routeChanged(route); m.tell() })
		case pushes:
			m.take(route, func() { m.routeChanged(route) })
			m.tell()
		default:
			m.routeChanged(route)
			m.take(route, m.tell)
		}
	}
	m.report()
	if now := m.objects.written - written; now < b.N {
		b.Errorf("%d statuses were written for %d changes", now, b.N)
	}
}

func (m *bench) routeChanged(route *gatewayv1.HTTPRoute) {
	m.objects.put(route)
	found := m.changes.byRoute(m.b.Context(), route)
	if len(found) != 1 {
		m.b.Fatalf("the change concerns %v", found)
	}
	m.carryOn(found)
}

func (m *bench) carryOn(found []reconcile.Request) {
	m.b.Helper()
	_, carried, err := m.changes.carryOn(m.b.Context(), found[0].NamespacedName)
	if err != nil || !carried {
		m.b.Fatalf("a change is not carried on: %v", err)
	}
}

func (m *bench) endpointsChanged(slice *discoveryv1.EndpointSlice) {
	m.objects.put(slice)
	before := m.changes.push.State(push.Key(m.gateway)).Generation
	for _, request := range servicesOfSlice(m.b.Context(), slice) {
		if _, err := m.endpoints.Reconcile(m.b.Context(), request); err != nil {
			m.b.Fatal(err)
		}
	}
	if m.changes.push.State(push.Key(m.gateway)).Generation == before {
		m.b.Fatal("the endpoints are those of before")
	}
}
