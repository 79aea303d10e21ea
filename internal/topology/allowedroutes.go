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
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

const gatewayKind = gatewayv1.Kind("Gateway")

// servedKinds are the kinds of routes that listeners of a protocol serve; a protocol that is not there is not supported.
var servedKinds = map[gatewayv1.ProtocolType][]gatewayv1.Kind{
	gatewayv1.HTTPProtocolType:  {HTTPRouteKind, GRPCRouteKind},
	gatewayv1.HTTPSProtocolType: {HTTPRouteKind, GRPCRouteKind},
	gatewayv1.TLSProtocolType:   {TLSRouteKind},
	gatewayv1.TCPProtocolType:   {TCPRouteKind},
	gatewayv1.UDPProtocolType:   {UDPRouteKind},
}

// allowedRoutes is a listener's allowedRoutes, ready to be asked.
type allowedRoutes struct {
	from     gatewayv1.FromNamespaces
	own      string // namespace of the Gateway or ListenerSet
	selector labels.Selector
	invalid  string // what is wrong with the field; then nothing is allowed
	kinds    []gatewayv1.RouteGroupKind
	protocol gatewayv1.ProtocolType
}

func buildAllowedRoutes(namespace string, spec *gatewayv1.Listener) allowedRoutes {
	allowed := allowedRoutes{own: namespace, from: gatewayv1.NamespacesFromSame, protocol: spec.Protocol}
	allowed.kinds, _ = supportedKinds(spec)
	if spec.AllowedRoutes == nil || spec.AllowedRoutes.Namespaces == nil {
		return allowed
	}
	namespaces := spec.AllowedRoutes.Namespaces
	if namespaces.From != nil {
		allowed.from = *namespaces.From
	}
	if allowed.from != gatewayv1.NamespacesFromSelector {
		return allowed
	}
	// "Selector must be specified when From is set to "Selector"." A selector that is missing selects nothing.
	selector, err := metav1.LabelSelectorAsSelector(namespaces.Selector)
	if err != nil {
		allowed.invalid = fmt.Sprintf("allowedRoutes.namespaces.selector: %v", err)
		return allowed
	}
	if namespaces.Selector == nil {
		allowed.invalid = "allowedRoutes.namespaces.selector: required when from is Selector"
		return allowed
	}
	allowed.selector = selector
	return allowed
}

// refuses says why a route may not attach, whose namespace is given too if it is known; empty when it may.
func (a *allowedRoutes) refuses(route RouteObject, object *corev1.Namespace) string {
	kind, namespace := KindOf(route), route.GetNamespace()
	served := servedKinds[a.protocol]
	if served == nil {
		return fmt.Sprintf("its protocol %q is not supported", a.protocol)
	}
	if !slices.Contains(served, kind) {
		return fmt.Sprintf("its protocol %s serves no %ss", a.protocol, kind)
	}
	if !slices.ContainsFunc(a.kinds, func(k gatewayv1.RouteGroupKind) bool { return k.Kind == kind }) {
		return "its allowedRoutes.kinds do not list " + string(kind)
	}
	if a.invalid != "" {
		return "its " + a.invalid
	}
	switch a.from {
	case gatewayv1.NamespacesFromAll:
		return ""
	case gatewayv1.NamespacesFromSame:
		if namespace == a.own {
			return ""
		}
		return fmt.Sprintf("its allowedRoutes.namespaces.from is Same, which is namespace %q", a.own)
	case gatewayv1.NamespacesFromSelector:
		var set labels.Set
		if object != nil {
			set = object.Labels
		}
		if a.selector.Matches(set) {
			return ""
		}
		return fmt.Sprintf("its allowedRoutes.namespaces.selector does not select namespace %q", namespace)
	default:
		return fmt.Sprintf("its allowedRoutes.namespaces.from is %s", a.from)
	}
}

// supportedKinds are the route kinds that may attach to the listener, and what is wrong with those that may not.
//
// "If kinds are specified in Spec that are not supported, they MUST NOT appear in this list and an implementation MUST
// set the "ResolvedRefs" condition to "False" with the "InvalidRouteKinds" reason. If both valid and invalid Route kinds
// are specified, the implementation MUST reference the valid Route kinds that have been specified." (ListenerStatus)
func supportedKinds(spec *gatewayv1.Listener) (kinds []gatewayv1.RouteGroupKind, problems []Problem) {
	kinds = []gatewayv1.RouteGroupKind{}
	if spec.AllowedRoutes == nil || len(spec.AllowedRoutes.Kinds) == 0 {
		for _, kind := range servedKinds[spec.Protocol] {
			kinds = append(kinds, routeGroupKind(kind))
		}
		return kinds, nil
	}
	for i, kind := range spec.AllowedRoutes.Kinds {
		group := gatewayv1.Group(gatewayv1.GroupName)
		if kind.Group != nil {
			group = *kind.Group
		}
		if group != gatewayv1.GroupName || !slices.Contains(servedKinds[spec.Protocol], kind.Kind) {
			problems = append(problems, *problem(gatewayv1.ListenerReasonInvalidRouteKinds,
				"allowedRoutes.kinds[%d]: %s/%s is not supported on protocol %s", i, group, kind.Kind, spec.Protocol))
			continue
		}
		if !slices.ContainsFunc(kinds, func(k gatewayv1.RouteGroupKind) bool { return k.Kind == kind.Kind }) {
			kinds = append(kinds, routeGroupKind(kind.Kind))
		}
	}
	return kinds, problems
}

func routeGroupKind(kind gatewayv1.Kind) gatewayv1.RouteGroupKind {
	group := gatewayv1.Group(gatewayv1.GroupName)
	return gatewayv1.RouteGroupKind{Group: &group, Kind: kind}
}
