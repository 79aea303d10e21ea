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
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"
)

func TestCompare(t *testing.T) {
	base := func() *gatewayv1.GatewayStatus {
		return &gatewayv1.GatewayStatus{
			Conditions: []metav1.Condition{
				{Type: "Accepted", Status: metav1.ConditionTrue, Message: "fine"},
				{Type: "Programmed", Status: metav1.ConditionTrue, Message: "1 of 1 ready replicas serve generation 7"},
			},
			Listeners: []gatewayv1.ListenerStatus{{Name: "http", AttachedRoutes: 3}},
		}
	}
	for name, c := range map[string]struct {
		reason string
		change func(*gatewayv1.GatewayStatus)
		want   Difference
	}{
		"Nothing":           {"an equal status is not written", func(*gatewayv1.GatewayStatus) {}, Same},
		"Generation":        {"which generation is served changes with every route", func(s *gatewayv1.GatewayStatus) { s.Conditions[1].Message = "8" }, MessageDiffers},
		"Count":             {"a count may wait for the next one", func(s *gatewayv1.GatewayStatus) { s.Listeners[0].AttachedRoutes = 4 }, CountsDiffer},
		"CountAndMessage":   {"both change with a new route", func(s *gatewayv1.GatewayStatus) { s.Listeners[0].AttachedRoutes, s.Conditions[1].Message = 4, "8" }, CountsDiffer},
		"NotProgrammed":     {"whoever waits for it waits no longer", func(s *gatewayv1.GatewayStatus) { s.Conditions[1].Status = metav1.ConditionFalse }, Differs},
		"AnotherMessage":    {"the message of another condition is not about a generation", func(s *gatewayv1.GatewayStatus) { s.Conditions[0].Message = "wrong" }, Differs},
		"Address":           {"an address is what clients connect to", func(s *gatewayv1.GatewayStatus) { s.Addresses = []gatewayv1.GatewayStatusAddress{{Value: "192.0.2.1"}} }, Differs},
		"ListenerCondition": {"it is about one listener", func(s *gatewayv1.GatewayStatus) { s.Listeners[0].Conditions = []metav1.Condition{{Type: "Accepted"}} }, Differs},
		"ObservedGeneration": {"a spec that was looked at is waited for", func(s *gatewayv1.GatewayStatus) {
			s.Conditions[1].ObservedGeneration, s.Conditions[1].Message = 2, "8"
		}, Differs},
	} {
		t.Run(name, func(t *testing.T) {
			after := base()
			c.change(after)
			if got := Compare(base(), after); got != c.want {
				t.Errorf("%s: Compare gives %d, want %d", c.reason, got, c.want)
			}
		})
	}
}

func TestCompareListenerSets(t *testing.T) {
	base := func() *gatewayv1.ListenerSetStatus {
		return &gatewayv1.ListenerSetStatus{
			Conditions: []metav1.Condition{{Type: "Accepted", Status: metav1.ConditionTrue, Message: "fine"}},
			Listeners:  []gatewayv1.ListenerEntryStatus{{Name: "http", AttachedRoutes: 3}, {Name: "https"}},
		}
	}
	for name, c := range map[string]struct {
		reason string
		change func(*gatewayv1.ListenerSetStatus)
		want   Difference
	}{
		"Nothing":   {"an equal status is not written", func(*gatewayv1.ListenerSetStatus) {}, Same},
		"Count":     {"a count may wait for the next one", func(s *gatewayv1.ListenerSetStatus) { s.Listeners[0].AttachedRoutes = 4 }, CountsDiffer},
		"Condition": {"whoever waits for it waits no longer", func(s *gatewayv1.ListenerSetStatus) { s.Conditions[0].Status = metav1.ConditionFalse }, Differs},
		"ConditionAndCount": {"what matters takes the count with it", func(s *gatewayv1.ListenerSetStatus) {
			s.Conditions[0].ObservedGeneration, s.Listeners[0].AttachedRoutes = 2, 4
		}, Differs},
		"AnotherListener": {"it is about one listener", func(s *gatewayv1.ListenerSetStatus) { s.Listeners[1].Name = "tls" }, Differs},
		"NoListeners":     {"all listeners have gone", func(s *gatewayv1.ListenerSetStatus) { s.Listeners = nil }, Differs},
		"MoreListeners": {"one has come", func(s *gatewayv1.ListenerSetStatus) {
			s.Listeners = append(s.Listeners, gatewayv1.ListenerEntryStatus{Name: "tls"})
		}, Differs},
	} {
		t.Run(name, func(t *testing.T) {
			after := base()
			c.change(after)
			if got := CompareListenerSets(base(), after); got != c.want {
				t.Errorf("%s: CompareListenerSets gives %d, want %d", c.reason, got, c.want)
			}
		})
	}
}
