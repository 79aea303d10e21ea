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
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/status"
	"github.com/rauta-dev/rauta/internal/topology"
)

// look holds what has to hold of each status always.
func (w *watcher) look(known *life, before client.Object) {
	object := known.object
	old := map[string]entry{}
	if before != nil {
		for _, e := range entries(before) {
			old[e.of] = e
		}
	}
	theirs := 0
	for _, e := range entries(object) {
		switch e.controller {
		case stranger:
			theirs++
			w.lookAtStrangers(known, &e)
		default:
			if !e.ours() {
				w.fail(object, "an entry of %s", e.controller)
			}
			w.lookAtEntry(known, &e, old[e.of])
		}
	}
	if had := min(known.stranger, 1); theirs != had {
		w.fail(object, "%d entries of the other controller, which wrote %d", theirs, had)
	}
}

// lookAtStrangers holds that the other controller's entry is what that wrote last, to the last byte.
func (w *watcher) lookAtStrangers(known *life, e *entry) {
	revision, err := strconv.Atoi(e.conditions[0].Message)
	if err != nil || revision < known.stranger {
		w.fail(known.object, "the other controller's entry is of revision %s, after %d", e.conditions[0].Message, known.stranger)
		return
	}
	known.stranger = revision
	conditions, ref := strangers(revision)
	want, err := json.Marshal(map[string]any{"parent": ref, "conditions": conditions, "attached": 0})
	if err != nil || string(want) != e.raw {
		w.fail(known.object, "the other controller's entry is %s, not %s", e.raw, want)
	}
}

func (w *watcher) lookAtEntry(known *life, e *entry, before entry) {
	object := known.object
	var last string
	for i := range e.conditions {
		c := &e.conditions[i]
		if c.Reason == "Pending" && c.Status == metav1.ConditionUnknown {
			continue // The CRD's default, before anybody has looked.
		}
		if c.Type <= last {
			w.fail(object, "%s: %s after %s", e.of, c.Type, last)
		}
		last = c.Type
		w.lookAtMessage(object, e, c)
		if c.ObservedGeneration > object.GetGeneration() || c.ObservedGeneration < known.highest[e.of+c.Type] {
			w.fail(object, "%s: %s is of generation %d, after %d", e.of, c.Type, c.ObservedGeneration, known.highest[e.of+c.Type])
		}
		known.highest[e.of+c.Type] = c.ObservedGeneration
		w.lookAtTransition(object, e, c, before)
	}
	w.lookAtService(known, e)
}

// lookAtTransition holds that a condition does not flap: it becomes another one only where something changed that concerns it.
func (w *watcher) lookAtTransition(object client.Object, e *entry, c *metav1.Condition, before entry) {
	at := slices.IndexFunc(before.conditions, func(b metav1.Condition) bool { return b.Type == c.Type })
	if at < 0 {
		return
	}
	old := before.conditions[at]
	if old.Status == c.Status {
		if !old.LastTransitionTime.Equal(&c.LastTransitionTime) {
			w.fail(object, "%s: the transition of %s is of %s after %s, and it is %s as before", e.of, c.Type, c.LastTransitionTime, old.LastTransitionTime, c.Status)
		}
		return
	}
	if old.Status == metav1.ConditionUnknown {
		return
	}
	k := turning{keyOf(object), e.of, c.Type}
	w.turned[k]++
	most := w.model.concerned[k.key]
	if strings.HasSuffix(c.Type, "Programmed") {
		most *= 2 // Each change may be told before it is acknowledged.
	}
	if w.turned[k] > most {
		w.fail(object, "%s: %s became another one %d times, after %d changes that concern it", e.of, c.Type, w.turned[k], w.model.concerned[k.key])
	}
}

var qualified = regexp.MustCompile(`\b(?:red|blue)/[a-z0-9.-]+[a-z0-9]`)

func (w *watcher) lookAtMessage(object client.Object, e *entry, c *metav1.Condition) {
	if len(c.Message) > topology.MessageBytes {
		w.fail(object, "%s: the message of %s has %d bytes", e.of, c.Type, len(c.Message))
	}
	for _, name := range qualified.FindAllString(c.Message, -1) {
		namespace, rest, _ := strings.Cut(name, "/")
		if !w.model.named[types.NamespacedName{Namespace: namespace, Name: rest}] {
			w.fail(object, "%s: the message of %s names %s, which never was: %s", e.of, c.Type, name, c.Message)
		}
	}
}

// lookAtService holds that what says that it is programmed is, or was, in a table of each replica in the generation that it names.
func (w *watcher) lookAtService(known *life, e *entry) {
	programmed := func(conditionType string) *metav1.Condition {
		at := slices.IndexFunc(e.conditions, func(c metav1.Condition) bool { return c.Type == conditionType && c.Status == metav1.ConditionTrue })
		if at < 0 {
			return nil
		}
		return &e.conditions[at]
	}
	if route, is := asRoute(known.object); is {
		if c := programmed(status.RouteProgrammed); c != nil {
			w.lookAtRoute(known, route, e, c)
		}
		return
	}
	name, isListener := strings.CutPrefix(e.of, "listener ")
	c := programmed(string(gatewayv1.ListenerConditionProgrammed))
	if !isListener || c == nil {
		return
	}
	gateway, listener := client.ObjectKeyFromObject(known.object), topology.ListenerKey{Name: gatewayv1.SectionName(name)}
	port := int32(0)
	switch spec := known.specs[c.ObservedGeneration].(type) {
	case *gatewayv1.Gateway:
		for _, l := range spec.Spec.Listeners {
			if string(l.Name) == name {
				port = l.Port
			}
		}
	case *gatewayv1.ListenerSet:
		gateway, listener.Set = topology.ListenerSetParent(spec), gateway
		for _, l := range spec.Spec.Listeners {
			if string(l.Name) == name {
				port = l.Port
			}
		}
	}
	if !w.tables.served(gateway, uint32(port), topology.ListenerName(listener)) {
		w.fail(known.object, "%s is programmed in generation %d, and no table of %s had it with port %d%s",
			e.of, c.ObservedGeneration, gateway, port, w.tables.tell(topology.ListenerName(listener)))
	}
}

func (w *watcher) lookAtRoute(known *life, route topology.RouteObject, e *entry, c *metav1.Condition) {
	kind, parent := topology.ParentOf(e.parent, route.GetNamespace())
	gateways := []types.NamespacedName{parent}
	if kind == topology.ListenerSetKind {
		// The ListenerSet may belong to another Gateway since.
		gateways = []types.NamespacedName{{Namespace: "red", Name: "web"}, {Namespace: "blue", Name: "edge"}}
	}
	spec, is := asRoute(known.specs[c.ObservedGeneration])
	if !is {
		w.fail(route, "%s: generation %d was not seen", e.of, c.ObservedGeneration)
		return
	}
	name := topology.RouteName(topology.KindOf(route), route.GetNamespace(), route.GetName())
	mark := weightOf(spec)
	for _, gateway := range gateways {
		if w.tables.served(gateway, uint32(mark), name, topology.PassthroughName(name)) {
			return
		}
	}
	w.fail(route, "%s is programmed in generation %d, and no table of %v had it with mark %d%s",
		e.of, c.ObservedGeneration, gateways, mark, w.tables.tell(name, topology.PassthroughName(name)))
}

// weightOf is the mark of a route.
func weightOf(route topology.RouteObject) int32 {
	var refs []gatewayv1.BackendRef
	switch route := route.(type) {
	case *gatewayv1.HTTPRoute:
		refs = []gatewayv1.BackendRef{route.Spec.Rules[0].BackendRefs[0].BackendRef}
	case *gatewayv1.GRPCRoute:
		refs = []gatewayv1.BackendRef{route.Spec.Rules[0].BackendRefs[0].BackendRef}
	case *gatewayv1.TLSRoute:
		refs = route.Spec.Rules[0].BackendRefs
	case *gatewayv1.TCPRoute:
		refs = route.Spec.Rules[0].BackendRefs
	case *gatewayv1.UDPRoute:
		refs = route.Spec.Rules[0].BackendRefs
	}
	return *refs[0].Weight
}
