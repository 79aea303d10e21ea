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

package translate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	adminv1 "github.com/rauta-dev/rauta/api/admin/v1"
	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
	"github.com/rauta-dev/rauta/internal/translate"
)

// change is something that happens to a world. What the API server does to generations it does too.
type change struct {
	name string
	do   func(*topologytest.World, *rand.Rand)
}

var changes = []change{
	{"a rule changes", func(w *topologytest.World, r *rand.Rand) {
		if route := anyRoute(w, r); route != nil {
			path := fmt.Sprintf("/%d", r.IntN(1000))
			route.Spec.Rules[0].Matches = []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Value: &path}}}
			route.Generation++
		}
	}},
	{"only the status changes", func(w *topologytest.World, r *rand.Rand) {
		if route := anyRoute(w, r); route != nil {
			route.ResourceVersion = fmt.Sprint(r.Int())
		}
	}},
	{"a route is replaced by another of its name", func(w *topologytest.World, r *rand.Rand) {
		if route := anyRoute(w, r); route != nil {
			route.UID = types.UID(fmt.Sprint(r.Int()))
			method := []gatewayv1.HTTPMethod{gatewayv1.HTTPMethodGet, gatewayv1.HTTPMethodPut}[r.IntN(2)]
			route.Spec.Rules[0].Matches = []gatewayv1.HTTPRouteMatch{{Method: &method}}
		}
	}},
	{"a route goes, or comes back", func(w *topologytest.World, r *rand.Rand) {
		if route := anyRoute(w, r); route != nil {
			parent := &route.Spec.ParentRefs[0].Name
			*parent = gatewayv1.ObjectName([]string{"web", "web", "elsewhere"}[r.IntN(3)])
			route.Generation++
		}
	}},
	{"a Service comes or goes", func(w *topologytest.World, _ *rand.Rand) {
		key := types.NamespacedName{Namespace: "shop", Name: "cart"}
		if service, ok := w.Services[key]; ok {
			w.Services[types.NamespacedName{Name: "hidden"}] = service
			delete(w.Services, key)
			return
		}
		w.Services[key] = w.Services[types.NamespacedName{Name: "hidden"}]
	}},
	{"a Service's protocol changes", func(w *topologytest.World, r *rand.Rand) {
		for _, service := range w.Services {
			service.Spec.Ports[0].AppProtocol = []*string{nil, new("kubernetes.io/h2c"), new("kubernetes.io/wss")}[r.IntN(3)]
		}
	}},
	{"a policy comes, breaks or goes", func(w *topologytest.World, r *rand.Rand) {
		authorities := []gatewayv1.WellKnownCACertificatesType{gatewayv1.WellKnownCACertificatesSystem, "example.com/none"}[r.IntN(2)]
		policy := &gatewayv1.BackendTLSPolicy{}
		policy.Namespace, policy.Name = "shop", "secured"
		policy.Spec.Validation.Hostname, policy.Spec.Validation.WellKnownCACertificates = "cart.test", &authorities
		target := gatewayv1.LocalPolicyTargetReferenceWithSectionName{}
		target.Kind, target.Name = "Service", "cart"
		policy.Spec.TargetRefs = append(policy.Spec.TargetRefs, target)
		w.BackendTLSPolicies = [][]*gatewayv1.BackendTLSPolicy{nil, {policy}, {policy}}[r.IntN(3)]
	}},
	{"a listener's hostname changes", func(w *topologytest.World, r *rand.Rand) {
		hostname := gatewayv1.Hostname([]string{"*.example.com", "x.example.com", "*.test"}[r.IntN(3)])
		w.Gateway.Spec.Listeners[1].Hostname = &hostname
	}},
	{"an endpoint comes", func(w *topologytest.World, r *rand.Rand) {
		for _, list := range w.Slices {
			list[0].Endpoints[0].Addresses = []string{fmt.Sprintf("10.1.0.%d", r.IntN(256))}
		}
	}},
}

func anyRoute(w *topologytest.World, r *rand.Rand) *gatewayv1.HTTPRoute {
	if len(w.HTTPRoutes) == 0 {
		return nil
	}
	return w.HTTPRoutes[r.IntN(len(w.HTTPRoutes))]
}

// TestMemoIsThePlainRendering walks a world through random changes: a memo that compared too little would give stale
// bytes.
func TestMemoIsThePlainRendering(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	world := topologytest.Parse(t, crowd...)
	for i, route := range world.HTTPRoutes {
		route.UID, route.Generation = types.UID(fmt.Sprint(i)), 1
	}
	memo := &translate.Memo{}
	for range 500 {
		step := changes[random.IntN(len(changes))]
		step.do(world, random)
		remembered, err := memo.Resources(topology.Build(world.Input), world.Slices)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(encode(t, resources(t, world)), encode(t, remembered)) {
			t.Fatalf("after %q the memo gives something else than the plain rendering", step.name)
		}
	}
}

func TestMemoRendersOnlyWhatChanged(t *testing.T) {
	world := topologytest.Parse(t, crowd...)
	for i, route := range world.HTTPRoutes {
		route.UID, route.Generation = types.UID(fmt.Sprint(i)), 1
	}
	memo := &translate.Memo{}
	routes := func() map[string]*adminv1.Resource {
		table, err := memo.Resources(topology.Build(world.Input), world.Slices)
		if err != nil {
			t.Fatal(err)
		}
		byName := map[string]*adminv1.Resource{}
		for _, resource := range table {
			if resource.GetRoute() != nil {
				byName[resource.GetName()] = resource
			}
		}
		return byName
	}
	first := routes()
	world.HTTPRoutes[0].Generation++
	for name, resource := range routes() {
		if again := first[name] == resource; again != (name != "route/httproute/shop/a") {
			t.Errorf("%s was remembered: %v; only the route that changed is rendered again", name, again)
		}
	}
}

func TestMemoForgets(t *testing.T) {
	world := topologytest.Parse(t, crowd...)
	for i, route := range world.HTTPRoutes {
		route.UID, route.Generation = types.UID(fmt.Sprint(i)), 1
	}
	memo := &translate.Memo{}
	for _, want := range []int{3, 1, 0} {
		world.HTTPRoutes = world.HTTPRoutes[:want]
		if _, err := memo.Resources(topology.Build(world.Input), world.Slices); err != nil {
			t.Fatal(err)
		}
		if got := memo.Len(); got != want {
			t.Errorf("%d routes are remembered of %d that are there: routes that are gone must not be kept", got, want)
		}
	}
}
