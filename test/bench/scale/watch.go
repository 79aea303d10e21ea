//go:build linux

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

package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// observer sees what becomes of the routes' and the Gateway's statuses, and when.
type observer struct {
	mu sync.Mutex
	// accepted holds, by route, the generation that was accepted last, and when that was seen.
	accepted map[string]acceptance
	// counts of attached routes that the Gateway, or its ListenerSets together, said, in order of time.
	counts []count
	ofSets map[string]int32
	wake   chan struct{}
}

type acceptance struct {
	generation int64
	at         time.Time
}

type count struct {
	routes int32
	at     time.Time
}

// observe watches until ctx ends. Watches begin before it returns.
func (w *world) observe(ctx context.Context) (*observer, error) {
	o := &observer{accepted: map[string]acceptance{}, ofSets: map[string]int32{}, wake: make(chan struct{}, 1)}
	for _, list := range []client.ObjectList{&gatewayv1.GatewayList{}, &gatewayv1.ListenerSetList{}} {
		watching, err := w.watchFrom(ctx, list, "")
		if err != nil {
			return nil, err
		}
		go o.follow(ctx, w, list, watching)
	}
	return o, o.followRoutes(ctx, w)
}

// watchFrom watches what happens after a version; without one it begins with all that is there.
func (w *world) watchFrom(ctx context.Context, list client.ObjectList, version string) (watch.Interface, error) {
	raw := &metav1.ListOptions{ResourceVersion: version, AllowWatchBookmarks: true}
	watching, err := w.Watch(ctx, list, client.InNamespace(namespace), &client.ListOptions{Raw: raw})
	if err != nil {
		return nil, fmt.Errorf("watch %T: %w", list, err)
	}
	return watching, nil
}

// follow sees what a watch tells, and watches again when the API server has ended it, as it does with those that are slow to
// read: from where it ended, as thousands of objects that are read again would be what makes it slow.
func (o *observer) follow(ctx context.Context, w *world, list client.ObjectList, watching watch.Interface) {
	version := ""
	for {
		for event := range watching.ResultChan() {
			version = versionOf(event)
			if event.Type != watch.Bookmark {
				o.see(event, time.Now())
			}
		}
		watching.Stop()
		if pause(ctx, 10*time.Millisecond) != nil {
			return
		}
		again, err := w.watchFrom(ctx, list, version)
		if err != nil {
			progress("  %v", err)
			again, version = watch.NewEmptyWatch(), ""
		}
		watching = again
	}
}

// versionOf is that of an event's object; empty for an error, after which there is nothing to go on from.
func versionOf(event watch.Event) string {
	object, is := event.Object.(client.Object)
	if !is || event.Type == watch.Error {
		return ""
	}
	return object.GetResourceVersion()
}

func (o *observer) see(event watch.Event, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch object := event.Object.(type) {
	case *gatewayv1.Gateway:
		o.count("", attachedRoutes(object.Status.Listeners), now)
	case *gatewayv1.ListenerSet:
		var routes int32
		for i := range object.Status.Listeners {
			routes += object.Status.Listeners[i].AttachedRoutes
		}
		o.count(object.Name, routes, now)
	}
	o.ring()
}

// seeRoute notes what an event says of a route.
func (o *observer) seeRoute(seen *sighting, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	name := seen.Object.Metadata.Name
	if seen.Type == watch.Deleted {
		delete(o.accepted, name)
	} else if generation := acceptedGeneration(&seen.Object.Status); generation > o.accepted[name].generation {
		o.accepted[name] = acceptance{generation: generation, at: now}
	}
	o.ring()
}

func (o *observer) ring() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// count notes the routes of the Gateway, or of a ListenerSet, when they have become others.
func (o *observer) count(set string, routes int32, now time.Time) {
	if o.ofSets[set] == routes {
		return
	}
	o.ofSets[set] = routes
	var all int32
	for routes := range maps.Values(o.ofSets) {
		all += routes
	}
	o.counts = append(o.counts, count{routes: all, at: now})
}

// await waits until what was seen is enough.
func (o *observer) await(ctx context.Context, w *world, what string, enough func(o *observer) bool) error {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		o.mu.Lock()
		done := enough(o)
		o.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
		case <-o.wake:
		case <-look.C:
			if err := w.operator.gone(); err != nil {
				return err
			}
			if err := w.proxy.gone(); err != nil {
				return err
			}
		}
	}
}

// allAccepted reports whether that many routes are accepted, and attached.
func allAccepted(routes int) func(*observer) bool {
	return func(o *observer) bool { return len(o.accepted) == routes && o.attached() == int32(routes) }
}

func (o *observer) attached() int32 {
	if len(o.counts) == 0 {
		return 0
	}
	return o.counts[len(o.counts)-1].routes
}

// lastAccepted is when the last of the routes was accepted, and rightSince since when the count is what it is now.
func (o *observer) lastAccepted() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	times := make([]time.Time, 0, len(o.accepted))
	for a := range maps.Values(o.accepted) {
		times = append(times, a.at)
	}
	return slices.MaxFunc(times, time.Time.Compare)
}

func (o *observer) rightSince() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.counts[len(o.counts)-1].at
}

// acceptedGeneration is the generation of a route that is accepted and programmed; 0 for none.
func acceptedGeneration(status *gatewayv1.RouteStatus) int64 {
	for i := range status.Parents {
		conditions := status.Parents[i].Conditions
		if !conditionTrue(conditions, string(gatewayv1.RouteConditionAccepted)) || !conditionTrue(conditions, "rauta.dev/Programmed") {
			continue
		}
		for j := range conditions {
			if conditions[j].Type == "rauta.dev/Programmed" {
				return conditions[j].ObservedGeneration
			}
		}
	}
	return 0
}

func attachedRoutes(listeners []gatewayv1.ListenerStatus) int32 {
	var routes int32
	for i := range listeners {
		routes += listeners[i].AttachedRoutes
	}
	return routes
}
