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
	"context"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/status"
)

// A Gateway may have a thousand ListenerSets, with counts of attached routes that all change while many routes come. So that those are not
// as many writes as there are routes, counts are told once they rest; while they go on changing, a few at a time, the longest untold
// first. All else about a ListenerSet is told at once.
const (
	// setsAtOnce bounds how many ListenerSets are written in one go, for which the routes' statuses wait.
	setsAtOnce = 64
	// setsInBetween is how many are told in a roundPause while counts go on changing.
	setsInBetween = 16
	roundPause    = time.Second
	// quietOfEach is how long, for each ListenerSet whose count is untold, no count may have changed for them to rest: about as
	// long as it takes to write one.
	quietOfEach = time.Millisecond
	// soon is when the next of what is to be written is.
	soon = time.Millisecond
)

// untoldSet is what may have to be written of a ListenerSet.
type untoldSet struct {
	// whole is whether more may differ than its counts.
	whole bool
	// since is when the first of its counts changed that is not told; zero for none.
	since time.Time
}

// tellSet has a ListenerSet told.
func (r *record) tellSet(key types.NamespacedName) {
	r.untold.sets[key] = untoldSet{whole: true, since: r.untold.sets[key].since}
}

// countSet notes that a count of a ListenerSet has changed.
func (r *record) countSet(key types.NamespacedName, now time.Time) {
	untold := r.untold.sets[key]
	if untold.since.IsZero() {
		untold.since = now
	}
	r.untold.sets[key], r.untold.counted = untold, now
}

// countsDue are the ListenerSets whose counts, and nothing else, are to be told now, the longest untold first; and for how long the
// others may be left as they are, 0 where there are none.
func (r *record) countsDue(now time.Time) ([]types.NamespacedName, time.Duration) {
	var counted int
	var oldest time.Time
	for _, untold := range r.untold.sets {
		if untold.whole {
			continue
		}
		if counted == 0 || untold.since.Before(oldest) {
			oldest = untold.since
		}
		counted++
	}
	if counted == 0 {
		return nil, 0
	}
	rest := max(countQuiet, time.Duration(counted)*quietOfEach) - now.Sub(r.untold.counted)
	if rest <= 0 {
		return r.longestUntold(counted), 0
	}
	if round := max(oldest.Add(countPatience).Sub(now), r.round.Add(roundPause).Sub(now)); round > 0 {
		return nil, min(rest, round)
	}
	r.round = now
	if counted <= setsInBetween {
		return r.longestUntold(counted), 0
	}
	return r.longestUntold(setsInBetween), min(rest, roundPause)
}

// longestUntold are some of the ListenerSets of which nothing but counts is untold.
func (r *record) longestUntold(most int) []types.NamespacedName {
	counted := r.untoldSets(false)
	slices.SortStableFunc(counted, func(a, b types.NamespacedName) int {
		return r.untold.sets[a].since.Compare(r.untold.sets[b].since)
	})
	return counted[:most]
}

// setGathering collects the statuses of one Gateway's ListenerSets.
type setGathering struct {
	*reporter
	known *record
	batch *batch
	// What the statuses depend on beside what was decided about the ListenerSets.
	gateway *gatewayv1.Gateway
	facts   *status.GatewayFacts
}

// gather collects what is to be written now, and says when to look again for what is not yet.
func (g *setGathering) gather(ctx context.Context) (again time.Duration, err error) {
	for _, key := range g.known.untoldSets(true) {
		pause, err := g.one(ctx, key, status.Differs)
		if err != nil || pause == soon {
			return pause, err
		}
		again = earlier(again, pause)
	}
	due, rest := g.known.countsDue(g.now())
	for _, key := range due {
		pause, err := g.one(ctx, key, status.CountsDiffer)
		if err != nil || pause == soon {
			return pause, err
		}
		again = earlier(again, pause)
	}
	return earlier(again, rest), nil
}

// one collects the status of a ListenerSet, if it differs as much as it has to. It says when to look again, soon where the batch is full.
func (g *setGathering) one(ctx context.Context, key types.NamespacedName, least status.Difference) (again time.Duration, err error) {
	if len(g.batch.sets) == setsAtOnce {
		return soon, nil
	}
	decided := g.known.decided.FindListenerSet(key)
	if decided == nil {
		delete(g.known.untold.sets, key)
		return 0, nil
	}
	object, err := g.sets.get(ctx, key)
	if err != nil {
		return 0, err
	}
	if object != nil && g.known.outdated("ListenerSet", object) {
		return cachePause, nil
	}
	if object == nil || object.Generation != decided.Object.Generation || object.UID != decided.Object.UID {
		// It has changed again, and will be decided again.
		delete(g.known.untold.sets, key)
		return 0, nil
	}
	g.sets.tell(object)
	set := *decided
	set.Object = object
	update := status.ListenerSetUpdate{ListenerSet: object, Status: status.ListenerSet(&set, g.gateway, g.known.decided, g.facts, g.now())}
	difference := update.Difference()
	if difference == status.CountsDiffer && least == status.Differs {
		g.known.leaveCounts(key, g.now())
		return 0, nil
	}
	delete(g.known.untold.sets, key)
	if difference != status.Same {
		g.batch.sets = append(g.batch.sets, update)
	}
	return 0, nil
}

// leaveCounts notes that nothing of a ListenerSet is untold but counts.
func (r *record) leaveCounts(key types.NamespacedName, now time.Time) {
	since := r.untold.sets[key].since
	if since.IsZero() {
		since = now
	}
	r.untold.sets[key] = untoldSet{since: since}
}

// untoldSets are the ListenerSets of which more may differ than counts, or those of which only they do, by namespace and name.
func (r *record) untoldSets(whole bool) []types.NamespacedName {
	var keys []types.NamespacedName
	for key, untold := range r.untold.sets {
		if untold.whole == whole {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b types.NamespacedName) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return keys
}
