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

package topology_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

// policed has two policies that contend for one Service, and one for a port.
const policed = `
kind: BackendTLSPolicy
metadata: {namespace: shop, name: first, creationTimestamp: "2026-01-02T03:04:05Z"}
spec: {targetRefs: [{group: "", kind: Service, name: a}, {group: "", kind: Service, name: gone}], validation: {hostname: a, wellKnownCACertificates: System}}
---
kind: BackendTLSPolicy
metadata: {namespace: shop, name: second, creationTimestamp: "2026-01-02T03:04:06Z"}
spec: {targetRefs: [{group: "", kind: Service, name: a}, {group: "", kind: Service, name: b, sectionName: more}], validation: {hostname: a, wellKnownCACertificates: System}}
---
kind: BackendTLSPolicy
metadata: {namespace: blue, name: third, creationTimestamp: "2026-01-02T03:04:05Z"}
spec: {targetRefs: [{group: "", kind: Service, name: a}], validation: {hostname: a, caCertificateRefs: [{group: "", kind: ConfigMap, name: gone}]}}
`

// history is a world whose routes and Services change, with what was decided about it step by step.
type history struct {
	*rand.Rand
	world   *topologytest.World
	kinds   []gatewayv1.Kind
	grants  []*gatewayv1.ReferenceGrant
	routes  map[topology.RouteID]topology.RouteObject
	updated *topology.Topology
	// referred are the other namespaces that routes and ListenerSets referred to, whose grants are known.
	referred map[string]bool
	// sets has ListenerSets come, change and go too, and time pass.
	sets bool
	now  time.Time
}

func (h *history) pick(of ...string) string { return of[h.IntN(len(of))] }

// input is all that there is now.
func (h *history) input() topology.Input {
	in := h.world.Input
	for _, route := range h.routes {
		in.AddRoute(route)
	}
	in.Grants, in.Secrets, in.Now = nil, h.secrets(), h.now
	for _, grant := range h.grants {
		if h.referred[grant.Namespace] {
			in.Grants = append(in.Grants, grant)
		}
	}
	return in
}

// route is one of a few whose names, hosts and paths often meet.
func (h *history) route() topology.RouteObject {
	meta := metav1.ObjectMeta{
		Namespace: h.pick("shop", "shop", "blue", "bank"), Name: fmt.Sprint("route-", h.IntN(8)),
		CreationTimestamp: metav1.Unix(int64(h.IntN(3)), 0),
	}
	parents := gatewayv1.CommonRouteSpec{ParentRefs: h.parents()}
	var hostnames []gatewayv1.Hostname
	for range h.IntN(3) {
		hostnames = append(hostnames, gatewayv1.Hostname(h.pick("a.example.com", "*.example.com", "b.test", "c.test", "d.example.com")))
	}
	switch kind := h.kinds[h.IntN(len(h.kinds))]; kind {
	case topology.GRPCRouteKind:
		service := h.pick("x.Y", "x.Z")
		return &gatewayv1.GRPCRoute{ObjectMeta: meta, Spec: gatewayv1.GRPCRouteSpec{CommonRouteSpec: parents, Hostnames: hostnames, Rules: []gatewayv1.GRPCRouteRule{{
			Matches:     []gatewayv1.GRPCRouteMatch{{Method: &gatewayv1.GRPCMethodMatch{Service: &service}}},
			BackendRefs: []gatewayv1.GRPCBackendRef{{BackendRef: h.backend()}},
		}}}}
	case topology.TLSRouteKind:
		return &gatewayv1.TLSRoute{ObjectMeta: meta, Spec: gatewayv1.TLSRouteSpec{CommonRouteSpec: parents, Hostnames: hostnames, Rules: []gatewayv1.TLSRouteRule{{BackendRefs: []gatewayv1.BackendRef{h.backend()}}}}}
	case topology.TCPRouteKind:
		return &gatewayv1.TCPRoute{ObjectMeta: meta, Spec: gatewayv1.TCPRouteSpec{CommonRouteSpec: parents, Rules: []gatewayv1.TCPRouteRule{{BackendRefs: []gatewayv1.BackendRef{h.backend()}}}}}
	case topology.UDPRouteKind:
		return &gatewayv1.UDPRoute{ObjectMeta: meta, Spec: gatewayv1.UDPRouteSpec{CommonRouteSpec: parents, Rules: []gatewayv1.UDPRouteRule{{BackendRefs: []gatewayv1.BackendRef{h.backend()}}}}}
	}
	route := &gatewayv1.HTTPRoute{ObjectMeta: meta, Spec: gatewayv1.HTTPRouteSpec{CommonRouteSpec: parents, Hostnames: hostnames}}
	for range 1 + h.IntN(2) {
		path, prefix := fmt.Sprint("/", h.IntN(12)), gatewayv1.PathMatchPathPrefix
		rule := gatewayv1.HTTPRouteRule{
			Matches:     []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: &prefix, Value: &path}}},
			BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: h.backend()}},
		}
		if h.IntN(4) == 0 {
			rule.Filters = []gatewayv1.HTTPRouteFilter{{
				Type: gatewayv1.HTTPRouteFilterRequestMirror, RequestMirror: &gatewayv1.HTTPRequestMirrorFilter{BackendRef: h.backend().BackendObjectReference},
			}}
		}
		route.Spec.Rules = append(route.Spec.Rules, rule)
	}
	return route
}

func (h *history) parents() []gatewayv1.ParentReference {
	group, set := gatewayv1.Group(gatewayv1.GroupName), gatewayv1.Kind("ListenerSet")
	shop, bank := gatewayv1.Namespace("shop"), gatewayv1.Namespace("bank")
	wild, one := gatewayv1.SectionName("wild"), gatewayv1.SectionName("one")
	more := gatewayv1.SectionName("l1")
	parents := []gatewayv1.ParentReference{
		{Name: "more", Namespace: &shop, Group: &group, Kind: &set},
		{Name: "more", Namespace: &shop, Group: &group, Kind: &set, SectionName: &more},
		{Name: "far", Namespace: &bank, Group: &group, Kind: &set},
		{Name: "web", Namespace: &shop},
		{Name: "web", Namespace: &shop, SectionName: &wild},
		{Name: "extra", Namespace: &shop, Group: &group, Kind: &set},
		{Name: "extra", Namespace: &shop, Group: &group, Kind: &set, SectionName: &one},
		{Name: "refused", Namespace: &bank, Group: &group, Kind: &set},
		{Name: "other", Namespace: &shop},
	}
	if !h.sets {
		parents = parents[3:]
	}
	h.Shuffle(len(parents), func(i, j int) { parents[i], parents[j] = parents[j], parents[i] })
	return parents[:1+h.IntN(2)]
}

func (h *history) backend() gatewayv1.BackendRef {
	port := gatewayv1.PortNumber(80 + h.IntN(3))
	ref := gatewayv1.BackendObjectReference{Name: gatewayv1.ObjectName(h.pick("a", "b", "gone")), Port: &port}
	if h.IntN(4) == 0 {
		namespace := gatewayv1.Namespace(h.pick("blue", "vault", "shop"))
		ref.Namespace = &namespace
	}
	return gatewayv1.BackendRef{BackendObjectReference: ref}
}

// change changes a few routes, and at times a Service.
func (h *history) change() topology.Change {
	var change topology.Change
	put := func(route topology.RouteObject) {
		for _, backend := range topology.BackendRefsOf(route) {
			if backend.Namespace == nil || string(*backend.Namespace) == route.GetNamespace() || h.referred[string(*backend.Namespace)] {
				continue
			}
			h.referred[string(*backend.Namespace)] = true
			for _, grant := range h.grants {
				if grant.Namespace == string(*backend.Namespace) {
					change.Grants = append(change.Grants, grant)
				}
			}
		}
		h.routes[topology.IDOf(route)] = route
		change.Routes = append(change.Routes, route)
	}
	for range h.IntN(3) {
		route := h.route()
		id := topology.IDOf(route)
		if slices.Contains(change.Gone, id) || slices.ContainsFunc(change.Routes, func(o topology.RouteObject) bool { return topology.IDOf(o) == id }) {
			continue
		}
		if h.IntN(3) == 0 {
			delete(h.routes, id)
			change.Gone = append(change.Gone, id)
			continue
		}
		put(route)
	}
	if h.sets && h.IntN(2) == 0 {
		h.changeSets(&change)
	}
	if h.IntN(3) > 0 {
		return change
	}
	key := types.NamespacedName{Namespace: h.pick("shop", "shop", "blue", "vault"), Name: h.pick("a", "b", "gone")}
	h.service(key)
	change.Services = append(change.Services, key)
	for id, route := range h.routes {
		names := func(ref gatewayv1.BackendObjectReference) bool {
			namespace := id.Namespace
			if ref.Namespace != nil {
				namespace = string(*ref.Namespace)
			}
			return key == types.NamespacedName{Namespace: namespace, Name: string(ref.Name)}
		}
		if slices.ContainsFunc(topology.BackendRefsOf(route), names) && !slices.Contains(change.Routes, route) {
			change.Routes = append(change.Routes, route)
		}
	}
	return change
}

// service has a Service come, go or change.
func (h *history) service(key types.NamespacedName) {
	if h.IntN(4) == 0 {
		delete(h.world.Services, key)
		return
	}
	h2c := "kubernetes.io/h2c"
	ports := []corev1.ServicePort{{Name: h.pick("http", "web"), Port: 80}, {Name: "more", Port: 81}, {Name: "dgram", Port: 82, Protocol: corev1.ProtocolUDP}}
	if h.IntN(2) == 0 {
		ports[h.IntN(2)].AppProtocol = &h2c
	}
	h.world.Services[key] = &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name}, Spec: corev1.ServiceSpec{Ports: ports[:1+h.IntN(3)]},
	}
}

const grantsOfVault = `
kind: ReferenceGrant
metadata: {namespace: vault, name: open}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}, {group: gateway.networking.k8s.io, kind: TCPRoute, namespace: shop}], to: [{group: "", kind: Service}]}
---
kind: ReferenceGrant
metadata: {namespace: blue, name: open}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}], to: [{group: "", kind: Service, name: a}]}
`

// TestUpdateGivesWhatBuildGives changes routes and Services at random. What was updated again and again has to be what is built at once.
func TestUpdateGivesWhatBuildGives(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	streams := []gatewayv1.Kind{topology.TLSRouteKind, topology.TCPRouteKind, topology.UDPRouteKind}
	for name, c := range map[string]struct {
		reason   string
		kinds    []gatewayv1.Kind
		policies string
		sets     bool
		// updates of a hundred changes at least.
		updates int
	}{
		"HTTP":          {"routes of one kind shadow each other", []gatewayv1.Kind{topology.HTTPRouteKind}, "", false, 100},
		"HTTPAndGRPC":   {"routes of two kinds contend for hostnames", []gatewayv1.Kind{topology.HTTPRouteKind, topology.HTTPRouteKind, topology.HTTPRouteKind, topology.GRPCRouteKind}, "", false, 10},
		"Policies":      {"policies say how Services are spoken to, and are told whether they are used", []gatewayv1.Kind{topology.HTTPRouteKind, topology.TCPRouteKind}, policed, false, 100},
		"Streams":       {"stream routes take each other's places", streams, policed, false, 100},
		"AllTogether":   {"kinds that do not meet change side by side", append(streams, topology.HTTPRouteKind), "", false, 100},
		"GRPCAndStream": {"a gRPC route is a route of requests", []gatewayv1.Kind{topology.GRPCRouteKind, topology.TLSRouteKind}, policed, false, 100},
		"SetsHTTP":      {"ListenerSets take hosts and ports from each other, and give them back", []gatewayv1.Kind{topology.HTTPRouteKind}, policed, true, 90},
		"SetsStreams":   {"ListenerSets of all protocols", streams, "", true, 90},
		"SetsTwoKinds":  {"routes of two kinds come to contend, or no longer do, as their listeners change", []gatewayv1.Kind{topology.HTTPRouteKind, topology.HTTPRouteKind, topology.HTTPRouteKind, topology.GRPCRouteKind}, policed, true, 10},
	} {
		t.Run(name, func(t *testing.T) {
			h := &history{Rand: rand.New(rand.NewPCG(seed, 0)), kinds: c.kinds, sets: c.sets}
			steps, updates := 0, 0
			for range 8 {
				h.world = topologytest.Parse(t, square, c.policies, grantsOfVault)
				h.begin(t)
				h.grants, h.referred, h.routes = h.world.Grants, map[string]bool{}, map[topology.RouteID]topology.RouteObject{}
				h.updated = topology.Build(h.input())
				for range 120 {
					steps++
					if h.step(t) {
						updates++
					}
					if t.Failed() {
						t.Fatal(c.reason)
					}
				}
			}
			if 100*updates < c.updates*steps {
				t.Errorf("%s: only %d of %d changes were updates", c.reason, updates, steps)
			}
		})
	}
}

// step takes one change, and reports whether it was an update.
func (h *history) step(t *testing.T) bool {
	t.Helper()
	before := h.updated
	backends, counts, shadowed, policies := before.Backends(), attachedCounts(before), shadowedRoutes(before), before.BackendTLSPolicies
	sets, entered := saidOfSets(before), entrancesOf(before)
	change := h.change()
	built := topology.Build(h.input())
	difference, ok := h.updated.Update(change)
	if !ok {
		h.updated = built
		return false
	}
	sameTopology(t, built, h.updated)
	added, dropped := listDifference(backends, built.Backends())
	if diff := cmp.Diff([][]topology.BackendRef{added, dropped}, [][]topology.BackendRef{difference.Added, difference.Dropped}); diff != "" {
		t.Errorf("what is sent to now, and what is not any more (-want +got):\n%s", diff)
	}
	counted := map[types.NamespacedName]bool{}
	for key, count := range attachedCounts(built) {
		if counts[key] != count {
			counted[key.Set] = true
		}
	}
	if diff := cmp.Diff(counted, difference.Counted); diff != "" {
		t.Errorf("whose listeners have another number of routes (-want +got):\n%s", diff)
	}
	var told []topology.RouteID
	for id, decisions := range shadowedRoutes(built) {
		if !slices.Contains(difference.Decided, id) && decisions != shadowed[id] {
			told = append(told, id)
		}
	}
	slices.SortFunc(told, topology.CompareRouteIDs)
	if diff := cmp.Diff(told, difference.Shadowed); len(told)+len(difference.Shadowed) > 0 && diff != "" {
		t.Errorf("whose requests go elsewhere now (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(setsThatDiffer(sets, saidOfSets(built)), sortedSets(difference.ListenerSets)); diff != "" {
		t.Errorf("of which ListenerSets something else is said (-want +got):\n%s", diff)
	}
	sameEntrances(t, entered, entrancesOf(built), difference, built)
	if !difference.Policies && !reflect.DeepEqual(policies, built.BackendTLSPolicies) {
		t.Errorf("other things are said about the policies, and nobody knows: %v", built.BackendTLSPolicies)
	}
	return true
}

// shadowedRoutes are what is said about the shadowing of each route.
func shadowedRoutes(t *topology.Topology) map[topology.RouteID]string {
	said := map[topology.RouteID]string{}
	for i := range t.Routes {
		text := ""
		for _, parent := range t.Routes[i].Parents {
			if parent.Shadowed != nil {
				text += fmt.Sprint(*parent.Shadowed)
			}
			text += "\n"
		}
		said[topology.IDOf(t.Routes[i].Object)] = text
	}
	return said
}

func attachedCounts(t *topology.Topology) map[topology.ListenerKey]int32 {
	counts := map[topology.ListenerKey]int32{}
	for i := range t.Listeners {
		counts[t.Listeners[i].ListenerKey] = t.Listeners[i].AttachedRoutes
	}
	return counts
}

func sameTopology(t *testing.T, want, got *topology.Topology) {
	t.Helper()
	if len(want.Routes)+len(got.Routes) > 0 && !reflect.DeepEqual(want.Routes, got.Routes) {
		t.Errorf("routes differ (-built +updated):\n%s", cmp.Diff(routeLines(want), routeLines(got)))
	}
	if !reflect.DeepEqual(want.Listeners, got.Listeners) || !reflect.DeepEqual(want.Own, got.Own) || !reflect.DeepEqual(want.ListenerSets, got.ListenerSets) {
		t.Errorf("listeners differ (-built +updated):\n%s", cmp.Diff(listenerLines(want), listenerLines(got)))
	}
	if !want.Changes.Equal(got.Changes) {
		t.Errorf("something changes at %s, want %s", got.Changes, want.Changes)
	}
	if diff := cmp.Diff(want.Backends(), got.Backends()); diff != "" {
		t.Errorf("backends differ (-built +updated):\n%s", diff)
	}
	if diff := cmp.Diff(want.BackendTLSPolicies, got.BackendTLSPolicies); diff != "" {
		t.Errorf("policies differ (-built +updated):\n%s", diff)
	}
	for _, ref := range want.Backends() {
		if !reflect.DeepEqual(want.BackendTLS(ref), got.BackendTLS(ref)) {
			t.Errorf("%v is spoken to in another way", ref)
		}
	}
}

func listDifference(before, after []topology.BackendRef) (added, dropped []topology.BackendRef) {
	for _, ref := range after {
		if !slices.Contains(before, ref) {
			added = append(added, ref)
		}
	}
	for _, ref := range before {
		if !slices.Contains(after, ref) {
			dropped = append(dropped, ref)
		}
	}
	return added, dropped
}
