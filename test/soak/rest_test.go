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
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/test/fixture"
)

// quiet is how long an operator that has read everything and has nothing queued has to write nothing to be at rest. It is longer than
// its longest pause for what it tells later.
const quiet = 3 * time.Second

// rest waits until an operator has nothing to do: it has read everything, its queues are empty, and it goes on writing nothing.
func (s *soak) rest() {
	s.t.Helper()
	since, last, why := time.Now(), -1, ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		taken, _ := s.operator.writes.counts()
		if why = s.busy(); why != "" || taken != last {
			since, last = time.Now(), taken
			continue
		}
		if time.Since(since) >= quiet {
			return
		}
	}
	s.t.Fatalf("the operator does not come to rest: %s", why)
}

// busy says what keeps an operator from resting; empty where nothing does.
func (s *soak) busy() string {
	families, err := metrics.Registry.Gather()
	if err != nil {
		return err.Error()
	}
	for _, family := range families {
		if name := family.GetName(); name != "workqueue_depth" && name != "controller_runtime_active_workers" {
			continue
		}
		for _, metric := range family.GetMetric() {
			if metric.GetGauge().GetValue() > 0 {
				return fmt.Sprint(family.GetName(), metric.GetLabel())
			}
		}
	}
	for _, list := range append(lists(), &corev1.ServiceList{}, &discoveryv1.EndpointSliceList{}, &gatewayv1.ReferenceGrantList{}) {
		live := versions(s.t.Context(), s.world, list)
		if read := versions(s.t.Context(), s.operator.cache, list); !maps.Equal(read, live) {
			return fmt.Sprintf("%T: it has read %v, and there is %v", list, read, live)
		}
		if s.watcher.counts(list) && !maps.Equal(s.watcher.versions(list), live) {
			return fmt.Sprintf("%T: events are on their way", list)
		}
	}
	return ""
}

func versions(ctx context.Context, reader client.Reader, list client.ObjectList) map[string]string {
	if err := reader.List(ctx, list); err != nil {
		return map[string]string{"error": err.Error()}
	}
	found := map[string]string{}
	for _, object := range items(list) {
		found[string(object.GetUID())] = object.GetResourceVersion()
	}
	return found
}

func items(list client.ObjectList) []client.Object {
	found, err := apimeta.ExtractList(list)
	if err != nil {
		return nil
	}
	objects := make([]client.Object, 0, len(found))
	for _, item := range found {
		objects = append(objects, item.(client.Object))
	}
	return objects
}

// counts reports whether the objects of a list are watched.
func (w *watcher) counts(list client.ObjectList) bool {
	return slices.ContainsFunc(lists(), func(l client.ObjectList) bool { return fmt.Sprintf("%T", l) == fmt.Sprintf("%T", list) })
}

// versions are those of the last events of the objects in a list.
func (w *watcher) versions(list client.ObjectList) map[string]string {
	kind := strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%T", list), "*v1."), "List")
	w.mu.Lock()
	defer w.mu.Unlock()
	found := map[string]string{}
	for uid, known := range w.live {
		if kindOf(known.object) == kind {
			found[string(uid)] = known.object.GetResourceVersion()
		}
	}
	return found
}

// statuses are all objects that have one.
func (s *soak) statuses() map[key]client.Object {
	s.t.Helper()
	all := map[key]client.Object{}
	for _, list := range lists() {
		if err := s.List(s.t.Context(), list); err != nil {
			s.t.Fatal(err)
		}
		for _, object := range items(list) {
			all[keyOf(object)] = object
		}
	}
	return all
}

// said is all that an operator has to say: nothing of what is another controller's, or nobody's.
func (s *soak) said() map[key][]string {
	s.t.Helper()
	all, said := s.statuses(), map[key][]string{}
	for k, object := range all {
		gateway, is := object.(*gatewayv1.Gateway)
		if is && gateway.Spec.GatewayClassName != className || orphaned(object, all) {
			continue
		}
		said[k] = told(object)
	}
	return said
}

// compare replaces the operator by one that knows nothing, and takes away all that was said. What that one says has to be the same,
// and to the proxies it has nothing to say.
func (s *soak) compare() {
	s.t.Helper()
	before := s.said()
	s.operator.stop(s.t)
	s.watcher.hush(true)
	for k, object := range s.statuses() {
		if gateway, is := object.(*gatewayv1.Gateway); is && gateway.Spec.GatewayClassName != className {
			continue
		}
		blank(object)
		if err := s.world.Status().Update(s.t.Context(), object); err != nil {
			s.t.Fatal(err)
		}
		s.watcher.mu.Lock()
		s.watcher.model.concerned[k]++
		s.watcher.mu.Unlock()
	}
	for _, list := range lists() {
		fixture.Eventually(s.t, "all that was taken away is seen", func() bool {
			return maps.Equal(s.watcher.versions(list), versions(s.t.Context(), s.world, list))
		})
	}
	s.watcher.hush(false)
	pushed := s.tables.pushes()
	s.operator = startOperator(s.world)
	differs := func() string { return cmp.Diff(before, s.said()) }
	if !fixture.Poll(patience/2, func() bool { return differs() == "" }) {
		s.t.Fatalf("a fresh operator says something else (-before +fresh):\n%s", differs())
	}
	s.rest()
	if diff := differs(); diff != "" {
		s.t.Fatalf("a fresh operator says something else at rest (-before +fresh):\n%s", diff)
	}
	if sent := s.tables.pushes() - pushed; sent > 0 {
		s.t.Errorf("a fresh operator sent %d resources to proxies that have them", sent)
	}
}

// measured are what must not grow.
type measured struct {
	goroutines int
	heap       uint64
}

func measure() measured {
	runtime.GC()
	runtime.GC()
	memory := runtime.MemStats{}
	runtime.ReadMemStats(&memory)
	return measured{goroutines: runtime.NumGoroutine(), heap: memory.HeapAlloc}
}
