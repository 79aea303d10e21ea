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
	"flag"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/controller"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

var (
	seed     = flag.Uint64("seed", 0, "seed of the changes; 0 for another one each time")
	duration = flag.Duration("duration", 3*time.Second, "how long things change")
	round    = flag.Duration("round", 30*time.Second, "how long things change before they rest")
	pace     = flag.Duration("pace", 20*time.Millisecond, "from one change to the next, where the machine is fast enough")
)

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	os.Exit(m.Run())
}

// soak is one run.
type soak struct {
	*world
	watcher  *watcher
	changer  *changer
	operator *operator
}

// TestStatusesUnderChange has everything change that statuses depend on, and looks at each event of each status. Now and then
// everything rests, and an operator that knows nothing has to say the same.
func TestStatusesUnderChange(t *testing.T) {
	chosen := *seed
	if chosen == 0 {
		chosen = rand.Uint64()
	}
	t.Logf("repeat with -seed %d -duration %s", chosen, *duration)
	s := newSoak(t, chosen)
	defer func() { s.operator.stop(t) }()
	first := measured{}
	for left := *duration; left > 0; left -= *round {
		s.change(min(left, *round))
		s.changer.settle(t)
		s.rest()
		s.settled()
		s.compare()
		s.settled()
		s.told()
		s.watcher.begin()
		now := measure()
		if first.heap == 0 {
			first = now
		}
		t.Logf("%d goroutines, %d KiB of heap", now.goroutines, now.heap>>10)
		// The number of objects, and of what proxies listen on, is another one each time.
		if now.goroutines > first.goroutines+200 || now.heap > first.heap+32<<20 {
			t.Errorf("%+v after the first round has become %+v", first, now)
		}
		if t.Failed() {
			t.Fatalf("after %s", s.changer.recent())
		}
	}
}

func newSoak(t *testing.T, chosen uint64) *soak {
	t.Helper()
	w := newWorld(t)
	m := &maker{Rand: rand.New(rand.NewPCG(chosen, 0))}
	for range 3 {
		chain, key := topologytest.KeyPair(t, "a.test")
		m.pairs = append(m.pairs, pair{chain, key})
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &soak{world: w, watcher: newWatcher(t, w.tables)}
	s.changer = newChanger(m, w, s.watcher)
	t.Cleanup(func() {
		cancel()
		s.watcher.running.Wait()
	})
	s.watcher.start(ctx, w)
	for name, controllerName := range map[string]string{className: controller.DefaultControllerName, "other": stranger} {
		w.mustCreate(&gatewayv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: gatewayv1.GatewayClassSpec{ControllerName: gatewayv1.GatewayController(controllerName)}})
	}
	s.operator = startOperator(w)
	foreign := m.gateway("blue", "foreign").(*gatewayv1.Gateway)
	foreign.Spec.GatewayClassName = "other"
	w.mustCreate(foreign)
	for _, namespace := range []string{"red", "blue"} {
		s.watcher.change(key{"Namespace", types.NamespacedName{Name: namespace}}, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace, Labels: map[string]string{"open": "yes"}}})
		for _, name := range []string{"tls-0", "tls-1"} {
			s.changer.put(m.secret(namespace, name))
		}
	}
	s.changer.put(m.gateway("red", "web"))
	s.changer.put(m.gateway("blue", "edge"))
	s.calm()
	w.serve(types.NamespacedName{Namespace: "blue", Name: "edge"}, 1)
	w.serve(types.NamespacedName{Namespace: "red", Name: "calm"}, 1)
	w.serve(web, 3)
	return s
}

// calm makes a Gateway with what belongs to it, of which nothing changes: each status is written once.
func (s *soak) calm() {
	m := s.changer.maker
	gateway := m.gateway("red", "calm").(*gatewayv1.Gateway)
	gateway.Spec.Listeners = gateway.Spec.Listeners[:1]
	gateway.Spec.Listeners[0].AllowedRoutes = nil
	service, slice := m.service("red", "calm").(*corev1.Service), m.slice("red", "calm")
	service.Spec.Ports[0].AppProtocol = nil
	s.changer.put(service)
	s.changer.put(slice)
	s.changer.put(gateway)
	for _, name := range []string{"calm-0", "calm-1", "calm-2"} {
		route := m.httpRoute("red", name).(*gatewayv1.HTTPRoute)
		route.Spec.ParentRefs = []gatewayv1.ParentReference{{Name: "calm"}}
		route.Spec.Hostnames = []gatewayv1.Hostname{gatewayv1.Hostname(name + ".test")}
		route.Spec.Rules = route.Spec.Rules[:1]
		ref := &route.Spec.Rules[0].BackendRefs[0].BackendRef
		ref.Name, ref.Namespace = "calm", nil
		s.changer.put(route)
	}
}

// fewest is how many changes there are in a round at least, on a slow machine too.
const fewest = 100

// change lets things happen for a time.
func (s *soak) change(lasting time.Duration) {
	s.t.Helper()
	tick := time.NewTicker(*pace)
	defer tick.Stop()
	end := time.Now().Add(lasting)
	for i := 0; i < fewest || time.Now().Before(end); i++ {
		<-tick.C
		s.changer.happen()
		if s.t.Failed() {
			s.t.Fatalf("after %s", s.changer.recent())
		}
	}
}

// told tells what was done, and that it was something.
func (s *soak) told() {
	s.t.Helper()
	taken, refused := s.operator.writes.counts()
	s.watcher.mu.Lock()
	defer s.watcher.mu.Unlock()
	written, concerned := map[string]int{}, map[string]int{}
	for k, n := range s.watcher.written {
		written[k.kind] += n
		concerned[k.kind] += s.watcher.model.concerned[k]
	}
	s.t.Logf("changes %v; events %d; status writes %v for %v changes that concern the objects; %d conditions turned; the fresh operator wrote %d, %d conflicts",
		s.changer.done, s.watcher.events, written, concerned, len(s.watcher.turned), taken, refused)
	for _, kind := range []string{"Gateway", "HTTPRoute"} {
		if written[kind] == 0 {
			s.t.Errorf("no status of a %s was written: this shows nothing", kind)
		}
	}
}
