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
	"slices"
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

func TestStatusPauses(t *testing.T) {
	now := time.Unix(1_000, 0)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	for name, c := range map[string]struct {
		reason     string
		record     *record
		difference status.Difference
		want       time.Duration
	}{
		"Matters":        {"a condition is told at once, whatever else changes", &record{untold: untold{since: now, latest: now}}, status.Differs, 0},
		"FirstCount":     {"others may follow at once", &record{untold: untold{since: now, latest: now}}, status.CountsDiffer, countQuiet},
		"Quiet":          {"no other has followed", &record{untold: untold{since: ago(time.Second / 10), latest: ago(countQuiet)}}, status.CountsDiffer, 0},
		"StillCounting":  {"counts that go on changing are told in between", &record{untold: untold{since: ago(countPatience), latest: now}}, status.CountsDiffer, 0},
		"ManyWrites":     {"what takes long to write is written more seldom", &record{pass: time.Second, untold: untold{since: ago(countPatience), latest: now}}, status.CountsDiffer, countQuiet},
		"ManyWritesLong": {"and is written though", &record{pass: time.Second, untold: untold{since: ago(passes * time.Second), latest: now}}, status.CountsDiffer, 0},
		"OfSets":         {"the Gateway has none of what its ListenerSets have", &record{untold: untold{counted: now}}, status.MessageDiffers, agePatience},
		"Message":        {"an older generation is as true", &record{}, status.MessageDiffers, agePatience},
		"OldMessage":     {"and is not told for ever", &record{untold: untold{aged: ago(agePatience)}}, status.MessageDiffers, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := max(c.record.pause(c.difference, now), 0); got != c.want {
				t.Errorf("%s: pauses for %v, want %v", c.reason, got, c.want)
			}
		})
	}
}

func TestDeliveryOfAPart(t *testing.T) {
	replica := func(acked uint64) push.ReplicaState {
		return push.ReplicaState{ID: "a", Ready: true, Connected: true, Settled: true, AckedGeneration: acked, AckedHash: "old"}
	}
	for name, c := range map[string]struct {
		reason     string
		replicas   []push.ReplicaState
		generation uint64
		waits      time.Duration
		told       bool
		complete   bool
	}{
		"Reached":       {"a route that all have need not wait for the next one", []push.ReplicaState{replica(8)}, 8, time.Second, true, true},
		"UnderWay":      {"it is about to be known", []push.ReplicaState{replica(8)}, 9, time.Second, false, false},
		"WaitedFor":     {"what does not come is told", []push.ReplicaState{replica(8)}, 9, 0, true, false},
		"OneIsBehind":   {"every ready replica counts", []push.ReplicaState{replica(9), replica(7)}, 8, time.Second, false, false},
		"NoReplica":     {"nothing serves it", nil, 8, 0, true, false},
		"NothingPushed": {"a replica that acknowledged nothing serves nothing that is known", []push.ReplicaState{replica(0)}, 0, 0, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := deliveredOf(push.State{Generation: 10, TableHash: "new", Replicas: c.replicas}, c.waits)
			got := d.of(c.generation)
			if (got != nil) != c.told || got != nil && got.Complete() != c.complete {
				t.Errorf("%s: got %+v", c.reason, got)
			}
		})
	}
}

func TestRecordKnowsWhatHasNotComeBack(t *testing.T) {
	known := newRecords().of(types.NamespacedName{Name: "web"})
	gateway := &gatewayv1.Gateway{}
	gateway.Name, gateway.ResourceVersion = "web", "7"
	if known.outdated("Gateway", gateway) {
		t.Error("nothing was written")
	}
	known.wrote("Gateway", gateway)
	if !known.outdated("Gateway", gateway) {
		t.Error("the cache has the version that was written on, and a write now would conflict or be one too many")
	}
	gateway.ResourceVersion = "8"
	if known.outdated("Gateway", gateway) || len(known.bases) > 0 {
		t.Error("it has come back, and nothing has to be remembered")
	}
}

// silent is a push that has nothing to say.
type silent struct{ pusher }

func (silent) State(push.Key) push.State { return push.State{} }

// waitingGateway and waitingRoute have no status yet.
func waitingGateway() *gatewayv1.Gateway {
	gateway := &gatewayv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Generation: 1}}
	gateway.Spec.Listeners = []gatewayv1.Listener{{Name: "http", Port: 80, Protocol: gatewayv1.HTTPProtocolType}}
	return gateway
}

func waitingRoute() *gatewayv1.HTTPRoute {
	route := &gatewayv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart", Generation: 1}}
	route.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "web"}}
	return route
}

// What was collected before something could not be read is written all the same: it is not collected again.
func TestStatusesBeforeAFailureAreWritten(t *testing.T) {
	route, gateway := waitingRoute(), waitingGateway()
	broken := errors.New("cannot be read")
	objects := interceptor.NewClient(
		fake.NewClientBuilder().WithScheme(Scheme()).WithObjects(route, gateway).WithStatusSubresource(route, gateway).Build(),
		interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, into client.Object, options ...client.GetOption) error {
			if _, is := into.(*gatewayv1.Gateway); is {
				return broken
			}
			return c.Get(ctx, key, into, options...)
		}})
	writer, err := status.NewWriter(objects.Status(), DefaultControllerName, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	input := topology.Input{ControllerName: DefaultControllerName, Gateway: gateway, HTTPRoutes: []*gatewayv1.HTTPRoute{route}}
	r := &statusReconciler{records: newRecords(), reporter: &reporter{
		client: objects, kinds: newRoutes(objects), policies: newPolicies(objects), push: silent{}, writer: writer, controllerName: DefaultControllerName,
		now: time.Now, waiting: map[types.NamespacedName]waiting{}, told: map[types.NamespacedName]int{},
	}}
	key := client.ObjectKeyFromObject(gateway)
	r.records.of(key).settle(input, nil, topology.Build(input), &made{})
	if _, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	got := &gatewayv1.HTTPRoute{}
	if err := objects.Get(t.Context(), client.ObjectKeyFromObject(route), got); err != nil || len(got.Status.Parents) != 1 {
		t.Errorf("the route has %d entries, %v", len(got.Status.Parents), err)
	}
}

// A route's status is written while those of its Gateway, of ListenerSets and of policies are held up: they are told beside it, not before.
func TestRouteDoesNotWaitForOtherStatuses(t *testing.T) {
	route, gateway, set := waitingRoute(), waitingGateway(), listenerSetOf("shop", "more", "web")
	policy := &gatewayv1.BackendTLSPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart"}}
	ctx, cancel := context.WithTimeout(t.Context(), patient)
	defer cancel()
	written := make(chan struct{})
	objects := interceptor.NewClient(
		fake.NewClientBuilder().WithScheme(Scheme()).WithObjects(route, gateway, set, policy).WithStatusSubresource(route, gateway, set, policy).Build(),
		interceptor.Funcs{SubResourceUpdate: func(ctx context.Context, c client.Client, name string, object client.Object, options ...client.SubResourceUpdateOption) error {
			if _, is := object.(*gatewayv1.HTTPRoute); is {
				defer close(written)
				return c.SubResource(name).Update(ctx, object, options...)
			}
			select {
			case <-written:
				return c.SubResource(name).Update(ctx, object, options...)
			case <-ctx.Done():
				return errors.New("the route's status waits for this one")
			}
		}})
	writer, err := status.NewWriter(objects.Status(), DefaultControllerName, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	told := []metav1.Condition{{Type: "Accepted", Status: metav1.ConditionTrue, Reason: "Accepted", LastTransitionTime: metav1.Unix(1_000, 0)}}
	b := &batch{
		gateway: gateway, gatewayStatus: gatewayv1.GatewayStatus{Conditions: told},
		sets: []status.ListenerSetUpdate{{ListenerSet: set, Status: gatewayv1.ListenerSetStatus{Conditions: told}}},
		policies: []status.PolicyUpdate{{Policy: policy, Status: gatewayv1.PolicyStatus{Ancestors: []gatewayv1.PolicyAncestorStatus{{
			AncestorRef: route.Spec.ParentRefs[0], ControllerName: DefaultControllerName, Conditions: told,
		}}}}},
		routes: []status.RouteUpdate{{Route: route, Status: gatewayv1.RouteStatus{Parents: []gatewayv1.RouteParentStatus{{
			ParentRef: route.Spec.ParentRefs[0], ControllerName: DefaultControllerName, Conditions: told,
		}}}}},
	}
	(&reporter{writer: writer}).write(ctx, b)
	if err := errors.Join(b.gatewayErr, errors.Join(b.setErrs...), b.policiesErr, errors.Join(b.routeErrs...)); err != nil {
		t.Error(err)
	}
	for _, object := range []client.Object{route, gateway, set, policy} {
		before := object.GetResourceVersion()
		if err := objects.Get(t.Context(), client.ObjectKeyFromObject(object), object); err != nil {
			t.Fatal(err)
		}
		if object.GetResourceVersion() == before {
			t.Errorf("the status of the %T was not written", object)
		}
	}
}

// behind is a push whose only replica acknowledges each table after the next one is wanted.
type behind struct {
	pusher
	generation uint64
}

func (b *behind) State(push.Key) push.State {
	return push.State{Generation: b.generation, TableHash: "wanted", Replicas: []push.ReplicaState{{
		ID: "a", Ready: true, Connected: true, Settled: true, AckedGeneration: b.generation - 1, AckedHash: "acknowledged",
	}}}
}

// A Gateway about which everything is decided again and again, faster than its replica follows, has statuses all the same: they say that
// it is behind, and not more often than needed. Once it has caught up they say that.
func TestStatusesOfWhatNeverRests(t *testing.T) {
	route, gateway := waitingRoute(), waitingGateway()
	objects := fake.NewClientBuilder().WithScheme(Scheme()).WithObjects(route, gateway).WithStatusSubresource(route, gateway).Build()
	writer, err := status.NewWriter(objects.Status(), DefaultControllerName, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	now, pushed := time.Unix(1_000, 0), &behind{generation: 5}
	r := &statusReconciler{records: newRecords(), reporter: &reporter{
		client: objects, kinds: newRoutes(objects), policies: newPolicies(objects), push: pushed, writer: writer, controllerName: DefaultControllerName,
		now: func() time.Time { return now }, waiting: map[types.NamespacedName]waiting{}, told: map[types.NamespacedName]int{},
	}}
	key := client.ObjectKeyFromObject(gateway)
	known := r.records.of(key)
	// decide has everything decided and the statuses told, and gives the versions of the objects, which writes change.
	decide := func() (ofGateway, ofRoute string) {
		pushed.generation++
		if err := errors.Join(objects.Get(t.Context(), key, gateway), objects.Get(t.Context(), client.ObjectKeyFromObject(route), route)); err != nil {
			t.Fatal(err)
		}
		input := topology.Input{ControllerName: DefaultControllerName, Gateway: gateway.DeepCopy(), HTTPRoutes: []*gatewayv1.HTTPRoute{route.DeepCopy()}}
		known.settle(input, nil, topology.Build(input), &made{service: key})
		known.pushed(pushed.State(push.Key(key)))
		if _, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(objects.Get(t.Context(), key, gateway), objects.Get(t.Context(), client.ObjectKeyFromObject(route), route)); err != nil {
			t.Fatal(err)
		}
		return gateway.ResourceVersion, route.ResourceVersion
	}
	const step, steps = time.Second / 2, 100
	firstGateway, firstRoute := decide()
	writesOfGateway, writesOfRoute := 0, 0
	for range steps {
		beforeGateway, beforeRoute := gateway.ResourceVersion, route.ResourceVersion
		now = now.Add(step)
		ofGateway, ofRoute := decide()
		if ofGateway != beforeGateway {
			writesOfGateway++
		}
		if ofRoute != beforeRoute {
			writesOfRoute++
		}
	}
	if gateway.ResourceVersion == firstGateway || len(gateway.Status.Listeners) != 1 {
		t.Error("the Gateway has no status while its replica does not catch up")
	}
	if route.ResourceVersion == firstRoute || len(route.Status.Parents) != 1 {
		t.Fatal("the route has no status while the replica does not catch up")
	}
	if most := int(steps * step / longestWait); writesOfGateway > most || writesOfRoute > most {
		t.Errorf("in %s the Gateway's status was written %d times and the route's %d times, want at most %d", steps*step, writesOfGateway, writesOfRoute, most)
	}
	if programmed(route) {
		t.Error("the route is called programmed, of a table that no replica has acknowledged")
	}
	r.reporter.push = caughtUp{pushed}
	decide()
	if !programmed(route) {
		t.Error("the replica has caught up, and the route is not called programmed")
	}
}

// caughtUp is a push whose replica has acknowledged what is wanted.
type caughtUp struct{ *behind }

func (c caughtUp) State(key push.Key) push.State {
	state := c.behind.State(key)
	state.Replicas[0].AckedGeneration, state.Replicas[0].AckedHash = state.Generation, state.TableHash
	return state
}

func programmed(route *gatewayv1.HTTPRoute) bool {
	return slices.ContainsFunc(route.Status.Parents[0].Conditions, func(c metav1.Condition) bool {
		return c.Type == "rauta.dev/Programmed" && c.Status == metav1.ConditionTrue
	})
}
