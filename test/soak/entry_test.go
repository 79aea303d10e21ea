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
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/controller"
	"github.com/rauta-dev/rauta/internal/topology"
)

// entry is a part of a status that has conditions: the status itself, a listener's, a parent's or an ancestor's.
type entry struct {
	// of tells the entries of a status from each other.
	of         string
	controller string
	parent     *gatewayv1.ParentReference
	conditions []metav1.Condition
	// attached is a listener's count of routes.
	attached int32
	// raw is what stands there.
	raw string
}

func (e *entry) ours() bool { return e.controller == controller.DefaultControllerName }

// entries are those of a status, in its order.
func entries(object client.Object) []entry {
	const ours = controller.DefaultControllerName
	var all []entry
	add := func(of, controller string, parent *gatewayv1.ParentReference, conditions []metav1.Condition, attached int32) {
		raw, err := json.Marshal(map[string]any{"parent": parent, "conditions": conditions, "attached": attached})
		if err != nil {
			raw = []byte(err.Error())
		}
		all = append(all, entry{of: of, controller: controller, parent: parent, conditions: conditions, attached: attached, raw: string(raw)})
	}
	switch object := object.(type) {
	case *gatewayv1.Gateway:
		add("", ours, nil, object.Status.Conditions, 0)
		for _, l := range object.Status.Listeners {
			add("listener "+string(l.Name), ours, nil, l.Conditions, l.AttachedRoutes)
		}
	case *gatewayv1.ListenerSet:
		add("", ours, nil, object.Status.Conditions, 0)
		for _, l := range object.Status.Listeners {
			add("listener "+string(l.Name), ours, nil, l.Conditions, l.AttachedRoutes)
		}
	case *gatewayv1.BackendTLSPolicy:
		for _, a := range object.Status.Ancestors {
			add("ancestor "+refString(&a.AncestorRef)+" of "+string(a.ControllerName), string(a.ControllerName), &a.AncestorRef, a.Conditions, 0)
		}
	}
	if route, is := asRoute(object); is {
		for _, p := range topology.StatusOf(route).Parents {
			add("parent "+refString(&p.ParentRef)+" of "+string(p.ControllerName), string(p.ControllerName), &p.ParentRef, p.Conditions, 0)
		}
	}
	return all
}

func refString(ref *gatewayv1.ParentReference) string {
	raw, err := json.Marshal(ref)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// told is what is ours of a status, without times and in an order that does not depend on what was before.
func told(object client.Object) []string {
	var said []string
	for _, e := range entries(object) {
		if !e.ours() {
			continue
		}
		for _, c := range e.conditions {
			said = append(said, fmt.Sprintf("%s: %s=%s %s %q @%d", e.of, c.Type, c.Status, c.Reason, c.Message, c.ObservedGeneration))
		}
		said = append(said, fmt.Sprintf("%s: attached %d, %d conditions", e.of, e.attached, len(e.conditions)))
	}
	if gateway, is := object.(*gatewayv1.Gateway); is {
		said = append(said, fmt.Sprintf("%v", gateway.Status.AttachedListenerSets != nil && *gateway.Status.AttachedListenerSets > 0))
		for _, address := range gateway.Status.Addresses {
			said = append(said, address.Value)
		}
	}
	slices.Sort(said)
	return said
}

// ourPart is what is ours of a status, as it stands there.
func ourPart(object client.Object) string {
	part := ""
	for _, e := range entries(object) {
		if e.ours() {
			part += e.of + e.raw
		}
	}
	if gateway, is := object.(*gatewayv1.Gateway); is {
		raw, err := json.Marshal(gateway.Status)
		part += fmt.Sprint(string(raw), err)
	}
	return part
}

// strangers is the only entry of the other controller in its revision.
func strangers(revision int) ([]metav1.Condition, *gatewayv1.ParentReference) {
	return []metav1.Condition{
			{Type: "stranger.test/Last", Status: metav1.ConditionUnknown, Reason: "Revision", Message: fmt.Sprint(revision), LastTransitionTime: metav1.Unix(1_700_000_000, 0)},
			{Type: "Accepted", Status: metav1.ConditionFalse, Reason: "Stranger", Message: "red/nobody is not ours", ObservedGeneration: 7, LastTransitionTime: metav1.Unix(1_600_000_000, 0)},
		}, &gatewayv1.ParentReference{
			Group: new(gatewayv1.Group(gatewayv1.GroupName)), Kind: new(gatewayv1.Kind("Gateway")), Name: "stranger", Namespace: new(gatewayv1.Namespace("red")),
		}
}

// setStrangers puts the stranger's entry into a status, first or in the place of an earlier one.
func setStrangers(object client.Object, revision int) {
	conditions, ref := strangers(revision)
	if policy, is := object.(*gatewayv1.BackendTLSPolicy); is {
		entry := gatewayv1.PolicyAncestorStatus{AncestorRef: *ref, ControllerName: stranger, Conditions: conditions}
		at := slices.IndexFunc(policy.Status.Ancestors, func(a gatewayv1.PolicyAncestorStatus) bool { return a.ControllerName == stranger })
		if at < 0 {
			policy.Status.Ancestors = append([]gatewayv1.PolicyAncestorStatus{entry}, policy.Status.Ancestors...)
			return
		}
		policy.Status.Ancestors[at] = entry
		return
	}
	status := topology.StatusOf(object.(topology.RouteObject))
	entry := gatewayv1.RouteParentStatus{ParentRef: *ref, ControllerName: stranger, Conditions: conditions}
	at := slices.IndexFunc(status.Parents, func(p gatewayv1.RouteParentStatus) bool { return p.ControllerName == stranger })
	if at < 0 {
		status.Parents = append([]gatewayv1.RouteParentStatus{entry}, status.Parents...)
		return
	}
	status.Parents[at] = entry
}

// blank takes away what is ours of a status.
func blank(object client.Object) {
	switch object := object.(type) {
	case *gatewayv1.Gateway:
		object.Status = gatewayv1.GatewayStatus{}
	case *gatewayv1.ListenerSet:
		object.Status = gatewayv1.ListenerSetStatus{}
	case *gatewayv1.BackendTLSPolicy:
		object.Status.Ancestors = slices.DeleteFunc(object.Status.Ancestors, func(a gatewayv1.PolicyAncestorStatus) bool {
			return a.ControllerName == controller.DefaultControllerName
		})
	}
	if route, is := asRoute(object); is {
		status := topology.StatusOf(route)
		status.Parents = slices.DeleteFunc(status.Parents, func(p gatewayv1.RouteParentStatus) bool {
			return p.ControllerName == controller.DefaultControllerName
		})
	}
}
