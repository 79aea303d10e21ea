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

package topology

import (
	"cmp"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/features"
)

// ListenerSetKind is the kind of a set of listeners that is attached to a Gateway.
const ListenerSetKind = gatewayv1.Kind("ListenerSet")

var listenerSetFeatures = []features.FeatureName{
	features.SupportListenerSet,
}

// MaxListeners bounds the listeners of a Gateway with all its ListenerSets, of which anybody may make some who is allowed to.
const MaxListeners = 1024

// ListenerSet is one that names the Gateway as its parent, with what was decided about it.
type ListenerSet struct {
	// Object is the ListenerSet, as given. It must not be changed.
	Object *gatewayv1.ListenerSet
	// Accepted is its condition, as far as it and the Gateway's spec decide it.
	Accepted Decision
	// Listeners in its order; none where the Gateway does not allow it.
	Listeners []Listener

	// name is what routes that mean it refer to it by; it stays where it is when other sets come and go.
	name *types.NamespacedName
	// refused is set where the Gateway does not allow it.
	refused bool
}

// Key is the ListenerSet's namespace and name.
func (s *ListenerSet) Key() types.NamespacedName {
	return types.NamespacedName{Namespace: s.Object.Namespace, Name: s.Object.Name}
}

// FindListenerSet gives a ListenerSet; nil when it is not there.
func (t *Topology) FindListenerSet(key types.NamespacedName) *ListenerSet {
	return t.builder.spans[key].set
}

// buildListenerSets appends the listeners of the allowed sets to the Gateway's own. "Implementations MUST treat the parent
// Gateway as having the merged list of all listeners from itself and attached ListenerSets using the following precedence:
// 1. "parent" Gateway 2. ListenerSet ordered by creation time (oldest first) 3. ListenerSet ordered alphabetically by
// "{namespace}/{name}"." (ListenerSetSpec.listeners)
func (r *resolver) buildListenerSets(in *Input, listeners []Listener) ([]Listener, []ListenerSet) {
	objects := slices.Clone(in.ListenerSets)
	slices.SortFunc(objects, compareListenerSets)
	gateway := types.NamespacedName{Namespace: in.Gateway.Namespace, Name: in.Gateway.Name}
	sets := make([]ListenerSet, 0, len(objects))
	for _, object := range objects {
		if ListenerSetParent(object) != gateway {
			continue
		}
		set := newListenerSet(in.Gateway, object, in.Namespaces[object.Namespace])
		listeners = r.appendListeners(listeners, in.Gateway, &set)
		sets = append(sets, set)
	}
	return listeners, sets
}

// compareListenerSets orders them by precedence.
func compareListenerSets(a, b *gatewayv1.ListenerSet) int {
	if older := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); older != 0 {
		return older
	}
	if a.Namespace == b.Namespace {
		return cmp.Compare(a.Name, b.Name)
	}
	return cmp.Compare(a.Namespace+"/"+a.Name, b.Namespace+"/"+b.Name)
}

// newListenerSet is one of the Gateway's, as far as it depends on no other. Its namespace is given too if it is known.
func newListenerSet(gateway *gatewayv1.Gateway, object *gatewayv1.ListenerSet, namespace *corev1.Namespace) ListenerSet {
	set := ListenerSet{Object: object, name: &types.NamespacedName{Namespace: object.Namespace, Name: object.Name}}
	if refused := refusesListeners(gateway, object.Namespace, namespace); refused != "" {
		set.refused = true
		set.Accepted = no(gatewayv1.ListenerSetConditionAccepted, gatewayv1.ListenerSetReasonNotAllowed,
			fmt.Sprintf("Gateway %s/%s does not allow it: %s", gateway.Namespace, gateway.Name, refused))
	}
	return set
}

// appendListeners appends those of an allowed set.
func (r *resolver) appendListeners(listeners []Listener, gateway *gatewayv1.Gateway, set *ListenerSet) []Listener {
	if set.refused {
		return listeners
	}
	owner := owner{gateway: gateway, set: set.Key()}
	for i := range set.Object.Spec.Listeners {
		spec := gatewayv1.Listener(set.Object.Spec.Listeners[i])
		listeners = append(listeners, r.buildListener(owner, &spec))
	}
	return listeners
}

// ListenerSetParent is the Gateway that a ListenerSet names; without a name when it names another kind.
func ListenerSetParent(object *gatewayv1.ListenerSet) types.NamespacedName {
	ref := &object.Spec.ParentRef
	if ref.Group != nil && *ref.Group != gatewayv1.GroupName || ref.Kind != nil && *ref.Kind != gatewayKind {
		return types.NamespacedName{}
	}
	namespace := object.Namespace
	if ref.Namespace != nil {
		namespace = string(*ref.Namespace)
	}
	return types.NamespacedName{Namespace: namespace, Name: string(ref.Name)}
}

// refusesListeners says why a Gateway does not take the ListenerSets of a namespace; empty when it does. "The default value is to
// allow no ListenerSets." (GatewaySpec.allowedListeners)
func refusesListeners(gateway *gatewayv1.Gateway, namespace string, object *corev1.Namespace) string {
	const field = "spec.allowedListeners.namespaces"
	allowed := gateway.Spec.AllowedListeners
	if allowed == nil || allowed.Namespaces == nil || allowed.Namespaces.From == nil {
		return field + ".from is None, the default"
	}
	switch from := *allowed.Namespaces.From; from {
	case gatewayv1.NamespacesFromAll:
		return ""
	case gatewayv1.NamespacesFromSame:
		if namespace == gateway.Namespace {
			return ""
		}
		return fmt.Sprintf("%s.from is Same, which is namespace %q", field, gateway.Namespace)
	case gatewayv1.NamespacesFromSelector:
		// "Selector must be specified when From is set to "Selector"." One that is missing selects nothing.
		selector, err := metav1.LabelSelectorAsSelector(allowed.Namespaces.Selector)
		if err != nil {
			return field + ".selector cannot be read"
		}
		var set labels.Set
		if object != nil {
			set = object.Labels
		}
		if selector.Matches(set) {
			return ""
		}
		return fmt.Sprintf("%s.selector does not select namespace %q", field, namespace)
	default:
		return fmt.Sprintf("%s.from is %s", field, from)
	}
}

// decideListenerSets gives each allowed set its share of the listeners of all of them, which stand in the same order, once these are
// decided.
func decideListenerSets(sets []ListenerSet, listeners []Listener) {
	for i := range sets {
		set := &sets[i]
		if set.refused {
			continue
		}
		if own := len(set.Object.Spec.Listeners); own > 0 {
			set.Listeners, listeners = listeners[:own:own], listeners[own:]
		}
		set.Accepted = listenerSetAccepted(set.Listeners)
	}
}

// listenerSetAccepted: a set is accepted with one listener that can be served.
func listenerSetAccepted(listeners []Listener) Decision {
	var invalid []string
	for i := range listeners {
		l := &listeners[i]
		switch {
		case !l.Accepted.True():
			invalid = append(invalid, fmt.Sprintf("listener %q: %s", l.Name, l.Accepted.Message))
		case !l.Served():
			invalid = append(invalid, fmt.Sprintf("listener %q: %s", l.Name, l.ResolvedRefs.Message))
		}
	}
	switch {
	case len(invalid) == len(listeners):
		return no(gatewayv1.ListenerSetConditionAccepted, gatewayv1.ListenerSetReasonListenersNotValid, "no listener is valid: "+enumerate(invalid))
	case len(invalid) > 0:
		// "This can be the reason when "Accepted" is "True" or "False", depending on whether the listener being invalid causes the
		// entire ListenerSet to not be accepted." (ListenerSetReasonListenersNotValid)
		return yes(gatewayv1.ListenerSetConditionAccepted, gatewayv1.ListenerSetReasonListenersNotValid, fmt.Sprintf(
			"%d of %d listeners are valid; not valid: %s", len(listeners)-len(invalid), len(listeners), enumerate(invalid)))
	default:
		return yes(gatewayv1.ListenerSetConditionAccepted, gatewayv1.ListenerSetReasonAccepted, "the ListenerSet and all its listeners are valid")
	}
}
