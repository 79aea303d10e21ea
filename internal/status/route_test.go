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

package status

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

const (
	ours   = "rauta.dev/gateway-controller"
	theirs = "example.com/controller"
)

// routeLines gives a line for each entry of the parents.
func routeLines(status gatewayv1.RouteStatus) []string {
	var all []string
	for _, entry := range status.Parents {
		section := gatewayv1.SectionName("")
		if entry.ParentRef.SectionName != nil {
			section = *entry.ParentRef.SectionName
		}
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s:%s %s", entry.ControllerName, entry.ParentRef.Name, section, lines(entry.Conditions))))
	}
	return all
}

func route(spec, status string) string {
	if status == "" {
		status = "{parents: []}"
	}
	return "kind: HTTPRoute\nmetadata: {namespace: shop, name: cart, generation: 2}\nspec: " + spec + "\nstatus: " + status
}

// entry is an entry of RouteStatus.parents with one condition.
func entry(controller, parentRef, conditionType, generation string) string {
	return fmt.Sprintf(`{controllerName: %q, parentRef: %s, conditions: [{type: %s, status: "True", reason: Accepted, message: old, observedGeneration: %s, lastTransitionTime: "2026-01-02T03:04:05Z"}]}`,
		controller, parentRef, conditionType, generation)
}

func TestRoute(t *testing.T) {
	const (
		fine       = "Accepted=True/Accepted@2 ResolvedRefs=True/ResolvedRefs@2"
		programmed = " rauta.dev/Programmed=True/Programmed@2"
	)
	refused := served()
	refused.Refused = map[string]string{"route/httproute/shop/cart": "rules[0]: nonsense", "route/httproute/shop/other": "x"}
	cases := map[string]struct {
		reason   string
		gateway  string
		route    string
		delivery Delivery
		want     []string
	}{
		"first seen": {
			reason: "an entry for the Gateway, with the parentRef as the route has it",
			route:  route(`{parentRefs: [{name: web, sectionName: http}], rules: [{}]}`, ""), delivery: served(),
			want: []string{ours + " web:http " + fine + programmed},
		},
		"entries of others": {
			reason: "entries of other controllers and of our other Gateways are not ours to touch, nor is their order",
			route: route(`{parentRefs: [{name: other}, {name: web}], rules: [{}]}`, "{parents: ["+
				entry(theirs, "{name: web}", "Accepted", "1")+","+entry(ours, "{name: web}", "Accepted", "1")+","+entry(ours, "{name: other}", "Accepted", "1")+"]}"),
			delivery: served(),
			want: []string{
				theirs + " web: Accepted=True/Accepted@1",
				ours + " web: " + fine + programmed,
				ours + " other: Accepted=True/Accepted@1",
			},
		},
		"stale entries": {
			reason: "entries of ours whose parentRef is gone go, those of others stay",
			route: route(`{parentRefs: [{name: web, sectionName: http}], rules: [{}]}`, "{parents: ["+
				entry(ours, "{name: web, sectionName: old}", "Accepted", "1")+","+entry(theirs, "{name: gone}", "Accepted", "1")+","+entry(ours, "{name: gone}", "Accepted", "1")+"]}"),
			delivery: served(),
			want:     []string{theirs + " gone: Accepted=True/Accepted@1", ours + " web:http " + fine + programmed},
		},
		"the same parentRef in other words": {
			reason: "defaults spelled out are the same parent, not a second entry",
			route: route(`{parentRefs: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: shop, name: web}], rules: [{}]}`,
				"{parents: ["+entry(ours, "{name: web}", "Accepted", "2")+"]}"),
			delivery: served(),
			want:     []string{ours + " web: " + fine + programmed},
		},
		"no longer partially invalid": {
			reason: "that condition MUST only be set while it is True",
			route: route(`{parentRefs: [{name: web}], rules: [{}]}`,
				"{parents: ["+entry(ours, "{name: web}", "PartiallyInvalid", "1")+"]}"),
			delivery: served(),
			want:     []string{ours + " web: " + fine + programmed},
		},
		"partially invalid": {
			reason: "a route with a dropped rule is accepted and says so",
			route:  route(`{parentRefs: [{name: web}], rules: [{matches: [{path: {value: /first}}]}, {filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [Upgrade]}}]}]}`, ""), delivery: served(),
			want: []string{ours + " web: " + "Accepted=True/Accepted@2 PartiallyInvalid=True/UnsupportedValue@2 ResolvedRefs=True/ResolvedRefs@2" + programmed},
		},
		"no longer shadowed": {
			reason: "that condition is there only while it is True",
			route: route(`{parentRefs: [{name: web}], rules: [{}]}`,
				"{parents: ["+entry(ours, "{name: web}", "rauta.dev/Shadowed", "1")+"]}"),
			delivery: served(),
			want:     []string{ours + " web: " + fine + programmed},
		},
		"shadowed": {
			reason: "a route whose rule never gets a request is accepted, and says so",
			route:  route(`{parentRefs: [{name: web}], rules: [{}, {}]}`, ""), delivery: served(),
			want: []string{ours + " web: " + fine + programmed + " rauta.dev/Shadowed=True/Shadowed@2"},
		},
		"not accepted": {
			reason: "a route that is not accepted is programmed nowhere",
			route:  route(`{parentRefs: [{name: web, sectionName: none}], rules: [{}]}`, ""), delivery: served(),
			want: []string{ours + " web:none Accepted=False/NoMatchingParent@2 ResolvedRefs=True/ResolvedRefs@2 rauta.dev/Programmed=False/Invalid@2"},
		},
		"only on conflicted listeners": {
			reason:  "such a route counts as attached, but nothing serves it",
			gateway: "kind: Gateway\nmetadata: {namespace: shop, name: web}\nspec: {gatewayClassName: rauta, listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}]}",
			route:   route(`{parentRefs: [{name: web}], rules: [{}]}`, ""), delivery: served(),
			want: []string{ours + " web: " + fine + " rauta.dev/Programmed=False/ListenersNotValid@2"},
		},
		"on its way": {
			reason: "a new route is pending until all ready replicas have it",
			route:  route(`{parentRefs: [{name: web}], rules: [{}]}`, ""), delivery: Delivery{Generation: 3, Ready: 2, Serving: 1},
			want: []string{ours + " web: " + fine + " rauta.dev/Programmed=False/Pending@2"},
		},
		"refused": {
			reason: "what the proxy holds in quarantine is said on the route that it concerns",
			route:  route(`{parentRefs: [{name: web}], rules: [{}]}`, ""), delivery: refused,
			want: []string{ours + " web: " + fine + " rauta.dev/Programmed=False/RefusedByProxy@2"},
		},
		"a refused backend": {
			reason:   "a backend in quarantine answers 500 for its share, which is the route's concern",
			route:    route(`{parentRefs: [{name: web}], rules: [{backendRefs: [{name: cart, port: 80}]}]}`, "") + "\n---\nkind: Service\nmetadata: {namespace: shop, name: cart}\nspec: {ports: [{port: 80}]}",
			delivery: Delivery{Generation: 3, Ready: 1, Serving: 1, Refused: map[string]string{"backend/service/shop/cart/80": "bad"}},
			want:     []string{ours + " web: " + fine + " rauta.dev/Programmed=False/RefusedByProxy@2"},
		},
		"nobody is ready": {
			reason: "a route that no replica serves is not programmed",
			route:  route(`{parentRefs: [{name: web}], rules: [{}]}`, ""), delivery: Delivery{Generation: 3},
			want: []string{ours + " web: " + fine + " rauta.dev/Programmed=False/Pending@2"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			gateway := c.gateway
			if gateway == "" {
				gateway = twoListeners
			}
			world := topologytest.Parse(t, gateway, c.route)
			before := world.Clone()
			built := topology.Build(world.Input)
			got := Route(&built.Routes[0], built, &c.delivery, now)
			if diff := cmp.Diff(c.want, routeLines(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(before, world); diff != "" {
				t.Errorf("the route is that of a shared cache and must not change (-before +after):\n%s", diff)
			}

			world.HTTPRoutes[0].Status.RouteStatus = got
			built = topology.Build(world.Input)
			if again := Route(&built.Routes[0], built, &c.delivery, now); !sameSlice(got.Parents, again.Parents) {
				t.Errorf("a second time nothing changes, and the very parents are given back (-first +again):\n%s", cmp.Diff(got, again))
			}
		})
	}
}

func TestRouteHoldsStill(t *testing.T) {
	parse := func(generation int64, status gatewayv1.RouteStatus) (*topology.Route, *topology.Topology) {
		world := topologytest.Parse(t, twoListeners, route(`{parentRefs: [{name: web}], rules: [{}]}`, ""))
		world.HTTPRoutes[0].Generation, world.HTTPRoutes[0].Status.RouteStatus = generation, status
		built := topology.Build(world.Input)
		return &built.Routes[0], built
	}
	first, t0 := parse(2, gatewayv1.RouteStatus{})
	delivered := served()
	status := Route(first, t0, &delivered, then)
	cases := map[string]struct {
		reason     string
		generation int64
		delivery   Delivery
		want       string // of rauta.dev/Programmed
	}{
		"a neighbour is pushed":      {reason: "a change of another route must not show on this one", generation: 2, delivery: Delivery{Generation: 8, Ready: 2, Serving: 0}, want: "rauta.dev/Programmed=True/Programmed@2"},
		"the route itself is pushed": {reason: "a route that changed is pending until it is acknowledged", generation: 3, delivery: Delivery{Generation: 8, Ready: 2, Serving: 0}, want: "rauta.dev/Programmed=False/Pending@3"},
		"and was acknowledged":       {reason: "and programmed then", generation: 3, delivery: Delivery{Generation: 8, Ready: 2, Serving: 2}, want: "rauta.dev/Programmed=True/Programmed@3"},
		"all replicas are gone":      {reason: "a route that nobody serves does not stay programmed", generation: 2, delivery: Delivery{Generation: 8}, want: "rauta.dev/Programmed=False/Pending@2"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			again, t1 := parse(c.generation, status)
			got := Route(again, t1, &c.delivery, now).Parents[0].Conditions
			if diff := cmp.Diff(c.want, line(got[len(got)-1])); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

func TestHTTPRouteIsBounded(t *testing.T) {
	var foreign []string
	for i := range MaxParents {
		foreign = append(foreign, entry(theirs, fmt.Sprintf("{name: g%d}", i), "Accepted", "1"))
	}
	world := topologytest.Parse(t, twoListeners, route(`{parentRefs: [{name: web}], rules: [{}]}`, "{parents: ["+strings.Join(foreign, ",")+"]}"))
	built := topology.Build(world.Input)
	delivery := served()
	if got := Route(&built.Routes[0], built, &delivery, now); len(got.Parents) != MaxParents {
		t.Errorf("the API takes 32 entries: one more would make the whole write fail; got %d", len(got.Parents))
	}
}

func TestRouteDetached(t *testing.T) {
	world := topologytest.Parse(t, twoListeners, route(`{parentRefs: [{name: web}, {name: left}], rules: [{}]}`, "{parents: ["+strings.Join([]string{
		entry(ours, "{name: web}", "Accepted", "2"),
		entry(ours, "{name: left}", "Accepted", "2"),
		entry(theirs, "{name: left}", "Accepted", "2"),
		entry(ours, "{name: dropped}", "Accepted", "2"),
	}, ",")+"]}"))
	object := world.HTTPRoutes[0]
	live := func(_ gatewayv1.Kind, gateway types.NamespacedName) bool {
		return gateway == types.NamespacedName{Namespace: "shop", Name: "web"}
	}
	got := RouteDetached(object, ours, live)
	want := []string{ours + " web: Accepted=True/Accepted@2", theirs + " left: Accepted=True/Accepted@2"}
	if diff := cmp.Diff(want, routeLines(got)); diff != "" {
		t.Errorf("entries go with their parentRef, and with their Gateway (-want +got):\n%s", diff)
	}
	object.Status.RouteStatus = got
	if again := RouteDetached(object, ours, live); !sameSlice(again.Parents, got.Parents) {
		t.Error("a second time nothing changes, and the very parents are given back")
	}
	if none := RouteDetached(object, ours, func(gatewayv1.Kind, types.NamespacedName) bool { return false }); len(none.Parents) != 1 || none.Parents[0].ControllerName != theirs {
		t.Errorf("without a live Gateway only the others' entries stay; got %v", routeLines(none))
	}
	object.Status.Parents = nil
	if empty := RouteDetached(object, ours, live); empty.Parents == nil {
		t.Error("parents are required by the schema: an empty list, not null")
	}
}

func TestConditionsFitTheAPI(t *testing.T) {
	world := topologytest.Parse(t, twoListeners, route(`{parentRefs: [{name: web}], rules: [{}, {filters: [{type: RequestHeaderModifier, requestHeaderModifier: {remove: [Upgrade]}}]}]}`, ""))
	built := topology.Build(world.Input)
	delivery := served()
	delivery.Refused = map[string]string{"route/httproute/shop/cart": strings.Repeat("ö", 40000)}
	for _, condition := range Route(&built.Routes[0], built, &delivery, now).Parents[0].Conditions {
		if len(condition.Message) > topology.MessageBytes || condition.Reason == "" || condition.Status == "" || condition.LastTransitionTime == (metav1.Time{}) {
			t.Errorf("the API server would refuse the condition %.200v", condition)
		}
	}
}
