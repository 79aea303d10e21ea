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
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/internal/topology"
)

// records are what was decided last about each Gateway that is ours. Three reconcilers share them: the Gateway's, which decides
// everything, the routes', which carries on from there with some routes, and the statuses', which tells what was decided.
type records struct {
	mu        sync.Mutex
	byGateway map[types.NamespacedName]*record
}

func newRecords() *records { return &records{byGateway: map[types.NamespacedName]*record{}} }

// of finds or makes a Gateway's record.
func (r *records) of(gateway types.NamespacedName) *record {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byGateway[gateway] == nil {
		r.byGateway[gateway] = &record{
			changes: newChanges(), bases: map[base]string{},
		}
	}
	return r.byGateway[gateway]
}

// known is a Gateway's record; nil where there is none.
func (r *records) known(gateway types.NamespacedName) *record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byGateway[gateway]
}

// forget drops the record of a Gateway that is gone or not ours, whose lock is held.
func (r *records) forget(gateway types.NamespacedName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if kept := r.byGateway[gateway]; kept != nil {
		kept.decided, kept.current = nil, false
	}
	delete(r.byGateway, gateway)
}

// record is one Gateway's. All but the changes is guarded by mu, which is held while something is decided, and not while
// statuses are written.
type record struct {
	mu sync.Mutex
	// input of the topology without the routes and ListenerSets, whose Services, Namespaces and grants grow with the routes that change, and of which
	// namespaces it has the grants.
	input    topology.Input
	granting map[string]bool
	// policed are the Services that a policy of the input targets.
	policed map[types.NamespacedName]bool
	// room is how large the input may grow until all is read again, so that it does not keep what nothing names any more for ever.
	room int
	// decided is nil until everything was decided once, and due is when it was to be decided again then, for the time alone; zero for never.
	decided *topology.Topology
	due     time.Time
	made    *made
	// applying is whether the Gateway's objects are being applied, without mu: what comes of that belongs into its status.
	applying bool
	// current is whether the table that was pushed is that of the topology, so that it can be carried on.
	current bool
	// generation of the table that the listeners belong to.
	generation uint64

	untold untold
	// said is what the statuses of all routes and listeners were told with last.
	said  said
	heard heard
	// bases are the versions that the statuses which were written last were written on. An object that still has that version has
	// not come back into the cache.
	bases map[base]string
	// pass is how long it took to write statuses last, and round when counts of ListenerSets were told last while others changed.
	pass  time.Duration
	round time.Time

	changes changes
}

// changes are the routes, the Services that routes name, the ListenerSets, and the Secrets that these name, which changed and were not
// looked at yet.
type changes struct {
	mu                      sync.Mutex
	routes                  map[topology.RouteID]bool
	services, sets, secrets map[types.NamespacedName]bool
}

func newChanges() changes {
	names := func() map[types.NamespacedName]bool { return map[types.NamespacedName]bool{} }
	return changes{routes: map[topology.RouteID]bool{}, services: names(), sets: names(), secrets: names()}
}

// taken are changes that are looked at, in order.
type taken struct {
	routes                  []topology.RouteID
	services, sets, secrets []types.NamespacedName
}

func (t *taken) empty() bool { return len(t.routes)+len(t.services) == 0 && !t.ofListeners() }

// ofListeners reports whether there is more than routes and what they name.
func (t *taken) ofListeners() bool { return len(t.sets)+len(t.secrets) > 0 }

// base names an object whose status was written.
type base struct {
	kind string
	types.NamespacedName
}

// said is what of the delivery the statuses of all routes and listeners depend on.
type said struct {
	ready, complete bool
	refused         map[string]string
}

func (s said) equal(other said) bool {
	return s.ready == other.ready && s.complete == other.complete && maps.Equal(s.refused, other.refused)
}

// heard is what of the delivery the Gateway's message depends on.
type heard struct {
	reached, generation uint64
	ready, serving      int
	trouble             string
}

// untold is what may have to be written.
type untold struct {
	// gateway and policies are whether the Gateway's status, and those of its policies, may be others.
	gateway, policies bool
	// sets and routes whose statuses may be others.
	sets   map[types.NamespacedName]untoldSet
	routes map[topology.RouteID]awaited
	// since and latest are when the first and the last of the Gateway's own counts changed that is not told, counted when the last of its
	// ListenerSets' did, aged since when the Gateway's message is of an older table, and waits since when its status, or theirs, waits for
	// a table to be acknowledged.
	since, latest, counted, aged, waits time.Time
}

// awaited is the generation of the table that has a route as it is now, and since when the route's status waits for any to be
// acknowledged; zero while it does not.
type awaited struct {
	generation uint64
	since      time.Time
}

// expect has a route told when the table of a generation is acknowledged. That the route, or all, were decided again in the meantime
// does not begin its waiting anew.
func (u *untold) expect(id topology.RouteID, generation uint64) {
	u.routes[id] = awaited{generation: generation, since: u.routes[id].since}
}

// note remembers that a route changed.
func (r *record) note(id topology.RouteID) {
	r.changes.mu.Lock()
	defer r.changes.mu.Unlock()
	r.changes.routes[id] = true
}

// noteService remembers that a Service changed.
func (r *record) noteService(key types.NamespacedName) {
	r.changes.mu.Lock()
	defer r.changes.mu.Unlock()
	r.changes.services[key] = true
}

// noteListenerSet remembers that a ListenerSet changed.
func (r *record) noteListenerSet(key types.NamespacedName) {
	r.changes.mu.Lock()
	defer r.changes.mu.Unlock()
	r.changes.sets[key] = true
}

// noteSecret remembers that a Secret changed.
func (r *record) noteSecret(key types.NamespacedName) {
	r.changes.mu.Lock()
	defer r.changes.mu.Unlock()
	r.changes.secrets[key] = true
}

// take gives what changed and was not looked at yet.
func (r *record) take() taken {
	r.changes.mu.Lock()
	defer r.changes.mu.Unlock()
	taken := taken{
		routes:   slices.SortedFunc(maps.Keys(r.changes.routes), topology.CompareRouteIDs),
		services: slices.SortedFunc(maps.Keys(r.changes.services), compareNames),
		sets:     slices.SortedFunc(maps.Keys(r.changes.sets), compareNames),
		secrets:  slices.SortedFunc(maps.Keys(r.changes.secrets), compareNames),
	}
	clear(r.changes.routes)
	clear(r.changes.services)
	clear(r.changes.sets)
	clear(r.changes.secrets)
	return taken
}

func compareNames(a, b types.NamespacedName) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// over reports whether something is decided in another way by now.
func (r *record) over(now time.Time) bool {
	return !r.decided.Changes.IsZero() && !now.Before(r.decided.Changes)
}

// until is how long what was decided stays so, where that is another time than when everything was decided; 0 for ever, or until then.
func (r *record) until(now time.Time) time.Duration {
	if r.decided.Changes.Equal(r.due) {
		return 0
	}
	return untilChange(r.decided.Changes, now)
}

// settle keeps what was decided about everything, all of which has to be told.
func (r *record) settle(input topology.Input, granting map[string]bool, decided *topology.Topology, made *made) {
	before, untold := r.untold.routes, make(map[topology.RouteID]awaited, len(decided.Routes))
	// Also those that were not decided: they name the Gateway no longer, and may still carry our entry for it.
	for _, route := range input.Unordered() {
		id := topology.IDOf(route)
		untold[id] = awaited{since: before[id].since}
	}
	r.untold.routes = untold
	input.HTTPRoutes, input.GRPCRoutes, input.TLSRoutes, input.TCPRoutes, input.UDPRoutes = nil, nil, nil, nil, nil
	input.ListenerSets = nil
	r.input, r.granting, r.decided, r.made, r.due = input, granting, decided, made, decided.Changes
	r.policed = map[types.NamespacedName]bool{}
	for _, policy := range input.BackendTLSPolicies {
		for _, service := range topology.PolicyServices(policy) {
			r.policed[service] = true
		}
	}
	r.untold.gateway, r.untold.policies = true, true
	sets := r.untold.sets
	r.untold.sets = make(map[types.NamespacedName]untoldSet, len(decided.ListenerSets))
	for i := range decided.ListenerSets {
		key := decided.ListenerSets[i].Key()
		r.untold.sets[key] = untoldSet{whole: true, since: sets[key].since}
	}
	r.room = spare + 2*r.grown()
	r.forgetBases()
}

// applied notes what came of applying the Gateway's objects.
func (r *record) applied(made *made, problem *topology.Problem) {
	r.mu.Lock()
	defer r.mu.Unlock()
	made.blocked, r.applying, r.untold.gateway = problem, false, true
}

// spare is how many Services, namespaces and grants a Gateway's input may grow by at least.
const spare = 256

// grown is how much the input holds of what grows.
func (r *record) grown() int {
	return len(r.input.Services) + len(r.input.Namespaces) + len(r.input.Grants) + len(r.granting)
}

// forgetBases drops those of objects that the Gateway has nothing to do with any more.
func (r *record) forgetBases() {
	policies := map[types.NamespacedName]bool{}
	for _, policy := range r.input.BackendTLSPolicies {
		policies[client.ObjectKeyFromObject(policy)] = true
	}
	maps.DeleteFunc(r.bases, func(b base, _ string) bool {
		switch b.kind {
		case "Gateway":
			return false
		case "ListenerSet":
			return r.decided.FindListenerSet(b.NamespacedName) == nil
		case "BackendTLSPolicy":
			return !policies[b.NamespacedName]
		}
		id := topology.RouteID{Kind: gatewayv1.Kind(b.kind), Namespace: b.Namespace, Name: b.Name}
		_, untold := r.untold.routes[id]
		return !untold && r.decided.Find(id) == nil
	})
}

// pushed notes the generation of the table that has everything as it is now.
func (r *record) pushed(state push.State) {
	r.generation = state.Generation
	for id := range r.untold.routes {
		r.untold.expect(id, state.Generation)
	}
}

// carryOn notes what became of some routes, in the table of that generation.
func (r *record) carryOn(d *topology.Difference, generation uint64, now time.Time) {
	for _, id := range slices.Concat(d.Decided, d.Gone, d.Shadowed) {
		r.untold.expect(id, generation)
	}
	r.untold.gateway = true
	r.untold.policies = r.untold.policies || d.Policies
	if len(r.bases) > spare+2*len(r.decided.Routes) {
		r.forgetBases()
	}
	if len(d.Opened)+len(d.Closed) > 0 {
		r.generation = generation
	}
	for _, key := range d.ListenerSets {
		r.tellSet(key)
	}
	if len(d.ListenerSets)+len(d.Closed) > 0 {
		// The Gateway may have another number of them.
		r.counted(now)
	}
	for owner := range d.Counted {
		if owner.Name != "" {
			r.countSet(owner, now)
			continue
		}
		r.counted(now)
	}
}

// counted notes that one of the Gateway's own counts may have changed.
func (r *record) counted(now time.Time) {
	if r.untold.since.IsZero() {
		r.untold.since = now
	}
	r.untold.latest = now
}

// tellAll has everything told again.
func (r *record) tellAll() {
	for i := range r.decided.Routes {
		r.tell(topology.IDOf(r.decided.Routes[i].Object))
	}
	for i := range r.decided.ListenerSets {
		r.tellSet(r.decided.ListenerSets[i].Key())
	}
	r.untold.gateway = true
}

// tell has a route told, when all have the generation that it may wait for already.
func (r *record) tell(id topology.RouteID) {
	if _, waits := r.untold.routes[id]; !waits {
		r.untold.routes[id] = awaited{}
	}
}

// wrote notes the version that a status was written on.
func (r *record) wrote(kind string, object client.Object) {
	r.bases[base{kind, client.ObjectKeyFromObject(object)}] = object.GetResourceVersion()
}

// outdated reports whether an object is as it was before its status was written last.
func (r *record) outdated(kind string, object client.Object) bool {
	key := base{kind, client.ObjectKeyFromObject(object)}
	version, written := r.bases[key]
	if !written {
		return false
	}
	if version == object.GetResourceVersion() {
		return true
	}
	delete(r.bases, key)
	return false
}
