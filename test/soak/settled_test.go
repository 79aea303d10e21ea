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
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
)

// settled holds what has to hold of all statuses when nothing changes any more.
func (s *soak) settled() {
	s.t.Helper()
	all := s.statuses()
	for k, object := range all {
		said := entries(object)
		if s.orphan(k, object, all) {
			continue
		}
		if gateway, is := object.(*gatewayv1.Gateway); is && gateway.Spec.GatewayClassName != className {
			continue
		}
		for i := range said {
			e := &said[i]
			if e.controller == stranger {
				if want := strconv.Itoa(s.changer.revisions[k]); e.conditions[0].Message != want {
					s.fail(k, "the other controller's entry is of revision %s, and %s was written last", e.conditions[0].Message, want)
				}
				continue
			}
			s.conditionsSettled(k, object, e)
			if e.parent != nil && !s.exists(all, object, e.parent) {
				s.fail(k, "%s: what it is about is not there, or not ours, or not referred to", e.of)
			}
		}
		s.listenersSettled(all, object)
	}
}

func (s *soak) fail(k key, format string, arguments ...any) {
	s.t.Helper()
	s.t.Errorf("at rest %s %s: "+format, append([]any{k.kind, k.NamespacedName}, arguments...)...)
}

func (s *soak) conditionsSettled(k key, object client.Object, e *entry) {
	for i := range e.conditions {
		c := &e.conditions[i]
		if c.ObservedGeneration != object.GetGeneration() {
			s.fail(k, "%s: %s is of generation %d, and the object of %d", e.of, c.Type, c.ObservedGeneration, object.GetGeneration())
		}
		if strings.Contains(c.Message, "there is no ") || strings.Contains(c.Message, "does not exist") || strings.Contains(c.Message, "has no listener") {
			continue
		}
		for _, name := range qualified.FindAllString(c.Message, -1) {
			namespace, rest, _ := strings.Cut(name, "/")
			if !s.watcher.there(types.NamespacedName{Namespace: namespace, Name: rest}) {
				s.fail(k, "%s: the message of %s names %s, which is not there: %s", e.of, c.Type, name, c.Message)
			}
		}
	}
}

// orphan reports whether an object is a ListenerSet without a Gateway of ours. Without any, it must not claim to serve.
func (s *soak) orphan(k key, object client.Object, all map[key]client.Object) bool {
	if !orphaned(object, all) {
		return false
	}
	set := object.(*gatewayv1.ListenerSet)
	if all[key{"Gateway", topology.ListenerSetParent(set)}] != nil {
		return true // What was said before is for the other controller to change.
	}
	for _, c := range set.Status.Conditions {
		if c.Status == metav1.ConditionTrue {
			s.fail(k, "%s is True, and there is no Gateway %s", c.Type, topology.ListenerSetParent(set))
		}
	}
	return true
}

// orphaned reports whether an object is a ListenerSet without a Gateway of ours.
func orphaned(object client.Object, all map[key]client.Object) bool {
	set, is := object.(*gatewayv1.ListenerSet)
	if !is {
		return false
	}
	gateway, is := all[key{"Gateway", topology.ListenerSetParent(set)}].(*gatewayv1.Gateway)
	return !is || gateway.Spec.GatewayClassName != className
}

// there reports whether there is any object of a name, or a Gateway for which one is made.
func (w *watcher) there(name types.NamespacedName) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for k := range w.model.objects {
		if k.NamespacedName == name || k.kind == "Gateway" && proxyOf(k.NamespacedName) == name {
			return true
		}
	}
	return false
}

// exists reports whether the parent or ancestor of an entry is there and ours, and a route's still named by it.
func (s *soak) exists(all map[key]client.Object, object client.Object, parent *gatewayv1.ParentReference) bool {
	if route, is := asRoute(object); is {
		refs := topology.ParentRefsOf(route)
		if !slices.ContainsFunc(refs, func(r gatewayv1.ParentReference) bool { return refString(&r) == refString(parent) }) {
			return false
		}
	}
	kind, name := topology.ParentOf(parent, object.GetNamespace())
	if kind == topology.ListenerSetKind {
		set, is := all[key{"ListenerSet", name}].(*gatewayv1.ListenerSet)
		if !is {
			return false
		}
		name = topology.ListenerSetParent(set)
	}
	gateway, is := all[key{"Gateway", name}].(*gatewayv1.Gateway)
	return is && gateway.Spec.GatewayClassName == className
}

// listenersSettled holds the listeners in a status to those of the spec, and their counts to what routes say.
func (s *soak) listenersSettled(all map[key]client.Object, object client.Object) {
	names := map[string]gatewayv1.ProtocolType{}
	switch object := object.(type) {
	case *gatewayv1.Gateway:
		for _, l := range object.Spec.Listeners {
			names[string(l.Name)] = l.Protocol
		}
	case *gatewayv1.ListenerSet:
		for _, l := range object.Spec.Listeners {
			names[string(l.Name)] = l.Protocol
		}
	default:
		return
	}
	for _, e := range entries(object) {
		name, is := strings.CutPrefix(e.of, "listener ")
		if !is {
			continue
		}
		if _, wanted := names[name]; !wanted {
			s.fail(keyOf(object), "it has no listener %s", name)
			continue
		}
		least, most := attached(all, object, name)
		if int(e.attached) < least || int(e.attached) > most {
			s.fail(keyOf(object), "listener %s: %d routes are attached, and %d to %d say so", name, e.attached, least, most)
		}
	}
}

// attached counts the routes that say that they are attached to a listener: those that name it, and with those that name its owner.
func attached(all map[key]client.Object, owner client.Object, listener string) (least, most int) {
	for _, object := range all {
		route, is := asRoute(object)
		if !is {
			continue
		}
		named, meant := false, false
		for _, e := range entries(route) {
			if !e.ours() {
				continue
			}
			kind, name := topology.ParentOf(e.parent, route.GetNamespace())
			ofOwner := string(kind) == kindOf(owner) && name == client.ObjectKeyFromObject(owner)
			accepted := slices.ContainsFunc(told(route), func(line string) bool { return strings.HasPrefix(line, e.of+": Accepted=True") })
			if !ofOwner || !accepted {
				continue
			}
			if e.parent.SectionName == nil {
				meant = true
			} else if string(*e.parent.SectionName) == listener {
				named = true
			}
		}
		if named {
			least, most = least+1, most+1
		} else if meant {
			most++
		}
	}
	return least, most
}
