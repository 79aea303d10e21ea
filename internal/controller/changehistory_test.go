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
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/manifest"
	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/translate"
)

// fakeIndexes gives a fake client the indexes of the operator.
type fakeIndexes struct{ *fake.ClientBuilder }

func (f fakeIndexes) IndexField(_ context.Context, object client.Object, field string, keys client.IndexerFunc) error {
	f.WithIndex(object, field, keys)
	return nil
}

// handed is a pusher that keeps the hashes of one Gateway's table.
type handed struct{ table map[string]string }

func (h *handed) Set(_ push.Key, resources []*adminv1.Resource) {
	h.table = map[string]string{}
	h.put(resources)
}

func (h *handed) put(resources []*adminv1.Resource) {
	for _, resource := range resources {
		h.table[resource.GetName()] = resource.GetHash()
	}
}

func (h *handed) Change(_ push.Key, upserts []*adminv1.Resource, removals []string) {
	for _, name := range removals {
		delete(h.table, name)
	}
	h.put(upserts)
}

func (h *handed) SetEndpoints(push.Key, *adminv1.Resource) {}
func (h *handed) SetReplicas(push.Key, []push.Replica)     {}
func (h *handed) Forget(push.Key)                          {}
func (h *handed) State(push.Key) push.State                { return push.State{Generation: 1} }

// history is a Gateway whose objects change, and what the reconcilers make of that.
type history struct {
	*rand.Rand
	t       *testing.T
	objects client.Client
	changes *changesReconciler
	handed  *handed
	gateway types.NamespacedName
	// there are the objects that come and go.
	there map[string]client.Object
	made  int64
	// whole is set where an event asks for the Gateway's own reconcile.
	whole bool
	// carried and decided count what became of changes.
	carried, decided int
	// listeners has what listeners depend on change more often than all else.
	listeners bool
	// ports are those that the proxy's Service was given.
	ports []manifest.ListenerPort
	// now goes on while changes happen.
	now time.Time
	// pairs are certificates with their keys.
	pairs []*corev1.Secret
}

func newHistory(t *testing.T, random *rand.Rand) *history {
	t.Helper()
	const name = gatewayv1.GatewayController("rauta.dev/gateway-controller")
	builder := fake.NewClientBuilder().WithScheme(Scheme())
	if err := addIndexes(t.Context(), fakeIndexes{builder}, name); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []client.Object{&gatewayv1.GRPCRoute{}, &gatewayv1.TCPRoute{}} {
		if err := addRouteIndexes(t.Context(), fakeIndexes{builder}, kind, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := addListenerSetIndexes(t.Context(), fakeIndexes{builder}); err != nil {
		t.Fatal(err)
	}
	o := &operator{options: Options{ControllerName: string(name)}}
	if err := o.indexPolicies(t.Context(), fakeIndexes{builder}); err != nil {
		t.Fatal(err)
	}
	objects := builder.Build()
	kinds, found, sets := newRoutes(objects), newPolicies(objects), newListenerSets(objects)
	found.read(true)
	sets.read(true)
	for _, kind := range kinds.kinds {
		_, streams := kind.kind.(*gatewayv1.TCPRoute)
		_, calls := kind.kind.(*gatewayv1.GRPCRoute)
		kind.read(kind.crd == "" || streams || calls)
	}
	l := &loader{client: objects, controllerName: name, secrets: &secrets{client: objects}, kinds: kinds, backendPolicies: found, sets: sets}
	h := &history{
		Rand: random, t: t, objects: objects, handed: &handed{}, gateway: types.NamespacedName{Namespace: "shop", Name: "web"},
		there: map[string]client.Object{}, now: time.Now(),
	}
	kept := newRecords()
	h.changes = &changesReconciler{
		affected: &affected{client: objects, controllerName: name, routes: kinds, policies: found, sets: sets, records: kept},
		loader:   l, handover: newHandover(l, h.handed), push: h.handed, records: kept, now: func() time.Time { return h.now },
	}
	all := gatewayv1.NamespacesFromAll
	h.create(&gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "rauta"}, Spec: gatewayv1.GatewayClassSpec{ControllerName: name}})
	listener := func(name string, port int32, protocol gatewayv1.ProtocolType) gatewayv1.Listener {
		return gatewayv1.Listener{
			Name: gatewayv1.SectionName(name), Port: port, Protocol: protocol,
			AllowedRoutes: &gatewayv1.AllowedRoutes{Namespaces: &gatewayv1.RouteNamespaces{From: &all}},
		}
	}
	h.create(&gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web"}, Spec: gatewayv1.GatewaySpec{
		GatewayClassName: "rauta", Listeners: []gatewayv1.Listener{listener("http", 80, gatewayv1.HTTPProtocolType), listener("tcp", 81, gatewayv1.TCPProtocolType)},
		AllowedListeners: &gatewayv1.AllowedListeners{Namespaces: &gatewayv1.ListenerNamespaces{From: &all}},
	}})
	h.pairs = certificatePairs(t, h.now)
	for _, namespace := range []string{"shop", "vault"} {
		h.put(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
		for _, service := range []string{"a", "b"} {
			web, port := "web", int32(8080)
			h.create(&discoveryv1.EndpointSlice{
				ObjectMeta:  metav1.ObjectMeta{Namespace: namespace, Name: service, Labels: map[string]string{discoveryv1.LabelServiceName: service}},
				AddressType: discoveryv1.AddressTypeIPv4, Ports: []discoveryv1.EndpointPort{{Name: &web, Port: &port}},
				Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}},
			})
		}
	}
	return h
}

func (h *history) create(object client.Object) {
	h.t.Helper()
	h.made++
	object.SetUID(types.UID(fmt.Sprint("uid-", h.made)))
	object.SetGeneration(h.made)
	if err := h.objects.Create(h.t.Context(), object); err != nil {
		h.t.Fatal(err)
	}
}

// put has an object that may change and go later.
func (h *history) put(object client.Object) {
	h.t.Helper()
	h.create(object)
	h.there[keyOf(object)] = object
}

func keyOf(object client.Object) string {
	return fmt.Sprintf("%T %s/%s", object, object.GetNamespace(), object.GetName())
}

func (h *history) pick(of ...string) string { return of[h.IntN(len(of))] }

// happen has an object come, go or change, and gives what events would tell of it.
func (h *history) happen() []client.Object {
	object := h.object()
	key := keyOf(object)
	var told []client.Object
	if before := h.there[key]; before != nil {
		if err := h.objects.Delete(h.t.Context(), before.DeepCopyObject().(client.Object)); err != nil {
			h.t.Fatal(err)
		}
		delete(h.there, key)
		told = append(told, before)
		if h.IntN(3) == 0 {
			return told
		}
	}
	h.put(object)
	return append(told, object)
}

func (h *history) object() client.Object {
	at := metav1.ObjectMeta{Namespace: "shop", Name: h.pick("a", "b", "c", "d", "e", "f")}
	parents := gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{{Name: gatewayv1.ObjectName(h.pick("web", "web", "web", "other"))}}}
	if h.IntN(4) == 0 {
		parents.ParentRefs[0].Kind, parents.ParentRefs[0].Name = new(topology.ListenerSetKind), gatewayv1.ObjectName(h.pick("extra", "more", "third"))
		if h.IntN(3) == 0 {
			parents.ParentRefs[0].Namespace, parents.ParentRefs[0].Name = new(gatewayv1.Namespace("vault")), "far"
		}
	}
	if h.IntN(8) == 0 {
		parents.ParentRefs = append(parents.ParentRefs, gatewayv1.ParentReference{Kind: new(topology.ListenerSetKind), Name: "extra"})
	}
	port, path := gatewayv1.PortNumber(80+h.IntN(2)), h.pick("/a", "/b", "/c", "/d", "/e", "/f", "/g")
	backend := gatewayv1.BackendRef{BackendObjectReference: gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(h.pick("a", "b")), Port: &port}}
	if h.IntN(3) == 0 {
		backend.Namespace = new(gatewayv1.Namespace("vault"))
	}
	kind := h.IntN(10)
	if h.listeners && kind < 5 {
		kind = 6
	}
	switch kind {
	case 6:
		return h.ofListeners()
	case 0:
		return &gatewayv1.TCPRoute{ObjectMeta: at, Spec: gatewayv1.TCPRouteSpec{CommonRouteSpec: parents, Rules: []gatewayv1.TCPRouteRule{{BackendRefs: []gatewayv1.BackendRef{backend}}}}}
	case 1:
		return &gatewayv1.GRPCRoute{ObjectMeta: at, Spec: gatewayv1.GRPCRouteSpec{
			CommonRouteSpec: parents, Hostnames: []gatewayv1.Hostname{"calls.test"}, Rules: []gatewayv1.GRPCRouteRule{{BackendRefs: []gatewayv1.GRPCBackendRef{{BackendRef: backend}}}},
		}}
	case 2, 3, 4:
		at.Namespace, at.Name = h.pick("shop", "vault"), h.pick("a", "b")
		ports := []corev1.ServicePort{{Name: h.pick("web", "more"), Port: 80}, {Name: "other", Port: 81}}
		return &corev1.Service{ObjectMeta: at, Spec: corev1.ServiceSpec{Ports: ports[:1+h.IntN(2)]}}
	case 5:
		if h.IntN(3) == 0 {
			at.Name = h.pick("a", "b")
			return &gatewayv1.BackendTLSPolicy{ObjectMeta: at, Spec: gatewayv1.BackendTLSPolicySpec{
				TargetRefs: []gatewayv1.LocalPolicyTargetReferenceWithSectionName{{LocalPolicyTargetReference: gatewayv1.LocalPolicyTargetReference{Kind: "Service", Name: gatewayv1.ObjectName(at.Name)}}},
				Validation: gatewayv1.BackendTLSPolicyValidation{Hostname: "a.test", WellKnownCACertificates: new(gatewayv1.WellKnownCACertificatesSystem)},
			}}
		}
		return &gatewayv1.ReferenceGrant{ObjectMeta: metav1.ObjectMeta{Namespace: "vault", Name: "open"}, Spec: gatewayv1.ReferenceGrantSpec{
			From: []gatewayv1.ReferenceGrantFrom{{Group: gatewayv1.GroupName, Kind: gatewayv1.Kind(h.pick("HTTPRoute", "TCPRoute", "ListenerSet")), Namespace: "shop"}},
			To:   []gatewayv1.ReferenceGrantTo{{Kind: "Service"}, {Kind: "Secret"}},
		}}
	}
	return &gatewayv1.HTTPRoute{ObjectMeta: at, Spec: gatewayv1.HTTPRouteSpec{
		CommonRouteSpec: parents, Hostnames: []gatewayv1.Hostname{"a.test"}, Rules: []gatewayv1.HTTPRouteRule{{
			Matches:     []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Value: &path}}},
			BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: backend}},
		}},
	}}
}

// tell hands an event to those who watch.
func (h *history) tell(object client.Object) {
	var found []reconcile.Request
	switch object := object.(type) {
	case *corev1.Service:
		h.changes.byService(h.t.Context(), object)
	case *gatewayv1.BackendTLSPolicy:
		found = h.changes.affected.byPolicy(h.t.Context(), object)
	case *gatewayv1.ReferenceGrant:
		found = h.changes.affected.byGrant(h.t.Context(), object)
	case *gatewayv1.ListenerSet:
		h.changes.byListenerSet(h.t.Context(), object)
	case *corev1.Secret:
		found = h.changes.affected.bySecret(h.t.Context(), object)
		h.changes.bySecret(h.t.Context(), object)
	case *corev1.Namespace:
		found = h.changes.affected.byNamespace(h.t.Context(), object)
	default:
		h.changes.byRoute(h.t.Context(), object)
	}
	h.whole = h.whole || slices.Contains(found, reconcile.Request{NamespacedName: h.gateway})
}

// decide reads and decides everything.
func (h *history) decide() (topology.Input, map[string]bool, *topology.Topology) {
	h.t.Helper()
	gateway, class := &gatewayv1.Gateway{}, &gatewayv1.GatewayClass{}
	if err := h.objects.Get(h.t.Context(), h.gateway, gateway); err != nil {
		h.t.Fatal(err)
	}
	if err := h.objects.Get(h.t.Context(), client.ObjectKey{Name: "rauta"}, class); err != nil {
		h.t.Fatal(err)
	}
	input, granting, err := h.changes.loader.input(h.t.Context(), class, gateway)
	if err != nil {
		h.t.Fatal(err)
	}
	input.Now = h.now
	return input, granting, topology.Build(input)
}

// reconcile takes the short way, or the long one where it is asked for.
func (h *history) reconcile() {
	h.t.Helper()
	known := h.changes.records.of(h.gateway)
	if !h.whole {
		_, carried, err := h.changes.carryOn(h.t.Context(), h.gateway)
		if err != nil {
			h.t.Fatal(err)
		}
		if carried {
			h.carried++
			return
		}
	}
	h.whole = false
	h.decided++
	known.take()
	input, granting, decided := h.decide()
	if err := h.changes.handover.table(h.t.Context(), decided, nil); err != nil {
		h.t.Fatal(err)
	}
	known.settle(input, granting, decided, &made{})
	known.current, h.ports = true, listenerPorts(decided)
}

// TestCarryingOnGivesWhatDecidingAllGives has objects of all kinds that a Gateway depends on come, change and go, and what was decided
// carried on wherever the reconcilers do so. What is known and handed over then has to be what is decided from all that there is.
func TestCarryingOnGivesWhatDecidingAllGives(t *testing.T) {
	t.Run("Routes", func(t *testing.T) { carryHistoriesOn(t, false) })
	t.Run("Listeners", func(t *testing.T) { carryHistoriesOn(t, true) })
}

func carryHistoriesOn(t *testing.T, listeners bool) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	carried, decided := 0, 0
	for range 6 {
		h := newHistory(t, random)
		h.listeners = listeners
		h.reconcile()
		var log []string
		for range 150 {
			var events []client.Object
			for range 1 + h.IntN(3) {
				events = append(events, h.happen()...)
			}
			h.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
			for _, event := range events {
				log = append(log, fmt.Sprintf("%T %s", event, event.GetName()))
				h.tell(event)
			}
			h.now = h.now.Add(time.Second)
			h.reconcile()
			h.compare()
			if t.Failed() {
				t.Fatalf("after %s", strings.Join(log[max(0, len(log)-20):], ", "))
			}
		}
		carried, decided = carried+h.carried, decided+h.decided
	}
	if carried < decided {
		t.Errorf("%d changes were carried on and %d decided whole: this shows nothing", carried, decided)
	}
}

func (h *history) compare() {
	h.t.Helper()
	known := h.changes.records.known(h.gateway)
	_, _, fresh := h.decide()
	if !reflect.DeepEqual(fresh.Routes, known.decided.Routes) && len(fresh.Routes)+len(known.decided.Routes) > 0 {
		h.t.Errorf("routes (-decided +carried on):\n%s", cmp.Diff(decisions(fresh), decisions(known.decided)))
	}
	if !reflect.DeepEqual(fresh.Listeners, known.decided.Listeners) || !reflect.DeepEqual(fresh.ListenerSets, known.decided.ListenerSets) {
		h.t.Errorf("listeners (-decided +carried on):\n%s", cmp.Diff(listenerTexts(fresh), listenerTexts(known.decided)))
	}
	if !fresh.Changes.Equal(known.decided.Changes) {
		h.t.Errorf("something changes at %s, decided at once it is %s", known.decided.Changes, fresh.Changes)
	}
	if diff := cmp.Diff(listenerPorts(fresh), h.ports); diff != "" {
		h.t.Errorf("ports of the Service (-decided +carried on):\n%s", diff)
	}
	if diff := cmp.Diff(fresh.BackendTLSPolicies, known.decided.BackendTLSPolicies); diff != "" {
		h.t.Errorf("policies (-decided +carried on):\n%s", diff)
	}
	source, err := h.changes.loader.slices(h.t.Context(), fresh.Backends())
	if err != nil {
		h.t.Fatal(err)
	}
	resources, err := translate.Resources(fresh, source)
	if err != nil {
		h.t.Fatal(err)
	}
	want := &handed{}
	want.Set(push.Key{}, resources)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want.table)), slices.Sorted(maps.Keys(h.handed.table))); diff != "" {
		h.t.Errorf("names in the table (-decided +carried on):\n%s", diff)
	}
	if diff := cmp.Diff(want.table, h.handed.table); diff != "" {
		h.t.Errorf("table (-decided +carried on):\n%s", diff)
	}
}

// decisions are what is said about each route.
func decisions(t *topology.Topology) map[topology.RouteID]string {
	said := map[topology.RouteID]string{}
	for i := range t.Routes {
		said[topology.IDOf(t.Routes[i].Object)] = fmt.Sprintf("%+v %s %+v", t.Routes[i].Object, t.Routes[i].Object.GetResourceVersion(), t.Routes[i].Parents)
	}
	return said
}
