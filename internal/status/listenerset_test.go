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
	"k8s.io/apimachinery/pkg/types"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/topology"
	"github.com/rauta-dev/rauta/internal/topology/topologytest"
)

const setWorld = `kind: Gateway
metadata: {namespace: shop, name: web, generation: 5}
spec: {allowedListeners: {namespaces: {from: Same}}, listeners: [{name: http, port: 80, protocol: HTTP}]SPEC}
---
kind: ListenerSet
metadata: {namespace: shop, name: extra, generation: 3}
spec: {parentRef: {name: web}, listeners: [{name: http, port: 81, protocol: HTTP}, {name: lost, port: 80, protocol: HTTP}]}
---
kind: ListenerSet
metadata: {namespace: bank, name: foreign, generation: 1}
spec: {parentRef: {name: web, namespace: shop}, listeners: [{name: http, port: 82, protocol: HTTP}]}`

func TestListenerSet(t *testing.T) {
	const resource = "listener/listenerset/shop/extra/http"
	refused := func(name string) Delivery {
		d := served()
		d.Refused = map[string]string{name: "port 81: address in use"}
		return d
	}
	cases := map[string]struct {
		reason, spec string
		facts        GatewayFacts
		want         string
		attached     int32
	}{
		"served": {
			reason: "one valid listener makes a set, and the other says itself what is wrong", facts: GatewayFacts{Addresses: address("192.0.2.1"), Delivery: served()},
			want: "Accepted=True/ListenersNotValid@3 Programmed=True/Programmed@3", attached: 1,
		},
		"under way": {
			reason: "nothing is claimed before the replicas acknowledge it", facts: GatewayFacts{Addresses: address("192.0.2.1"), Delivery: Delivery{Generation: 7, Ready: 2, Serving: 1}},
			want: "Accepted=True/ListenersNotValid@3 Programmed=False/Pending@3", attached: 1,
		},
		"refused": {
			reason: "a listener that the proxy refuses is not programmed", facts: GatewayFacts{Addresses: address("192.0.2.1"), Delivery: refused(resource)},
			want: "Accepted=True/ListenersNotValid@3 Programmed=False/RefusedByProxy@3", attached: 1,
		},
		"another is refused": {
			reason: "a listener of the same name of the Gateway is another one", facts: GatewayFacts{Addresses: address("192.0.2.1"), Delivery: refused("listener/http")},
			want: "Accepted=True/ListenersNotValid@3 Programmed=True/Programmed@3", attached: 1,
		},
		"no address": {
			reason: "nobody reaches a Gateway without an address", facts: GatewayFacts{Delivery: served()},
			want: "Accepted=True/ListenersNotValid@3 Programmed=False/ParentNotProgrammed@3", attached: 1,
		},
		"blocked": {
			reason: "a proxy that cannot be made serves nothing", facts: GatewayFacts{Blocked: &topology.Problem{Reason: "Collision", Message: "confidential"}, Delivery: served()},
			want: "Accepted=True/ListenersNotValid@3 Programmed=False/ParentNotProgrammed@3", attached: 1,
		},
		"parameters": {
			reason: "a set is accepted with its Gateway only, for whichever reason that is not", facts: GatewayFacts{Invalid: &topology.Problem{Reason: "InvalidParameters", Message: "confidential"}, Addresses: address("192.0.2.1"), Delivery: served()},
			want: "Accepted=False/ParentNotAccepted@3 Programmed=False/ParentNotProgrammed@3",
		},
		"addresses": {
			reason: "the same, where its own spec is wrong", spec: ", addresses: [{type: Hostname, value: confidential.test}]", facts: GatewayFacts{Addresses: address("192.0.2.1"), Delivery: served()},
			want: "Accepted=False/ParentNotAccepted@3 Programmed=False/ParentNotProgrammed@3",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			world := topologytest.Parse(t, strings.Replace(setWorld, "SPEC", c.spec, 1))
			before := world.Clone()
			decided := topology.Build(world.Input)
			foreign, set := &decided.ListenerSets[0], &decided.ListenerSets[1]
			got := ListenerSet(set, world.Gateway, decided, &c.facts, now)
			if diff := cmp.Diff(c.want, lines(got.Conditions)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
			if text := fmt.Sprint(got); strings.Contains(text, "confidential") {
				t.Errorf("the author of a ListenerSet is not told what concerns the Gateway: %s", text)
			}
			if diff := cmp.Diff("Accepted=False/HostnameConflict@3 Conflicted=True/HostnameConflict@3 Programmed=False/HostnameConflict@3 ResolvedRefs=True/ResolvedRefs@3", lines(got.Listeners[1].Conditions)); diff != "" {
				t.Errorf("a conflict is lost by the set (-want +got):\n%s", diff)
			}
			gateway := Gateway(world.Gateway, decided, &c.facts, now)
			if len(gateway.Listeners) != 1 || gateway.AttachedListenerSets == nil || *gateway.AttachedListenerSets != c.attached {
				t.Errorf("the Gateway's status has its own listeners and counts accepted sets; got %+v", gateway)
			}
			if diff := cmp.Diff("Accepted=False/NotAllowed@1 Programmed=False/NotAllowed@1", lines(ListenerSet(foreign, world.Gateway, decided, &c.facts, now).Conditions)); diff != "" {
				t.Errorf("a set that is not allowed says so whatever becomes of the Gateway (-want +got):\n%s", diff)
			}
			set.Object.Status = got
			if again := ListenerSet(set, world.Gateway, decided, &c.facts, now); !cmp.Equal(again, got) {
				t.Errorf("nothing changed, and the status did: %s", cmp.Diff(got, again))
			}
			set.Object.Status = gatewayv1.ListenerSetStatus{}
			if diff := cmp.Diff(before.ListenerSets, world.ListenerSets); diff != "" {
				t.Errorf("what was loaded is never changed:\n%s", diff)
			}
			orphaned := ListenerSetOrphaned(set.Object, types.NamespacedName{Namespace: "shop", Name: "web"}, now)
			if diff := cmp.Diff("Accepted=False/ParentNotAccepted@3 Programmed=False/ParentNotProgrammed@3", lines(orphaned.Conditions)); diff != "" || len(orphaned.Listeners) != 0 {
				t.Errorf("nothing of a Gateway that is gone is claimed (-want +got):\n%s", diff)
			}
		})
	}
}

// A field that an older CRD does not know must not be written again and again.
func TestAttachedListenerSetsAreLeftOut(t *testing.T) {
	world := topologytest.Parse(t, twoListeners)
	if got := Gateway(world.Gateway, topology.Build(world.Input), &GatewayFacts{}, now); got.AttachedListenerSets != nil {
		t.Errorf("a Gateway without ListenerSets counts none; got %d", *got.AttachedListenerSets)
	}
}
