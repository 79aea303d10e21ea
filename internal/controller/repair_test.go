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

package controller

import (
	"testing"

	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/rauta-dev/rauta/internal/status"
)

func entriesOf(controllerName string, gateways ...string) (entries []gatewayv1.RouteParentStatus) {
	for _, gateway := range gateways {
		entries = append(entries, gatewayv1.RouteParentStatus{
			ControllerName: gatewayv1.GatewayController(controllerName), ParentRef: gatewayv1.ParentReference{Name: gatewayv1.ObjectName(gateway)},
			Conditions: []metav1.Condition{{Type: "Accepted", Status: metav1.ConditionTrue, Reason: "Accepted", LastTransitionTime: metav1.Now()}},
		})
	}
	return entries
}

func TestSpoiled(t *testing.T) {
	ours, web := DefaultControllerName, entriesOf(DefaultControllerName, "web")
	full := entriesOf("example.com/other", make([]string, status.MaxParents)...)
	cases := map[string]struct {
		reason        string
		before, after []gatewayv1.RouteParentStatus
		want          bool
	}{
		"Ours":      {reason: "what we write ourselves changes entries, and leaves them there", before: web, after: entriesOf(ours, "web")},
		"Beside":    {reason: "others have entries of their own", before: web, after: append(entriesOf("example.com/other", "web"), web...)},
		"Lost":      {reason: "a controller that does not know of others replaces the list", before: web, after: entriesOf("example.com/other", "web"), want: true},
		"Emptied":   {reason: "a person may take away all", before: web, want: true},
		"Detached":  {reason: "we take an entry away whose parent the route names no more", before: entriesOf(ours, "web", "before"), after: web},
		"Room":      {reason: "there was none for our entry", before: full, after: full[1:], want: true},
		"Full":      {reason: "there is none still", before: full, after: full},
		"FullAgain": {reason: "there was room", before: full[1:], after: full},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before, after := routeTo("shop", "a", "web", "cart"), routeTo("shop", "a", "web", "cart")
			before.Status.Parents, after.Status.Parents = tc.before, tc.after
			if got := spoiled(before, after, DefaultControllerName); got != tc.want {
				t.Errorf("%s: got %v", tc.reason, got)
			}
		})
	}
}

// What is said of a route comes back when another controller has taken it away.
func TestStatusOfARouteComesBack(t *testing.T) {
	g, w := NewWithT(t), sharedWorld(t)
	namespace := w.tenant(t)
	gateway, route := httpGateway(namespace, "web"), routeTo(namespace, "first", "web", "cart")
	w.create(t, gateway, route)
	accepted := ContainElement(And(HaveField("ControllerName", BeEquivalentTo(DefaultControllerName)), HaveField("Conditions", Not(BeEmpty()))))
	g.Eventually(w.parents(t, route)).WithTimeout(patient).Should(accepted)
	g.Eventually(func() error {
		if err := w.Get(t.Context(), client.ObjectKeyFromObject(route), route); err != nil {
			return err
		}
		route.Status.Parents = entriesOf("example.com/other", "web")
		return w.Status().Update(t.Context(), route)
	}).WithTimeout(patient).Should(Succeed())
	g.Eventually(w.parents(t, route)).WithTimeout(patient).Should(And(accepted, ContainElement(HaveField("ControllerName", BeEquivalentTo("example.com/other")))))
}
