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

package convergence

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rauta-dev/rauta/internal/push"
	"github.com/rauta-dev/rauta/test/fixture"
)

var (
	seed   = flag.Uint64("seed", 0, "seed of the random breakages; 0 for another one each time")
	rounds = flag.Int("rounds", 6, "rounds of breaking and looking")
)

const routes = 150

// TestConvergesAfterCuts lets the wanted table change while connections are cut after random numbers of bytes, the
// operator is killed and replaced, and replicas are killed and come back empty. After each round of that, everything is
// left alone, and all replicas have to serve the wanted table.
func TestConvergesAfterCuts(t *testing.T) {
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	t.Logf("repeat with -seed %d", chosen)
	random := rand.New(rand.NewPCG(chosen, 1))
	s := newSite(t)
	w := &wreck{
		site: s, random: random, replicas: []*replica{s.replica(), s.replica()},
	}
	for i, r := range w.replicas {
		w.relays = append(w.relays, fixture.NewRelay(t, r.address, rand.New(rand.NewPCG(chosen, uint64(2+i)))))
	}
	w.startOperator()
	defer func() { w.operator.Close() }()
	for round := range *rounds {
		w.breakThings(t)
		w.leaveAlone()
		awaitProgrammed(t, w.operator, w.replicas...)
		for _, r := range w.replicas {
			r.serves(w.edition)
		}
		cuts := w.relays[0].Cuts() + w.relays[1].Cuts()
		t.Logf("round %d: table %d served everywhere after %d cuts, %d operators, %d replicas killed",
			round, w.edition, cuts, w.operators, w.killed)
	}
	if cuts := w.relays[0].Cuts() + w.relays[1].Cuts(); cuts == 0 {
		t.Error("no connection was cut: this test has shown nothing")
	}
	w.restartsInPeace(t)
}

// wreck is a site on which everything breaks.
type wreck struct {
	site     *site
	random   *rand.Rand
	replicas []*replica
	relays   []*fixture.Relay
	operator *push.Pusher
	// edition of the table that is wanted.
	edition           int
	operators, killed int
}

func (w *wreck) startOperator() {
	w.operators++
	w.operator = w.site.start()
	w.operator.SetReplicas(web, asReplicas(w.relays[0].Address(), w.relays[1].Address()))
	w.operator.Set(web, w.site.table(w.edition, routes))
}

// breakThings takes some steps, each of which changes what is wanted or breaks something, with pauses so short that
// most steps meet a push under way.
func (w *wreck) breakThings(t *testing.T) {
	for range 15 + w.random.IntN(15) {
		switch w.random.IntN(10) {
		case 0, 1, 2, 3:
			w.edition++
			w.operator.Set(web, w.site.table(w.edition, routes))
		case 4:
			// Only the endpoints are of another edition then; the next table corrects that.
			w.operator.SetEndpoints(web, w.site.endpoints(w.random.IntN(200)))
		case 5, 6:
			for _, relay := range w.relays {
				relay.Cut(1 + w.random.Int64N(60_000))
			}
		case 7:
			w.relays[w.random.IntN(len(w.relays))].Sever()
		case 8:
			w.operator.Close()
			w.startOperator()
		case 9:
			dying := w.replicas[w.random.IntN(len(w.replicas))]
			dying.kill()
			dying.start()
			w.killed++
		}
		time.Sleep(time.Duration(w.random.IntN(15)) * time.Millisecond)
		if t.Failed() {
			return
		}
	}
}

// leaveAlone stops the breaking, and wants one more table.
func (w *wreck) leaveAlone() {
	for _, relay := range w.relays {
		relay.Cut(0)
		relay.Sever()
	}
	w.edition++
	w.operator.Set(web, w.site.table(w.edition, routes))
}

// restartsInPeace looks at what an operator does that starts anew in a world in which nothing has changed.
func (w *wreck) restartsInPeace(t *testing.T) {
	t.Helper()
	before, sent := w.operator.State(web), w.site.sent.Load()
	w.operator.Close()
	w.startOperator()
	awaitProgrammed(t, w.operator, w.replicas...)
	after := w.operator.State(web)
	if after.Generation != before.Generation || after.TableHash != before.TableHash {
		t.Errorf("generation %d of table %s after a restart, before it %d of %s",
			after.Generation, after.TableHash, before.Generation, before.TableHash)
	}
	for range 10 {
		w.operator.Set(web, w.site.table(w.edition, routes))
	}
	if now := w.site.sent.Load(); now != sent {
		t.Errorf("%d resources were sent in a world in which nothing has changed", now-sent)
	}
}

// TestEveryCutOfOnePush cuts one push after each of many numbers of bytes in turn, from within the handshake to past
// its end, so that no stage of it is left to chance.
func TestEveryCutOfOnePush(t *testing.T) {
	s := newSite(t)
	r := s.replica()
	relay := newCutter(t, r.address)
	edition := 0
	for at := int64(1); at < 40_000; at += 1_511 {
		edition++
		relay.cutOnceAt(at)
		p := s.start()
		p.SetReplicas(web, asReplicas(relay.address()))
		p.Set(web, s.table(edition, routes))
		awaitProgrammed(t, p, r)
		p.Close()
		r.serves(edition)
		if t.Failed() {
			t.Fatalf("after a cut at byte %d", at)
		}
	}
}
