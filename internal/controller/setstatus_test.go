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
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/status"
	"github.com/rauta-dev/rauta/internal/topology"
)

func TestCountsOfListenerSetsDue(t *testing.T) {
	now := time.Unix(1_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	// some have been untold since as many milliseconds as they are numbered by.
	some := func(n int) map[types.NamespacedName]untoldSet {
		sets := map[types.NamespacedName]untoldSet{}
		for i := 1; i <= n; i++ {
			sets[types.NamespacedName{Name: fmt.Sprintf("%04d", i)}] = untoldSet{since: ago(time.Duration(i) * time.Millisecond)}
		}
		return sets
	}
	for name, c := range map[string]struct {
		reason string
		record *record
		due    int
		first  string
		pause  time.Duration
	}{
		"None":        {"there is nothing to look at again for", &record{untold: untold{counted: now}}, 0, "", 0},
		"First":       {"others may follow at once", &record{untold: untold{counted: now, sets: some(1)}}, 0, "", countQuiet},
		"Quiet":       {"no other has followed", &record{untold: untold{counted: ago(countQuiet), sets: some(50)}}, 50, "0050", 0},
		"ManyQuiet":   {"a thousand writes are not begun because nothing came for a moment", &record{untold: untold{counted: ago(countQuiet), sets: some(200)}}, 0, "", 150 * time.Millisecond},
		"ManyResting": {"all is told once it rests", &record{untold: untold{counted: ago(time.Second), sets: some(1000)}}, 1000, "1000", 0},
		"Changing":    {"counts that go on changing are told in between, the longest untold first", &record{untold: untold{counted: now, sets: some(500)}}, setsInBetween, "0500", 500 * time.Millisecond},
		"FewChanging": {"no one is left to look at again for", &record{untold: untold{counted: now, sets: map[types.NamespacedName]untoldSet{
			{Name: "extra"}: {since: ago(countPatience)},
		}}}, 1, "extra", 0},
		"JustTold":    {"and not as many as one can write", &record{round: ago(roundPause / 4), untold: untold{counted: now, sets: some(900)}}, 0, "", 3 * roundPause / 4},
		"ToldLongAgo": {"but those as well which have waited meanwhile", &record{round: ago(roundPause), untold: untold{counted: now, sets: some(900)}}, setsInBetween, "0900", 900 * time.Millisecond},
		"Whole": {"what is to be told at once is not counted among those that wait", &record{untold: untold{counted: now, sets: map[types.NamespacedName]untoldSet{
			{Name: "extra"}: {whole: true, since: ago(time.Hour)},
		}}}, 0, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			due, pause := c.record.countsDue(now)
			if len(due) != c.due || pause != c.pause || len(due) > 0 && due[0].Name != c.first {
				t.Errorf("%s: %d are due, the first of %v, and the others in %v; want %d, %q, %v", c.reason, len(due), due, pause, c.due, c.first, c.pause)
			}
		})
	}
}

// setWorld is a Gateway with ListenerSets in a fake API server, and the reconciler that tells their statuses, by a clock that the test
// turns.
type setWorld struct {
	client.Client
	*statusReconciler
	now   time.Time
	known *record
	key   types.NamespacedName
	sets  []*gatewayv1.ListenerSet
	// updates are the writes of ListenerSets' statuses since they were last added to writes.
	updates atomic.Int64
	writes  int
}

func newSetWorld(t *testing.T, sets int) *setWorld {
	t.Helper()
	gateway := waitingGateway()
	gateway.Spec.AllowedListeners = &gatewayv1.AllowedListeners{Namespaces: &gatewayv1.ListenerNamespaces{From: new(gatewayv1.NamespacesFromSame)}}
	w := &setWorld{now: time.Unix(1_000, 0), key: client.ObjectKeyFromObject(gateway)}
	objects := []client.Object{gateway}
	for i := range sets {
		set := listenerSetOf("shop", fmt.Sprintf("set-%04d", i), "web")
		set.Generation, set.Spec.Listeners[0].Port = 1, gatewayv1.PortNumber(8_000+i)
		w.sets, objects = append(w.sets, set), append(objects, set)
	}
	w.Client = interceptor.NewClient(
		fake.NewClientBuilder().WithScheme(Scheme()).WithObjects(objects...).WithStatusSubresource(gateway, &gatewayv1.ListenerSet{}, &gatewayv1.HTTPRoute{}).Build(),
		interceptor.Funcs{SubResourceUpdate: func(ctx context.Context, c client.Client, name string, object client.Object, options ...client.SubResourceUpdateOption) error {
			if _, is := object.(*gatewayv1.ListenerSet); is {
				w.updates.Add(1)
			}
			return c.SubResource(name).Update(ctx, object, options...)
		}})
	writer, err := status.NewWriter(w.Status(), DefaultControllerName, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	there := newListenerSets(w.Client)
	there.there = true
	w.statusReconciler = &statusReconciler{records: newRecords(), reporter: &reporter{
		client: w.Client, kinds: newRoutes(w.Client), sets: there, policies: newPolicies(w.Client), push: silent{}, writer: writer,
		controllerName: DefaultControllerName, now: func() time.Time { return w.now },
		waiting: map[types.NamespacedName]waiting{}, told: map[types.NamespacedName]int{},
	}}
	input := topology.Input{ControllerName: DefaultControllerName, Gateway: gateway, ListenerSets: w.sets}
	w.known = w.records.of(w.key)
	w.known.settle(input, nil, topology.Build(input), &made{service: w.key})
	w.known.pushed(push.State{})
	return w
}

// add has a route come that is attached to a ListenerSet.
func (w *setWorld) add(t *testing.T, name, set string) {
	t.Helper()
	route := routeToSet("shop", name, set, "cart")
	route.Generation = 1
	difference, ok := w.known.decided.Update(topology.Change{Routes: []topology.RouteObject{route}})
	if !ok {
		t.Fatal("the topology cannot be carried on")
	}
	w.known.carryOn(difference, 0, w.now)
}

// tell has the statuses told until nothing is left to be told within a time.
func (w *setWorld) tell(t *testing.T, within time.Duration) {
	t.Helper()
	end := w.now.Add(within)
	for {
		result, err := w.Reconcile(t.Context(), reconcile.Request{NamespacedName: w.key})
		if err != nil {
			t.Fatal(err)
		}
		w.writes += int(w.updates.Swap(0))
		if result.RequeueAfter == 0 || w.now.Add(result.RequeueAfter).After(end) {
			w.now = end
			return
		}
		w.now = w.now.Add(result.RequeueAfter)
	}
}

func (w *setWorld) read(t *testing.T) map[string]*gatewayv1.ListenerSet {
	t.Helper()
	list := &gatewayv1.ListenerSetList{}
	if err := w.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	found := map[string]*gatewayv1.ListenerSet{}
	for i := range list.Items {
		found[list.Items[i].Name] = &list.Items[i]
	}
	return found
}

// Counts that change all the time, on very many ListenerSets, are a few writes a second; each is told though, and when no more come
// all are right at once.
func TestCountsOfManyListenerSets(t *testing.T) {
	const sets, rounds, step = 100, 20, 5 * time.Millisecond
	w := newSetWorld(t, sets)
	w.tell(t, time.Second)
	if w.writes != sets {
		t.Fatalf("%d writes for %d new ListenerSets, want one each", w.writes, sets)
	}
	w.writes = 0
	began := w.now
	for i := range sets * rounds {
		w.add(t, fmt.Sprintf("route-%05d", i), w.sets[i%sets].Name)
		w.tell(t, step)
	}
	lasted := w.now.Sub(began)
	if most := setsInBetween * int(lasted/roundPause+1); w.writes > most {
		t.Errorf("%d writes in %v, want at most %d", w.writes, lasted, most)
	}
	told := 0
	for _, set := range w.read(t) {
		if set.Status.Listeners[0].AttachedRoutes > 0 {
			told++
		}
	}
	if told != sets {
		t.Errorf("after %v the counts of %d of %d ListenerSets were told", lasted, told, sets)
	}
	w.writes = 0
	w.tell(t, countQuiet+sets*quietOfEach+sets/setsAtOnce*soon)
	for name, set := range w.read(t) {
		if got := set.Status.Listeners[0].AttachedRoutes; got != rounds {
			t.Errorf("ListenerSet %s says %d routes at rest, want %d", name, got, rounds)
		}
	}
	if w.writes > sets {
		t.Errorf("%d writes of %d ListenerSets at rest", w.writes, sets)
	}
}

// What is decided about a ListenerSet anew is told at once while the counts of others go on changing.
func TestListenerSetIsToldWhileOthersCount(t *testing.T) {
	w := newSetWorld(t, 2)
	w.tell(t, time.Second)
	w.add(t, "first", w.sets[0].Name)
	changed := w.read(t)[w.sets[1].Name]
	changed.Generation, changed.Spec.Listeners[0].Protocol = 2, "example.com/unknown"
	if err := w.Update(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	input := w.known.input
	input.ListenerSets = []*gatewayv1.ListenerSet{w.sets[0], changed}
	input.HTTPRoutes = []*gatewayv1.HTTPRoute{routeToSet("shop", "first", w.sets[0].Name, "cart")}
	w.known.settle(input, nil, topology.Build(input), w.known.made)
	if _, err := w.Reconcile(t.Context(), reconcile.Request{NamespacedName: w.key}); err != nil {
		t.Fatal(err)
	}
	found := w.read(t)
	if got := found[w.sets[0].Name].Status.Listeners[0].AttachedRoutes; got != 0 {
		t.Errorf("a count was told before it could rest: %d", got)
	}
	refused := func(c metav1.Condition) bool {
		return c.Type == "Accepted" && c.Status == metav1.ConditionFalse && c.ObservedGeneration == 2
	}
	if !slices.ContainsFunc(found[w.sets[1].Name].Status.Conditions, refused) {
		t.Errorf("the other one's status waits: %+v", found[w.sets[1].Name].Status.Conditions)
	}
	w.tell(t, time.Second)
	if got := w.read(t)[w.sets[0].Name].Status.Listeners[0].AttachedRoutes; got != 1 {
		t.Errorf("the count at rest is %d, want 1", got)
	}
}

// Whatever becomes of ListenerSets and their routes, and whenever: at rest their statuses say what is so, each once.
func TestListenerSetsAtRest(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range 4 {
		w := newSetWorld(t, 2+random.IntN(2*setsInBetween))
		routes := map[string]*gatewayv1.HTTPRoute{}
		for range 120 {
			w.happens(t, random, routes)
			w.tell(t, time.Duration(random.IntN(40))*time.Millisecond)
		}
		w.tell(t, time.Second)
		w.writes = 0
		w.tell(t, time.Minute)
		if w.writes > 0 {
			t.Errorf("seed %d: %d statuses were told later than they had to be", seed, w.writes)
		}
		fresh := topology.Build(w.input(t, routes))
		facts := &status.GatewayFacts{Delivery: *deliveredOf(push.State{}, 0).real}
		gateway := &gatewayv1.Gateway{}
		if err := w.Get(t.Context(), w.key, gateway); err != nil {
			t.Fatal(err)
		}
		for i := range fresh.ListenerSets {
			set := fresh.ListenerSets[i]
			want := status.ListenerSet(&set, gateway, fresh, facts, w.now)
			if status.CompareListenerSets(&set.Object.Status, &want) != status.Same {
				t.Fatalf("seed %d: ListenerSet %s says at rest %+v, want %+v", seed, set.Object.Name, set.Object.Status, want)
			}
		}
	}
}

// happens has a route come, change its parent or go, or a ListenerSet change.
func (w *setWorld) happens(t *testing.T, random *rand.Rand, routes map[string]*gatewayv1.HTTPRoute) {
	t.Helper()
	name, set := fmt.Sprint("route-", random.IntN(20)), w.sets[random.IntN(len(w.sets))].Name
	change := topology.Change{}
	switch random.IntN(8) {
	case 0:
		changed := w.read(t)[set]
		changed.Generation++
		changed.Spec.Listeners[0].Protocol = []gatewayv1.ProtocolType{gatewayv1.HTTPProtocolType, "example.com/unknown"}[random.IntN(2)]
		if err := w.Update(t.Context(), changed); err != nil {
			t.Fatal(err)
		}
		input := w.input(t, routes)
		w.known.settle(input, nil, topology.Build(input), w.known.made)
		return
	case 1, 2:
		delete(routes, name)
		change.Gone = []topology.RouteID{{Kind: topology.HTTPRouteKind, Namespace: "shop", Name: name}}
	default:
		route := routeToSet("shop", name, set, "cart")
		route.Generation = 1
		routes[name] = route
		change.Routes = []topology.RouteObject{route}
	}
	difference, ok := w.known.decided.Update(change)
	if !ok {
		t.Fatal("the topology cannot be carried on")
	}
	w.known.carryOn(difference, 0, w.now)
}

// input is all that there is.
func (w *setWorld) input(t *testing.T, routes map[string]*gatewayv1.HTTPRoute) topology.Input {
	t.Helper()
	input := w.known.input
	input.ListenerSets, input.HTTPRoutes = nil, slices.Collect(maps.Values(routes))
	for _, set := range w.read(t) {
		input.ListenerSets = append(input.ListenerSets, set)
	}
	return input
}
