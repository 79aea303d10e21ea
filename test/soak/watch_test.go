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

package soak

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// lists are those of the kinds whose statuses are watched.
func lists() []client.ObjectList {
	return []client.ObjectList{
		&gatewayv1.GatewayList{}, &gatewayv1.ListenerSetList{}, &gatewayv1.BackendTLSPolicyList{}, &gatewayv1.HTTPRouteList{},
		&gatewayv1.GRPCRouteList{}, &gatewayv1.TLSRouteList{}, &gatewayv1.TCPRouteList{}, &gatewayv1.UDPRouteList{},
	}
}

// watcher looks at each event of each object that has a status.
type watcher struct {
	t       *testing.T
	tables  *tables
	running sync.WaitGroup

	mu    sync.Mutex
	model *model
	// live are the objects as the last event had them, with what was before.
	live map[types.UID]*life
	// written counts the statuses that were written of each name, and turned how often a condition became another one.
	written map[key]int
	turned  map[turning]int
	events  int
	// still is set while what is ours is taken away, and nothing is there to hold.
	still bool
}

// turning is a condition of an entry of an object.
type turning struct {
	key
	entry, condition string
}

// life is one object from its creation on.
type life struct {
	object client.Object
	// highest is the generation that was observed last, by entry and condition.
	highest map[string]int64
	// specs are the specs of the generations, as far as they are needed.
	specs    map[int64]client.Object
	stranger int
}

func newWatcher(t *testing.T, tables *tables) *watcher {
	return &watcher{t: t, tables: tables, model: newModel(), live: map[types.UID]*life{}, written: map[key]int{}, turned: map[turning]int{}}
}

// start watches from now on.
func (w *watcher) start(ctx context.Context, c client.WithWatch) {
	w.t.Helper()
	for _, list := range lists() {
		if err := c.List(ctx, list); err != nil {
			w.t.Fatal(err)
		}
		w.running.Go(func() { w.follow(ctx, c, list) })
	}
}

// follow takes the events of one kind, again from where it was when the API server ends a watch.
func (w *watcher) follow(ctx context.Context, c client.WithWatch, list client.ObjectList) {
	version := list.GetResourceVersion()
	for ctx.Err() == nil {
		events, err := c.Watch(ctx, list, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true}})
		if err != nil {
			if ctx.Err() == nil {
				w.t.Errorf("watch %T: %v", list, err)
			}
			return
		}
		for event := range events.ResultChan() {
			object, is := event.Object.(client.Object)
			if !is || event.Type == watch.Error {
				if ctx.Err() == nil {
					w.t.Errorf("watch %T: %v", list, event.Object)
				}
				events.Stop()
				return
			}
			version = object.GetResourceVersion()
			w.see(event.Type, object)
		}
		events.Stop()
	}
}

// change notes what is about to happen to an object, and gives it as it was.
func (w *watcher) change(k key, after client.Object) client.Object {
	w.mu.Lock()
	defer w.mu.Unlock()
	before := w.model.objects[k]
	w.model.change(before, after)
	return before
}

// concern notes that something is about to happen that concerns a Gateway and all that belongs to it.
func (w *watcher) concern(k key) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.model.change(w.model.objects[k], w.model.objects[k])
}

// begin counts changes, and what becomes of them, from here on: all that changed before is told.
func (w *watcher) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	clear(w.model.concerned)
	clear(w.written)
	clear(w.turned)
}

func (w *watcher) known(k key) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.model.objects[k] != nil
}

// any picks a route or policy that is there.
func (w *watcher) any(m *maker) client.Object {
	w.mu.Lock()
	defer w.mu.Unlock()
	keys := slices.SortedFunc(maps.Keys(w.model.objects), func(a, b key) int {
		if a.String() != b.String() {
			return compare(a.String(), b.String())
		}
		return compare(a.kind, b.kind)
	})
	keys = slices.DeleteFunc(keys, func(k key) bool {
		_, route := asRoute(w.model.objects[k])
		return !route && k.kind != "BackendTLSPolicy"
	})
	if len(keys) == 0 {
		return nil
	}
	return w.model.objects[keys[m.IntN(len(keys))]]
}

func compare(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

// hush has what is ours taken away from statuses, and may be asked for only while no operator runs.
func (w *watcher) hush(still bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.still = still
}

// see looks at one event.
func (w *watcher) see(kind watch.EventType, object client.Object) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if kind == watch.Bookmark {
		return
	}
	w.events++
	if kind == watch.Deleted {
		delete(w.live, object.GetUID())
		return
	}
	known := w.live[object.GetUID()]
	if known == nil {
		known = &life{highest: map[string]int64{}, specs: map[int64]client.Object{}}
		w.live[object.GetUID()] = known
	}
	before := known.object
	known.object, known.specs[object.GetGeneration()] = object, object
	if w.still {
		clear(known.highest)
		return
	}
	if before != nil && same(before, object) {
		w.fail(object, "nothing changed in version %s after %s", object.GetResourceVersion(), before.GetResourceVersion())
	}
	if before != nil && ourPart(before) != ourPart(object) {
		w.written[keyOf(object)]++
		w.bounded(object)
	}
	w.look(known, before)
}

func same(a, b client.Object) bool {
	a, b = a.DeepCopyObject().(client.Object), b.DeepCopyObject().(client.Object)
	for _, object := range []client.Object{a, b} {
		object.SetResourceVersion("")
		object.SetManagedFields(nil)
	}
	return apiequality.Semantic.DeepEqual(a, b)
}

func (w *watcher) fail(object client.Object, format string, arguments ...any) {
	w.t.Helper()
	k := keyOf(object)
	w.t.Errorf("%s %s generation %d: %s", k.kind, k.NamespacedName, object.GetGeneration(), fmt.Sprintf(format, arguments...))
}

// bounded holds the writes of a status to the changes that concern it. A change may be told twice: that it is not acknowledged
// within the reporter's patience, and that it is; and of a route or a policy by each Gateway that it belongs to.
func (w *watcher) bounded(object client.Object) {
	k := keyOf(object)
	most := 2 * w.model.concerned[k]
	if k.kind != "Gateway" && k.kind != "ListenerSet" && !w.model.calm(object) {
		most *= 3
	}
	if w.written[k] > most {
		w.fail(object, "its status was written %d times, after %d changes that concern it", w.written[k], w.model.concerned[k])
	}
}
