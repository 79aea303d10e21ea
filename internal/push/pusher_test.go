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

package push_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/credentials"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/pki"
	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/test/fixture"
)

var web = push.Key{Namespace: "shop", Name: "web"}

// world is an authority, and Pushers and replicas that trust it.
type world struct {
	t         *testing.T
	authority *pki.Authority
	operator  *pki.Operator
}

func newWorld(t *testing.T) *world {
	t.Helper()
	fixture.NoGoroutinesLeft(t)
	authority := fixture.Authority(t)
	return &world{t: t, authority: authority, operator: fixture.Operator(authority)}
}

// pusher is closed when the test ends, or by the test.
func (w *world) pusher(change func(*push.Options)) *push.Pusher {
	w.t.Helper()
	options := push.Options{
		Credentials: func(key push.Key) credentials.TransportCredentials {
			return fixture.Credentials(w.operator, key.Namespace, key.Name)
		},
		BackoffMin: time.Millisecond, BackoffMax: 20 * time.Millisecond,
	}
	if change != nil {
		change(&options)
	}
	p := push.New(options)
	w.t.Cleanup(p.Close)
	return p
}

func (w *world) replica() *fixture.Replica {
	return fixture.NewReplica(w.t, w.authority, web.Namespace, web.Name)
}

// resource is an endpoints resource with one address.
func resource(name, address string) *adminv1.Resource {
	made := &adminv1.Resource{Name: name, Spec: &adminv1.Resource_Endpoints{Endpoints: &adminv1.Endpoints{
		Endpoints: []*adminv1.Endpoint{{Address: address, Port: 8080, State: adminv1.EndpointState_ENDPOINT_STATE_READY}},
	}}}
	hash, err := adminv1.Hash(made)
	if err != nil {
		panic(err)
	}
	made.Hash = hash
	return made
}

// resources named r000, r001, ... with one address each.
func resources(count int, address string) []*adminv1.Resource {
	list := make([]*adminv1.Resource, 0, count)
	for i := range count {
		list = append(list, resource(fmt.Sprintf("r%03d", i), address))
	}
	return list
}

func ready(replicas ...*fixture.Replica) []push.Replica {
	list := make([]push.Replica, 0, len(replicas))
	for i, r := range replicas {
		list = append(list, push.Replica{ID: fmt.Sprintf("pod-%d", i), Address: r.Address(), Ready: true})
	}
	return list
}

func awaitProgrammed(t *testing.T, p *push.Pusher, replicas ...*fixture.Replica) {
	t.Helper()
	fixture.Eventually(t, "every replica serves the wanted table", func() bool {
		state := p.State(web)
		for _, r := range replicas {
			if r.Hash() != state.TableHash {
				return false
			}
		}
		return state.Programmed() && len(state.Replicas) == len(replicas)
	})
}

func TestPushesTableAndDifferences(t *testing.T) {
	w := newWorld(t)
	a, b := w.replica(), w.replica()
	p := w.pusher(nil)
	p.SetReplicas(web, ready(a, b))
	first := append(resources(250, "10.0.0.1"), resource("z", "10.0.0.1"))
	p.Set(web, first)
	awaitProgrammed(t, p, a, b)
	before := a.Seen()
	if before.Upserts != 251 {
		t.Errorf("%d resources sent to a new replica, want all 251", before.Upserts)
	}

	second := append(resources(249, "10.0.0.1"), resource("r100", "10.0.0.2"), resource("new", "10.0.0.1"))
	second = slices.DeleteFunc(second, func(r *adminv1.Resource) bool { return r == second[100] })
	p.Set(web, second)
	awaitProgrammed(t, p, a, b)
	after := a.Seen()
	if diff := cmp.Diff([]string{"new", "r100"}, after.Names[len(before.Names):]); diff != "" {
		t.Errorf("only what is new or changed travels: %s", diff)
	}
	if removed := after.Removals - before.Removals; removed != 2 {
		t.Errorf("%d removals, want those of r249 and z", removed)
	}
	if state := p.State(web); state.Generation != 2 {
		t.Errorf("generation %d after the second table, want 2", state.Generation)
	}
}

func TestSetEndpointsSendsOneResource(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	p := w.pusher(nil)
	p.SetReplicas(web, ready(r))
	p.Set(web, resources(300, "10.0.0.1"))
	awaitProgrammed(t, p, r)
	p.SetEndpoints(web, resource("r123", "10.0.0.9"))
	awaitProgrammed(t, p, r)
	seen := r.Seen()
	if seen.Upserts != 301 || seen.Names[300] != "r123" {
		t.Errorf("%d resources sent, the last %s: want one more than the table, r123", seen.Upserts, seen.Names[len(seen.Names)-1])
	}
}

func TestUnchangedWorldSendsNothing(t *testing.T) {
	w := newWorld(t)
	a, b := w.replica(), w.replica()
	p := w.pusher(nil)
	p.SetReplicas(web, ready(a, b))
	p.Set(web, resources(200, "10.0.0.1"))
	p.Set(web, resources(200, "10.0.0.2"))
	awaitProgrammed(t, p, a, b)
	wanted, before := p.State(web), a.Seen()

	for range 20 {
		p.Set(web, resources(200, "10.0.0.2"))
		p.SetEndpoints(web, resource("r001", "10.0.0.2"))
		p.SetReplicas(web, ready(a, b))
	}
	// A change of one more resource comes after all of the above, and so shows that nothing else was sent for them.
	p.SetEndpoints(web, resource("r002", "10.0.0.3"))
	awaitProgrammed(t, p, a, b)
	after := a.Seen()
	if after.Upserts != before.Upserts+1 || after.Commits != before.Commits+1 {
		t.Errorf("%d resources in %d commits were sent, want one in one",
			after.Upserts-before.Upserts, after.Commits-before.Commits)
	}
	if state := p.State(web); state.Generation != wanted.Generation+1 {
		t.Errorf("generation %d, want %d: equal tables must not count", state.Generation, wanted.Generation+1)
	}
}

func TestRestartInUnchangedWorld(t *testing.T) {
	w := newWorld(t)
	a, b := w.replica(), w.replica()
	a.Quarantine("r007", adminv1.ErrorCode_ERROR_CODE_INVALID, "port 0: has to be 1 to 65535")
	first := w.pusher(nil)
	first.SetReplicas(web, ready(a, b))
	for i := range 5 {
		first.Set(web, resources(200, fmt.Sprintf("10.0.0.%d", i)))
		awaitProgrammed(t, first, a, b)
	}
	wanted := first.State(web)
	first.Close()
	seenA, seenB := a.Seen(), b.Seen()

	var mu sync.Mutex
	var settled []push.State
	var second *push.Pusher
	created := make(chan struct{})
	second = w.pusher(func(o *push.Options) {
		o.OnChange = func(key push.Key) {
			<-created
			if state := second.State(key); state.Settled() {
				mu.Lock()
				settled = append(settled, state)
				mu.Unlock()
			}
		}
	})
	close(created)
	second.SetReplicas(web, ready(a, b))
	second.Set(web, resources(200, "10.0.0.4"))
	awaitProgrammed(t, second, a, b)
	if diff := cmp.Diff(wanted, second.State(web)); diff != "" {
		t.Errorf("the state after a restart in an unchanged world: %s", diff)
	}
	for name, counts := range map[string][2]fixture.Seen{"a": {seenA, a.Seen()}, "b": {seenB, b.Seen()}} {
		if counts[0].Updates != counts[1].Updates {
			t.Errorf("replica %s was sent %d updates by the restart, want none", name, counts[1].Updates-counts[0].Updates)
		}
	}
	fixture.Eventually(t, "the settled state is told", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(settled) > 0
	})
	mu.Lock()
	defer mu.Unlock()
	for _, state := range settled {
		if diff := cmp.Diff(wanted, state); diff != "" {
			t.Errorf("a status written from a settled state would flap: %s", diff)
		}
	}
}

func TestRestartWithOtherTable(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	first := w.pusher(nil)
	first.SetReplicas(web, ready(r))
	for i := range 3 {
		first.Set(web, resources(10, fmt.Sprintf("10.0.0.%d", i)))
		awaitProgrammed(t, first, r)
	}
	first.Close()
	second := w.pusher(nil)
	second.Set(web, resources(10, "10.0.1.1"))
	second.SetReplicas(web, ready(r))
	awaitProgrammed(t, second, r)
	if state := second.State(web); state.Generation != 4 {
		t.Errorf("generation %d, want 4: the replica remembers 3 for another table", state.Generation)
	}
}

func TestReplicaThatReturns(t *testing.T) {
	cases := map[string]struct {
		reason string
		away   func(*fixture.Replica)
		want   int
	}{
		"WithItsTable": {
			reason: "a container that restarts with its last table needs nothing",
			away:   func(*fixture.Replica) {}, want: 0,
		},
		"Empty": {
			reason: "one that lost its table gets all of it",
			away:   func(r *fixture.Replica) { r.Wipe() }, want: 150,
		},
		"WithAnotherTable": {
			reason: "what changed while it was away is found by its inventory",
			away:   func(r *fixture.Replica) { r.Tamper("r003", "other") }, want: 1,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := w.replica()
			p := w.pusher(nil)
			p.SetReplicas(web, ready(r))
			p.Set(web, resources(150, "10.0.0.1"))
			awaitProgrammed(t, p, r)
			before := r.Seen()
			r.Stop()
			fixture.Eventually(t, "the loss is seen", func() bool {
				replica := p.State(web).Replicas[0]
				return !replica.Connected && replica.Problem != ""
			})
			tc.away(r)
			r.Start()
			fixture.Eventually(t, "it serves the wanted table again", func() bool {
				state := p.State(web)
				return state.Replicas[0].Connected && state.Programmed() && r.Seen().Commits > before.Commits && r.Hash() == state.TableHash
			})
			if sent := r.Seen().Upserts - before.Upserts; sent != tc.want {
				t.Errorf("%s: %d resources were sent, want %d", tc.reason, sent, tc.want)
			}
		})
	}
}

func TestReplicasComeAndGo(t *testing.T) {
	w := newWorld(t)
	a, b := w.replica(), w.replica()
	p := w.pusher(nil)
	p.Set(web, resources(3, "10.0.0.1"))
	p.SetReplicas(web, ready(a))
	awaitProgrammed(t, p, a)

	p.SetReplicas(web, ready(a, b))
	awaitProgrammed(t, p, a, b)
	sessions := a.Seen().Sessions

	p.SetReplicas(web, ready(a))
	fixture.Eventually(t, "the session with the replica that is gone ends", func() bool { return !b.Report() })
	p.Set(web, resources(3, "10.0.0.2"))
	awaitProgrammed(t, p, a)
	if a.Seen().Sessions != sessions {
		t.Error("the session with the replica that stayed was opened again")
	}

	p.SetReplicas(web, []push.Replica{{ID: "pod-0", Address: b.Address(), Ready: true}})
	awaitProgrammed(t, p, b)
	fixture.Eventually(t, "the session at the old address ends", func() bool { return !a.Report() })

	p.Forget(web)
	fixture.Eventually(t, "the sessions of a Gateway that is gone end", func() bool { return !b.Report() })
	if diff := cmp.Diff(push.State{}, p.State(web)); diff != "" {
		t.Errorf("nothing is known of a Gateway that is forgotten: %s", diff)
	}
}

func TestProgrammedCountsReadyReplicas(t *testing.T) {
	w := newWorld(t)
	a, b := w.replica(), w.replica()
	p := w.pusher(nil)
	p.Set(web, resources(3, "10.0.0.1"))
	replicas := ready(a, b)
	replicas[1].Ready = false
	b.Misbehave(fixture.Misbehaviour{Mute: true})
	p.SetReplicas(web, replicas)
	fixture.Eventually(t, "Programmed while the replica that is not ready has nothing", func() bool {
		return p.State(web).Programmed()
	})
	replicas = ready(a, b)
	p.SetReplicas(web, replicas)
	if p.State(web).Programmed() {
		t.Error("Programmed although a ready replica has not acknowledged")
	}
	p.SetReplicas(web, nil)
	if p.State(web).Programmed() {
		t.Error("Programmed although there is no replica")
	}
}

func TestChangesWhileAwaitingAcknowledgementAreCoalesced(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	p := w.pusher(func(o *push.Options) { o.AckTimeout = time.Hour })
	r.Misbehave(fixture.Misbehaviour{Mute: true})
	p.SetReplicas(web, ready(r))
	p.Set(web, resources(10, "10.0.0.0"))
	fixture.Eventually(t, "the first commit arrives", func() bool { return r.Seen().Commits == 1 })
	for i := range 50 {
		p.Set(web, resources(10, fmt.Sprintf("10.0.0.%d", i+1)))
	}
	r.Misbehave(fixture.Misbehaviour{})
	r.Stop()
	r.Start()
	awaitProgrammed(t, p, r)
	if seen := r.Seen(); seen.Commits != 2 {
		t.Errorf("%d commits, want the first and the last", seen.Commits)
	}
	if state := p.State(web); state.Generation != 51 {
		t.Errorf("generation %d, want 51: each different table has its own", state.Generation)
	}
}

func TestLargeTableTravelsInChunks(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	p := w.pusher(nil)
	list := resources(300, "10.0.0.1")
	for i := range 200 {
		list = append(list, resource(fmt.Sprintf("large-%03d", i), strings.Repeat("x", 40<<10)))
	}
	list = append(list, resource("huge", strings.Repeat("x", 16<<20-2<<10)), resource("impossible", strings.Repeat("x", 17<<20)))
	p.SetReplicas(web, ready(r))
	p.Set(web, list)
	awaitProgrammed(t, p, r)
	if _, held := r.Table(); len(held) != 501 {
		t.Errorf("the replica holds %d resources, want 501", len(held))
	}
	state := p.State(web)
	if len(state.Unsendable) != 1 || state.Unsendable[0].Name != "impossible" {
		t.Errorf("unsendable: %v, want the resource that no message carries", state.Unsendable)
	}
	if diff := cmp.Diff(state.Unsendable, state.ResourceErrors()); diff != "" {
		t.Errorf("what was not sent is reported like what was refused: %s", diff)
	}
}

func TestMetrics(t *testing.T) {
	w := newWorld(t)
	r := w.replica()
	registry := prometheus.NewRegistry()
	p := w.pusher(func(o *push.Options) { o.Registerer = registry })
	p.SetReplicas(web, ready(r))
	p.Set(web, resources(5, "10.0.0.1"))
	awaitProgrammed(t, p, r)
	p.Set(web, resources(4, "10.0.0.1"))
	awaitProgrammed(t, p, r)
	want := map[string]float64{
		"rauta_push_resources_total/upsert": 5, "rauta_push_resources_total/removal": 1,
		"rauta_push_commits_total/acknowledged": 2, "rauta_push_commits_total/refused": 0,
		"rauta_push_drift_total": 0, "rauta_push_session_failures_total": 0, "rauta_push_sessions": 1,
	}
	got := gathered(t, registry)
	// What was sent second is a name only.
	first := float64(r.Seen().LargestUpdate)
	if bytes := got["rauta_push_bytes_total"]; bytes <= first || bytes >= 2*first {
		t.Errorf("%v bytes pushed, of which %v with the first update", bytes, first)
	}
	delete(got, "rauta_push_bytes_total")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	p.Close()
	if open := gathered(t, registry)["rauta_push_sessions"]; open != 0 {
		t.Errorf("%v sessions open after Close", open)
	}
}

// gathered is the value of each counter and gauge, by name and label value.
func gathered(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			name := family.GetName()
			for _, label := range metric.GetLabel() {
				name += "/" + label.GetValue()
			}
			switch {
			case metric.GetCounter() != nil:
				values[name] = metric.GetCounter().GetValue()
			case metric.GetGauge() != nil:
				values[name] = metric.GetGauge().GetValue()
			}
		}
	}
	return values
}
