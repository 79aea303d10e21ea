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

package conformance

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/translate"
)

var (
	replaySeed      = flag.Uint64("replay-seed", 0, "Seed of the order of events in the replay of the suite's manifests; 0 for a new one.")
	replayHistories = flag.Int("replay-histories", 4, "How many histories the replay of all manifests together takes.")
)

// replay is what happens to the objects of some manifests, in an order that a seed decides.
type replay struct {
	t      *testing.T
	random *rand.Rand
	// final has each object as it is in the end.
	final map[objectKey]*unstructured.Unstructured
	// variants are objects of each kind, whose content others have for a while.
	variants map[string][]*unstructured.Unstructured
	cluster  *cluster
	// kept of the Gateways, as the operator keeps it.
	kept map[types.NamespacedName]*kept
	// updates counts the topologies that were carried on.
	updates int
}

// kept is what is known of a Gateway from its last reconcile.
type kept struct {
	memo    translate.Memo
	decided *topology.Topology
	// policies that it was decided with.
	policies []*gatewayv1.BackendTLSPolicy
	table    map[string]*adminv1.Resource
	// point in the cluster's history up to which it is.
	point int
}

// TestReplay takes the manifests of the whole suite through histories of additions, changes and deletions, with reconciles on the
// way: what is decided and rendered for each Gateway in the end depends on what there is, and not on how it came to be.
func TestReplay(t *testing.T) {
	seed := *replaySeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-replay-seed %d", seed)
	files := manifests(t)
	var all []*unstructured.Unstructured
	for _, path := range slices.Sorted(maps.Keys(files)) {
		all = append(all, files[path]...)
	}
	t.Run("all together", func(t *testing.T) {
		want := straight(t, all)
		if got := summary(want); got.gateways < 90 || got.routes < 100 || got.refused < 50 {
			t.Fatalf("the suite has more than %+v: what is not there proves nothing", got)
		}
		updates := 0
		for i := range *replayHistories {
			updates += check(t, all, want, rand.New(rand.NewPCG(seed, uint64(i))))
		}
		t.Logf("%d topologies were carried on", updates)
		if updates == 0 {
			t.Error("no topology was carried on from one reconcile to the next")
		}
	})
	for i, path := range slices.Sorted(maps.Keys(files)) {
		if path == baseManifest {
			continue
		}
		t.Run(path, func(t *testing.T) {
			objects := slices.Concat(files[baseManifest], files[path])
			check(t, objects, straight(t, objects), rand.New(rand.NewPCG(seed, uint64(1000+i))))
		})
	}
}

// straight gives the outcome where all objects are there from the start, and nothing is remembered.
func straight(t *testing.T, objects []*unstructured.Unstructured) map[types.NamespacedName][]string {
	t.Helper()
	c := newCluster()
	for _, object := range objects {
		c.apply(t, object)
	}
	outcomes := map[types.NamespacedName][]string{}
	for _, gateway := range c.gateways() {
		outcomes[gateway] = outcome(t, c, gateway, rand.New(rand.NewPCG(1, 1)))
	}
	return outcomes
}

// check takes the objects through a history, and compares what comes out. It gives how many topologies were carried on.
func check(t *testing.T, objects []*unstructured.Unstructured, want map[types.NamespacedName][]string, random *rand.Rand) int {
	t.Helper()
	r := &replay{
		t: t, random: random, cluster: newCluster(),
		final: map[objectKey]*unstructured.Unstructured{}, variants: map[string][]*unstructured.Unstructured{},
		kept: map[types.NamespacedName]*kept{},
	}
	for _, object := range objects {
		// Some manifests have objects of the same name: the last one stays, as the suite would have it.
		r.final[keyOf(object)] = object
		r.variants[object.GetKind()] = append(r.variants[object.GetKind()], object)
	}
	r.run()
	for gateway, lines := range want {
		if diff := cmp.Diff(lines, r.reconcile(gateway)); diff != "" {
			t.Errorf("Gateway %s is not what it is without a history (-want +got):\n%s", gateway, diff)
		}
	}
	if got := r.cluster.gateways(); len(got) != len(want) {
		t.Errorf("%d Gateways are left of %d", len(got), len(want))
	}
	return r.updates
}

// run makes everything happen, first to objects of all kinds and then to routes alone. The events of one object keep their order;
// those of different objects mix.
func (r *replay) run() {
	keys := slices.SortedFunc(maps.Keys(r.final), compareKeys)
	r.mix(keys)
	r.mix(slices.DeleteFunc(keys, func(key objectKey) bool { return !isRoute(key) }))
}

func (r *replay) mix(keys []objectKey) {
	var turns []objectKey
	events := map[objectKey][]func(){}
	for _, key := range keys {
		events[key] = r.events(key)
		for range events[key] {
			turns = append(turns, key)
		}
	}
	r.random.Shuffle(len(turns), func(i, j int) { turns[i], turns[j] = turns[j], turns[i] })
	for _, key := range turns {
		events[key][0]()
		events[key] = events[key][1:]
		if r.random.IntN(2) == 0 {
			r.lookAround(key)
		}
	}
}

// events is the life of an object until it is as it is in the end.
func (r *replay) events(key objectKey) []func() {
	var events []func()
	for range r.random.IntN(3) {
		switch r.random.IntN(3) {
		case 0:
			events = append(events, func() { r.cluster.remove(key) })
		case 1:
			events = append(events, func() { r.cluster.apply(r.t, r.final[key]) })
		default:
			variants := r.variants[key.kind]
			variant := variants[r.random.IntN(len(variants))].DeepCopy()
			variant.SetNamespace(key.Namespace)
			variant.SetName(key.Name)
			events = append(events, func() { r.cluster.apply(r.t, variant) })
		}
	}
	return append(events, func() { r.cluster.apply(r.t, r.final[key]) })
}

// lookAround reconciles the Gateways that an object names, or any, so that something is remembered and carried on.
func (r *replay) lookAround(key objectKey) {
	gateways := r.cluster.gateways()
	if len(gateways) == 0 {
		return
	}
	looked := []types.NamespacedName{gateways[r.random.IntN(len(gateways))]}
	if route, is := r.cluster.objects[key].(topology.RouteObject); is && isRoute(key) {
		for _, ref := range topology.ParentRefsOf(route) {
			if kind, parent := topology.ParentOf(&ref, key.Namespace); kind == "Gateway" && slices.Contains(gateways, parent) {
				looked = append(looked, parent)
			}
		}
	}
	for _, gateway := range looked {
		want := outcome(r.t, r.cluster, gateway, r.random)
		if diff := cmp.Diff(want, r.reconcile(gateway)); diff != "" {
			r.t.Fatalf("Gateway %s is on the way not what it is without a history (-want +got):\n%s", gateway, diff)
		}
	}
}

// reconcile does for a Gateway what the operator would: a change of routes alone carries on what is there.
func (r *replay) reconcile(gateway types.NamespacedName) []string {
	k := r.kept[gateway]
	if k == nil {
		k = &kept{}
		r.kept[gateway] = k
	}
	in, endpoints := r.cluster.input(gateway, r.random)
	if !r.carryOn(k, &in, endpoints) {
		k.decided, k.policies = topology.Build(in), in.BackendTLSPolicies
		resources, err := k.memo.Resources(k.decided, endpoints)
		if err != nil {
			r.t.Fatalf("Gateway %s: %v", gateway, err)
		}
		k.table = map[string]*adminv1.Resource{}
		for _, resource := range resources {
			k.table[resource.GetName()] = resource
		}
	}
	k.point = len(r.cluster.history)
	return lines(r.t, k.decided, k.table)
}

// samePolicies reports whether routes name Services with the same policies as before, in whatever order.
func samePolicies(a, b []*gatewayv1.BackendTLSPolicy) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(p *gatewayv1.BackendTLSPolicy) bool { return !slices.Contains(b, p) })
}

// carryOn updates what is kept, where that can be done.
func (r *replay) carryOn(k *kept, in *topology.Input, endpoints translate.EndpointSource) bool {
	if k.decided == nil || !samePolicies(k.policies, in.BackendTLSPolicies) {
		return false
	}
	changed, gone, only := r.cluster.routesSince(k.point)
	if !only {
		return false
	}
	difference, done := k.decided.Update(topology.Change{Routes: changed, Gone: gone})
	if !done {
		return false
	}
	upserts, removals, err := k.memo.Changes(k.decided, difference, endpoints)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, name := range removals {
		delete(k.table, name)
	}
	for _, resource := range upserts {
		k.table[resource.GetName()] = resource
	}
	if len(difference.Decided)+len(difference.Gone) > 0 {
		r.updates++
	}
	return true
}

// outcome is all that is decided and rendered for a Gateway, in lines, with nothing remembered.
func outcome(t *testing.T, c *cluster, gateway types.NamespacedName, random *rand.Rand) []string {
	t.Helper()
	in, endpoints := c.input(gateway, random)
	decided := topology.Build(in)
	resources, err := translate.Resources(decided, endpoints)
	if err != nil {
		t.Fatalf("Gateway %s: %v", gateway, err)
	}
	table := map[string]*adminv1.Resource{}
	for _, resource := range resources {
		table[resource.GetName()] = resource
	}
	return lines(t, decided, table)
}

func lines(t *testing.T, decided *topology.Topology, table map[string]*adminv1.Resource) []string {
	t.Helper()
	all := decisions(decided)
	for _, name := range slices.Sorted(maps.Keys(table)) {
		encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(table[name])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s %x", name, sha256.Sum256(encoded)))
	}
	return all
}

func decisions(decided *topology.Topology) []string {
	lines := []string{line("Gateway", decided.Accepted, decided.ResolvedRefs)}
	if decided.InsecureFrontend != nil {
		lines = append(lines, line("Gateway", *decided.InsecureFrontend))
	}
	for i := range decided.ListenerSets {
		lines = append(lines, line("ListenerSet "+decided.ListenerSets[i].Key().String(), decided.ListenerSets[i].Accepted))
	}
	for i := range decided.Listeners {
		l := &decided.Listeners[i]
		var kinds []string
		for _, kind := range l.SupportedKinds {
			kinds = append(kinds, string(kind.Kind))
		}
		lines = append(lines, line(fmt.Sprintf("listener %s %v %d", l.ListenerKey, kinds, l.AttachedRoutes), l.Decisions()...))
	}
	for i := range decided.Routes {
		route := &decided.Routes[i]
		for j := range route.Parents {
			lines = append(lines, line(fmt.Sprintf("%s %d %v", route.ResourceNames(), j, route.Parents[j].Listeners), route.Parents[j].Decisions()...))
		}
	}
	for i := range decided.BackendTLSPolicies {
		policy := &decided.BackendTLSPolicies[i]
		lines = append(lines, line("policy "+policy.Object.Namespace+"/"+policy.Object.Name, policy.Decisions()...))
	}
	return lines
}

func line(subject string, decisions ...topology.Decision) string {
	var b strings.Builder
	b.WriteString(subject)
	for _, d := range decisions {
		fmt.Fprintf(&b, " | %s=%s %s: %s", d.Type, d.Status, d.Reason, d.Message)
	}
	return b.String()
}

// counts of what came out, to tell that something did.
type counts struct{ gateways, routes, refused int }

func summary(outcomes map[types.NamespacedName][]string) counts {
	c := counts{gateways: len(outcomes)}
	for _, lines := range outcomes {
		for _, line := range lines {
			if strings.HasPrefix(line, "route/") && !strings.Contains(line, " | ") {
				c.routes++
			}
			if strings.Contains(line, "=False") {
				c.refused++
			}
		}
	}
	return c
}
